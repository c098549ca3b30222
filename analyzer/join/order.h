/* order: sorts flows by time, and counts each capture's frames as joined or one-sided. */
#pragma once

#include "join/clocks.h"
#include "join/tally.h"

struct ordering {
	uint32_t *order; /* the flow at each place of the output */
	uint32_t *row;	 /* each flow's place, from 1: its row in table flow */
	/* What tells the order of the places that conversations passed. */
	struct order_row *pairs;
	uint32_t pair_count;
};

/*
 * One pass over all flows, as they are in no cache: flows are numbered by their first packet on the
 * reference clock, and the captures' accounts take what was joined and what is one-sided.
 */
void order_and_account(struct dataset *data, const struct flows *all, const struct clocks *clocks,
	unsigned threads, struct ordering *ret);
void ordering_release(struct ordering *o);
