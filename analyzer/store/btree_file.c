#include "store/btree_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "store/page.h"

#define RUN_PAGES 128u	 /* written at once */
#define ROOM_PAGES 2048u /* asked of the file system at once */
/* The page at 1 GiB, where SQLite's locks are, is never used (file format 1.3). */
#define LOCK_PAGE (0x40000000u / PAGE + 1)

struct btree_file {
	struct page_sink sink; /* first: the trees know no more of it */
	struct db *db;
	int fd, failed;		     /* errno of the first write that failed */
	uint32_t first;		     /* page number of the first of run */
	uint32_t pending;	     /* pages in run */
	uint32_t room;		     /* the last page that the file system has been asked for */
	struct iovec run[RUN_PAGES]; /* finished pages, each an allocation of its own */
	uint8_t *spare[RUN_PAGES];   /* written ones, to be filled again */
	uint32_t spares;
};

static void btree_file_write_at(struct btree_file *f, const void *bytes, size_t n, uint64_t offset)
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
static void btree_file_make_room(struct btree_file *f, uint32_t last)
{
	if (last <= f->room)
		return;
	(void)fallocate(
		f->fd, FALLOC_FL_KEEP_SIZE, (off_t)(f->first - 1) * PAGE, (off_t)ROOM_PAGES * PAGE);
	f->room = f->first - 1 + ROOM_PAGES;
}

/* Writes run in one piece, where nothing comes between; a short write's rest page by page. */
static void btree_file_write_run(struct btree_file *f, uint64_t offset)
{
	ssize_t done = f->failed ? 0 : pwritev(f->fd, f->run, (int)f->pending, (off_t)offset);

	for (uint32_t i = done > 0 ? (uint32_t)((size_t)done / PAGE) : 0; i < f->pending; i++)
		btree_file_write_at(f, f->run[i].iov_base, PAGE, offset + (uint64_t)i * PAGE);
}

static void btree_file_flush_run(struct btree_file *f)
{
	off_t offset = (off_t)(f->first - 1) * PAGE;

	if (!f->pending)
		return;
	if (f->pending == RUN_PAGES) /* more will come */
		btree_file_make_room(f, f->first + f->pending - 1);
	btree_file_write_run(f, (uint64_t)offset);
	/* What is on its way to the disk need not be waited for at the end. Where that is not
	 * possible it is. */
	(void)sync_file_range(f->fd, offset, (off_t)f->pending * PAGE, SYNC_FILE_RANGE_WRITE);
	f->first += f->pending;
	while (f->pending)
		f->spare[f->spares++] = f->run[--f->pending].iov_base;
}

static uint32_t btree_file_append(struct page_sink *sink, uint8_t **page)
{
	struct btree_file *f = (struct btree_file *)sink;

	if (f->pending == RUN_PAGES || f->first + f->pending == LOCK_PAGE)
		btree_file_flush_run(f);
	if (f->first == LOCK_PAGE)
		f->first++;
	f->run[f->pending] = (struct iovec){.iov_base = *page, .iov_len = PAGE};
	*page = f->spares ? f->spare[--f->spares] : mem_alloc(PAGE);
	return f->first + f->pending++;
}

static void btree_file_replace(struct page_sink *sink, uint32_t number, const uint8_t *page)
{
	btree_file_write_at((struct btree_file *)sink, page, PAGE, (uint64_t)(number - 1) * PAGE);
}

static int btree_file_failed(const struct btree_file *f, int e, struct error *err)
{
	return error_set(err, -e, "cannot write '%s': %s", f->db->path, strerror(e));
}

/* That the file is whole pages of the kind that is written here, and where the next one goes. */
static int btree_file_check(struct btree_file *f, struct error *err)
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

	f->sink = (struct page_sink){.append = btree_file_append, .replace = btree_file_replace};
	f->db = db;
	f->fd = open(db->unfinished.name, O_RDWR | O_CLOEXEC);
	r = f->fd < 0 ? btree_file_failed(f, errno, err) : btree_file_check(f, err);
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
static void btree_file_write_header(struct btree_file *f)
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
	btree_file_write_at(f, header, FILE_HEADER, 0);
}

int btree_file_close(struct btree_file *f, struct error *err)
{
	int r;

	btree_file_flush_run(f);
	btree_file_write_header(f);
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

/* The page that SQLite made for the root of a table or index. */
static int btree_file_root(
	struct btree_file *f, const char *name, uint32_t *ret_root, struct error *err)
{
	sqlite3 *handle = f->db->handle;
	sqlite3_stmt *s;

	*ret_root = 0;
	if (sqlite3_prepare_v2(handle, schema_statement_root_page, -1, &s, NULL) != SQLITE_OK)
		return error_set(err, -EIO, "schema: %s", sqlite3_errmsg(handle));
	db_text(s, 1, name);
	if (sqlite3_step(s) == SQLITE_ROW)
		*ret_root = (uint32_t)sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	return 0;
}

int btree_file_tree(
	struct btree **ret_tree, struct btree_file *f, const char *name, struct error *err)
{
	uint8_t header[LEAF_HEADER] = {0};
	uint32_t root;
	int r = btree_file_root(f, name, &root, err);

	if (r)
		return r;
	if (root)
		(void)!pread(f->fd, header, sizeof(header), (off_t)(root - 1) * PAGE);
	if ((header[0] != INDEX_LEAF && header[0] != TABLE_LEAF) || be16(header + 3) != 0)
		return error_set(err, -EIO, "bug: no empty table or index '%s'", name);
	*ret_tree = btree_new(&f->sink, root, header[0] == INDEX_LEAF);
	return 0;
}
