/*
 * fileindex: turns a frame's ordinal among its host's frames into file, number and file offset.
 * Costs a little over two bytes a frame.
 */
#pragma once

#include <stdint.h>

#include "base/prefetch.h"
#include "flow/arena.h"

#define FILEINDEX_PAGE 28
#define FILEINDEX_BLOCK 64 /* pages */

struct fileindex {
	struct arena *arena;
	/* A stretch of one file whose frames are numbered without a gap. */
	struct fileindex_run {
		uint32_t file;	 /* index of the capture among all */
		uint32_t first;	 /* ordinal of its first frame */
		uint32_t number; /* of that frame in the file, from 1 */
	} * runs;
	uint32_t run_count, run_cap;
	struct fileindex_page {
		uint64_t base;		       /* offset of the page's first frame in its file */
		uint16_t step[FILEINDEX_PAGE]; /* from each frame to the next one; of the last one
						  unused */
	} * *blocks;
	uint32_t block_count, block_cap, page_count;
	struct fileindex_page *page; /* the newest */
	uint32_t in_page;	     /* frames in it */
	uint32_t count;		     /* ordinals given out */
	uint64_t last;		     /* offset of the newest frame */
};

void fileindex_init(struct fileindex *x, struct arena *arena);
void fileindex_release(struct fileindex *x);

/* From now on frames are of this file. */
void fileindex_start(struct fileindex *x, uint32_t file);

/* A page for a frame that begins at offset: the newest is full, or too far from it. */
void fileindex_new_page(struct fileindex *x, uint64_t offset);

/* The ordinal of the next frame, which begins at offset. */
static inline uint32_t fileindex_add(struct fileindex *x, uint64_t offset)
{
	uint64_t step = offset - x->last;

	if (x->in_page == FILEINDEX_PAGE || step > UINT16_MAX)
		fileindex_new_page(x, offset);
	else
		x->page->step[x->in_page - 1] = (uint16_t)step;
	x->in_page++;
	x->last = offset;
	return x->count++;
}

struct fileindex_place {
	uint32_t file, number; /* number from 1 */
};
struct fileindex_place fileindex_find(const struct fileindex *x, uint32_t ordinal);

static inline const struct fileindex_page *fileindex_page_of(
	const struct fileindex *x, uint32_t ordinal)
{
	uint32_t page = ordinal / FILEINDEX_PAGE;

	return &x->blocks[page / FILEINDEX_BLOCK][page % FILEINDEX_BLOCK];
}

/* Where the frame begins in its file. Reads the frame's page, which is in no cache: for what is
 * shown only. */
uint64_t fileindex_offset(const struct fileindex *x, uint32_t ordinal);

/* Asks for the page that fileindex_offset() will read. */
static inline void fileindex_prefetch(const struct fileindex *x, uint32_t ordinal)
{
	prefetch_line(fileindex_page_of(x, ordinal));
}
