/* The report model on a small database made by hand: stories, evidence, clocks, verdict, notes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/model.h"
#include "report/story.h"

static const char facts[] =
	"INSERT INTO host VALUES (1, 'web'), (2, 'db'), (3, 'lb');"
	"INSERT INTO vantage (id, host_id, name, kind, trust, trust_reasons) VALUES"
	" (1, 1, 'web', 'nic', 'sound', '[]'), (2, 2, 'db', 'nic', 'sound', '[]'),"
	" (7, 3, 'lb', 'nic', 'sound', '[]');"
	"INSERT INTO capture_file (id, host_id, vantage_id, path, format, compression, snaplen, "
	"frames,"
	" bytes, hash) VALUES (1, 1, 1, 'd/web.pcap', 'pcap', 'none', 0, 9, 900, '00'),"
	" (2, 2, 2, 'd/db.pcap', 'pcap', 'gzip', 64, 8, 800, '01');"
	"INSERT INTO frame_account VALUES (1, 'arp', 2, 0), (1, 'joined', 7, 0), (2, 'joined', 8, "
	"0);"
	"INSERT INTO log_file VALUES (1, 'd/vpc.log', 'aws', 5, 500, '02', NULL);"
	"INSERT INTO clock VALUES (1, 1, 0, 100, 0, 0, 0, 0, 'reference', 0),"
	" (2, 1, 0, 50, 10, 5, 15, 0, 'both directions', 4),"
	" (2, 1, 51, 100, 40, 35, 45, 0, 'both directions', 4),"
	" (7, 1, 0, 100, NULL, -3, NULL, 0, 'backward only', 2);"
	"INSERT INTO flow VALUES (1, 'tcp', '10.0.0.1', 1, '10.0.0.2', 2, 1, 2, 5, 9, 'closed', 1, "
	"'isn'),"
	" (2, 'udp', '10.0.0.1', 1, '10.0.0.2', 2, NULL, NULL, 6, 8, 'datagram', 1, 'hash');"
	"INSERT INTO path_total VALUES (1, 2, 'c2s', '10.0.0.1', '10.0.0.2', 2, 20, 18, 0, 2, 0, "
	"0, 18,"
	" 1, 0, 0, 0, 3, 2, 1, 0, 100, 0);";

/* Notes come of what was not judged: a file that was cut. */
static const char damage[] = "UPDATE capture_file SET damaged = 'cut in frame 9' WHERE id = 1;";

/*
 * Story 1: finding 1 because of 2 because of 3, and ten further effects of it (4 to 13). Story 14
 * stands alone and has a remedy of its own; 15 to 120 are alone, without one.
 */
static const char findings[] =
	"INSERT INTO finding (id, kind, severity, confidence, from_vantage_id, to_vantage_id, "
	"summary,"
	" remedy, cause_id) VALUES"
	" (1, 'syn-lost', 'critical', 1, 1, 2, 'SYNs are lost', 'look at the path', 2),"
	" (2, 'mac-mismatch', 'warning', 1, 1, 2, 'a wrong MAC', NULL, 3),"
	" (3, 'advisory', 'notice', 0.8, NULL, NULL, 'a known defect', 'update', NULL),"
	" (14, 'refused', 'notice', 1, 1, 2, 'refused', 'start it', NULL);"
	"WITH RECURSIVE n(i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i < 13)"
	" INSERT INTO finding (id, kind, severity, confidence, summary, remedy, cause_id)"
	" SELECT i, 'loss', 'warning', 1, 'effect ' || i, 'not given', 3 FROM n;"
	"WITH RECURSIVE n(i) AS (SELECT 15 UNION ALL SELECT i + 1 FROM n WHERE i < 120)"
	" INSERT INTO finding (id, kind, severity, confidence, summary)"
	" SELECT i, 'reset', 'notice', 1, 'alone ' || i FROM n;"
	"INSERT INTO evidence (finding_id, capture_file_id, frame, log_file_id, "
	"line, flow_id, note) VALUES (1, 1, 5, NULL, NULL, 1, 'a SYN'), (1, NULL, NULL, NULL, "
	"NULL, 1, 'a flow'),"
	" (4, NULL, NULL, 1, 3, NULL, 'a line'), (14, 2, 6, NULL, NULL, NULL, 'an RST'),"
	" (110, 2, 7, NULL, NULL, NULL, 'late');";

static void make(struct db *db, const char *const *sql)
{
	struct error err = ERROR_INIT;

	assert_int_equal(db_create(db, NULL, false, &err), 0);
	for (int i = 0; sql[i]; i++)
		if (db_run(db, "test", sql[i], &err))
			fail_msg("%s", err.text);
	assert_int_equal(db_run(db, "indexes", schema_indexes, &err), 0);
}

