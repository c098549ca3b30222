/*
 * arena: memory that lives as long as the run, for the records of all packets. Above a budget its
 * oldest slabs move to an unlinked temporary file and are mapped back at the same address, so
 * that pointers stay valid while the pages no longer count as resident.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ARENA_SLAB (UINT64_C(4) << 20)

/* One budget and spill file for all arenas of a run. */
struct arena_budget;

/* limit_bytes: resident bytes of all arenas together; 0: no limit. folder: where the file goes. */
struct arena_budget *arena_budget_new(uint64_t limit_bytes, const char *folder);
struct arena_budget *arena_budget_free(struct arena_budget *b);
uint64_t arena_budget_spilled(const struct arena_budget *b);

/* Not for sharing between threads; the budget is. */
struct arena {
	struct arena_budget *budget;
	uint8_t *at, *end; /* free part of the newest slab */
	struct arena_slab {
		uint8_t *bytes;
		int spilled;
	} * slabs;
	size_t slab_count, slab_cap,
		slab_resident; /* slab_resident: first slab that was not spilled */
};

void arena_init(struct arena *a, struct arena_budget *budget);
void arena_release(struct arena *a);

/* size bytes (at most ARENA_SLAB), aligned to 16, zeroed when fresh. Never NULL. */
void *arena_grow(struct arena *a, size_t size);

static inline void *arena_alloc(struct arena *a, size_t size)
{
	uint8_t *p = a->at;

	size = (size + 15) & ~(size_t)15;
	if (size > (size_t)(a->end - p))
		return arena_grow(a, size);
	a->at = p + size;
	return p;
}

/* Lowers the limit of resident bytes; never raises it. arena_fit() enforces it. */
void arena_budget_lower(struct arena_budget *b, uint64_t limit_bytes);

/* Moves the arena's oldest slabs to the file while the budget is exceeded. */
void arena_fit(struct arena *a);

/* 0, or the error of the spill file (a full disk): the run cannot go on. */
int arena_budget_failed(struct arena_budget *b, struct error *err);

/* Releases spilled pages that reads paged back in. */
void arena_drop_spilled(struct arena *a);
