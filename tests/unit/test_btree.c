#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "store/btree_file.h"
#include "sound.h"

static char place[] = "/tmp/bothends-btree.XXXXXX";

static void make(struct db *db, const char *sql)
{
	struct error err = ERROR_INIT;
	char *path = mem_printf("%s/x.db", place);

	assert_int_equal(db_create(db, path, true, &err), 0);
	assert_int_equal(db_run(db, "test", sql, &err), 0);
	free(path);
}

/* kernel_log: host_id, at_ns, level, message. The message is as long as it is said. */
static void put_row(struct btree *rows, struct btree *index, int64_t i, size_t length)
{
	struct row *row = btree_row(rows);
	char text[8192];
	int64_t id;

	memset(text, 'a' + (int)(i % 26), sizeof(text));
	row_int(row, i / 3);
	row_int(row, i * 1000003);
	row_null(row);
	row_text(row, text, length);
	id = btree_end_row(rows);
	assert_int_equal(id, i + 1);
	row = btree_row(index);
	row_int(row, i / 3);
	row_int(row, id);
	btree_end_entry(index);
}

/* Room that was asked for and not used would stay with the file. */
static void assert_no_room_left(const struct db *db)
{
	struct stat st;

	assert_int_equal(stat(db->unfinished.name, &st), 0);
	assert_true(st.st_blocks * 512 < st.st_size + 65536);
}

/* Numbers of rows at which pages, then levels, are added; lengths at which few or many share a
 * page. */
static const struct {
	int64_t rows;
	size_t length;
} sizes[] = {{0, 10}, {1, 10}, {2, 8000}, {3, 4000}, {1000, 10}, {1001, 8100}, {3000, 3000},
	{300000, 5}, {20000, 2000}};

static void test_sizes(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		struct error err = ERROR_INIT;
		struct btree *rows, *index;
		struct btree_file *f;
		struct db db;

		make(&db, "CREATE INDEX k ON kernel_log(host_id); INSERT INTO host VALUES (1, "
			  "'before')");
		assert_int_equal(btree_file_open(&f, &db, &err), 0);
		assert_int_equal(btree_file_tree(&rows, f, "kernel_log", &err), 0);
		assert_int_equal(btree_file_tree(&index, f, "k", &err), 0);
		for (int64_t i = 0; i < sizes[k].rows; i++)
			put_row(rows, index, i, sizes[k].length);
		btree_finish(rows);
		btree_finish(index);
		assert_int_equal(btree_file_close(f, &err), 0);
		assert_no_room_left(&db);
		assert_sound(&db);
		assert_int_equal(one_number(&db, "SELECT count(*) FROM kernel_log NOT INDEXED"),
			sizes[k].rows);
		assert_int_equal(
			one_number(&db,
				"SELECT count(*) FROM kernel_log INDEXED BY k WHERE host_id >= 0"),
			sizes[k].rows);
		assert_int_equal(one_number(&db, "SELECT coalesce(sum(at_ns != (rowid - 1) * "
						 "1000003), 0) FROM kernel_log"),
			0);
		/* The file goes on to be SQLite's. */
		assert_int_equal(db_run(&db, "test",
					 "INSERT INTO kernel_log (host_id, at_ns, level, message) "
					 "VALUES (5, 6, 7, 'after');"
					 "DELETE FROM kernel_log WHERE rowid % 7 = 3; INSERT INTO "
					 "host VALUES (2, 'after')",
					 &err),
			0);
		assert_sound(&db);
		db_close(&db);
	}
}

