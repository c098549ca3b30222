#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/nsec.h"
#include "base/strbuf.h"
#include "flowlog/format/aws.h"

/* What came out, as one line of text for each record and problem. */
struct heard {
	struct flowlog_sink sink;
	struct strbuf text;
};

static void add_number(struct strbuf *sb, const char *name, int64_t v)
{
	if (v == FLOWLOG_NONE || v == -1)
		strbuf_printf(sb, " %s=-", name);
	else
		strbuf_printf(sb, " %s=%lld", name, (long long)v);
}

static void add_text(struct strbuf *sb, const char *name, struct flowlog_text t)
{
	if (t.length)
		strbuf_printf(sb, " %s=%.*s", name, (int)t.length, t.at);
}

static void on_record(void *context, const struct flowlog_record *r)
{
	static const char *const actions[] = {"-", "ACCEPT", "REJECT"};
	static const char *const statuses[] = {"-", "OK", "NODATA", "SKIPDATA"};
	static const char *const directions[] = {"-", "ingress", "egress"};
	struct strbuf *sb = &((struct heard *)context)->text;

	strbuf_printf(sb, "%s", statuses[r->status]);
	add_text(sb, "if", r->interface);
	add_text(sb, "src", r->src.text);
	add_text(sb, "dst", r->dst.text);
	add_text(sb, "psrc", r->pkt_src.text);
	add_text(sb, "pdst", r->pkt_dst.text);
	add_number(sb, "sp", r->src_port);
	add_number(sb, "dp", r->dst_port);
	add_number(sb, "proto", r->protocol);
	add_number(sb, "n", r->packets);
	add_number(sb, "b", r->bytes);
	add_number(
		sb, "s", r->start_ns == FLOWLOG_NONE ? FLOWLOG_NONE : r->start_ns / NSEC_PER_MSEC);
	add_number(sb, "e", r->end_ns == FLOWLOG_NONE ? FLOWLOG_NONE : r->end_ns / NSEC_PER_MSEC);
	strbuf_printf(sb, " %s", actions[r->action]);
	add_number(sb, "f", r->tcp_flags);
	strbuf_printf(sb, " %s", directions[r->direction]);
	add_text(sb, "detail", r->detail);
	strbuf_addc(sb, '\n');
}

static void on_problem(void *context, uint64_t line, const char *reason, const void *text, size_t n)
{
	struct strbuf *sb = &((struct heard *)context)->text;

	strbuf_printf(sb, "! %llu %s: %.*s\n", (unsigned long long)line, reason,
		(int)(n < 20 ? n : 20), (const char *)text);
}

static void hear(struct heard *h, const char *format, const char *lines)
{
	struct aws_reader *aws;
	uint64_t number = 1;

	*h = (struct heard){.sink = {.record = on_record, .problem = on_problem}};
	h->sink.context = h;
	aws = aws_reader_new(&h->sink, format);
	for (const char *end; *lines; lines = *end ? end + 1 : end) {
		end = strchrnul(lines, '\n');
		aws_line(aws, number++, lines, (size_t)(end - lines), NULL);
	}
	(void)aws_reader_free(aws);
}

#define ENI "eni-0aaa1111bbbb2222c"
#define OK_REST "proto=6 n=9 b=1422 s=1790000004000 e=1790000062000 ACCEPT f=- -\n"

