/* Files of a host: lines, archives, times, and which facts they become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "base/strbuf.h"
#include "hostfile/archive.h"
#include "hostfile/collection.h"
#include "hostfile/reader.h"
#include "hostfile/recognise.h"
#include "hostfile/stamp.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes in memory as a reader_pull, in pieces. */
struct bytes {
	const char *at;
	size_t left, piece;
};

static size_t pull_bytes(void *from, char *to, size_t size)
{
	struct bytes *b = from;
	size_t n = b->left < size ? b->left : size;

	if (b->piece && n > b->piece)
		n = b->piece;
	memcpy(to, b->at, n);
	b->at += n;
	b->left -= n;
	return n;
}

static const struct {
	const char *line;
	size_t length;
	enum stamp_kind kind;
	int64_t ns, within_ns;
} stamps[] = {
	{"[  451.000001] NETDEV", 15, STAMP_UPTIME, 451000001000, 0},
	{"[    1.500000][    T1] x", 23, STAMP_UPTIME, 1500000000, 0},
	{"[Sat Nov 28 10:00:00 2026] x", 27, STAMP_LOCAL, 1795860000 * NSEC_PER_SEC, 999999999},
	{"Nov 28 10:00:00 web x", 16, STAMP_YEARLESS, 36000 * NSEC_PER_SEC, 999999999},
	{"Nov  8 10:00:00.123456 web", 23, STAMP_YEARLESS, 36000123456000, 0},
	{"2026-11-28T10:00:00.5+02:00 x", 28, STAMP_ABSOLUTE, 1795852800500000000, 99999999},
	{"2026-11-28T10:00:00,123456+0000 x", 32, STAMP_ABSOLUTE, 1795860000123456000, 0},
	{"2026-11-28 10:00:00 x", 20, STAMP_LOCAL, 1795860000 * NSEC_PER_SEC, 999999999},
	{"Sat 2026-11-28 10:00:00 UTC web", 28, STAMP_ABSOLUTE, 1795860000 * NSEC_PER_SEC,
		999999999},
	{"Sat 2026-11-28 10:00:00 CET web", 28, STAMP_LOCAL, 1795860000 * NSEC_PER_SEC, 999999999},
	{"Sat Nov 28 10:00:00 UTC 2026", 28, STAMP_ABSOLUTE, 1795860000 * NSEC_PER_SEC, 999999999},
	{"Sat Nov 28 10:00:00 CET 2026", 28, STAMP_LOCAL, 1795860000 * NSEC_PER_SEC, 999999999},
	{"1795860000.123456 web x", 18, STAMP_ABSOLUTE, 1795860000123456000, 0},
	{"10:00:00.123456 IP a > b", 0, STAMP_NONE, 0, 0},
	{"2026-13-28T10:00:00Z", 0, STAMP_NONE, 0, 0},
	{"Nov 28 25:00:00 x", 0, STAMP_NONE, 0, 0},
	{"[link] x", 0, STAMP_NONE, 0, 0},
	{"", 0, STAMP_NONE, 0, 0},
};

static void test_stamps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stamps); i++) {
		struct stamp s;
		size_t n = stamp_take(stamps[i].line, &s);

		if (n != stamps[i].length || s.kind != stamps[i].kind || s.ns != stamps[i].ns ||
			s.within_ns != stamps[i].within_ns)
			fail_msg("%s: length %zu kind %d ns %lld within %lld", stamps[i].line, n,
				(int)s.kind, (long long)s.ns, (long long)s.within_ns);
	}
	for (int year = 1970; year < 2116; year++) {
		assert_int_equal(stamp_year_of(stamp_civil_ns(year, 1, 1)), year);
		assert_int_equal(stamp_year_of(stamp_civil_ns(year, 1, 1) - 1), year - 1);
		assert_int_equal(stamp_year_of(stamp_civil_ns(year, 3, 1) - 1), year);
	}
}

/* Lines at the limit, one beyond it, an empty one, a last one without its end, NULs. */
static void test_lines(void **state)
{
	static const size_t lengths[] = {0, READER_LINE_MAX - 1, READER_LINE_MAX,
		READER_LINE_MAX + 1, 3 * READER_LINE_MAX, 5};
	struct strbuf text = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		for (size_t k = 0; k < lengths[i]; k++)
			strbuf_addc(&text, (char)(k == 2 ? 0 : 'a' + (char)i));
		strbuf_adds(&text, i % 2 ? "\r\n" : "\n");
	}
	strbuf_adds(&text, "end");
	for (size_t piece = 1; piece < 200000; piece = piece * 7 + 1) {
		struct bytes b = {text.text, text.length, piece};
		struct reader r;
		char *line;
		size_t size;

		reader_init(&r, pull_bytes, &b);
		for (size_t i = 0; i < COUNT(lengths); i++) {
			size_t want = lengths[i] < READER_LINE_MAX ? lengths[i] : READER_LINE_MAX;

			assert_true(reader_line(&r, &line, &size));
			assert_int_equal(size, want);
			assert_int_equal(strlen(line), want);
			if (want > 2)
				assert_true(line[2] == ' ' && line[1] == 'a' + (char)i);
		}
		assert_int_equal(r.cut, 2);
		assert_true(reader_line(&r, &line, &size));
		assert_string_equal(line, "end");
		assert_false(reader_line(&r, &line, &size));
		assert_int_equal(r.line, COUNT(lengths) + 1);
		reader_release(&r);
	}
	strbuf_release(&text);
}