/* A write that stops in the middle, as on a full disk, is said, not lost. */
static void test_no_space(void **state)
{
	struct rlimit old, less;
	struct error err = ERROR_INIT;
	struct btree *rows, *index;
	struct btree_file *f;
	struct db db;

	(void)state;
	make(&db, "CREATE INDEX k ON kernel_log(host_id)");
	assert_int_equal(btree_file_open(&f, &db, &err), 0);
	assert_int_equal(btree_file_tree(&rows, f, "kernel_log", &err), 0);
	assert_int_equal(btree_file_tree(&index, f, "k", &err), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	less = (struct rlimit){.rlim_cur = 4000000, .rlim_max = old.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
	for (int64_t i = 0; i < 20000; i++)
		put_row(rows, index, i, 2000);
	btree_finish(rows);
	btree_finish(index);
	assert_int_equal(btree_file_close(f, &err), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, SIG_DFL);
	assert_non_null(strstr(err.text, "cannot write"));
	db_close(&db);
}

/* A table WITHOUT ROWID is an index with all columns: long texts make its pages few to a level. */
static void test_without_rowid(void **state)
{
	struct error err = ERROR_INIT;
	struct btree_file *f;
	struct btree *t;
	char text[2000];
	struct db db;

	(void)state;
	memset(text, 'x', sizeof(text));
	make(&db, "");
	assert_int_equal(btree_file_open(&f, &db, &err), 0);
	assert_int_equal(btree_file_tree(&t, f, "analysis", &err), 0);
	for (int i = 0; i < 5000; i++) {
		struct row *row = btree_row(t);
		char key[32];

		row_text(row, key, (size_t)snprintf(key, sizeof(key), "%08d", i));
		row_text(row, text, (size_t)(i * 7 % 2000));
		btree_end_entry(t);
	}
	btree_finish(t);
	assert_int_equal(btree_file_close(f, &err), 0);
	assert_sound(&db);
	assert_int_equal(one_number(&db, "SELECT count(*) FROM analysis"), 5000);
	for (int i = 0; i < 5000; i += 13) {
		char sql[80];

		snprintf(sql, sizeof(sql), "SELECT length(value) FROM analysis WHERE key = '%08d'",
			i);
		assert_int_equal(one_number(&db, sql), i * 7 % 2000);
	}
	db_close(&db);
}

/* A key of 8 digits and a text of n letters, as analysis has them; n may take two bytes to say. */
static void put_cell(struct btree_cells *c, int i, unsigned n)
{
	unsigned serial = 13 + 2 * n, head = serial < 0x80 ? 3 : 4;
	uint8_t *record = btree_cells_begin(c, 0), *at = record;
	char key[16];

	*at++ = (uint8_t)head;
	*at++ = 13 + 2 * 8;
	if (serial >= 0x80)
		*at++ = (uint8_t)(serial >> 7 | 0x80);
	*at++ = serial & 0x7f;
	(void)snprintf(key, sizeof(key), "%08d", i);
	memcpy(at, key, 8);
	memset(at + 8, 'x', n);
	btree_cells_end(c, head + 8 + n);
}

/* Many cells at a time, some that fill pages to their end, between entries that come one by one. */
static void test_cells(void **state)
{
	struct error err = ERROR_INIT;
	struct btree_file *f;
	struct btree *t;
	struct db db;
	int64_t letters = 0;
	int i = 0;

	(void)state;
	make(&db, "");
	assert_int_equal(btree_file_open(&f, &db, &err), 0);
	assert_int_equal(btree_file_tree(&t, f, "analysis", &err), 0);
	for (unsigned round = 0; round < 400; round++) {
		struct btree_cells cells;
		struct row *row;
		char key[16];

		btree_cells_init(&cells, 4, 8); /* both grow */
		for (unsigned k = 0; k < round % 97; k++, i++) {
			unsigned n = (unsigned)(i * 31 % (round % 3 ? 90 : 900));

			put_cell(&cells, i, n);
			letters += n;
		}
		btree_add_cells(t, &cells);
		btree_cells_release(&cells);
		row = btree_row(t);
		row_text(row, key, (size_t)snprintf(key, sizeof(key), "%08d", i++));
		row_text(row, key, round % 5);
		letters += round % 5;
		btree_end_entry(t);
	}
	btree_finish(t);
	assert_int_equal(btree_file_close(f, &err), 0);
	assert_sound(&db);
	assert_int_equal(one_number(&db, "SELECT count(*) FROM analysis"), i);
	assert_int_equal(one_number(&db, "SELECT sum(length(value)) FROM analysis"), letters);
	assert_int_equal(one_number(&db, "SELECT 1 + max(CAST(key AS INTEGER)) FROM analysis"), i);
	db_close(&db);
}

/* Rowids of cells made elsewhere, and those that the tree gives, are one sequence. */
static void test_cells_of_rows(void **state)
{
	struct error err = ERROR_INIT;
	struct btree_cells cells;
	struct btree_file *f;
	struct btree *t;
	struct db db;

	(void)state;
	make(&db, "");
	assert_int_equal(btree_file_open(&f, &db, &err), 0);
	assert_int_equal(btree_file_tree(&t, f, "kernel_log", &err), 0);
	for (int64_t id = 1; id <= 40000;) {
		struct row *row;

		btree_cells_init(&cells, 256, 32);
		for (int k = 0; k < 255; k++, id++) {
			struct row_at at;
			uint8_t *record = btree_cells_begin(&cells, id);

			record[0] = 5;
			at = (struct row_at){.types = record + 1, .body = record + 5};
			row_put_int(&at, id % 3);
			row_put_int(&at, id * 1000003);
			row_put_null(&at);
			row_put_short_text(&at, "a line of a log ", 16);
			btree_cells_end(&cells, (uint32_t)(at.body - record));
		}
		btree_add_cells(t, &cells);
		btree_cells_release(&cells);
		row = btree_row(t);
		row_int(row, 0);
		row_int(row, id * 1000003);
		row_null(row);
		row_word(row, "a line");
		assert_int_equal(btree_end_row(t), id++);
	}
	btree_finish(t);
	assert_int_equal(btree_file_close(f, &err), 0);
	assert_sound(&db);
	assert_int_equal(one_number(&db, "SELECT count(*) = max(rowid) FROM kernel_log"), 1);
	assert_int_equal(
		one_number(&db, "SELECT count(*) FROM kernel_log WHERE at_ns != rowid * 1000003"),
		0);
	db_close(&db);
}

/* What is not there, or holds rows already, is refused. */
static void test_refused(void **state)
{
	struct error err = ERROR_INIT;
	struct btree_file *f;
	struct btree *t;
	struct db db;

	(void)state;
	make(&db, "INSERT INTO kernel_log (host_id, at_ns, level, message) VALUES "
		  "(1, 2, 3, 'x')");
	assert_int_equal(btree_file_open(&f, &db, &err), 0);
	assert_true(btree_file_tree(&t, f, "kernel_log", &err) < 0);
	assert_true(btree_file_tree(&t, f, "no such table", &err) < 0);
	assert_int_equal(btree_file_close(f, &err), 0);
	assert_sound(&db);
	assert_int_equal(one_number(&db, "SELECT count(*) FROM kernel_log"), 1);
	db_close(&db);
}

/* SQLite libraries whose defaults are not the usual ones; the first is one that a PRAGMA can set.
 */
static int large_pages(sqlite3 *handle, char **ret_message, const struct sqlite3_api_routines *api)
{
	(void)ret_message;
	(void)api;
	return sqlite3_exec(handle, "PRAGMA page_size = 32768", NULL, NULL, NULL);
}

static int reserved_bytes(
	sqlite3 *handle, char **ret_message, const struct sqlite3_api_routines *api)
{
	(void)ret_message;
	(void)api;
	return sqlite3_file_control(handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &(int){16});
}

static void make_with(
	struct db *db, int (*defaults)(sqlite3 *, char **, const struct sqlite3_api_routines *))
{
	assert_int_equal(sqlite3_auto_extension((void (*)(void))defaults), SQLITE_OK);
	make(db, "CREATE INDEX k ON kernel_log(host_id)");
	sqlite3_reset_auto_extension();
}

static void test_other_defaults(void **state)
{
	struct error err = ERROR_INIT;
	struct btree_file *f;
	struct db db;

	(void)state;
	make_with(&db, large_pages);
	assert_int_equal(btree_file_open(&f, &db, &err), 0);
	assert_int_equal(btree_file_close(f, &err), 0);
	db_close(&db);
	make_with(&db, reserved_bytes);
	assert_int_equal(btree_file_open(&f, &db, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "reserved bytes"));
	assert_sound(&db);
	db_close(&db);
}

/* How a file comes to be one that is not written here, and the words that say so. */
static const struct {
	const char *sql;
	int reserve;
	off_t at; /* a byte of the header, if not 0 */
	uint8_t value;
	const char *text;
} unknown_files[] = {
	{"VACUUM", 16, 0, 0, "reserved bytes"},
	{"PRAGMA auto_vacuum = 1; VACUUM", 0, 0, 0, "auto_vacuum"},
	{"PRAGMA auto_vacuum = 2; VACUUM", 0, 0, 0, "auto_vacuum"},
	{"PRAGMA page_size = 4096; VACUUM", 0, 0, 0, "pages of another size"},
	{"", 0, 18, 2, "newer file format"},
	{"", 0, 19, 3, "newer file format"},
	{"", 0, 22, 33, "payload fractions"},
	{"", 0, 47, 1, "schema format"},
	{"", 0, 59, 2, "text encoding"},
	{"", 0, 67, 1, "incremental vacuum"},
	{"", 0, 0, 0, NULL},
};

static void test_unknown_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(unknown_files) / sizeof(unknown_files[0]); i++) {
		struct error err = ERROR_INIT;
		struct btree_file *f;
		struct db db;

		make(&db, "");
		assert_int_equal(sqlite3_file_control(db.handle, "main", SQLITE_FCNTL_RESERVE_BYTES,
					 &(int){unknown_files[i].reserve}),
			SQLITE_OK);
		assert_int_equal(db_run(&db, "test", unknown_files[i].sql, &err), 0);
		if (unknown_files[i].at) {
			int fd = open(db.unfinished.name, O_WRONLY);

			assert_int_equal(
				pwrite(fd, &unknown_files[i].value, 1, unknown_files[i].at), 1);
			close(fd);
		}
		if (!unknown_files[i].text) {
			assert_int_equal(btree_file_open(&f, &db, &err), 0);
			assert_int_equal(btree_file_close(f, &err), 0);
		} else {
			assert_int_equal(btree_file_open(&f, &db, &err), -ENOTSUP);
			assert_non_null(strstr(err.text, unknown_files[i].text));
		}
		db_close(&db);
	}
}

static int make_place(void **state)
{
	(void)state;
	return mkdtemp(place) ? 0 : -1;
}

static int remove_place(void **state)
{
	(void)state;
	return rmdir(place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_no_space),
		cmocka_unit_test(test_without_rowid),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_cells_of_rows),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_defaults),
		cmocka_unit_test(test_unknown_files),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
