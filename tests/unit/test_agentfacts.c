#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "guard.h"
#include "read/agentfacts.h"

/* What the sink got, one line a fact: "at key=value". */
static void note(void *context, const struct agent_fact *f)
{
	strbuf_printf(context, "%lld %s=%s\n", (long long)f->at_ns, f->key, f->value);
}

static const struct {
	const char *name, *text, *facts; /* facts NULL: not ours */
	unsigned malformed;
} comments[] = {
	{"two facts", "bothends-facts 1 at_ns=17\nhost.name=db1\nnic.eth0.mtu=9001",
		"17 host.name=db1\n17 nic.eth0.mtu=9001\n", 0},
	{"own time, and = in the value",
		"bothends-facts 1 at_ns=17\n@9 kernel.log=level=4 message=a=b\n",
		"9 kernel.log=level=4 message=a=b\n", 0},
	{"escapes", "bothends-facts 1 at_ns=17\nmark=a\\nb\\\\n\\x07\\", "17 mark=a\nb\\n\\x07\\\n",
		0},
	{"more words in the first line", "bothends-facts 1 at_ns=17 part=2\na=1\n", "17 a=1\n", 0},
	{"no facts", "bothends-facts 1 at_ns=17", "", 0},
	{"empty value", "bothends-facts 1 at_ns=-1\na=\n", "-1 a=\n", 0},
	{"lines that are none", "bothends-facts 1 at_ns=17\n=x\nword\n@ a=1\n@5\n@5x a=1\nb=2",
		"17 b=2\n", 5},
	{"another comment", "look at this", NULL, 0},
	{"a later version", "bothends-facts 2 at_ns=17\na=1", NULL, 0},
	{"no time", "bothends-facts 1 at_ns=\na=1", NULL, 0},
	{"a time beyond 64 bits", "bothends-facts 1 at_ns=99999999999999999999\na=1", NULL, 0},
	{"empty", "", NULL, 0},
};

static void test_comments(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(comments) / sizeof(comments[0]); i++) {
		struct strbuf got CLEANUP_STRBUF = STRBUF_INIT;
		struct agentfacts_count count = {0};
		int r = agentfacts_comment(
			comments[i].text, strlen(comments[i].text), note, &got, &count);
		const char *wanted = comments[i].facts ? comments[i].facts : "";

		if (r != (comments[i].facts ? AGENTFACTS_OK : AGENTFACTS_NOT_OURS))
			fail_msg("%s: outcome %d", comments[i].name, r);
		if (strcmp(got.text ? got.text : "", wanted) != 0)
			fail_msg("%s: got '%s'", comments[i].name, got.text);
		if (count.malformed != comments[i].malformed)
			fail_msg("%s: %d malformed", comments[i].name, (int)count.malformed);
	}
}

static const char sidecar[] =
	"{\"at_ns\":1790000000123456789,\"key\":\"nic.eth0.mtu\",\"value\":\"9001\"}\n"
	"\n"
	"{\"at_ns\":5,\"key\":\"mark\",\"value\":\"a\\nb \\u00e9\"}\n"
	"{\"at_ns\":\"5\",\"key\":\"mark\",\"value\":\"x\"}\n"
	"{\"at_ns\":5,\"key\":\"\",\"value\":\"x\"}\n"
	"{\"at_ns\":5,\"key\":\"k\",\"value\":7}\n"
	"{\"at_ns\":5,\"key\":\"k\",\"key\":\"k\",\"value\":\"7\"}\n"
	"not json\n"
	"{\"at_ns\":6,\"key\":\"torn\",\"value\":\"x\"}";

