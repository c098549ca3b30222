/*
 * model: what every report shows, read from the database once, so that text, JSON and Markdown say the
 * same. Strings are as stored: each output makes them inert itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "store/db.h"

#define REPORT_FINDINGS 100 /* findings shown unless all are asked for */
#define REPORT_ALSO 8	    /* further effects of one cause that text and Markdown show */
#define REPORT_WIDTH_MIN 40 /* narrower terminals get lines of this width */

struct report_options {
	int width;		/* columns to wrap at; 0: do not wrap */
	bool colour;		/* text only: ANSI colours */
	const char *database;	/* path as the user gave it, for the extract command; NULL: unknown */
	int64_t findings_max;	/* stories that begin beyond this number are left out; 0: none */
};

/* One row of evidence. */
struct report_proof {
	char *path;	/* capture or flow-log file; NULL: only a flow */
	int64_t number; /* frame or line; DB_NONE: none */
	bool is_log;	/* number is a line of a flow log */
	int64_t flow_id; /* DB_NONE: none */
	char *note;
};

struct report_finding {
	int64_t id, story_id, depth;
	char *role; /* head, because, also: see the view story */
	char *kind, *severity;
	double confidence;
	char *host, *from, *to; /* names; NULL: none */
	char *src_ip, *dst_ip;	/* NULL: several or none */
	int64_t first_ns, last_ns, count, total, cause_id; /* DB_NONE where NULL */
	char *summary, *remedy; /* remedy NULL: none */
	char *detail;		/* JSON */
	char *times;		/* when, in words: "2026-11-21T07:55:59Z for 8 s"; NULL: it has no time */
	struct report_proof *proofs;
	int proof_count;
};

struct report_vantage {
	char *host, *name, *kind, *interface, *mac, *trust, *reasons, *path;
	int64_t first_ns, last_ns, frames, files, tcp_missed, duplicates;
};

struct report_file {
	char *kind, *path, *format, *damaged, *hash, *sha256;
	int64_t records, bytes, first_ns, last_ns, dropped_kernel, dropped_interface;
};

struct report_account {
	char *what, *disposition;
	int64_t n;
};

struct report_clock {
	char *name, *reference, *method;
	int64_t offset_ns, low_ns, high_ns, samples, pieces;
	double skew_ppm;
};

struct report_leg {
	char *from, *to;
	int64_t sent, delivered, misaddressed, lost, capture_missed, unjudged;
};

struct report_counts {
	int64_t critical, warning, notice, flows, tcp_flows, frames, accounted, vantages, log_records,
		log_files;
};

struct report {
	struct report_counts counts;
	struct report_finding *findings; /* in order of id: stories are runs of one story_id */
	struct report_vantage *vantages;
	struct report_file *files;
	struct report_account *accounts;
	struct report_clock *clocks;
	struct report_leg *legs;
	char **notes;
	int finding_cap, proof_at; /* while loading */
	int finding_count, vantage_count, file_count, account_count, clock_count, leg_count, note_count;
};

/* Reads everything; released with report_release(), also after a failure. */
int report_load(struct report *r, struct db *db, const struct report_options *options, struct error *err);
void report_release(struct report *r);

/* How many findings of the story are further effects (role also), and whether finding i is beyond REPORT_ALSO. */
int report_also_count(const struct report *r, int first, int count);
bool report_is_beyond(const struct report *r, int first, int i);

/*
 * Whether the story of count findings from first on gives the remedy of finding i: those of the causes;
 * that of the symptom only where no cause has one.
 */
bool report_advises(const struct report *r, int first, int count, int i);

/* Is there a frame among the proof? Lines of a log and counters cannot be extracted. */
bool report_extractable(const struct report_finding *f);

/* Findings from index first on that belong to the same story. */
int report_story_length(const struct report *r, int first);

/* The last part of a path. */
const char *report_basename(const char *path);

/* Appends a word that a shell reads back as it is: quoted where it must be. */
void report_shell_word(struct strbuf *out, const char *word);

/* Each writes a whole report of a finished, judged database to out. 0, or negative with err set. */
int report_text(struct db *db, FILE *out, const struct report_options *options, struct error *err);
int report_json(struct db *db, FILE *out, const struct report_options *options, struct error *err);
int report_html(struct db *db, FILE *out, const struct report_options *options, struct error *err);
int report_markdown(struct db *db, FILE *out, const struct report_options *options, struct error *err);

/* A clock in plain words: "clock of db is 37.2 s ahead of worker's (+- 0.2 ms), drifting 80 ppm". */
void report_clock_words(struct strbuf *out, const struct report_clock *c);

/* Options for writing to out: width and colour of the terminal that it is, else none; NO_COLOR is honoured. */
struct report_options report_terminal_options(FILE *out, const char *database);
