/* ring: which capture files go and which stay, in a folder made for each test. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nsec.h"
#include "ring.h"

#define STEM(number) "db-000000000" #number "-20260921T14130" #number "Z"
#define DAY_S 1790000000

static char folder[32];

static int make_folder(void **state)
{
	static int fd;

	strcpy(folder, "/tmp/bothends-ring-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &fd;
	return fd < 0;
}

static int remove_folder(void **state)
{
	char command[64];

	(void)close(*(int *)*state);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return system(command);
}

/* A file of that many bytes, last written at_s seconds after DAY_S. */
static void make_file(int dir_fd, const char *name, off_t bytes, time_t at_s)
{
	const struct timespec t[2] = {{.tv_sec = DAY_S + at_s}, {.tv_sec = DAY_S + at_s}};
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	assert_int_equal(futimens(fd, t), 0);
	(void)close(fd);
}

static bool has_file(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, 0) == 0;
}

/* Three captures of 100 bytes with sidecars of 10, at 10, 20 and 30 s; one that a mark kept, at 5
 * s. */
static void make_captures(int dir_fd)
{
	make_file(dir_fd, STEM(2) ".pcapng", 100, 10);
	make_file(dir_fd, STEM(2) ".facts.jsonl", 10, 10);
	make_file(dir_fd, STEM(3) ".pcapng", 100, 20);
	make_file(dir_fd, STEM(3) ".facts.jsonl", 10, 20);
	make_file(dir_fd, STEM(4) ".pcapng", 100, 30);
	make_file(dir_fd, STEM(4) ".facts.jsonl", 10, 30);
	make_file(dir_fd, STEM(1) ".kept.pcapng", 1000, 5);
}

static void load(struct ring *r, int dir_fd, const struct ring_limits *limits)
{
	struct error err = ERROR_INIT;

	assert_int_equal(ring_load(r, dir_fd, limits, &err), 0);
}