static void load(struct report *r, struct db *db, int64_t findings_max, int64_t proofs_max)
{
	struct error err = ERROR_INIT;

	if (report_load(r, db, findings_max, proofs_max, &err))
		fail_msg("%s", err.text);
}

static void test_stories(void **state)
{
	const struct report_story *s;
	struct report r;
	struct db db;

	(void)state;
	make(&db, (const char *const[]){facts, findings, NULL});
	load(&r, &db, 0, 0);
	assert_int_equal(r.finding_count, 120);
	assert_int_equal(report_all_findings(&r), 120);
	assert_int_equal(r.story_count, 1 + 107);
	s = &r.stories[0];
	assert_int_equal(s->count, 13);
	assert_int_equal(s->also, 10);
	assert_int_equal(s->findings[0].role, ROLE_HEAD);
	assert_int_equal(s->findings[1].role, ROLE_BECAUSE);
	assert_int_equal(s->findings[2].role, ROLE_BECAUSE);
	assert_int_equal(s->findings[2].depth, 2);
	assert_int_equal(s->findings[3].role, ROLE_ALSO);
	assert_ptr_equal(story_cause(s), &s->findings[1]);
	assert_null(story_cause(&r.stories[1]));
	assert_string_equal(r.verdict, "SYNs are lost");
	assert_null(r.checked);
	report_release(&r);
	db_close(&db);
}

static void test_what_a_story_shows(void **state)
{
	const struct report_story *s, *alone;
	struct report r;
	struct db db;

	(void)state;
	make(&db, (const char *const[]){facts, findings, NULL});
	load(&r, &db, 0, 0);
	s = &r.stories[0];
	alone = &r.stories[1];
	/* The cause's remedy, neither the symptom's nor those of further effects. */
	for (int i = 0; i < s->count; i++)
		assert_int_equal(story_advises(s, i), i == 2);
	assert_true(story_advises(alone, 0));
	assert_false(story_advises(&r.stories[2], 0));
	/* Eight further effects are named: findings 4 to 11. */
	for (int i = 0; i < s->count; i++)
		assert_int_equal(story_is_beyond(s, i), s->findings[i].id >= 12);
	report_release(&r);
	db_close(&db);
}

