#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/bulk.h"
#include "sound.h"

/* kernel_log: host_id, at_ns, level, message. Numbers at every edge of every width. */
static const int64_t numbers[] = {0, 1, 2, -1, 127, 128, -128, -129, 32767, 32768, -32768, -32769,
	8388607, 8388608, -8388608, -8388609, INT32_MAX, INT64_C(2147483648), INT32_MIN,
	INT64_C(-2147483649), INT64_C(140737488355327), INT64_C(140737488355328),
	INT64_C(-140737488355328), INT64_C(-140737488355329), INT64_MAX, INT64_MIN + 1};

static void test_numbers(void **state)
{
	struct error err = ERROR_INIT;
	struct bulk *b;
	struct db db;

	(void)state;
	assert_int_equal(db_create(&db, NULL, false, &err), 0);
	assert_int_equal(bulk_new(&b, &db, TABLE_KERNEL_LOG, 1, &err), 0);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct row *row = bulk_row(b);

		row_int(row, (int64_t)i);
		row_int(row, numbers[i]);
		row_null(row);
		row_text(row, "x", 1);
		assert_int_equal(bulk_end(b), i + 1);
	}
	if (bulk_finish(b, &err) < 0)
		fail_msg("%s", err.text);
	assert_sound(&db);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char sql[96];

		snprintf(sql, sizeof(sql), "SELECT at_ns FROM kernel_log WHERE rowid = %zu", i + 1);
		assert_int_equal(one_number(&db, sql), numbers[i]);
	}
	assert_int_equal(one_number(&db, "SELECT count(*) FROM kernel_log WHERE level IS NULL"),
		sizeof(numbers) / sizeof(numbers[0]));
	db_close(&db);
}

/* Texts around every length at which the page format changes: 1-byte types, leaf, overflow pages.
 */
static void test_texts(void **state)
{
	static const size_t lengths[] = {0, 1, 16, 17, 56, 57, 58, 900, 980, 1003, 4000, 8100, 8140,
		8150, 8157, 8158, 8192, 8200, 9000, 16000, 16384, 20000, 100000, 1000000};
	char *text = malloc(1000000);
	struct error err = ERROR_INIT;
	struct bulk *b;
	struct db db;

	(void)state;
	for (size_t i = 0; i < 1000000; i++)
		text[i] = (char)('a' + i % 26);
	assert_int_equal(db_create(&db, NULL, false, &err), 0);
	assert_int_equal(bulk_new(&b, &db, TABLE_KERNEL_LOG, 1, &err), 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct row *row = bulk_row(b);

		row_int(row, 1);
		row_int(row, (int64_t)lengths[i]);
		row_null(row);
		row_text(row, text, lengths[i]);
		(void)bulk_end(b);
	}
	assert_int_equal(bulk_finish(b, &err), 0);
	assert_sound(&db);
	assert_int_equal(
		one_number(&db, "SELECT count(*) FROM kernel_log WHERE length(message) = at_ns"),
		sizeof(lengths) / sizeof(lengths[0]));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		sqlite3_stmt *s;

		sqlite3_prepare_v2(
			db.handle, "SELECT message FROM kernel_log WHERE rowid = ?", -1, &s, NULL);
		sqlite3_bind_int64(s, 1, (int64_t)i + 1);
		assert_int_equal(sqlite3_step(s), SQLITE_ROW);
		assert_memory_equal(sqlite3_column_text(s, 0), text, lengths[i]);
		sqlite3_finalize(s);
	}
	db_close(&db);
	free(text);
}

/* More rows than one image holds, twice into the same table. */
static void test_many(void **state)
{
	enum { ROWS = 300000 };
	struct error err = ERROR_INIT;
	struct db db;

	(void)state;
	assert_int_equal(db_create(&db, NULL, false, &err), 0);
	for (int64_t first = 1; first < 2 * ROWS; first += ROWS) {
		struct bulk *b;

		assert_int_equal(bulk_new(&b, &db, TABLE_KERNEL_LOG, first, &err), 0);
		for (int64_t i = 0; i < ROWS; i++) {
			struct row *row = bulk_row(b);

			row_int(row, first + i);
			row_int(row, i % 8);
			row_int_or_null(row, i % 2 ? i : DB_NONE);
			row_text(row,
				"the quick brown fox jumps over the lazy dog, again and again and "
				"again",
				(size_t)(i % 70));
			(void)bulk_end(b);
		}
		assert_int_equal(bulk_finish(b, &err), 0);
	}
	assert_sound(&db);
	assert_int_equal(
		one_number(&db, "SELECT count(*) FROM kernel_log WHERE host_id = rowid"), 2 * ROWS);
	assert_int_equal(one_number(&db, "SELECT max(rowid) FROM kernel_log"), 2 * ROWS);
	assert_int_equal(one_number(&db, "SELECT sum(length(message)) FROM kernel_log"),
		2 * (int64_t)(ROWS / 70 * (69 * 70 / 2) + (ROWS % 70) * (ROWS % 70 - 1) / 2));
	db_close(&db);
}

/* Nothing loaded is fine too, and a full database is told. */
static void test_none(void **state)
{
	struct error err = ERROR_INIT;
	struct bulk *b;
	struct db db;

	(void)state;
	assert_int_equal(db_create(&db, NULL, false, &err), 0);
	assert_int_equal(bulk_new(&b, &db, TABLE_KERNEL_LOG, 1, &err), 0);
	assert_int_equal(bulk_finish(b, &err), 0);
	assert_int_equal(one_number(&db, "SELECT count(*) FROM kernel_log"), 0);
	assert_int_equal(
		sqlite3_exec(db.handle, "PRAGMA max_page_count = 60", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(bulk_new(&b, &db, TABLE_KERNEL_LOG, 1, &err), 0);
	for (int i = 0; i < 100000; i++) {
		struct row *row = bulk_row(b);

		row_int(row, 1);
		row_null(row);
		row_null(row);
		row_text(row, "a line", 6);
		(void)bulk_end(b);
	}
	assert_true(bulk_finish(b, &err) < 0);
	assert_non_null(strstr(err.text, "full"));
	db_close(&db);
}

static int reserved_bytes(
	sqlite3 *handle, char **ret_message, const struct sqlite3_api_routines *api)
{
	(void)ret_message;
	(void)api;
	return sqlite3_file_control(handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &(int){16});
}

/* With a library that keeps a part of each page for itself nothing is loaded: these pages would not
 * be read right. */
static void test_reserved_bytes(void **state)
{
	struct error err = ERROR_INIT;
	struct bulk *b;
	struct db db;

	(void)state;
	assert_int_equal(db_create(&db, NULL, false, &err), 0);
	assert_int_equal(sqlite3_auto_extension((void (*)(void))reserved_bytes), SQLITE_OK);
	assert_int_equal(bulk_new(&b, &db, TABLE_KERNEL_LOG, 1, &err), -ENOTSUP);
	sqlite3_reset_auto_extension();
	assert_non_null(strstr(err.text, "reserved bytes"));
	db_close(&db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_reserved_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
