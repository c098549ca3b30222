/* incident_store: a store in a folder made for each test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/incident_store.h"

#define ALPHABET "abcdefghijklmnopqrstuvwxyz234567"

static int make_store(void **state)
{
	static struct incident_store store;
	struct error err = ERROR_INIT;
	char folder[] = "/tmp/bothends-store-XXXXXX";

	if (!mkdtemp(folder))
		return -1;
	store = (struct incident_store){.path = mem_printf("%s/store", folder),
		.upload_max = 1000,
		.files_max = 3,
		.incidents_max = 4,
		.resume_hours = 1};
	assert_int_equal(incident_store_open(&store, &err), 0);
	*state = &store;
	return 0;
}

static int remove_store(void **state)
{
	struct incident_store *s = *state;
	CLEANUP_FREE char *path = s->path;
	CLEANUP_FREE char *command = NULL;

	command = mem_printf("rm -r '%.*s'", (int)(strlen(path) - strlen("/store")), path);
	return system(command);
}

static void make_file(
	const struct incident_store *s, const char *id, const char *name, size_t bytes)
{
	CLEANUP_FREE char *path = incident_store_file(s, id, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	(void)close(fd);
}

static bool has_file(const struct incident_store *s, const char *id, const char *name)
{
	CLEANUP_FREE char *path = incident_store_file(s, id, name);

	return access(path, F_OK) == 0;
}

static void make_incident(struct incident_store *s, char id[INCIDENT_ID_SIZE])
{
	struct error err = ERROR_INIT;

	assert_int_equal(incident_store_new(s, id, &err), 0);
}

static int add(struct incident_store *s, const char *id, const char *name, int64_t size)
{
	struct error err = ERROR_INIT;
	unsigned number = 0;
	int result = incident_store_add_file(s, id, "db", name, size, &number, &err);

	assert_int_equal(err.text[0] != '\0', result != 0);
	return result ? -result : (int)number;
}

static void assert_state(struct incident_store *s, const char *id, const char *state)
{
	json_t *meta = incident_store_get(s, id);

	assert_non_null(meta);
	assert_string_equal(json_string_value(json_object_get(meta, "state")), state);
	json_decref(meta);
}

/* 26 characters of 5 bits, 130 in all: every character occurs at every place. */
static void test_ids(void **state)
{
	struct incident_store *s = *state;
	bool seen[INCIDENT_ID_SIZE - 1][sizeof(ALPHABET) - 1] = {{false}};
	char id[INCIDENT_ID_SIZE];

	/* 1000 draws miss one of 32 with probability 1.6e-14. */
	for (int i = 0; i < 1000; i++) {
		make_incident(s, id);
		assert_true(incident_store_id_valid(id));
		assert_int_equal(strlen(id), 26);
		for (size_t k = 0; id[k]; k++)
			seen[k][strchr(ALPHABET, id[k]) - ALPHABET] = true;
		assert_int_equal(incident_store_delete(s, id), 0);
	}
	for (size_t k = 0; k < INCIDENT_ID_SIZE - 1; k++)
		for (size_t c = 0; c < sizeof(ALPHABET) - 1; c++)
			assert_true(seen[k][c]);
}

static void test_names(void **state)
{
	static const char *const bad_ids[] = {"", ".", "..", "abcdefghijklmnopqrstuvwx2",
		"abcdefghijklmnopqrstuvwx277", "abcdefghijklmnopqrstuvwx2A",
		"abcdefghijklmnopqrstuvwx20", "abcdefghijklmnopqrstuvwx2/",
		"../../../../../../../../..", "abcdefghijklmnopqrstuvwx2\n"};
	static const char *const hosts[] = {"a", "7", "db-1.example_net",
		"A234567890123456789012345678901234567890123456789012345678901234"};
	static const char *const bad_hosts[] = {"", ".", "-a", "_a", "a b", "a/b", "a=b", "a%",
		"\xc3\xa4", "A2345678901234567890123456789012345678901234567890123456789012345"};

	(void)state;
	assert_true(incident_store_id_valid("abcdefghijklmnopqrstuvwx27"));
	for (size_t i = 0; i < sizeof(bad_ids) / sizeof(bad_ids[0]); i++)
		assert_false(incident_store_id_valid(bad_ids[i]));
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		assert_true(incident_store_host_valid(hosts[i]));
	for (size_t i = 0; i < sizeof(bad_hosts) / sizeof(bad_hosts[0]); i++)
		assert_false(incident_store_host_valid(bad_hosts[i]));
}

