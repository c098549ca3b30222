#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/nsec.h"
#include "base/strbuf.h"
#include "flowlog/format/elements.h"
#include "flowlog/format/flowlog.h"

/* What a file of that content gives: records and problems, a line each. */
struct heard {
	struct flowlog_sink sink;
	struct strbuf text;
};

static void on_record(void *context, const struct flowlog_record *r)
{
	static const char *const actions[] = {"-", "ACCEPT", "REJECT"};
	struct strbuf *sb = &((struct heard *)context)->text;

	strbuf_printf(sb, "%llu %.*s %.*s:%d > %.*s:%d %d n=%lld %s%s%s%s\n",
		(unsigned long long)r->line, (int)r->interface.length,
		r->interface.length ? r->interface.at : "", (int)r->src.text.length,
		r->src.text.length ? r->src.text.at : "", r->src_port, (int)r->dst.text.length,
		r->dst.text.length ? r->dst.text.at : "", r->dst_port, r->protocol,
		r->packets == FLOWLOG_NONE ? -1LL : (long long)r->packets, actions[r->action],
		r->direction == FLOWLOG_INGRESS	 ? " in"
		: r->direction == FLOWLOG_EGRESS ? " out"
						 : "",
		r->sampled ? " sampled" : "", r->from_server ? " back" : "");
}

static void on_problem(void *context, uint64_t line, const char *reason, const void *text, size_t n)
{
	(void)text, (void)n;
	strbuf_printf(
		&((struct heard *)context)->text, "! %llu %s\n", (unsigned long long)line, reason);
}

