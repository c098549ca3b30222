/* Which of two vantage points is nearer to an end, by packets alone. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "join/nearness.h"

#define OFFSET (INT64_C(86400) * 1000000000) /* b's clock is a day ahead of a's */

/* A flow as one vantage point saw it: packets of either side at given times. */
struct seen {
	int64_t at_ns;
	uint16_t ip_id;
	bool from_server;
};

static struct flow_vantage *flow_of(const struct seen *list, size_t n)
{
	struct flow_vantage *f = calloc(1, sizeof(*f));
	struct segment_chunk *c = calloc(1, sizeof(*c) + n * sizeof(struct segment));

	c->used = c->cap = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		c->slots[i] = (struct segment){.time_ns = list[i].at_ns,
			.ip_id = list[i].ip_id,
			.bits = list[i].from_server ? SEGMENT_FROM_B : 0};
		f->side[list[i].from_server].packets++;
	}
	f->head = f->tail = c;
	f->first_ns = n ? list[0].at_ns : 0;
	f->last_ns = n ? list[n - 1].at_ns : 0;
	return f;
}

static void flow_free(struct flow_vantage *f)
{
	free(f->head);
	free(f);
}

static struct stamp_order order(
	const struct seen *at_a, size_t na, const struct seen *at_b, size_t nb)
{
	struct member a = {.flow = flow_of(at_a, na), .vantage = 0},
		      b = {.flow = flow_of(at_b, nb), .vantage = 1};
	struct stamp_order r, back;

	a.client_is_b = b.client_is_b = false;
	r = nearness_by_delay(&a, &b);
	back = nearness_by_delay(&b, &a);
	assert_int_equal(r.nearer, -back.nearer); /* whoever is named first */
	flow_free(a.flow);
	flow_free(b.flow);
	return r;
}

static int compare(const struct seen *at_a, size_t na, const struct seen *at_b, size_t nb)
{
	return order(at_a, na, at_b, nb).nearer;
}

static void delays_tell_the_side(void **state)
{
	/* 50 us each way between a (client's side) and b. */
	const struct seen a[] = {{1000000, 1, false}, {1200000, 7, true}, {1300000, 2, false}};
	const struct seen b[] = {{OFFSET + 1050000, 1, false}, {OFFSET + 1150000, 7, true},
		{OFFSET + 1350000, 2, false}};

	(void)state;
	assert_int_equal(compare(a, 3, b, 3), -1);
}

static void jitter_is_no_delay(void **state)
{
	/* Both taps on one interface: stamps differ by 2 us either way. */
	const struct seen a[] = {{1000000, 1, false}, {1200000, 7, true}, {1300000, 2, false}};
	const struct seen b[] = {{OFFSET + 1002000, 1, false}, {OFFSET + 1199000, 7, true},
		{OFFSET + 1301000, 2, false}};

	(void)state;
	assert_int_equal(compare(a, 3, b, 3), 0);
}

/* 2 us of a wire are within the jitter of stamps: no evidence, but many packets say the same; and
 * no two captures of one port are that far apart each way. */
static void many_small_delays_are_likely(void **state)
{
	struct seen a[16], b[16];
	struct stamp_order r;

	(void)state;
	for (uint16_t i = 0; i < 16; i++) {
		bool back = i % 2;

		a[i] = (struct seen){1000000 + i * 10000, (uint16_t)(i + 1), back};
		b[i] = (struct seen){OFFSET + a[i].at_ns + (back ? -2000 : 2000), a[i].ip_id, back};
	}
	r = order(a, 16, b, 16);
	assert_int_equal(r.nearer, 0);
	assert_int_equal(r.likely, -1);
	assert_true(r.apart && !r.same);
	assert_int_equal(order(a, 4, b, 4).likely, 0);
}

static void one_constant_is_one_place(void **state)
{
	const struct seen a[] = {{1000000, 1, false}, {1200000, 7, true}, {1300000, 2, false}};
	const struct seen b[] = {{OFFSET + 1000000, 1, false}, {OFFSET + 1200000, 7, true},
		{OFFSET + 1301000, 2, false}};
	struct stamp_order r = order(a, 3, b, 3);

	(void)state;
	assert_true(r.same && !r.apart);
	assert_int_equal(r.nearer, 0);
}

static void one_direction_tells_nothing(void **state)
{
	const struct seen a[] = {{1000000, 1, false}, {1300000, 2, false}};
	const struct seen b[] = {{OFFSET + 1050000, 1, false}, {OFFSET + 1350000, 2, false}};

	(void)state;
	assert_int_equal(compare(a, 2, b, 2), 0);
	assert_int_equal(compare(a, 2, NULL, 0), 0);
}

static void equal_packets_tell_nothing(void **state)
{
	/* The second of three SYNs was lost; all have ID 0: which is which cannot be known. */
	const struct seen a[] = {{0, 0, false}, {1000000000, 0, false}, {3000000000, 0, false},
		{3100000000, 5, true}};
	const struct seen b[] = {{OFFSET, 0, false}, {OFFSET + 3000000000, 0, false},
		{OFFSET + 3000010000, 5, true}};

	(void)state;
	assert_int_equal(compare(a, 4, b, 3), 0);
}

static void votes_and_absences(void **state)
{
	static const struct {
		const char *name;
		struct nearness n;
		int sign;
	} cases[] = {
		{"nothing known", {0}, 0},
		{"delays of one flow", {.nearer_a = 1, .common = 1}, -1},
		{"delays contradict", {.nearer_a = 5, .nearer_b = 1, .common = 6}, 0},
		{"one of many contradicts", {.nearer_a = 1, .nearer_b = 11, .common = 12}, 1},
		{"only the other place shows packets towards the end", {.only_b = 3, .common = 2},
			-1},
		{"each lacks something: edges or capture loss",
			{.only_a = 1, .only_b = 3, .common = 2}, 0},
		{"delays weigh more than absences", {.nearer_b = 2, .only_b = 3, .common = 2}, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (nearness_sign(&cases[i].n) != cases[i].sign)
			fail_msg("%s: %d", cases[i].name, nearness_sign(&cases[i].n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_tell_the_side),
		cmocka_unit_test(jitter_is_no_delay),
		cmocka_unit_test(many_small_delays_are_likely),
		cmocka_unit_test(one_constant_is_one_place),
		cmocka_unit_test(one_direction_tells_nothing),
		cmocka_unit_test(equal_packets_tell_nothing),
		cmocka_unit_test(votes_and_absences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
