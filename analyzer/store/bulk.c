#include "store/bulk.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/btree.h"
#include "store/page.h"

/* A scratch database is handed over when it has so many: 4 MiB stay in a cache. */
#define IMAGE_PAGES 512u
#define IMAGES 3

/* A scratch database. Page n is at (n - 1) * PAGE; 1 holds the schema, 2 the root of the table. */
struct image {
	struct page_sink sink; /* first: the tree knows no more of it */
	uint8_t *pages;
	uint32_t count, cap;
	int64_t first_id; /* of its first row */
};

struct bulk {
	struct db *db;
	enum schema_table table;
	char scratch[64]; /* name the scratch database is attached by */
	uint8_t first_page[PAGE];
	int64_t next_id;
	struct image images[IMAGES], *current;
	struct btree *tree; /* of the current image */

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

static uint32_t bulk_append(struct page_sink *sink, uint8_t **page)
{
	struct image *im = (struct image *)sink;

	if (im->count == im->cap) {
		im->cap = im->cap ? im->cap + im->cap / 2 : IMAGE_PAGES + 16;
		im->pages = mem_grow(im->pages, im->cap, PAGE);
	}
	memcpy(bulk_page_at(im, ++im->count), *page, PAGE);
	return im->count;
}

static void bulk_replace(struct page_sink *sink, uint32_t number, const uint8_t *page)
{
	memcpy(bulk_page_at((struct image *)sink, number), page, PAGE);
}

static void bulk_begin_image(struct bulk *b)
{
	struct image *im = b->current;
	uint8_t *page = b->first_page;

	im->sink = (struct page_sink){.append = bulk_append, .replace = bulk_replace};
	im->count = 0;
	im->first_id = b->next_id;
	(void)bulk_append(&im->sink, &page);
	(void)bulk_append(&im->sink, &page); /* the root's place; the tree writes it last */
	b->tree = btree_new(&im->sink, 2, false);
	btree_skip_to(b->tree, b->next_id);
}

static void bulk_end_image(struct bulk *b)
{
	struct image *im = b->current;

	btree_finish(b->tree);
	b->tree = NULL;
	put32(im->pages + AT_PAGES, im->count);
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

/* Ends the current image and hands it over, unless no row came into it. */
static void bulk_hand_over(struct bulk *b)
{
	bulk_end_image(b);
	if (b->next_id == b->current->first_id)
		return;
	pthread_mutex_lock(&b->lock);
	b->full[b->full_count++] = b->current;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

static void bulk_next_image(struct bulk *b)
{
	bulk_hand_over(b);
	pthread_mutex_lock(&b->lock);
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
	for (int i = 0; i < IMAGES; i++)
		free(b->images[i].pages);
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
	for (int i = 0; i < IMAGES; i++)
		b->free[b->free_count++] = &b->images[i];
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
	bulk_hand_over(b);
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

struct row *bulk_row(struct bulk *b)
{
	return btree_row(b->tree);
}

int64_t bulk_end(struct bulk *b)
{
	int64_t id = btree_end_row(b->tree);

	b->next_id = id + 1;
	if (b->current->count >= IMAGE_PAGES)
		bulk_next_image(b);
	return id;
}
