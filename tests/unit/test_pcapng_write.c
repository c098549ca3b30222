#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pcapng_write.h"

static uint32_t le32(const char *text, size_t at)
{
	const uint8_t *p = (const uint8_t *)text + at;

	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void a_section(struct strbuf *b)
{
	size_t at = pcapng_begin_section(b);

	pcapng_add_option_text(b, PCAPNG_SHB_HARDWARE, NULL);
	pcapng_add_option_text(b, PCAPNG_SHB_OS, "");
	pcapng_add_option_text(b, PCAPNG_SHB_APPLICATION, "app");
	pcapng_add_option(b, PCAPNG_OPT_COMMENT, "why", 3);
	pcapng_end_block(b, at);
}

static void an_interface(struct strbuf *b)
{
	size_t at = pcapng_begin_interface(b, 1, 96);

	pcapng_add_option_text(b, PCAPNG_IF_NAME, "eth0");
	pcapng_add_resolution(b);
	pcapng_end_block(b, at);
}

static void statistics(struct strbuf *b)
{
	size_t at = pcapng_begin_block(b, PCAPNG_STATISTICS);

	pcapng_add_u32(b, 1);
	pcapng_add_time(b, INT64_C(0x0102030405060708));
	pcapng_add_option_time(b, PCAPNG_ISB_START, INT64_C(0x0102030405060708));
	pcapng_add_option_u64(b, PCAPNG_ISB_OSDROP, 7);
	pcapng_end_block(b, at);
}

static void a_packet(struct strbuf *b)
{
	size_t at = pcapng_begin_block(b, PCAPNG_PACKET);
	uint32_t flags = 2;

	pcapng_add_u32(b, 1);
	pcapng_add_time(b, INT64_C(0x0102030405060708));
	pcapng_add_u32(b, 5);
	pcapng_add_u32(b, 60);
	pcapng_add_data(b, "abcde", 5);
	pcapng_add_option(b, PCAPNG_OPT_COMMENT, "hm", 2);
	pcapng_add_option(b, PCAPNG_EPB_FLAGS, &flags, sizeof(flags));
	pcapng_end_block(b, at);
}

static void nothing(struct strbuf *b)
{
	pcapng_end_block(b, pcapng_begin_block(b, PCAPNG_PACKET));
}

#define B(s) s, sizeof(s) - 1

static const struct {
	const char *name;
	void (*add)(struct strbuf *);
	const char *bytes;
	size_t size;
} cases[] = {
	/* type, length 48; magic, version 1.0, length not known; application, comment, end */
	{"section header", a_section,
		B("\x0a\x0d\x0d\x0a\x30\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0"
		  "\xff\xff\xff\xff\xff\xff\xff\xff"
		  "\x04\0\x03\0app\0\x01\0\x03\0why\0\0\0\0\0\x30\0\0\0")},
	/* Ethernet, snap length 96; name, resolution 9, end */
	{"interface", an_interface,
		B("\x01\0\0\0\x28\0\0\0\x01\0\0\0\x60\0\0\0"
		  "\x02\0\x04\0eth0\x09\0\x01\0\x09\0\0\0\0\0\0\0\x28\0\0\0")},
	/* interface, time high and low; start, dropped, end */
	{"statistics", statistics,
		B("\x05\0\0\0\x34\0\0\0\x01\0\0\0\x04\x03\x02\x01\x08\x07\x06\x05"
		  "\x02\0\x08\0\x04\x03\x02\x01\x08\x07\x06\x05"
		  "\x07\0\x08\0\x07\0\0\0\0\0\0\0\0\0\0\0\x34\0\0\0")},
	/* interface, time high and low, captured, on the wire; data padded; comment, flags, end */
	{"packet", a_packet,
		B("\x06\0\0\0\x3c\0\0\0\x01\0\0\0\x04\x03\x02\x01\x08\x07\x06\x05"
		  "\x05\0\0\0\x3c\0\0\0"
		  "abcde\0\0\0\x01\0\x02\0hm\0\0\x02\0\x04\0\x02\0\0\0\0\0\0\0\x3c\0\0\0")},
	{"nothing inside", nothing, B("\x06\0\0\0\x10\0\0\0\0\0\0\0\x10\0\0\0")},
};

static void test_blocks(void **state)
{
	struct strbuf all = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t at = all.length, size;

		/* One after the other in one buffer, as a file has them. */
		cases[i].add(&all);
		size = all.length - at;
		if (size != cases[i].size || memcmp(all.text + at, cases[i].bytes, size) != 0)
			fail_msg("%s: %zu bytes, expected %zu", cases[i].name, size, cases[i].size);
		/* Readers find the next block, and the one before, by the two lengths. */
		assert_int_equal(le32(all.text, at + 4), size);
		assert_int_equal(le32(all.text, all.length - 4), size);
	}
	strbuf_release(&all);
}

/* Text that holds anything is bytes among bytes; none makes a block that cannot be read. */
static void test_hostile_text(void **state)
{
	static const char *const texts[] = {"<script>alert(1)</script>", "\x1b]0;x\x07",
		"\xff\xc3(", "a\nb\r\n", "\xe2\x80\xae", "x"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n = strlen(texts[i]), padded = (n + 3) & ~(size_t)3, at;
		struct strbuf b = STRBUF_INIT;

		at = pcapng_begin_block(&b, PCAPNG_PACKET);
		pcapng_add_option_text(&b, PCAPNG_OPT_COMMENT, texts[i]);
		pcapng_end_block(&b, at);
		assert_int_equal(b.length, 8 + 4 + padded + 4 + 4);
		assert_int_equal(le32(b.text, 8), 1 | (uint32_t)n << 16);
		assert_memory_equal(b.text + 12, texts[i], n);
		/* The options end where they must. */
		assert_int_equal(le32(b.text, 12 + padded), 0);
		strbuf_release(&b);
	}
}

/* An option has 16 bits for its length: longer values are cut, text between two characters. */
static void test_long_values_are_cut(void **state)
{
	static char text[2 * 40000 + 2];
	struct strbuf b = STRBUF_INIT;

	(void)state;
	/* Characters of two bytes: the limit is odd, so it falls within one. */
	for (size_t i = 0; i < 40000; i++)
		memcpy(text + 2 * i, "\xc3\xa4", 2);
	pcapng_add_option_text(&b, PCAPNG_OPT_COMMENT, text);
	assert_int_equal(le32(b.text, 0) >> 16, UINT16_MAX - 1);
	assert_int_equal(b.length, 4 + 65536);
	strbuf_reset(&b);
	pcapng_add_option(&b, PCAPNG_OPT_COMMENT, text, 80000);
	assert_int_equal(le32(b.text, 0) >> 16, UINT16_MAX);
	assert_int_equal(b.length, 4 + 65536);
	strbuf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_long_values_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
