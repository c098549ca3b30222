/* filter: expressions on hand-made frames of several link types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "read/filter.h"

/* IP 10.0.1.90.40000 > 10.0.1.20.27017: Flags [S], seq 1, win 512, length 0 */
#define IP_SYN                                                                                     \
	0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 1, 90, 10, 0, 1, 20, 0x9c, 0x40, 0x69,  \
		0x89, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 2, 0, 0, 0, 0, 0

static const uint8_t raw[] = {IP_SYN};
static const uint8_t ethernet[] = {
	0, 0, 1, 0xfc, 0xb3, 0x70, 0, 0, 1, 0xfc, 0xb3, 0x48, 8, 0, IP_SYN};
static const uint8_t sll2[] = {
	8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 0, 0, 1, 0xfc, 0xb3, 0x48, 0, 0, IP_SYN};
/* Family 2, group 5 (big endian); packet header, prefix of 3 bytes and a pad, payload. */
static const uint8_t nflog_le[] = {
	2, 0, 0, 5, 8, 0, 1, 0, 8, 0, 1, 0, 7, 0, 10, 0, 'a', 'b', 0, 0, 44, 0, 9, 0, IP_SYN};
static const uint8_t nflog_be[] = {
	2, 0, 0, 5, 0, 8, 0, 1, 8, 0, 1, 0, 0, 7, 0, 10, 'a', 'b', 0, 0, 0, 44, 0, 9, IP_SYN};

#define FRAME(bytes)                                                                               \
	{                                                                                          \
		.data = (bytes), .cap_len = sizeof(bytes), .wire_len = sizeof(bytes)               \
	}

static void test_matches(void **state)
{
	static const struct {
		const char *name;
		uint32_t link_type;
		struct frame frame;
	} frames[] = {
		{"ethernet", 1, FRAME(ethernet)},
		{"raw", 101, FRAME(raw)},
		{"linux cooked v2", 276, FRAME(sll2)},
		{"nflog", 239, FRAME(nflog_le)},
		{"nflog of a big-endian machine", 239, FRAME(nflog_be)},
	};
	static const struct {
		const char *expression;
		bool matches;
	} cases[] = {
		{"tcp port 27017", true},
		{"tcp[tcpflags] & tcp-syn != 0 and host 10.0.1.90", true},
		{"", true},
		{"udp", false},
		{"dst host 10.0.1.90", false},
		{"ip6", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = ERROR_INIT;
		struct filter *fi = NULL;

		assert_int_equal(filter_new(&fi, cases[i].expression, &err), 0);
		for (size_t k = 0; k < sizeof(frames) / sizeof(frames[0]); k++) {
			const struct filter_program *p = NULL, *again = NULL;

			assert_int_equal(filter_for(fi, frames[k].link_type, &p, &err), 0);
			assert_int_equal(filter_for(fi, frames[k].link_type, &again, &err), 0);
			assert_ptr_equal(p, again);
			if (filter_matches(p, &frames[k].frame) != cases[i].matches)
				fail_msg("'%s' on %s", cases[i].expression, frames[k].name);
		}
		assert_null(filter_free(fi));
	}
}

/* Every prefix: no match and no look outside, whatever is cut. */
static void test_prefixes(void **state)
{
	static const struct frame frames[] = {FRAME(nflog_le), FRAME(nflog_be)};
	struct error err = ERROR_INIT;
	const struct filter_program *p = NULL;
	struct filter *fi = NULL;

	(void)state;
	assert_int_equal(filter_new(&fi, "tcp dst port 27017", &err), 0);
	assert_int_equal(filter_for(fi, 239, &p, &err), 0);
	for (size_t k = 0; k < 2; k++) {
		/* Ports are whole from byte 24 of the packet on; they lie 24 bytes in. */
		for (uint32_t n = 0; n < frames[k].cap_len; n++) {
			struct frame f = {
				.data = test_malloc(n ? n : 1), .cap_len = n, .wire_len = n};

			memcpy((uint8_t *)f.data, frames[k].data, n);
			assert_int_equal(filter_matches(p, &f), n >= 24 + 24);
			test_free((uint8_t *)f.data);
		}
	}
	(void)filter_free(fi);
}

static void test_mistakes(void **state)
{
	struct error err = ERROR_INIT;
	const struct filter_program *p = NULL;
	struct filter *fi = NULL;

	(void)state;
	assert_true(filter_new(&fi, "tcp prot 80", &err) < 0);
	assert_null(fi);
	assert_non_null(strstr(err.text, "cannot use the filter 'tcp prot 80': "));

	/* Sound on Ethernet, without meaning on raw IP. */
	assert_int_equal(filter_new(&fi, "ether host 00:00:01:fc:b3:70", &err), 0);
	assert_int_equal(filter_for(fi, 1, &p, &err), 0);
	assert_int_equal(filter_for(fi, 101, &p, &err), FILTER_UNFIT);
	assert_non_null(strstr(err.text, "does not fit link type 101"));
	(void)filter_free(fi);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
