#include "store/btree.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "store/page.h"
#include "store/varint.h"

#define LEVELS_MAX 8

/* Payload that stays on a leaf, or on any page of an index (file format 1.6): all of one that is no
 * longer than this, else at least MIN_LOCAL. */
#define MAX_ROW (PAGE - 35)
#define MAX_ENTRY ((PAGE - 12) * 64 / 255 - 23)
#define MIN_LOCAL ((PAGE - 12) * 32 / 255 - 23)
#define OVERFLOW_BYTES (PAGE - 4)
/* A cell of an inner page: the child's number and a key. */
#define MAX_CELL (MAX_ENTRY + 16)
/* A shorter one takes as much of the page: SQLite puts a free block in its place. */
#define MIN_CELL 4

/* The page that is being filled on one level; 0 are the leaves. Cells grow down from its end. */
struct level {
	uint8_t *page;
	uint32_t cells, content; /* number, and offset of the lowest */
	uint32_t last;		 /* size of the last one */
};

struct btree {
	struct page_sink *sink;
	struct row row;
	uint32_t root;
	bool index;
	int height; /* levels in use */
	int64_t last_id;
	struct level *levels[LEVELS_MAX];
	uint8_t *overflow; /* a page to fill, once there was need of one */
};

static void btree_add_level(struct btree *t)
{
	assert(t->height < LEVELS_MAX);
	t->levels[t->height] = mem_zalloc(sizeof(struct level));
	t->levels[t->height]->page = mem_alloc(PAGE);
	t->levels[t->height++]->content = PAGE;
}

struct btree *btree_new(struct page_sink *sink, uint32_t root, bool index)
{
	struct btree *t = mem_zalloc(sizeof(*t));

	t->sink = sink;
	t->root = root;
	t->index = index;
	row_init(&t->row);
	btree_add_level(t);
	return t;
}

static uint32_t btree_header_size(int depth)
{
	return depth ? INTERIOR_HEADER : LEAF_HEADER;
}

/* Room for a cell of n bytes behind the others, or NULL. */
static uint8_t *btree_place_cell(struct level *l, int depth, uint32_t n)
{
	uint32_t pointers = btree_header_size(depth) + 2 * l->cells;

	if (pointers + 2 + n > l->content)
		return NULL;
	l->content -= n;
	l->last = n;
	put16(l->page + pointers, l->content);
	l->cells++;
	return l->page + l->content;
}

/* Takes the last cell off again, before the page ends; returns its length. Cells that came together
 * lie above each other. */
static uint32_t btree_pop_cell(struct level *l, int depth, uint8_t *ret_cell)
{
	uint8_t *pointers = l->page + btree_header_size(depth);
	uint32_t at = be16(pointers + 2 * (l->cells - 1)), n = l->last;

	assert(l->cells > 0); /* a page that is full has some */
	memcpy(ret_cell, l->page + at, n);
	memmove(l->page + l->content + n, l->page + l->content, at - l->content);
	l->content += n;
	l->cells--;
	for (uint32_t i = l->cells; i && be16(pointers + 2 * (i - 1)) < at; i--)
		put16(pointers + 2 * (i - 1), be16(pointers + 2 * (i - 1)) + n);
	return n;
}

/* Makes a page of the level and empties it. right: the last child of an inner page. */
static void btree_end_page(const struct btree *t, int depth, uint32_t right)
{
	struct level *l = t->levels[depth];
	uint32_t pointers = btree_header_size(depth) + 2 * l->cells;
	uint8_t *p = l->page;

	p[0] = depth ? (t->index ? INDEX_INTERIOR : TABLE_INTERIOR)
		     : (t->index ? INDEX_LEAF : TABLE_LEAF);
	put16(p + 1, 0);
	put16(p + 3, l->cells);
	put16(p + 5, l->content);
	p[7] = 0;
	if (depth)
		put32(p + 8, right);
	memset(p + pointers, 0, l->content - pointers);
	l->cells = 0;
	l->content = PAGE;
}

/*
 * The child's page is full: its number and the key that parts it from the next one go to the level
 * above. Where that is full, too, its last cell gives its child as the page's last one and moves
 * up.
 */