static const struct {
	const char *name, *format, *lines, *heard;
} cases[] = {
	{"the default layout", NULL,
		"2 111122223333 " ENI
		" 203.0.113.7 192.0.2.10 51000 443 6 9 1422 1790000004 1790000062 ACCEPT OK",
		"OK if=" ENI " src=203.0.113.7 dst=192.0.2.10 sp=51000 dp=443 " OK_REST},
	{"runs of blanks, tabs, carriage return", NULL,
		"2  111122223333\t" ENI
		" 203.0.113.7 192.0.2.10 51000 443 6 9  1422 1790000004 1790000062 "
		"ACCEPT OK \r",
		"OK if=" ENI " src=203.0.113.7 dst=192.0.2.10 sp=51000 dp=443 " OK_REST},
	{"NODATA and SKIPDATA stay apart", NULL,
		"2 111122223333 " ENI " - - - - - - - 1790000064 1790000122 - NODATA\n"
		"2 unknown " ENI " - - - - - - - 1790000064 1790000122 - SKIPDATA",
		"NODATA if=" ENI
		" sp=- dp=- proto=- n=- b=- s=1790000064000 e=1790000122000 - f=- -\n"
		"SKIPDATA if=" ENI
		" sp=- dp=- proto=- n=- b=- s=1790000064000 e=1790000122000 - f=- -\n"},
	{"milliseconds, and None for a hyphen", NULL,
		"2 111122223333 " ENI
		" None None None None None None None 1790000064123 1790000122999 None SKIPDATA",
		"SKIPDATA if=" ENI
		" sp=- dp=- proto=- n=- b=- s=1790000064123 e=1790000122999 - f=- -\n"},
	{"IPv6 in its canonical form; no ports for ICMPv6", NULL,
		"2 1 " ENI
		" 2001:DB8:0:0:0:0:0:1 2001:db8::2 0 0 58 1 104 1790000004 1790000062 ACCEPT OK",
		"OK if=" ENI
		" src=2001:db8::1 dst=2001:db8::2 sp=- dp=- proto=58 n=1 b=104 s=1790000004000 "
		"e=1790000062000 ACCEPT f=- -\n"},
	{"custom layout; the version does not tell it; pkt addresses only where they differ", NULL,
		"version interface-id flow-direction pkt-srcaddr pkt-dstaddr srcaddr dstaddr "
		"srcport dstport "
		"protocol tcp-flags packets bytes start end action log-status traffic-path\n"
		"5 " ENI " ingress 203.0.113.7 192.0.2.11 203.0.113.7 192.0.2.10 51002 443 6 2 3 "
			 "180 1790000130 "
		"1790000160 ACCEPT OK -\n"
		"5 " ENI " egress 192.0.2.10 203.0.113.7 192.0.2.10 203.0.113.7 443 51002 6 18 3 "
			 "180 1790000130 "
		"1790000160 ACCEPT OK 8",
		"OK if=" ENI
		" src=203.0.113.7 dst=192.0.2.10 pdst=192.0.2.11 sp=51002 dp=443 proto=6 n=3 b=180 "
		"s=1790000130000 e=1790000160000 ACCEPT f=2 ingress\n"
		"OK if=" ENI
		" src=192.0.2.10 dst=203.0.113.7 sp=443 dp=51002 proto=6 n=3 b=180 s=1790000130000 "
		"e=1790000160000 ACCEPT f=18 egress detail={\"traffic-path\":\"8\"}\n"},
	{"a second header changes the layout; an unknown name is said and kept", NULL,
		"srcaddr dstaddr packets\n192.0.2.1 192.0.2.2 3\npackets new-thing srcaddr "
		"dstaddr\n4 x\"y 192.0.2.1 "
		"192.0.2.2",
		"OK src=192.0.2.1 dst=192.0.2.2 sp=- dp=- proto=- n=3 b=- s=- e=- - f=- -\n"
		"! 3 unknown column, kept in detail: new-thing\n"
		"OK src=192.0.2.1 dst=192.0.2.2 sp=- dp=- proto=- n=4 b=- s=- e=- - f=- - "
		"detail={\"new-thing\":\"x\\\"y\"}\n"},
	{"a LogFormat string", "${srcaddr} ${dstaddr} ${action}", "192.0.2.1 192.0.2.2 REJECT",
		"OK src=192.0.2.1 dst=192.0.2.2 sp=- dp=- proto=- n=- b=- s=- e=- REJECT f=- -\n"},
	{"names with underscores, as Athena has them", NULL,
		"interface_id srcaddr dstaddr log_status\n" ENI " 192.0.2.1 192.0.2.2 OK",
		"OK if=" ENI
		" src=192.0.2.1 dst=192.0.2.2 sp=- dp=- proto=- n=- b=- s=- e=- - f=- -\n"},
	{"an export task's time in front, and a blank line", NULL,
		"\n2026-09-21T14:13:24.000Z 2 111122223333 " ENI
		" 203.0.113.7 192.0.2.10 51000 443 6 9 1422 1790000004 1790000062 ACCEPT OK",
		"OK if=" ENI " src=203.0.113.7 dst=192.0.2.10 sp=51000 dp=443 " OK_REST},
	{"a number too large", NULL,
		"2 1 " ENI
		" 192.0.2.1 192.0.2.2 1 2 6 99999999999999999999 1 1790000004 1790000062 ACCEPT OK",
		"! 1 not a packet count: 2 1 eni-0aaa1111bbbb\n"},
	{"a port above 65535", NULL,
		"2 1 " ENI " 192.0.2.1 192.0.2.2 65536 2 6 9 1 1790000004 1790000062 ACCEPT OK",
		"! 1 not a source port: 2 1 eni-0aaa1111bbbb\n"},
	{"end before start", NULL,
		"2 1 " ENI " 192.0.2.1 192.0.2.2 1 2 6 9 1 1790000062 1790000004 ACCEPT OK",
		"! 1 the end is before the start: 2 1 eni-0aaa1111bbbb\n"},
	{"an address with a leading zero", NULL,
		"2 1 " ENI " 192.0.2.01 192.0.2.2 1 2 6 9 1 1790000004 1790000062 ACCEPT OK",
		"! 1 not a source address: 2 1 eni-0aaa1111bbbb\n"},
	{"too few columns", NULL, "2 1 " ENI " 192.0.2.1",
		"! 1 too few columns: 2 1 eni-0aaa1111bbbb\n"},
	{"more columns than the layout has", "srcaddr dstaddr", "192.0.2.1 192.0.2.2 6 7",
		"! 1 more columns than the layout has; the first ones are used: 6 7\n"
		"OK src=192.0.2.1 dst=192.0.2.2 sp=- dp=- proto=- n=- b=- s=- e=- - f=- -\n"},
	{"a regional NAT gateway names itself by resource-id",
		"interface-id resource-id srcaddr dstaddr", "- nat-0123 192.0.2.1 192.0.2.2",
		"OK if=nat-0123 src=192.0.2.1 dst=192.0.2.2 sp=- dp=- proto=- n=- b=- s=- e=- - "
		"f=- - "
		"detail={\"resource-id\":\"nat-0123\"}\n"},
	{"an unknown action", NULL,
		"2 1 " ENI " 192.0.2.1 192.0.2.2 1 2 6 9 1 1790000004 1790000062 MAYBE OK",
		"! 1 not an action: 2 1 eni-0aaa1111bbbb\n"},
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct heard h;
		char *got;

		hear(&h, cases[i].format, cases[i].lines);
		got = h.text.text ? h.text.text : (char[]){""};
		if (strcmp(got, cases[i].heard))
			fail_msg("%s\nexpected:\n%sgot:\n%s", cases[i].name, cases[i].heard, got);
		strbuf_release(&h.text);
	}
}

