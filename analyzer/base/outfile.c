#include "base/outfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

bool outfile_begins(const struct outfile_ends *ends, const char *text)
{
	size_t n = strlen(text);

	return ends->head_length >= n && memcmp(ends->head, text, n) == 0;
}

bool outfile_holds(const struct outfile_ends *ends, const char *text)
{
	return memmem(ends->head, ends->head_length, text, strlen(text)) != NULL;
}

bool outfile_finishes(const struct outfile_ends *ends, const char *text)
{
	size_t n = strlen(text);

	return ends->tail_length >= n && memcmp(ends->tail + ends->tail_length - n, text, n) == 0;
}

/* An empty file is nobody's: mktemp(1) makes them. One that cannot be read is not ours. */
static bool outfile_may_replace(const struct outfile *o, const char *path, off_t size)
{
	char head[OUTFILE_HEAD], tail[OUTFILE_TAIL];
	struct outfile_ends ends = {.head = head, .tail = tail};
	FILE *f = size ? fopen(path, "r") : NULL;

	if (!f)
		return size == 0;
	ends.head_length = fread(head, 1, sizeof(head), f);
	if (fseeko(f, size > OUTFILE_TAIL ? size - OUTFILE_TAIL : 0, SEEK_SET) == 0)
		ends.tail_length = fread(tail, 1, sizeof(tail), f);
	(void)fclose(f);
	return o->is_what(&ends);
}

/* Written to the end, and closed. */
static int outfile_fill(const struct outfile *o, FILE *f, struct error *err)
{
	int result;

	if (!f)
		return error_errno(err, "cannot write '%s'", o->path);
	result = o->write(o->context, f, err);
	if (fclose(f) != 0 && result == 0)
		result = error_errno(err, "cannot write '%s'", o->path);
	return result;
}

const char *outfile_remedy(int e)
{
	return e == ENOENT ? "make its folder first, or give another --output"
	       : e == EACCES || e == EPERM || e == EROFS
		       ? "give an --output in a folder that you may write to"
		       : "give an --output elsewhere";
}

static int outfile_replace(const struct outfile *o, const char *path, struct error *err)
{
	CLEANUP_FREE char *temporary = mem_printf("%s.XXXXXX", path);
	int fd = mkstemp(temporary), result;

	if (fd < 0)
		return error_set(err, -errno, "cannot write '%s': %s; %s", o->path, strerror(errno),
			outfile_remedy(errno));
	(void)fchmod(fd, o->mode);
	result = outfile_fill(o, fdopen(fd, "w"), err);
	if (result == 0 && rename(temporary, path) < 0)
		result = error_errno(err, "cannot write '%s'", o->path);
	if (result)
		(void)unlink(temporary);
	return result;
}

int outfile_write(const struct outfile *o, struct error *err)
{
	CLEANUP_FREE char *place = NULL;
	struct stat st;

	if (!*o->path)
		return error_set(err, -ENOENT, "--output is empty; use --output FILE");
	if (stat(o->path, &st) < 0)
		return outfile_replace(o, o->path, err);
	if (S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, "cannot write '%s': it is a folder", o->path);
	if (S_ISBLK(st.st_mode))
		return error_set(err, -EINVAL, "cannot write '%s': it is a disk", o->path);
	if (!S_ISREG(st.st_mode))
		return outfile_fill(o, fopen(o->path, "w"), err);
	place = realpath(o->path, NULL); /* a link stays, and what it points to is replaced */
	if (!place)
		return error_errno(err, "cannot write '%s'", o->path);
	if (!outfile_may_replace(o, place, st.st_size))
		return error_set(err, -EEXIST,
			"'%s' exists and is not %s, so it stays; use another --output", o->path,
			o->what);
	return outfile_replace(o, place, err);
}
