#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonout.h"
#include "base/utf8.h"

/* The three rules: for people too, of the agent's facts (NULL: as the first), of bytes. */
static const struct {
	const char *name, *text, *shown, *marked, *bytes;
} cases[] = {
	{"plain", "db -> worker", "\"db -> worker\"", NULL, "\"db -> worker\""},
	{"empty", "", "\"\"", NULL, "\"\""},
	{"escape", "\033[31m", "\"\\u001b[31m\"", NULL, "\"\\u001b[31m\""},
	{"line break", "a\r\nb", "\"a\\u000d\\u000ab\"", NULL, "\"a\\u000d\\u000ab\""},
	{"delete", "\177", "\"\\u007f\"", NULL, "\"\\u007f\""},
	{"quotes", "\"\\", "\"\\\"\\\\\"", NULL, "\"\\\"\\\\\""},
	{"markup", "</script>&", "\"</script>&\"", NULL, "\"</script>&\""},
	{"C1 control", "\302\233x", "\"\\u009bx\"", "\"\302\233x\"", "\"\\u00c2\\u009bx\""},
	{"override", "a\342\200\256b", "\"a\\u202eb\"", "\"a\342\200\256b\"",
		"\"a\\u00e2\\u0080\\u00aeb\""},
	{"zero width", "\342\200\213", "\"\\u200b\"", "\"\342\200\213\"",
		"\"\\u00e2\\u0080\\u008b\""},
	{"tag", "\363\240\201\201", "\"\\udb40\\udc41\"", "\"\363\240\201\201\"",
		"\"\\u00f3\\u00a0\\u0081\\u0081\""},
	{"bad byte", "a\377b", "\"a\\ufffdb\"", "\"a\\\\xffb\"", "\"a\\u00ffb\""},
	{"cut character", "a\342\200", "\"a\\ufffd\\ufffd\"", "\"a\\\\xe2\\\\x80\"",
		"\"a\\u00e2\\u0080\""},
	{"overlong", "\300\257", "\"\\ufffd\\ufffd\"", "\"\\\\xc0\\\\xaf\"", "\"\\u00c0\\u00af\""},
	{"surrogate", "\355\240\200", "\"\\ufffd\\ufffd\\ufffd\"", "\"\\\\xed\\\\xa0\\\\x80\"",
		"\"\\u00ed\\u00a0\\u0080\""},
	{"beyond Unicode", "\364\220\200\200", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"",
		"\"\\\\xf4\\\\x90\\\\x80\\\\x80\"", "\"\\u00f4\\u0090\\u0080\\u0080\""},
	{"letters", "Z\303\274rich", "\"Z\303\274rich\"", NULL, "\"Z\\u00c3\\u00bcrich\""},
};

static void compare(const char *name, const char *what, struct strbuf *got, const char *expected)
{
	if (strcmp(got->text ? got->text : "", expected) != 0)
		fail_msg("%s, %s: got %s, expected %s", name, what, got->text, expected);
	strbuf_release(got);
}

static void test_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf out = STRBUF_INIT;

		jsonout_string(&out, cases[i].text);
		compare(cases[i].name, "shown", &out, cases[i].shown);
		jsonout_string_marked(&out, cases[i].text);
		compare(cases[i].name, "marked", &out,
			cases[i].marked ? cases[i].marked : cases[i].shown);
		jsonout_bytes(&out, cases[i].text, strlen(cases[i].text));
		compare(cases[i].name, "bytes", &out, cases[i].bytes);
	}
}

static void test_no_text(void **state)
{
	struct strbuf out = STRBUF_INIT;

	(void)state;
	jsonout_string(&out, NULL);
	compare("NULL", "shown", &out, "null");
	jsonout_bytes(&out, "a\0b", 3); /* bytes may hold 0 */
	compare("a 0", "bytes", &out, "\"a\\u0000b\"");
}

static void test_raw(void **state)
{
	struct strbuf out = STRBUF_INIT;

	(void)state;
	jsonout_raw(&out, "{\"a\": \"x\\u0041\342\200\256\377\",\n\t\"b\": [1, null]}");
	compare("raw", "json", &out, "{\"a\": \"x\\u0041\\u202e\\ufffd\",  \"b\": [1, null]}");
}

static void test_document(void **state)
{
	struct jsonout w = {.first = true};

	(void)state;
	jsonout_begin(&w, NULL, '{');
	jsonout_put_text(&w, "a", "x");
	jsonout_begin(&w, "none", '[');
	jsonout_end(&w, ']');
	jsonout_begin(&w, "some", '[');
	jsonout_put_int(&w, NULL, -1);
	jsonout_put_real(&w, NULL, 0.5);
	jsonout_end(&w, ']');
	jsonout_put_raw(&w, "raw", "{}");
	jsonout_put_text(&w, "no", NULL);
	jsonout_end(&w, '}');
	compare("document", "json", &w.text,
		"{\n  \"a\": \"x\",\n  \"none\": [],\n  \"some\": [\n    -1,\n    0.5\n  ],\n  "
		"\"raw\": {},\n  \"no\": null}");
}

static void test_cut(void **state)
{
	(void)state;
	assert_int_equal(utf8_cut("abc", 5), 3);
	assert_int_equal(utf8_cut("abc", 3), 3);
	assert_int_equal(utf8_cut("abc", 2), 2);
	assert_int_equal(utf8_cut("a\303\244b", 2), 1); /* within a character of two bytes */
	assert_int_equal(utf8_cut("a\303\244b", 3), 3);
	assert_int_equal(utf8_cut("\200\200\200", 2), 0); /* parts of a character only: it ends */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_no_text),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
