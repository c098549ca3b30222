#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void mem_exhausted(size_t size)
{
	(void)fprintf(
		stderr, "out of memory: %zu bytes were refused; try --memory with less\n", size);
	exit(2);
}

static void *mem_checked(void *p, size_t size)
{
	if (!p && size)
		mem_exhausted(size);
	return p;
}

void *mem_alloc(size_t size)
{
	return mem_checked(malloc(size), size);
}

void *mem_zalloc(size_t size)
{
	return mem_checked(calloc(1, size), size);
}

void *mem_realloc(void *p, size_t size)
{
	return mem_checked(realloc(p, size), size);
}

/* From here on memory in huge pages is worth its rounding. */
#define HUGE_PAGE ((size_t)2 << 20)

/*
 * Tables that are read before they are written would get the shared page of zeros first and a page
 * of their own by a second fault, each with a word to the other processors; 4 KiB at a time.
 */
static void *mem_large_zeroed(size_t size)
{
	size_t rounded = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	void *p = rounded < size ? NULL : aligned_alloc(HUGE_PAGE, rounded);

	if (p) {
		(void)madvise(p, rounded, MADV_HUGEPAGE);
		memset(p, 0, size);
	}
	return mem_checked(p, size);
}

void *mem_array(size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return mem_checked(NULL, SIZE_MAX);
	if (count * size >= HUGE_PAGE)
		return mem_large_zeroed(count * size);
	return mem_checked(calloc(count, size), count * size);
}

void *mem_grow(void *p, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return mem_checked(NULL, SIZE_MAX);
	return mem_realloc(p, count * size);
}

char *mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

char *mem_strndup(const char *s, size_t n)
{
	char *copy = mem_alloc(n + 1);

	memcpy(copy, s, n);
	copy[n] = 0;
	return copy;
}

char *mem_printf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	return n < 0 ? mem_checked(NULL, 1) : text;
}

void mem_freep(void *pp)
{
	free(*(void **)pp);
}
