#include "store/unfinished.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "store/db.h"

/* What mkstemp() puts behind the name, and the dot before it. */
#define SUFFIX ".XXXXXX"
/* Nobody writes to what lies longer than this: where a file system keeps no locks, age tells. */
#define ABANDONED_S 3600

/*
 * The name that a signal has to remove; one database is made at a time. A handler can be told only
 * by a variable like this.
 */
static char *volatile being_made;

static void unfinished_remove(void)
{
	if (being_made)
		(void)unlink(being_made);
}

static void unfinished_on_signal(int signal_number)
{
	unfinished_remove();
	(void)raise(signal_number); /* the default action again: SA_RESETHAND */
}

void unfinished_remove_on_signal(void)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGXFSZ, SIGABRT, SIGSEGV, SIGBUS};
	struct sigaction old,
		action = {.sa_handler = unfinished_on_signal, .sa_flags = (int)SA_RESETHAND};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			(void)sigaction(signals[i], &action, NULL);
	(void)atexit(unfinished_remove); /* out of memory ends the program where it is */
}

/* Of this base name, as mkstemp() made it? */
static bool unfinished_is_name(const char *name, const char *base)
{
	size_t n = strlen(base);

	return strlen(name) == n + strlen(SUFFIX) && memcmp(name, base, n) == 0 && name[n] == '.' &&
	       strspn(name + n + 1,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
		       strlen(SUFFIX) - 1;
}

/* Empty, or begun as a database of ours. */
static bool unfinished_is_ours(int fd, const struct stat *st)
{
	uint8_t head[72];

	return st->st_size == 0 ||
	       (pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
		       memcmp(head, "SQLite format 3", 16) == 0 &&
		       (be32(head + 68) == DB_APPLICATION_ID || be32(head + 68) == 0));
}

/* Our own file, old, and no run holds it. */
static bool unfinished_is_abandoned(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       st.st_nlink == 1 && time(NULL) - st.st_mtime > ABANDONED_S &&
	       unfinished_is_ours(fd, &st) && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void unfinished_sweep(const char *path)
{
	char *of_folder CLEANUP_FREE = mem_strdup(path), *of_base CLEANUP_FREE = mem_strdup(path);
	const char *base = basename(of_base);
	DIR *d = opendir(dirname(of_folder));
	struct dirent *e;

	while (d && (e = readdir(d))) {
		int fd;

		if (!unfinished_is_name(e->d_name, base))
			continue;
		fd = openat(dirfd(d), e->d_name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (unfinished_is_abandoned(fd))
			(void)unlinkat(dirfd(d), e->d_name, 0);
		(void)close(fd);
	}
	if (d)
		(void)closedir(d);
}

static int unfinished_cannot_make(const char *path, struct error *err)
{
	int e = errno;

	return error_set(
		err, -e, "cannot write '%s': %s; %s", path, strerror(e), outfile_remedy(e));
}

int unfinished_make(struct unfinished *u, const char *path, struct error *err)
{
	assert(!being_made);
	unfinished_sweep(path);
	u->name = mem_printf("%s" SUFFIX, path);
	u->fd = mkostemp(u->name, O_CLOEXEC);
	if (u->fd < 0) {
		int r = unfinished_cannot_make(path, err);

		free(u->name);
		u->name = NULL;
		return r;
	}
	(void)flock(u->fd, LOCK_EX | LOCK_NB);
	being_made = u->name;
	(void)fchmod(u->fd, 0644);
	return 0;
}

/* A file system that cannot do it in one step: a second name says whether the place is free. */
static int unfinished_rename_to_free(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (link(from, to) == 0)
		return unlink(from);
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
		return -1;
	if (access(to, F_OK) < 0)
		return rename(from, to);
	errno = EEXIST;
	return -1;
}

static void unfinished_forget(struct unfinished *u)
{
	being_made = NULL;
	(void)close(u->fd);
	free(u->name);
	u->name = NULL;
}

int unfinished_commit(struct unfinished *u, const char *path, bool replace, struct error *err)
{
	int r;

	if (fsync(u->fd) < 0)
		return error_errno(err, "cannot write '%s'", path);
	r = replace ? rename(u->name, path) : unfinished_rename_to_free(u->name, path);
	if (r < 0 && errno == EEXIST)
		return error_set(err, -EEXIST,
			"'%s' was made by another run in the meantime, so it stays; use --force to "
			"replace it, or another --output",
			path);
	if (r < 0)
		return error_errno(err, "cannot write '%s'", path);
	unfinished_forget(u);
	return 0;
}

void unfinished_discard(struct unfinished *u)
{
	if (!u->name)
		return;
	(void)unlink(u->name);
	unfinished_forget(u);
}