static void btree_add_child(
	struct btree *t, int depth, uint32_t child, const uint8_t *key, uint32_t n)
{
	uint8_t last[MAX_CELL], *cell;
	struct level *l;

	if (depth == t->height)
		btree_add_level(t);
	l = t->levels[depth];
	cell = btree_place_cell(l, depth, 4 + n);
	if (!cell) {
		uint32_t size = btree_pop_cell(l, depth, last);

		btree_end_page(t, depth, be32(last));
		btree_add_child(
			t, depth + 1, t->sink->append(t->sink, &l->page), last + 4, size - 4);
		cell = btree_place_cell(l, depth, 4 + n);
	}
	put32(cell, child);
	memcpy(cell + 4, key, n);
}

/* Of a table the key is the child's last rowid; of an index it is an entry of its own, which leaves
 * the page. */
static void btree_end_leaf(struct btree *t)
{
	struct level *l = t->levels[0];
	uint8_t key[MAX_CELL];
	uint32_t n = t->index ? btree_pop_cell(l, 0, key) : put_varint(key, (uint64_t)t->last_id);

	btree_end_page(t, 0, 0);
	btree_add_child(t, 1, t->sink->append(t->sink, &l->page), key, n);
}

struct row *btree_row(struct btree *t)
{
	t->row.types = t->row.types_start;
	t->row.body = t->row.body_start;
	return &t->row;
}

/* Room for a cell of n bytes on a leaf. */
static uint8_t *btree_new_cell(struct btree *t, uint32_t n)
{
	uint8_t *cell;

	assert(n >= MIN_CELL);
	cell = btree_place_cell(t->levels[0], 0, n);
	if (cell)
		return cell;
	btree_end_leaf(t);
	return btree_place_cell(t->levels[0], 0, n);
}

/* How much of a payload stays in its cell; the rest goes to overflow pages. */
static uint32_t btree_local_part(const struct btree *t, uint32_t payload)
{
	uint32_t most = t->index ? MAX_ENTRY : MAX_ROW, part;

	if (payload <= most)
		return payload;
	part = MIN_LOCAL + (payload - MIN_LOCAL) % OVERFLOW_BYTES;
	return part <= most ? part : MIN_LOCAL;
}

/* Writes n bytes to overflow pages, the last one first, since each names the next; returns the
 * first one's number. */
static uint32_t btree_write_overflow(struct btree *t, const uint8_t *bytes, uint32_t n)
{
	uint32_t next = 0;

	if (!t->overflow)
		t->overflow = mem_alloc(PAGE);
	while (n) {
		uint32_t k = n % OVERFLOW_BYTES ? n % OVERFLOW_BYTES : OVERFLOW_BYTES;

		n -= k;
		put32(t->overflow, next);
		memcpy(t->overflow + 4, bytes + n, k);
		memset(t->overflow + 4 + k, 0, OVERFLOW_BYTES - k);
		next = t->sink->append(t->sink, &t->overflow);
	}
	return next;
}

/* Ends what btree_row() began. */
static void btree_end_record(struct btree *t, bool with_id)
{
	uint32_t types = (uint32_t)(t->row.types - t->row.types_start),
		 body = (uint32_t)(t->row.body - t->row.body_start);
	/* The header's size counts itself: two bytes from 127 on. */
	uint32_t head = types + (types < 127 ? 1 : 2), local = btree_local_part(t, head + body);
	uint32_t kept = local - head, spilled = body - kept;
	uint8_t prefix[24], *cell;
	uint32_t n = put_varint(prefix, head + body);

	assert(head <= MIN_LOCAL);
	if (with_id)
		n += put_varint(prefix + n, (uint64_t)t->last_id + 1);
	n += put_varint(prefix + n, head);
	cell = btree_new_cell(t, n + types + kept + (spilled ? 4 : 0));
	memcpy(cell, prefix, n);
	memcpy(cell + n, t->row.types_start, types);
	memcpy(cell + n + types, t->row.body_start, kept);
	if (spilled)
		put32(cell + n + types + kept,
			btree_write_overflow(t, t->row.body_start + kept, spilled));
}

