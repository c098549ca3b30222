/* request: what addresses and headers of strangers are taken for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "serve/request.h"

#define ID "abcdefghijklmnopqrstuvwx27"

/* In place of the HTTP library's: the value of the one header that is tried. */
static const char *header;

const char *MHD_lookup_connection_value(
	struct MHD_Connection *connection, enum MHD_ValueKind kind, const char *key)
{
	(void)connection;
	(void)kind;
	(void)key;
	return header;
}

static void test_incident(void **state)
{
	static const struct {
		const char *url, *rest;
	} good[] = {{"/incidents/" ID, ""}, {"/incidents/" ID "/", ""},
		{"/incidents/" ID "/report", "report"},
		{"/incidents/" ID "/files/capture-1", "files/capture-1"}};
	static const char *const bad[] = {"/", "/incidents", "/incidents/", "/incidents/" ID "a",
		"/incidents/abcdefghijklmnopqrstuvwx2", "/incidents/ABCDEFGHIJKLMNOPQRSTUVWX27",
		"/incidents/abcdefghijklmnopqrstuvwx18", "/incidents/..",
		"/incidents/../../etc/passwd", "/incidents/..%2f..%2fetc%2fpasswd%00",
		"/incidents/" ID ID ID, "/Incidents/" ID, "incidents/" ID};
	const char *rest;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct request r = {.url = good[i].url};

		assert_true(request_incident(&r, &rest));
		assert_string_equal(r.id, ID);
		assert_string_equal(rest, good[i].rest);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct request r = {.url = bad[i]};

		assert_false(request_incident(&r, &rest));
		assert_int_equal(r.number, 0); /* nothing beyond the id was written */
	}
}

static void test_file(void **state)
{
	static const char *const bad[] = {"", "files", "files/", "files/capture-",
		"files/capture-0", "files/capture-01", "files/capture--1", "files/capture-+1",
		"files/capture-1x", "files/capture-1/", "files/capture-1/../capture-2",
		"files/capture-1000000", "files/meta.json", "report"};
	struct request r = {0};

	(void)state;
	assert_true(request_file(&r, "files/capture-1"));
	assert_int_equal(r.number, 1);
	assert_true(request_file(&r, "files/capture-999999"));
	assert_int_equal(r.number, 999999);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(request_file(&r, bad[i]));
}

static int64_t number(const char *text)
{
	const struct request r = {0};

	header = text;
	return request_number(&r, "Upload-Length");
}

static void test_number(void **state)
{
	(void)state;
	assert_int_equal(number("0"), 0);
	assert_int_equal(number("18234"), 18234);
	assert_int_equal(number("9223372036854775807"), INT64_MAX);
	assert_int_equal(number(NULL), -1);
	assert_int_equal(number(""), -1);
	assert_int_equal(number("-1"), -1);
	assert_int_equal(number("+1"), -1);
	assert_int_equal(number(" 1"), -1);
	assert_int_equal(number("1 "), -1);
	assert_int_equal(number("0x10"), -1);
	assert_int_equal(number("9223372036854775808"), -1);
}

/* What went wrong first is what the client is told. */
static void test_fail(void **state)
{
	struct request r = {0};

	(void)state;
	assert_int_equal(request_fail(&r, 413, "too large"), MHD_YES);
	assert_int_equal(request_fail(&r, 507, "the disk is full"), MHD_YES);
	assert_int_equal(r.status, 413);
	assert_string_equal(r.error, "too large");
}

static void test_file_of(void **state)
{
	json_t *meta =
		json_pack("{s:[{s:s},{s:s}]}", "files", "id", "capture-1", "id", "capture-12");
	json_t *files = json_object_get(meta, "files");

	(void)state;
	assert_ptr_equal(request_file_of(meta, 1), json_array_get(files, 0));
	assert_ptr_equal(request_file_of(meta, 12), json_array_get(files, 1));
	assert_null(request_file_of(meta, 2));
	json_decref(meta);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_incident),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_file_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
