#include "ring.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/nsec.h"

#define NUMBER_DIGITS 10
#define TIME_DIGITS 16 /* 20260921T141324Z */

static bool ring_ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

/* HOST-NNNNNNNNNN-YYYYMMDDTHHMMSSZ[.kept].pcapng; other files are ignored. */
static bool ring_parse_name(const char *name, struct ring_file *ret)
{
	size_t n = strlen(name), i;
	struct ring_file f = {.size = 0};
	const char *digits;

	if (n >= sizeof(f.stem) || !ring_ends_with(name, RING_SUFFIX))
		return false;
	snprintf(f.stem, sizeof(f.stem), "%.*s", (int)(n - strlen(RING_SUFFIX)), name);
	n = strlen(f.stem);
	f.kept = ring_ends_with(f.stem, RING_KEPT);
	if (f.kept)
		n -= strlen(RING_KEPT);
	if (n < 3 + NUMBER_DIGITS + TIME_DIGITS || f.stem[n - 1] != 'Z' ||
		f.stem[n - TIME_DIGITS - 1] != '-')
		return false;
	digits = f.stem + n - TIME_DIGITS - 1 - NUMBER_DIGITS;
	if (digits[-1] != '-')
		return false;
	for (i = 0; i < NUMBER_DIGITS; i++) {
		if (!isdigit((unsigned char)digits[i]))
			return false;
		f.number = f.number * 10 + (uint64_t)(digits[i] - '0');
	}
	*ret = f;
	return true;
}

static void ring_file_name(char name[RING_NAME_SIZE + 16], const char *stem, const char *suffix)
{
	snprintf(name, RING_NAME_SIZE + 16, "%s%s", stem, suffix);
}

static void ring_measure(const struct ring *r, struct ring_file *f)
{
	char name[RING_NAME_SIZE + 16];
	struct stat st;

	ring_file_name(name, f->stem, RING_SUFFIX);
	if (fstatat(r->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		f->size = (uint64_t)st.st_size;
		f->end_ns = (int64_t)st.st_mtim.tv_sec * NSEC_PER_SEC + st.st_mtim.tv_nsec;
	}
	ring_file_name(name, f->stem, RING_SIDECAR);
	if (fstatat(r->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		f->size += (uint64_t)st.st_size;
}

static int ring_by_number(const void *a, const void *b)
{
	const struct ring_file *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->stem, y->stem);
}

static struct ring_file *ring_add(struct ring *r, const struct ring_file *f)
{
	MEM_RESERVE(r->files, r->count, r->cap);
	r->files[r->count] = *f;
	return &r->files[r->count++];
}

int ring_load(struct ring *r, int dir_fd, const struct ring_limits *limits, struct error *err)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct ring_file f;
	struct dirent *e;

	*r = (struct ring){.dir_fd = dir_fd, .limits = *limits};
	if (!dir) {
		int code = error_errno(err, "cannot list the output folder");

		if (fd >= 0)
			close(fd);
		return code;
	}
	while ((e = readdir(dir))) {
		if (ring_parse_name(e->d_name, &f))
			ring_measure(r, ring_add(r, &f));
	}
	closedir(dir);
	if (r->count)
		qsort(r->files, r->count, sizeof(*r->files), ring_by_number);
	return 0;
}

void ring_release(struct ring *r)
{
	free(r->files);
	*r = (struct ring){.dir_fd = -1};
}

uint64_t ring_next_stem(
	const struct ring *r, const char *host, int64_t now_ns, char stem[RING_NAME_SIZE])
{
	uint64_t number = r->count ? r->files[r->count - 1].number + 1 : 1;
	time_t t = (time_t)(now_ns / NSEC_PER_SEC);
	char time_text[32], clean[65];
	struct tm tm;
	size_t i;

	for (i = 0; host[i] && i < sizeof(clean) - 1; i++)
		clean[i] =
			isalnum((unsigned char)host[i]) || strchr("._-", host[i]) ? host[i] : '_';
	assert(i < sizeof(clean));
	clean[i] = '\0';
	gmtime_r(&t, &tm);
	strftime(time_text, sizeof(time_text), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(stem, RING_NAME_SIZE, "%s-%0*llu-%s", clean[0] && clean[0] != '.' ? clean : "host",
		NUMBER_DIGITS, (unsigned long long)number, time_text);
	return number;
}

void ring_note(struct ring *r, const char *stem, uint64_t number, uint64_t size, int64_t end_ns)
{
	struct ring_file f = {.number = number};
	struct ring_file *last = r->count ? &r->files[r->count - 1] : NULL;

	if (!last || strcmp(last->stem, stem)) {
		assert(!last || last->number < number); /* names sort by age */
		snprintf(f.stem, sizeof(f.stem), "%s", stem);
		last = ring_add(r, &f);
	}
	last->size = size;
	last->end_ns = end_ns;
}

uint64_t ring_bytes(const struct ring *r, bool kept)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < r->count; i++)
		sum += r->files[i].kept == kept ? r->files[i].size : 0;
	return sum;
}

