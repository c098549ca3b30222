/* The agent's parts that need no kernel: what is cut from frames, escaping, facts, torn files,
 * names. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "comments.h"
#include "fact.h"
#include "options.h"
#include "pcapng.h"
#include "repair.h"
#include "ring.h"
#include "siphash.h"
#include "trim.h"

/* Bytes that end right before a page that faults. */
static uint8_t *guarded(const uint8_t *bytes, size_t n)
{
	static uint8_t *pages;

	if (!pages) {
		pages = mmap(
			NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_true(pages != MAP_FAILED);
		assert_int_equal(mprotect(pages + 4096, 4096, PROT_NONE), 0);
	}
	memcpy(pages + 4096 - n, bytes, n);
	return pages + 4096 - n;
}

#define ETHER 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define IP4(proto, frag)                                                                           \
	0x45, 0, 0, 60, 0, 1, frag >> 8, frag & 255, 64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2
#define TCP(words) 0, 80, 0, 81, 0, 0, 0, 1, 0, 0, 0, 2, words << 4, 16, 0, 1, 0, 0, 0, 0
#define IP6(next)                                                                                  \
	0x60, 0, 0, 0, 0, 20, next, 64, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3,   \
		4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8

#define UDP(port, length) 0x30, 0x39, port >> 8, port & 255, (length) >> 8, (length)&255, 0, 0
#define VXLAN 8, 0, 0, 0, 0, 0, 11, 0

static const struct {
	const char *name;
	uint16_t link_type;
	uint8_t bytes[192];
	uint32_t length, kept;
} trims[] = {
	{"TCP with options", 1, {ETHER, 8, 0, IP4(6, 0), TCP(8)}, 100, 14 + 20 + 32},
	{"TCP with a header length below its minimum", 1, {ETHER, 8, 0, IP4(6, 0), TCP(2)}, 100,
		14 + 20 + 20},
	{"UDP behind two VLAN tags", 1, {ETHER, 0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0, IP4(17, 0)},
		100, 22 + 20 + 8},
	{"a later fragment", 1, {ETHER, 8, 0, IP4(17, 0x00b9)}, 100, 14 + 20},
	{"ICMP stays whole", 1, {ETHER, 8, 0, IP4(1, 0)}, 100, 100},
	{"VRRP stays whole", 1, {ETHER, 8, 0, IP4(112, 0)}, 100, 100},
	{"ARP stays whole", 1, {ETHER, 8, 6}, 42, 42},
	{"IPv6 TCP", 1, {ETHER, 0x86, 0xdd, IP6(6), TCP(5)}, 100, 14 + 40 + 20},
	{"IPv6 UDP behind hop-by-hop", 1, {ETHER, 0x86, 0xdd, IP6(0), 17, 0, 1, 4, 0, 0, 0, 0}, 100,
		14 + 40 + 8 + 8},
	{"IPv6 later fragment", 1, {ETHER, 0x86, 0xdd, IP6(44), 6, 0, 0, 8, 0, 0, 0, 1}, 100,
		14 + 40 + 8},
	{"cooked v2", 276,
		{8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 4, 6, 0, 0, 0, 0, 0, 0, 0, 0, IP4(6, 0), TCP(5)},
		100, 20 + 20 + 20},
	{"TCP inside VXLAN", 1,
		{ETHER, 8, 0, IP4(17, 0), UDP(4789, 90), VXLAN, ETHER, 8, 0, IP4(6, 0), TCP(8)},
		160, 14 + 20 + 8 + 8 + 14 + 20 + 32},
	{"ARP inside VXLAN stays whole", 1,
		{ETHER, 8, 0, IP4(17, 0), UDP(8472, 58), VXLAN, ETHER, 8, 6}, 92, 92},
	{"another frame inside VXLAN is payload", 1,
		{ETHER, 8, 0, IP4(17, 0), UDP(4789, 90), VXLAN, ETHER, 0x88, 0xcc}, 100,
		14 + 20 + 8},
	{"a datagram to the port of VXLAN that is none", 1,
		{ETHER, 8, 0, IP4(17, 0), UDP(4789, 90), 0, 0, 0, 0, 0, 0, 11, 0, ETHER, 8, 0,
			IP4(6, 0), TCP(8)},
		160, 14 + 20 + 8},
	{"UDP in IPv6 inside Geneve with an option", 1,
		{ETHER, 8, 0, IP4(17, 0), UDP(6081, 90), 1, 0, 0x65, 0x58, 0, 0, 11, 0, 1, 2, 3, 4,
			ETHER, 0x86, 0xdd, IP6(17), UDP(99, 40)},
		150, 14 + 20 + 8 + 12 + 14 + 40 + 8},
	{"TCP inside GRE with a key", 1,
		{ETHER, 8, 0, IP4(47, 0), 0x20, 0, 8, 0, 0, 0, 0, 7, IP4(6, 0), TCP(5)}, 140,
		14 + 20 + 8 + 20 + 20},
	{"PPP inside GRE", 1, {ETHER, 8, 0, IP4(47, 0), 0x30, 1, 0x88, 0x0b}, 140, 14 + 20 + 16},
	{"UDP inside IP in IP", 1, {ETHER, 8, 0, IP4(4, 0), IP4(17, 0), UDP(99, 40)}, 140,
		14 + 20 + 20 + 8},
	{"IPv6 in IPv4", 1, {ETHER, 8, 0, IP4(41, 0), IP6(6), TCP(5)}, 140, 14 + 20 + 40 + 20},
	{"TCP inside GTP-U with an extension", 1,
		{ETHER, 8, 0, IP4(17, 0), UDP(2152, 90), 0x34, 255, 0, 60, 0, 0, 0, 1, 0, 0, 0,
			0x85, 1, 0x10, 9, 0, IP4(6, 0), TCP(5)},
		140, 14 + 20 + 8 + 8 + 4 + 4 + 20 + 20},
	{"an echo of GTP-U is no tunnel", 1,
		{ETHER, 8, 0, IP4(17, 0), UDP(2152, 90), 0x32, 1, 0, 60}, 100, 14 + 20 + 8},
	{"VXLAN inside VXLAN", 1,
		{ETHER, 8, 0, IP4(17, 0), UDP(4789, 150), VXLAN, ETHER, 8, 0, IP4(17, 0),
			UDP(4789, 100), VXLAN, ETHER, 8, 0, IP4(17, 0), UDP(99, 40)},
		190, 14 + 28 + 8 + 14 + 28 + 8 + 14 + 28},
	{"WireGuard's counter", 1, {ETHER, 8, 0, IP4(17, 0), UDP(51820, 8 + 64), 4, 0, 0, 0, 1},
		100, 14 + 20 + 8 + 16},
	{"not WireGuard's length", 1, {ETHER, 8, 0, IP4(17, 0), UDP(51820, 8 + 60), 4, 0, 0, 0, 1},
		100, 14 + 20 + 8},
	{"DTLS's record number", 1,
		{ETHER, 8, 0, IP4(17, 0), UDP(443, 8 + 60), 23, 0xfe, 0xfd, 0, 1}, 100,
		14 + 20 + 8 + 16},
	{"ESP's number", 1, {ETHER, 8, 0, IP4(50, 0)}, 100, 14 + 20 + 16},
	{"RoCE's number", 1, {ETHER, 8, 0, IP4(17, 0), UDP(4791, 80)}, 100, 14 + 20 + 8 + 16},
	{"a datagram that ICMP quotes", 1,
		{ETHER, 8, 0, IP4(1, 0), 3, 3, 0, 0, 0, 0, 0, 0, IP4(17, 0), UDP(99, 60)}, 140,
		14 + 20 + 8 + 28},
	{"eight bytes of TCP that ICMP quotes", 1,
		{ETHER, 8, 0, IP4(1, 0), 3, 4, 0, 0, 0, 0, 5, 0, IP4(6, 0), 0, 80},
		14 + 20 + 8 + 28, 14 + 20 + 8 + 28},
	{"a datagram that ICMPv6 quotes", 1,
		{ETHER, 0x86, 0xdd, IP6(58), 1, 4, 0, 0, 0, 0, 0, 0, IP6(17), UDP(99, 60)}, 160,
		14 + 40 + 8 + 48},
	{"an echo of ICMPv6 stays whole", 1, {ETHER, 0x86, 0xdd, IP6(58), 128}, 100, 100},
	{"raw IP", 12, {IP4(6, 0), TCP(5)}, 90, 40},
	{"an unknown link type stays whole", 147, {0}, 90, 90},
};

static void test_trim(void **state)
{
	size_t i;
	struct trim_payload payload;
	uint32_t n, kept;
	uint8_t *p;

	(void)state;
	for (i = 0; i < sizeof(trims) / sizeof(*trims); i++) {
		for (n = 0; n <= trims[i].length; n++) {
			p = guarded(trims[i].bytes, n);
			kept = trim_frame(trims[i].link_type, p, n, &payload);
			if (payload.at && (payload.at != p + kept || kept + payload.length > n))
				fail_msg("%s: payload beyond %u bytes", trims[i].name, n);
			if (kept > n || (n == trims[i].length && kept != trims[i].kept))
				fail_msg("%s: %u of %u kept", trims[i].name, kept, n);
		}
	}
}

/* The payload that a datagram's own length tells: no padding behind it, none of TCP, none where it
 * was cut or is kept. */
static void test_trim_payload(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[128];
		uint32_t captured, length;
	} cases[] = {
		{"padded", {ETHER, 8, 0, IP4(17, 0), UDP(99, 8 + 5)}, 60, 5},
		{"cut by one byte", {ETHER, 8, 0, IP4(17, 0), UDP(99, 8 + 60)}, 14 + 28 + 59, 0},
		{"whole", {ETHER, 8, 0, IP4(17, 0), UDP(99, 8 + 60)}, 14 + 28 + 60, 60},
		{"none", {ETHER, 8, 0, IP4(17, 0), UDP(99, 8)}, 60, 0},
		{"a length below the header's", {ETHER, 8, 0, IP4(17, 0), UDP(99, 7)}, 60, 0},
		{"TCP", {ETHER, 8, 0, IP4(6, 0), TCP(5)}, 100, 0},
		{"quoted",
			{ETHER, 8, 0, IP4(1, 0), 3, 3, 0, 0, 0, 0, 0, 0, IP4(17, 0),
				UDP(99, 8 + 5)},
			14 + 20 + 8 + 28 + 5, 0},
		{"a counter in clear", {ETHER, 8, 0, IP4(17, 0), UDP(51820, 8 + 64), 4, 0, 0, 0, 1},
			14 + 28 + 64, 0},
		{"inside GRE", {ETHER, 8, 0, IP4(47, 0), 0, 0, 8, 0, IP4(17, 0), UDP(99, 8 + 40)},
			14 + 20 + 4 + 28 + 40, 40},
	};
	struct trim_payload payload;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		(void)trim_frame(
			1, guarded(cases[i].bytes, cases[i].captured), cases[i].captured, &payload);
		if (payload.length != cases[i].length || !payload.at != !cases[i].length)
			fail_msg("%s: %u bytes of payload", cases[i].name, payload.length);
	}
}

