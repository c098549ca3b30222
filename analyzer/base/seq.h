/* seq: 32-bit sequence numbers on the wire, and their 64-bit offsets inside a flow (RFC 9293 3.4).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* a < b, a <= b modulo 2^32; true order only while they are less than 2^31 apart. */
static inline bool seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool seq_leq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

/* The 64-bit value nearest to ref that equals seq modulo 2^32. */
static inline int64_t seq_unwrap(int64_t ref, uint32_t seq)
{
	return ref + (int32_t)(seq - (uint32_t)ref);
}