static uint64_t ring_captures(const struct ring *r)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < r->count; i++)
		n += !r->files[i].kept;
	return n;
}

static bool ring_beyond(const struct ring *r, const struct ring_file *oldest, int64_t now_ns)
{
	const struct ring_limits *l = &r->limits;

	return (l->size && ring_bytes(r, false) > l->size) ||
	       (l->count && ring_captures(r) > l->count) ||
	       (l->age_ns && oldest->end_ns && now_ns - oldest->end_ns > l->age_ns);
}

static void ring_remove_at(struct ring *r, size_t i)
{
	char name[RING_NAME_SIZE + 16];

	assert(i < r->count && !r->files[i].kept);
	/* A file that cannot be removed is ignored until the next start: it must not stop the
	 * ring. */
	ring_file_name(name, r->files[i].stem, RING_SUFFIX);
	(void)unlinkat(r->dir_fd, name, 0);
	ring_file_name(name, r->files[i].stem, RING_SIDECAR);
	(void)unlinkat(r->dir_fd, name, 0);
	memmove(r->files + i, r->files + i + 1, (r->count - i - 1) * sizeof(*r->files));
	r->count--;
	r->removed++;
}

void ring_prune(struct ring *r, const char *active, int64_t now_ns)
{
	size_t i = 0;

	while (i < r->count) {
		const struct ring_file *f = &r->files[i];

		if (f->kept || (active && !strcmp(f->stem, active)))
			i++;
		else if (ring_beyond(r, f, now_ns))
			ring_remove_at(r, i);
		else
			break;
	}
}

static int ring_keep_one(struct ring *r, struct ring_file *f, struct error *err)
{
	char from[RING_NAME_SIZE + 16], to[RING_NAME_SIZE + 32];

	assert(!f->kept);
	snprintf(to, sizeof(to), "%s" RING_KEPT RING_SIDECAR, f->stem);
	ring_file_name(from, f->stem, RING_SIDECAR);
	if (renameat(r->dir_fd, from, r->dir_fd, to) < 0 && errno != ENOENT)
		return error_errno(err, "cannot rename '%s'", from);
	snprintf(to, sizeof(to), "%s" RING_KEPT RING_SUFFIX, f->stem);
	ring_file_name(from, f->stem, RING_SUFFIX);
	if (renameat(r->dir_fd, from, r->dir_fd, to) < 0)
		return error_errno(err, "cannot rename '%s'", from);
	strncat(f->stem, RING_KEPT, sizeof(f->stem) - strlen(f->stem) - 1);
	f->kept = true;
	return 0;
}

int ring_keep(struct ring *r, const char *active, int64_t from_ns, size_t *ret_files,
	uint64_t *ret_bytes, struct error *err)
{
	uint64_t kept = ring_bytes(r, true);
	size_t i;
	int code;

	*ret_files = 0;
	*ret_bytes = 0;
	/* Newest first: if there is no space for all, the files closest to the mark matter most. */
	for (i = r->count; i-- > 0;) {
		struct ring_file *f = &r->files[i];

		if (f->kept || (active && !strcmp(f->stem, active)))
			continue;
		if (f->end_ns < from_ns)
			break;
		if (r->limits.kept_size && kept + f->size > r->limits.kept_size)
			return RING_NO_ROOM;
		code = ring_keep_one(r, f, err);
		if (code)
			return code;
		kept += f->size;
		*ret_bytes += f->size;
		++*ret_files;
	}
	return 0;
}