static void test_load(void **state)
{
	static const char *const others[] = {"notes.txt", "db.pcapng",
		"db-0000000009-20260921T141309Z.pcap", "db-000000009-20260921T141309Z.pcapng",
		"-0000000009-20260921T141309Z.pcapng.gz", "db-00000000x9-20260921T141309Z.pcapng"};
	const struct ring_limits limits = {0};
	int dir_fd = *(int *)*state;
	char stem[RING_NAME_SIZE];
	struct ring r;

	make_captures(dir_fd);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		make_file(dir_fd, others[i], 1 << 20, 0);
	load(&r, dir_fd, &limits);
	assert_int_equal(r.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(r.files[i].number, i + 1);
	assert_true(r.files[0].kept);
	assert_int_equal(r.files[1].end_ns, (DAY_S + 10) * NSEC_PER_SEC);
	assert_int_equal(ring_bytes(&r, false), 330);
	assert_int_equal(ring_bytes(&r, true), 1000);
	assert_int_equal(ring_next_stem(&r, "db", 0, stem), 5);
	ring_prune(&r, NULL, INT64_MAX); /* no limit: nothing goes */
	assert_int_equal(r.count, 4);
	ring_release(&r);
}

/* What is left after pruning by limits, as the lowest number in the ring; kept files do not count.
 */
static uint64_t pruned_to(
	int dir_fd, const struct ring_limits *limits, const char *active, int64_t at_s)
{
	struct ring r;
	uint64_t lowest = 0;

	make_captures(dir_fd);
	load(&r, dir_fd, limits);
	ring_prune(&r, active, (DAY_S + at_s) * NSEC_PER_SEC);
	assert_true(has_file(dir_fd, STEM(1) ".kept.pcapng"));
	for (size_t i = r.count; i-- > 0;) {
		char name[RING_NAME_SIZE + 16];

		(void)snprintf(name, sizeof(name), "%s.pcapng", r.files[i].stem);
		assert_true(has_file(dir_fd, name));
		lowest = r.files[i].kept ? lowest : r.files[i].number;
	}
	assert_int_equal(r.removed + r.count, 4);
	ring_release(&r);
	return lowest;
}

static void test_prune_by_size(void **state)
{
	int dir_fd = *(int *)*state;

	assert_int_equal(pruned_to(dir_fd, &(struct ring_limits){.size = 330}, NULL, 30), 2);
	assert_int_equal(pruned_to(dir_fd, &(struct ring_limits){.size = 329}, NULL, 30), 3);
	assert_false(has_file(dir_fd, STEM(2) ".pcapng"));
	assert_false(has_file(dir_fd, STEM(2) ".facts.jsonl"));
	assert_int_equal(pruned_to(dir_fd, &(struct ring_limits){.size = 110}, NULL, 30), 4);
	assert_int_equal(pruned_to(dir_fd, &(struct ring_limits){.size = 1}, NULL, 30), 0);
}

static void test_prune_by_count(void **state)
{
	int dir_fd = *(int *)*state;

	assert_int_equal(pruned_to(dir_fd, &(struct ring_limits){.count = 3}, NULL, 30), 2);
	assert_int_equal(pruned_to(dir_fd, &(struct ring_limits){.count = 1}, NULL, 30), 4);
}

static void test_prune_by_age(void **state)
{
	int dir_fd = *(int *)*state;
	const struct ring_limits limits = {.age_ns = 60 * NSEC_PER_SEC};

	assert_int_equal(pruned_to(dir_fd, &limits, NULL, 70), 2); /* as old as allowed */
	assert_int_equal(pruned_to(dir_fd, &limits, NULL, 71), 3);
	assert_int_equal(pruned_to(dir_fd, &limits, NULL, 1000), 0);
}

/* The file that is written stays, even alone above every limit. */
static void test_active(void **state)
{
	const struct ring_limits limits = {.size = 1, .count = 1, .age_ns = 1};

	assert_int_equal(pruned_to(*(int *)*state, &limits, STEM(4), 1000), 4);
}

static void test_note(void **state)
{
	const struct ring_limits limits = {.size = 400};
	int dir_fd = *(int *)*state;
	struct ring r;

	make_captures(dir_fd);
	load(&r, dir_fd, &limits);
	ring_note(&r, STEM(5), 5, 0, 0);
	assert_int_equal(r.count, 5);
	assert_int_equal(ring_bytes(&r, false), 330);
	ring_note(&r, STEM(5), 5, 70, 40);
	assert_int_equal(r.count, 5);
	assert_int_equal(ring_bytes(&r, false), 400);
	ring_prune(&r, STEM(5), 0);
	assert_int_equal(r.removed, 0);
	ring_note(&r, STEM(5), 5, 71, 40);
	ring_prune(&r, STEM(5), 0);
	assert_int_equal(r.removed, 1);
	assert_int_equal(ring_bytes(&r, false), 291);
	ring_release(&r);
}

static void test_keep(void **state)
{
	const struct ring_limits limits = {.count = 1, .kept_size = 1110};
	int dir_fd = *(int *)*state;
	struct error err = ERROR_INIT;
	uint64_t bytes;
	struct ring r;
	size_t files;

	make_captures(dir_fd);
	load(&r, dir_fd, &limits);
	/* From 15 s on: two files, of which one fits beside the 1000 bytes that are kept; the
	 * newest. */
	assert_int_equal(ring_keep(&r, NULL, (DAY_S + 15) * NSEC_PER_SEC, &files, &bytes, &err),
		RING_NO_ROOM);
	assert_int_equal(files, 1);
	assert_int_equal(bytes, 110);
	assert_true(has_file(dir_fd, STEM(4) ".kept.pcapng"));
	assert_true(has_file(dir_fd, STEM(4) ".kept.facts.jsonl"));
	assert_false(has_file(dir_fd, STEM(4) ".pcapng"));
	assert_int_equal(ring_bytes(&r, true), 1110);
	assert_int_equal(ring_bytes(&r, false), 220);
	ring_prune(&r, NULL, 0);
	assert_true(has_file(dir_fd, STEM(4) ".kept.pcapng"));
	assert_int_equal(r.removed, 1); /* one file is left in the ring, as its count says */
	assert_false(has_file(dir_fd, STEM(2) ".pcapng"));
	ring_release(&r);
}

/* Files that ended before the span, and the one that is written, stay in the ring. */
static void test_keep_span(void **state)
{
	const struct ring_limits limits = {0};
	int dir_fd = *(int *)*state;
	struct error err = ERROR_INIT;
	uint64_t bytes;
	struct ring r;
	size_t files;

	make_captures(dir_fd);
	load(&r, dir_fd, &limits);
	assert_int_equal(
		ring_keep(&r, STEM(4), (DAY_S + 20) * NSEC_PER_SEC, &files, &bytes, &err), 0);
	assert_int_equal(files, 1);
	assert_true(has_file(dir_fd, STEM(2) ".pcapng"));
	assert_true(has_file(dir_fd, STEM(3) ".kept.pcapng"));
	assert_true(has_file(dir_fd, STEM(4) ".pcapng"));
	ring_release(&r);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_load),
		IN_FOLDER(test_prune_by_size),
		IN_FOLDER(test_prune_by_count),
		IN_FOLDER(test_prune_by_age),
		IN_FOLDER(test_active),
		IN_FOLDER(test_note),
		IN_FOLDER(test_keep),
		IN_FOLDER(test_keep_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
