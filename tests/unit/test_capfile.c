/* capfile: captures made byte by byte, whole, damaged and cut at every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "read/capfile.h"
#include "read/source.h"

/* --- making captures --- */

struct bytes {
	uint8_t at[1 << 16];
	size_t n;
	bool big; /* byte order of the numbers put in */
};

static void put(struct bytes *b, const void *p, size_t n)
{
	assert_true(b->n + n <= sizeof(b->at));
	memcpy(b->at + b->n, p, n);
	b->n += n;
}

static void put_number(struct bytes *b, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(v >> 8 * (b->big ? size - 1 - i : i));

		put(b, &byte, 1);
	}
}

static void u16(struct bytes *b, uint16_t v)
{
	put_number(b, v, 2);
}

static void u32(struct bytes *b, uint32_t v)
{
	put_number(b, v, 4);
}

static void u64(struct bytes *b, uint64_t v)
{
	put_number(b, v, 8);
}

static void pcap_header(struct bytes *b, uint32_t magic, uint32_t snaplen, uint32_t link_type)
{
	u32(b, magic);
	u16(b, 2);
	u16(b, 4);
	u32(b, 0);
	u32(b, 0);
	u32(b, snaplen);
	u32(b, link_type);
}

static void pcap_record(
	struct bytes *b, uint32_t s, uint32_t frac, const char *data, uint32_t wire_len)
{
	u32(b, s);
	u32(b, frac);
	u32(b, (uint32_t)strlen(data));
	u32(b, wire_len);
	put(b, data, strlen(data));
}

static void pad(struct bytes *b)
{
	while (b->n % 4)
		put(b, "", 1);
}

static void option(struct bytes *b, uint16_t code, const void *value, size_t n)
{
	u16(b, code);
	u16(b, (uint16_t)n);
	put(b, value, n);
	pad(b);
}

static void option_u64(struct bytes *b, uint16_t code, uint64_t v)
{
	u16(b, code);
	u16(b, 8);
	u64(b, v);
}

static size_t block_begin(struct bytes *b, uint32_t type)
{
	size_t at = b->n;

	u32(b, type);
	u32(b, 0);
	return at;
}

/* Writes the length at both ends. */
static void block_end(struct bytes *b, size_t at)
{
	size_t end = b->n + 4;

	b->n = at + 4;
	u32(b, (uint32_t)(end - at));
	b->n = end - 4;
	u32(b, (uint32_t)(end - at));
}

static void shb_begin(struct bytes *b, size_t *ret_at)
{
	*ret_at = block_begin(b, 0x0a0d0d0a);
	u32(b, 0x1a2b3c4d);
	u16(b, 1);
	u16(b, 0);
	u64(b, UINT64_MAX);
}

static void shb(struct bytes *b)
{
	size_t at;

	shb_begin(b, &at);
	block_end(b, at);
}

static size_t idb_begin(struct bytes *b, uint16_t link_type, uint32_t snaplen)
{
	size_t at = block_begin(b, 1);

	u16(b, link_type);
	u16(b, 0);
	u32(b, snaplen);
	return at;
}

static void idb(struct bytes *b, uint16_t link_type, uint32_t snaplen)
{
	block_end(b, idb_begin(b, link_type, snaplen));
}

static size_t epb_begin(
	struct bytes *b, uint32_t interface, uint64_t ticks, const char *data, uint32_t wire_len)
{
	size_t at = block_begin(b, 6);

	u32(b, interface);
	u32(b, (uint32_t)(ticks >> 32));
	u32(b, (uint32_t)ticks);
	u32(b, (uint32_t)strlen(data));
	u32(b, wire_len);
	put(b, data, strlen(data));
	pad(b);
	return at;
}

static void epb(
	struct bytes *b, uint32_t interface, uint64_t ticks, const char *data, uint32_t wire_len)
{
	block_end(b, epb_begin(b, interface, ticks, data, wire_len));
}

/* --- reading them --- */

