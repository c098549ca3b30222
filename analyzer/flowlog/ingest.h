/*
 * ingest: writes flow-log exports into the database, file by file, and at the end their totals.
 * Memory stays bounded whatever their size.
 *
 *	flowlog_new(&f, db, &options, err);
 *	flowlog_ingest(f, path, name, &counts, err);	for every file, in a fixed order
 *	flowlog_finish(f, err);
 *	flowlog_free(f);
 *
 * Captures come first: host, vantage and capture_file rows must be there, for ids and for whose an
 * ENI is. No transaction may be open on db.
 *
 * On a database that has flow logs already (db_open_writable) files are added: those whose content
 * it holds are skipped, and everything derived is made anew from all records. A killed run leaves
 * rows of the file it was at; the next flowlog_new() removes them.
 */
#pragma once

#include "base/error.h"
#include "flowlog/format/recognise.h"
#include "store/db.h"

struct flowlog;

/* --host NAME=eni-... */
struct flowlog_host {
	const char *name, *interface;
};

struct flowlog_options {
	const char *format; /* --flow-log-format; checked with flowlog_check_format(); NULL */
	const char *duckdb; /* path of libduckdb.so; NULL: BOTHENDS_DUCKDB or the loader's search */
	const char *folder; /* for temporary files; NULL: TMPDIR or /tmp */
	uint64_t memory;    /* bytes for all of this; 0: 1 GiB */
	unsigned threads;   /* 0: 2 */
	const struct flowlog_host *hosts;
	size_t host_count;
	bool carry; /* leave what the next run goes on from, and go on from the last one */
	bool proof; /* keep sums by pair and hour, and the lines that findings cite (--keep proof);
		       a database that was begun so goes on so */
};

enum flowlog_outcome {
	FLOWLOG_TAKEN = 0,
	FLOWLOG_OUTCOME_NOT_FLOWLOG = 1, /* of another kind; nothing written */
	FLOWLOG_OUTCOME_EMPTY = 2,	 /* no byte in it; nothing written */
	FLOWLOG_OUTCOME_KNOWN =
		3, /* this content was read before (in an earlier run: nothing written;
		      in this one: its lines are accounted for as duplicate) */
	FLOWLOG_OUTCOME_NEEDS_DUCKDB =
		4, /* Parquet, and no library: err has the line; nothing written */
};

/* What one file came to. */
struct flowlog_counts {
	enum flowlog_format format;
	int64_t log_file_id; /* 0: none was made */
	uint64_t lines;	     /* of all dispositions together */
	uint64_t records, nodata, skipdata, malformed;
	uint64_t bytes;		 /* as stored */
	char damaged[160];	 /* "" when sound */
	char first_problem[240]; /* "FILE:LINE: reason" of the first malformed line, or "" */
};

int flowlog_new(struct flowlog **ret, struct db *db, const struct flowlog_options *options,
	struct error *err);

/*
 * One file ("-": standard input). name: the NAME of NAME=INPUT, or NULL. 0, a positive outcome
 * above, or negative with err set (cannot open, cannot write).
 */
int flowlog_ingest(struct flowlog *f, const char *path, const char *name,
	struct flowlog_counts *ret, struct error *err);

/*
 * After the rules, with proof: writes the records that findings cite, read once more from their
 * files. Does nothing where all records were kept.
 */
int flowlog_keep_cited(struct db *db, const struct flowlog_options *options, struct error *err);

/* Hosts, vantage points and the summed tables. Does nothing when no file was taken, now or before.
 */
int flowlog_finish(struct flowlog *f, struct error *err);

struct flowlog *flowlog_free(struct flowlog *f); /* NULL is fine; returns NULL */
