/* tally: a hash map from fixed-size keys to fixed-size values that lie in one array, in order of arrival. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_RECENT_BITS 3

struct tally {
	size_t key_size, value_size, stride;
	uint8_t *entries; /* key, padding to 8, value */
	size_t value_at;
	uint32_t count, cap, limit;
	uint32_t *buckets; /* index + 1; 0 free */
	uint32_t mask;
	uint64_t refused; /* keys that did not fit in limit */
	uint32_t recent[1 << TALLY_RECENT_BITS]; /* entries that tally_at() returned lately, + 1 */
};

/* limit: most keys; beyond it tally_at() returns NULL and counts. */
void tally_init(struct tally *t, size_t key_size, size_t value_size, uint32_t limit);
void tally_release(struct tally *t);

/* The value for key, zeroed when new (then *ret_new is true). Valid until the next call. */
void *tally_at(struct tally *t, const void *key, bool *ret_new);

/* The value for key, or NULL. */
void *tally_get(const struct tally *t, const void *key);

static inline const void *tally_key(const struct tally *t, uint32_t i)
{
	return t->entries + i * t->stride;
}

static inline void *tally_value(const struct tally *t, uint32_t i)
{
	return t->entries + i * t->stride + t->value_at;
}

/* The index of a value that tally_at() or tally_get() returned. */
static inline uint32_t tally_index(const struct tally *t, const void *value)
{
	return (uint32_t)((size_t)((const uint8_t *)value - t->entries) / t->stride);
}
