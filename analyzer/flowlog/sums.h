/* sums: a hash table of fixed-size entries that begin with their key; entries keep their order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sums {
	char *entries;
	uint64_t *hashes; /* of each entry's key */
	uint32_t *slots;  /* index + 1; size is a power of two */
	size_t count, cap, slot_count, max, key_size, entry_size;
};

/* max: entries at most. */
void sums_init(struct sums *s, size_t key_size, size_t entry_size, size_t max);
void sums_release(struct sums *s);

/*
 * The entry of a key; a new one is zeroed behind its key, and *ret_new is true. Valid until the
 * next call. NULL: it would be new, and max are there.
 */
void *sums_get(struct sums *s, const void *key, bool *ret_new);

/* The entry of a key; NULL: there is none. */
void *sums_find(const struct sums *s, const void *key);

static inline void *sums_at(const struct sums *s, size_t i)
{
	return s->entries + i * s->entry_size;
}

/* Forgets all entries; keeps the memory. */
void sums_clear(struct sums *s);

/* Orders the entries by the bytes of their keys; nothing can be looked up after. */
void sums_sort(struct sums *s);
