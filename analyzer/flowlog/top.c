#include "flowlog/top.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define HEAD (2 * sizeof(uint64_t))

static char *top_entry_at(const struct top *t, size_t i)
{
	return t->entries + i * (HEAD + t->size);
}

void top_init(struct top *t, size_t keep, size_t size)
{
	*t = (struct top){.keep = keep ? keep : 1, .size = size};
}

void top_release(struct top *t)
{
	free(t->entries);
	*t = (struct top){0};
}

/* The heavier first; among equals the smaller hash. */
static int top_by_weight(const void *a, const void *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	if (x[0] != y[0])
		return x[0] > y[0] ? -1 : 1;
	return x[1] < y[1] ? -1 : x[1] > y[1];
}

void top_finish(struct top *t)
{
	if (t->count > 1)
		qsort(t->entries, t->count, HEAD + t->size, top_by_weight);
	if (t->count < t->keep)
		return;
	t->count = t->keep;
	memcpy(t->floor, top_entry_at(t, t->keep - 1), sizeof(t->floor));
	t->has_floor = true;
}

void top_offer(struct top *t, uint64_t weight, uint64_t hash, const void *data)
{
	const uint64_t head[2] = {weight, hash};
	char *e;

	t->offered++;
	if (t->has_floor && top_by_weight(head, t->floor) > 0)
		return;
	if (t->count == 2 * t->keep)
		top_finish(t);
	if (t->count == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->entries = mem_grow(t->entries, t->cap, HEAD + t->size);
	}
	e = top_entry_at(t, t->count++);
	memcpy(e, head, HEAD);
	memcpy(e + HEAD, data, t->size);
}

void top_clear(struct top *t)
{
	t->offered -= t->count;
	t->count = 0;
	t->has_floor = false;
}

const void *top_at(const struct top *t, size_t i)
{
	assert(i < t->count);
	return top_entry_at(t, i) + HEAD;
}

void top_merge(struct top *t, const struct top *from)
{
	assert(t->size == from->size);
	for (size_t i = 0; i < from->count; i++) {
		uint64_t head[2];

		memcpy(head, top_entry_at(from, i), sizeof(head));
		top_offer(t, head[0], head[1], top_entry_at(from, i) + HEAD);
	}
	t->offered += from->offered - from->count;
}
