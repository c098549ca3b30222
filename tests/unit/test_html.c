#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/html.h"
#include "report/ladder.h"

static const struct {
	const char *name, *text, *shown;
} texts[] = {
	{"markup", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
	{"quotes", "a\"b'c&d", "a&quot;b&#39;c&amp;d"},
	{"escape and NUL's neighbours", "\x1b[31m\x01\x7f",
		"\xe2\x90\x9b[31m\xe2\x90\x81\xe2\x90\xa1"},
	{"bidi override",
		"a\xe2\x80\xae"
		"b",
		"a[U+202E]b"},
	{"C1 control",
		"\xc2\x9b"
		"0m",
		"[U+009B]0m"},
	{"broken UTF-8", "\xc3(\xff<", "\xef\xbf\xbd(\xef\xbf\xbd&lt;"},
	{"overlong <", "\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd"},
	{"surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{"plain", "d\xc3\xbc na\xc3\xafve \xe2\x86\x92", "d\xc3\xbc na\xc3\xafve \xe2\x86\x92"},
};

/* The page that write makes with text, freed by the caller. */
static char *page(void (*write)(struct html *, const char *), const char *text)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);
	struct html h;

	html_init(&h, f);
	write(&h, text);
	html_finish(&h);
	(void)fclose(f);
	return out;
}

static void as_text(struct html *h, const char *text)
{
	html_element(h, "b", text, NULL);
}

static void as_attribute(struct html *h, const char *text)
{
	html_begin(h, "a", "title", text, "hidden", "", "skipped", NULL, NULL);
}

static void test_escaping(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *text = page(as_text, texts[i].text),
		     *attribute = page(as_attribute, texts[i].text);
		char want[256];

		(void)snprintf(want, sizeof(want), "<!DOCTYPE html><b>%s</b>\n", texts[i].shown);
		if (strcmp(text, want) != 0)
			fail_msg("%s: got %s", texts[i].name, text);
		(void)snprintf(want, sizeof(want), "<!DOCTYPE html><a title=\"%s\" hidden></a>\n",
			texts[i].shown);
		if (strcmp(attribute, want) != 0)
			fail_msg("%s: got %s", texts[i].name, attribute);
		free(text);
		free(attribute);
	}
}

static void test_json_is_inert_in_a_script(void **state)
{
	CLEANUP_STRBUF struct strbuf sb = STRBUF_INIT;

	(void)state;
	html_json_string(&sb, "</script><!--&\xff\"");
	assert_null(strpbrk(sb.text, "<>&"));
	assert_non_null(strstr(sb.text, "\\u003c/script\\u003e"));
	strbuf_reset(&sb);
	html_json_string(&sb, NULL);
	assert_string_equal(sb.text, "null");
}

/* client at 0, server at 1: a SYN that arrives "before" it was sent by the clocks, and a lost
 * answer. */
static struct ladder *example(void)
{
	struct ladder *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->points = 2;
	l->messages = 3;
	for (unsigned i = 0; i < l->messages; i++) {
		for (unsigned p = 0; p < LADDER_POINTS; p++)
			l->message[i].at_ns[p] = DB_NONE;
		l->message[i].retransmission_of = -1;
	}
	l->message[0].to_server = true;
	l->message[0].at_ns[0] = 1000;
	l->message[0].at_ns[1] = 900;
	l->message[1].at_ns[1] = 2000;
	l->message[1].fate = LADDER_LOST;
	l->message[1].fate_from = 1;
	l->message[2].at_ns[1] = INT64_C(1000002000);
	l->message[2].retransmission_of = 1;
	l->message[2].fate = LADDER_LOST;
	l->message[2].fate_from = 1;
	return l;
}

