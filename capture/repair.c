#include "repair.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "pcapng.h"

#define PART (256U * 1024)
#define BLOCK_MAX (16U * 1024 * 1024)

/* Reads a file through a window; reads again only outside it. */
struct window {
	int fd;
	uint8_t *bytes;
	uint64_t from;
	size_t length;
};

static bool repair_window_get(struct window *w, uint64_t offset, uint8_t *out, size_t n)
{
	ssize_t got;

	if (offset < w->from || offset + n > w->from + w->length) {
		got = pread(w->fd, w->bytes, PART, (off_t)offset);
		w->from = offset;
		w->length = got > 0 ? (size_t)got : 0;
		if (w->length < n)
			return false;
	}
	memcpy(out, w->bytes + (offset - w->from), n);
	return true;
}

/* The end of the last complete block. Our files are in host byte order. */
static uint64_t repair_sound_length(struct window *w, uint64_t size)
{
	uint64_t at = 0;
	uint8_t head[12], tail[4];
	uint32_t type, length;

	while (at + 12 <= size && repair_window_get(w, at, head, sizeof(head))) {
		type = le32(head);
		length = le32(head + 4);
		if (length < 12 || length % 4 || length > BLOCK_MAX || length > size - at)
			break;
		if ((at == 0) != (type == PCAPNG_SECTION) || type == 0)
			break;
		if (!repair_window_get(w, at + length - 4, tail, sizeof(tail)) ||
			le32(tail) != length)
			break;
		at += length;
	}
	return at;
}

static int repair_open_sized(int dir_fd, const char *name, uint64_t *ret_size, struct error *err)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return error_errno(err, "cannot open '%s' for repair", name);
	if (fstat(fd, &st) < 0) {
		close(fd);
		return error_errno(err, "cannot stat '%s'", name);
	}
	*ret_size = (uint64_t)st.st_size;
	return fd;
}

static int repair_cut(int fd, const char *name, uint64_t size, uint64_t keep, uint64_t *ret_removed,
	struct error *err)
{
	int r = 0;

	assert(keep <= size); /* repairing only takes away */
	if (keep < size && ftruncate(fd, (off_t)keep) < 0)
		r = error_errno(err, "cannot truncate the damaged end of '%s'", name);
	else
		*ret_removed = size - keep;
	close(fd);
	return r;
}

int repair_capture(int dir_fd, const char *name, uint64_t *ret_removed, struct error *err)
{
	struct window w = {.bytes = mem_alloc(PART)};
	uint64_t size = 0, keep;

	w.fd = repair_open_sized(dir_fd, name, &size, err);
	if (w.fd < 0) {
		free(w.bytes);
		return w.fd;
	}
	keep = repair_sound_length(&w, size);
	free(w.bytes);
	return repair_cut(w.fd, name, size, keep, ret_removed, err);
}

int repair_lines(int dir_fd, const char *name, uint64_t *ret_removed, struct error *err)
{
	uint64_t size = 0, keep;
	char byte;
	int fd;

	*ret_removed = 0;
	if (faccessat(dir_fd, name, F_OK, 0) < 0)
		return 0;
	fd = repair_open_sized(dir_fd, name, &size, err);
	if (fd < 0)
		return fd;
	for (keep = size; keep > 0; keep--) {
		if (pread(fd, &byte, 1, (off_t)keep - 1) != 1 || byte == '\n')
			break;
	}
	return repair_cut(fd, name, size, keep, ret_removed, err);
}
