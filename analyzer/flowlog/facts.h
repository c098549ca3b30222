/*
 * facts: totals of flow-log records: by conversation at one ENI (who asked, who
 * answered), by pair of ENIs (what left one and came in at the other), by minute, and what an ENI
 * accepted for a host while that host captured. Filled from all records at once; rows go to the
 * tables flow_log_pair, flow_log_loss, flow_log_window and flow_log_delivery.
 */
#pragma once

#include "base/error.h"
#include "store/db.h"
#include "flowlog/interfaces.h"
#include "flowlog/tuples.h"
#include "flowlog/sums.h"

/* A span in which a vantage point's host captured without a gap. */
struct flowlog_capture_span {
	int64_t vantage_id; /* of the ENI */
	int64_t from_ns, to_ns;
};

/* A SKIPDATA window. */
struct flowlog_skip_span {
	uint32_t vantage;
	uint32_t from_s, to_s;
};

/* NODATA and SKIPDATA records by ENI and minute; an entry of struct sums keyed by its first 8
 * bytes. */
struct flowlog_state {
	uint32_t vantage, minute;
	uint64_t nodata, skipdata;
};

/* Minutes in which a record of an ENI ends: a bit for each of the 64 of a word. */
struct flowlog_presence {
	uint32_t vantage, word;
	uint64_t minutes;
};

struct flowlog_carry;

struct flowlog_facts_input {
	struct db *db;
	const struct flowlog_interfaces *interfaces; /* resolved */
	const struct flowlog_tuples *tuples;
	const uint32_t *file_source; /* flow log of each file, by log_file id */
	size_t file_count;	     /* ids from 1 */
	const struct flowlog_capture_span *spans;
	size_t span_count;
	const struct flowlog_skip_span *skips; /* ordered by vantage and from_s */
	size_t skip_count;
	const struct sums *states; /* of struct flowlog_state */
	int64_t edge_s;	 /* near the end of a log, by this, an answer may not be there yet */
	int64_t clock_s; /* a host's clock may be off from the cloud's by this much */
	int64_t end_s;	 /* of the log: of the last window */
	const struct sums *presence; /* of struct flowlog_presence */
	struct flowlog_carry *carry; /* of an earlier run, and for the next; NULL: neither */
	int64_t carried_end_s;	     /* end of the log in the last run; 0: nothing is carried */
	uint64_t memory;	     /* for a bucket and the sums */
	unsigned threads;
};

int flowlog_facts_store(const struct flowlog_facts_input *in, struct error *err);