/* The vectors that SipHash's authors published (vectors.h, key and input 0, 1, 2 ...). */
static void test_siphash(void **state)
{
	static const struct {
		size_t size;
		uint64_t hash;
	} vectors[] = {{0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd}, {7, 0xab0200f58b01d137},
		{8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5}, {63, 0x958a324ceb064572}};
	uint8_t bytes[64];

	(void)state;
	for (uint8_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		assert_true(siphash(bytes, guarded(bytes, vectors[i].size), vectors[i].size) ==
			    vectors[i].hash);
}

static int read_key(const char *text, mode_t mode, struct payload_key *ret, struct error *err)
{
	char path[] = "/tmp/agent-key-XXXXXX";
	int fd = mkstemp(path), r;

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	r = payload_key_read(ret, path, err);
	unlink(path);
	return r;
}

/* What openssl mac SIPHASH says of the same bytes. */
static void test_payload_hash(void **state)
{
	static const char payload[] = "SECRETOFTHEPAYLOAD";
	static const struct {
		const char *text;
		mode_t mode;
		const char *says;
	} wrong[] = {{"00112233445566778899aabbccddeef", 0600, "not a key of 32 hex digits"},
		{"00112233445566778899aabbccddeeff0", 0600, "not a key of 32 hex digits"},
		{"", 0600, "not a key of 32 hex digits"},
		{"00112233445566778899aabbccddeexx", 0600, "not a key of 32 hex digits"},
		{"00000000000000000000000000000000", 0600, "no secret"},
		{"00112233445566778899aabbccddeeff", 0640, "chmod 600"}};
	char text[PAYLOAD_HASH_LENGTH];
	struct payload_hash h;
	struct payload_key key;

	(void)state;
	payload_key_public(&key);
	h = payload_hash_of(&key, (const uint8_t *)payload, sizeof(payload) - 1);
	payload_hash_text(text, &h);
	assert_memory_equal(text, "payload-hash c49bd630 f3fdf253 d08113b3", sizeof(text));
	assert_int_equal(read_key("00112233445566778899aabbccddEEFF\n", 0600, &key, NULL), 0);
	h = payload_hash_of(&key, (const uint8_t *)payload, sizeof(payload) - 1);
	payload_hash_text(text, &h);
	assert_memory_equal(text, "payload-hash 25c822f6 0a0edd92 327e8d64", sizeof(text));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct error err = ERROR_INIT;

		assert_true(read_key(wrong[i].text, wrong[i].mode, &key, &err) < 0);
		assert_non_null(strstr(err.text, wrong[i].says));
	}
}