/* The path of an anonymous file with these bytes. The descriptor stays open for the test's life. */
static const char *file_of(const void *bytes, size_t n)
{
	static char path[64];
	static int fd = -1;

	if (fd >= 0)
		(void)close(fd);
	fd = memfd_create("capture", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

static struct capfile *open_bytes(const struct bytes *b)
{
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;

	if (capfile_open(&cf, file_of(b->at, b->n), NULL, &err))
		fail_msg("%s", err.text);
	return cf;
}

static void expect_frame(
	struct capfile *cf, uint32_t number, int64_t time_ns, const char *data, uint32_t wire_len)
{
	struct frame f;

	assert_int_equal(capfile_next(cf, &f), CAPFILE_OK);
	assert_int_equal(f.number, number);
	assert_int_equal(f.time_ns, time_ns);
	assert_int_equal(f.cap_len, strlen(data));
	assert_memory_equal(f.data, data, f.cap_len);
	assert_int_equal(f.wire_len, wire_len);
}

static void expect_end(struct capfile *cf, uint64_t frames, const char *damaged)
{
	const struct capfile_info *info = capfile_info(cf);
	struct frame f;

	assert_int_equal(capfile_next(cf, &f), CAPFILE_END);
	assert_int_equal(capfile_next(cf, &f), CAPFILE_END);
	assert_int_equal(info->frames, frames);
	if (damaged && !info->damaged)
		fail_msg("read as sound, expected: %s", damaged);
	if (damaged)
		assert_string_equal(info->damaged, damaged);
	else
		assert_null(info->damaged);
}

/* --- pcap --- */

static void test_pcap_magics(void **state)
{
	static const struct {
		const char *name;
		uint32_t magic;
		bool big;
		int64_t time_ns;
	} cases[] = {
		{"microseconds, little endian", 0xa1b2c3d4, false, 4000000000123456000},
		{"microseconds, big endian", 0xa1b2c3d4, true, 4000000000123456000},
		{"nanoseconds, little endian", 0xa1b23c4d, false, 4000000000000123456},
		{"nanoseconds, big endian", 0xa1b23c4d, true, 4000000000000123456},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = {.big = cases[i].big};
		struct capfile *cf;
		int64_t first = 0;

		print_message("%s\n", cases[i].name);
		/* Upper bits of the link type: an FCS of 4 bytes. Seconds beyond 2038 are unsigned.
		 */
		pcap_header(&b, cases[i].magic, 96, 0x24000000 | 113);
		pcap_record(&b, 4000000000u, 123456, "first", 1500);
		pcap_record(&b, 1, 0, "", 60);
		cf = open_bytes(&b);
		assert_int_equal(capfile_info(cf)->format, CAPFILE_PCAP);
		assert_int_equal(capfile_info(cf)->interface_count, 1);
		assert_int_equal(capfile_info(cf)->interfaces[0].link_type, 113);
		assert_int_equal(capfile_info(cf)->interfaces[0].snaplen, 96);
		assert_int_equal(capfile_info(cf)->interfaces[0].dropped_kernel, -1);
		assert_true(capfile_first_time(cf, &first));
		assert_int_equal(first, cases[i].time_ns);
		expect_frame(cf, 1, cases[i].time_ns, "first", 1500);
		expect_frame(cf, 2, 1000000000, "", 60);
		expect_end(cf, 2, NULL);
		assert_null(capfile_close(cf));
	}
}

/* --- pcapng --- */

static void test_pcapng_two_sections(void **state)
{
	struct bytes b = {0};
	struct capfile *cf;
	size_t at;

	(void)state;
	shb_begin(&b, &at);
	option(&b, 1, "made by hand", 12);
	option(&b, 4, "test", 4);
	block_end(&b, at);
	idb(&b, 1, 0);
	idb(&b, 101, 64);
	epb(&b, 1, 1700000000000001, "one", 3);
	epb(&b, 0, 1700000000000002, "two", 70);
	b.big = true;
	shb(&b);
	at = idb_begin(&b, 113, 0);
	option(&b, 2, "eth0", 4);
	option(&b, 9, "\x09", 1);
	block_end(&b, at);
	epb(&b, 0, 1700000000000000003, "three", 5);
	cf = open_bytes(&b);
	expect_frame(cf, 1, 1700000000000001000, "one", 3);
	expect_frame(cf, 2, 1700000000000002000, "two", 70);
	expect_frame(cf, 3, 1700000000000000003, "three", 5);
	expect_end(cf, 3, NULL);
	assert_int_equal(capfile_info(cf)->sections, 2);
	assert_int_equal(capfile_info(cf)->interface_count, 3);
	assert_int_equal(capfile_info(cf)->interfaces[2].link_type, 113);
	assert_int_equal(capfile_info(cf)->interfaces[2].section, 1);
	assert_string_equal(capfile_info(cf)->interfaces[2].name, "eth0");
	assert_int_equal(capfile_info(cf)->fact_count, 2);
	assert_string_equal(capfile_info(cf)->facts[0].key, "comment");
	assert_string_equal(capfile_info(cf)->facts[0].value, "made by hand");
	assert_string_equal(capfile_info(cf)->facts[1].key, "application");
	(void)capfile_close(cf);
}

/* Resolutions and offsets; expected is the exact value, rounded down, or the nearest that 64 bits
 * hold. */
static void test_pcapng_times(void **state)
{
	static const struct {
		const char *name;
		uint8_t resolution;
		int64_t offset_s;
		uint64_t ticks;
		int64_t time_ns;
	} cases[] = {
		{"microseconds", 6, 0, 1700000000123456, 1700000000123456000},
		{"nanoseconds", 9, 0, 1700000000123456789, 1700000000123456789},
		{"seconds", 0, 0, 1700000000, 1700000000000000000},
		{"picoseconds", 12, 0, 18000000000000001999u, 18000000000000001},
		{"smallest decimal with a value", 28, 0, UINT64_MAX, 1},
		{"below a nanosecond for all ticks", 29, 0, UINT64_MAX, 0},
		{"binary, 1/1024 s", 0x80 | 10, 0, (1700000000ull << 10) + 512,
			1700000000500000000},
		{"binary, 2^-32 s (as NTP)", 0x80 | 32, 0, (5ull << 32) + 1, 5000000000},
		{"binary, smallest", 0xff, 0, UINT64_MAX, 0},
		{"offset ahead", 9, 1700000000, 5, 1700000000000000005},
		{"offset back", 9, -1, 1500000000, 500000000},
		{"before the epoch", 9, -2, 1500000000, -500000000},
		{"too late", 0, 0, UINT64_MAX, INT64_MAX},
		{"too late by its offset", 9, INT64_MAX, 1, INT64_MAX},
		{"too early by its offset", 9, INT64_MIN, 1, INT64_MIN + 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = {.big = i % 2};
		struct capfile *cf;
		struct frame f;
		size_t at;

		shb(&b);
		at = idb_begin(&b, 1, 0);
		option(&b, 9, &cases[i].resolution, 1);
		option_u64(&b, 14, (uint64_t)cases[i].offset_s);
		block_end(&b, at);
		epb(&b, 0, cases[i].ticks, "x", 1);
		cf = open_bytes(&b);
		assert_int_equal(capfile_next(cf, &f), CAPFILE_OK);
		if (f.time_ns != cases[i].time_ns)
			fail_msg("%s: %lld, expected %lld", cases[i].name, (long long)f.time_ns,
				(long long)cases[i].time_ns);
		(void)capfile_close(cf);
	}
}

static void test_pcapng_interface_facts(void **state)
{
	static const uint8_t v4[] = {10, 0, 1, 20, 255, 255, 240, 0};
	static const uint8_t v6[] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 64};
	static const uint8_t mac[] = {0, 0, 1, 0xfc, 0xb3, 0x70};
	const struct capfile_interface *in;
	struct bytes b = {0};
	struct capfile *cf;
	struct frame f;
	size_t at;

	(void)state;
	shb(&b);
	at = idb_begin(&b, 1, 262144);
	option(&b, 2, "eth0", 4);
	option(&b, 3, "uplink", 6);
	option(&b, 4, v4, 8);
	option(&b, 5, v6, 17);
	option(&b, 4, v4, 7); /* too short: no address */
	option(&b, 6, mac, 6);
	option_u64(&b, 8, 10000000000);
	option(&b, 11, "\0tcp port 27017", 15);
	option(&b, 12, "Linux 6.1", 9);
	option(&b, 15, "ixgbevf", 7);
	option(&b, 1, "bad \xff\xc3( text\0hidden", 18);
	option(&b, 0, "", 0);
	block_end(&b, at);
	at = idb_begin(&b, 1, 0);
	option(&b, 11, "\1\0\0\0\0", 5);
	block_end(&b, at);
	cf = open_bytes(&b);
	assert_int_equal(capfile_next(cf, &f), CAPFILE_END);
	in = capfile_info(cf)->interfaces;
	assert_string_equal(in->name, "eth0");
	assert_string_equal(in->description, "uplink");
	assert_string_equal(in->filter, "tcp port 27017");
	assert_string_equal(in->os, "Linux 6.1");
	assert_string_equal(in->hardware, "ixgbevf");
	assert_true(in->has_mac);
	assert_memory_equal(in->mac, mac, 6);
	assert_int_equal(in->address_count, 2);
	assert_memory_equal(in->addresses[0].bytes, v4, 4);
	assert_int_equal(in->addresses[0].prefix, 20);
	assert_true(in->addresses[1].v6);
	assert_int_equal(in->addresses[1].prefix, 64);
	assert_int_equal(in->received, -1);
	assert_int_equal(in->start_ns, INT64_MIN);
	/* A filter whose text is not told is a filter all the same. */
	assert_string_equal(in[1].filter, "(a BPF program)");
	assert_int_equal(capfile_info(cf)->fact_count, 2);
	assert_string_equal(capfile_info(cf)->facts[0].key, "if_speed");
	assert_string_equal(capfile_info(cf)->facts[0].value, "10000000000");
	assert_string_equal(capfile_info(cf)->facts[1].value, "bad \xef\xbf\xbd\xef\xbf\xbd( text");
	(void)capfile_close(cf);
}

/*
 * Statistics at 10 (3 dropped since the start at 1), a frame at 20 that says 2 were lost, and
 * statistics at 30 which count those 2 and 4 more: three spans, nothing twice.
 */
static void test_pcapng_drops(void **state)
{
	static const struct capfile_drop expected[] = {
		{0, 1, 10, 3}, {0, 5, 20, 2}, {0, 10, 30, 4}};
	const struct capfile_interface *in;
	struct bytes b = {0};
	struct capfile *cf;
	size_t at;

	(void)state;
	shb(&b);
	at = idb_begin(&b, 1, 0);
	option(&b, 9, "\x09", 1);
	block_end(&b, at);
	epb(&b, 0, 5, "a", 1);
	at = block_begin(&b, 5);
	u32(&b, 0);
	u32(&b, 0);
	u32(&b, 10);
	u16(&b, 2); /* isb_starttime: two halves, high first */
	u16(&b, 8);
	u32(&b, 0);
	u32(&b, 1);
	option_u64(&b, 4, 100);
	option_u64(&b, 5, 1);
	option_u64(&b, 7, 2);
	block_end(&b, at);
	at = epb_begin(&b, 0, 20, "b", 1);
	option_u64(&b, 4, 2);
	block_end(&b, at);
	at = block_begin(&b, 5);
	u32(&b, 0);
	u32(&b, 0);
	u32(&b, 30);
	option_u64(&b, 5, 1);
	option_u64(&b, 7, 8);
	block_end(&b, at);
	cf = open_bytes(&b);
	expect_frame(cf, 1, 5, "a", 1);
	expect_frame(cf, 2, 20, "b", 1);
	expect_end(cf, 2, NULL);
	in = capfile_info(cf)->interfaces;
	assert_int_equal(in->received, 100);
	assert_int_equal(in->dropped_interface, 1);
	assert_int_equal(in->dropped_kernel, 8);
	assert_int_equal(in->filter_accepted, -1);
	assert_int_equal(in->start_ns, 1);
	assert_int_equal(in->dropped_between, 2);
	assert_int_equal(capfile_info(cf)->drop_count, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct capfile_drop *d = &capfile_info(cf)->drops[i];

		assert_int_equal(d->from_ns, expected[i].from_ns);
		assert_int_equal(d->to_ns, expected[i].to_ns);
		assert_int_equal(d->frames, expected[i].frames);
	}
	(void)capfile_close(cf);
}

/*
 * dumpcap on a nanosecond interface states statistics in microseconds: they lay in January 1970.
 * Beside its frames, or without any, they are put right; a clock that counts from a start is kept.
 */
static void test_pcapng_statistics_of_dumpcap(void **state)
{
	static const struct {
		const char *name;
		uint64_t frame, statistics; /* ticks of a nanosecond; frame 0: there is none */
		int64_t end_ns;
	} cases[] = {
		{"right", 1795237709000000000, 1795237709459061000, 1795237709459061000},
		{"wrong", 1795237709000000000, 1795237709459061, 1795237709459061000},
		{"wrong, without a frame", 0, 1795237709459061, 1795237709459061000},
		{"since start, 20 days", 1728000000000000, 1728000000000001, 1728000000000001},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = {0};
		struct capfile *cf;
		struct frame f;
		size_t at;

		print_message("%s\n", cases[i].name);
		shb(&b);
		at = idb_begin(&b, 1, 0);
		option(&b, 9, "\x09", 1);
		block_end(&b, at);
		if (cases[i].frame)
			epb(&b, 0, cases[i].frame, "a", 1);
		at = block_begin(&b, 5);
		u32(&b, 0);
		u32(&b, (uint32_t)(cases[i].statistics >> 32));
		u32(&b, (uint32_t)cases[i].statistics);
		u16(&b, 3); /* isb_endtime */
		u16(&b, 8);
		u32(&b, (uint32_t)(cases[i].statistics >> 32));
		u32(&b, (uint32_t)cases[i].statistics);
		block_end(&b, at);
		cf = open_bytes(&b);
		while (capfile_next(cf, &f) == CAPFILE_OK)
			;
		assert_null(capfile_info(cf)->damaged);
		assert_int_equal(capfile_info(cf)->interfaces[0].end_ns, cases[i].end_ns);
		(void)capfile_close(cf);
	}
}

/* What the kernel said of a packet that it dropped goes with its frame, and is no fact; other
 * comments are. */
static void test_pcapng_kernel_drop(void **state)
{
	static const char said[] = "kernel-drop reason=TCP_CSUM function=tcp_v4_rcv";
	struct bytes b = {0};
	struct capfile *cf;
	struct frame f;
	size_t at;

	(void)state;
	shb(&b);
	idb(&b, 276, 0);
	at = epb_begin(&b, 0, 8, "one", 3);
	option(&b, 1, "kernel-drop ", 12);
	option(&b, 1, said, sizeof(said) - 1);
	option(&b, 1, "looked at", 9);
	option(&b, 0, "", 0);
	block_end(&b, at);
	epb(&b, 0, 9, "two", 3);
	cf = open_bytes(&b);
	assert_int_equal(capfile_next(cf, &f), CAPFILE_OK);
	assert_int_equal(f.drop_length, strlen("reason=TCP_CSUM function=tcp_v4_rcv"));
	assert_memory_equal(f.drop, "reason=TCP_CSUM function=tcp_v4_rcv", f.drop_length);
	assert_int_equal(capfile_next(cf, &f), CAPFILE_OK);
	assert_int_equal(f.drop_length, 0);
	expect_end(cf, 2, NULL);
	assert_int_equal(capfile_info(cf)->fact_count, 2); /* one says nothing after its mark */
	assert_string_equal(capfile_info(cf)->facts[1].value, "looked at");
	(void)capfile_close(cf);
}

/* The hash of a payload that the agent cut goes with its frame; what is not to the letter one is a
 * comment. */
static void test_pcapng_payload_hash(void **state)
{
	static const char *const others[] = {"payload-hash ",
		"payload-hash 25c822f6 0a0edd92 327e8d6",
		"payload-hash 25c822f6 0a0edd92 327e8d640",
		"payload-hash 25c822f6-0a0edd92 327e8d64",
		"payload-hash 25c822f6 0a0edd92 327e8d6g",
		"payload-hash 25C822F6 0A0EDD92 327E8D64",
		"Payload-hash 25c822f6 0a0edd92 327e8d64"};
	static const char said[] = "payload-hash 25c822f6 0a0edd92 327e8d64";
	const uint32_t count = sizeof(others) / sizeof(*others);
	struct bytes b = {0};
	struct capfile *cf;
	struct frame f;
	size_t at;

	(void)state;
	shb(&b);
	idb(&b, 1, 0);
	at = epb_begin(&b, 0, 8, "one", 3);
	option(&b, 1, said, sizeof(said) - 1);
	option(&b, 0, "", 0);
	block_end(&b, at);
	for (uint32_t i = 0; i < count; i++) {
		at = epb_begin(&b, 0, 9, "two", 3);
		option(&b, 1, others[i], strlen(others[i]));
		block_end(&b, at);
	}
	cf = open_bytes(&b);
	assert_int_equal(capfile_next(cf, &f), CAPFILE_OK);
	assert_true(f.has_hash);
	assert_int_equal(f.hash.key, 0x25c822f6);
	assert_int_equal(f.hash.head, 0x0a0edd92);
	assert_int_equal(f.hash.whole, 0x327e8d64);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(capfile_next(cf, &f), CAPFILE_OK);
		assert_false(f.has_hash);
	}
	expect_end(cf, 1 + count, NULL);
	assert_int_equal(capfile_info(cf)->fact_count, count);
	(void)capfile_close(cf);
}

/* Simple and obsolete blocks, a comment, flags, and rows that only Wireshark counts. */
static void test_pcapng_other_blocks(void **state)
{
	struct bytes b = {0};
	struct capfile *cf;
	struct frame f;
	size_t at;

	(void)state;
	shb(&b);
	idb(&b, 1, 4);
	at = block_begin(&b, 3); /* simple: cut to the snap length */
	u32(&b, 9);
	put(&b, "simp", 4);
	block_end(&b, at);
	at = block_begin(&b, 0xbad);
	u32(&b, 32473);
	block_end(&b, at);
	at = block_begin(&b, 10); /* secrets: no row */
	u32(&b, 1);
	u32(&b, 0);
	block_end(&b, at);
	at = block_begin(&b, 2); /* obsolete: interface 0, 3 drops */
	u16(&b, 0);
	u16(&b, 3);
	u32(&b, 0);
	u32(&b, 7);
	u32(&b, 3);
	u32(&b, 60);
	put(&b, "old", 3);
	pad(&b);
	block_end(&b, at);
	at = epb_begin(&b, 0, 8, "new", 3);
	option(&b, 1, "look here", 9);
	u16(&b, 2);
	u16(&b, 4);
	u32(&b, 0x802);
	option(&b, 0, "", 0);
	block_end(&b, at);
	cf = open_bytes(&b);
	assert_int_equal(capfile_next(cf, &f), CAPFILE_OK);
	assert_false(f.has_time);
	assert_int_equal(f.cap_len, 4);
	assert_int_equal(f.wire_len, 9);
	expect_frame(cf, 3, 7000, "old", 60);
	assert_int_equal(capfile_next(cf, &f), CAPFILE_OK);
	assert_int_equal(f.number, 4);
	assert_int_equal(f.epb_flags, 0x802);
	expect_end(cf, 3, NULL);
	assert_int_equal(capfile_info(cf)->other_rows, 1);
	assert_int_equal(capfile_info(cf)->skipped_blocks, 2);
	assert_int_equal(capfile_info(cf)->interfaces[0].dropped_between, 3);
	assert_int_equal(capfile_info(cf)->fact_count, 1);
	assert_int_equal(capfile_info(cf)->facts[0].frame, 4);
	assert_int_equal(capfile_info(cf)->facts[0].time_ns, 8000);
	assert_string_equal(capfile_info(cf)->facts[0].value, "look here");
	(void)capfile_close(cf);
}

/* --- damage --- */

/* Two good frames, then what each case puts there. */
static void begin_pcapng(struct bytes *b)
{
	shb(b);
	idb(b, 1, 0);
	epb(b, 0, 1, "ab", 2);
	epb(b, 0, 2, "cd", 2);
}

static void length_below_header(struct bytes *b)
{
	u32(b, 6);
	u32(b, 8);
	u32(b, 8);
}

static void length_not_aligned(struct bytes *b)
{
	u32(b, 6);
	u32(b, 34);
	u32(b, 0);
}

static void lengths_differ(struct bytes *b)
{
	epb(b, 0, 3, "ef", 2);
	b->at[b->n - 4]++;
}

static void unknown_interface(struct bytes *b)
{
	epb(b, 1, 3, "ef", 2);
}

static void captured_too_long(struct bytes *b)
{
	epb(b, 0, 3, "ef", 2);
	b->at[b->n - 15]++; /* captured length of 258 */
}

static void cut_block(struct bytes *b)
{
	epb(b, 0, 3, "ef", 2);
	b->n -= 5;
}

static void cut_unknown_block(struct bytes *b)
{
	u32(b, 0x1234);
	u32(b, 4108);
	u64(b, 0);
}

static void huge_block(struct bytes *b)
{
	u32(b, 6);
	u32(b, 0xfffffff0);
	u32(b, 0);
}

static void bad_section(struct bytes *b)
{
	shb(b);
	b->at[b->n - 20] ^= 1; /* byte-order magic */
}

static void new_version(struct bytes *b)
{
	shb(b);
	b->at[b->n - 16] = 9;
}

static void statistics_of_nobody(struct bytes *b)
{
	size_t at = block_begin(b, 5);

	u32(b, 1);
	u64(b, 0);
	block_end(b, at);
}

static void test_pcapng_damage(void **state)
{
	/* The blocks of the good frames end at byte 120: 28 + 20 + 2 * 36. */
	static const struct {
		void (*add)(struct bytes *b);
		const char *says;
	} cases[] = {
		{length_below_header,
			"garbage in frame 3 at byte 120: a block is shorter than its own header"},
		{length_not_aligned, "garbage in frame 3 at byte 120: the length of a block is no "
				     "multiple of 4"},
		{lengths_differ, "garbage in frame 3 at byte 120: a block begins with the length "
				 "36 and ends with 37"},
		{unknown_interface,
			"garbage in frame 3 at byte 120: it is of interface 1, the section has 1"},
		{captured_too_long, "garbage in frame 3 at byte 120: the frame claims 258 captured "
				    "bytes, its block of 36 bytes has no room for them"},
		{cut_block, "cut short in frame 3 at byte 120: 31 of 36 bytes are there"},
		{cut_unknown_block, "cut short in frame 3 at byte 120: 16 of 4108 bytes are there"},
		{huge_block, "garbage in frame 3 at byte 120: a block claims more than 16 MiB"},
		{bad_section,
			"garbage in frame 3 at byte 120: a section header has no byte-order magic"},
		{new_version, "an unknown version before frame 3 at byte 120: a section of pcapng "
			      "9.0; rewrite it with editcap"},
		{statistics_of_nobody, "garbage in frame 3 at byte 120: a statistics block is too "
				       "short or of an interface that is not there"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = {0};
		struct capfile *cf;

		begin_pcapng(&b);
		cases[i].add(&b);
		cf = open_bytes(&b);
		expect_frame(cf, 1, 1000, "ab", 2);
		expect_frame(cf, 2, 2000, "cd", 2);
		expect_end(cf, 2, cases[i].says);
		(void)capfile_close(cf);
	}
}

static void test_pcap_damage(void **state)
{
	struct bytes b = {0}, two = {0};
	struct capfile *cf;

	(void)state;
	pcap_header(&b, 0xa1b2c3d4, 96, 1);
	pcap_record(&b, 1, 0, "good", 4);
	two = b;
	put(&two, b.at, b.n);
	u32(&b, 2);
	u32(&b, 0);
	u32(&b, 524289);
	u32(&b, 4);
	cf = open_bytes(&b);
	expect_frame(cf, 1, 1000000000, "good", 4);
	expect_end(cf, 1,
		"garbage in frame 2 at byte 44: the record claims 524289 captured bytes, at most "
		"524288 are possible");
	(void)capfile_close(cf);

	cf = open_bytes(&two); /* cat a.pcap b.pcap */
	expect_frame(cf, 1, 1000000000, "good", 4);
	expect_end(cf, 1,
		"a second file before frame 2 at byte 44: a pcap header stands where a record "
		"should; cut the files apart, or join them with mergecap");
	(void)capfile_close(cf);
}

/* Cut anywhere: the frames that are whole, and damage unless the cut is between two. */
static void expect_prefixes(
	const struct bytes *whole, size_t header, const size_t *ends, size_t count)
{
	for (size_t n = header; n <= whole->n; n++) {
		struct bytes b = *whole;
		struct capfile *cf;
		struct frame f;
		uint64_t frames = 0;
		bool between = n == header;

		b.n = n;
		for (size_t i = 0; i < count; i++) {
			frames += ends[i] <= n;
			between |= ends[i] == n;
		}
		cf = open_bytes(&b);
		while (capfile_next(cf, &f) == CAPFILE_OK)
			assert_true(f.data[0] == 'f');
		assert_int_equal(capfile_info(cf)->frames, frames);
		if (between != !capfile_info(cf)->damaged)
			fail_msg("cut at %zu: %s", n, capfile_info(cf)->damaged);
		assert_int_equal(capfile_info(cf)->bytes, n);
		(void)capfile_close(cf);
	}
}

static void test_every_prefix(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		struct bytes a = {.big = big}, b = {.big = big};
		size_t a_ends[3], b_ends[4];

		pcap_header(&a, 0xa1b2c3d4, 96, 1);
		for (size_t i = 0; i < 3; i++) {
			pcap_record(&a, 1, 0, "frame", 60);
			a_ends[i] = a.n;
		}
		expect_prefixes(&a, 24, a_ends, 3);
		shb(&b);
		idb(&b, 1, 0);
		b_ends[3] = b.n; /* no frame ends here, but a cut is no damage */
		for (size_t i = 0; i < 3; i++) {
			epb(&b, 0, 1, "frame", 60);
			b_ends[i] = b.n;
		}
		expect_prefixes(&b, b_ends[3], b_ends, 3);
	}
}

/* --- large, compressed, streamed --- */

struct big {
	uint8_t *at;
	size_t n;
};

#define BIG_FRAMES 3000u

static uint32_t big_length(uint32_t i)
{
	return i % 500 == 7 ? 524288 - i : i * 7 % 1500;
}

/* A pcap of some 5 MB whose frames cross every border of a window, a few longer than one. */
static struct big make_big(void)
{
	struct big b = {.at = mem_zalloc(24 + BIG_FRAMES * (16 + 1500) + 7 * 524288)};
	const uint32_t header[] = {0xa1b23c4d, 0x00040002, 0, 0, 262144, 1};

	memcpy(b.at, header, b.n = 24);
	for (uint32_t i = 0; i < BIG_FRAMES; i++) {
		const uint32_t record[] = {i, i, big_length(i), 600000};

		memcpy(b.at + b.n, record, 16);
		memset(b.at + b.n + 16, (int)(i & 0xff), record[2]);
		b.n += 16 + record[2];
	}
	return b;
}

static void expect_big(const char *path, const char *compression)
{
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	uint64_t offset = 24;
	struct frame f;

	assert_int_equal(capfile_open(&cf, path, NULL, &err), 0);
	assert_string_equal(capfile_info(cf)->compression, compression);
	for (uint32_t i = 0; i < BIG_FRAMES; i++) {
		assert_int_equal(capfile_next(cf, &f), CAPFILE_OK);
		assert_int_equal(f.number, i + 1);
		assert_int_equal(f.offset, offset);
		assert_int_equal(f.cap_len, big_length(i));
		for (uint32_t k = 0; k < f.cap_len; k++) {
			if (f.data[k] != (i & 0xff))
				fail_msg("frame %u, byte %u", i + 1, k);
		}
		offset += 16 + f.cap_len;
	}
	expect_end(cf, BIG_FRAMES, NULL);
	(void)capfile_close(cf);
}

static size_t gzip(uint8_t *to, size_t room, const uint8_t *from, size_t n)
{
	z_stream z = {.next_in = (uint8_t *)from,
		.avail_in = (uInt)n,
		.next_out = to,
		.avail_out = (uInt)room};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&z), Z_OK);
	return room - z.avail_out;
}

