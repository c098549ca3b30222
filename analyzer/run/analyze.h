/* analyze: one run: read, decode, join, store, judge. */
#pragma once

#include "base/error.h"
#include "hostfile/collection.h"
#include "join/join.h"
#include "store/db.h"

struct flowlog_host;
struct stated_host;
struct stated_scope;

/* Which records of flow logs become rows: all; those that findings cite, beside sums; or as large
 * as the input is. */
enum analyze_keep { ANALYZE_KEEP_BY_SIZE, ANALYZE_KEEP_ALL, ANALYZE_KEEP_PROOF };

struct analyze_options {
	char **inputs; /* [NAME=]PATH */
	int input_count;
	const char *output;
	bool force;
	bool since_last;	/* add what is new to the database if it exists */
	const char *filter;	/* pcap-filter(7); NULL: none */
	int64_t from_ns, to_ns; /* INT64_MIN, INT64_MAX: no limit */
	uint64_t memory;	/* bytes; 0: half of the machine's */
	unsigned threads;	/* 0: one for each processor */
	enum packet_choice packets;
	bool sha256;
	const char *rules_dir; /* NULL: none */
	char **settings;       /* KEY=VALUE */
	int setting_count;
	struct analyze_flow_logs {
		enum analyze_keep keep; /* which of their records */
		const char *format;	/* of those without a header; NULL: their default */
		const struct flowlog_host *hosts; /* --host NAME=ENI */
		int host_count;
		char **names; /* --names: lists of interfaces */
		int name_count;
	} flow_logs;
	struct analyze_stated {
		const struct stated_host *hosts; /* --host NAME=ADDRESS|MAC */
		int host_count;
		const struct stated_scope *scopes; /* --scope NAME=EXPRESSION */
		int scope_count;
	} stated;			 /* what the user says of the captures */
	struct collection_options logs;	 /* year and zone of logs */
	bool progress, verbose, confine; /* confine: see confinement.h */
	const char *version;
};

/*
 * Makes the database. On success it is committed and open in *db for reports; the caller releases
 * it with db_close(), also after a failure. Negative with err set: nothing was written.
 */
int analyze_run(const struct analyze_options *o, struct db *db, struct error *err);
