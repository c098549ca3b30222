#include "read/stored.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "read/digest.h"

static int stored_cannot_open(const char *label, int code, struct error *err)
{
	switch (code) {
	case ENOENT:
	case ENOTDIR:
		return error_set(err, -code, "cannot open %s: no such file", label);
	case EACCES:
	case EPERM:
		return error_set(err, -code,
			"cannot open %s: permission denied; make it readable for this user (chmod, "
			"sudo)",
			label);
	case EISDIR:
		return error_set(
			err, -code, "cannot read %s: it is a folder; give the files in it", label);
	default:
		return error_set(err, -code, "cannot open %s: %s", label, strerror(code));
	}
}

static int stored_open_fd(struct stored *st, const char *path, struct error *err)
{
	struct stat sb;

	if (!strcmp(path, "-")) {
		st->fd = STDIN_FILENO;
	} else {
		st->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (st->fd < 0)
			return stored_cannot_open(st->label, errno, err);
		st->close_fd = true;
	}
	if (fstat(st->fd, &sb) < 0)
		return stored_cannot_open(st->label, errno, err);
	if (S_ISDIR(sb.st_mode))
		return stored_cannot_open(st->label, EISDIR, err);
	if (S_ISREG(sb.st_mode)) {
		st->size = (uint64_t)sb.st_size;
		(void)posix_fadvise(st->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* only a hint */
		return 0;
	}
	st->wake_fd = eventfd(0, EFD_CLOEXEC);
	return st->wake_fd < 0 ? error_errno(err, "cannot read %s", st->label) : 0;
}

int stored_open(struct stored *ret_stored, const char *path, bool sha256, struct error *err)
{
	struct stored st = {.fd = -1, .wake_fd = -1};
	int r;

	st.label = strcmp(path, "-") ? mem_printf("'%s'", path) : mem_strdup("standard input");
	r = stored_open_fd(&st, path, err);
	if (r < 0) {
		stored_release(&st);
		return r;
	}
	st.digest = digest_new(sha256);
	*ret_stored = st;
	return 0;
}

void stored_release(struct stored *st)
{
	if (st->close_fd)
		(void)close(st->fd); /* was only read */
	if (st->wake_fd >= 0)
		(void)close(st->wake_fd);
	st->digest = digest_free(st->digest);
	free(st->label);
	st->label = NULL;
	st->close_fd = false;
	st->fd = st->wake_fd = -1;
	st->at_end = true;
}

/* False when stored_cancel() came first. */
static bool stored_wait_for_stream(const struct stored *st)
{
	struct pollfd fds[2] = {
		{.fd = st->wake_fd, .events = POLLIN}, {.fd = st->fd, .events = POLLIN}};

	while (poll(fds, 2, -1) < 0) {
		if (errno != EINTR)
			return true; /* the read will say what is wrong */
	}
	return !fds[0].revents;
}

size_t stored_read(struct stored *st, void *buffer, size_t size)
{
	ssize_t n = 0;

	if (st->at_end)
		return 0;
	if (st->wake_fd >= 0 && !stored_wait_for_stream(st)) {
		st->at_end = true;
		return 0;
	}
	do
		n = read(st->fd, buffer, size);
	while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n <= 0) {
		st->failed = n < 0 ? errno : 0;
		st->at_end = true;
		return 0;
	}
	digest_add(st->digest, buffer, (size_t)n);
	atomic_fetch_add_explicit(&st->bytes, (uint64_t)n, memory_order_relaxed);
	return (size_t)n;
}

void stored_drain(struct stored *st)
{
	uint8_t *buffer;

	if (st->at_end)
		return;
	buffer = mem_alloc(STORED_WINDOW);
	while (stored_read(st, buffer, STORED_WINDOW))
		;
	free(buffer);
}

void stored_cancel(struct stored *st)
{
	const uint64_t one = 1;

	if (st->wake_fd >= 0)
		(void)!write(st->wake_fd, &one, sizeof(one)); /* fails when already set */
}
