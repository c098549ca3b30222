#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "record/hostfacts.h"

static void open_db(struct db *db)
{
	struct error err = ERROR_INIT;

	assert_int_equal(db_create(db, NULL, false, &err), 0);
	assert_int_equal(db_run(db, "test",
				 "INSERT INTO host VALUES (1, 'db');"
				 "INSERT INTO vantage(id, host_id, name, kind, interface, trust, "
				 "trust_reasons)"
				 "VALUES (3, 1, 'db', 'nic', 'eth0', 'sound', '[]'),"
				 "(4, 1, 'db nflog:5', 'netfilter', 'nflog:5', 'sound', '[]');",
				 &err),
		0);
}

/* The rows of a query: columns joined with |, a line each. */
static char *rows(struct db *db, const char *sql)
{
	struct strbuf sb = STRBUF_INIT;
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL), SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(s); i++)
			strbuf_printf(&sb, "%s%s",
				sqlite3_column_type(s, i) == SQLITE_NULL
					? "-"
					: (const char *)sqlite3_column_text(s, i),
				i + 1 < sqlite3_column_count(s) ? "|" : "\n");
	(void)sqlite3_finalize(s);
	return strbuf_steal(&sb);
}

static void expect(struct db *db, const char *sql, const char *wanted)
{
	char *got = rows(db, sql);

	assert_string_equal(got, wanted);
	free(got);
}

static const char first[] =
	"bothends-facts 1 at_ns=100\n"
	"host.name=db\n"
	"host.kernel=3.13.0\n"
	"nic.eth0.mac=00:00:01:fc:b3:20\n"
	"nic.eth0.addresses=10.0.1.20/24 fe80::1/64\n"
	"nic.lo.mac=00:00:00:00:00:00\nnic.lo.addresses=127.0.0.1/8\n"
	"nic.eth1.mac=00:00:01:fc:b3:21\nnic.eth1.addresses=\n"
	"nic.eth0.driver=ixgbevf\n"
	"nic.eth0.counter.rx_missed_errors=17\n"
	"nic.eth0.driver_counter.rx%20no=3\n"
	"nic.eth9.counter.rx_missed_errors=4\n"
	"netstat.TcpExt.ListenOverflows=3\n"
	"route=dst=default via=10.0.1.1 dev=eth0\nroute=dst=10.0.1.0/24 dev=eth0\n"
	"neighbor.count=2\n"
	"neighbor=ip=10.0.1.90 dev=eth0 mac=00:00:01:fc:b3:48 state=STALE confirmed_ms=412000 "
	"used_ms=3000 updated_ms=412999\n"
	"neighbor=ip=10.0.1.91 dev=eth0 state=FAILED\n"
	"neighbor=dev=eth0\n"
	"source.0.name=eth0\nsource.1.name=nflog:5\n"
	"@90 kernel.log=level=4 message=NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out\n"
	"heartbeat=1\n";

/* The same file's second comment, and the next file's first: states repeat, some changed. */
static const char second[] =
	"bothends-facts 1 at_ns=200\n"
	"host.kernel=3.13.0\n"
	"nic.eth0.driver=ixgbevf\n"
	"nic.eth0.mac=00:00:01:fc:b3:20\n"
	"nic.eth0.addresses=10.0.1.20/24 10.0.1.21/32\n"
	"nic.eth0.counter.rx_missed_errors=17\n"
	"route=dst=default via=10.0.1.1 dev=eth0\nroute=dst=10.0.1.0/24 dev=eth0\n"
	"neighbor=ip=10.0.1.90 dev=eth0 mac=00:00:01:fc:b3:48 state=STALE confirmed_ms=512000\n"
	"neighbor.change=event=changed ip=10.0.1.90 dev=eth0 mac=00:00:01:fc:b3:70 state=REACHABLE "
	"was_state=STALE\n"
	"neighbor.change=event=removed ip=10.0.1.91 dev=eth0 state=FAILED\n"
	"source.1.drop=from_ns=120 to_ns=180 kernel=12 own=1 reason=buffer-full\n"
	"source.7.drop=from_ns=120 to_ns=180 kernel=12 reason=buffer-full\n"
	"heartbeat=2\n@201 mark=again\n@202 mark=again\n";

