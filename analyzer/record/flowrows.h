/*
 * flowrows: the rows of a batch of flows in flow, flow_vantage and path, made by the thread that
 * joined them. Only their order is left to the thread that writes them.
 */
#pragma once

#include "join/join.h"
#include "store/btree.h"

/* What all members together know of a flow. */
struct flow_summary {
	uint8_t client[16], server[16]; /* as the place nearest the client saw them */
	int64_t first_ns, last_ns;	/* reference clock */
	uint32_t isn[2];		/* C2S, S2C; when has_isn */
	bool has_isn[2];
	bool tcp;
	const char *outcome; /* static */
};

struct flow_summary flowrows_summary(const struct join *j, const struct flow *c);

/* A join_prepare: hangs a struct flow_rows on the batch. */
void flowrows_make(const struct join *j, struct join_batch *b);

struct flow_rows;

/* Of the flow at a place in order[], one of the batch's. */
const struct flow_summary *flowrows_of(const struct join_batch *b, uint32_t place);

/* Puts the rows of a batch behind those in their trees. */
void flowrows_write(const struct join_batch *b, struct btree *flows, struct btree *flow_vantages,
	struct btree *paths);