static void test_new(void **state)
{
	struct incident_store *s = *state;
	char ids[5][INCIDENT_ID_SIZE];
	struct error err = ERROR_INIT;
	struct stat st;

	for (int i = 0; i < 4; i++)
		make_incident(s, ids[i]);
	assert_state(s, ids[0], "uploading");
	{
		CLEANUP_FREE char *folder = incident_store_folder(s, ids[0]);

		assert_int_equal(stat(folder, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
	}
	assert_int_equal(incident_store_new(s, ids[4], &err), INCIDENT_STORE_LIMIT);
	assert_non_null(strstr(err.text, "4 incidents"));
	assert_int_equal(incident_store_delete(s, ids[0]), 0);
	make_incident(s, ids[4]);
	assert_null(incident_store_get(s, ids[0]));
	assert_int_equal(incident_store_delete(s, ids[0]), INCIDENT_STORE_NONE);
}

static void test_files(void **state)
{
	struct incident_store *s = *state;
	struct error err = ERROR_INIT;
	char id[INCIDENT_ID_SIZE];
	json_t *meta, *files;

	make_incident(s, id);
	assert_int_equal(add(s, id, "a.pcapng", 100), 1);
	assert_int_equal(add(s, id, "b.pcapng", 100), 2);
	make_file(s, id, "capture-1", 60);
	assert_int_equal(incident_store_remove_file(s, id, 2, &err), 0);
	assert_int_equal(add(s, id, "c.pcapng", 100), 3); /* a number is not given twice */
	assert_int_equal(incident_store_set_size(s, id, 3, 200), 0);
	assert_int_equal(incident_store_set_size(s, id, 2, 200), INCIDENT_STORE_NONE);
	meta = incident_store_get(s, id);
	files = json_object_get(meta, "files");
	assert_int_equal(json_array_size(files), 2);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(files, 0), "received")), 60);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(files, 0), "size")), 100);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(files, 1), "id")), "capture-3");
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(files, 1), "size")), 200);
	json_decref(meta);
	assert_int_equal(incident_store_remove_file(s, id, 1, &err), 0);
	assert_false(has_file(s, id, "capture-1"));
	assert_int_equal(incident_store_remove_file(s, id, 1, &err), INCIDENT_STORE_NONE);
}

static void test_limits(void **state)
{
	struct incident_store *s = *state;
	char id[INCIDENT_ID_SIZE];

	make_incident(s, id);
	assert_int_equal(add(s, id, "a", 1001), -INCIDENT_STORE_LIMIT);
	assert_int_equal(add(s, id, "a", 600), 1);
	assert_int_equal(add(s, id, "b", 401), -INCIDENT_STORE_LIMIT);
	assert_int_equal(add(s, id, "b", INT64_MAX), -INCIDENT_STORE_LIMIT);
	assert_int_equal(add(s, id, "b", 400), 2);
	assert_int_equal(add(s, id, "c", 0), 3);
	assert_int_equal(add(s, id, "d", 0), -INCIDENT_STORE_LIMIT); /* a fourth file */
	assert_int_equal(add(s, "abcdefghijklmnopqrstuvwx27", "a", 0), -INCIDENT_STORE_NONE);
	assert_int_equal(add(s, "../escape", "a", 0), -INCIDENT_STORE_NONE);
}

static void assert_kept_as(struct incident_store *s, const char *given, const char *kept)
{
	char id[INCIDENT_ID_SIZE];
	json_t *meta;
	const json_t *f;

	make_incident(s, id);
	assert_int_equal(add(s, id, given, 0), 1);
	meta = incident_store_get(s, id);
	f = json_array_get(json_object_get(meta, "files"), 0);
	assert_string_equal(json_string_value(json_object_get(f, "name")), kept);
	assert_string_equal(json_string_value(json_object_get(f, "id")), "capture-1");
	json_decref(meta);
	assert_int_equal(incident_store_delete(s, id), 0);
}

