#include "store/btree.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "store/page.h"
#include "store/varint.h"

#define LEVELS_MAX 8
#define RUN_PAGES 128u	 /* written at once */
#define ROOM_PAGES 2048u /* asked of the file system at once */
/* The page at 1 GiB, where SQLite's locks are, is never used (file format 1.3). */
#define LOCK_PAGE (0x40000000u / PAGE + 1)

/* Payload that needs no overflow page (file format 1.6); what is written here has to fit. */
#define MAX_ROW (PAGE - 35)
#define MAX_ENTRY ((PAGE - 12) * 64 / 255 - 23)
/* A cell of an inner page: the child's number and a key. */
#define MAX_CELL (MAX_ENTRY + 16)

#define TABLE_LEAF 0x0d
#define TABLE_INTERIOR 0x05
#define INDEX_LEAF 0x0a
#define INDEX_INTERIOR 0x02

#define AT_COUNTER 24
#define AT_PAGES 28
#define AT_COUNTER_OF_PAGES 92

struct btree_file {
	struct db *db;
	int fd, failed;		     /* errno of the first write that failed */
	uint32_t first;		     /* page number of the first of run */
	uint32_t pending;	     /* pages in run */
	uint32_t room;		     /* the last page that the file system has been asked for */
	struct iovec run[RUN_PAGES]; /* finished pages, each an allocation of its own */
	uint8_t *spare[RUN_PAGES];   /* written ones, to be filled again */
	uint32_t spares;
};

/* The page that is being filled on one level; 0 are the leaves. Cells grow down from its end. */
struct level {
	uint8_t *page;
	uint32_t cells, content; /* number, and offset of the lowest */
	uint32_t last;		 /* size of the last one */
};

struct btree {
	struct btree_file *file;
	struct bulk_row row;
	uint32_t root;
	bool index;
	int height; /* levels in use */
	int64_t last_id;
	struct level *levels[LEVELS_MAX];
};

static void btree_write_at(struct btree_file *f, const void *bytes, size_t n, uint64_t offset)
{
	const uint8_t *p = bytes;

	while (n && !f->failed) {
		ssize_t k = pwrite(f->fd, p, n, (off_t)offset);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			f->failed = k < 0 ? errno : EIO;
		else
			p += k, n -= (size_t)k, offset += (size_t)k;
	}
}

/*
 * Has the file system choose the place of many pages at once: a write into room that is there costs
 * half. Where that is not possible, or the disk is too full for so much, each write does it, and
 * says so if it fails.
 */
static void btree_make_room(struct btree_file *f, uint32_t last)
{
	if (last <= f->room)
		return;
	(void)fallocate(
		f->fd, FALLOC_FL_KEEP_SIZE, (off_t)(f->first - 1) * PAGE, (off_t)ROOM_PAGES * PAGE);
	f->room = f->first - 1 + ROOM_PAGES;
}

/* Writes run in one piece, where nothing comes between; a short write's rest page by page. */
static void btree_write_run(struct btree_file *f, uint64_t offset)
{
	ssize_t done = f->failed ? 0 : pwritev(f->fd, f->run, (int)f->pending, (off_t)offset);

	for (uint32_t i = done > 0 ? (uint32_t)((size_t)done / PAGE) : 0; i < f->pending; i++)
		btree_write_at(f, f->run[i].iov_base, PAGE, offset + (uint64_t)i * PAGE);
}

static void btree_flush_run(struct btree_file *f)
{
	off_t offset = (off_t)(f->first - 1) * PAGE;

	if (!f->pending)
		return;
	if (f->pending == RUN_PAGES) /* more will come */
		btree_make_room(f, f->first + f->pending - 1);
	btree_write_run(f, (uint64_t)offset);
	/* What is on its way to the disk need not be waited for at the end. Where that is not
	 * possible it is. */
	(void)sync_file_range(f->fd, offset, (off_t)f->pending * PAGE, SYNC_FILE_RANGE_WRITE);
	f->first += f->pending;
	while (f->pending)
		f->spare[f->spares++] = f->run[--f->pending].iov_base;
}

/* Appends a level's finished page, returns its number and gives the level another one to fill. */
static uint32_t btree_append_page(struct btree_file *f, struct level *l)
{
	if (f->pending == RUN_PAGES || f->first + f->pending == LOCK_PAGE)
		btree_flush_run(f);
	if (f->first == LOCK_PAGE)
		f->first++;
	f->run[f->pending] = (struct iovec){.iov_base = l->page, .iov_len = PAGE};
	l->page = f->spares ? f->spare[--f->spares] : mem_alloc(PAGE);
	return f->first + f->pending++;
}

static int btree_file_failed(const struct btree_file *f, int e, struct error *err)
{
	return error_set(err, -e, "cannot write '%s': %s", f->db->path, strerror(e));
}

/* That the file is whole pages of the kind that is written here, and where the next one goes. */
static int btree_check_file(struct btree_file *f, struct error *err)
{
	uint8_t header[FILE_HEADER];
	struct stat st;
	int r;

	if (fstat(f->fd, &st) < 0)
		return btree_file_failed(f, errno, err);
	if (pread(f->fd, header, FILE_HEADER, 0) != FILE_HEADER)
		return error_set(err, -EIO, "bug: '%s' has no header", f->db->path);
	r = page_check(header, f->db->path, err);
	if (r == 0 && st.st_size % PAGE)
		r = error_set(err, -EIO, "bug: '%s' has no pages of %u bytes", f->db->path, PAGE);
	f->first = (uint32_t)(st.st_size / PAGE) + 1;
	return r;
}

