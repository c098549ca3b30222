#include "judge/judge.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

#define RULE_FILE_MAX (1 << 20) /* bytes; a rule is a page, not a dump */

/* Tables in main that a rule may write. */
static bool judge_may_write(const char *table)
{
	static const char *const open[] = {"finding", "finding_news", "evidence", "defect",
		"defect_condition", "drop_reason", "trait", "loss_cause"};

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (strcmp(table, open[i]) == 0)
			return true;
	return false;
}

/* Rules read everything, write the derived tables, and do as they like in temp. Nothing else. */
static int judge_authorize(void *unused, int action, const char *a, const char *b,
	const char *database, const char *trigger)
{
	bool temporary = database && strcmp(database, "temp") == 0;

	(void)unused;
	(void)b;
	(void)trigger;
	switch (action) {
	case SQLITE_INSERT:
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
		return temporary || judge_may_write(a) ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_CREATE_TABLE:
	case SQLITE_CREATE_INDEX:
	case SQLITE_CREATE_VIEW:
	case SQLITE_CREATE_TRIGGER:
	case SQLITE_CREATE_VTABLE:
	case SQLITE_DROP_TABLE:
	case SQLITE_DROP_INDEX:
	case SQLITE_DROP_VIEW:
	case SQLITE_DROP_TRIGGER:
	case SQLITE_DROP_VTABLE:
	case SQLITE_ALTER_TABLE:
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
	case SQLITE_PRAGMA:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return SQLITE_DENY;
	default:
		return SQLITE_OK;
	}
}

static int judge_line_of(const char *text, const char *at)
{
	int line = 1;

	assert(text <= at);
	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

static int judge_failed(
	struct db *db, const char *name, const char *text, const char *at, struct error *err)
{
	int offset = sqlite3_error_offset(db->handle);

	return error_set(err, -EINVAL, "%s:%d: %s", name,
		judge_line_of(text, at + (offset > 0 ? offset : 0)), sqlite3_errmsg(db->handle));
}

/* Where the next statement begins: an error belongs to its line, not to the comment above it. */
static const char *judge_skip_comments(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\r\n;");
		if (p[0] != '-' || p[1] != '-')
			return p;
		p += strcspn(p, "\n");
	}
}

/*
 * What a text needs: a line "-- if: SELECT ..." among the comments at its beginning. NULL: nothing.
 * Most rules have nothing to judge in most captures, and preparing their statements takes longer
 * than asking.
 */
static const char *judge_condition(const char *text, size_t *ret_length)
{
	static const char mark[] = "-- if: ";

	for (; strncmp(text, "--", 2) == 0; text += *text == '\n') {
		size_t n = strcspn(text, "\n");

		if (strncmp(text, mark, sizeof(mark) - 1) == 0) {
			assert(n >= sizeof(mark) - 1);
			*ret_length = n - (sizeof(mark) - 1);
			return text + sizeof(mark) - 1;
		}
		text += n;
	}
	return NULL;
}

static int judge_holds(
	struct db *db, const char *name, const char *text, bool *ret_holds, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	const char *sql;
	size_t length;
	int r;

	*ret_holds = true;
	sql = judge_condition(text, &length);
	if (!sql)
		return 0;
	if (sqlite3_prepare_v2(db->handle, sql, (int)length, &stmt, NULL) != SQLITE_OK)
		return judge_failed(db, name, text, sql, err);
	r = sqlite3_step(stmt);
	*ret_holds = r == SQLITE_ROW;
	(void)sqlite3_finalize(stmt);
	return r == SQLITE_ROW || r == SQLITE_DONE ? 0 : judge_failed(db, name, text, sql, err);
}

static int judge_run_statements(
	struct db *db, const char *name, const char *text, struct error *err)
{
	const char *at = judge_skip_comments(text), *tail;
	sqlite3_stmt *stmt;
	int r;

	for (; *at; at = judge_skip_comments(tail)) {
		if (sqlite3_prepare_v2(db->handle, at, -1, &stmt, &tail) != SQLITE_OK)
			return judge_failed(db, name, text, at, err);
		do {
			r = sqlite3_step(stmt);
		} while (r == SQLITE_ROW);
		if (sqlite3_finalize(stmt) != SQLITE_OK)
			return judge_failed(db, name, text, at, err);
	}
	return 0;
}

/* Runs each statement of text, if its condition holds. */
static int judge_run_text(struct db *db, const char *name, const char *text, struct error *err)
{
	bool wanted;
	int r = judge_holds(db, name, text, &wanted, err);

	return r || !wanted ? r : judge_run_statements(db, name, text, err);
}

int judge_last_temporary(struct db *db, int64_t *ret_last, struct error *err)
{
	sqlite3_stmt *stmt;
	int r;

	if (sqlite3_prepare_v2(db->handle, schema_statement_temporary_last, -1, &stmt, NULL) !=
		SQLITE_OK)
		return error_set(err, -EIO, "judge: %s", sqlite3_errmsg(db->handle));
	r = sqlite3_step(stmt);
	*ret_last = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return r == SQLITE_ROW ? 0 : error_set(err, -EIO, "judge: %s", sqlite3_errmsg(db->handle));
}