/* Names that clients give are words in ID.json, whatever is in them. */
static void test_client_names(void **state)
{
	struct incident_store *s = *state;
	char longest[INCIDENT_NAME_MAX + 2], cut[INCIDENT_NAME_MAX + 1];

	assert_kept_as(s, "../../etc/passwd", "../../etc/passwd");
	assert_kept_as(s, "a\x1b[31m\nb\x7f", "a?[31m?b?");
	assert_kept_as(s,
		"gr\xc3\xb6\xc3\x9f"
		"e.pcap",
		"gr\xc3\xb6\xc3\x9f"
		"e.pcap");
	assert_kept_as(s, "a\xff", "(name is not UTF-8)");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(cut, 'x', sizeof(cut) - 1);
	cut[sizeof(cut) - 1] = '\0';
	assert_kept_as(s, longest, cut);
	/* A character of two bytes across the limit goes as a whole. */
	memcpy(longest + INCIDENT_NAME_MAX - 1, "\xc3\xb6", 2);
	cut[INCIDENT_NAME_MAX - 1] = '\0';
	assert_kept_as(s, longest, cut);
}

static void test_states(void **state)
{
	struct incident_store *s = *state;
	struct error err = ERROR_INIT;
	char id[INCIDENT_ID_SIZE];
	json_t *meta;

	make_incident(s, id);
	assert_int_equal(add(s, id, "a", 0), 1);
	assert_int_equal(
		incident_store_move(s, id, "analyzing", "done", NULL), INCIDENT_STORE_STATE);
	assert_int_equal(incident_store_move(s, id, "uploading", "analyzing", NULL), 0);
	assert_int_equal(
		incident_store_move(s, id, "uploading", "analyzing", NULL), INCIDENT_STORE_STATE);
	assert_int_equal(incident_store_delete(s, id), INCIDENT_STORE_STATE);
	assert_int_equal(incident_store_remove_file(s, id, 1, &err), INCIDENT_STORE_STATE);
	assert_int_equal(add(s, id, "b", 0), -INCIDENT_STORE_STATE);
	assert_int_equal(incident_store_move(s, id, "analyzing", "failed", "no\tluck"), 0);
	meta = incident_store_get(s, id);
	assert_string_equal(json_string_value(json_object_get(meta, "error")), "no?luck");
	json_decref(meta);
	assert_int_equal(incident_store_delete(s, id), 0);
	assert_int_equal(incident_store_move(s, id, "failed", "done", NULL), INCIDENT_STORE_NONE);
}

/* A server that was killed during an analysis: the next one finds it failed, and the captures
 * there. */
static void test_restart(void **state)
{
	struct incident_store *s = *state;
	struct error err = ERROR_INIT;
	char cut[INCIDENT_ID_SIZE], done[INCIDENT_ID_SIZE];

	make_incident(s, cut);
	make_incident(s, done);
	make_file(s, cut, "capture-1", 10);
	make_file(s, cut, "incident.db", 10);
	make_file(s, done, "incident.db", 10);
	assert_int_equal(incident_store_move(s, cut, "uploading", "analyzing", NULL), 0);
	assert_int_equal(incident_store_move(s, done, "uploading", "done", NULL), 0);
	assert_int_equal(incident_store_open(s, &err), 0);
	assert_state(s, cut, "failed");
	assert_true(has_file(s, cut, "capture-1"));
	assert_false(has_file(s, cut, "incident.db"));
	assert_state(s, done, "done");
	assert_true(has_file(s, done, "incident.db"));
}

