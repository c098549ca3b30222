#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "judge/judge.h"

static int64_t value(struct db *db, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t v;

	assert_int_equal(sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	v = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return v;
}

static void open_db(struct db *db)
{
	struct error err = ERROR_INIT;

	assert_int_equal(db_create(db, NULL, false, &err), 0);
	assert_int_equal(db_run(db, "indexes", schema_indexes, &err), 0);
	/* as a finished file has it; while one is made there is no journal */
	assert_int_equal(db_run(db, "test", "PRAGMA journal_mode = MEMORY", &err), 0);
}

/* A folder with one rule; the caller removes it. */
static void write_rule(char dir[64], const char *text)
{
	char path[96];
	FILE *f;

	strcpy(dir, "/tmp/test_judge.XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/mine.sql", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
}

static void remove_rule(const char *dir)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/mine.sql", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static const char two_findings[] =
	"INSERT INTO finding (kind, severity, confidence, summary) VALUES ('b', 'notice', 1, 'x');"
	"INSERT INTO finding (kind, severity, confidence, summary) VALUES ('a', 'critical', 1, "
	"'x');"
	"INSERT INTO evidence (finding_id, note) SELECT id, kind FROM finding;";

static void test_order_and_repetition(void **state)
{
	struct error err = ERROR_INIT;
	char dir[64];
	struct db db;

	(void)state;
	open_db(&db);
	write_rule(dir, two_findings);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(judge_run(&db, dir, &err), 0);
		assert_int_equal(value(&db, "SELECT count(*) FROM finding"), 2);
		assert_int_equal(value(&db, "SELECT id FROM finding WHERE kind = 'a'"), 1);
		assert_int_equal(value(&db, "SELECT count(*) FROM evidence e JOIN finding f ON "
					    "f.id = e.finding_id "
					    "AND f.kind = e.note"),
			2);
	}
	assert_int_equal(
		value(&db, "SELECT count(*) FROM sqlite_temp_master WHERE type = 'table'"), 0);
	assert_int_equal(judge_run(&db, NULL, &err), 0);
	assert_int_equal(value(&db, "SELECT count(*) FROM finding"), 0);
	remove_rule(dir);
	db_close(&db);
}

/* Two findings by keys that are not in order, with proof of every kind; and a table that the next
 * rule makes again. */
static const char by_key[] =
	"CREATE TEMP TABLE mine AS SELECT 7 AS key, 'b' AS kind UNION ALL SELECT 3, 'c';"
	"INSERT INTO new_finding (key, kind, severity, confidence, summary)"
	" SELECT key, kind, 'notice', 1, 'x' FROM mine;"
	"INSERT INTO new_evidence (key, note) SELECT key, kind FROM mine;"
	"INSERT INTO new_evidence (key, event_id, note) SELECT key, 1, 'event of ' || kind FROM "
	"mine;";

static const char one_event[] =
	"INSERT INTO host (id, name) VALUES (1, 'h');"
	"INSERT INTO vantage (id, host_id, name, kind, trust, trust_reasons)"
	" VALUES (1, 1, 'h', 'nic', 'sound', '[]');"
	"INSERT INTO segment_event (id, flow_id, direction, kind, seq, length, segments, tcp_flags,"
	" from_vantage_id, to_vantage_id, sent_file_id, sent_frame, sent_ns, reason)"
	" VALUES (1, 1, 'c2s', 'lost', 0, 1, 1, 16, 1, 1, 1, 42, 5, 'edge');";

/* Each rule has keys and tables of its own: the same rule twice finds everything twice. */
static void test_findings_by_key(void **state)
{
	struct error err = ERROR_INIT;
	char dir[64], second[96];
	struct db db;
	FILE *f;

	(void)state;
	open_db(&db);
	assert_int_equal(db_run(&db, "facts", one_event, &err), 0);
	write_rule(dir, by_key);
	(void)snprintf(second, sizeof(second), "%s/second.sql", dir);
	f = fopen(second, "w");
	assert_non_null(f);
	assert_true(fputs(by_key, f) >= 0);
	assert_int_equal(fclose(f), 0);
	if (judge_run(&db, dir, &err))
		fail_msg("%s", err.text);
	assert_int_equal(value(&db, "SELECT count(*) FROM finding"), 4);
	assert_int_equal(
		value(&db, "SELECT count(*) FROM finding WHERE kind = 'b' AND id <= 2"), 2);
	assert_int_equal(
		value(&db, "SELECT count(*) FROM evidence e JOIN finding f ON f.id = e.finding_id "
			   "AND f.kind = e.note"),
		4);
	assert_int_equal(
		value(&db, "SELECT count(*) FROM evidence e JOIN finding f ON f.id = e.finding_id "
			   "WHERE e.frame = 42 AND e.note LIKE 'event of ' || f.kind || ',%'"),
		4);
	assert_int_equal(unlink(second), 0);
	remove_rule(dir);
	db_close(&db);
}

/* After a failure nothing has changed and the connection is as it was: writing is allowed again. */
static void test_failure_changes_nothing(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"SELECT\n\n  nonsense;", "mine.sql:3: no such column: nonsense"},
		{"-- comment\nDELETE FROM flow;", "mine.sql:2: not authorized"},
		{"INSERT INTO finding (kind, severity, confidence, summary) VALUES ('c', 'high', "
		 "1, 'x');",
			"mine.sql:1: CHECK constraint failed"},
		{"INSERT INTO new_finding (key, kind, severity, confidence, summary) VALUES"
		 " (1, 'c', 'high', 1, 'x');",
			"mine.sql: number.sql:7: CHECK constraint failed"},
		{"-- comment\nINSERT INTO new_finding (key, kind, severity, confidence, summary) "
		 "VALUES"
		 " (1, 'c', 'notice', 1, 'x'), (1, 'd', 'notice', 1, 'x');",
			"mine.sql:2: UNIQUE constraint failed: new_finding.key"},
		{"INSERT INTO new_evidence (key, note) VALUES (1, 'x');",
			"NOT NULL constraint failed: evidence.finding_id"},
		{"SELECT 'open", "mine.sql:1: unrecognized token"},
		{"-- comment\n-- if: SELECT nonsense\nSELECT 1;",
			"mine.sql:2: no such column: nonsense"},
	};
	char dir[64];
	struct db db;
	struct error err = ERROR_INIT;

	(void)state;
	open_db(&db);
	write_rule(dir, two_findings);
	assert_int_equal(judge_run(&db, dir, &err), 0);
	remove_rule(dir);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_rule(dir, cases[i].text);
		assert_true(judge_run(&db, dir, &err) < 0);
		if (!strstr(err.text, cases[i].message))
			fail_msg("got '%s', expected '%s'", err.text, cases[i].message);
		assert_int_equal(value(&db, "SELECT count(*) FROM finding"), 2);
		assert_true(sqlite3_get_autocommit(db.handle));
		assert_int_equal(db_run(&db, "test", "DELETE FROM flow", &err), 0);
		remove_rule(dir);
	}
	db_close(&db);
}

