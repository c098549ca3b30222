/*
 * idle: the seconds in which some vantage point received or sent nothing. Only these get rows of
 * peer_activity: only then does it matter who sent to whom. If the captures span six hours or less,
 * every second gets rows, because a host that hands frames to a dead driver never looks silent.
 */
#pragma once

#include "join/clocks.h"

struct idle {
	int64_t first; /* second since the epoch, reference clock, of bit 0 */
	uint64_t *bits;
	uint32_t count; /* seconds; 0: none is quiet, or the span is too long to tell */
	bool all;	/* every one is */
	const struct clocks *clocks;
};

void idle_learn(const struct dataset *data, const struct clocks *clocks, struct idle *ret);
void idle_release(struct idle *q);

/* Was it quiet somewhere when this vantage's clock showed t? */
bool idle_at(const struct idle *q, uint32_t vantage, int64_t t);
