/*
 * The same rows by pages and by INSERT, compared by SQLite: values of every serial type, payloads
 * around every length at which the format changes, and trees of several levels.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "store/btree_file.h"
#include "store/bulk.h"
#include "store/page.h"
#include "store/varint.h"
#include "sound.h"

#define TEXT_MAX ((1u << 20) + 100)

static char place[] = "/tmp/bothends-pages.XXXXXX";
static char text_of_all[TEXT_MAX + 64];

/* A row of kernel_log, and of expected, where INSERT puts the same. */
struct line {
	int64_t host, at, level; /* level: DB_NONE is NULL */
	const char *text;
	size_t length;
};

/* One of the ways in which rows reach a table. */
struct writer {
	struct db *db;
	sqlite3_stmt *insert;
	struct bulk *bulk;
	struct btree *rows, *index;
	int64_t last_id;
};

static void insert_line(struct writer *w, const struct line *l)
{
	db_int(w->insert, 1, l->host);
	db_int(w->insert, 2, l->at);
	db_int_or_null(w->insert, 3, l->level);
	sqlite3_bind_text(w->insert, 4, l->text, (int)l->length, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(w->insert), SQLITE_DONE);
	sqlite3_reset(w->insert);
}

static void fill_row(struct row *row, const struct line *l)
{
	row_int(row, l->host);
	row_int(row, l->at);
	row_int_or_null(row, l->level);
	row_text(row, l->text, l->length);
}

/* The row, and its entry of an index on host_id and message. */
static void put_line(struct writer *w, const struct line *l)
{
	struct row *row = w->bulk ? bulk_row(w->bulk) : btree_row(w->rows);

	fill_row(row, l);
	assert_int_equal(w->bulk ? bulk_end(w->bulk) : btree_end_row(w->rows), ++w->last_id);
	if (!w->index)
		return;
	row = btree_row(w->index);
	row_int(row, l->host);
	row_text(row, l->text, l->length);
	row_int(row, w->last_id);
	btree_end_entry(w->index);
}

/* The i-th line of a set; false: there is none. Hosts rise, since an index goes by them. */
typedef bool (*lines)(int64_t i, struct line *ret_line);

static const int64_t numbers[] = {0, 1, 2, -1, 127, 128, -128, -129, 32767, 32768, -32768, -32769,
	8388607, 8388608, -8388608, -8388609, INT32_MAX, INT64_C(2147483648), INT32_MIN,
	INT64_C(-2147483649), INT64_C(140737488355327), INT64_C(140737488355328),
	INT64_C(-140737488355328), INT64_C(-140737488355329), INT64_MAX, INT64_MIN + 1, DB_NONE};

#define NUMBERS (int64_t)(sizeof(numbers) / sizeof(numbers[0]))

/* Each number beside each other. */
static bool line_of_numbers(int64_t i, struct line *ret_line)
{
	*ret_line = (struct line){i, numbers[i / NUMBERS % (NUMBERS - 1)], numbers[i % NUMBERS],
		text_of_all + i % 26, (size_t)(i % 20)};
	return i < NUMBERS * (NUMBERS - 1);
}

/* Every length up to three pages near which something changes in row or entry, and a few between:
 * what stays on the page depends on the length by the page. */
static bool is_edge(size_t length)
{
	static const unsigned edges[] = {0, 57, 122, 1003, 2030, 4096, 8157, 8188};
	size_t rest = length % (PAGE - 4);

	for (size_t k = 0; k < sizeof(edges) / sizeof(edges[0]); k++)
		if (rest + 24 >= edges[k] && rest <= edges[k] + 8u)
			return true;
	return length % 331 == 0;
}

static bool line_of_edges(int64_t i, struct line *ret_line)
{
	static size_t length;

	length = i ? length + 1 : 0;
	while (!is_edge(length))
		length++;
	*ret_line = (struct line){
		i, (int64_t)length, i % 3 ? i % 8 : DB_NONE, text_of_all + i % 26, length};
	return length < 3 * PAGE + 100;
}

/* The longest text, and longer ones, which are cut. */
static bool line_of_long_texts(int64_t i, struct line *ret_line)
{
	static const size_t lengths[] = {8185, 8186, 100000, 1000000, 1048569, 1048570,
		ROW_MAX_TEXT - 1, ROW_MAX_TEXT - 1, 5};

	if (i == (int64_t)(sizeof(lengths) / sizeof(lengths[0])))
		return false;
	*ret_line = (struct line){i, i, 3, text_of_all + i, lengths[i]};
	return true;
}