static void test_tables(void **state)
{
	struct hostfacts *hf;
	struct db db;

	(void)state;
	open_db(&db);
	hf = hostfacts_new(&db, 1);
	hostfacts_vantage(hf, "eth0", 3);
	hostfacts_vantage(hf, "nflog:5", 4);
	assert_int_equal(hostfacts_comment(hf, first), HOSTFACTS_OK);
	assert_int_equal(hostfacts_comment(hf, first), HOSTFACTS_OK);
	assert_int_equal(hostfacts_comment(hf, second), HOSTFACTS_OK);
	assert_int_equal(hostfacts_comment(hf, "a remark"), HOSTFACTS_NOT_OURS);
	hostfacts_finish(hf);
	expect(&db,
		"SELECT at_ns, key, value FROM host_fact WHERE key LIKE 'host.%' OR key IN "
		"('route', 'heartbeat', 'mark') OR key LIKE 'source.7%' OR key LIKE 'nic.eth9%' OR "
		"key LIKE '%driver' ORDER BY rowid",
		"100|host.name|db\n100|host.kernel|3.13.0\n100|nic.eth0.driver|ixgbevf\n"
		"100|route|dst=default via=10.0.1.1 dev=eth0\n100|route|dst=10.0.1.0/24 "
		"dev=eth0\n100|heartbeat|1\n"
		"200|source.7.drop|from_ns=120 to_ns=180 kernel=12 reason=buffer-full\n"
		"200|heartbeat|2\n201|mark|again\n202|mark|again\n");
	/* the entry of a neighbour without an address, once */
	expect(&db, "SELECT at_ns, value FROM host_fact WHERE key = 'facts.malformed'", "-|1\n");
	expect(&db, "SELECT ip, mac, interface, prefix, source FROM host_address ORDER BY rowid",
		"10.0.1.20|00:00:01:fc:b3:20|eth0|24|agent\nfe80::1|00:00:01:fc:b3:20|eth0|64|"
		"agent\n"
		"-|00:00:01:fc:b3:21|eth1|-|agent\n10.0.1.21|00:00:01:fc:b3:20|eth0|32|agent\n");
	expect(&db, "SELECT vantage_id, at_ns, name, value FROM nic_counter ORDER BY rowid",
		"3|100|rx_missed_errors|17\n3|100|driver.rx no|3\n-|100|rx_missed_errors|4\n"
		"3|100|netstat.TcpExt.ListenOverflows|3\n"
		"3|200|rx_missed_errors|17\n");
	expect(&db,
		"SELECT at_ns, ip, mac, state, interface, confirmed_s, used_s, updated_s FROM "
		"neighbor ORDER BY rowid",
		"100|10.0.1.90|00:00:01:fc:b3:48|STALE|eth0|412|3|412\n100|10.0.1.91|-|FAILED|eth0|"
		"-|-|-\n"
		"200|10.0.1.90|00:00:01:fc:b3:70|REACHABLE|eth0|-|-|-\n200|10.0.1.91|-|REMOVED|"
		"eth0|-|-|-\n");
	expect(&db, "SELECT host_id, at_ns, level, message FROM kernel_log",
		"1|90|4|NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out\n");
	expect(&db, "SELECT vantage_id, from_ns, to_ns, frames, source FROM capture_drop",
		"4|120|180|13|agent\n");
	db_close(&db);
}

static void test_listing_and_sidecar(void **state)
{
	char folder[] = "/tmp/hostfacts-XXXXXX", capture[64], path[64];
	struct error err = ERROR_INIT;
	struct hostfacts *hf;
	struct db db;
	FILE *f;

	(void)state;
	open_db(&db);
	hf = hostfacts_new(&db, 1);
	hostfacts_vantage(hf, "eth0", 3);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(capture, sizeof(capture), "%s/a.pcapng.gz", folder);
	(void)snprintf(path, sizeof(path), "%s/a.facts.jsonl", folder);
	assert_int_equal(hostfacts_sidecar(hf, capture, &err), HOSTFACTS_ABSENT);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fputs("{\"at_ns\":7,\"key\":\"kernel.log\",\"value\":\"level=3 message=nf_conntrack: "
		    "table full\"}\n"
		    "{\"at_ns\":8,\"key\":\"torn\",\"value\":\"x\"}",
		f);
	(void)fclose(f);
	assert_int_equal(hostfacts_sidecar(hf, capture, &err), HOSTFACTS_OK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(
		hostfacts_neighbors(hf, "10.0.1.90 dev eth0 lladdr 00:00:01:fc:b3:48 STALE \n", 51),
		1);
	hostfacts_finish(hf);
	expect(&db, "SELECT at_ns, level, message FROM kernel_log",
		"7|3|nf_conntrack: table full\n");
	expect(&db, "SELECT count(*) FROM host_fact", "0\n");
	expect(&db, "SELECT at_ns, ip, mac, state, interface, confirmed_s FROM neighbor",
		"-|10.0.1.90|00:00:01:fc:b3:48|STALE|eth0|-\n");
	db_close(&db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_listing_and_sidecar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
