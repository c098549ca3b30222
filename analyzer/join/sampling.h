/*
 * sampling: packets that two vantage points both recorded, as samples of their clocks. Uses only
 * first transmissions between vantage points whose order is known, and only datagrams without a
 * look-alike: two packets taken for one would give a wrong sample.
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
