/*
 * dbtool: databases for tests, without captures.
 *
 *   dbtool make OUT.db FACTS.sql...	new database, facts from SQL text, indexes, judged
 *   dbtool facts OUT.db FACTS.sql...	the same, not judged
 *   dbtool plan DB			query plans of every statement of the rules, as
 *tab-separated lines: rule, line of the statement, plan id, parent id, text dbtool time DB
 *seconds that each statement of the rules took, those over 20 ms
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "judge/judge.h"

static int read_file(const char *path, struct strbuf *text, struct error *err)
{
	FILE *f = fopen(path, "re");
	char chunk[65536];
	size_t n;

	if (!f)
		return error_errno(err, "cannot open '%s'", path);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		strbuf_add(text, chunk, n);
	(void)fclose(f);
	return 0;
}

static int make(int argc, char **argv, bool judge, struct error *err)
{
	struct db db;
	int r = db_create(&db, argv[0], true, err);

	if (r == 0)
		r = db_run(&db, "begin", "BEGIN", err);
	for (int i = 1; i < argc && r == 0; i++) {
		CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;

		r = read_file(argv[i], &text, err);
		if (r == 0)
			r = db_run(&db, argv[i], text.text ? text.text : "", err);
	}
	if (r == 0)
		r = db_run(&db, "commit", "COMMIT", err);
	if (r == 0)
		r = db_run(&db, "indexes", schema_indexes, err);
	if (r == 0 && judge)
		r = judge_run(&db, NULL, err);
	if (r == 0)
		r = db_commit_file(&db, err);
	db_close(&db);
	return r;
}

static int line_of(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* Prints the plan of the statement at, unless it has none. */
static int explain(
	struct db *db, const char *name, int line, const char *at, size_t n, struct error *err)
{
	CLEANUP_FREE char *sql = mem_printf("EXPLAIN QUERY PLAN %.*s", (int)n, at);
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL) != SQLITE_OK)
		return error_set(err, -EINVAL, "%s:%d: %s", name, line, sqlite3_errmsg(db->handle));
	while (sqlite3_step(stmt) == SQLITE_ROW)
		(void)printf("%s\t%d\t%d\t%d\t%s\n", name, line, sqlite3_column_int(stmt, 0),
			sqlite3_column_int(stmt, 1), (const char *)sqlite3_column_text(stmt, 3));
	(void)sqlite3_finalize(stmt);
	return 0;
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Each statement is explained or timed, and run: later ones need its tables. */
static int plan_text(
	struct db *db, const char *name, const char *text, bool timing, struct error *err)
{
	double began;
	const char *at = text, *tail;
	sqlite3_stmt *stmt;
	int r;

	for (;;) {
		at += strspn(at, " \t\r\n;");
		if (at[0] == '-' && at[1] == '-') {
			at += strcspn(at, "\n");
			continue;
		}
		if (!*at)
			return 0;
		if (sqlite3_prepare_v2(db->handle, at, -1, &stmt, &tail) != SQLITE_OK)
			return error_set(err, -EINVAL, "%s:%d: %s", name, line_of(text, at),
				sqlite3_errmsg(db->handle));
		r = timing ? 0 : explain(db, name, line_of(text, at), at, (size_t)(tail - at), err);
		began = seconds();
		while (r == 0 && sqlite3_step(stmt) == SQLITE_ROW)
			continue;
		if (sqlite3_finalize(stmt) != SQLITE_OK && r == 0)
			r = error_set(err, -EINVAL, "%s:%d: %s", name, line_of(text, at),
				sqlite3_errmsg(db->handle));
		if (r)
			return r;
		if (timing && seconds() - began > 0.02)
			(void)printf("%7.3f %s:%d\n", seconds() - began, name, line_of(text, at));
		at = tail;
	}
}

/* Each rule has its tables for itself, as judge.c has it. */
static int plan_rule(struct db *db, const struct schema_text *rule, int64_t prepared, bool timing,
	struct error *err)
{
	int r = plan_text(db, rule->name, rule->text, timing, err);

	if (r == 0)
		r = timing ? plan_text(db, "number", schema_number, true, err)
			   : db_run(db, "number", schema_number, err);
	return r ? r : judge_drop_temporary(db, prepared, err);
}

static int plan(const char *path, bool timing, struct error *err)
{
	int64_t prepared = 0;
	struct db db;
	int r = db_open_writable(&db, path, err);

	if (r == 0)
		r = db_run(&db, "begin", "BEGIN", err);
	if (r == 0)
		r = plan_text(&db, "totals", schema_totals, timing, err);
	for (const struct schema_text *t = schema_prepare; t->name && r == 0; t++)
		r = plan_text(&db, t->name, t->text, timing, err);
	if (r == 0)
		r = plan_text(&db, "statement/finding_subject", schema_statement_finding_subject,
			timing, err);
	if (r == 0)
		r = judge_last_temporary(&db, &prepared, err);
	if (r == 0 && !timing)
		r = plan_text(&db, "number", schema_number, false, err);
	if (r == 0)
		r = judge_drop_temporary(&db, prepared, err);
	for (const struct schema_text *t = schema_rules; t->name && r == 0; t++)
		r = plan_rule(&db, t, prepared, timing, err);
	if (r == 0)
		r = plan_text(&db, "link", schema_link, timing, err);
	db_close(&db);
	return r;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	int r = -EINVAL;

	if (argc >= 3 && strcmp(argv[1], "make") == 0)
		r = make(argc - 2, argv + 2, true, &err);
	else if (argc >= 3 && strcmp(argv[1], "facts") == 0)
		r = make(argc - 2, argv + 2, false, &err);
	else if (argc == 3 && (strcmp(argv[1], "plan") == 0 || strcmp(argv[1], "time") == 0))
		r = plan(argv[2], strcmp(argv[1], "time") == 0, &err);
	else
		(void)error_set(
			&err, r, "usage: dbtool make|facts OUT.db FACTS.sql... | plan|time DB");
	if (r == 0)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "dbtool: %s\n", err.text);
	return EXIT_FAILURE;
}
