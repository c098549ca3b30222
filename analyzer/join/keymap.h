/* keymap: a multimap from 64-bit keys, which are hashes already, to numbers. Equal keys lie along
 * one probe sequence. */
#pragma once

#include <stdint.h>

struct keymap {
	struct key_entry {
		uint64_t key;
		uint32_t value, extra; /* value + 1; 0 free */
	} * entries;
	uint64_t mask, count;
};

/* Zeroed is empty. */
void keymap_release(struct keymap *m);

void keymap_put(struct keymap *m, uint64_t key, uint32_t value, uint32_t extra);

/* The next entry for key from *at on, or NULL; start with *at = key & mask. Its value is one less
 * than it says. */
static inline const struct key_entry *keymap_next(
	const struct keymap *m, uint64_t key, uint64_t *at)
{
	while (m->entries && m->entries[*at].value) {
		const struct key_entry *e = &m->entries[*at];

		*at = (*at + 1) & m->mask;
		if (e->key == key)
			return e;
	}
	return (const struct key_entry *)0;
}

/* A key of two words. */
static inline uint64_t keymap_mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)(a ^ UINT64_C(0x9e3779b97f4a7c15)) *
			(b ^ UINT64_C(0xd6e8feb86659fd93));

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}
