/*
 * model: what a report says, read from the database once. Text, JSON, Markdown and HTML take the
 * verdict, the stories, the notes and the inputs from it alone, so that they all give one answer;
 * HTML queries more rows for what only it draws. Strings are as stored: each format escapes them
 * itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "report/ref_clock.h"
#include "store/db.h"

#define REPORT_FINDINGS                                                                            \
	100 /* stories that begin with a later finding are left out unless all are asked for */
#define REPORT_ALSO 8 /* further effects of one cause that text, Markdown and HTML show */
#define REPORT_OPEN 5 /* what was not judged, under the verdict; more of it stands at the end */

/* One row of evidence. */
struct report_proof {
	char *path;	 /* capture or flow-log file; NULL: only a flow */
	int64_t number;	 /* frame or line; DB_NONE: none */
	bool is_log;	 /* number is a line of a flow log */
	int64_t flow_id; /* DB_NONE: none */
	char *note;
};

/* A finding's place in its story; see the view story. */
enum report_role { ROLE_HEAD, ROLE_BECAUSE, ROLE_ALSO };

struct report_finding {
	int64_t id, story_id, depth;
	enum report_role role;
	char *kind, *severity;
	double confidence;
	char *host, *from, *to;				   /* names; NULL: none */
	char *src_ip, *dst_ip;				   /* NULL: several or none */
	int64_t first_ns, last_ns, count, total, cause_id; /* DB_NONE where NULL */
	char *summary, *remedy;				   /* remedy NULL: none */
	char *detail;					   /* JSON */
	char *times;  /* when, in words: "2026-11-21T07:55:59Z for 8 s"; NULL: it has no time */
	char *news;   /* new, still or over against the run before; NULL: there was none */
	int64_t runs; /* earlier runs that told it; DB_NONE: there was none */
	struct report_proof *proofs;
	int proof_count;
};

/* What happened (findings[0]), what explains it, and what else the cause did. */
struct report_story {
	const struct report_finding *findings;
	int count;
	int also; /* of them with ROLE_ALSO */
};

struct report_vantage {
	int64_t id;
	char *host, *name, *kind, *interface, *mac, *trust, *reasons, *path;
	int64_t first_ns, last_ns, frames, files, tcp_missed, duplicates;
};

struct report_file {
	char *kind, *path, *format, *compression, *damaged, *hash, *sha256;
	char *vantage, *filter, *account; /* account: "joined 354, arp 6"; NULL: none */
	int64_t records, bytes, first_ns, last_ns, dropped_kernel, dropped_interface, snaplen;
};

struct report_account {
	char *what, *disposition;
	int64_t n;
};

/* The clock of one vantage point: the piece of its model that says most, and how many pieces there
 * are. */
struct report_clock {
	const struct ref_clock_piece *best;
	int pieces;
};

struct report_leg {
	int64_t from_id, to_id, from_host, to_host;
	char *from, *to;
	int64_t flows, sent, delivered, misaddressed, lost, capture_missed, unjudged;
	int64_t duplicated, reordered, retransmitted, injected;
	bool estimated; /* counts of segments come from merged records */
};

struct report_counts {
	int64_t critical, warning, notice;
	int64_t flows, tcp_flows, hosts, captures, frames, accounted, log_files, log_records;
	int64_t unanswered;	   /* TCP connections in which nobody answered */
	int64_t first_ns, last_ns; /* of all flows, reference clock; DB_NONE: no flow */
};

/* What the user asked to leave out; NULL: not asked. */
struct report_run {
	char *filter, *from, *to;
};

/* An address with many frames at a vantage point. Loaded only where no packet was seen at two. */
struct report_address {
	int64_t vantage_id, addresses; /* addresses: how many that vantage point saw */
	char *ip;
};

struct report {
	struct report_counts counts;
	struct report_run run;
	char *verdict; /* the headline: the first story's, or that nothing was found */
	char *checked; /* what that rests on; NULL with stories: they say it */
	struct report_finding *findings; /* by id */
	struct report_story *stories;	 /* in order */
	struct report_vantage *vantages;
	struct report_file *files;
	struct report_account *accounts;
	struct ref_clock ref_clock;
	struct report_clock *clocks; /* of all but the reference */
	struct report_leg *legs;
	struct report_address *addresses; /* by vantage point, the one that says most first */
	char **notes;			  /* first what was not judged, and what would settle it */
	int finding_count, story_count, vantage_count, file_count, account_count, clock_count;
	int leg_count, address_count, note_count;
	int open_count; /* of the notes: those of packets that were not judged */
	struct report_loading {
		int finding_cap, proof_at;
	} loading;
};

/*
 * Reads the stories that begin with a finding up to findings_max, and evidence for those that begin
 * up to proofs_max (0: all of them), and all the rest. Released with report_release(), also after a
 * failure.
 */
int report_load(struct report *r, struct db *db, int64_t findings_max, int64_t proofs_max,
	struct error *err);
void report_release(struct report *r);

/* All findings of the database, also those that were not read. */
int64_t report_all_findings(const struct report *r);

/* The vantage point with that id, or NULL. */
const struct report_vantage *report_vantage(const struct report *r, int64_t id);
