#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "store/functions.h"
#include "store/page.h"

/* Nothing reads the file before it is renamed, so a journal would only cost. */
static const char loading_pragmas[] = "PRAGMA journal_mode = OFF;"
				      "PRAGMA synchronous = OFF;"
				      "PRAGMA cache_size = -16384;"
				      "PRAGMA mmap_size = 1073741824;"
				      "PRAGMA temp_store = MEMORY;";

/* Judging and reporting read large tables from end to end and sort in temporary ones. */
static const char opened_pragmas[] = "PRAGMA cache_size = -65536;"
				     "PRAGMA temp_store = MEMORY;";

/*
 * With a journal ahead of the file readers go on with what it was, and never hold up who writes. A
 * file system that cannot do that keeps its mode. A connection that goes away puts the mode back,
 * unless somebody still reads: then the next one does.
 */
static const char writable_pragmas[] = "PRAGMA mmap_size = 1073741824;"
				       "PRAGMA journal_mode = WAL;";
static const char closing_pragmas[] = "PRAGMA journal_mode = DELETE;";

static int db_fail(struct db *db, const char *what, struct error *err)
{
	int code = sqlite3_errcode(db->handle);

	if (db->path && (code == SQLITE_IOERR || code == SQLITE_FULL))
		return error_set(err, -EIO, "cannot write '%s': %s; check the free disk space",
			db->path, sqlite3_errmsg(db->handle));
	return error_set(err, -EIO, "%s: %s", what, sqlite3_errmsg(db->handle));
}

int db_run(struct db *db, const char *what, const char *sql, struct error *err)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_fail(db, what, err);
	return 0;
}

static int db_set_identity(struct db *db, struct error *err)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
		DB_APPLICATION_ID, DB_USER_VERSION);
	return db_run(db, "schema", sql, err);
}

static int db_make_tables(struct db *db, struct error *err)
{
	int r = page_configure(db->handle) == SQLITE_OK
			? 0
			: db_fail(db, "cannot make the database", err);

	if (r == 0)
		r = db_run(db, "schema", loading_pragmas, err);
	if (r == 0)
		r = db_run(db, "schema", schema_statement_begin, err);
	if (r == 0)
		r = db_set_identity(db, err);
	if (r == 0)
		r = db_run(db, "schema", schema_ddl, err);
	if (r == 0)
		r = db_run(db, "schema", schema_views, err);
	if (r == 0)
		r = db_run(db, "schema", schema_settings, err);
	if (r == 0)
		r = db_run(db, "schema", schema_defects, err);
	if (r == 0)
		r = db_run(db, "schema", schema_drop_reasons, err);
	if (r == 0)
		r = db_run(db, "schema", schema_traits, err);
	return r ? r : db_run(db, "schema", schema_statement_commit, err);
}

/* An empty file is nobody's. */
static bool db_is_replaceable(const char *path, off_t size)
{
	uint8_t head[72] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));

	if (fd >= 0)
		(void)close(fd);
	return size == 0 ||
	       (n == (ssize_t)sizeof(head) && memcmp(head, "SQLite format 3", 16) == 0 &&
		       be32(head + 68) == DB_APPLICATION_ID);
}

/* A clear line for the common ways in which an output path cannot be written. */
static int db_check_place(const char *path, bool force, struct error *err)
{
	struct stat st;

	if (!*path)
		return error_set(err, -ENOENT, "--output is empty; use --output FILE");
	if (strcmp(path, "-") == 0)
		return error_set(
			err, -EINVAL, "a database cannot go to standard output; use --output FILE");
	if (stat(path, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, "cannot write '%s': it is a folder", path);
	/* The rename at the end would put a file in a device's place. */
	if (!S_ISREG(st.st_mode))
		return error_set(err, -EINVAL,
			"cannot write '%s': it is not a regular file; use another --output", path);
	if (!db_is_replaceable(path, st.st_size))
		return error_set(err, -EEXIST,
			"'%s' exists and is not a database of bothends, so it stays; use another "
			"--output",
			path);
	if (!force)
		return error_set(err, DB_EXISTS,
			"'%s' exists; use --force to replace it, or another --output", path);
	return 0;
}

/* Statistics of memory that nobody reads cost a lock for each allocation. */
static void db_configure(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
		0); /* refused when another part of the program was first */
}

int db_create(struct db *db, const char *path, bool force, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int r;

	(void)pthread_once(&once, db_configure);
	*db = (struct db){0};
	if (path) {
		r = db_check_place(path, force, err);
		if (r)
			return r;
		db->path = mem_strdup(path);
		db->replace = force;
		r = unfinished_make(&db->unfinished, path, err);
		if (r)
			return r;
	}
	if (sqlite3_open(path ? db->unfinished.name : ":memory:", &db->handle) != SQLITE_OK)
		return db_fail(db, "cannot make the database", err);
	r = functions_register(db->handle);
	if (r != SQLITE_OK)
		return db_fail(db, "cannot register functions", err);
	return db_make_tables(db, err);
}

/* How long others may keep the file: a report a few seconds; an incremental run waits for reports,
 * and for another one. */
#define READER_WAITS_MS 10000
#define WRITER_WAITS_MS 600000
#define SWITCH_WAITS_MS 2000

/* The value of an integer PRAGMA, which is never below 0; or an extended result code, negated. */
static int db_pragma_value(sqlite3 *handle, const char *sql)
{
	sqlite3_stmt *stmt;
	int value;

	if (sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) != SQLITE_OK)
		return -sqlite3_extended_errcode(handle);
	value = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int(stmt, 0)
						 : -sqlite3_extended_errcode(handle);
	(void)sqlite3_finalize(stmt);
	return value;
}

