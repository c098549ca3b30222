/* Steady time: stamps that turn back, those that were only held up, and frames found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/nsec.h"
#include "flow/steady.h"

#define MS NSEC_PER_MSEC

static void note(
	struct steady *s, uint32_t first, uint32_t count, int64_t from_ms, int64_t every_ms)
{
	for (uint32_t i = 0; i < count; i++)
		steady_note(s, first + i, (from_ms + i * every_ms) * MS);
}

static void test_forward_only(void **state)
{
	struct steady s;

	(void)state;
	steady_init(&s);
	note(&s, 0, 100, 1000, 10);
	/* Less than the disorder of several CPUs. */
	steady_note(&s, 100, 1990 * MS - 1 * MS);
	note(&s, 101, 100, 5000, 10);
	assert_int_equal(s.count, 0);
	assert_int_equal(steady_time(&s, 150, 5490 * MS), 5490 * MS);
	steady_release(&s);
}

static void test_turns(void **state)
{
	struct steady s;
	struct steady_stretch at;

	(void)state;
	steady_init(&s);
	note(&s, 0, 100, 10000, 10);  /* up to 10990 */
	note(&s, 100, 100, 8000, 10); /* back by 2990 */
	note(&s, 200, 100, 500, 10);  /* back from 8990 by 8490 */
	assert_int_equal(s.count, 2);
	/* A nanosecond goes by at each turn. */
	assert_int_equal(steady_time(&s, 99, 10990 * MS), 10990 * MS);
	assert_int_equal(steady_time(&s, 100, 8000 * MS), 10990 * MS + 1);
	assert_int_equal(steady_time(&s, 199, 8990 * MS), 11980 * MS + 1);
	assert_int_equal(steady_time(&s, 299, 1490 * MS), 12970 * MS + 2);
	at = steady_at(&s, 11979 * MS);
	assert_int_equal(at.turns, 1);
	assert_int_equal(at.shift_ns, 2990 * MS + 1);
	assert_int_equal(steady_at(&s, 11980 * MS + 2).turns, 2);
	assert_int_equal(steady_behind(&s, 7), 11480 * MS + 2);
	steady_release(&s);
}

/* One frame that a queue held up for 30 ms; a clock that is set back by 30 ms does not catch up at
 * once. */
static void test_held_up(void **state)
{
	struct steady s;

	(void)state;
	steady_init(&s);
	note(&s, 0, 100, 1000, 1);
	steady_note(&s, 100, 1069 * MS);
	note(&s, 101, 100, 1101, 1);
	assert_int_equal(s.count, 0);
	assert_int_equal(steady_time(&s, 150, 1150 * MS), 1150 * MS);
	note(&s, 201, 100, 1171, 1);
	assert_int_equal(s.count, 1);
	assert_int_equal(steady_time(&s, 201, 1171 * MS), 1200 * MS + 1);
	steady_release(&s);
}

/* A file that turns back at every frame gets a limited number of turns. */
static void test_hostile(void **state)
{
	struct steady s;

	(void)state;
	steady_init(&s);
	for (uint32_t i = 0; i < 10000; i++)
		steady_note(&s, i, i % 2 ? 0 : INT64_MAX / 4096);
	assert_in_range(s.count, 1, 1024);
	assert_true(steady_time(&s, 10000, INT64_MAX / 2) > 0);
	steady_note(&s, 10000, INT64_MAX / 2);
	steady_note(&s, 10001, 0);
	assert_true(steady_time(&s, 10001, INT64_MAX / 2) > 0);
	steady_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forward_only),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_held_up),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
