/*
 * carry: what a run of --since last leaves for the next one, so that it costs what is new and not
 * what is there: the records of conversations that may go on, and the sums of all that is settled.
 *
 * It holds as long as what the sums rest on is as it was: which address is an interface's own,
 * which flow log is summed, no record from before the span in which records may come late. Else
 * everything is summed again from all records, as without it.
 */
#pragma once

#include "flowlog/facts_impl.h"

struct flowlog;

/* Records of one bucket for the next run. */
struct carried {
	struct tuple *list;
	size_t count, cap;
};

struct flowlog_carry *flowlog_carry_new(struct flowlog *f);
struct flowlog_carry *flowlog_carry_free(struct flowlog_carry *c); /* NULL is fine; returns NULL */

/* Goes on with the interfaces as the last run left them, if it left anything. */
int flowlog_carry_open(struct flowlog_carry *c, struct error *err);

/* The last record that the sums of the last run have; 0: nothing is carried on. */
int64_t flowlog_carry_last_record(const struct flowlog_carry *c);

/* With the records gone: records that begin before this change nothing any more; 0: none do. */
int64_t flowlog_carry_settled_s(const struct flowlog_carry *c);

/* Keeps the interfaces for the next run, before they are resolved. */
void flowlog_carry_keep_interfaces(struct flowlog_carry *c);

/* Whether what is carried holds with the records that are new, the first of which began at
 * oldest_s, and with the settings. */
bool flowlog_carry_holds(
	const struct flowlog_carry *c, int64_t oldest_s, int64_t edge_s, int64_t clock_s);

/* Drops what is carried: everything is summed again. */
void flowlog_carry_drop(struct flowlog_carry *c);

/* Takes the records, gaps and drops that are carried, beside the new ones. */
int flowlog_carry_load(struct flowlog_carry *c, struct error *err);

/* The start of the first minute whose rows are made again; 0: of all. */
int64_t flowlog_carry_minutes_ns(const struct flowlog_carry *c);

/* The end of the log in the last run; 0: nothing is carried on. */
int64_t flowlog_carry_end_s(const struct flowlog_carry *c);

/* For facts.c. c may be NULL. */
const struct sums *flowlog_carry_known(const struct flowlog_carry *c);
struct carried *flowlog_carry_bucket(struct flowlog_carry *c, unsigned bucket);
void carried_add(
	struct carried *c, struct tuple **list, size_t n, const struct flowlog_facts_input *in);

/* Adds the settled sums of earlier runs. */
int flowlog_carry_take(
	struct flowlog_carry *c, struct facts_totals *t, struct sums *pairs, struct error *err);

/* Writes what the next run goes on from. */
int flowlog_carry_leave(struct flowlog_carry *c, struct facts_totals *t,
	const struct flowlog_facts_input *in, struct error *err);