static void hear(struct heard *h, const char *text, size_t n)
{
	struct fingerprints seen = {0};
	const struct flowlog_read_options options = {.seen = &seen};
	struct error err = ERROR_INIT;
	struct source *s;
	char path[64];
	int fd = memfd_create("input", MFD_CLOEXEC);

	*h = (struct heard){.sink = {.record = on_record, .problem = on_problem}};
	h->sink.context = h;
	assert_int_equal(write(fd, text, n), n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(source_open(&s, path, false, &err), 0);
	assert_int_equal(
		flowlog_read(s, path, flowlog_recognise_source(s, NULL), &options, &h->sink, &err),
		0);
	(void)source_close(s);
	(void)close(fd);
	fingerprints_release(&seen);
}

/* A LogEntry: 9 packets from 192.0.2.10:51000 to 198.51.100.20:443, by vm-a. */
#define ENTRY_BASE64                                                                               \
	"eyJpbnNlcnRJZCI6ImExIiwibG9nTmFtZSI6InByb2plY3RzL3gvbG9ncy9jb21wdXRlLmdvb2dsZWFwaXMuY29t" \
	"JTJGdnBjX2Zsb3dzIiwidGltZXN0YW1wIjoiMjAyNi0wOS0yMVQxNDoxMzozNVoiLCJqc29uUGF5bG9hZCI6eyJj" \
	"b25uZWN0aW9uIjp7InNyY19pcCI6IjE5Mi4wLjIuMTAiLCJzcmNfcG9ydCI6NTEwMDAsImRlc3RfaXAiOiIxOTgu" \
	"NTEuMTAwLjIwIiwiZGVzdF9wb3J0Ijo0NDMsInByb3RvY29sIjo2fSwicmVwb3J0ZXIiOiJTUkMiLCJwYWNrZXRz" \
	"X3NlbnQiOiI5IiwiYnl0ZXNfc2VudCI6IjE0MjIiLCJzdGFydF90aW1lIjoiMjAyNi0wOS0yMVQxNDoxMzoyNFoi" \
	"LCJlbmRfdGltZSI6IjIwMjYtMDktMjFUMTQ6MTM6MjlaIiwic3JjX2luc3RhbmNlIjp7InByb2plY3RfaWQiOiJ4" \
	"Iiwidm1fbmFtZSI6InZtLWEifX19"

#define ENTRY_HEARD " vm-a 192.0.2.10:51000 > 198.51.100.20:443 6 n=9 - out sampled\n"

#define R "2 1 eni-0a 192.0.2.7 192.0.2.10 51000 443 6 9 1422 1790000004 1790000062 ACCEPT OK"
#define R_HEARD " eni-0a 192.0.2.7:51000 > 192.0.2.10:443 6 n=9 ACCEPT\n"
#define GCP(id, more)                                                                              \
	"{\"insertId\":\"" id "\",\"jsonPayload\":{\"connection\":{\"src_ip\":\"192.0.2.1\","      \
	"\"dest_ip\":\"192.0.2.2\",\"src_port\":51000,\"dest_port\":443.0,\"protocol\":6},"        \
	"\"reporter\":\"SRC\",\"packets_sent\":\"9\",\"end_time\":\"2026-09-21T14:13:29Z\"" more   \
	"}}"
#define GCP_HEARD " 192.0.2.1 192.0.2.1:51000 > 192.0.2.2:443 6 n=9 - out sampled\n"
#define NSG(tuples)                                                                                \
	"{\"category\":\"NetworkSecurityGroupFlowEvent\",\"macAddress\":\"00005E005301\","         \
	"\"properties\":{\"Version\":2,\"flows\":[{\"rule\":\"r\",\"flows\":[{\"mac\":"            \
	"\"00005E005301\",\"flowTuples\":[" tuples "]}]}]}}"
#define MAC "00:00:5e:00:53:01"

static const struct {
	const char *name, *text, *heard;
} cases[] = {
	{"messages around which other arrays stand",
		"{\"searchedLogStreams\":[{\"events\":1}],\"events\":[{\"message\":\"" R
		"\"},{\"message\":\"" R "\"}],\"nextToken\":\"x\"}",
		"1" R_HEARD "2" R_HEARD},
	{"pages one after the other",
		"{\"events\":[{\"message\":\"" R
		"\"}]}{\"events\":[]}\n{\"events\":[{\"message\":\"" R "\"}]}",
		"1" R_HEARD "2" R_HEARD},
	{"escapes and brackets inside strings",
		"{\"logGroup\":\"}]{[\\\"\\\\\",\"logEvents\":[{\"id\":\"}\\\\\",\"message\":\"" R
		"\"}]}",
		"1" R_HEARD},
	{"the stream's name stands for the interface",
		"{\"logStream\":\"eni-0b-all\",\"logEvents\":[{\"message\":\"2 1 - 192.0.2.7 "
		"192.0.2.10 1 2 6 9 1422 "
		"1790000004 1790000062 ACCEPT OK\"}]}",
		"1 eni-0b 192.0.2.7:1 > 192.0.2.10:2 6 n=9 ACCEPT\n"},
	{"a message without text, and one that is no record",
		"{\"logEvents\":[{\"message\":\"\"},{\"message\":\"hello\"},{\"message\":\"" R
		"\"}]}",
		"! 2 too few columns\n3" R_HEARD},
	{"entries one a line", GCP("a", "") "\n" GCP("b", "") "\n", "1" GCP_HEARD "2" GCP_HEARD},
	{"an entry twice", "[" GCP("a", "") ",\n" GCP("a", "") "]", "1" GCP_HEARD},
	{"a line that breaks off costs itself alone",
		GCP("a", "") "\n{\"insertId\":\"b\",\"jsonPayload\":{\"conn\n" GCP("c", "") "\n",
		"1" GCP_HEARD "! 2 a JSON object that does not end\n3" GCP_HEARD},
	{"an object that breaks off at the end", GCP("a", "") "\n{\"insertId\":",
		"1" GCP_HEARD "! 2 a JSON object that does not end\n"},
	{"words between the entries", GCP("a", "") "\nnull\n" GCP("b", "") "\n",
		"1" GCP_HEARD "! 2 neither an object nor an array\n3" GCP_HEARD},
	{"an end before its start", GCP("a", ",\"start_time\":\"2026-09-21T14:13:30Z\""),
		"! 1 the end is before the start\n"},
	{"not JSON inside", "{\"jsonPayload\":{\"connection\":1,,}}", "! 1 not valid JSON\n"},
	{"events of a push, one a line; one is delivered twice, one carries something else",
		"{\"message\":{\"data\":\"" ENTRY_BASE64
		"\",\"messageId\":\"7\"},\"subscription\":\"s\"}\n"
		"{\"message\":{\"data\":\"" ENTRY_BASE64 "\"}}\n"
		"{\"message\":{\"data\":\"aGVsbG8=\"}}\n{\"message\":{\"attributes\":{}}}\n",
		"1" ENTRY_HEARD},
	{"events of a pull, and a message alone",
		"[{\"ackId\":\"a\",\"message\":{\"data\":\"" ENTRY_BASE64
		"\",\"publishTime\":\"t\"}}]\n{\"data\":\"bnVsbA\",\"messageId\":\"8\"}",
		"1" ENTRY_HEARD},
	{"both directions of a tuple",
		"{\"records\":[" NSG(
			"\"1790000060,192.0.2.7,192.0.2.10,51000,443,T,I,A,E,9,1548,7,5198\"") "]}",
		"1 " MAC " 192.0.2.7:51000 > 192.0.2.10:443 6 n=9 ACCEPT in\n"
		"1 " MAC " 192.0.2.10:443 > 192.0.2.7:51000 6 n=7 ACCEPT out back\n"},
	{"begin, one-sided end, denied",
		NSG("\"1790000004,192.0.2.7,192.0.2.10,51000,443,T,O,A,B,,,,\","
		    "\"1790000060,192.0.2.7,192.0.2.10,51000,443,U,O,A,E,9,1548,0,0\","
		    "\"1790000061,192.0.2.9,192.0.2.10,40022,23,T,I,D,B,,,,\""),
		"1 " MAC " 192.0.2.7:51000 > 192.0.2.10:443 6 n=-1 ACCEPT out\n"
		"2 " MAC " 192.0.2.7:51000 > 192.0.2.10:443 17 n=9 ACCEPT out\n"
		"3 " MAC " 192.0.2.9:40022 > 192.0.2.10:23 6 n=-1 REJECT in\n"},
	{"broken tuples among good ones",
		NSG("\"x\",7,\"1790000004,192.0.2.7,192.0.2.10,51000,443,T,I,A,Q,,,,\","
		    "\"1790000004,192.0.2.7,192.0.2.10,51000,443,T,I,A,B,,,,\""),
		"! 1 a tuple with too few fields\n! 2 a tuple that is no string\n! 3 not a flow "
		"state\n"
		"4 " MAC " 192.0.2.7:51000 > 192.0.2.10:443 6 n=-1 ACCEPT in\n"},
	{"records inside records",
		"{\"records\":[{\"records\":[" NSG(
			"\"1790000004,192.0.2.7,192.0.2.10,1,2,T,I,A,B,,,,\"") "]}]}",
		"1 " MAC " 192.0.2.7:1 > 192.0.2.10:2 6 n=-1 ACCEPT in\n"},
};

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct heard h;
		const char *got;

		hear(&h, cases[i].text, strlen(cases[i].text));
		got = h.text.text ? h.text.text : "";
		if (strcmp(got, cases[i].heard))
			fail_msg("%s\nexpected:\n%sgot:\n%s", cases[i].name, cases[i].heard, got);
		strbuf_release(&h.text);
	}
}

/* Cut anywhere: what was whole before the cut is heard as before, and nothing that was not there.
 */
static void test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t n = 0, size = strlen(cases[i].text); n < size; n++) {
			struct heard h;
			uint64_t records, limit = 0;

			hear(&h, cases[i].text, n);
			records = h.sink.account[FLOWLOG_LINE_RECORD];
			for (const char *p = cases[i].heard; *p; p = strchr(p, '\n') + 1)
				limit += *p != '!';
			if (records > limit)
				fail_msg("%s, first %zu bytes: %llu records", cases[i].name, n,
					(unsigned long long)records);
			strbuf_release(&h.text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
