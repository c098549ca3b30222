/* The headline without a finding: what was judged, in numbers, or why nothing could be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/verdict.h"

#define NANO INT64_C(1000000000)
#define AT (INT64_C(1789999944) * NANO) /* 2026-09-21T14:12:24Z */

/* The model owns its texts, so they are not constant. */
static char web[] = "web";
static char db[] = "db";
static char lb[] = "lb";
static char nic[] = "nic";
static char flowlog[] = "flowlog";
static char eni[] = "eni-1";
static char frames[] = "frames";
static char log_lines[] = "log lines";
static char is_filtered[] = "filtered";
static char is_late[] = "outside_time";
static char is_arp[] = "arp";
static char capture[] = "capture";
static char ip1[] = "10.0.0.1";
static char ip2[] = "10.0.0.2";
static char ip3[] = "10.9.0.1";
static char port_99[] = "port 99";
static char january_1[] = "2026-01-01T00:00:00.000000000Z";
static char january_2[] = "2026-01-02T00:00:00.000000000Z";

static struct report_vantage places[] = {
	{.id = 1, .name = web, .kind = nic, .first_ns = AT, .last_ns = AT + 3 * NANO},
	{.id = 2, .name = db, .kind = nic, .first_ns = DB_NONE, .last_ns = DB_NONE},
	{.id = 3, .name = lb, .kind = nic, .first_ns = AT, .last_ns = AT + 86400 * NANO},
};
static struct report_vantage log_place = {.id = 1, .name = eni, .kind = flowlog};
static struct report_leg both_ways[] = {
	{.from_id = 1, .to_id = 2, .from = web, .to = db, .sent = 290, .delivered = 290},
	{.from_id = 2,
		.to_id = 1,
		.from = db,
		.to = web,
		.sent = 564,
		.delivered = 560,
		.capture_missed = 4},
};
static struct report_leg one_way[] = {
	{.from_id = 1, .to_id = 2, .from = web, .to = db, .sent = 1, .delivered = 1},
};
static struct report_leg unjudged[] = {
	{.from_id = 1, .to_id = 2, .from = web, .to = db, .sent = 9, .delivered = 7, .unjudged = 2},
};
static struct report_leg little_loss[] = {
	{.from_id = 1,
		.to_id = 2,
		.from = web,
		.to = db,
		.sent = 9000,
		.delivered = 8997,
		.lost = 2,
		.misaddressed = 1},
};
static struct report_leg router[] = {
	{.from_id = 1, .to_id = 3, .from = web, .to = lb, .sent = 5, .delivered = 5},
	{.from_id = 3, .to_id = 2, .from = lb, .to = db, .sent = 5, .delivered = 5},
	{.from_id = 2, .to_id = 3, .from = db, .to = lb, .sent = 3, .delivered = 3},
	{.from_id = 3, .to_id = 1, .from = lb, .to = web, .sent = 3, .delivered = 3},
};
/* Sent, and the other place never saw the flow: nothing is shared. */
static struct report_leg unseen[] = {
	{.from_id = 1, .to_id = 2, .from = web, .to = db, .sent = 3, .unjudged = 3},
};
static struct report_address addresses[] = {
	{.vantage_id = 1, .addresses = 9, .ip = ip1},
	{.vantage_id = 1, .addresses = 9, .ip = ip2},
	{.vantage_id = 2, .addresses = 1, .ip = ip3},
};
static struct report_account filtered[] = {{.what = frames, .disposition = is_filtered, .n = 8}};
static struct report_account late[] = {{.what = frames, .disposition = is_filtered, .n = 3},
	{.what = frames, .disposition = is_late, .n = 5},
	{.what = log_lines, .disposition = is_filtered, .n = 7}};
static struct report_account half[] = {{.what = frames, .disposition = is_arp, .n = 4},
	{.what = frames, .disposition = is_filtered, .n = 4}};
static struct report_file file = {.kind = capture, .first_ns = AT, .last_ns = AT + 86400 * NANO};

#define COUNTS(flows_, tcp)                                                                        \
	{                                                                                          \
		.captures = 2, .frames = 8, .flows = (flows_), .tcp_flows = (tcp)                  \
	}
#define LEGS(l) .legs = (l), .leg_count = sizeof(l) / sizeof((l)[0])
#define PLACES(n) .vantages = places, .vantage_count = (n)