/* Only among the first comments, and only of that form, does a line say whether the file is run. */
static void test_conditions(void **state)
{
	static const struct {
		const char *head;
		int64_t findings;
	} cases[] = {
		{"-- if: SELECT 1 FROM host\n", 0},
		{"-- if: SELECT 1\n", 2},
		{"-- what it finds\n-- if: SELECT 1 FROM host WHERE name = 'if: -- x'\n-- more\n",
			0},
		{"-- what it finds\n\n-- if: SELECT 1 FROM host\n", 2},
		{"-- if there is a host: SELECT 1 FROM host\n", 2},
		{"SELECT 1;\n-- if: SELECT 1 FROM host\n", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = ERROR_INIT;
		char dir[64], text[1024];
		struct db db;

		open_db(&db);
		(void)snprintf(text, sizeof(text), "%s%s", cases[i].head, two_findings);
		write_rule(dir, text);
		assert_int_equal(judge_run(&db, dir, &err), 0);
		if (value(&db, "SELECT count(*) FROM finding") != cases[i].findings)
			fail_msg("%s", cases[i].head);
		remove_rule(dir);
		db_close(&db);
	}
}

/* A caller's own transaction is not ended. */
static void test_inside_a_transaction(void **state)
{
	struct error err = ERROR_INIT;
	struct db db;

	(void)state;
	open_db(&db);
	assert_int_equal(db_run(&db, "test", "BEGIN", &err), 0);
	assert_int_equal(judge_run(&db, NULL, &err), 0);
	assert_false(sqlite3_get_autocommit(db.handle));
	assert_int_equal(db_run(&db, "test", "COMMIT", &err), 0);
	db_close(&db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_repetition),
		cmocka_unit_test(test_findings_by_key),
		cmocka_unit_test(test_failure_changes_nothing),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_inside_a_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
