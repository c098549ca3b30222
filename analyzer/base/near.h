/* near: asks for memory before it is needed, so that waits for it overlap. Only a hint: any address may be given. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CACHE_LINE 64

/* Returns how many cache lines were asked for. */
static inline size_t near_to_read(const void *p, size_t size)
{
	size_t lines = 0;

	for (size_t i = 0; i < size; i += CACHE_LINE, lines++)
		__builtin_prefetch((const uint8_t *)p + i);
	return lines;
}

static inline void near_to_write(const void *p, size_t size)
{
	for (size_t i = 0; i < size; i += CACHE_LINE)
		__builtin_prefetch((const uint8_t *)p + i, 1);
}