/* A member of a ustar archive: name, type, content. */
static void add_member(struct strbuf *out, const char *name, char type, const char *content)
{
	char block[ARCHIVE_BLOCK] = {0};
	size_t n = strlen(content), sum = 0;

	(void)snprintf(block, 100, "%s", name);
	(void)snprintf(block + 124, 12, "%011o", (unsigned)n);
	(void)snprintf(block + 136, 12, "%011o", 1795860000u);
	memset(block + 148, ' ', 8);
	block[156] = type;
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	(void)snprintf(block + 148, 8, "%06o", (unsigned)sum & 0777777);
	strbuf_add(out, block, sizeof(block));
	strbuf_add(out, content, n);
	memset(block, 0, sizeof(block));
	strbuf_add(out, block, (ARCHIVE_BLOCK - n % ARCHIVE_BLOCK) % ARCHIVE_BLOCK);
}

static void test_archive(void **state)
{
	struct strbuf text = STRBUF_INIT;
	struct archive a;
	struct bytes b;
	char content[64];
	size_t n;

	(void)state;
	add_member(&text, "sos/", '5', "");
	add_member(&text, "sos/a", '0', "first");
	add_member(&text, "sos/link", '2', "");
	add_member(&text, "../../etc/passwd", '0', "outside");
	add_member(&text, "sos/../x", '0', "outside");
	add_member(&text, "sos/dev", '3', "");
	add_member(&text, "././@LongLink", 'L', "sos/a..name/that/is/long");
	add_member(&text, "short", '0', "second");
	add_member(&text, "pax", 'x', "23 path=sos/of/the/pax\n");
	add_member(&text, "short", '0', "third");
	assert_true(archive_recognise(text.text, text.length));
	b = (struct bytes){text.text, text.length, 100};
	archive_init(&a, pull_bytes, &b);
	assert_true(archive_next(&a));
	assert_string_equal(a.name, "sos/a");
	assert_int_equal(a.modified_ns, 1795860000 * NSEC_PER_SEC);
	n = archive_pull(&a, content, sizeof(content));
	assert_int_equal(n, 5);
	assert_memory_equal(content, "first", 5);
	assert_int_equal(archive_pull(&a, content, sizeof(content)), 0);
	assert_true(archive_next(&a));
	assert_string_equal(a.name, "sos/a..name/that/is/long");
	assert_true(archive_next(&a));
	assert_string_equal(a.name, "sos/of/the/pax");
	assert_int_equal(archive_pull(&a, content, 2), 2);
	assert_memory_equal(content, "th", 2);
	assert_false(archive_next(&a));
	assert_null(a.failure);
	assert_int_equal(a.members, 3);
	assert_int_equal(a.links, 1);
	assert_int_equal(a.outside, 2);
	assert_int_equal(a.special, 1);
	/* Cut anywhere, it ends, and says so unless the cut is between two members. */
	for (size_t size = 0; size < text.length; size += 37) {
		b = (struct bytes){text.text, size, 0};
		archive_init(&a, pull_bytes, &b);
		while (archive_next(&a))
			;
		assert_true(a.members <= 3);
		if (size % ARCHIVE_BLOCK)
			assert_non_null(a.failure);
	}
	strbuf_release(&text);
}

static void take_fact(void *context, const struct agent_fact *f)
{
	struct strbuf *out = context;
	char text[NSEC_TEXT_SIZE];

	strbuf_printf(out, "%llu %s %s=%s\n", (unsigned long long)f->line,
		f->at_ns != AGENTFACTS_UNDATED ? nsec_format(f->at_ns, text)
		: f->written		       ? f->written
					       : "-",
		f->key, f->value);
}

/* The facts of one file, a line each, after its kind. */
static void read_file(struct collection *c, const char *name, const char *text)
{
	struct hostfile_head head = {.name = name, .bytes = text, .size = strlen(text)};
	const struct hostfile_kind *kind = recognise_kind(&head);
	struct bytes b = {text, strlen(text), 0};
	struct reader r;

	assert_non_null(kind);
	(void)collection_begin_file(c, 1, name, name);
	c->file->kind = kind->name;
	reader_init(&r, pull_bytes, &b);
	kind->parse(&r, c);
	reader_release(&r);
}

static void expect_facts(
	const struct collection_options *o, const char *name, const char *text, const char *wanted)
{
	CLEANUP_STRBUF struct strbuf got = STRBUF_INIT;
	struct collection c;

	strbuf_adds(&got, "");
	collection_init(&c, o);
	read_file(&c, name, text);
	strbuf_printf(
		&got, "%s malformed=%llu\n", c.file->kind, (unsigned long long)c.file->malformed);
	collection_finish(&c, take_fact, &got);
	if (strcmp(got.text, wanted) != 0)
		fail_msg("%s:\n%s\nwanted:\n%s", name, got.text, wanted);
	collection_release(&c);
}

