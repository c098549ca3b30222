#include "outdir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int outdir_is_usable(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot access output folder '%s'", path);
	if (st.st_mode & S_IWOTH)
		return error_set(err, -EPERM,
			"output folder '%s' is writable by everyone, and captures are "
			"confidential: chmod o-w %s",
			path, path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(err, -EBUSY,
			"another agent is writing to '%s': stop it or use another folder", path);
	return 0;
}

int outdir_open(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0 && errno == ENOENT)
		return error_set(err, -ENOENT, "output folder '%s' does not exist: mkdir -m 700 %s",
			path, path);
	if (fd < 0)
		return error_errno(err, "cannot open output folder '%s'", path);
	r = outdir_is_usable(fd, path, err);
	if (r) {
		close(fd);
		return r;
	}
	return fd;
}

int outdir_check(int dir_fd, const char *path, struct error *err)
{
	if (faccessat(dir_fd, ".", W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	if (errno == EROFS)
		return error_errno(err, "cannot write to output folder '%s'", path);
	return error_set(err, -EACCES,
		"user %u, which the agent runs as, cannot write to output folder '%s': chown %u %s",
		geteuid(), path, geteuid(), path);
}