static const struct {
	const char *name;
	struct report report;
	const char *verdict, *checked;
} cases[] = {
	{.name = "nothing", .verdict = "Nothing was read."},
	{.name = "all arrived, some of it by proof of the sender",
		.report = {.counts = COUNTS(22, 22), PLACES(2), LEGS(both_ways)},
		.verdict = "No loss: all 854 packets arrived (290 web -> db, 564 back).",
		.checked = "22 flows in 8 frames"},
	{.name = "a single datagram",
		.report = {.counts = COUNTS(1, 0), PLACES(2), LEGS(one_way)},
		.verdict = "No loss: the 1 packet arrived (1 web -> db).",
		.checked = "1 flow in 8 frames"},
	{.name = "notes leave something open",
		.report = {.counts = COUNTS(2, 1), PLACES(2), LEGS(both_ways), .open_count = 1},
		.verdict = "No loss in what could be judged: all 854 packets arrived (290 web -> "
			   "db, 564 "
			   "back).",
		.checked = "2 flows in 8 frames"},
	{.name = "some were not judged",
		.report = {.counts = COUNTS(2, 2), PLACES(2), LEGS(unjudged)},
		.verdict = "No loss proven: 7 of 9 packets arrived (9 web -> db), 2 could not be "
			   "judged.",
		.checked = "2 flows in 8 frames"},
	{.name = "loss below the thresholds",
		.report = {.counts = COUNTS(2, 2), PLACES(2), LEGS(little_loss)},
		.verdict =
			"Too little loss for a finding: 3 of 9000 packets lost (9000 web -> db).",
		.checked = "2 flows in 8 frames"},
	{.name = "a router between",
		.report = {.counts = COUNTS(2, 2), PLACES(3), LEGS(router)},
		.verdict = "No loss: all 16 packets arrived (8 between web and lb, 8 between lb "
			   "and db).",
		.checked = "2 flows in 8 frames"},
	{.name = "one capture",
		.report = {.counts = COUNTS(3, 1), PLACES(1)},
		.verdict = "One capture alone cannot rule out loss: that of web holds 1 TCP "
			   "connection, "
			   "answered."},
	{.name = "one capture of datagrams",
		.report = {.counts = COUNTS(3, 0), PLACES(1)},
		.verdict = "One capture alone cannot rule out loss: that of web holds 3 flows and "
			   "no TCP "
			   "connection."},
	{.name = "one capture without flows",
		.report = {.counts = COUNTS(0, 0), PLACES(1)},
		.verdict = "One capture alone cannot rule out loss: that of web holds 8 frames and "
			   "no flow."},
	{.name = "one capture, unanswered",
		.report = {.counts = {.captures = 1,
				   .frames = 8,
				   .flows = 4,
				   .tcp_flows = 4,
				   .unanswered = 2},
			PLACES(1)},
		.verdict = "One capture alone cannot rule out loss: that of web holds 4 TCP "
			   "connections, "
			   "2 of them "
			   "unanswered."},
	{.name = "strangers",
		.report = {.counts = COUNTS(2, 2),
			PLACES(3),
			LEGS(unseen),
			.addresses = addresses,
			.address_count = 3},
		.verdict =
			"The captures share no packet: web holds 10.0.0.1, 10.0.0.2 and 7 more on "
			"2026-09-21 from 14:12:24 to 14:12:27 UTC; db holds 10.9.0.1; lb holds no "
			"address "
			"on 2026-09-21 from 14:12:24 to 2026-09-22 14:12:24 UTC."},
	{.name = "empty captures",
		.report = {.counts = {.captures = 1}, PLACES(1)},
		.verdict = "Nothing to judge: the captures hold no frame."},
	{.name = "a filter that leaves nothing",
		.report = {.counts = COUNTS(0, 0),
			PLACES(2),
			.accounts = filtered,
			.account_count = 1,
			.run = {.filter = port_99, .from = january_1}},
		.verdict = "Nothing to judge: --filter 'port 99' left out all 8 frames."},
	{.name = "a time that leaves nothing",
		.report = {.counts = COUNTS(0, 0),
			PLACES(2),
			.accounts = late,
			.account_count = 3,
			.run = {.filter = port_99, .from = january_1, .to = january_2},
			.files = &file,
			.file_count = 1},
		.verdict =
			"Nothing to judge: --filter 'port 99' and --from 2026-01-01T00:00:00Z --to "
			"2026-01-02T00:00:00Z left out all 8 frames; the captures are of "
			"2026-09-21 from "
			"14:12:24 to 2026-09-22 14:12:24 UTC."},
	{.name = "a filter that leaves ARP",
		.report = {.counts = COUNTS(0, 0),
			PLACES(1),
			.accounts = half,
			.account_count = 2,
			.run = {.filter = is_arp}},
		.verdict = "One capture alone cannot rule out loss: that of web holds 8 frames and "
			   "no flow."},
	{.name = "flow logs",
		.report = {.counts = {.log_files = 1, .log_records = 5},
			.vantages = &log_place,
			.vantage_count = 1},
		.verdict = "No fault found in the flow logs.",
		.checked = "5 flow-log records"},
	{.name = "flow logs that leave something open",
		.report = {.counts = {.log_files = 1, .log_records = 5},
			.vantages = &log_place,
			.vantage_count = 1,
			.open_count = 1},
		.verdict = "No fault proven in the flow logs: not all could be judged.",
		.checked = "5 flow-log records"},
};

static void test_silence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct report r = cases[i].report;
		const char *checked = cases[i].checked;

		report_set_verdict(&r);
		if (strcmp(r.verdict, cases[i].verdict) != 0)
			fail_msg("%s: %s", cases[i].name, r.verdict);
		if (!r.checked != !checked || (checked && strcmp(r.checked, checked) != 0))
			fail_msg("%s: checked: %s", cases[i].name, r.checked ? r.checked : "-");
		free(r.verdict);
		free(r.checked);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_silence)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