static void make_old(const struct incident_store *s, const char *id, time_t age_s)
{
	CLEANUP_FREE char *path = incident_store_meta(s, id);
	const struct timespec t[2] = {
		{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};

	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void add_one(struct incident_store *s, const char *id)
{
	struct error err = ERROR_INIT;
	unsigned number;

	assert_int_equal(incident_store_add_file(s, id, NULL, "a", 10, &number, &err), 0);
}

static void test_expire(void **state)
{
	struct incident_store *s = *state;
	char old[INCIDENT_ID_SIZE], growing[INCIDENT_ID_SIZE], young[INCIDENT_ID_SIZE],
		done[INCIDENT_ID_SIZE];

	make_incident(s, old);
	make_incident(s, growing);
	make_incident(s, young);
	make_incident(s, done);
	add_one(s, old);
	add_one(s, growing);
	add_one(s, young);
	assert_int_equal(incident_store_move(s, done, "uploading", "done", NULL), 0);
	make_old(s, old, 3700);
	make_old(s, growing, 3700);
	make_file(s, growing, "capture-1", 10); /* received now */
	make_old(s, young, 3500);
	make_old(s, done, 100000);
	incident_store_expire(s);
	assert_null(incident_store_get(s, old));
	assert_state(s, growing, "uploading");
	assert_state(s, young, "uploading");
	assert_state(s, done, "done");
}

static void test_expire_empty(void **state)
{
	struct incident_store *s = *state;
	char empty[INCIDENT_ID_SIZE], fresh[INCIDENT_ID_SIZE];

	make_incident(s, empty);
	make_incident(s, fresh);
	make_old(s, empty, 700);
	make_old(s, fresh, 500);
	incident_store_expire(s);
	assert_null(incident_store_get(s, empty));
	assert_state(s, fresh, "uploading");
}

/* Whoever wrote it: what lacks its texts is no incident, and ends nobody who lists them. */
static void test_unsound(void **state)
{
	static const char *const texts[] = {"{}", "[]",
		"{\"id\":null,\"state\":\"done\",\"files\":[]}",
		"{\"id\":\"a\",\"state\":\"done\",\"created\":\"x\",\"files\":[{\"id\":null}]}"};
	struct incident_store *s = *state;
	char id[INCIDENT_ID_SIZE];
	json_t *list;

	make_incident(s, id);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CLEANUP_FREE char *path = incident_store_meta(s, id);
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		assert_true(fputs(texts[i], f) >= 0);
		assert_int_equal(fclose(f), 0);
		assert_null(incident_store_get(s, id));
		list = incident_store_list(s);
		assert_int_equal(json_array_size(list), 0);
		json_decref(list);
	}
}

static void set_created(const struct incident_store *s, const char *id, const char *created)
{
	CLEANUP_FREE char *path = incident_store_meta(s, id);
	json_t *meta = json_load_file(path, 0, NULL);

	assert_int_equal(json_object_set_new(meta, "created", json_string(created)), 0);
	assert_int_equal(json_dump_file(meta, path, 0), 0);
	json_decref(meta);
}

static void test_list(void **state)
{
	struct incident_store *s = *state;
	char ids[3][INCIDENT_ID_SIZE];
	json_t *list;

	for (int i = 0; i < 3; i++)
		make_incident(s, ids[i]);
	set_created(s, ids[0], "2026-09-21T14:13:24Z");
	set_created(s, ids[1], "2026-09-22T00:00:00Z");
	set_created(s, ids[2], "2026-09-20T23:59:59Z");
	list = incident_store_list(s);
	assert_int_equal(json_array_size(list), 3);
	for (size_t i = 0; i < 3; i++) { /* newest first */
		const char *id = json_string_value(json_object_get(json_array_get(list, i), "id"));

		assert_string_equal(id, ids[i == 0 ? 1 : i == 1 ? 0 : 2]);
	}
	json_decref(list);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, make_store, remove_store)
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_ids),
		cmocka_unit_test(test_names),
		WITH_STORE(test_new),
		WITH_STORE(test_files),
		WITH_STORE(test_limits),
		WITH_STORE(test_client_names),
		WITH_STORE(test_states),
		WITH_STORE(test_restart),
		WITH_STORE(test_expire),
		WITH_STORE(test_expire_empty),
		WITH_STORE(test_unsound),
		WITH_STORE(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
