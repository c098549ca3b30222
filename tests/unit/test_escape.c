#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "report/escape.h"

static const struct {
	const char *name, *text, *terminal, *markdown;
} cases[] = {
	{"plain", "db -> worker", "db -> worker", "db -&gt; worker"},
	{"empty", "", "", ""},
	{"escape", "\033[31m", "\\x1b[31m", "\\\\x1b\\[31m"},
	{"line break", "a\r\nb", "a\\x0d\\x0ab", "a\\\\x0d\\\\x0ab"},
	{"C1 control", "\302\233x", "\\x9bx", "\\\\x9bx"},
	{"override", "a\342\200\256b", "a\\u{202e}b", "a\\\\u{202e}b"},
	{"isolate", "\342\201\246", "\\u{2066}", "\\\\u{2066}"},
	{"zero width", "\342\200\213", "\\u{200b}", "\\\\u{200b}"},
	{"tag", "\363\240\201\201", "\\u{e0041}", "\\\\u{e0041}"},
	{"bad byte", "a\377b", "a\\xffb", "a\\\\xffb"},
	{"cut character", "a\342\200", "a\\xe2\\x80", "a\\\\xe2\\\\x80"},
	{"overlong", "\300\257", "\\xc0\\xaf", "\\\\xc0\\\\xaf"},
	{"surrogate", "\355\240\200", "\\xed\\xa0\\x80", "\\\\xed\\\\xa0\\\\x80"},
	{"beyond Unicode", "\364\220\200\200", "\\xf4\\x90\\x80\\x80",
		"\\\\xf4\\\\x90\\\\x80\\\\x80"},
	{"letters", "Z\303\274rich \346\227\245", "Z\303\274rich \346\227\245",
		"Z\303\274rich \346\227\245"},
	{"markup", "<b>&`*_[x](y)|#", "<b>&`*_[x](y)|#", "&lt;b&gt;&amp;\\`\\*\\_\\[x\\](y)\\|\\#"},
	{"quotes", "\"\\", "\"\\", "\"\\\\"},
};

static void compare(const char *name, const char *what, struct strbuf *got, const char *expected)
{
	if (strcmp(got->text ? got->text : "", expected) != 0)
		fail_msg("%s, %s: got %s, expected %s", name, what, got->text, expected);
	strbuf_release(got);
}

static void test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf out = STRBUF_INIT;

		escape_text(&out, cases[i].text);
		compare(cases[i].name, "terminal", &out, cases[i].terminal);
		escape_markdown(&out, cases[i].text);
		compare(cases[i].name, "markdown", &out, cases[i].markdown);
	}
}

/* Whatever the bytes: nothing that acts comes out, and it ends. */
static void test_every_byte_pair(void **state)
{
	(void)state;
	for (unsigned a = 1; a < 256; a++)
		for (unsigned b = 0; b < 256; b++) {
			char text[3] = {(char)a, (char)b, 0};
			struct strbuf out = STRBUF_INIT;
			size_t size;

			escape_text(&out, text);
			for (const char *p = out.text; *p; p += size) {
				uint32_t c = utf8_next(p, &size);

				if (c == UINT32_MAX || utf8_is_active(c))
					fail_msg("%02x %02x gives %s", a, b, out.text);
			}
			strbuf_release(&out);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_every_byte_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
