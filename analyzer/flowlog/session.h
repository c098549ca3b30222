/* session: one run over flow logs: what ingest.c, previous.c and finish.c share. */
#pragma once

#include "flowlog/format/flowlog.h"
#include "flowlog/facts.h"
#include "flowlog/ingest.h"
#include "flowlog/rows.h"
#include "flowlog/sums.h"

#define SKIPS_MAX (1u << 20) /* SKIPDATA windows that are held one by one */

struct flowlog_known_file {
	int64_t id;
	uint64_t bytes;
	char hash[33];
	bool earlier; /* of an earlier run */
};

/* Drops that a transit gateway counted; key is what stands before first_ns. */
struct flowlog_drops {
	uint32_t vantage;
	uint32_t reason;
	uint8_t src[16], dst[16];
	int64_t first_ns, last_ns;
	uint64_t records, packets;
	uint32_t file, line;
};

/* The flow-log files of the database. */
struct flowlog_files {
	struct flowlog_known_file *list;
	size_t count, cap;
	int64_t first_id, next_id; /* of this run */
	uint32_t *source;	   /* by log_file id; see facts.h */
	size_t source_cap;
};

/* The file being read. */
struct flowlog_reading {
	int64_t file_id;
	uint32_t source;
	const char *name, *path;
	struct flowlog_counts *counts;
	uint64_t late[FLOWLOG_DISPOSITIONS]; /* of an account, records that came too late */
	struct flowlog_problem {
		uint64_t line;
		char *reason, *text;
	} * problems;
	size_t problem_count;
};

struct flowlog {
	struct db *db;
	struct flowlog_options options;
	char *format, *duckdb, *folder;
	struct flowlog_files files;
	struct flowlog_sources {
		char **names; /* fl-...; ids from 1 */
		size_t count, cap;
	} sources;
	int64_t first_record_id, next_record_id;
	bool earlier;	 /* the database had flow logs */
	bool unfinished; /* files were added that are not summed */
	struct flowlog_interfaces interfaces;
	struct flowlog_tuples *tuples;
	struct sums states, drops, presence;
	struct flowlog_skips {
		struct flowlog_skip_span *spans;
		size_t count, cap;
	} skips;
	struct fingerprints seen;
	struct flowlog_carry *carry; /* NULL: nothing is carried on from run to run */
	int64_t oldest_s;	     /* start of the first record that is new; INT64_MAX: none */
	struct keep *keep;	     /* NULL: all records become rows */
	int64_t settled_s;	     /* with keep: records before this come too late; 0: none do */
	struct bulk *bulk;
	struct flowlog_reading reading;
};

/* Takes a record into what is known of its interface, and into the sums (not into flow_log).
 * Returns its vantage_id or DB_NONE. */
int64_t flowlog_take(struct flowlog *f, const struct flowlog_record *rec, int64_t file_id,
	uint32_t source, const char *name);

/* Takes a record into the sums alone. */
void flowlog_take_sums(struct flowlog *f, const struct flowlog_record *rec, int64_t file_id,
	const struct flowlog_interface *i);

/* The id of the flow log (fl-...) that a file's name tells; 0: none. */
uint32_t flowlog_source_id(struct flowlog *f, const char *path);
void flowlog_set_source(struct flowlog *f, int64_t file_id, uint32_t source);

/* Adds minutes in which an interface is shown, and what a transit gateway dropped. */
void flowlog_presence_add(struct sums *presence, const struct flowlog_presence *p);
void flowlog_drops_add(struct sums *drops, const struct flowlog_drops *d);

/* Reads what earlier runs left: ids, files, ENIs; removes what a killed one did. */
int flowlog_load_previous(struct flowlog *f, struct error *err);

/* Takes records of earlier runs, after one of them to another, into the sums again; and into what
 * is known of the interfaces, unless that has them. */
int flowlog_take_previous(
	struct flowlog *f, int64_t after, int64_t last, bool interfaces_too, struct error *err);

/* Prepares a statement of ours; NULL with err set when SQLite refuses (a damaged database). */
sqlite3_stmt *flowlog_prepare(struct flowlog *f, const char *sql, struct error *err);