/* Two members (frames for zstd), cut at a place that means nothing to the capture. */
static void test_large(void **state)
{
	struct big b = make_big();
	size_t room = b.n + 4096, first = b.n / 3, n;
	uint8_t *packed = mem_alloc(room);

	(void)state;
	expect_big(file_of(b.at, b.n), "none");
	n = gzip(packed, room, b.at, first);
	n += gzip(packed + n, room - n, b.at + first, b.n - first);
	expect_big(file_of(packed, n), "gzip");
	memset(packed + n, 0, 100); /* padding, as tapes have it */
	expect_big(file_of(packed, n + 100), "gzip");
	n = ZSTD_compress(packed, room, b.at, first, 1);
	n += ZSTD_compress(packed + n, room - n, b.at + first, b.n - first, 1);
	expect_big(file_of(packed, n), "zstd");
	free(packed);
	free(b.at);
}

/* Reads all; the number of frames, and the damage in *ret_says (the caller's to free). */
static uint64_t read_packed(const uint8_t *bytes, size_t n, char **ret_says)
{
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	struct frame f;
	uint64_t frames;

	assert_int_equal(capfile_open(&cf, file_of(bytes, n), NULL, &err), 0);
	while (capfile_next(cf, &f) == CAPFILE_OK)
		;
	frames = capfile_info(cf)->frames;
	assert_int_equal(capfile_info(cf)->bytes, n);
	*ret_says = mem_strdup(capfile_info(cf)->damaged ? capfile_info(cf)->damaged : "sound");
	(void)capfile_close(cf);
	return frames;
}

