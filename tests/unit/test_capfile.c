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
#include <unistd.h>

#include "base/mem.h"
#include "read/capfile.h"

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

static void pcap_record(struct bytes *b, uint32_t s, uint32_t frac, const char *data, uint32_t wire_len)
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

static size_t epb_begin(struct bytes *b, uint32_t interface, uint64_t ticks, const char *data, uint32_t wire_len)
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

static void epb(struct bytes *b, uint32_t interface, uint64_t ticks, const char *data, uint32_t wire_len)
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

static void expect_frame(struct capfile *cf, uint32_t number, int64_t time_ns, const char *data, uint32_t wire_len)
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
		/* Upper bits of the link type: an FCS of 4 bytes. Seconds beyond 2038 are unsigned. */
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
		{"half a header", "\xd4\xc3\xb2\xa1\2\0\4\0", 8, CAPFILE_NOT_CAPTURE, "8 of 24 bytes"},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap_magics),
		cmocka_unit_test(test_pcapng_two_sections),
		cmocka_unit_test(test_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
