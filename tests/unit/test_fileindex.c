/* Ordinals of frames turned back into file, number and offset, whatever lies between the frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/fileindex.h"

#define FRAMES 10000

struct written {
	uint32_t ordinal, file, number;
	uint64_t offset;
};

static struct arena_budget *budget;
static struct arena arena;
static struct fileindex idx;
static struct written written[3 * FRAMES];

static int setup(void **state)
{
	(void)state;
	budget = arena_budget_new(0, "/tmp");
	arena_init(&arena, budget);
	fileindex_init(&idx, &arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fileindex_release(&idx);
	arena_release(&arena);
	(void)arena_budget_free(budget);
	return 0;
}

/* Adds a file whose frames are far apart wherever far says so. */
static void add_file(uint32_t file, uint32_t at, uint32_t frames, uint64_t (*step)(uint32_t))
{
	uint64_t offset = 24;

	fileindex_start(&idx, file);
	for (uint32_t i = 0; i < frames; i++) {
		written[at + i] = (struct written){.ordinal = fileindex_add(&idx, offset),
			.file = file,
			.number = i + 1,
			.offset = offset};
		offset += step(i);
	}
}

static void check(uint32_t at, uint32_t frames)
{
	for (uint32_t i = at; i < at + frames; i++) {
		struct fileindex_place p = fileindex_find(&idx, written[i].ordinal);

		assert_int_equal(p.file, written[i].file);
		assert_int_equal(p.number, written[i].number);
		assert_int_equal(fileindex_offset(&idx, written[i].ordinal), written[i].offset);
		if (i > at)
			assert_true(written[i].ordinal > written[i - 1].ordinal);
	}
}

static uint64_t small(uint32_t i)
{
	return 16 + i % 97;
}

/* What a step can hold at most, one more, and a hole of many gigabytes. */
static uint64_t edges(uint32_t i)
{
	static const uint64_t steps[] = {
		16, UINT16_MAX, (uint64_t)UINT16_MAX + 1, 60, UINT64_C(40) << 30, 17};

	return steps[i % 6];
}

static uint64_t always_far(uint32_t i)
{
	(void)i;
	return 70000;
}

static void test_one_file(void **state)
{
	(void)state;
	add_file(5, 0, FRAMES, small);
	check(0, FRAMES);
}

static void test_several_files(void **state)
{
	(void)state;
	add_file(0, 0, FRAMES, small);
	add_file(3, FRAMES, FRAMES - 1, edges);
	add_file(1, 2 * FRAMES, 29, always_far);
	check(0, FRAMES);
	check(FRAMES, FRAMES - 1);
	check(2 * FRAMES, 29);
}

static void test_empty_files(void **state)
{
	(void)state;
	fileindex_start(&idx, 0);
	add_file(1, 0, 1, small);
	fileindex_start(&idx, 2);
	add_file(3, 1, 60, small);
	check(0, 1);
	check(1, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_several_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
