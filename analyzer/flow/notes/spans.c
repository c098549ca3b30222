#include "flow/notes/spans.h"

#include <stdlib.h>

#include "base/mem.h"

void spans_release(struct span_list *l)
{
	free(l->rows);
}

void spans_add(struct span_list *l, struct capture_span s)
{
	MEM_RESERVE(l->rows, l->count, l->cap);
	l->rows[l->count++] = s;
}
