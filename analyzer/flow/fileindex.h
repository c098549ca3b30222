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
};

#define FILEINDEX_PAGE 254

void fileindex_init(struct fileindex *x, struct arena *arena);
void fileindex_release(struct fileindex *x);

/* From now on frames are of this file; pads to a fresh page. */
void fileindex_start(struct fileindex *x, uint32_t file);

/* The ordinal of the next frame, which begins at offset. */
uint32_t fileindex_add(struct fileindex *x, uint64_t offset);

struct fileindex_place {
	uint32_t file, number; /* number from 1 */
	uint64_t offset;
};
struct fileindex_place fileindex_find(const struct fileindex *x, uint32_t ordinal);
