/*
 * match_time: which of several equal transmissions is which arrival, by time: in order, each with
 * the one whose delay fits the path's delay at that time. Every record of the smaller side gets a
 * match.
 */
#pragma once

#include "join/match.h"

/* Records of one key at both places. */
struct group {
	const struct keyed *sent, *received;
	uint32_t sent_count, received_count;
};

/* delay: what packets took about then, by both clocks as they are. */
void match_in_time(struct matcher *m, const struct group *g, int64_t delay);
/* Where nothing tells the delay: by the one with which the arrivals fit best. */
void match_by_rhythm(struct matcher *m, const struct group *g);
