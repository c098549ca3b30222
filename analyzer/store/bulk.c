#include "store/bulk.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "store/page.h"
#include "store/varint.h"

/* One level of children below the root: an interior cell is at most 4 + 9 bytes and its pointer 2.
 */
#define LEAVES ((PAGE - INTERIOR_HEADER) / 15 - 1)
#define IMAGE_PAGES (LEAVES + 2)
#define IMAGES 3

/* Payload that stays on a leaf (file format 1.6). */
#define MAX_LOCAL (PAGE - 35)
#define MIN_LOCAL ((PAGE - 12) * 32 / 255 - 23)

struct image {
	uint8_t *pages; /* page n is at (n - 1) * PAGE; 1 schema, 2 root */
	size_t count, cap;
	int64_t *last_id; /* of each leaf, in order */
	uint32_t *leaf;	  /* its page number */
	uint32_t leaves;
	int64_t rows;
};

struct bulk {
	struct db *db;
	enum schema_table table;
	char scratch[64]; /* name the scratch database is attached by */
	uint8_t first_page[PAGE];
	struct bulk_row row;
	int64_t next_id;
	struct image images[IMAGES], *current;
	uint32_t cells, content; /* of the current leaf: number, and offset of the lowest cell */

	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under lock: images go free -> full -> free in order. */
	struct image *full[IMAGES];
	int full_count;
	int free_count;
	struct image *free[IMAGES];
	bool ending;
	int result;
	struct error error;
};

static uint8_t *bulk_page_at(struct image *im, uint32_t number)
{
	return im->pages + (size_t)(number - 1) * PAGE;
}

static uint32_t bulk_add_page(struct image *im)
{
	if (im->count == im->cap) {
		im->cap = im->cap ? im->cap + im->cap / 2 : IMAGE_PAGES;
		im->pages = mem_grow(im->pages, im->cap, PAGE);
	}
	return (uint32_t)++im->count;
}

static void bulk_add_leaf(struct bulk *b)
{
	struct image *im = b->current;
	uint32_t number = bulk_add_page(im);

	im->leaf[im->leaves++] = number;
	b->cells = 0;
	b->content = PAGE;
}

static void bulk_end_leaf(struct bulk *b)
{
	struct image *im = b->current;
	uint8_t *p = bulk_page_at(im, im->leaf[im->leaves - 1]);

	p[0] = 0x0d;
	put16(p + 1, 0);
	put16(p + 3, b->cells);
	put16(p + 5, b->content);
	p[7] = 0;
	im->last_id[im->leaves - 1] = b->next_id - 1;
}

/*
 * Page 2: an interior page over all leaves; the last of them is its right-most child. An interior
 * page has at least one cell, so an only leaf is the root itself.
 */
static void bulk_make_root(struct image *im)
{
	uint8_t *p = bulk_page_at(im, 2);
	uint32_t content = PAGE;

	if (im->leaves == 1) {
		memcpy(p, bulk_page_at(im, im->leaf[0]), PAGE);
		return;
	}
	for (uint32_t i = 0; i + 1 < im->leaves; i++) {
		uint8_t cell[13];
		unsigned n;

		put32(cell, im->leaf[i]);
		n = 4 + put_varint(cell + 4, (uint64_t)im->last_id[i]);
		content -= n;
		memcpy(p + content, cell, n);
		put16(p + INTERIOR_HEADER + 2 * i, content);
	}
	p[0] = 0x05;
	put16(p + 1, 0);
	put16(p + 3, im->leaves - 1);
	put16(p + 5, content);
	p[7] = 0;
	put32(p + 8, im->leaf[im->leaves - 1]);
}

static void bulk_begin_image(struct bulk *b)
{
	struct image *im = b->current;

	im->count = im->leaves = 0;
	im->rows = 0;
	(void)bulk_add_page(im);
	(void)bulk_add_page(im);
	memcpy(bulk_page_at(im, 1), b->first_page, PAGE);
	bulk_add_leaf(b);
}

static void bulk_end_image(struct bulk *b)
{
	struct image *im = b->current;

	bulk_end_leaf(b);
	bulk_make_root(im);
	put32(im->pages + 28, (uint32_t)im->count); /* size of the database in pages */
}

static int bulk_load_failed(struct bulk *b, struct error *err)
{
	return error_set(err, -EIO, "cannot write '%s': %s", b->db->path ? b->db->path : "(memory)",
		sqlite3_errmsg(b->db->handle));
}

