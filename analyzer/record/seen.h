/* seen: the last value of each key, both as 64-bit hashes. It grows; two keys are confused with a
 * chance of 2^-64. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {
	struct seen_slot {
		uint64_t key, value;
	} * slots;
	size_t count, cap;
};

/* Remembers value for key; true when that is new (no value before, or another). */
bool seen_change(struct seen *s, uint64_t key, uint64_t value);

void seen_release(struct seen *s);
