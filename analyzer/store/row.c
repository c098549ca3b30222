#include "store/row.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/varint.h"

void row_init(struct row *row)
{
	*row = (struct row){0};
	row_reserve(row, 4096);
}

void row_release(struct row *row)
{
	free(row->body_start);
	row->body_start = NULL;
}

void row_reserve(struct row *row, size_t n)
{
	size_t used = (size_t)(row->body - row->body_start),
	       size = (size_t)(row->body_end - row->body_start);

	/* Room for the text, and after it for an integer in every column that may follow. */
	size = 2 * (size > n ? size : n) + 16 * ROW_MAX_COLUMNS;
	row->body_start = mem_realloc(row->body_start, size + 8 * ROW_MAX_COLUMNS);
	row->body_end = row->body_start + size;
	row->body = row->body_start + used;
}

void row_long_serial(struct row *row, uint32_t v)
{
	row->types += put_varint(row->types, v);
}
