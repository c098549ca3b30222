#include "base/hashmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"

void hashmap_init(struct hashmap *t, size_t key_size, size_t value_size, uint32_t limit)
{
	*t = (struct hashmap){.seed = hash_seed(),
		.key_size = key_size,
		.value_size = value_size,
		.limit = limit < HASHMAP_NONE ? limit : HASHMAP_NONE - 1,
		.mask = 63};
	t->value_at = (key_size + 7) & ~(size_t)7;
	t->stride = t->value_at + ((value_size + 7) & ~(size_t)7);
	t->buckets = mem_array(64, sizeof(*t->buckets));
}

void hashmap_release(struct hashmap *t)
{
	free(t->entries);
	free(t->buckets);
	*t = (struct hashmap){0};
}

void hashmap_clear(struct hashmap *t)
{
	t->count = 0;
	memset(t->buckets, 0, ((size_t)t->mask + 1) * sizeof(*t->buckets));
	memset(t->recent, 0, sizeof(t->recent));
}

static inline __attribute__((always_inline)) uint32_t hash(
	const struct hashmap *t, const uint8_t *key, size_t size)
{
	uint64_t h = t->seed.first, rest = 0;

	for (; size >= 8; key += 8, size -= 8)
		h = hash_fold(h ^ le64(key), t->seed.second);
	for (size_t i = 0; i < size; i++)
		rest |= (uint64_t)key[i] << 8 * i;
	if (size)
		h = hash_fold(h ^ rest, t->seed.second);
	return (uint32_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* Keys are a few words: a call of memcmp() costs more than comparing them. */
static inline __attribute__((always_inline)) bool same(
	const uint8_t *a, const uint8_t *b, size_t size)
{
	uint64_t differ = 0;

	for (; size >= 8; a += 8, b += 8, size -= 8)
		differ |= le64(a) ^ le64(b);
	for (; size; a++, b++, size--)
		differ |= *a ^ *b;
	return !differ;
}

static inline __attribute__((always_inline)) uint32_t find_sized(
	const struct hashmap *t, const void *key, size_t size)
{
	uint32_t at = hash(t, key, size) & t->mask;

	while (t->buckets[at] && !same(hashmap_key(t, t->buckets[at] - 1), key, size))
		at = (at + 1) & t->mask;
	return at;
}

/* Where the size is known, hashing and comparing are a third of the instructions. */
static uint32_t hashmap_find(const struct hashmap *t, const void *key)
{
	switch (t->key_size) {
	case 8:
		return find_sized(t, key, 8);
	case 16:
		return find_sized(t, key, 16);
	case 24:
		return find_sized(t, key, 24);
	case 40:
		return find_sized(t, key, 40);
	case 48:
		return find_sized(t, key, 48);
	default:
		return find_sized(t, key, t->key_size);
	}
}

/* Which of the recent keys this may be. */
static inline __attribute__((always_inline)) uint32_t slot_sized(const uint8_t *key, size_t size)
{
	uint64_t x = 0;

	for (; size >= 8; key += 8, size -= 8)
		x ^= le64(key);
	return (uint32_t)(x * UINT64_C(0x9e3779b97f4a7c15) >> (64 - HASHMAP_RECENT_BITS));
}

/* The same few keys come again and again: those are compared before anything is hashed. */
static inline __attribute__((always_inline)) uint32_t *recent_sized(
	struct hashmap *t, const void *key, size_t size, bool *ret_same)
{
	uint32_t *recent = &t->recent[slot_sized(key, size)];

	*ret_same = *recent && same(hashmap_key(t, *recent - 1), key, size);
	return recent;
}

static uint32_t *hashmap_recent_of(struct hashmap *t, const void *key, bool *ret_same)
{
	switch (t->key_size) {
	case 16:
		return recent_sized(t, key, 16, ret_same);
	case 24:
		return recent_sized(t, key, 24, ret_same);
	case 40:
		return recent_sized(t, key, 40, ret_same);
	case 48:
		return recent_sized(t, key, 48, ret_same);
	default:
		return recent_sized(t, key, t->key_size, ret_same);
	}
}

static void hashmap_rehash(struct hashmap *t)
{
	free(t->buckets);
	t->mask = t->mask * 2 + 1;
	t->buckets = mem_array((size_t)t->mask + 1, sizeof(*t->buckets));
	for (uint32_t i = 0; i < t->count; i++)
		t->buckets[hashmap_find(t, hashmap_key(t, i))] = i + 1;
}

static void hashmap_append(struct hashmap *t, const void *key, uint32_t at)
{
	uint8_t *entry;

	if (t->count == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 32;
		t->entries = mem_grow(t->entries, t->cap, t->stride);
	}
	entry = t->entries + t->count * t->stride;
	memset(entry, 0, t->stride);
	memcpy(entry, key, t->key_size);
	t->buckets[at] = ++t->count;
	if (t->count > t->mask / 2)
		hashmap_rehash(t);
	assert(t->count <= t->limit && t->count <= t->mask / 2); /* a bucket is free */
}

uint32_t hashmap_add(struct hashmap *t, const void *key, bool *ret_new)
{
	bool is_recent;
	uint32_t *recent = hashmap_recent_of(t, key, &is_recent), at;

	*ret_new = false;
	if (is_recent)
		return *recent - 1;
	at = hashmap_find(t, key);
	*ret_new = !t->buckets[at];
	if (t->buckets[at]) {
		*recent = t->buckets[at];
		return *recent - 1;
	}
	if (t->count == t->limit) {
		t->refused++;
		return HASHMAP_NONE;
	}
	hashmap_append(t, key, at);
	return t->count - 1;
}

void *hashmap_at(struct hashmap *t, const void *key, bool *ret_new)
{
	uint32_t i = hashmap_add(t, key, ret_new);

	return i == HASHMAP_NONE ? NULL : hashmap_value(t, i);
}

void *hashmap_get(const struct hashmap *t, const void *key)
{
	uint32_t at = hashmap_find(t, key);

	return t->buckets[at] ? hashmap_value(t, t->buckets[at] - 1) : NULL;
}
