#include "serve/incident_store.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool incident_store_id_valid(const char *id)
{
	return strlen(id) == INCIDENT_ID_SIZE - 1 &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz234567") == INCIDENT_ID_SIZE - 1;
}

bool incident_store_host_valid(const char *host)
{
	static const char first[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t n = strlen(host);

	return n >= 1 && n <= 64 && strchr(first, host[0]) &&
	       strspn(host + 1,
		       "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
		       n - 1;
}

char *incident_store_folder(const struct incident_store *s, const char *id)
{
	assert(incident_store_id_valid(id)); /* no path leaves the store */
	return mem_printf("%s/%s", s->path, id);
}

char *incident_store_file(const struct incident_store *s, const char *id, const char *name)
{
	assert(incident_store_id_valid(id));
	return mem_printf("%s/%s/%s", s->path, id, name);
}

char *incident_store_meta(const struct incident_store *s, const char *id)
{
	assert(incident_store_id_valid(id));
	return mem_printf("%s/%s.json", s->path, id);
}

/* As the server writes it: texts are texts, so that nobody compares one with nothing. */
static bool incident_store_is_sound(const json_t *meta)
{
	const json_t *files = json_object_get(meta, "files"), *f;
	bool sound = json_is_string(json_object_get(meta, "id")) &&
		     json_is_string(json_object_get(meta, "state")) &&
		     json_is_string(json_object_get(meta, "created")) && json_is_array(files);
	size_t i;

	json_array_foreach(files, i, f) sound &= json_is_string(json_object_get(f, "id"));
	return sound;
}

static json_t *incident_store_load(const struct incident_store *s, const char *id)
{
	CLEANUP_FREE char *path = NULL;
	json_t *meta;

	if (!incident_store_id_valid(id))
		return NULL;
	path = incident_store_meta(s, id);
	meta = json_load_file(path, 0, NULL);
	if (meta && incident_store_is_sound(meta))
		return meta;
	json_decref(meta);
	return NULL;
}

static int incident_store_save(const struct incident_store *s, const char *id, const json_t *meta)
{
	CLEANUP_FREE char *path = incident_store_meta(s, id),
			  *temporary = mem_printf("%s.new", path);

	if (json_dump_file(meta, temporary, JSON_INDENT(1)) < 0 || rename(temporary, path) < 0) {
		(void)unlink(temporary);
		return INCIDENT_STORE_FULL;
	}
	return 0;
}

/* The folder holds only files, all created by this server. */
static void incident_store_empty_folder(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' || strlen(e->d_name) > 2)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		(void)closedir(dir);
}

static void incident_store_remove(const struct incident_store *s, const char *id)
{
	CLEANUP_FREE char *folder = incident_store_folder(s, id),
			  *meta = incident_store_meta(s, id);

	incident_store_empty_folder(folder);
	(void)rmdir(folder);
	(void)unlink(meta);
}

void incident_store_tidy(const struct incident_store *s, const char *id)
{
	CLEANUP_FREE char *path = incident_store_folder(s, id);
	DIR *dir = opendir(path);
	const struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (strncmp(e->d_name, "capture-", 8) != 0)
			(void)unlinkat(dirfd(dir), e->d_name, 0); /* fails for "." and ".." */
	if (dir)
		(void)closedir(dir);
}

static const char *incident_store_state_of(const json_t *meta)
{
	const char *state = json_string_value(json_object_get(meta, "state"));

	return state ? state : "";
}

int incident_store_delete(struct incident_store *s, const char *id)
{
	json_t *meta;
	int result = 0;

	(void)pthread_mutex_lock(&lock);
	meta = incident_store_load(s, id);
	if (!meta)
		result = INCIDENT_STORE_NONE;
	else if (strcmp(incident_store_state_of(meta), "analyzing") == 0)
		result = INCIDENT_STORE_STATE;
	if (result == 0)
		incident_store_remove(s, id);
	json_decref(meta);
	(void)pthread_mutex_unlock(&lock);
	return result;
}

static unsigned incident_store_count_incidents(const struct incident_store *s)
{
	DIR *dir = opendir(s->path);
	const struct dirent *e;
	unsigned n = 0;

	while (dir && (e = readdir(dir)))
		n += incident_store_id_valid(e->d_name);
	if (dir)
		(void)closedir(dir);
	return n;
}

static void incident_store_random_id(char id[INCIDENT_ID_SIZE])
{
	uint8_t bytes[INCIDENT_ID_SIZE - 1];

	while (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		;
	for (size_t i = 0; i < sizeof(bytes); i++)
		id[i] = "abcdefghijklmnopqrstuvwxyz234567"[bytes[i] & 31];
	id[INCIDENT_ID_SIZE - 1] = '\0';
}

int incident_store_new(struct incident_store *s, char ret_id[INCIDENT_ID_SIZE], struct error *err)
{
	CLEANUP_FREE char *path = NULL;
	time_t now = time(NULL);
	char created[32];
	struct tm tm;
	json_t *meta;
	int result = 0;

	if (incident_store_count_incidents(s) >= s->incidents_max)
		return error_set(err, INCIDENT_STORE_LIMIT,
			"this server keeps at most %u incidents: delete some first",
			s->incidents_max);
	incident_store_random_id(ret_id);
	path = incident_store_folder(s, ret_id);
	if (mkdir(path, 0700) < 0)
		return error_set(
			err, INCIDENT_STORE_FULL, "cannot create an incident: %s", strerror(errno));
	(void)strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	meta = json_pack("{s:s, s:s, s:s, s:[]}", "id", ret_id, "state", "uploading", "created",
		created, "files");
	(void)pthread_mutex_lock(&lock);
	result = incident_store_save(s, ret_id, meta);
	(void)pthread_mutex_unlock(&lock);
	json_decref(meta);
	if (result == 0)
		return 0;
	incident_store_remove(s, ret_id);
	return error_set(err, result, "the disk is full: free space or delete incidents");
}

/* A client's text, shown to people: without control characters, and cut between characters. */
static json_t *incident_store_words(const char *name)
{
	size_t n = strnlen(name, INCIDENT_NAME_MAX);
	char cut[INCIDENT_NAME_MAX + 1];
	json_t *s;

	for (int i = 0; i < 3 && n && ((unsigned char)name[n] & 0xc0) == 0x80; i++)
		n--;
	memcpy(cut, name, n);
	cut[n] = '\0';
	for (char *c = cut; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	s = json_string(cut);
	return s ? s : json_string("(name is not UTF-8)");
}

static int64_t incident_store_sum_sizes(const json_t *files)
{
	int64_t sum = 0;
	const json_t *f;
	size_t i;

	json_array_foreach(files, i, f) sum += json_integer_value(json_object_get(f, "size"));
	return sum;
}

static int incident_store_check_room(
	const struct incident_store *s, const json_t *files, int64_t size, struct error *err)
{
	if (json_array_size(files) >= s->files_max)
		return error_set(err, INCIDENT_STORE_LIMIT,
			"more than %u files in one incident: merge them (mergecap) or raise "
			"--max-files",
			s->files_max);
	if (size > 0 && ((uint64_t)size > s->upload_max ||
				(uint64_t)(incident_store_sum_sizes(files) + size) > s->upload_max))
		return error_set(err, INCIDENT_STORE_LIMIT,
			"more than %llu bytes in one incident: truncate packets (editcap -s 128) "
			"or raise --max-upload",
			(unsigned long long)s->upload_max);
	return 0;
}

int incident_store_add_file(struct incident_store *s, const char *id, const char *host,
	const char *name, int64_t size, unsigned *ret_number, struct error *err)
{
	json_t *meta, *files, *f;
	unsigned number;
	int result;

	(void)pthread_mutex_lock(&lock);
	meta = incident_store_load(s, id);
	files = json_object_get(meta, "files");
	result = !meta ? error_set(err, INCIDENT_STORE_NONE, "no such incident")
		 : strcmp(incident_store_state_of(meta), "uploading") != 0
			 ? error_set(err, INCIDENT_STORE_STATE,
				   "this incident is closed to uploads: create a new one")
			 : incident_store_check_room(s, files, size, err);
	if (result == 0) {
		number = 1 + (unsigned)json_integer_value(json_object_get(meta, "last"));
		f = json_pack("{s:o, s:s?, s:o, s:I}", "id", json_sprintf("capture-%u", number),
			"host", host, "name", incident_store_words(name), "size", (json_int_t)size);
		(void)json_array_append_new(files, f);
		(void)json_object_set_new(meta, "last", json_integer(number));
		result = incident_store_save(s, id, meta)
				 ? error_set(err, INCIDENT_STORE_FULL,
					   "the disk is full: free space or delete incidents")
				 : 0;
		*ret_number = number;
	}
	json_decref(meta);
	(void)pthread_mutex_unlock(&lock);
	return result;
}

static json_t *incident_store_find_file(json_t *meta, unsigned number, size_t *ret_index)
{
	char name[32];
	json_t *f;
	size_t i = 0;

	(void)snprintf(name, sizeof(name), "capture-%u", number);
	json_array_foreach(json_object_get(meta, "files"), i,
		f) if (strcmp(json_string_value(json_object_get(f, "id")), name) == 0)
	{
		*ret_index = i;
		return f;
	}
	return NULL;
}

int incident_store_set_stated(struct incident_store *s, const char *id, unsigned number,
	const char *addresses, const char *scope)
{
	json_t *meta, *f;
	size_t i;
	int result = INCIDENT_STORE_NONE;

	(void)pthread_mutex_lock(&lock);
	meta = incident_store_load(s, id);
	f = meta ? incident_store_find_file(meta, number, &i) : NULL;
	if (f) {
		if (addresses)
			(void)json_object_set_new(f, "addresses", incident_store_words(addresses));
		if (scope)
			(void)json_object_set_new(f, "scope", incident_store_words(scope));
		result = incident_store_save(s, id, meta);
	}
	json_decref(meta);
	(void)pthread_mutex_unlock(&lock);
	return result;
}

int incident_store_set_size(struct incident_store *s, const char *id, unsigned number, int64_t size)
{
	json_t *meta, *f;
	size_t i;
	int result = INCIDENT_STORE_NONE;

	(void)pthread_mutex_lock(&lock);
	meta = incident_store_load(s, id);
	f = meta ? incident_store_find_file(meta, number, &i) : NULL;
	if (f) {
		(void)json_object_set_new(f, "size", json_integer(size));
		result = incident_store_save(s, id, meta);
	}
	json_decref(meta);
	(void)pthread_mutex_unlock(&lock);
	return result;
}

int incident_store_remove_file(
	struct incident_store *s, const char *id, unsigned number, struct error *err)
{
	CLEANUP_FREE char *name = mem_printf("capture-%u", number),
			  *path = incident_store_file(s, id, name);
	json_t *meta;
	size_t i = 0;
	int result = 0;

	(void)pthread_mutex_lock(&lock);
	meta = incident_store_load(s, id);
	if (!meta || !incident_store_find_file(meta, number, &i))
		result = error_set(err, INCIDENT_STORE_NONE, "no such file");
	else if (strcmp(incident_store_state_of(meta), "uploading") != 0)
		result = error_set(err, INCIDENT_STORE_STATE, "the analysis has already started");
	if (result == 0) {
		(void)unlink(path);
		(void)json_array_remove(json_object_get(meta, "files"), i);
		result = incident_store_save(s, id, meta);
	}
	json_decref(meta);
	(void)pthread_mutex_unlock(&lock);
	return result;
}

static void incident_store_add_received(
	const struct incident_store *s, const char *id, json_t *meta)
{
	json_t *f;
	size_t i;

	json_array_foreach(json_object_get(meta, "files"), i, f)
	{
		CLEANUP_FREE char *path =
			incident_store_file(s, id, json_string_value(json_object_get(f, "id")));
		struct stat st;

		(void)json_object_set_new(
			f, "received", json_integer(stat(path, &st) == 0 ? st.st_size : 0));
	}
	(void)json_object_del(meta, "last");
}

json_t *incident_store_get(struct incident_store *s, const char *id)
{
	json_t *meta;

	(void)pthread_mutex_lock(&lock);
	meta = incident_store_load(s, id);
	if (meta)
		incident_store_add_received(s, id, meta);
	(void)pthread_mutex_unlock(&lock);
	return meta;
}

static int incident_store_newest_first(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int r = strcmp(json_string_value(json_object_get(y, "created")),
		json_string_value(json_object_get(x, "created")));

	return r ? r
		 : strcmp(json_string_value(json_object_get(x, "id")),
			   json_string_value(json_object_get(y, "id")));
}

json_t *incident_store_list(struct incident_store *s)
{
	CLEANUP_FREE json_t **all = mem_array(s->incidents_max + 1, sizeof(*all));
	json_t *list = json_array();
	DIR *dir = opendir(s->path);
	const struct dirent *e;
	size_t n = 0;

	while (dir && n < s->incidents_max && (e = readdir(dir))) {
		json_t *meta = incident_store_id_valid(e->d_name) ? incident_store_get(s, e->d_name)
								  : NULL;

		if (meta)
			all[n++] = meta;
	}
	if (dir)
		(void)closedir(dir);
	if (n)
		qsort(all, n, sizeof(*all), incident_store_newest_first);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, all[i]);
	return list;
}

int incident_store_move(struct incident_store *s, const char *id, const char *from, const char *to,
	const char *error)
{
	json_t *meta;
	int result;

	(void)pthread_mutex_lock(&lock);
	meta = incident_store_load(s, id);
	result = !meta						    ? INCIDENT_STORE_NONE
		 : strcmp(incident_store_state_of(meta), from) != 0 ? INCIDENT_STORE_STATE
								    : 0;
	if (result == 0) {
		(void)json_object_set_new(meta, "state", json_string(to));
		if (error)
			(void)json_object_set_new(meta, "error", incident_store_words(error));
		result = incident_store_save(s, id, meta);
	}
	json_decref(meta);
	(void)pthread_mutex_unlock(&lock);
	return result;
}

/* When it was last changed, or a file of it. */
static time_t incident_store_touched(const struct incident_store *s, const char *id)
{
	CLEANUP_FREE char *path = incident_store_folder(s, id), *meta = incident_store_meta(s, id);
	DIR *dir = opendir(path);
	const struct dirent *e;
	struct stat st;
	time_t newest = stat(meta, &st) == 0 ? st.st_mtime : 0;

	while (dir && (e = readdir(dir)))
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode) && st.st_mtime > newest)
			newest = st.st_mtime;
	if (dir)
		(void)closedir(dir);
	return newest;
}

/* An incident that somebody made and put nothing in. */
#define EMPTY_S 600

static void incident_store_expire_one(const struct incident_store *s, const char *id)
{
	json_t *meta;
	time_t age, limit = (time_t)s->resume_hours * 3600;

	(void)pthread_mutex_lock(&lock);
	meta = incident_store_load(s, id);
	age = time(NULL) - incident_store_touched(s, id);
	if (meta && !json_array_size(json_object_get(meta, "files")))
		limit = limit < EMPTY_S ? limit : EMPTY_S;
	if ((!meta || strcmp(incident_store_state_of(meta), "uploading") == 0) && age > limit)
		incident_store_remove(s, id);
	json_decref(meta);
	(void)pthread_mutex_unlock(&lock);
}

void incident_store_expire(struct incident_store *s)
{
	DIR *dir = opendir(s->path);
	const struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (incident_store_id_valid(e->d_name))
			incident_store_expire_one(s, e->d_name);
	if (dir)
		(void)closedir(dir);
}

/* Earlier versions kept it in the folder. */
static void incident_store_move_meta(const struct incident_store *s, const char *id)
{
	CLEANUP_FREE char *old = incident_store_file(s, id, "meta.json"),
			  *path = incident_store_meta(s, id);

	if (access(path, F_OK) < 0)
		(void)rename(old, path);
}

int incident_store_open(struct incident_store *s, struct error *err)
{
	DIR *dir;
	const struct dirent *e;

	if (mkdir(s->path, 0700) < 0 && errno != EEXIST)
		return error_set(err, -errno, "cannot create '%s': %s; make its folder first",
			s->path, strerror(errno));
	dir = opendir(s->path);
	if (!dir || access(s->path, W_OK) < 0) {
		if (dir)
			(void)closedir(dir);
		return error_set(err, -errno,
			"cannot write to '%s': %s; --store takes a folder that the server may "
			"write to",
			s->path, strerror(errno));
	}
	while ((e = readdir(dir))) {
		if (!incident_store_id_valid(e->d_name))
			continue;
		incident_store_move_meta(s, e->d_name);
		if (incident_store_move(s, e->d_name, "analyzing", "failed",
			    "the server was stopped during the analysis") == 0)
			incident_store_tidy(s, e->d_name);
	}
	(void)closedir(dir);
	incident_store_expire(s);
	return 0;
}
