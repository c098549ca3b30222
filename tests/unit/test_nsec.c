#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/nsec.h"

static const struct {
	const char *text;
	int64_t ns; /* -1: must be refused */
} times[] = {
	{"1970-01-01T00:00:00Z", 0},
	{"2026-09-21T14:13:24.100000001Z", INT64_C(1790000004100000001)},
	{"2026-09-21 14:13:24Z", INT64_C(1790000004000000000)},
	{"2026-09-21T16:13:24+02:00", INT64_C(1790000004000000000)},
	{"2026-09-21T14:13:24", -1},
	{"2026-09-21", -1},
	{"2026-13-21T14:13:24Z", -1},
	{"2026-09-21T14:13:24.Z", -1},
	{"2026-09-21T14:13:24Zx", -1},
	{"yesterday", -1},
	{"", -1},
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int64_t ns = -1;
		bool ok = nsec_parse(times[i].text, &ns);

		if (ok != (times[i].ns >= 0) || ns != times[i].ns)
			fail_msg("'%s': got %d %lld", times[i].text, ok, (long long)ns);
	}
}

static void test_format(void **state)
{
	char buf[NSEC_TEXT_SIZE];

	(void)state;
	assert_string_equal(
		nsec_format(INT64_C(1790000004100000001), buf), "2026-09-21T14:13:24.100000001Z");
	assert_string_equal(nsec_format(-1, buf), "1969-12-31T23:59:59.999999999Z");
}

/* No "60 s", no "99 h 60 min", no "1e+03 ms": what is rounded up goes on to the next unit. */
static void test_span(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{0, "0 ns"},
		{-27500, "-27.5 us"},
		{999, "999 ns"},
		{1500000, "1.5 ms"},
		{999499999, "999 ms"},
		{999600000, "1 s"},
		{119400000000, "119 s"},
		{119600000000, "2 min"},
		{125 * NSEC_PER_SEC, "2 min 5 s"},
		{179700000000, "3 min"},
		{3599600000000, "1 h"},
		{3660 * NSEC_PER_SEC, "1 h 1 min"},
		{359990 * NSEC_PER_SEC, "4 d 4 h"},
		{172799 * NSEC_PER_SEC, "2 d"},
		{165600 * NSEC_PER_SEC, "46 h"},
		{-7260 * NSEC_PER_SEC, "-2 h 1 min"},
		{INT64_MAX, "106752 d"},
		{INT64_MIN, "-106752 d"},
	};
	char buf[NSEC_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(nsec_span(cases[i].ns, buf), cases[i].text);
}

static void test_size(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_true(size_parse("256M", &n));
	assert_int_equal(n, 256 << 20);
	assert_true(size_parse("1.5k", &n));
	assert_int_equal(n, 1536);
	assert_true(size_parse("2GiB", &n));
	assert_int_equal(n, INT64_C(2) << 30);
	assert_false(size_parse("256X", &n));
	assert_false(size_parse("", &n));
	assert_false(size_parse("-1", &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