static void test_packed_damage(void **state)
{
	struct big b = make_big();
	uint8_t *packed = mem_alloc(b.n + 4096);
	size_t n = gzip(packed, b.n, b.at, b.n);
	char *says;
	uint64_t frames;

	(void)state;
	frames = read_packed(packed, n - 9, &says); /* into the last block of data */
	assert_true(frames > BIG_FRAMES / 2);
	assert_non_null(strstr(says, "its gzip data is cut short after byte "));
	free(says);
	frames = read_packed(packed, n - 4, &says); /* only the checksum's end is gone */
	assert_int_equal(frames, BIG_FRAMES);
	assert_non_null(strstr(says, "cut short before frame 3001 at byte "));
	free(says);
	memcpy(packed + n, "tail", 4);
	assert_int_equal(read_packed(packed, n + 4, &says), BIG_FRAMES);
	assert_non_null(strstr(says, "other data follows its gzip data at byte "));
	free(says);
	packed[n - 6] ^= 1; /* checksum */
	assert_int_equal(read_packed(packed, n, &says), BIG_FRAMES);
	assert_non_null(strstr(says, "its gzip data is broken"));
	free(says);
	n = ZSTD_compress(packed, b.n, b.at, b.n, 1);
	frames = read_packed(packed, n - 3, &says);
	assert_true(frames > BIG_FRAMES / 2 && frames < BIG_FRAMES);
	assert_non_null(strstr(says, "its zstd data is cut short after byte "));
	free(says);
	memset(packed + n / 2, 0xff, 64);
	assert_true(read_packed(packed, n, &says) < BIG_FRAMES);
	assert_non_null(strstr(says, "its zstd data is broken before byte "));
	free(says);
	free(packed);
	free(b.at);
}

