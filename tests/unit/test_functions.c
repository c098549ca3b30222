#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/db.h"
#include "store/functions.h"
#include "store/settings.h"

/* expected NULL: the value is SQL NULL; "!text": an error whose message holds text. */
static const struct {
	const char *sql, *expected;
} cases[] = {
	{"iso(1790000004100000001)", "2026-09-21T14:13:24.100000001Z"},
	{"iso(NULL)", NULL},
	{"span(1500000)", "1.5 ms"},

	{"ip_in('10.1.2.3', '10.0.0.0/8')", "1"},
	{"ip_in('11.1.2.3', '10.0.0.0/8')", "0"},
	{"ip_in('10.1.2.3', '10.1.2.3')", "1"},
	{"ip_in('10.1.2.3', '10.1.2.2/31')", "1"},
	{"ip_in('10.1.2.4', '10.1.2.2/31')", "0"},
	{"ip_in('10.1.2.3', '0.0.0.0/0')", "1"},
	{"ip_in('2001:db8::1', '2001:db8::/32')", "1"},
	{"ip_in('2001:db9::1', '2001:db8::/32')", "0"},
	{"ip_in('2001:db8::1', '0.0.0.0/0')", "0"},
	{"ip_in('nonsense', '10.0.0.0/8')", NULL},
	{"ip_in(NULL, '10.0.0.0/8')", NULL},

	/* Of the baseline of github.com/corelight/community-id-spec, seed 0. */
	{"community_id('tcp', '128.232.110.120', '66.35.250.204', 34855, 80)",
		"1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	{"community_id(6, '66.35.250.204', '128.232.110.120', 80, 34855)",
		"1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	{"community_id('udp', '192.168.1.52', '8.8.8.8', 54585, 53)",
		"1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
	{"community_id(132, '192.168.170.8', '192.168.170.56', 7, 7)",
		"1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
	{"community_id('icmp', '192.168.0.89', '192.168.0.1', 8, 0)",
		"1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
	{"community_id('icmp', '192.168.0.1', '192.168.0.89', 0, 0)",
		"1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
	{"community_id('icmp6', 'fe80::260:97ff:fe07:69ea', 'ff02::1', 134, 0)",
		"1:pkvHqCL88/tg1k4cPigmZXUtL00="},
	{"community_id('tcp', '2001:470:e5bf:dead:4957:2174:e82c:4887', "
	 "'2607:f8b0:400c:c03::1a', 63943, 25)",
		"1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
	{"community_id('tcp', '10.0.0.1', '2001:db8::1', 1, 2)", NULL},
	{"community_id('tcp', 'db', '10.0.0.1', 1, 2)", NULL},
	{"community_id('tcp', '10.0.0.1', '10.0.0.2', 1, NULL)", NULL},
	{"community_id('tcp', '10.0.0.1', '10.0.0.2', 1, 65536)", NULL},
	{"community_id(256, '10.0.0.1', '10.0.0.2', 1, 2)", NULL},
	{"community_id('quic', '10.0.0.1', '10.0.0.2', 1, 2)", NULL},
	{"community_id(47, '10.0.0.2', '10.0.0.1', NULL, 0) = "
	 "community_id('47', '10.0.0.1', '10.0.0.2', 5, 6)",
		"1"},
	{"ip_in('10.1.2.3', NULL)", NULL},
	{"ip_in('10.1.2.3', '10.0.0/8')", "!'10.0.0/8' is not a network"},
	{"ip_in('10.1.2.3', '10.0.0.0/33')", "!not a network"},
	{"ip_in('10.1.2.3', '10.0.0.0/')", "!not a network"},
	{"ip_in('10.1.2.3', '10.0.0.0/ 8')", "!not a network"},
	{"ip_in('10.1.2.3', '')", "!not a network"},
	{"ip_same_subnet('10.0.1.20', '10.0.1.90', 24)", "1"},
	{"ip_same_subnet('10.0.1.20', '10.0.2.90', 24)", "0"},
	{"ip_same_subnet('10.0.1.20', '10.0.1.21', 31)", "1"},
	{"ip_same_subnet('10.0.1.20', '2001:db8::1', 24)", "0"},
	{"ip_same_subnet('10.0.1.20', '10.0.1.21', 33)", NULL},
	{"ip_same_subnet('10.0.1.20', '10.0.1.21', NULL)", NULL},

	{"tcp_flags(18)", "SYN,ACK"},
	{"tcp_flags(0)", ""},
	{"tcp_flags(511)", "FIN,SYN,RST,PSH,ACK,URG,ECE,CWR,AE"},
	{"tcp_flags(NULL)", NULL},

	{"mac_local('02:00:00:00:00:01')", "1"},
	{"mac_local('00:00:01:fc:b3:48')", "0"},
	{"mac_local('0A:00:00:00:00:01')", "1"},
	{"mac_local('02:00')", NULL},
	{"mac_local('02-00-00-00-00-01')", NULL},
	{"mac_local(NULL)", NULL},
	{"mac_virtual('00:00:5e:00:01:07')", "1"},
	{"mac_virtual('00:00:5E:00:02:07')", "1"},
	{"mac_virtual('00:00:5e:00:03:07')", "0"},
	{"mac_virtual('00:00:0c:07:ac:01')", "1"},
	{"mac_virtual('00:00:0c:9f:f0:01')", "1"},
	{"mac_virtual('00:00:0c:9f:e0:01')", "0"},
	{"mac_virtual('00:05:73:a0:00:01')", "1"},
	{"mac_virtual('00:07:b4:00:01:02')", "1"},
	{"mac_virtual('02:bf:0a:00:00:01')", "1"},
	{"mac_virtual('02:be:0a:00:00:01')", "0"},

	{"version_cmp('2.11.3-k', '2.14.2')", "-1"},
	{"version_cmp('2.16.4', '2.14.2')", "1"},
	{"version_cmp('2.14.2-k', '2.14.2')", "0"},
	{"version_cmp('2.14', '2.14.0')", "0"},
	{"version_cmp('2.9', '2.14')", "-1"},
	{"version_cmp('v1.2', '1.2')", "0"},
	{"version_cmp('1.0rc1', '1.0')", "-1"},
	{"version_cmp('1.0~beta', '1.0')", "-1"},
	{"version_cmp('1.0', '1.0rc1')", "1"},
	{"version_cmp('5.10.0-23-amd64', '5.10.0-24-amd64')", "-1"},
	{"version_cmp('4.2.amazon', '4.2')", "0"},
	{"version_cmp('2.8.0g', '2.8.1')", "-1"},
	{"version_cmp('99999999999999999999999', '1')", "1"},
	{"version_cmp('none', '1')", NULL},
	{"version_cmp(NULL, '1')", NULL},

	{"'NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out' REGEXP 'transmit queue "
	 "(\\d+) timed out'",
		"1"},
	{"'transmit queue x timed out' REGEXP 'transmit queue \\d+ timed out'", "0"},
	{"'a.b' REGEXP '^a\\.b$'", "1"},
	{"'axb' REGEXP '^a\\.b$'", "0"},
	{"'x' REGEXP '('", "!regexp: '('"},
	{"NULL REGEXP 'x'", NULL},

	{"endpoint('10.0.1.20', 27017)", "10.0.1.20:27017"},
	{"endpoint('2001:db8::1', 443)", "[2001:db8::1]:443"},
	{"endpoint('10.0.1.20', NULL)", "10.0.1.20"},
	{"endpoint('10.0.1.20', 0)", "10.0.1.20"},
	{"endpoint(NULL, 1)", NULL},

	{"percent(0.0213)", "2.1 %"},
	{"percent(0)", "0 %"},
	{"percent(1)", "100 %"},
	{"percent(0.9999)", "100 %"},
	{"percent(0.155)", "15.5 %"},
	{"percent(0.0005)", "0.05 %"},
	{"percent(NULL)", NULL},

	/* Agresti and Coull 1998: 0 of 10 gives [0, 0.278]; 5 of 10 gives [0.237, 0.763] */
	{"round(wilson_low(0, 10), 3)", "0.0"},
	{"round(wilson_high(0, 10), 3)", "0.278"},
	{"round(wilson_low(5, 10), 3)", "0.237"},
	{"round(wilson_high(5, 10), 3)", "0.763"},
	{"wilson_low(0, 0)", NULL},

	{"round(fisher(10, 0, 0, 10), 6)", "-12.126791"},
	{"round(fisher(3, 1, 5, 90), 6)", "-6.591239"},
	{"round(fisher(46, 0, 0, 1844), 4)", "-213.5346"},
	{"fisher(1, 9, 9, 1)", "0.0"},
	{"fisher(0, 0, 5, 5)", "0.0"},
	{"fisher(-1, 0, 5, 5)", NULL},
};

static void check(sqlite3 *handle, const char *sql, const char *expected)
{
	char statement[256];
	const char *got;
	sqlite3_stmt *stmt;
	int r;

	(void)snprintf(statement, sizeof(statement), "SELECT %s", sql);
	assert_int_equal(sqlite3_prepare_v2(handle, statement, -1, &stmt, NULL), SQLITE_OK);
	r = sqlite3_step(stmt);
	if (expected && expected[0] == '!') {
		if (r != SQLITE_ERROR || !strstr(sqlite3_errmsg(handle), expected + 1))
			fail_msg("%s: got %d '%s'", sql, r, sqlite3_errmsg(handle));
		(void)sqlite3_finalize(stmt);
		return;
	}
	if (r != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
	got = (const char *)sqlite3_column_text(stmt, 0);
	if (!got != !expected || (got && strcmp(got, expected) != 0))
		fail_msg("%s: got %s, expected %s", sql, got ? got : "NULL",
			expected ? expected : "NULL");
	(void)sqlite3_finalize(stmt);
}

static void test_functions(void **state)
{
	sqlite3 *handle;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &handle), SQLITE_OK);
	assert_int_equal(functions_register(handle), SQLITE_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(handle, cases[i].sql, cases[i].expected);
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* A pattern from a column changes from row to row: the compiled one must not be used for another.
 */
static void test_regexp_of_a_column(void **state)
{
	sqlite3 *handle;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &handle), SQLITE_OK);
	assert_int_equal(functions_register(handle), SQLITE_OK);
	check(handle, "group_concat('abc' REGEXP column1) FROM (VALUES ('a'), ('x'), ('c$'))",
		"1,0,1");
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/*
 * Vantage point 1: ahead by 1,000 ns, and from 5,000,000 on, after a step back, behind by 500 ns
 * and gaining 2 ppm. 2: never compared. The model is read anew when it changes.
 */
static void test_reference_clock(void **state)
{
	static const char model[] = "CREATE TABLE clock_piece (vantage_id, from_ns, offset_ns, "
				    "skew_ppm, valid_from, valid_to);"
				    "INSERT INTO clock_piece VALUES"
				    " (2, 0, 0, 0, -9223372036854775808, 9223372036854775807),"
				    " (1, 5000000, -500, 2.0, 5000000, 9223372036854775807),"
				    " (1, 1000000, 1000, 0.0, -9223372036854775808, 5000000);";
	sqlite3 *handle;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &handle), SQLITE_OK);
	assert_int_equal(functions_register(handle), SQLITE_OK);
	check(handle, "ref_ns(1, 5)", "!no such table");
	check(handle, "ref_ns(1, NULL)", NULL);
	assert_int_equal(sqlite3_exec(handle, model, NULL, NULL, NULL), SQLITE_OK);
	check(handle, "ref_ns(1, 0)", "-1000"); /* before the first piece began it holds, too */
	check(handle, "ref_ns(1, 4999999)", "4998999");
	check(handle, "ref_ns(1, 5000000)", "5000500");
	check(handle, "ref_ns(1, 6000000)", "6000498");
	check(handle, "ref_ns(1, 1795240687770476895)", "1795237097289101865");
	check(handle, "ref_ns(1, NULL)", NULL);
	check(handle, "ref_ns(2, 6000000)", "6000000");
	check(handle, "ref_ns(3, 6000000)", "6000000");
	check(handle, "ref_ns(NULL, 6000000)", "6000000");
	assert_int_equal(
		sqlite3_exec(handle, "UPDATE clock_piece SET offset_ns = 7 WHERE vantage_id = 2",
			NULL, NULL, NULL),
		SQLITE_OK);
	check(handle, "ref_ns(2, 6000000)", "5999993");
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* A setting that is not there is an error, not 0. */
static void test_settings(void **state)
{
	struct error err = ERROR_INIT;
	double value = 17;
	struct db db;

	(void)state;
	assert_int_equal(db_create(&db, NULL, false, &err), 0);
	assert_int_equal(setting_change(&db, "delay_max_s=2.5", &err), 0);
	assert_int_equal(setting_value(&db, "delay_max_s", &value, &err), 0);
	assert_true(value == 2.5);
	assert_true(setting_value(&db, "no_such", &value, &err) < 0);
	assert_string_equal(err.text, "bug: no setting 'no_such'");
	assert_int_equal(db_run(&db, "test", "DROP TABLE setting", &err), 0);
	assert_true(setting_value(&db, "delay_max_s", &value, &err) < 0);
	assert_non_null(strstr(err.text, "no such table"));
	assert_true(value == 2.5);
	db_close(&db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_reference_clock),
		cmocka_unit_test(test_regexp_of_a_column),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