/* Only what was read can be none of ours: a database that is in use, or that a killed run left half
 * changed, is good. */
static int db_refuse(const char *path, sqlite3 *handle, int code, struct error *err)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, -EBUSY,
			"'%s' is in use by another program, which is changing it; try again later",
			path);
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return error_set(err, -EROFS,
			"a run that changed '%s' was interrupted, and to undo that takes the right "
			"to write it and its folder; run bothends judge as its owner",
			path);
	case SQLITE_IOERR:
	case SQLITE_NOMEM:
		return error_set(err, -EIO, "cannot read '%s': %s", path, sqlite3_errmsg(handle));
	default:
		return error_set(err, -EINVAL,
			"'%s' is not a bothends database (bothends analyze creates one)", path);
	}
}

static int db_open_existing(struct db *db, const char *path, int flags, struct error *err)
{
	int version, id;

	*db = (struct db){.path = mem_strdup(path)};
	if (access(path, R_OK) < 0)
		return error_set(err, -errno, "cannot open '%s': %s%s", path, strerror(errno),
			errno == ENOENT ? " (bothends analyze creates a database)" : "");
	if (sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK)
		return error_set(
			err, -EIO, "cannot open '%s': %s", path, sqlite3_errmsg(db->handle));
	(void)sqlite3_busy_timeout(
		db->handle, flags & SQLITE_OPEN_READONLY ? READER_WAITS_MS : WRITER_WAITS_MS);
	id = db_pragma_value(db->handle, "PRAGMA application_id");
	if (id != DB_APPLICATION_ID)
		return db_refuse(path, db->handle, id < 0 ? -id : SQLITE_NOTADB, err);
	version = db_pragma_value(db->handle, "PRAGMA user_version");
	if (version != DB_USER_VERSION)
		return error_set(err, -EINVAL,
			"'%s' has schema version %d, this program needs %d; analyze the captures "
			"again",
			path, version, DB_USER_VERSION);
	/* The file may come from a stranger: its views get no function that does more than compute.
	 * (For writing our own CHECK constraints need json_valid(), which SQLite does not count
	 * among those.) */
	if (flags & SQLITE_OPEN_READONLY)
		(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (functions_register(db->handle) != SQLITE_OK)
		return db_fail(db, "cannot register functions", err);
	return db_run(db, path, opened_pragmas, err);
}

int db_open(struct db *db, const char *path, struct error *err)
{
	return db_open_existing(db, path, SQLITE_OPEN_READONLY, err);
}

/* Judging reads rows here and there: mapped, they need no copy. Who only reads may look at a file
 * that others cut. */
int db_open_writable(struct db *db, const char *path, struct error *err)
{
	int r = db_open_existing(db, path, SQLITE_OPEN_READWRITE, err);

	if (r)
		return r;
	if (sqlite3_db_readonly(db->handle, "main"))
		return error_set(err, -EROFS,
			"cannot write '%s': it is read-only, by its permissions or its file system",
			path);
	db->shared = true;
	/* Where somebody reads just now it stays as it is, and writing waits. */
	(void)sqlite3_busy_timeout(db->handle, SWITCH_WAITS_MS);
	(void)sqlite3_exec(db->handle, writable_pragmas, NULL, NULL, NULL);
	(void)sqlite3_busy_timeout(db->handle, WRITER_WAITS_MS);
	return 0;
}

sqlite3_stmt *db_insert(struct db *db, enum schema_table table)
{
	sqlite3_stmt **slot = &db->inserts[table];

	assert(table < SCHEMA_TABLES);
	if (*slot)
		return *slot;
	if (sqlite3_prepare_v3(db->handle, schema_insert[table], -1, SQLITE_PREPARE_PERSISTENT,
		    slot, NULL) != SQLITE_OK) {
		(void)fprintf(
			stderr, "bug: %s: %s\n", schema_insert[table], sqlite3_errmsg(db->handle));
		abort();
	}
	return *slot;
}

void db_step(struct db *db, sqlite3_stmt *stmt)
{
	int r = sqlite3_step(stmt);

	/* The first error is kept; later rows fail for the same reason. */
	if (r != SQLITE_DONE && r != SQLITE_ROW) {
		db->failed = db->failed ? db->failed : sqlite3_extended_errcode(db->handle);
		if (!db->failure[0])
			(void)snprintf(
				db->failure, sizeof(db->failure), "%s", sqlite3_errmsg(db->handle));
	}
	(void)sqlite3_reset(stmt);
}

int db_failed(struct db *db, struct error *err)
{
	if (!db->failed)
		return 0;
	return error_set(
		err, -EIO, "cannot write '%s': %s", db->path ? db->path : "(memory)", db->failure);
}

int db_commit_file(struct db *db, struct error *err)
{
	int r = db_failed(db, err);

	if (r || !db->unfinished.name)
		return r;
	return unfinished_commit(&db->unfinished, db->path, db->replace, err);
}

void db_close(struct db *db)
{
	for (int i = 0; i < SCHEMA_TABLES; i++)
		(void)sqlite3_finalize(db->inserts[i]);
	if (db->shared) {
		(void)sqlite3_busy_timeout(db->handle, 0);
		(void)sqlite3_exec(db->handle, closing_pragmas, NULL, NULL, NULL);
	}
	(void)sqlite3_close(db->handle);
	unfinished_discard(&db->unfinished);
	free(db->path);
	*db = (struct db){0};
}