/* Closing without reading to the end leaves no thread behind that waits for anything. */
static void test_close_early(void **state)
{
	struct big b = make_big();
	uint8_t *packed = mem_alloc(b.n + 4096);
	size_t n = gzip(packed, b.n, b.at, b.n);
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	int fds[2], saved;

	(void)state;
	assert_int_equal(capfile_open(&cf, file_of(packed, n), NULL, &err), 0);
	assert_null(capfile_close(cf));
	/* A stream that goes quiet with its writer still there. */
	assert_int_equal(pipe(fds), 0);
	saved = dup(STDIN_FILENO);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(write(fds[1], packed, 40000), 40000);
	assert_int_equal(capfile_open(&cf, "-", NULL, &err), 0);
	assert_null(capfile_close(cf));
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	(void)close(saved);
	(void)close(fds[0]);
	(void)close(fds[1]);
	free(packed);
	free(b.at);
}

static void test_standard_input(void **state)
{
	struct bytes b = {0};
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	int fds[2], saved;

	(void)state;
	begin_pcapng(&b);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], b.at, b.n), (ssize_t)b.n);
	(void)close(fds[1]);
	saved = dup(STDIN_FILENO);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(capfile_open(&cf, "-", NULL, &err), 0);
	expect_frame(cf, 1, 1000, "ab", 2);
	expect_frame(cf, 2, 2000, "cd", 2);
	expect_end(cf, 2, NULL);
	assert_string_equal(capfile_info(cf)->path, "-");
	assert_int_equal(capfile_info(cf)->stored_size, 0);
	(void)capfile_close(cf);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	(void)close(saved);
	(void)close(fds[0]);
}