static void test_escape(void **state)
{
	static const char *const cases[][2] = {{"plain \xc3\xa9", "plain \xc3\xa9"},
		{"a\\b\nc", "a\\\\b\\nc"}, {"\x01\x7f", "\\x01\\x7f"}, {"\xff", "\\xff"},
		{"\xc0\xaf", "\\xc0\\xaf"}, {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"}, {"\xe2\x82", "\\xe2\\x82"}};
	struct strbuf out CLEANUP_STRBUF = STRBUF_INIT;
	char word[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		strbuf_reset(&out);
		comments_escape(&out, cases[i][0]);
		assert_string_equal(out.text, cases[i][1]);
	}
	assert_string_equal(comments_word(word, sizeof(word), "eth0.100 =x"), "eth0%2e100%20%3dx");
	strbuf_reset(&out);
	comments_json(&out, 7, "k", "a\"\\\n\xff");
	assert_string_equal(
		out.text, "{\"at_ns\":7,\"key\":\"k\",\"value\":\"a\\\"\\\\\\u000a\\\\xff\"}\n");
}

/* Facts never split, each comment begins with the line that says what it is. */
static void test_comments(void **state)
{
	struct comments c = {0};
	char value[2000];
	size_t i, length, facts = 0;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	comments_begin(&c, 5);
	for (i = 0; i < 100; i++)
		comments_add(&c, 5 + (int64_t)i % 2, "key", value);
	comments_end(&c);
	assert_true(c.count >= 4);
	for (i = 0; i < c.count; i++) {
		const char *text = comments_get(&c, i, &length);

		assert_true(length <= COMMENT_MAX && text[length - 1] == '\n');
		assert_memory_equal(text, "bothends-facts 1 at_ns=5\n", 25);
		facts += (length - 25) / 2004; /* every second line has its time as well */
	}
	assert_int_equal(facts, 100);
	comments_release(&c);
}

static char *drained(struct facts *f, struct strbuf *out)
{
	struct fact_out to = {NULL, out};

	strbuf_reset(out);
	strbuf_adds(out, "");
	fact_drain(f, &to);
	return out->text;
}

static void test_facts(void **state)
{
	struct strbuf out CLEANUP_STRBUF = STRBUF_INIT;
	struct facts *f = fact_new();
	int i;

	(void)state;
	fact_begin(f, 10);
	fact_put(f, "1", "a.%d", 1);
	fact_put(f, "2", "b");
	fact_end(f);
	assert_non_null(strstr(drained(f, &out), "\"key\":\"a.1\",\"value\":\"1\""));
	fact_begin(f, 20);
	fact_put(f, "1", "a.%d", 1);
	assert_string_equal(fact_get(f, "b"), "2");
	fact_end(f);
	assert_null(fact_get(f, "b"));		   /* not put in the last round: no longer known */
	assert_string_equal(drained(f, &out), ""); /* unchanged: nothing */
	fact_event(f, 15, "mark", "x");
	assert_string_equal(drained(f, &out), "{\"at_ns\":15,\"key\":\"mark\",\"value\":\"x\"}\n");
	for (i = 0; i < 2; i++) {
		/* The same members in another order, with other ages, are the same set. */
		fact_begin(f, 30 + i);
		fact_set_begin(f, "n");
		fact_set_add(f, i ? "two" : "one", i ? "two age=2" : "one age=1");
		fact_set_add(f, i ? "one" : "two", i ? "one age=2" : "two age=1");
		fact_set_end(f, 0, false);
		fact_end(f);
		assert_int_equal(
			strstr(drained(f, &out), "\"key\":\"n.count\",\"value\":\"2\"") != NULL,
			!i);
	}
	for (i = 0; i < 3000; i++)
		fact_put(f, "v", "many.%d", i);
	assert_string_equal(fact_get(f, "many.2999"), "v");
	fact_free(f);
}

static void section_and_packets(struct strbuf *file, int packets)
{
	uint8_t block[256];
	uint8_t data[61] = {1};
	struct record r = {
		.data = data, .cap_len = sizeof(data), .wire_len = 100, .flags = PCAPNG_INBOUND};

	pcapng_add_section(file, &(struct pcapng_section){.os = "Linux"});
	pcapng_add_interface(file,
		&(struct pcapng_interface){
			.link_type = 1, .name = "eth0", .addresses = "10.0.0.1/24 fe80::1/64"});
	while (packets--)
		strbuf_add(file, block, pcapng_put_packet(block, 0, &r, (uint64_t)packets));
}

/* A comment follows the packet, padded, and the block stays within what was reserved for it. */
static void test_packet_comment(void **state)
{
	static const char text[] = "kernel-drop reason=TCP_CSUM";
	static const struct payload_hash hash = {1, 2, 3};
	uint8_t block[61 + 27 + PCAPNG_PACKET_EXTRA], data[61] = {1};
	uint32_t length = 0, n, cut;

	(void)state;
	for (n = 0; n < sizeof(text); n++)
		for (cut = 57; cut <= sizeof(data); cut++) {
			struct record r = {.data = data,
				.cap_len = cut,
				.wire_len = 100,
				.flags = PCAPNG_OUTBOUND,
				.comment = text,
				.comment_length = n,
				.hash = n % 2 ? &hash : NULL};
			uint32_t at = 28 + (cut + 3) / 4 * 4 + 8; /* behind data and flags */

			length = pcapng_put_packet(block, 0, &r, 7);
			assert_true(length % 4 == 0 && length <= cut + n + PCAPNG_PACKET_EXTRA);
			assert_int_equal(block[at], PCAPNG_OPT_COMMENT);
			assert_int_equal(block[at + 2], n);
			assert_memory_equal(block + at + 4, text, n);
			at += 4 + (n + 3) / 4 * 4;
			if (r.hash) {
				assert_int_equal(block[at], PCAPNG_OPT_COMMENT);
				assert_memory_equal(block + at + 4,
					"payload-hash 00000001 00000002 00000003", block[at + 2]);
				at += 44;
			}
			assert_int_equal(block[at], PCAPNG_EPB_DROPCOUNT);
		}
	assert_int_equal(length, 28 + 64 + 8 + 4 + 28 + 44 + 12 + 4 + 4);
}

/* The end of the last whole block within n bytes, by the lengths that the blocks say. */
static size_t last_end(const struct strbuf *file, size_t n)
{
	size_t at = 0;
	uint32_t length;

	while (at + 8 <= n) {
		memcpy(&length, file->text + at + 4, sizeof(length));
		if (at + length > n)
			break;
		at += length;
	}
	return at;
}

/* Every length that a crash could leave: what stays are whole blocks, and all whole blocks stay. */
static void test_repair(void **state)
{
	char dir[] = "/tmp/agent-unit-XXXXXX";
	struct strbuf file CLEANUP_STRBUF = STRBUF_INIT;
	struct error err = ERROR_INIT;
	uint64_t removed;
	struct stat st;
	int dir_fd, fd;
	size_t n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	section_and_packets(&file, 3);
	assert_int_equal(last_end(&file, file.length), file.length);
	for (n = 0; n <= file.length; n++) {
		fd = openat(dir_fd, "f", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_int_equal(write(fd, file.text, n), (ssize_t)n);
		close(fd);
		assert_int_equal(repair_capture(dir_fd, "f", &removed, &err), 0);
		assert_int_equal(fstatat(dir_fd, "f", &st, 0), 0);
		assert_int_equal(st.st_size, last_end(&file, n));
		assert_int_equal(removed, n - last_end(&file, n));
	}
	fd = openat(dir_fd, "l", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "{}\n{\"at", 7), 7);
	close(fd);
	assert_int_equal(repair_lines(dir_fd, "l", &removed, &err), 0);
	assert_int_equal(removed, 4);
	assert_int_equal(repair_lines(dir_fd, "missing", &removed, &err), 0);
	assert_true(repair_capture(dir_fd, "missing", &removed, &err) < 0);
	unlinkat(dir_fd, "f", 0);
	unlinkat(dir_fd, "l", 0);
	close(dir_fd);
	rmdir(dir);
}

static void test_names(void **state)
{
	struct ring_file files[] = {{.stem = "h-0000000041-20260101T000000Z", .number = 41}};
	struct ring r = {.files = files, .count = 1};
	char stem[RING_NAME_SIZE];

	(void)state;
	assert_int_equal(ring_next_stem(&r, "a/b c", 0, stem), 42);
	assert_string_equal(stem, "a_b_c-0000000042-19700101T000000Z");
	r.count = 0;
	assert_int_equal(ring_next_stem(&r, "..", 0, stem), 1);
	assert_string_equal(stem, "host-0000000001-19700101T000000Z");
}

static void test_spans(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {{"10m", 600000000000}, {"1.5s", 1500000000}, {"250ms", 250000000},
		{"2h", 7200000000000}, {"0", 0}, {"7", 7000000000}};
	static const char *const bad[] = {"", "m", "-1s", "10x", "1s ", "nan", "1e30d"};
	int64_t ns;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(options_span(good[i].text, &ns));
		assert_int_equal(ns, good[i].ns);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(options_span(bad[i], &ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_trim_payload),
		cmocka_unit_test(test_siphash),
		cmocka_unit_test(test_payload_hash),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_packet_comment),
		cmocka_unit_test(test_repair),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
