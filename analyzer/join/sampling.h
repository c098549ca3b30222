/*
 * sampling: packets that two vantage points both recorded, as samples of their clocks. Uses only
 * first transmissions between vantage points whose order is known, and only datagrams without a
 * look-alike: two packets taken for one would give a wrong sample.
 */
#pragma once

#include "join/clocks.h"

/* What one pair of vantage points (struct clock_ends) has in common; those that have nothing have
 * no entry. */
struct sampled_pair {
	struct clock_samples samples;
	struct clock_span arrived[2]; /* as in struct clock_pair */
};

/*
 * Samples some of the flows, or all where some pair of vantage points then lacks a direction. *ret:
 * struct clock_ends -> struct sampled_pair.
 */
void sampling_run(
	const struct dataset *data, const struct flows *all, unsigned threads, struct hashmap *ret);
void sampling_release(struct hashmap *sampled);