int btree_file_open(struct btree_file **ret_file, struct db *db, struct error *err)
{
	struct btree_file *f = mem_zalloc(sizeof(*f));
	int r;

	f->db = db;
	f->fd = open(db->temporary, O_RDWR | O_CLOEXEC);
	r = f->fd < 0 ? btree_file_failed(f, errno, err) : btree_check_file(f, err);
	if (r == 0) {
		*ret_file = f;
		return 0;
	}
	if (f->fd >= 0)
		(void)close(f->fd);
	free(f);
	return r;
}

/* The size and the counter that tells other readers, SQLite's cache among them, that the file
 * changed. */
static void btree_write_header(struct btree_file *f)
{
	uint8_t header[FILE_HEADER];
	uint32_t counter;

	if (f->failed)
		return;
	if (pread(f->fd, header, FILE_HEADER, 0) != FILE_HEADER) {
		f->failed = EIO;
		return;
	}
	counter = be32(header + AT_COUNTER) + 1;
	put32(header + AT_COUNTER, counter);
	put32(header + AT_COUNTER_OF_PAGES, counter);
	put32(header + AT_PAGES, f->first - 1);
	btree_write_at(f, header, FILE_HEADER, 0);
}

int btree_file_close(struct btree_file *f, struct error *err)
{
	int r;

	btree_flush_run(f);
	btree_write_header(f);
	/* To its own size: what room is left behind the last page goes. */
	if (!f->failed && ftruncate(f->fd, (off_t)(f->first - 1) * PAGE) < 0)
		f->failed = errno;
	r = f->failed ? btree_file_failed(f, f->failed, err) : 0;
	while (f->spares)
		free(f->spare[--f->spares]);
	(void)close(f->fd);
	free(f);
	return r;
}

static int btree_find_root(struct btree *t, const char *name, struct error *err)
{
	sqlite3 *handle = t->file->db->handle;
	uint8_t header[LEAF_HEADER] = {0};
	sqlite3_stmt *s;

	if (sqlite3_prepare_v2(handle, schema_statement_root_page, -1, &s, NULL) != SQLITE_OK)
		return error_set(err, -EIO, "schema: %s", sqlite3_errmsg(handle));
	db_text(s, 1, name);
	if (sqlite3_step(s) == SQLITE_ROW)
		t->root = (uint32_t)sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	if (t->root)
		(void)!pread(t->file->fd, header, sizeof(header), (off_t)(t->root - 1) * PAGE);
	t->index = header[0] == INDEX_LEAF;
	if ((header[0] != INDEX_LEAF && header[0] != TABLE_LEAF) || be16(header + 3) != 0)
		return error_set(err, -EIO, "bug: no empty table or index '%s'", name);
	return 0;
}

static void btree_add_level(struct btree *t)
{
	assert(t->height < LEVELS_MAX);
	t->levels[t->height] = mem_zalloc(sizeof(struct level));
	t->levels[t->height]->page = mem_alloc(PAGE);
	t->levels[t->height++]->content = PAGE;
}

int btree_new(struct btree **ret_tree, struct btree_file *f, const char *name, struct error *err)
{
	struct btree *t = mem_zalloc(sizeof(*t));
	int r;

	t->file = f;
	r = btree_find_root(t, name, err);
	if (r) {
		free(t);
		return r;
	}
	bulk_reserve(&t->row, 4096);
	btree_add_level(t);
	*ret_tree = t;
	return 0;
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
		btree_add_child(t, depth + 1, btree_append_page(t->file, l), last + 4, size - 4);
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
	btree_add_child(t, 1, btree_append_page(t->file, l), key, n);
}

struct bulk_row *btree_row(struct btree *t)
{
	t->row.types = t->row.types_start;
	t->row.body = t->row.body_start;
	return &t->row;
}

/* Room for a cell of n bytes on a leaf. */
static uint8_t *btree_new_cell(struct btree *t, uint32_t n)
{
	uint8_t *cell = btree_place_cell(t->levels[0], 0, n);

	if (cell)
		return cell;
	btree_end_leaf(t);
	return btree_place_cell(t->levels[0], 0, n);
}

/* Ends what btree_row() began. */
static void btree_end_record(struct btree *t, bool with_id)
{
	uint32_t types = (uint32_t)(t->row.types - t->row.types_start),
		 body = (uint32_t)(t->row.body - t->row.body_start);
	/* The header's size counts itself: two bytes from 127 on. */
	uint32_t head = types + (types < 127 ? 1 : 2);
	uint8_t prefix[24], *cell;
	uint32_t n = put_varint(prefix, head + body);

	assert(head + body <= (t->index ? MAX_ENTRY : MAX_ROW));
	if (with_id)
		n += put_varint(prefix + n, (uint64_t)t->last_id + 1);
	n += put_varint(prefix + n, head);
	cell = btree_new_cell(t, n + types + body);
	memcpy(cell, prefix, n);
	memcpy(cell + n, t->row.types_start, types);
	memcpy(cell + n + types, t->row.body_start, body);
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

	assert(size <= MAX_ENTRY);
	cell = btree_new_cell(t, n + size);
	memcpy(cell, prefix, n);
	memcpy(cell + n, record, size);
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
		btree_end_page(t, depth, child);
		if (depth + 1 < t->height)
			child = btree_append_page(t->file, t->levels[depth]);
		else
			btree_write_at(t->file, t->levels[depth]->page, PAGE,
				(uint64_t)(t->root - 1) * PAGE);
		free(t->levels[depth]->page);
		free(t->levels[depth]);
	}
	free(t->row.body_start);
	free(t);
}
