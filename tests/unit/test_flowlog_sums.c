#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flowlog/tuples.h"
#include "flowlog/sums.h"
#include "flowlog/top.h"

struct entry {
	uint32_t key, zero;
	uint64_t sum;
};

static void test_sums(void **state)
{
	struct sums s;
	bool is_new;
	uint64_t total = 0;

	(void)state;
	sums_init(&s, 8, sizeof(struct entry), 5000);
	for (uint32_t i = 0; i < 100000; i++) {
		struct entry key = {.key = i * 7919 % 5000};
		struct entry *e = sums_get(&s, &key, &is_new);

		assert_non_null(e);
		assert_int_equal(is_new, i < 5000);
		e->sum += i;
	}
	assert_int_equal(s.count, 5000);
	assert_null(sums_get(&s, &(struct entry){.key = 5000}, &is_new));
	assert_true(is_new);
	sums_sort(&s);
	for (size_t i = 0; i < s.count; i++) {
		const struct entry *e = sums_at(&s, i);

		total += e->sum;
		assert_true(i == 0 || memcmp(sums_at(&s, i - 1), e, 8) < 0);
	}
	assert_int_equal(total, UINT64_C(100000) * 99999 / 2);
	sums_clear(&s);
	assert_int_equal(s.count, 0);
	sums_release(&s);
}

/* The same ones stay, whatever the order they come in and however they are shared out. */
static void test_top(void **state)
{
	enum { N = 20000, KEEP = 100 };
	struct top one, a, b;

	(void)state;
	top_init(&one, KEEP, sizeof(uint32_t));
	top_init(&a, KEEP, sizeof(uint32_t));
	top_init(&b, KEEP, sizeof(uint32_t));
	for (uint32_t i = 0; i < N; i++) {
		uint32_t v = i, w = N - 1 - i;

		/* Many equal weights: the hash decides. */
		top_offer(&one, v % 150, v * 2654435761u, &v);
		top_offer(w % 2 ? &a : &b, w % 150, w * 2654435761u, &w);
	}
	top_finish(&one);
	top_merge(&a, &b);
	top_finish(&a);
	assert_int_equal(one.count, KEEP);
	assert_int_equal(a.count, KEEP);
	assert_int_equal(one.offered, N);
	assert_int_equal(a.offered, N);
	for (size_t i = 0; i < KEEP; i++)
		assert_memory_equal(top_at(&one, i), top_at(&a, i), sizeof(uint32_t));
	assert_int_equal(*(const uint32_t *)top_at(&one, 0) % 150, 149);
	top_release(&one);
	top_release(&a);
	top_release(&b);
}

static struct tuple tuple_of(uint32_t i)
{
	struct tuple t;

	memset(&t, 0, sizeof(t));
	memcpy(t.src + 12, &(uint32_t){i % 97}, 4);
	memcpy(t.dst + 12, &(uint32_t){1000 + i % 89}, 4);
	t.src_port = (uint16_t)(i % 5003);
	t.dst_port = 443;
	t.protocol = 6;
	t.line = i;
	if (i % 2) { /* the way back: it must be found in the same bucket and part */
		struct tuple back = t;

		memcpy(back.src, t.dst, 16);
		memcpy(back.dst, t.src, 16);
		back.src_port = t.dst_port;
		back.dst_port = t.src_port;
		return back;
	}
	return t;
}

/* Every record comes back once; both directions of a conversation in one part; also through the
 * file. */
static void check_tuples(uint64_t memory, size_t part_max)
{
	enum { N = 400000 };
	struct flowlog_tuples *t = flowlog_tuples_new(memory, NULL);
	uint8_t *seen = calloc(N, 1);
	uint16_t *place = calloc(97 * 89, sizeof(*place)); /* bucket + 1 of a pair of addresses */
	uint64_t count = 0;

	for (uint32_t i = 0; i < N; i++) {
		struct tuple one = tuple_of(i);

		flowlog_tuples_add(t, &one);
	}
	assert_int_equal(flowlog_tuples_failed(t, NULL), 0);
	assert_int_equal(flowlog_tuples_count(t), N);
	for (unsigned b = 0; b < TUPLE_BUCKETS; b++) {
		unsigned parts = flowlog_tuples_parts(t, b, part_max);

		for (unsigned p = 0; p < parts; p++) {
			struct tuple *list;
			size_t n;

			assert_int_equal(flowlog_tuples_load(t, b, p, parts, &list, &n, NULL), 0);
			for (size_t i = 0; i < n; i++) {
				struct tuple expected = tuple_of(list[i].line);
				size_t pair = list[i].line % 97 * 89 + list[i].line % 89;

				assert_memory_equal(&list[i], &expected, sizeof(expected));
				assert_int_equal(seen[list[i].line]++, 0);
				assert_true(place[pair] == 0 || place[pair] == b + 1);
				place[pair] = (uint16_t)(b + 1);
				assert_true(i == 0 || list[i - 1].line < list[i].line);
			}
			count += n;
			free(list);
		}
	}
	assert_int_equal(count, N);
	free(place);
	free(seen);
	(void)flowlog_tuples_free(t);
}

static void test_tuples_in_memory(void **state)
{
	(void)state;
	check_tuples(UINT64_C(1) << 30, 1000000);
}

static void test_tuples_in_a_file(void **state)
{
	(void)state;
	check_tuples(1 << 20, 1000000);
}

static void test_tuples_in_parts(void **state)
{
	(void)state;
	check_tuples(1 << 20, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_tuples_in_memory),
		cmocka_unit_test(test_tuples_in_a_file),
		cmocka_unit_test(test_tuples_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
