#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/pcapout.h"

/* What write puts out, freed by the caller. */
static uint8_t *written(void (*write)(FILE *), size_t *ret_size)
{
	char *out = NULL;
	FILE *f = open_memstream(&out, ret_size);

	assert_non_null(f);
	write(f);
	(void)fclose(f);
	return (uint8_t *)out;
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void a_section(FILE *f)
{
	pcapout_section(f, "app", "why");
}

static void an_interface(FILE *f)
{
	pcapout_interface(f, 1, 96, "eth0", NULL);
}

static void a_packet(FILE *f)
{
	pcapout_packet(f, &(struct pcapout_packet){.interface = 1, .time_ns = INT64_C(0x0102030405060708), .data = (const uint8_t *)"abcde",
			  .cap_len = 5, .wire_len = 60, .flags = 0x2, .comment = "hm"});
}

static void an_empty_packet(FILE *f)
{
	pcapout_packet(f, &(struct pcapout_packet){.data = (const uint8_t *)""});
}

#define B(s) s, sizeof(s) - 1

static const struct {
	const char *name;
	void (*write)(FILE *);
	const char *bytes;
	size_t size;
} cases[] = {
	{"section header", a_section, /* type, length 48; magic, version 1.0, length not said; user application, comment, end */
		B("\x0a\x0d\x0d\x0a\x30\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
		  "\x04\0\x03\0app\0\x01\0\x03\0why\0\0\0\0\0\x30\0\0\0")},
	{"interface", an_interface, /* Ethernet, snap length 96; name, resolution 9, end */
		B("\x01\0\0\0\x28\0\0\0\x01\0\0\0\x60\0\0\0\x02\0\x04\0eth0\x09\0\x01\0\x09\0\0\0\0\0\0\0\x28\0\0\0")},
	{"packet", a_packet, /* interface, time high and low, captured, on the wire; data padded; comment, flags, end */
		B("\x06\0\0\0\x3c\0\0\0\x01\0\0\0\x04\x03\x02\x01\x08\x07\x06\x05\x05\0\0\0\x3c\0\0\0"
		  "abcde\0\0\0\x01\0\x02\0hm\0\0\x02\0\x04\0\x02\0\0\0\0\0\0\0\x3c\0\0\0")},
	{"packet of no bytes", an_empty_packet,
		B("\x06\0\0\0\x24\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x24\0\0\0")},
};

static void test_blocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size;
		uint8_t *out = written(cases[i].write, &size);

		if (size != cases[i].size || memcmp(out, cases[i].bytes, size) != 0)
			fail_msg("%s: %zu bytes, wanted %zu", cases[i].name, size, cases[i].size);
		/* Readers find the next block, and the one before, by the two lengths. */
		assert_int_equal(le32(out + 4), size);
		assert_int_equal(le32(out + size - 4), size);
		free(out);
	}
}

/* Comments that hold anything are bytes among bytes; none makes a block that cannot be read. */
static const char *comment;

static void with_comment(FILE *f)
{
	pcapout_packet(f, &(struct pcapout_packet){.data = (const uint8_t *)"", .comment = comment});
}

static void test_hostile_comments(void **state)
{
	static const char *const comments[] = {"<script>alert(1)</script>", "\x1b]0;x\x07", "\xff\xc3(", "a\nb\r\n", "\xe2\x80\xae", "x"};

	(void)state;
	for (size_t i = 0; i < sizeof(comments) / sizeof(comments[0]); i++) {
		size_t size, n = strlen(comments[i]), padded = (n + 3) & ~(size_t)3;
		uint8_t *out;

		comment = comments[i];
		out = written(with_comment, &size);
		assert_int_equal(size, 32 + 4 + padded + 4);
		assert_int_equal(le32(out + 28), 1 | (uint32_t)n << 16);
		assert_memory_equal(out + 32, comments[i], n);
		assert_int_equal(le32(out + 32 + padded), 0); /* the options end where they must */
		free(out);
	}
}

static void test_long_comment_is_cut_between_characters(void **state)
{
	static char text[2 * PCAPOUT_COMMENT_MAX + 2];
	size_t size, n;
	uint8_t *out;

	(void)state;
	/* One byte, then characters of two: the limit falls within one. */
	text[0] = 'x';
	for (size_t i = 0; i < PCAPOUT_COMMENT_MAX; i++)
		memcpy(text + 1 + 2 * i, "\xc3\xa4", 2);
	comment = text;
	out = written(with_comment, &size);
	n = le32(out + 28) >> 16;
	assert_int_equal(n, PCAPOUT_COMMENT_MAX - 1);
	assert_int_equal(out[32 + n - 1], 0xa4);
	assert_int_equal(le32(out + 4), size);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_hostile_comments),
		cmocka_unit_test(test_long_comment_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
