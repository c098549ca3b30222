#include "store/functions.h"

#include <math.h>

#include "base/nsec.h"

/* iso(ns): a time as RFC 3339 text; NULL for NULL. */
static void fn_iso(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	char buf[NSEC_TEXT_SIZE];

	(void)argc;
	if (sqlite3_value_type(argv[0]) != SQLITE_NULL)
		sqlite3_result_text(
			ctx, nsec_format(sqlite3_value_int64(argv[0]), buf), -1, SQLITE_TRANSIENT);
}

/* span(ns): a length of time for people: "3.2 s". */
static void fn_span(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	char buf[NSEC_TEXT_SIZE];

	(void)argc;
	if (sqlite3_value_type(argv[0]) != SQLITE_NULL)
		sqlite3_result_text(
			ctx, nsec_span(sqlite3_value_int64(argv[0]), buf), -1, SQLITE_TRANSIENT);
}

/* Wilson score interval for count of total at 95 %; sign -1 gives the low end, 1 the high one. */
static double wilson(double count, double total, double sign)
{
	const double z = 1.959964;
	double p = count / total, zz = z * z / total;
	double middle = p + zz / 2, half = z * sqrt(p * (1 - p) / total + zz / (4 * total));
	double v = (middle + sign * half) / (1 + zz);

	return v < 0 ? 0 : v > 1 ? 1 : v;
}

static void fn_wilson(sqlite3_context *ctx, sqlite3_value **argv, double sign)
{
	double total = sqlite3_value_double(argv[1]);

	if (total > 0)
		sqlite3_result_double(ctx, wilson(sqlite3_value_double(argv[0]), total, sign));
}

static void fn_wilson_low(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	fn_wilson(ctx, argv, -1);
}

static void fn_wilson_high(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	fn_wilson(ctx, argv, 1);
}

static const struct {
	const char *name;
	int argc;
	void (*run)(sqlite3_context *, int, sqlite3_value **);
} functions[] = {
	{"iso", 1, fn_iso},
	{"span", 1, fn_span},
	{"wilson_low", 2, fn_wilson_low},
	{"wilson_high", 2, fn_wilson_high},
};

int functions_register(sqlite3 *handle)
{
	for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		int r = sqlite3_create_function_v2(handle, functions[i].name, functions[i].argc,
			SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL, functions[i].run, NULL,
			NULL, NULL);

		if (r != SQLITE_OK)
			return r;
	}
	return SQLITE_OK;
}