/* A leaf for each row, more of them than one page can name; of the index, a few entries a page. */
static bool line_of_levels(int64_t i, struct line *ret_line)
{
	*ret_line = (struct line){
		i, i * 1000003, i % 8, text_of_all + i % 26, (size_t)(i % 5 ? 8100 + i % 7 : 1900)};
	return i < 2500;
}

/* Many small rows. */
static bool line_of_leaves(int64_t i, struct line *ret_line)
{
	*ret_line = (struct line){
		i * 77, i << i % 40, DB_NONE, text_of_all + i % 26, (size_t)(i * 31 % 61)};
	return i < 200000;
}

static const lines sets[] = {
	line_of_numbers, line_of_edges, line_of_long_texts, line_of_levels, line_of_leaves};

#define SETS (sizeof(sets) / sizeof(sets[0]))

static void make(struct db *db, const char *sql)
{
	struct error err = ERROR_INIT;
	char *path = mem_printf("%s/x.db", place);

	assert_int_equal(db_create(db, path, true, &err), 0);
	assert_int_equal(db_run(db, "test",
				 "CREATE TABLE expected (host_id INTEGER, at_ns INTEGER, level "
				 "INTEGER, message TEXT)",
				 &err),
		0);
	assert_int_equal(db_run(db, "test", sql, &err), 0);
	free(path);
}

static void prepare(struct db *db, sqlite3_stmt **ret, const char *sql)
{
	if (sqlite3_prepare_v2(db->handle, sql, -1, ret, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db->handle));
}

/* Puts a set into expected, by INSERT. */
static void insert_set(struct db *db, lines set)
{
	struct writer w = {.db = db};
	struct error err = ERROR_INIT;
	struct line l;

	assert_int_equal(db_run(db, "test", "BEGIN", &err), 0);
	prepare(db, &w.insert, "INSERT INTO expected VALUES (?, ?, ?, ?)");
	for (int64_t i = 0; set(i, &l); i++)
		insert_line(&w, &l);
	sqlite3_finalize(w.insert);
	assert_int_equal(db_run(db, "test", "COMMIT", &err), 0);
}

static void assert_same_value(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
	int n = sqlite3_column_bytes(a, column);

	assert_int_equal(sqlite3_column_type(a, column), sqlite3_column_type(b, column));
	assert_int_equal(n, sqlite3_column_bytes(b, column));
	assert_int_equal(sqlite3_column_int64(a, column), sqlite3_column_int64(b, column));
	if (n)
		assert_memory_equal(
			sqlite3_column_blob(a, column), sqlite3_column_blob(b, column), n);
}

/* That two queries give the same rows, at least one, to the byte. */
static void assert_same(struct db *db, const char *one, const char *other)
{
	sqlite3_stmt *a, *b;
	int64_t rows = 0;

	prepare(db, &a, one);
	prepare(db, &b, other);
	while (sqlite3_step(a) == SQLITE_ROW) {
		assert_int_equal(sqlite3_step(b), SQLITE_ROW);
		for (int i = 0; i < sqlite3_column_count(a); i++)
			assert_same_value(a, b, i);
		rows++;
	}
	assert_int_equal(sqlite3_step(b), SQLITE_DONE);
	assert_true(rows > 0);
	sqlite3_finalize(a);
	sqlite3_finalize(b);
}

static void assert_as_expected(struct db *db)
{
	assert_sound(db);
	assert_same(db,
		"SELECT rowid, host_id, at_ns, level, message FROM kernel_log NOT INDEXED "
		"ORDER BY rowid",
		"SELECT rowid, * FROM expected ORDER BY rowid");
}

static void test_file(void **state)
{
	(void)state;
	for (size_t k = 0; k < SETS; k++) {
		struct error err = ERROR_INIT;
		struct btree_file *f;
		struct line l;
		struct db db;
		struct writer w = {.db = &db};

		make(&db, "CREATE INDEX k ON kernel_log(host_id, message)");
		insert_set(&db, sets[k]);
		assert_int_equal(btree_file_open(&f, &db, &err), 0);
		assert_int_equal(btree_file_tree(&w.rows, f, "kernel_log", &err), 0);
		assert_int_equal(btree_file_tree(&w.index, f, "k", &err), 0);
		for (int64_t i = 0; sets[k](i, &l); i++)
			put_line(&w, &l);
		btree_finish(w.rows);
		btree_finish(w.index);
		assert_int_equal(btree_file_close(f, &err), 0);
		assert_as_expected(&db);
		assert_same(&db,
			"SELECT host_id, message, rowid FROM kernel_log INDEXED BY k WHERE "
			"host_id >= 0 ORDER BY host_id",
			"SELECT host_id, message, rowid FROM expected ORDER BY rowid");
		db_close(&db);
	}
}