void btree_skip_to(struct btree *t, int64_t id)
{
	assert(id > t->last_id);
	t->last_id = id - 1;
}

void btree_add_entry(struct btree *t, const uint8_t *record, uint32_t size)
{
	uint8_t prefix[10] = {0}, *cell;
	uint32_t n = put_varint(prefix, size);

	assert(size <= BTREE_RECORD_MAX);
	cell = btree_new_cell(t, n + size);
	memcpy(cell, prefix, n);
	memcpy(cell + n, record, size);
}

int64_t btree_end_row(struct btree *t)
{
	btree_end_record(t, true);
	return ++t->last_id;
}

void btree_end_entry(struct btree *t)
{
	btree_end_record(t, false);
}

void btree_finish(struct btree *t)
{
	uint32_t child = 0;

	if (!t)
		return;
	for (int depth = 0; depth < t->height; depth++) {
		struct level *l = t->levels[depth];

		btree_end_page(t, depth, child);
		if (depth + 1 < t->height)
			child = t->sink->append(t->sink, &l->page);
		else
			t->sink->replace(t->sink, t->root, l->page);
		free(l->page);
		free(l);
	}
	free(t->overflow);
	row_release(&t->row);
	free(t);
}

void btree_cells_init(struct btree_cells *c, uint32_t count, uint32_t usual)
{
	*c = (struct btree_cells){.cap = (size_t)count * usual, .sizes_cap = count};
	c->bytes = mem_alloc(c->cap);
	c->sizes = mem_alloc(count * sizeof(*c->sizes));
}

void btree_cells_release(struct btree_cells *c)
{
	free(c->bytes);
	free(c->sizes);
	*c = (struct btree_cells){0};
}

uint8_t *btree_cells_begin(struct btree_cells *c, int64_t id)
{
	uint8_t *cell;

	if (c->cap - c->used < BTREE_RECORD_MAX + 20) {
		c->cap = 2 * c->cap + BTREE_RECORD_MAX + 20;
		c->bytes = mem_realloc(c->bytes, c->cap);
	}
	cell = c->bytes + c->used;
	c->prefix = 1 + (id ? put_varint(cell + 1, (uint64_t)id) : 0);
	return cell + c->prefix;
}

void btree_cells_end(struct btree_cells *c, uint32_t size)
{
	uint8_t *cell = c->bytes + c->used;
	uint32_t n = c->prefix + size;

	/* The size stands first; it mostly takes the one byte that was left for it. */
	if (size >= 0x80) {
		memmove(cell + 2, cell + 1, n - 1);
		n++;
	}
	(void)put_varint(cell, size);
	MEM_RESERVE(c->sizes, c->count, c->sizes_cap);
	c->sizes[c->count++] = (uint16_t)n;
	c->used += n;
}

/* How many of n cells still fit on the leaf, and their bytes. */
static uint32_t btree_fitting(
	const struct level *l, const uint16_t *sizes, uint32_t n, uint32_t *ret_bytes)
{
	uint32_t room = l->content - LEAF_HEADER - 2 * l->cells, count = 0, bytes = 0;

	while (count < n && bytes + sizes[count] + 2 * (count + 1) <= room)
		bytes += sizes[count++];
	*ret_bytes = bytes;
	return count;
}

void btree_add_cells(struct btree *t, const struct btree_cells *c)
{
	const uint8_t *from = c->bytes;

	for (uint32_t i = 0; i < c->count;) {
		struct level *l = t->levels[0];
		uint32_t bytes, n = btree_fitting(l, c->sizes + i, c->count - i, &bytes),
				at = l->content - bytes;

		if (n == 0) {
			btree_end_leaf(t);
			continue;
		}
		memcpy(l->page + at, from, bytes);
		from += bytes;
		l->content = at;
		for (uint32_t k = 0; k < n; at += c->sizes[i + k++])
			put16(l->page + LEAF_HEADER + 2 * l->cells++, at);
		i += n;
		l->last = c->sizes[i - 1];
		t->last_id += n;
	}
}