int judge_drop_temporary(struct db *db, int64_t after, struct error *err)
{
	CLEANUP_STRBUF struct strbuf drops = STRBUF_INIT;
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db->handle, schema_statement_temporary, -1, &stmt, NULL) !=
		SQLITE_OK)
		return error_set(err, -EIO, "judge: %s", sqlite3_errmsg(db->handle));
	(void)sqlite3_bind_int64(stmt, 1, after);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		strbuf_printf(&drops, "%s;", (const char *)sqlite3_column_text(stmt, 0));
	(void)sqlite3_finalize(stmt);
	return drops.length ? db_run(db, "judge", drops.text, err) : 0;
}

/*
 * Runs a rule, gives what it found its numbers, and drops the tables it made: those after prepared,
 * the last that all rules share. Each rule thus has its own names and its own keys.
 */
static int judge_run_rule(
	struct db *db, const char *name, const char *text, int64_t prepared, struct error *err)
{
	CLEANUP_FREE char *numbering = NULL;
	bool wanted;
	int r = judge_holds(db, name, text, &wanted, err);

	if (r || !wanted)
		return r;
	r = judge_run_statements(db, name, text, err);
	if (r)
		return r;
	numbering = mem_printf("%s: number.sql", name);
	r = judge_run_text(db, numbering, schema_number, err);
	return r ? r : judge_drop_temporary(db, prepared, err);
}

static int judge_run_prepare(struct db *db, struct error *err)
{
	int r = 0;

	for (const struct schema_text *t = schema_prepare; t->name && r == 0; t++) {
		CLEANUP_FREE char *name = mem_printf("%s.sql", t->name);

		r = judge_run_text(db, name, t->text, err);
	}
	return r;
}

static int judge_run_own_rules(struct db *db, int64_t prepared, struct error *err)
{
	int r = 0;

	for (const struct schema_text *t = schema_rules; t->name && r == 0; t++) {
		CLEANUP_FREE char *name = mem_printf("rules/%s.sql", t->name);

		r = judge_run_rule(db, name, t->text, prepared, err);
	}
	return r;
}

static int judge_read_rule(const char *path, struct strbuf *text, struct error *err)
{
	FILE *f = fopen(path, "re");
	char chunk[8192];
	size_t n;
	int r = 0;

	if (!f)
		return error_errno(err, "cannot read rule '%s'", path);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0 && text->length <= RULE_FILE_MAX)
		strbuf_add(text, chunk, n);
	if (ferror(f))
		r = error_errno(err, "cannot read rule '%s'", path);
	else if (text->length > RULE_FILE_MAX)
		r = error_set(err, -EFBIG, "rule '%s' is larger than 1 MiB", path);
	else if (text->text && strlen(text->text) != text->length)
		r = error_set(err, -EINVAL, "rule '%s' contains a NUL byte", path);
	(void)fclose(f);
	return r;
}

static int judge_is_rule(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return d->d_name[0] != '.' && dot && strcmp(dot, ".sql") == 0;
}

/* strcmp order: the same whatever the locale. */
static int judge_by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int judge_run_users_rule(
	struct db *db, const char *dir, const char *name, int64_t prepared, struct error *err)
{
	CLEANUP_FREE char *path = mem_printf("%s/%s", dir, name);
	CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
	int r = judge_read_rule(path, &text, err);

	if (r == 0 && text.length)
		r = judge_run_rule(db, path, text.text, prepared, err);
	return r;
}

static int judge_run_users_rules(
	struct db *db, const char *dir, int64_t prepared, struct error *err)
{
	struct dirent **names;
	int n = scandir(dir, &names, judge_is_rule, judge_by_name), r = 0;

	if (n < 0)
		return error_errno(err, "cannot read the rules in '%s'", dir);
	if (n == 0)
		r = error_set(err, -ENOENT, "no rules (*.sql) in '%s'", dir);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = judge_run_users_rule(db, dir, names[i]->d_name, prepared, err);
		free(names[i]);
	}
	free(names);
	return r;
}

static int judge_run_all(struct db *db, const char *rules_dir, struct error *err)
{
	int64_t prepared = 0;
	int r = judge_run_text(db, "totals.sql", schema_totals, err);

	if (r == 0)
		r = judge_run_prepare(db, err);
	if (r == 0)
		r = judge_run_text(
			db, "finding_subject.sql", schema_statement_finding_subject, err);
	if (r == 0)
		r = judge_last_temporary(db, &prepared, err);
	(void)sqlite3_set_authorizer(db->handle, judge_authorize, NULL);
	if (r == 0)
		r = judge_run_own_rules(db, prepared, err);
	if (r == 0 && rules_dir)
		r = judge_run_users_rules(db, rules_dir, prepared, err);
	if (r == 0)
		r = judge_run_text(db, "link.sql", schema_link, err);
	(void)sqlite3_set_authorizer(db->handle, NULL, NULL);
	return r;
}

int judge_run(struct db *db, const char *rules_dir, struct error *err)
{
	bool own_transaction = sqlite3_get_autocommit(db->handle);
	int r = own_transaction ? db_run(db, "judge", "BEGIN", err) : 0;

	if (r)
		return r;
	/* It may have run on this connection before. */
	r = judge_drop_temporary(db, 0, err);
	if (r == 0)
		r = judge_run_all(db, rules_dir, err);
	if (r == 0)
		r = judge_drop_temporary(db, 0, err);
	if (!own_transaction)
		return r;
	if (r == 0)
		return db_run(db, "judge", "COMMIT", err);
	(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	return r;
}