/* A command stands between backticks; one without its partner marks nothing. */
static void test_remedy_parts(void **state)
{
	static const struct {
		const char *remedy, *parts; /* prose in (), commands in [] */
	} cases[] = {
		{"check the path", "(check the path)"},
		{"on db: `ip neigh del 10.0.0.1 dev eth0`",
			"(on db: )[ip neigh del 10.0.0.1 dev eth0]"},
		{"`a b`; `c`", "[a b](; )[c]"},
		{"a ` b", "(a ` b)"},
		{"`a` ` b", "[a]( ` b)"},
		{"``", "[]"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = cases[i].remedy;
		char got[128] = "";
		struct remedy_part part;

		while (story_next_part(&at, &part))
			(void)snprintf(got + strlen(got), sizeof(got) - strlen(got),
				part.is_command ? "[%.*s]" : "(%.*s)", (int)part.length, part.text);
		assert_string_equal(got, cases[i].parts);
	}
}

static void test_evidence(void **state)
{
	const struct report_finding *f;
	struct report r;
	struct db db;

	(void)state;
	make(&db, (const char *const[]){facts, findings, NULL});
	load(&r, &db, 0, 0);
	f = r.findings;
	assert_int_equal(f[0].proof_count, 2);
	assert_string_equal(f[0].proofs[0].path, "d/web.pcap");
	assert_int_equal(f[0].proofs[0].number, 5);
	assert_null(f[0].proofs[1].path);
	assert_int_equal(f[0].proofs[1].number, DB_NONE);
	assert_int_equal(f[0].proofs[1].flow_id, 1);
	assert_true(story_extractable(&f[0]));
	assert_int_equal(f[1].proof_count, 0);
	assert_true(f[3].proofs[0].is_log);
	assert_false(story_extractable(&f[3])); /* a line of a log is no frame */
	assert_int_equal(f[109].proof_count, 1);
	report_release(&r);
	db_close(&db);
}

/* A story is read whole or not at all, its evidence too. */
static void test_limits(void **state)
{
	struct report r;
	struct db db;

	(void)state;
	make(&db, (const char *const[]){facts, findings, NULL});
	load(&r, &db, 2, 2);
	assert_int_equal(r.story_count, 1);
	assert_int_equal(r.finding_count, 13);
	assert_int_equal(report_all_findings(&r), 120);
	assert_int_equal(r.findings[3].proof_count, 1);
	report_release(&r);
	load(&r, &db, 115, REPORT_FINDINGS);
	assert_int_equal(r.finding_count, 115);
	assert_int_equal(r.findings[13].proof_count, 1);
	assert_int_equal(r.findings[109].proof_count,
		0); /* finding 110 begins beyond the limit of evidence */
	report_release(&r);
	db_close(&db);
}

static void test_inputs(void **state)
{
	struct report r;
	struct db db;

	(void)state;
	make(&db, (const char *const[]){facts, NULL});
	load(&r, &db, 0, 0);
	assert_int_equal(r.counts.flows, 2);
	assert_int_equal(r.counts.tcp_flows, 1);
	assert_int_equal(r.counts.captures, 2);
	assert_int_equal(r.counts.frames, 17);
	assert_int_equal(r.counts.accounted, 17);
	assert_int_equal(r.counts.first_ns, 5);
	assert_int_equal(r.counts.last_ns, 9);
	assert_int_equal(r.file_count, 3);
	assert_string_equal(r.files[1].path, "d/web.pcap");
	assert_string_equal(r.files[1].account, "joined 7, arp 2");
	assert_string_equal(r.files[0].compression, "gzip");
	assert_int_equal(r.files[0].snaplen, 64);
	assert_string_equal(r.files[2].kind, "flowlog");
	assert_null(r.files[2].account);
	assert_string_equal(report_vantage(&r, 7)->name, "lb");
	assert_null(report_vantage(&r, 3));
	assert_int_equal(r.leg_count, 1);
	assert_string_equal(r.legs[0].to, "db");
	assert_int_equal(r.legs[0].lost, 2);
	assert_int_equal(r.legs[0].retransmitted, 2);
	report_release(&r);
	db_close(&db);
}

static void test_clocks(void **state)
{
	struct report r;
	struct db db;

	(void)state;
	make(&db, (const char *const[]){facts, NULL});
	load(&r, &db, 0, 0);
	assert_int_equal(r.clock_count, 2); /* the reference is none of them */
	assert_string_equal(r.clocks[0].best->name, "db");
	assert_int_equal(r.clocks[0].pieces, 2);
	assert_int_equal(r.clocks[0].best->offset_ns, 10);
	assert_int_equal(ref_clock_ns(&r.ref_clock, 2, 30), 20);
	assert_int_equal(ref_clock_ns(&r.ref_clock, 2, 90), 50);
	assert_int_equal(r.clocks[1].best->offset_ns, DB_NONE);
	assert_int_equal(ref_clock_ns(&r.ref_clock, 7, 30), 33); /* by its one bound */
	assert_int_equal(ref_clock_ns(&r.ref_clock, 7, DB_NONE), DB_NONE);
	assert_true(ref_clock_knows(&r.ref_clock, 7));
	assert_false(ref_clock_knows(&r.ref_clock, 3));
	report_release(&r);
	db_close(&db);
}

/* Silence is a verdict only where everything was judged. */
static void test_verdict_of_silence(void **state)
{
	struct report r;
	struct db db;

	(void)state;
	make(&db, (const char *const[]){facts, "DELETE FROM clock WHERE vantage_id = 7", NULL});
	load(&r, &db, 0, 0);
	assert_int_equal(r.story_count, 0);
	assert_int_equal(r.note_count, 1); /* no flow was seen at both ends */
	report_release(&r);
	assert_int_equal(db_run(&db, "test", "DELETE FROM flow", &(struct error)ERROR_INIT), 0);
	load(&r, &db, 0, 0);
	assert_int_equal(r.note_count, 0);
	assert_string_equal(
		r.verdict, "Too little loss for a finding: 2 of 20 packets lost (20 web -> db).");
	assert_string_equal(r.checked, "0 flows in 17 frames, 5 flow-log records");
	report_release(&r);
	assert_int_equal(db_run(&db, "test", damage, &(struct error)ERROR_INIT), 0);
	load(&r, &db, 0, 0);
	assert_int_equal(r.note_count, 1);
	assert_non_null(strstr(r.notes[0], "cut in frame 9"));
	assert_int_equal(r.open_count, 1);
	report_release(&r);
	db_close(&db);

	make(&db, (const char *const[]){"", NULL});
	load(&r, &db, 0, 0);
	assert_string_equal(r.verdict, "Nothing was read.");
	assert_null(r.checked);
	report_release(&r);
	db_close(&db);
}

/* A database that lacks a table gives an error, and what was read is released. */
static void test_failure(void **state)
{
	struct error err = ERROR_INIT;
	struct report r;
	struct db db;

	(void)state;
	make(&db, (const char *const[]){
			  facts, findings, "ALTER TABLE limit_reached RENAME TO gone", NULL});
	assert_true(report_load(&r, &db, 0, 0, &err) < 0);
	assert_non_null(strstr(err.text, "notes"));
	report_release(&r);
	db_close(&db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_what_a_story_shows),
		cmocka_unit_test(test_remedy_parts),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_verdict_of_silence),
		cmocka_unit_test(test_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
