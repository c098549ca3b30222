#include "hostfile/reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

#define BUFFER (2 * READER_LINE_MAX)

void reader_init(struct reader *r, reader_pull *pull, void *from)
{
	*r = (struct reader){.pull = pull, .from = from, .buffer = mem_alloc(BUFFER + 1)};
}

void reader_release(struct reader *r)
{
	free(r->buffer);
	r->buffer = NULL;
}

/* Makes n bytes (or all that are left) stand at r->at. */
static size_t reader_fill(struct reader *r, size_t n)
{
	assert(n <= BUFFER);
	if (r->end - r->at >= n)
		return r->end - r->at;
	memmove(r->buffer, r->buffer + r->at, r->end - r->at);
	r->end -= r->at;
	r->at = 0;
	while (r->end < n && !r->ended) {
		size_t got = r->pull(r->from, r->buffer + r->end, BUFFER - r->end);

		r->ended = got == 0;
		r->end += got;
	}
	return r->end;
}

size_t reader_head(struct reader *r, const char **ret_bytes)
{
	size_t n = reader_fill(r, READER_HEAD_MAX);

	assert(r->line == 0);
	*ret_bytes = r->buffer + r->at;
	return n < READER_HEAD_MAX ? n : READER_HEAD_MAX;
}

/* Passes over bytes up to and with the next newline. */
static void reader_skip_line(struct reader *r)
{
	while (reader_fill(r, 1) > 0) {
		char *newline = memchr(r->buffer + r->at, '\n', r->end - r->at);

		if (newline) {
			r->at = (size_t)(newline + 1 - r->buffer);
			return;
		}
		r->at = r->end;
	}
}

static size_t reader_clean(char *line, size_t n)
{
	while (n && line[n - 1] == '\r')
		n--;
	for (char *nul = memchr(line, '\0', n); nul;
		nul = memchr(nul, '\0', n - (size_t)(nul - line)))
		*nul = ' ';
	line[n] = '\0';
	return n;
}

/* How many bytes the next line has, and whether that is all of it. */
static size_t reader_measure(struct reader *r, bool *ret_whole)
{
	size_t most = READER_LINE_MAX + 1, have = r->end - r->at;
	char *newline = have ? memchr(r->buffer + r->at, '\n', have < most ? have : most) : NULL;

	if (!newline && have < most) {
		have = reader_fill(r, most);
		newline = have ? memchr(r->buffer + r->at, '\n', have < most ? have : most) : NULL;
	}
	*ret_whole = newline || have < most;
	if (newline)
		return (size_t)(newline - (r->buffer + r->at));
	return have < most ? have : READER_LINE_MAX;
}

bool reader_line(struct reader *r, char **ret_line, size_t *ret_size)
{
	bool whole;
	size_t n;

	if (r->passing) {
		r->passing = false;
		reader_skip_line(r);
	}
	n = reader_measure(r, &whole);
	if (n == 0 && r->at == r->end)
		return false;
	*ret_line = r->buffer + r->at;
	r->line++;
	r->cut += !whole;
	r->passing = !whole;
	/* The NUL takes the newline's place; of a longer line, that of a byte of its rest. */
	r->at += n < r->end - r->at ? n + 1 : n;
	*ret_size = reader_clean(*ret_line, n);
	return true;
}

char *reader_whole(struct reader *r, size_t *ret_size)
{
	struct strbuf text = STRBUF_INIT;

	while (reader_fill(r, 1) > 0) {
		if (text.length + (r->end - r->at) > READER_WHOLE_MAX) {
			strbuf_release(&text);
			reader_skip(r);
			return NULL;
		}
		strbuf_add(&text, r->buffer + r->at, r->end - r->at);
		r->at = r->end;
	}
	*ret_size = text.length;
	return strbuf_steal(&text);
}

size_t reader_take(struct reader *r, char *to, size_t size)
{
	size_t n = reader_fill(r, 1);

	n = n < size ? n : size;
	memcpy(to, r->buffer + r->at, n);
	r->at += n;
	return n;
}

void reader_skip(struct reader *r)
{
	while (reader_fill(r, 1) > 0)
		r->at = r->end;
}
