#include "flow/fileindex.h"

#include <assert.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"

void fileindex_init(struct fileindex *x, struct arena *arena)
{
	*x = (struct fileindex){.arena = arena, .in_page = FILEINDEX_PAGE};
}

void fileindex_release(struct fileindex *x)
{
	free(x->runs);
	free(x->blocks);
	*x = (struct fileindex){0};
}

/* What is left of the newest page stays empty: a page has one base and steps without a gap. */
static void fileindex_start_run(struct fileindex *x, uint32_t file, uint32_t number)
{
	x->count = x->page_count * FILEINDEX_PAGE;
	x->in_page = FILEINDEX_PAGE;
	MEM_RESERVE(x->runs, x->run_count, x->run_cap);
	x->runs[x->run_count++] =
		(struct fileindex_run){.file = file, .first = x->count, .number = number};
}

void fileindex_start(struct fileindex *x, uint32_t file)
{
	fileindex_start_run(x, file, 1);
}

NOINLINE void fileindex_new_page(struct fileindex *x, uint64_t offset)
{
	const struct fileindex_run *run = &x->runs[x->run_count - 1];

	assert(x->run_count > 0); /* a file was begun */
	if (x->in_page < FILEINDEX_PAGE)
		fileindex_start_run(x, run->file, x->count - run->first + run->number);
	if (x->page_count % FILEINDEX_BLOCK == 0) {
		MEM_RESERVE(x->blocks, x->block_count, x->block_cap);
		x->blocks[x->block_count++] =
			arena_alloc(x->arena, FILEINDEX_BLOCK * sizeof(struct fileindex_page));
	}
	x->page = &x->blocks[x->block_count - 1][x->page_count++ % FILEINDEX_BLOCK];
	x->page->base = offset;
	x->in_page = 0;
}

/* The last run whose first ordinal is at or below. */
static const struct fileindex_run *fileindex_run_of(const struct fileindex *x, uint32_t ordinal)
{
	uint32_t low = 0, high = x->run_count;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (x->runs[middle].first <= ordinal)
			low = middle;
		else
			high = middle;
	}
	return &x->runs[low];
}

struct fileindex_place fileindex_find(const struct fileindex *x, uint32_t ordinal)
{
	const struct fileindex_run *run = fileindex_run_of(x, ordinal);

	assert(run->first <= ordinal);
	return (struct fileindex_place){
		.file = run->file, .number = ordinal - run->first + run->number};
}

uint64_t fileindex_offset(const struct fileindex *x, uint32_t ordinal)
{
	const struct fileindex_page *page = fileindex_page_of(x, ordinal);
	uint64_t offset = page->base;

	for (uint32_t i = 0; i < ordinal % FILEINDEX_PAGE; i++)
		offset += page->step[i];
	return offset;
}