/* Behind rows that are there, and behind each other. */
static void test_bulk(void **state)
{
	static const char before[] = "INSERT INTO kernel_log (host_id, at_ns, level, message) "
				     "VALUES (1, 2, 3, 'before');"
				     "INSERT INTO expected SELECT host_id, at_ns, level, "
				     "message FROM kernel_log";
	struct error err = ERROR_INIT;
	struct db db;
	struct writer w = {.db = &db, .last_id = 1};

	(void)state;
	make(&db, before);
	for (size_t k = 0; k < SETS; k++) {
		struct line l;

		insert_set(&db, sets[k]);
		assert_int_equal(bulk_new(&w.bulk, &db, TABLE_KERNEL_LOG, w.last_id + 1, &err), 0);
		for (int64_t i = 0; sets[k](i, &l); i++)
			put_line(&w, &l);
		assert_int_equal(bulk_finish(w.bulk, &err), 0);
	}
	assert_as_expected(&db);
	db_close(&db);
}

/* What is longer than the longest text is cut there. */
static void test_cut(void **state)
{
	const struct line l = {1, 2, 3, text_of_all, TEXT_MAX};
	struct error err = ERROR_INIT;
	struct db db;
	struct writer w = {.db = &db};

	(void)state;
	make(&db, "");
	assert_int_equal(bulk_new(&w.bulk, &db, TABLE_KERNEL_LOG, 1, &err), 0);
	put_line(&w, &l);
	assert_int_equal(bulk_finish(w.bulk, &err), 0);
	assert_sound(&db);
	assert_int_equal(
		one_number(&db, "SELECT length(message) FROM kernel_log"), ROW_MAX_TEXT - 1);
	db_close(&db);
}

/* An entry of a key and a value of any serial type, as whoever makes records has them. */
static uint32_t make_record(
	uint8_t *record, uint16_t key, uint32_t serial, const void *value, uint32_t size)
{
	uint8_t *at = record + 1;

	*at++ = 2;
	at += put_varint(at, serial);
	record[0] = (uint8_t)(at - record);
	put16(at, key);
	memcpy(at + 2, value, size);
	return (uint32_t)(at + 2 + size - record);
}

/* Real numbers, and bytes of every length up to the longest record: what no table of ours has, but
 * the pages must hold. */
static void test_records(void **state)
{
	struct error err = ERROR_INIT;
	struct btree_file *f;
	struct btree *t;
	sqlite3_stmt *s;
	struct db db;

	(void)state;
	make(&db, "CREATE TABLE a (k INTEGER PRIMARY KEY, v) WITHOUT ROWID;"
		  "CREATE TABLE b (k INTEGER PRIMARY KEY, v) WITHOUT ROWID");
	assert_int_equal(db_run(&db, "test", "BEGIN", &err), 0);
	prepare(&db, &s, "INSERT INTO b VALUES (?, ?)");
	for (int i = 0; i <= 1000; i++) {
		db_int(s, 1, 1000 + i);
		if (i % 2)
			sqlite3_bind_double(s, 2, i / 8.0 + 0.001);
		else
			sqlite3_bind_blob(s, 2, text_of_all, i, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(s), SQLITE_DONE);
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
	assert_int_equal(db_run(&db, "test", "COMMIT", &err), 0);
	assert_int_equal(btree_file_open(&f, &db, &err), 0);
	assert_int_equal(btree_file_tree(&t, f, "a", &err), 0);
	for (uint16_t i = 0; i <= 1000; i++) {
		double real = i / 8.0 + 0.001;
		uint8_t record[BTREE_RECORD_MAX];
		uint64_t bits;

		memcpy(&bits, &real, 8);
		bits = __builtin_bswap64(bits);
		btree_add_entry(t, record,
			i % 2 ? make_record(record, 1000 + i, 7, &bits, 8)
			      : make_record(record, 1000 + i, 12 + 2 * i, text_of_all, i));
	}
	btree_finish(t);
	assert_int_equal(btree_file_close(f, &err), 0);
	assert_sound(&db);
	assert_same(&db, "SELECT * FROM a", "SELECT * FROM b");
	db_close(&db);
}

static int make_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(text_of_all); i++)
		text_of_all[i] = (char)('a' + i * i % 23);
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
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
