#include "flowlog/sums.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

#define FIRST_SLOTS 1024

void sums_init(struct sums *s, size_t key_size, size_t entry_size, size_t max)
{
	*s = (struct sums){.max = max, .key_size = key_size, .entry_size = entry_size};
	s->slot_count = FIRST_SLOTS;
	s->slots = mem_array(s->slot_count, sizeof(*s->slots));
}

void sums_release(struct sums *s)
{
	free(s->entries);
	free(s->hashes);
	free(s->slots);
	*s = (struct sums){0};
}

static size_t sums_slot_of(const struct sums *s, const void *key, uint64_t hash)
{
	size_t at = hash & (s->slot_count - 1);

	while (s->slots[at] && (s->hashes[s->slots[at] - 1] != hash ||
				       memcmp(sums_at(s, s->slots[at] - 1), key, s->key_size)))
		at = (at + 1) & (s->slot_count - 1);
	return at;
}

static void sums_rehash(struct sums *s)
{
	s->slot_count *= 2;
	free(s->slots);
	s->slots = mem_array(s->slot_count, sizeof(*s->slots));
	for (size_t i = 0; i < s->count; i++) {
		size_t at = s->hashes[i] & (s->slot_count - 1);

		while (s->slots[at])
			at = (at + 1) & (s->slot_count - 1);
		s->slots[at] = (uint32_t)i + 1;
	}
}

void *sums_get(struct sums *s, const void *key, bool *ret_new)
{
	uint64_t hash = XXH3_64bits(key, s->key_size);
	size_t at = sums_slot_of(s, key, hash);
	char *entry;

	*ret_new = !s->slots[at];
	if (s->slots[at])
		return sums_at(s, s->slots[at] - 1);
	if (s->count >= s->max)
		return NULL;
	if (s->count == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 256;
		s->entries = mem_grow(s->entries, s->cap, s->entry_size);
		s->hashes = mem_grow(s->hashes, s->cap, sizeof(*s->hashes));
	}
	s->hashes[s->count] = hash;
	assert(2 * s->count <= s->slot_count);
	entry = sums_at(s, s->count++);
	memcpy(entry, key, s->key_size);
	memset(entry + s->key_size, 0, s->entry_size - s->key_size);
	s->slots[at] = (uint32_t)s->count;
	if (2 * s->count > s->slot_count)
		sums_rehash(s);
	return entry;
}

void *sums_find(const struct sums *s, const void *key)
{
	size_t at = sums_slot_of(s, key, XXH3_64bits(key, s->key_size));

	return s->slots[at] ? sums_at(s, s->slots[at] - 1) : NULL;
}

void sums_clear(struct sums *s)
{
	s->count = 0;
	memset(s->slots, 0, s->slot_count * sizeof(*s->slots));
}

static int sums_by_key(const void *a, const void *b, void *key_size)
{
	return memcmp(a, b, *(size_t *)key_size);
}

void sums_sort(struct sums *s)
{
	if (s->count > 1)
		qsort_r(s->entries, s->count, s->entry_size, sums_by_key, &s->key_size);
}
