#include "base/hashmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"

void hashmap_init(struct hashmap *t, size_t key_size, size_t value_size, uint32_t limit)
{
	*t = (struct hashmap){
		.key_size = key_size, .value_size = value_size, .limit = limit, .mask = 63};
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

static inline __attribute__((always_inline)) uint32_t hash(const uint8_t *key, size_t size)
{
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ size;

	for (; size >= 8; key += 8, size -= 8) {
		__uint128_t m = (__uint128_t)(h ^ le64(key)) * UINT64_C(0xd6e8feb86659fd93);

		h = (uint64_t)m ^ (uint64_t)(m >> 64);
	}
	for (; size; key++, size--)
		h = (h ^ *key) * UINT64_C(0x100000001b3);
	return (uint32_t)((h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
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
	uint32_t at = hash(key, size) & t->mask;

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

void *hashmap_at(struct hashmap *t, const void *key, bool *ret_new)
{
	bool is_recent;
	uint32_t *recent = hashmap_recent_of(t, key, &is_recent), at;

	*ret_new = false;
	if (is_recent)
		return hashmap_value(t, *recent - 1);
	at = hashmap_find(t, key);
	*ret_new = !t->buckets[at];
	if (t->buckets[at]) {
		*recent = t->buckets[at];
		return hashmap_value(t, t->buckets[at] - 1);
	}
	if (t->count == t->limit) {
		t->refused++;
		return NULL;
	}
	if (t->count == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 32;
		t->entries = mem_grow(t->entries, t->cap, t->stride);
	}
	memset(t->entries + t->count * t->stride, 0, t->stride);
	memcpy(t->entries + t->count * t->stride, key, t->key_size);
	t->buckets[at] = ++t->count;
	if (t->count > t->mask / 2)
		hashmap_rehash(t);
	return hashmap_value(t, t->count - 1);
}

void *hashmap_get(const struct hashmap *t, const void *key)
{
	uint32_t at = hashmap_find(t, key);

	return t->buckets[at] ? hashmap_value(t, t->buckets[at] - 1) : NULL;
}
