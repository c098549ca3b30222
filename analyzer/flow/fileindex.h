/*
 * fileindex: turns a frame's ordinal among its host's frames into file, number and file offset.
 * Costs four bytes a frame.
 */
#pragma once

#include <stdint.h>

#include "flow/arena.h"

struct fileindex {
	struct arena *arena;
	struct fileindex_file {
		uint32_t file;	     /* index of the capture among all */
		uint32_t first;	     /* ordinal of its first frame */
	} *files;
	uint32_t file_count, file_cap;
	struct fileindex_page {
		uint64_t base;	     /* offset of the page's first frame in its file */
		uint32_t delta[254]; /* offset of each frame minus base; UINT32_MAX: too far, not known */
	} **pages;
	uint32_t page_count, page_cap;
	uint32_t count;		     /* ordinals given out */
	uint32_t in_page;	     /* of them in the newest page */
};

#define FILEINDEX_PAGE 254

void fileindex_init(struct fileindex *x, struct arena *arena);
void fileindex_release(struct fileindex *x);

/* From now on frames are of this file; pads to a fresh page. */
void fileindex_start(struct fileindex *x, uint32_t file);

void fileindex_new_page(struct fileindex *x, uint64_t offset);

/* The ordinal of the next frame, which begins at offset. */
static inline uint32_t fileindex_add(struct fileindex *x, uint64_t offset)
{
	struct fileindex_page *page;
	uint64_t delta;

	if (x->in_page == FILEINDEX_PAGE)
		fileindex_new_page(x, offset);
	page = x->pages[x->page_count - 1];
	delta = offset - page->base;
	page->delta[x->in_page++] = delta < UINT32_MAX ? (uint32_t)delta : UINT32_MAX;
	return x->count++;
}

struct fileindex_place {
	uint32_t file, number; /* number from 1 */
	uint64_t offset;
};
struct fileindex_place fileindex_find(const struct fileindex *x, uint32_t ordinal);
