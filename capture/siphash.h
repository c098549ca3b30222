/* siphash: SipHash-2-4, a keyed hash: whoever lacks the key cannot tell what was hashed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16

uint64_t siphash(const uint8_t key[SIPHASH_KEY], const void *bytes, size_t size);