/* Cut short by somebody while it is read: damage, no crash. */
static void test_shrinks_meanwhile(void **state)
{
	struct big b = make_big();
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	const char *path;
	struct frame f;

	(void)state;
	path = file_of(b.at, b.n);
	assert_int_equal(capfile_open(&cf, path, NULL, &err), 0);
	assert_int_equal(capfile_next(cf, &f), CAPFILE_OK);
	assert_int_equal(truncate(path, (off_t)b.n / 2), 0);
	while (capfile_next(cf, &f) == CAPFILE_OK)
		assert_true(!f.cap_len || f.data[f.cap_len - 1] == ((f.number - 1) & 0xff));
	assert_non_null(strstr(capfile_info(cf)->damaged, "cut short in frame "));
	assert_int_equal(capfile_info(cf)->bytes, b.n / 2);
	(void)capfile_close(cf);
	free(b.at);
}

/* Of the stored bytes, all of them, whatever became of the reading. */
static void test_fingerprints(void **state)
{
	struct capfile_options options = {.sha256 = true};
	struct big b = make_big();
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	XXH128_hash_t hash;
	struct frame f;

	(void)state;
	b.at[24 + 11] = 0xff; /* damage at the first frame */
	hash = XXH3_128bits(b.at, b.n);
	assert_int_equal(capfile_open(&cf, file_of(b.at, b.n), NULL, &err), 0);
	assert_int_equal(capfile_next(cf, &f), CAPFILE_END);
	assert_non_null(capfile_info(cf)->damaged);
	assert_true(capfile_info(cf)->hash[0] == hash.high64 &&
		    capfile_info(cf)->hash[1] == hash.low64);
	assert_string_equal(capfile_info(cf)->sha256, "");
	(void)capfile_close(cf);
	/* A pcap header alone: sha256sum of its 24 bytes. */
	assert_int_equal(capfile_open(&cf, file_of(b.at, 24), &options, &err), 0);
	assert_int_equal(capfile_next(cf, &f), CAPFILE_END);
	assert_null(capfile_info(cf)->damaged);
	assert_string_equal(capfile_info(cf)->sha256,
		"731cf077aa2a3b3ce4bcfd11ad7ef947cb401df5f9c4dc120539d848694a39bf");
	(void)capfile_close(cf);
	free(b.at);
}

