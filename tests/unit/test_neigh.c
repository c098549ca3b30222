#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guard.h"
#include "read/neigh.h"

/* As printed by iproute2 6.1. The ages run into the next word there. */
static const struct {
	const char *name, *text;
	bool recognised;
	unsigned entries, left_out, malformed;
	struct neigh_entry first;
} cases[] = {
	{"ip neigh",
		"10.0.1.91 dev eth0 lladdr 00:00:01:fc:b3:91 DELAY \n10.0.1.90 dev eth0 lladdr "
		"00:00:01:FC:b3:48 STALE \n",
		true, 2, 0, 0, {"10.0.1.91", "00:00:01:fc:b3:91", "DELAY", "eth0", -1, -1, -1}},
	{"ip -s neigh", "10.9.0.7 dev d0  ref 1 used 1/61/2probes 4 INCOMPLETE \n", true, 1, 0, 0,
		{"10.9.0.7", "", "INCOMPLETE", "d0", 1, 61, 2}},
	{"ip -s neigh, with a blank",
		"10.9.0.5 dev d0 lladdr 02:00:00:00:00:05 used 1/61/1 probes 0 STALE", true, 1, 0,
		0, {"10.9.0.5", "02:00:00:00:00:05", "STALE", "d0", 1, 61, 1}},
	{"one device", "10.9.0.5 lladdr 02:00:00:00:00:05 REACHABLE\n", true, 1, 0, 0,
		{"10.9.0.5", "02:00:00:00:00:05", "REACHABLE", "", -1, -1, -1}},
	{"router, IPv6", "fe80:0::1 dev eth0 lladdr 02:00:00:00:00:01 router STALE\n", true, 1, 0,
		0, {"fe80::1", "02:00:00:00:00:01", "STALE", "eth0", -1, -1, -1}},
	{"failed", "10.0.1.7 dev eth0  FAILED\n", true, 1, 0, 0,
		{"10.0.1.7", "", "FAILED", "eth0", -1, -1, -1}},
	{"proxy", "10.9.0.9 dev d0 proxy \n10.9.0.5 dev d0 lladdr 02:00:00:00:00:05 STALE\n", true,
		1, 1, 0, {"10.9.0.5", "02:00:00:00:00:05", "STALE", "d0", -1, -1, -1}},
	{"a line that is none", "10.9.0.5 dev d0 lladdr 02:00:00:00:00:05 STALE\nwhat is this\n",
		true, 1, 0, 1, {"10.9.0.5", "02:00:00:00:00:05", "STALE", "d0", -1, -1, -1}},
	{"a MAC that is none", "10.9.0.5 dev d0 lladdr 02:00:00:0g:00:05 STALE\n", false, 0, 0, 1,
		{.ip = ""}},
	{"an interface name too long", "10.9.0.5 dev abcdefghijklmnop STALE\n", false, 0, 0, 1,
		{.ip = ""}},
	{"no state", "10.9.0.5 dev d0\n", false, 0, 0, 1, {.ip = ""}},
	{"cut short", "10.9.0.5 dev", false, 0, 0, 1, {.ip = ""}},
	{"json",
		"[{\"dst\":\"10.0.1.90\",\"dev\":\"eth0\",\"lladdr\":\"00:00:01:fc:b3:48\","
		"\"state\":[\"STALE\"]}]\n",
		true, 1, 0, 0, {"10.0.1.90", "00:00:01:fc:b3:48", "STALE", "eth0", -1, -1, -1}},
	{"json with ages",
		"[ {\n \"dst\": "
		"\"10.9.0.7\",\"dev\":\"d0\",\"refcnt\":1,\"used\":1,\"confirmed\":61,\"updated\":"
		"2,"
		"\"probes\":4,\"state\":[\"INCOMPLETE\"]},{\"dst\":\"::ffff:0:1\",\"proxy\":null}]",
		true, 1, 1, 0, {"10.9.0.7", "", "INCOMPLETE", "d0", 1, 61, 2}},
	{"json after empty objects",
		"[{},{},{\"dst\":\"10.0.0.1\",\"dev\":\"e\",\"state\":[\"FAILED\"]}]", true, 1, 0,
		0, {"10.0.0.1", "", "FAILED", "e", -1, -1, -1}},
	{"json of odd types",
		"[{\"dst\":7,\"state\":{}},{\"dst\":\"10.0.0.1\",\"state\":[]},[],\"x\"]", true, 0,
		0, 2, {.ip = ""}},
	{"json cut short", "[{\"dst\":\"10.0.1.90\",\"dev\":\"eth0\"", true, 0, 0, 1, {.ip = ""}},
	{"another json", "[{\"insertId\":\"x\",\"jsonPayload\":{}}]", false, 0, 0, 1, {.ip = ""}},
	{"a flow log",
		"2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1 2 "
		"ACCEPT OK\n",
		false, 0, 0, 1, {.ip = ""}},
	{"a sentence", "10.0.0.1 is where it is STALE\n", true, 1, 0, 0,
		{"10.0.0.1", "", "STALE", "", -1, -1, -1}},
	{"nothing", "", false, 0, 0, 0, {.ip = ""}},
};

struct seen {
	unsigned n;
	struct neigh_entry first;
};

static void keep(void *context, const struct neigh_entry *e)
{
	struct seen *s = context;

	if (s->n++ == 0)
		s->first = *e;
}

static bool same(const struct neigh_entry *a, const struct neigh_entry *b)
{
	return strcmp(a->ip, b->ip) == 0 && strcmp(a->mac, b->mac) == 0 &&
	       strcmp(a->state, b->state) == 0 && strcmp(a->interface, b->interface) == 0 &&
	       a->used_s == b->used_s && a->confirmed_s == b->confirmed_s &&
	       a->updated_s == b->updated_s;
}

static void test_listings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i].text);
		struct neigh_count count = {0};
		struct seen seen = {0};

		if (neigh_recognise(cases[i].text, size) != cases[i].recognised)
			fail_msg("%s: recognised %d", cases[i].name, !cases[i].recognised);
		neigh_parse(cases[i].text, size, keep, &seen, &count);
		if (count.entries != cases[i].entries || count.left_out != cases[i].left_out ||
			count.malformed != cases[i].malformed || seen.n != count.entries)
			fail_msg("%s: %d entries, %d left out, %d malformed", cases[i].name,
				(int)count.entries, (int)count.left_out, (int)count.malformed);
		if (seen.n && !same(&seen.first, &cases[i].first))
			fail_msg("%s: got %s %s %s '%s' %d/%d/%d", cases[i].name, seen.first.ip,
				seen.first.mac, seen.first.state, seen.first.interface,
				(int)seen.first.used_s, (int)seen.first.confirmed_s,
				(int)seen.first.updated_s);
	}
}

/* Every prefix, against a page that cannot be read; what is cut off is never an entry of its own.
 */
static void test_prefixes(void **state)
{
	struct guard g = guard_new(4096);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t n = 0; n <= strlen(cases[i].text); n++) {
			const char *p = (const char *)guard_put(&g, cases[i].text, n);
			struct neigh_count count = {0};
			struct seen seen = {0};

			(void)neigh_recognise(p, n);
			neigh_parse(p, n, keep, &seen, &count);
			assert_true(count.entries <= cases[i].entries);
		}
	guard_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
