/*
 * sampling: packets that two vantage points both recorded, as samples of their clocks. Only first
 * transmissions whose place on the path is known, and of datagrams only those that nothing else
 * looks like: a pair that may be of two packets says nothing of a clock.
 */
#pragma once

#include "join/clocks.h"

struct sampling {
	struct clock_samples *samples; /* [u * n + v], u < v */
	struct clock_span *arrived;    /* [from * n + to] */
	uint32_t n;
};

/* Samples some of the flows, or all where some pair of vantage points then lacks a direction. */
void sampling_run(const struct dataset *data, const struct flows *all, unsigned threads,
	struct sampling *ret);
void sampling_release(struct sampling *s);
