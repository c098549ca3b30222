#include "rootfs.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

int rootfs_open(struct rootfs *r, const char *dir, struct error *err)
{
	*r = (struct rootfs){.dir = dir};
	r->fd = open(dir ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return r->fd < 0 ? error_errno(err, "cannot open --root '%s'", dir) : 0;
}

void rootfs_release(struct rootfs *r)
{
	if (r->fd > 0)
		close(r->fd);
	r->fd = -1;
}

int rootfs_fd(const struct rootfs *r, int flags, const char *path)
{
	struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};

	/* A plain open on this host: supported kernels may be too old for openat2. */
	if (!r->dir)
		return openat(r->fd, path, flags | O_CLOEXEC);
	return (int)syscall(SYS_openat2, r->fd, path, &how, sizeof(how));
}

static int rootfs_open_file(const struct rootfs *r, const char *path)
{
	return rootfs_fd(r, O_RDONLY | O_NOCTTY | O_NONBLOCK, path);
}

bool rootfs_read(const struct rootfs *r, const char *path, size_t limit, struct strbuf *out)
{
	int fd = rootfs_open_file(r, path);
	char part[4096];
	ssize_t n = 0;

	strbuf_reset(out);
	if (fd < 0)
		return false;
	while (out->length < limit) {
		size_t want =
			limit - out->length < sizeof(part) ? limit - out->length : sizeof(part);

		n = read(fd, part, want);
		if (n <= 0)
			break;
		strbuf_add(out, part, (size_t)n);
	}
	close(fd);
	if (n < 0 && !out->length)
		return false; /* sysfs attributes answer EINVAL and the like where they have no
				 value */
	assert(out->length <= limit);
	strbuf_adds(out, "");
	return true;
}

static void rootfs_trim(char *s)
{
	size_t n = strcspn(s, "\n"), from = strspn(s, " \t");

	while (n > from && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r'))
		n--;
	if (from > n)
		from = n;
	assert(from <= n);
	memmove(s, s + from, n - from);
	s[n - from] = '\0';
}

static bool rootfs_read_line(const struct rootfs *r, char line[ROOTFS_LINE_SIZE], const char *path)
{
	int fd = rootfs_open_file(r, path);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, line, ROOTFS_LINE_SIZE - 1);
	close(fd);
	if (n <= 0)
		return false;
	line[n] = '\0';
	rootfs_trim(line);
	return line[0] != '\0';
}

#define PATH_FROM_FMT(path, fmt)                                                                   \
	char path[512];                                                                            \
	do {                                                                                       \
		va_list ap;                                                                        \
		va_start(ap, fmt);                                                                 \
		vsnprintf(path, sizeof(path), fmt, ap);                                            \
		va_end(ap);                                                                        \
	} while (0)

bool rootfs_line(const struct rootfs *r, char line[ROOTFS_LINE_SIZE], const char *fmt, ...)
{
	PATH_FROM_FMT(path, fmt);
	return rootfs_read_line(r, line, path);
}

bool rootfs_u64(const struct rootfs *r, uint64_t *ret, const char *fmt, ...)
{
	char line[ROOTFS_LINE_SIZE], *end;
	unsigned long long value;

	PATH_FROM_FMT(path, fmt);
	if (!rootfs_read_line(r, line, path) || line[0] < '0' || line[0] > '9')
		return false;
	errno = 0;
	value = strtoull(line, &end, 0);
	if (errno || *end)
		return false;
	*ret = value;
	return true;
}

bool rootfs_link(const struct rootfs *r, char name[ROOTFS_LINE_SIZE], const char *fmt, ...)
{
	char target[ROOTFS_LINE_SIZE];
	const char *base;
	ssize_t n;

	PATH_FROM_FMT(path, fmt);
	n = readlinkat(r->fd, path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	base = strrchr(target, '/');
	snprintf(name, ROOTFS_LINE_SIZE, "%s", base ? base + 1 : target);
	return name[0] != '\0';
}

bool rootfs_exists(const struct rootfs *r, const char *fmt, ...)
{
	struct stat st;

	PATH_FROM_FMT(path, fmt);
	return fstatat(r->fd, path, &st, 0) == 0;
}

static int rootfs_by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t rootfs_each(const struct rootfs *r, const char *path, size_t limit,
	void (*visit)(void *arg, const char *name), void *arg)
{
	size_t count = 0, cap = 0, i;
	int fd = rootfs_fd(r, O_RDONLY | O_DIRECTORY, path);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char **names = NULL;
	struct dirent *e;

	if (!dir)
		return 0;
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		MEM_RESERVE(names, count, cap);
		names[count++] = mem_strdup(e->d_name);
	}
	closedir(dir);
	if (count)
		qsort(names, count, sizeof(*names), rootfs_by_name);
	for (i = 0; i < count; i++) {
		if (i < limit)
			visit(arg, names[i]);
		free(names[i]);
	}
	free(names);
	return count;
}
