/*
 * hash: what keys hash tables. Whoever makes a capture may choose addresses, ports and numbers so
 * that all of them share one bucket; not without the seed, which is another one in each run. So
 * nothing that is stored or printed may depend on a hash, nor on the order of a table.
 */
#pragma once

#include <stdint.h>

struct hash_seed {
	uint64_t first, second;
};

/* The same in all of one process. */
struct hash_seed hash_seed(void);

/* Multiplies and folds: every bit of both words reaches every bit of the result. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}
