/* guard: bytes placed right before an unreadable page, so that reading one too many ends the test.
 */
#pragma once

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <assert.h>

struct guard {
	uint8_t *pages; /* readable part, then one page without access */
	size_t size;	/* of the readable part */
};

/* Room for inputs of at most size bytes. */
static inline struct guard guard_new(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct guard g = {.size = (size + page) / page * page};

	g.pages = mmap(
		NULL, g.size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(g.pages != MAP_FAILED);
	if (mprotect(g.pages + g.size, page, PROT_NONE) != 0)
		assert(!"cannot protect the guard page");
	return g;
}

/* A copy of bytes that ends where the unreadable page begins; valid until the next put. */
static inline const uint8_t *guard_put(struct guard *g, const void *bytes, size_t size)
{
	uint8_t *at = g->pages + g->size - size;

	assert(size <= g->size);
	/* size 0 points at the guard itself: nothing may be read */
	if (size)
		memcpy(at, bytes, size);
	return at;
}

static inline void guard_free(struct guard *g)
{
	munmap(g->pages, g->size + (size_t)sysconf(_SC_PAGESIZE));
	g->pages = NULL;
}
