#include "outfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

void outfile_init(struct outfile *o, size_t cap)
{
	*o = (struct outfile){.fd = -1, .cap = cap, .buffer = mem_alloc(cap)};
	/* Touch it now: memory pressure later must not stop the writing. */
	memset(o->buffer, 0, cap);
}

void outfile_release(struct outfile *o)
{
	if (o->fd >= 0)
		close(o->fd);
	free(o->buffer);
	*o = (struct outfile){.fd = -1};
}

int outfile_create(struct outfile *o, int dir_fd, const char *name, struct error *err)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	assert(o->fd < 0); /* the one before was closed */
	if (fd < 0)
		return error_errno(err, "cannot create '%s'", name);
	o->fd = fd;
	o->length = 0;
	o->written = 0;
	o->error = 0;
	return 0;
}

uint8_t *outfile_reserve(struct outfile *o, size_t n)
{
	if (n > o->cap)
		return NULL;
	if (n > o->cap - o->length && (o->error || !outfile_flush(o)))
		return NULL;
	return o->buffer + o->length;
}

void outfile_commit(struct outfile *o, size_t n)
{
	o->length += n;
}

bool outfile_add(struct outfile *o, const void *bytes, size_t n)
{
	uint8_t *p = outfile_reserve(o, n);

	if (!p)
		return false;
	memcpy(p, bytes, n);
	outfile_commit(o, n);
	return true;
}

bool outfile_flush(struct outfile *o)
{
	size_t done = 0;
	ssize_t n;

	assert(o->length <= o->cap);
	o->error = 0;
	while (done < o->length) {
		n = write(o->fd, o->buffer + done, o->length - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			o->error = n < 0 ? errno : ENOSPC;
			break;
		}
		done += (size_t)n;
	}
	if (!o->error) {
		o->written += done;
		o->length = 0;
		return true;
	}
	/* Part of the buffer may be in the file: truncate it to the last record boundary. */
	if (done && ftruncate(o->fd, (off_t)o->written) == 0)
		(void)lseek(o->fd, (off_t)o->written, SEEK_SET); /* cannot fail */
	return false;
}

bool outfile_close(struct outfile *o, bool sync)
{
	bool ok;

	if (o->fd < 0)
		return true;
	ok = outfile_flush(o);
	if (sync)
		(void)fdatasync(o->fd); /* nothing to do if it fails */
	close(o->fd);
	o->fd = -1;
	o->length = 0;
	return ok;
}
