#include "read/source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "read/digest.h"
#include "read/inflate.h"

/* In sanitizer builds a look outside the window is an error, though the buffer goes on there. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define ALLOW(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#define FORBID(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#else
#define ALLOW(p, n) ((void)0)
#define FORBID(p, n) ((void)0)
#endif

/* Room before the window for what is left of the one before: usually a part of one frame. */
#define HEAD (64u << 10)

static size_t source_pull_content(struct source *s, uint8_t *to, size_t size)
{
	size_t n = inflate_read(s->inflate, to, size);

	if (!n && !s->failure && inflate_failure(s->inflate))
		s->failure = mem_strdup(inflate_failure(s->inflate));
	return n;
}

static size_t source_pull(struct source *s, uint8_t *to, size_t size)
{
	size_t n;

	if (s->inflate)
		return source_pull_content(s, to, size);
	n = stored_read(&s->stored, to, size < STORED_WINDOW ? size : STORED_WINDOW);
	if (!n && s->stored.failed && !s->failure)
		s->failure = mem_printf("the file cannot be read on after its byte %llu: %s",
			(unsigned long long)s->stored.bytes, strerror(s->stored.failed));
	return n;
}

/* Room for rest bytes before and more bytes after the point where new bytes go. */
static void source_make_room(struct source *s, size_t rest, size_t more)
{
	size_t head = rest > s->head ? rest : s->head, tail = more > s->tail ? more : s->tail;
	uint8_t *bigger;

	if (head == s->head && tail == s->tail) {
		memmove(s->buffer + head - rest, s->window.at, rest);
	} else {
		bigger = mem_alloc(head + tail);
		if (rest)
			memcpy(bigger + head - rest, s->window.at, rest);
		free(s->buffer);
		s->buffer = bigger;
		s->head = head;
		s->tail = tail;
	}
	assert(rest <= s->head && more <= s->tail);
	s->window = cur_of(s->buffer + head - rest, rest);
}

size_t source_need(struct source *s, size_t n)
{
	size_t more, got, k;

	assert(n <= SOURCE_MAX_NEED);
	if (n <= s->window.left)
		return s->window.left;
	ALLOW(s->buffer, s->head + s->tail);
	while (!s->stopped && s->window.left < n) {
		/* At most doubles what is there: a length that lies costs no more than the file
		 * has. */
		more = s->window.left < STORED_WINDOW ? STORED_WINDOW : s->window.left;
		if (more > n - s->window.left)
			more = n - s->window.left;
		source_make_room(s, s->window.left, more);
		for (got = 0; got < more &&
			      (k = source_pull(s, s->buffer + s->head + got, s->tail - got));
			got += k)
			;
		s->window.left += got;
		s->window_end += got;
		if (got < more)
			break;
	}
	FORBID(s->buffer, (size_t)(s->window.at - s->buffer));
	FORBID(s->window.at + s->window.left,
		(size_t)(s->buffer + s->head + s->tail - (s->window.at + s->window.left)));
	return s->window.left;
}

uint64_t source_skip(struct source *s, uint64_t n)
{
	uint64_t done = 0;

	while (done < n) {
		uint64_t k = n - done < s->window.left ? n - done : s->window.left;

		(void)cur_take(&s->window, (size_t)k);
		done += k;
		if (done < n && !source_need(s, 1))
			break;
	}
	assert(done <= n);
	return done;
}

/* Turns the window, which holds the first stored bytes, into one of content. */
static int source_decompress(struct source *s, struct error *err)
{
	static const char *const names[] = {"none", "gzip", "zstd", "xz"};
	enum inflate_format format =
		inflate_recognise(s->window.at, source_need(s, INFLATE_RECOGNISE));
	int r = 0;

	assert(format < sizeof(names) / sizeof(names[0]));
	s->compression = names[format];
	if (format != INFLATE_NONE) {
		r = inflate_new(&s->inflate, &s->stored, format, s->window.at, s->window.left, err);
		s->window.left = 0;
		s->window_end = 0;
	}
	return r;
}

int source_open(struct source **ret_source, const char *path, bool sha256, struct error *err)
{
	struct source *s = mem_zalloc(sizeof(*s));
	int r = stored_open(&s->stored, path, sha256, err);

	if (r < 0) {
		free(s);
		return r;
	}
	s->head = HEAD;
	s->tail = STORED_WINDOW;
	if (s->stored.size && s->stored.size < STORED_WINDOW)
		s->tail = (size_t)s->stored.size +
			  1; /* small files by the thousand: less to prepare */
	s->buffer = mem_alloc(s->head + s->tail);
	s->window = cur_of(s->buffer + s->head, 0);
	r = source_decompress(s, err);
	if (r < 0) {
		(void)source_close(s);
		return r;
	}
	*ret_source = s;
	return 0;
}

struct source *source_close(struct source *s)
{
	if (!s)
		return NULL;
	stored_cancel(&s->stored); /* the thread may be waiting for a stream */
	(void)inflate_free(s->inflate);
	stored_release(&s->stored);
	ALLOW(s->buffer, s->head + s->tail);
	free(s->failure);
	free(s->buffer);
	free(s);
	return NULL;
}

void source_stop(struct source *s, const char *why)
{
	s->window.left = 0;
	s->stopped = true;
	if (!s->failure)
		s->failure = mem_strdup(why);
}

void source_finish(struct source *s, uint64_t ret_hash[2], char ret_sha256[65])
{
	s->window.left = 0;
	s->stopped = true;
	if (s->inflate)
		inflate_stop(s->inflate);
	stored_drain(&s->stored);
	digest_finish(s->stored.digest, ret_hash, ret_sha256);
}