static void test_sidecar(void **state)
{
	struct strbuf got CLEANUP_STRBUF = STRBUF_INIT;
	struct agentfacts_count count = {0};

	(void)state;
	agentfacts_sidecar(sidecar, sizeof(sidecar) - 1, note, &got, &count);
	assert_string_equal(
		got.text, "1790000000123456789 nic.eth0.mtu=9001\n5 mark=a\nb \xc3\xa9\n");
	assert_int_equal(count.facts, 2);
	assert_int_equal(count.malformed, 5);
	assert_int_equal(count.torn, 1);
	assert_true(agentfacts_recognise(sidecar, sizeof(sidecar) - 1));
	assert_false(agentfacts_recognise("{\"at_ns\":1}\n", 12));
	assert_false(agentfacts_recognise(sidecar, 20));
	assert_false(agentfacts_recognise("", 0));
}

static void test_words(void **state)
{
	static const char value[] = "event=changed ip=10.0.1.90  was_mac=x mac=y message=a b=c ";
	char text[16];
	int64_t n = 0;

	(void)state;
	assert_true(agentfacts_word(value, "ip", false, text, sizeof(text)));
	assert_string_equal(text, "10.0.1.90");
	assert_true(agentfacts_word(value, "mac", false, text, sizeof(text)));
	assert_string_equal(text, "y");
	assert_true(agentfacts_word(value, "message", true, text, sizeof(text)));
	assert_string_equal(text, "a b=c ");
	assert_false(agentfacts_word(value, "ip", false, text, 9));
	assert_false(agentfacts_word(value, "c", false, text, sizeof(text)));
	assert_false(agentfacts_word("", "c", false, text, sizeof(text)));
	assert_true(agentfacts_number("from_ns=-12 to_ns=13", "from_ns", &n));
	assert_int_equal(n, -12);
	assert_false(agentfacts_number("a=1x", "a", &n));
	assert_false(agentfacts_number("a=", "a", &n));
	assert_false(agentfacts_number("a=99999999999999999999", "a", &n));
}

static void test_key_parts(void **state)
{
	char text[8];

	(void)state;
	assert_true(agentfacts_key_part("nic.eth0%2e100.mtu", 1, text, sizeof(text)) == false);
	assert_true(agentfacts_key_part("nic.e0%2e10.mtu", 1, text, sizeof(text)));
	assert_string_equal(text, "e0.10");
	assert_true(agentfacts_key_part("nic.e0%2e10.mtu", 2, text, sizeof(text)));
	assert_string_equal(text, "mtu");
	assert_true(agentfacts_key_part("a%2", 0, text, sizeof(text)));
	assert_string_equal(text, "a%2");
	assert_false(agentfacts_key_part("a.b", 2, text, sizeof(text)));
	assert_false(agentfacts_key_part("a..b", 1, text, sizeof(text)));
	assert_false(agentfacts_key_part("a%00b", 0, text, sizeof(text)));
}

static void test_sidecar_path(void **state)
{
	static const struct {
		const char *capture, *sidecar;
	} paths[] = {
		{"a/x.pcapng", "a/x.facts.jsonl"},
		{"x.pcapng.gz", "x.facts.jsonl"},
		{"x.pcapng.zst", "x.facts.jsonl"},
		{"x", "x.facts.jsonl"},
		{".gz", ".gz.facts.jsonl"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *got = agentfacts_sidecar_path(paths[i].capture);

		assert_string_equal(got, paths[i].sidecar);
		free(got);
	}
}

/* Every prefix of every input, against a page that cannot be read. */
static void test_prefixes(void **state)
{
	struct guard g = guard_new(4096);

	(void)state;
	for (size_t i = 0; i <= sizeof(comments) / sizeof(comments[0]); i++) {
		bool last = i == sizeof(comments) / sizeof(comments[0]);
		const char *text = last ? sidecar : comments[i].text;

		for (size_t n = 0; n <= strlen(text); n++) {
			struct strbuf got CLEANUP_STRBUF = STRBUF_INIT;
			struct agentfacts_count count = {0};
			const char *p = (const char *)guard_put(&g, text, n);

			(void)agentfacts_comment(p, n, note, &got, &count);
			agentfacts_sidecar(p, n, note, &got, &count);
			assert_true(count.torn <= 1);
			(void)agentfacts_recognise(p, n);
		}
	}
	guard_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_sidecar),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_key_parts),
		cmocka_unit_test(test_sidecar_path),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
