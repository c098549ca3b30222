/* order: sorts flows by time, and counts each capture's frames as joined or one-sided. */
#pragma once

#include "join/clocks.h"

/*
 * One pass over all flows, as they are in no cache: flows are numbered by their first packet on the
 * reference clock, and the captures' accounts take what was joined and what is one-sided.
 * *ret_order: the flow at each place; *ret_row: each flow's place, from 1. The caller frees both.
 */
void order_and_account(struct dataset *data, const struct flows *all, const struct clocks *clocks,
	unsigned threads, uint32_t **ret_order, uint32_t **ret_row);
