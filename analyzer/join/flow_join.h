/*
 * flow_join: one flow while it is joined: its places, its half-flows at each, and which packet here
 * is which there. Memory is kept from one flow to the next.
 */
#pragma once

#include "join/join.h"
#include "join/match.h"
#include "join/places.h"
#include "join/way.h"

struct flow_join {
	const struct join *join;
	uint32_t flow; /* its index */
	bool tcp;
	struct place places[PLACES_MAX];
	uint32_t place_count;
	uint32_t first_leg; /* number of the first leg between the places */
	/* Loaded by flow_join_load(). In the middle a half-flow for each role: towards the next
	 * place it is the sender's (sent), from the one before the receiver's (received). At the
	 * ends sent has both. */
	struct half_flow sent[PLACES_MAX][2], received[PLACES_MAX][2];
	/* Found by flow_join_match(): of the places those that each direction passes; leg i lies
	 * between the ith of them and the next. */
	struct way ways[2];
	struct matcher matchers[PLACES_MAX][2]; /* by leg and direction */
	struct clock_memo clock_memo;
};

void flow_join_load(struct flow_join *f);
void flow_join_match(struct flow_join *f);
void flow_join_release(struct flow_join *f);

/* The places that a leg of a direction runs from and to. */
uint32_t flow_join_from(const struct flow_join *f, uint32_t leg, enum direction d);
uint32_t flow_join_to(const struct flow_join *f, uint32_t leg, enum direction d);
