#include "flow/fileindex.h"

#include <stdlib.h>

#include "base/mem.h"

void fileindex_init(struct fileindex *x, struct arena *arena)
{
	*x = (struct fileindex){.arena = arena, .in_page = FILEINDEX_PAGE};
}

void fileindex_release(struct fileindex *x)
{
	free(x->files);
	free(x->pages);
	*x = (struct fileindex){0};
}

void fileindex_start(struct fileindex *x, uint32_t file)
{
	/* A page belongs to one file: the base of its offsets is that file's. */
	x->count = x->page_count * FILEINDEX_PAGE;
	x->in_page = FILEINDEX_PAGE;
	MEM_RESERVE(x->files, x->file_count, x->file_cap);
	x->files[x->file_count++] = (struct fileindex_file){.file = file, .first = x->count};
}

void fileindex_new_page(struct fileindex *x, uint64_t offset)
{
	MEM_RESERVE(x->pages, x->page_count, x->page_cap);
	x->pages[x->page_count] = arena_alloc(x->arena, sizeof(struct fileindex_page));
	x->pages[x->page_count]->base = offset;
	x->page_count++;
	x->in_page = 0;
}

/* The last file whose first ordinal is at or below. */
static const struct fileindex_file *file_of(const struct fileindex *x, uint32_t ordinal)
{
	uint32_t low = 0, high = x->file_count;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (x->files[middle].first <= ordinal)
			low = middle;
		else
			high = middle;
	}
	return &x->files[low];
}

struct fileindex_place fileindex_find(const struct fileindex *x, uint32_t ordinal)
{
	const struct fileindex_page *page = x->pages[ordinal / FILEINDEX_PAGE];
	const struct fileindex_file *file = file_of(x, ordinal);

	return (struct fileindex_place){.file = file->file,
		.number = ordinal - file->first + 1,
		.offset = page->base + page->delta[ordinal % FILEINDEX_PAGE]};
}