static void test_ladder_layout(void **state)
{
	struct ladder *l = example();

	(void)state;
	ladder_layout(l);
	for (int layout = 0; layout < 2; layout++) {
		/* Cause before effect, whatever the clocks say; what was not seen has no place. */
		assert_true(l->message[0].y[layout][1] >= l->message[0].y[layout][0]);
		assert_true(l->message[1].y[layout][1] >= l->message[0].y[layout][1]);
		assert_true(l->message[2].y[layout][1] > l->message[1].y[layout][1]);
		assert_true(l->message[1].y[layout][0] < 0);
		assert_true(l->height[layout] > l->message[2].y[layout][1]);
	}
	/* By order every sighting has its own line; the second of silence is marked. */
	assert_true(l->message[0].y[LADDER_BY_ORDER][1] - l->message[0].y[LADDER_BY_ORDER][0] > 15);
	assert_int_equal(l->gaps, 2);
	assert_int_equal(l->gap[0].layout, LADDER_BY_ORDER);
	assert_int_equal(l->gap[0].span_ns, 1000000000);
	/* To scale the first microseconds have the room, and the second of silence is cut and
	 * marked. */
	assert_int_equal(l->gap[1].layout, LADDER_TO_SCALE);
	assert_int_equal(l->gap[1].span_ns, 1000000000);
	assert_true(
		l->message[1].y[LADDER_TO_SCALE][1] - l->message[0].y[LADDER_TO_SCALE][0] > 250);
	assert_true(l->message[2].y[LADDER_TO_SCALE][1] - l->message[1].y[LADDER_TO_SCALE][1] < 60);
	assert_true(l->gap[1].y > l->message[1].y[LADDER_TO_SCALE][1]);
	assert_true(l->gap[1].y < l->message[2].y[LADDER_TO_SCALE][1]);
	free(l);
}

/* What is folded leaves room for its words, and is not told as silence as well. */
static void test_ladder_folded(void **state)
{
	struct ladder *l = example();

	(void)state;
	l->message[1].folded = 7;
	l->message[1].folded_ns = 900000000;
	ladder_layout(l);
	assert_int_equal(l->gaps, 2);
	assert_int_equal(l->gap[0].folded, 7);
	assert_int_equal(l->gap[0].span_ns, 900000000);
	assert_true(l->gap[0].y > l->message[1].y[LADDER_BY_ORDER][1]);
	assert_true(l->gap[0].y < l->message[2].y[LADDER_BY_ORDER][1]);
	free(l);
}

static const struct {
	const char *name, *shown;
	unsigned most;
} names[] = {
	{"db", "db", 5},
	{"12345", "12345", 5},
	{"123456",
		"12\xe2\x80\xa6"
		"56",
		5},
	{"1234567",
		"12\xe2\x80\xa6"
		"567",
		6},
	{"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc", "\xc3\xa4\xe2\x80\xa6\xc3\xbc", 3},
	{"", "", 4},
};

static void test_shortened_names(void **state)
{
	char out[64], little[8];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(html_shorten(out, sizeof(out), names[i].name, names[i].most),
			    names[i].shown) != 0)
			fail_msg("'%s' became '%s'", names[i].name, out);
	/* Into little room: cut, ended, and no half of a character. */
	assert_string_equal(
		html_shorten(little, sizeof(little), "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4", 20),
		"\xc3\xa4\xc3\xb6");
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, part)); at++)
		n++;
	return n;
}

static void draw(struct html *h, const char *name)
{
	struct ladder *l = example();

	(void)snprintf(l->point[0].name, sizeof(l->point[0].name), "%s", name);
	ladder_layout(l);
	ladder_draw(l, h, 7);
	free(l);
}

static void test_ladder_drawing(void **state)
{
	char *out = page(draw, "<b>");

	(void)state;
	assert_int_equal(count(out, "class=\"cross\""), 4); /* two lost, in both drawings */
	assert_int_equal(count(out, "class=\"bow\""), 2);   /* one retransmission */
	assert_int_equal(count(out, "class=\"head\""), 2);  /* one arrival */
	assert_null(strstr(out, "<b>"));
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escaping),
		cmocka_unit_test(test_json_is_inert_in_a_script),
		cmocka_unit_test(test_ladder_layout),
		cmocka_unit_test(test_ladder_folded),
		cmocka_unit_test(test_shortened_names),
		cmocka_unit_test(test_ladder_drawing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