static const struct collection_options nothing_said = {0};
static const struct collection_options year_and_zone = {
	.year = 2027, .zone_known = true, .zone_ns = 3600 * NSEC_PER_SEC};

static const struct {
	const char *name, *text, *facts;
	const struct collection_options *options;
} logs[] = {
	{"RFC 3164, nothing known",
		"Nov 28 10:05:31 xen1 kernel: [  451.000001] NETDEV WATCHDOG: eth0 (r8169): "
		"transmit queue 0 timed out\n"
		"Nov 28 10:05:32 xen1 CRON[12]: (root) link up\n"
		"garbage\nNov 28 10:05:33 xen1 kernel: usb\n",
		"log malformed=1\n1 Nov 28 10:05:31 kernel.log=message=NETDEV WATCHDOG: eth0 "
		"(r8169): transmit queue 0 timed out\n",
		&nothing_said},
	{"RFC 3164 over a new year",
		"Dec 31 23:59:59 a kernel: eth0: link down\nJan  1 00:00:01 a kernel: eth0: link "
		"up\n",
		"log malformed=0\n1 2026-12-31T22:59:59.000000000Z kernel.log=message=eth0: link "
		"down\n2 2026-12-31T23:00:01.000000000Z kernel.log=message=eth0: link up\n",
		&year_and_zone},
	{"rsyslog's times",
		"2026-11-28T10:05:31.123456+02:00 a kernel: [1.5] eth0: link down\n"
		"2026-11-28T10:05:31.123456+02:00 a Keepalived_vrrp[77]: (VI_1) Entering BACKUP "
		"STATE\n",
		"log malformed=0\n1 2026-11-28T08:05:31.123456000Z kernel.log=message=eth0: link "
		"down\n2 2026-11-28T08:05:31.123456000Z service.log=service=keepalived "
		"message=(VI_1) Entering BACKUP STATE\n",
		&nothing_said},
	{"RFC 5424",
		"<4>1 2026-11-28T10:05:31.123Z a kernel - - - eth0: link down\n"
		"<30>1 2026-11-28T10:05:32Z a haproxy 12 - [x@1 y=\"z\"] Server b/s is DOWN\n",
		"log malformed=0\n1 2026-11-28T10:05:31.123000000Z kernel.log=level=4 "
		"message=eth0: link down\n2 2026-11-28T10:05:32.000000000Z service.log="
		"service=haproxy level=6 message=Server b/s is DOWN\n",
		&nothing_said},
	{"dmesg",
		"[    0.000000] Linux version 6.1\n<4>[   12.500000] eth0: link down\n"
		"[   13.500000] r8169 eth0: link up\n[   13.600000] systemd[1]: a link up: x\n",
		"log malformed=0\n2 [   12.500000] kernel.log=level=4 message=eth0: link down\n"
		"3 [   13.500000] kernel.log=message=r8169 eth0: link up\n"
		"4 [   13.600000] kernel.log=message=systemd[1]: a link up: x\n",
		&year_and_zone},
	{"dmesg -T", "[Sat Nov 28 10:05:31 2026] eth0: link down\n",
		"log malformed=0\n1 2026-11-28T09:05:31.000000000Z kernel.log=message=eth0: link "
		"down\n",
		&year_and_zone},
	{"dmesg -x --time-format iso",
		"kern  :warn  : 2026-11-28T10:05:31,123456+00:00 eth0: link down\n",
		"log malformed=0\n1 2026-11-28T10:05:31.123456000Z kernel.log=level=4 "
		"message=eth0: link down\n",
		&nothing_said},
	{"journalctl -o short-full",
		"-- Boot 5f3c --\nSat 2026-11-28 10:05:31 UTC a kernel: eth0: link down\n",
		"log malformed=0\n2 2026-11-28T10:05:31.000000000Z kernel.log=message=eth0: link "
		"down\n",
		&nothing_said},
	{"journalctl -o short-monotonic", "[   12.500000] a kernel: eth0: link down\n",
		"log malformed=0\n1 [   12.500000] kernel.log=message=eth0: link down\n",
		&nothing_said},
};

static void test_logs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(logs); i++)
		expect_facts(logs[i].options, logs[i].name, logs[i].text, logs[i].facts);
}

/* Nothing else is taken for one. */
static void test_not_recognised(void **state)
{
	static const char *const texts[] = {"", "nothing that is known\n",
		"10:00:00.123456 IP 10.0.0.1.80 > 10.0.0.2.1024: Flags [S]\n",
		"2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 "
		"4249 "
		"1418530010 1418530070 ACCEPT OK\n",
		"2026-09-21T14:13:24.000Z 2 123456789010 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1 2 "
		"ACCEPT OK\n",
		"10.0.1.90 dev eth0 lladdr 00:00:01:fc:b3:48 STALE\n", "{\"a\": 1}\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct hostfile_head head = {
			.name = "", .bytes = texts[i], .size = strlen(texts[i])};

		if (recognise_kind(&head))
			fail_msg("%s: taken for %s", texts[i], recognise_kind(&head)->name);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_archive),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_not_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
