/*
 * hashmap: a hash map from fixed-size keys to fixed-size values that lie in one array, in order of
 * arrival. Its hash is keyed (hash.h), so that no input makes it slow. hashset.h has sets,
 * join/keymap.h lists of values under one key.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

#define HASHMAP_RECENT_BITS 3

/* Of a key that is not there, and did not fit. */
#define HASHMAP_NONE UINT32_MAX

struct hashmap {
	struct hash_seed seed;
	size_t key_size, value_size, stride;
	uint8_t *entries; /* key, padding to 8, value */
	size_t value_at;
	uint32_t count, cap, limit;
	uint32_t *buckets; /* index + 1; 0 free */
	uint32_t mask;
	uint64_t refused; /* keys that did not fit in limit */
	/* entries that hashmap_at() returned lately, + 1 */
	uint32_t recent[1 << HASHMAP_RECENT_BITS];
};

/* limit: most keys; beyond it hashmap_at() returns NULL and counts. */
void hashmap_init(struct hashmap *t, size_t key_size, size_t value_size, uint32_t limit);
void hashmap_release(struct hashmap *t);

/* Forgets all keys; keeps the memory. */
void hashmap_clear(struct hashmap *t);

/* The index of key, whose value is zeroed when it is new (then *ret_new is true), or HASHMAP_NONE.
 */
uint32_t hashmap_add(struct hashmap *t, const void *key, bool *ret_new);

/* The value for key, zeroed when new (then *ret_new is true). Valid until the next call. */
void *hashmap_at(struct hashmap *t, const void *key, bool *ret_new);

/* The value for key, or NULL. */
void *hashmap_get(const struct hashmap *t, const void *key);

static inline const void *hashmap_key(const struct hashmap *t, uint32_t i)
{
	return t->entries + i * t->stride;
}

static inline void *hashmap_value(const struct hashmap *t, uint32_t i)
{
	return t->entries + i * t->stride + t->value_at;
}

/* The index of a value that hashmap_at() or hashmap_get() returned. */
static inline uint32_t hashmap_index(const struct hashmap *t, const void *value)
{
	return (uint32_t)((size_t)((const uint8_t *)value - t->entries) / t->stride);
}
