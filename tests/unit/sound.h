/* sound: what SQLite itself says of a database that a test has made. */
#pragma once

#include "store/db.h"

/* The first number of the first row. */
static inline int64_t one_number(struct db *db, const char *sql)
{
	sqlite3_stmt *s;
	int64_t v;

	assert_int_equal(sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	v = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return v;
}

/* What SQLite compares: every entry of an index with its row, order, and that each page is used
 * once. */
static inline void assert_sound(struct db *db)
{
	sqlite3_stmt *s;

	assert_int_equal(
		sqlite3_prepare_v2(db->handle, "PRAGMA integrity_check", -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	assert_string_equal(sqlite3_column_text(s, 0), "ok");
	sqlite3_finalize(s);
}
