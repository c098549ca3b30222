/* keymap: numbers under 64-bit keys, several under one key in the order in which they came. Finding
 * and adding take the same time however many share a key. */
#pragma once

#include <stdint.h>

#include "base/hashmap.h"

#define KEYMAP_END UINT32_MAX

struct keymap {
	struct hashmap chains; /* key -> struct key_chain; once count is not 0 */
	struct key_entry {
		uint32_t value, extra;
		uint32_t next; /* of its key; KEYMAP_END */
	} * entries;
	uint32_t count, cap;
};

/* Zeroed is empty. */
void keymap_release(struct keymap *m);

void keymap_put(struct keymap *m, uint64_t key, uint32_t value, uint32_t extra);

/* The first entry under key, or NULL. */
const struct key_entry *keymap_first(const struct keymap *m, uint64_t key);

/* The next entry under the same key, or NULL. */
static inline const struct key_entry *keymap_next(const struct keymap *m, const struct key_entry *e)
{
	return e->next == KEYMAP_END ? (const struct key_entry *)0 : &m->entries[e->next];
}

/* A key of two words: a hash that no seed changes, for what is told apart by it. */
static inline uint64_t keymap_mix(uint64_t a, uint64_t b)
{
	return hash_fold(a ^ UINT64_C(0x9e3779b97f4a7c15), b ^ UINT64_C(0xd6e8feb86659fd93));
}
