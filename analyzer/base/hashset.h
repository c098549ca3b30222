/* hashset: a set of fixed-size keys, in order of arrival. Its hash is keyed (hash.h). */
#pragma once

#include "base/hashmap.h"

struct hashset {
	struct hashmap keys; /* to nothing */
};

enum hashset_result {
	HASHSET_NEW,
	HASHSET_KNOWN, /* it was there */
	HASHSET_FULL,  /* it was not there, and is not now: it would be beyond the limit */
};

/* limit: most keys. */
static inline void hashset_init(struct hashset *s, size_t key_size, uint32_t limit)
{
	hashmap_init(&s->keys, key_size, 0, limit);
}

static inline void hashset_release(struct hashset *s)
{
	hashmap_release(&s->keys);
}

static inline enum hashset_result hashset_add(struct hashset *s, const void *key)
{
	bool is_new;

	if (hashmap_add(&s->keys, key, &is_new) == HASHMAP_NONE)
		return HASHSET_FULL;
	return is_new ? HASHSET_NEW : HASHSET_KNOWN;
}

static inline bool hashset_has(const struct hashset *s, const void *key)
{
	return hashmap_get(&s->keys, key) != NULL;
}

static inline uint32_t hashset_count(const struct hashset *s)
{
	return s->keys.count;
}

/* The ith that came. */
static inline const void *hashset_key(const struct hashset *s, uint32_t i)
{
	return hashmap_key(&s->keys, i);
}