/* --- limits --- */

/* More comments and interfaces than are kept; the frame behind them is still found. */
static void test_limits(void **state)
{
	enum { COMMENTS = 70000, COMMENT = 8 };
	struct bytes start = {0}, end = {0};
	size_t block = 28 + COMMENTS * COMMENT;
	uint8_t *all = mem_zalloc(block + 4096), *at;
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	const uint32_t length = (uint32_t)block;

	(void)state;
	shb(&start);
	memcpy(all, start.at, 24);
	for (at = all + 24; at < all + block - 4; at += COMMENT)
		memcpy(at, "\1\0\1\0x\0\0\0", COMMENT);
	memcpy(all + 4, &length, 4);
	memcpy(all + block - 4, &length, 4);
	idb(&end, 1, 0);
	epb(&end, 0, 1, "behind", 6);
	memcpy(all + block, end.at, end.n);
	assert_int_equal(capfile_open(&cf, file_of(all, block + end.n), NULL, &err), 0);
	expect_frame(cf, 1, 1000, "behind", 6);
	expect_end(cf, 1, NULL);
	assert_int_equal(capfile_info(cf)->fact_count, 65536);
	assert_int_equal(capfile_info(cf)->facts_not_kept, COMMENTS - 65536);
	(void)capfile_close(cf);
	free(all);
}

static void test_many_interfaces(void **state)
{
	enum { INTERFACES = 16385, SIZE = 20 };
	const uint32_t block[] = {1, SIZE, 1, 0, SIZE};
	struct bytes start = {0};
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	uint8_t *all;

	(void)state;
	shb(&start);
	all = mem_zalloc(start.n + INTERFACES * SIZE);
	memcpy(all, start.at, start.n);
	for (size_t i = 0; i < INTERFACES; i++)
		memcpy(all + start.n + i * SIZE, block, SIZE);
	assert_int_equal(
		capfile_open(&cf, file_of(all, start.n + INTERFACES * SIZE), NULL, &err), 0);
	expect_end(cf, 0, "garbage in frame 1 at byte 327708: more than 16384 interfaces");
	assert_int_equal(capfile_info(cf)->interface_count, INTERFACES - 1);
	(void)capfile_close(cf);
	free(all);
}