static int bulk_load(struct bulk *b, struct image *im, struct error *err)
{
	size_t size = im->count * PAGE;

	if (sqlite3_deserialize(b->db->handle, b->scratch, im->pages, (sqlite3_int64)size,
		    (sqlite3_int64)size, SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
		return bulk_load_failed(b, err);
	return db_run(b->db, "cannot write", schema_bulk_load[b->table], err);
}

static void *bulk_loader(void *arg)
{
	struct bulk *b = arg;

	pthread_mutex_lock(&b->lock);
	for (;;) {
		struct error err = ERROR_INIT;
		struct image *im;
		int r = 0;

		while (!b->full_count && !b->ending)
			pthread_cond_wait(&b->changed, &b->lock);
		if (!b->full_count)
			break;
		im = b->full[0];
		pthread_mutex_unlock(&b->lock);
		if (!b->result)
			r = bulk_load(b, im, &err);
		pthread_mutex_lock(&b->lock);
		if (r < 0) {
			b->result = r;
			b->error = err;
		}
		b->full_count--;
		memmove(b->full, b->full + 1, sizeof(b->full[0]) * (size_t)b->full_count);
		b->free[b->free_count++] = im;
		pthread_cond_broadcast(&b->changed);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

/* Hands the current image over and takes a free one. */
static void bulk_swap_image(struct bulk *b)
{
	bulk_end_image(b);
	pthread_mutex_lock(&b->lock);
	b->full[b->full_count++] = b->current;
	pthread_cond_broadcast(&b->changed);
	while (!b->free_count)
		pthread_cond_wait(&b->changed, &b->lock);
	b->current = b->free[--b->free_count];
	pthread_mutex_unlock(&b->lock);
	bulk_begin_image(b);
}

/* The first page of a scratch database that holds the table and nothing else, made by SQLite. */
static int bulk_make_first_page(struct bulk *b, struct error *err)
{
	sqlite3 *template = NULL;
	uint8_t *bytes = NULL;
	sqlite3_int64 size = 0;
	int r = 0;

	if (sqlite3_open(":memory:", &template) == SQLITE_OK &&
		page_configure(template) == SQLITE_OK &&
		sqlite3_exec(template, schema_create[b->table], NULL, NULL, NULL) == SQLITE_OK)
		bytes = sqlite3_serialize(template, "main", &size, 0);
	/* The root of the only table is page 2; the only row of the schema fits on page 1. */
	if (bytes)
		r = page_check(bytes, b->db->path ? b->db->path : "(memory)", err);
	if (r == 0 && (!bytes || size != 2 * PAGE))
		r = error_set(err, -EIO, "bug: no template for the table '%s'",
			schema_table_name[b->table]);
	if (r == 0)
		memcpy(b->first_page, bytes, PAGE);
	sqlite3_free(bytes);
	(void)sqlite3_close(template);
	return r;
}

static int bulk_attach(struct bulk *b, struct error *err)
{
	char *sql = sqlite3_mprintf("ATTACH ':memory:' AS %Q", b->scratch);
	int r = db_run(b->db, "cannot load", sql, err);

	sqlite3_free(sql);
	return r;
}

static void bulk_detach(struct bulk *b)
{
	char *sql = sqlite3_mprintf("DETACH %Q", b->scratch);

	(void)sqlite3_exec(
		b->db->handle, sql, NULL, NULL, NULL); /* the name is not used again soon */
	sqlite3_free(sql);
}

static void bulk_release(struct bulk *b)
{
	for (int i = 0; i < IMAGES; i++) {
		free(b->images[i].pages);
		free(b->images[i].last_id);
		free(b->images[i].leaf);
	}
	free(b->row.body_start);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->changed);
	free(b);
}

int bulk_new(struct bulk **ret_bulk, struct db *db, enum schema_table table, int64_t first_id,
	struct error *err)
{
	struct bulk *b = mem_zalloc(sizeof(*b));
	int r;

	b->db = db;
	b->table = table;
	b->next_id = first_id;
	(void)snprintf(b->scratch, sizeof(b->scratch), "bulk_%s", schema_table_name[table]);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	for (int i = 0; i < IMAGES; i++) {
		b->images[i].last_id = mem_array(LEAVES, sizeof(int64_t));
		b->images[i].leaf = mem_array(LEAVES, sizeof(uint32_t));
		b->free[b->free_count++] = &b->images[i];
	}
	bulk_reserve(&b->row, 4096);
	b->current = b->free[--b->free_count];
	r = bulk_make_first_page(b, err);
	if (r == 0)
		r = bulk_attach(b, err);
	if (r == 0 && (r = -pthread_create(&b->thread, NULL, bulk_loader, b)))
		bulk_detach(b), error_set(err, r, "cannot start a thread: %s", strerror(-r));
	if (r < 0) {
		bulk_release(b);
		return r;
	}
	bulk_begin_image(b);
	*ret_bulk = b;
	return 0;
}

int bulk_finish(struct bulk *b, struct error *err)
{
	int r;

	if (!b)
		return 0;
	if (b->current->rows)
		bulk_swap_image(b);
	pthread_mutex_lock(&b->lock);
	b->ending = true;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	(void)pthread_join(b->thread, NULL);
	r = b->result;
	if (r < 0 && err)
		*err = b->error;
	bulk_detach(b);
	bulk_release(b);
	return r;
}

struct bulk_row *bulk_row(struct bulk *b)
{
	b->row.types = b->row.types_start;
	b->row.body = b->row.body_start;
	return &b->row;
}

void bulk_reserve(struct bulk_row *row, size_t n)
{
	size_t used = (size_t)(row->body - row->body_start),
	       size = (size_t)(row->body_end - row->body_start);

	/* Room for the text, and after it for an integer in every column that may follow. */
	size = 2 * (size > n ? size : n) + 16 * BULK_MAX_COLUMNS;
	row->body_start = mem_realloc(row->body_start, size + 8 * BULK_MAX_COLUMNS);
	row->body_end = row->body_start + size;
	row->body = row->body_start + used;
}

/* Bytes of a payload that stay in the leaf; the rest goes to overflow pages. */
static uint32_t bulk_local_part(uint32_t payload)
{
	uint32_t k;

	if (payload <= MAX_LOCAL)
		return payload;
	k = MIN_LOCAL + (payload - MIN_LOCAL) % (PAGE - 4);
	return k <= MAX_LOCAL ? k : MIN_LOCAL;
}

/* Writes n bytes to a chain of overflow pages; returns the first. */
static uint32_t bulk_overflow(struct image *im, const uint8_t *bytes, uint32_t n)
{
	uint32_t first = bulk_add_page(im), number = first;

	for (;;) {
		uint32_t k = n < PAGE - 4 ? n : PAGE - 4, next = 0;

		memcpy(bulk_page_at(im, number) + 4, bytes, k);
		bytes += k;
		n -= k;
		if (n)
			next = bulk_add_page(im); /* may move the pages */
		put32(bulk_page_at(im, number), next);
		if (!n)
			return first;
		number = next;
	}
}

/* Appends n bytes that may start in the head and go on in the body. */
static void bulk_copy_payload(
	uint8_t *to, const uint8_t *head, uint32_t head_size, const uint8_t *body, uint32_t n)
{
	uint32_t k = n < head_size ? n : head_size;

	memcpy(to, head, k);
	memcpy(to + k, body, n - k);
}

/* A cell of n bytes on the current leaf, or on a new one; returns where it goes. */
static uint8_t *bulk_place_cell(struct bulk *b, uint32_t n)
{
	struct image *im = b->current;
	uint8_t *p;

	if (LEAF_HEADER + 2 * (b->cells + 1) + n > b->content) {
		bulk_end_leaf(b);
		if (im->leaves == LEAVES || im->count > 2 * IMAGE_PAGES) {
			bulk_swap_image(b);
			im = b->current;
		} else {
			bulk_add_leaf(b);
		}
	}
	p = bulk_page_at(im, im->leaf[im->leaves - 1]);
	b->content -= n;
	put16(p + LEAF_HEADER + 2 * b->cells, b->content);
	b->cells++;
	return p + b->content;
}

int64_t bulk_end(struct bulk *b)
{
	struct bulk_row *row = &b->row;
	uint32_t types = (uint32_t)(row->types - row->types_start);
	uint32_t body = (uint32_t)(row->body - row->body_start);
	/* The header's size counts itself: two bytes from 127 on. */
	uint32_t head = types + (types < 127 ? 1 : 2), payload = head + body;
	uint32_t local = bulk_local_part(payload), spilled = payload - local;
	uint8_t prefix[20], header[sizeof(row->types_start) + 2], *cell;
	unsigned n = put_varint(prefix, payload);

	n += put_varint(prefix + n, (uint64_t)b->next_id);
	memcpy(header + put_varint(header, head), row->types_start, types);
	cell = bulk_place_cell(b, n + local + (spilled ? 4 : 0));
	memcpy(cell, prefix, n);
	bulk_copy_payload(cell + n, header, head, row->body_start, local);
	if (spilled) {
		size_t at = (size_t)(cell - b->current->pages);
		/* The head always stays local: MIN_LOCAL is larger than it can be. */
		uint32_t first =
			bulk_overflow(b->current, row->body_start + (local - head), spilled);

		put32(b->current->pages + at + n + local, first);
	}
	b->current->rows++;
	return b->next_id++;
}
