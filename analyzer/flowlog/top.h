/* top: keeps the entries with the greatest weight; the result does not depend on their order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct top {
	char *entries; /* up to twice keep; entry: uint64_t weight, uint64_t hash (breaks ties),
			  then the data */
	size_t count, cap, keep, size;
	uint64_t offered;
	uint64_t floor[2]; /* weight and hash of the last of keep entries: what is not above it
			      cannot stay */
	bool has_floor;
};

/* keep: entries that stay; size: of the data of one. */
void top_init(struct top *t, size_t keep, size_t size);
void top_release(struct top *t);

void top_offer(struct top *t, uint64_t weight, uint64_t hash, const void *data);

/* Reduces to at most keep entries, the most important first. */
void top_finish(struct top *t);

/* Forgets all entries; how many were beyond keep is still in offered - count. */
void top_clear(struct top *t);

const void *top_at(const struct top *t, size_t i);

/* Offers all of another's entries to t. */
void top_merge(struct top *t, const struct top *from);
