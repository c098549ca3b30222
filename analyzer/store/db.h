/*
 * db: the SQLite file. Made beside its final place and renamed when complete, so that a killed run
 * leaves the old file or none. All SQL text comes from schema/.
 */
#pragma once

#include <assert.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "schema_data.h"
#include "store/unfinished.h"

#define DB_APPLICATION_ID 0x626f7468 /* "both" */
#define DB_USER_VERSION 8

struct db {
	sqlite3 *handle;
	sqlite3_stmt *inserts[SCHEMA_TABLES]; /* prepared when first used */
	char *path;
	struct unfinished unfinished; /* until it is committed; none of an opened one */
	bool replace;		      /* what is at path when it is committed */
	bool shared;		      /* opened for writing: others may read it */
	int failed;		      /* first extended SQLite error of a step; 0 none */
	char failure[256];	      /* its text */
};

enum db_result {
	DB_OK = 0,
	DB_EXISTS = 1, /* db_create: path is there and force is false; err has the line */
};

/*
 * Starts a new database for path: tables, settings and defects are there, indexes are not. With
 * path NULL: in memory (tests). The caller releases it with db_close().
 */
int db_create(struct db *db, const char *path, bool force, struct error *err);

/* Opens a finished database read-only; err says when it is none of ours, or newer than this
 * program. */
int db_open(struct db *db, const char *path, struct error *err);

/* Opens a finished database for writing (incremental runs). */
int db_open_writable(struct db *db, const char *path, struct error *err);

/* Flushes to disk and renames to the final path; without force an error where somebody else made it
 * in the meantime. After it the handle stays usable. */
int db_commit_file(struct db *db, struct error *err);

/* Removes an uncommitted temporary file. Safe on a zeroed struct, and twice. */
void db_close(struct db *db);

/* Runs SQL text of one or more statements; what names it in the message. */
int db_run(struct db *db, const char *what, const char *sql, struct error *err);

/* The prepared INSERT of a table with all its columns in order; ends the program when our own SQL
 * is wrong. */
sqlite3_stmt *db_insert(struct db *db, enum schema_table table);

/* Steps and resets. Full disk and the like are remembered: db_failed() tells, so that callers need
 * not check each row. */
void db_step(struct db *db, sqlite3_stmt *stmt);
int db_failed(struct db *db, struct error *err);

/* The columns of a statement are numbered by hand: a wrong number ends the program here. */
static inline void db_bound(int result)
{
	(void)result;
	assert(result != SQLITE_RANGE);
}

/* Binding in order: each takes the statement and a column from 1; NULL text binds NULL. */
static inline void db_int(sqlite3_stmt *s, int column, int64_t v)
{
	db_bound(sqlite3_bind_int64(s, column, v));
}

static inline void db_null(sqlite3_stmt *s, int column)
{
	db_bound(sqlite3_bind_null(s, column));
}

/* The text must stay as it is until db_step(). */
static inline void db_text(sqlite3_stmt *s, int column, const char *v)
{
	db_bound(sqlite3_bind_text(s, column, v, -1, SQLITE_STATIC));
}

static inline void db_real(sqlite3_stmt *s, int column, double v)
{
	db_bound(sqlite3_bind_double(s, column, v));
}

/* INT64_MIN is how this program says "none" in an integer that may be absent. */
#define DB_NONE INT64_MIN
static inline void db_int_or_null(sqlite3_stmt *s, int column, int64_t v)
{
	if (v == DB_NONE)
		db_null(s, column);
	else
		db_int(s, column, v);
}