/* Whatever is cut off: every line has exactly one disposition, and no byte behind the end is read.
 */
static void test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i].lines);

		for (size_t n = 0; n <= size; n++) {
			char copy[2048];
			uint64_t lines = 0, counted = 0;
			struct heard h;

			memcpy(copy, cases[i].lines, n);
			copy[n] = 0;
			for (size_t k = 0; k < n; k++)
				lines += copy[k] == '\n' || k + 1 == n;
			hear(&h, cases[i].format, copy);
			for (int d = 0; d < FLOWLOG_DISPOSITIONS; d++)
				counted += h.sink.account[d];
			if (lines != counted)
				fail_msg("%s, first %zu bytes: %llu lines, %llu counted",
					cases[i].name, n, (unsigned long long)lines,
					(unsigned long long)counted);
			strbuf_release(&h.text);
		}
	}
}

static void test_layouts(void **state)
{
	struct layout l;

	(void)state;
	assert_true(layout_parse(&l, layout_default, strlen(layout_default)));
	assert_int_equal(l.columns, 14);
	assert_int_equal(l.unknown, 0);
	assert_true(layout_parse(&l, layout_transit_gateway, strlen(layout_transit_gateway)));
	assert_int_equal(l.columns, 36);
	assert_int_equal(l.unknown, 0);
	assert_true(l.transit_gateway);
	assert_false(layout_parse(&l, "hello world", 11));
	assert_false(layout_parse(&l, "192.0.2.1 192.0.2.2", 19));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_layouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
