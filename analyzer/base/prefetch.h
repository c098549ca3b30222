/* prefetch: software prefetch, so that cache misses of independent items overlap. Only a hint: any
 * address may be given. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CACHE_LINE 64

/*
 * The empty asm is kept, and so is what stands beside it: GCC takes a function that does nothing
 * but prefetch for one without effect and drops the calls.
 */
static inline void prefetch_line(const void *p)
{
	__builtin_prefetch(p);
	__asm__ volatile("");
}

static inline void prefetch_line_to_write(const void *p)
{
	__builtin_prefetch(p, 1);
	__asm__ volatile("");
}

/* Returns how many cache lines were asked for. */
static inline size_t prefetch_to_read(const void *p, size_t size)
{
	size_t lines = 0;

	for (size_t i = 0; i < size; i += CACHE_LINE, lines++)
		prefetch_line((const uint8_t *)p + i);
	return lines;
}

static inline void prefetch_to_write(const void *p, size_t size)
{
	for (size_t i = 0; i < size; i += CACHE_LINE)
		prefetch_line_to_write((const uint8_t *)p + i);
}