/* A source that is no capture can be read from its first byte as something else. */
static void test_open_source(void **state)
{
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	struct source *source = NULL;
	struct bytes b = {0};

	(void)state;
	assert_int_equal(source_open(&source, file_of("version account-id", 18), false, &err), 0);
	assert_int_equal(capfile_open_source(&cf, &source, "x", &err), CAPFILE_NOT_CAPTURE);
	assert_non_null(source);
	assert_int_equal(source_need(source, 100), 18);
	assert_memory_equal(source->window.at, "version account-id", 18);
	assert_null(source_close(source));
	begin_pcapng(&b);
	assert_int_equal(source_open(&source, file_of(b.at, b.n), false, &err), 0);
	assert_int_equal(capfile_open_source(&cf, &source, "x", &err), 0);
	assert_null(source);
	expect_frame(cf, 1, 1000, "ab", 2);
	(void)capfile_close(cf);
}

/* 20,000 frames of two interfaces, each with a loss before it: few spans, no loss forgotten. */
static void test_many_drops(void **state)
{
	enum { FRAMES = 20000, SIZE = 32 + 16 };
	struct bytes start = {0};
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	const struct capfile_info *info;
	uint64_t sum[2] = {0};
	uint8_t *all;
	struct frame f;

	(void)state;
	shb(&start);
	idb(&start, 1, 0);
	idb(&start, 1, 0);
	all = mem_zalloc(start.n + FRAMES * SIZE);
	memcpy(all, start.at, start.n);
	for (uint32_t i = 0; i < FRAMES; i++) {
		const uint32_t block[] = {
			6, SIZE, i % 3 == 0, 0, i, 0, 0, 0x00080004, 1, 0, 0, SIZE};

		memcpy(all + start.n + i * SIZE, block, SIZE);
	}
	assert_int_equal(capfile_open(&cf, file_of(all, start.n + FRAMES * SIZE), NULL, &err), 0);
	while (capfile_next(cf, &f) == CAPFILE_OK)
		;
	info = capfile_info(cf);
	assert_null(info->damaged);
	assert_true(info->drop_count <= 4098);
	for (uint32_t i = 0; i < info->drop_count; i++) {
		assert_true(info->drops[i].from_ns <= info->drops[i].to_ns);
		sum[info->drops[i].interface] += info->drops[i].frames;
	}
	assert_int_equal(sum[1], (FRAMES + 2) / 3);
	assert_int_equal(sum[0], FRAMES - (FRAMES + 2) / 3);
	assert_int_equal(info->interfaces[1].dropped_between, sum[1]);
	(void)capfile_close(cf);
	free(all);
}

/* --- what is no capture --- */

static void test_outcomes(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
		int result;
		const char *says;
	} cases[] = {
		{"empty", "", 0, CAPFILE_EMPTY, "is empty"},
		{"text", "hello\n", 6, CAPFILE_NOT_CAPTURE, "begins with text"},
		{"binary", "\1\2\3\4\5", 5, CAPFILE_NOT_CAPTURE, "begins with other data"},
		{"an empty gzip file", "\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0", 20,
			CAPFILE_EMPTY, "is empty"},
		{"the beginning of a gzip file", "\x1f\x8b\x08\0\0\0\0\0\0\3", 10,
			CAPFILE_NOT_CAPTURE,
			"its gzip data is cut short after byte 10 of the file"},
		{"half a section header", "\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a", 12,
			CAPFILE_NOT_CAPTURE, "12 of 28 bytes"},
		{"an unknown version", "\xd4\xc3\xb2\xa1\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0",
			24, CAPFILE_NOT_CAPTURE, "has unknown pcap version 3.4"},
		{"half a header", "\xd4\xc3\xb2\xa1\2\0\4\0", 8, CAPFILE_NOT_CAPTURE,
			"8 of 24 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = ERROR_INIT;
		struct capfile *cf = NULL;

		print_message("%s\n", cases[i].name);
		assert_int_equal(capfile_open(&cf, file_of(cases[i].bytes, cases[i].n), NULL, &err),
			cases[i].result);
		assert_null(cf);
		if (!strstr(err.text, cases[i].says))
			fail_msg("'%s' does not say '%s'", err.text, cases[i].says);
	}
}

static void test_cannot_open(void **state)
{
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;

	(void)state;
	assert_true(capfile_open(&cf, "/nowhere/x.pcap", NULL, &err) < 0);
	assert_string_equal(err.text, "cannot open '/nowhere/x.pcap': no such file");
	assert_true(capfile_open(&cf, "/", NULL, &err) < 0);
	assert_string_equal(err.text, "cannot read '/': it is a folder; give the files in it");
	assert_null(cf);
	/* Permission: as root only when rights can be given up for a moment. */
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	assert_true(capfile_open(&cf, "/etc/shadow", NULL, &err) < 0);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	(void)prctl(PR_SET_DUMPABLE, 1); /* for the leak checker */
	assert_non_null(
		strstr(err.text, "cannot open '/etc/shadow': permission denied; make it readable"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap_magics),
		cmocka_unit_test(test_pcapng_two_sections),
		cmocka_unit_test(test_pcapng_times),
		cmocka_unit_test(test_pcapng_interface_facts),
		cmocka_unit_test(test_pcapng_drops),
		cmocka_unit_test(test_pcapng_statistics_of_dumpcap),
		cmocka_unit_test(test_pcapng_kernel_drop),
		cmocka_unit_test(test_pcapng_payload_hash),
		cmocka_unit_test(test_pcapng_other_blocks),
		cmocka_unit_test(test_pcapng_damage),
		cmocka_unit_test(test_pcap_damage),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_packed_damage),
		cmocka_unit_test(test_close_early),
		cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_shrinks_meanwhile),
		cmocka_unit_test(test_fingerprints),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many_interfaces),
		cmocka_unit_test(test_open_source),
		cmocka_unit_test(test_many_drops),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_cannot_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
