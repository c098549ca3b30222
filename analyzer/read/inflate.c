#include "read/inflate.h"

#include <assert.h>
#include <errno.h>
#include <lzma.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

#define CHUNK (512u << 10)
#define CHUNKS 4u

/* 128 MiB of history: what the zstd program accepts without --long. It bounds our memory. */
#define ZSTD_WINDOW_LOG 27
#define XZ_MEMORY (UINT64_C(192) << 20) /* xz -9 needs 65 MiB */

struct inflate {
	struct stored *stored;
	enum inflate_format format;
	pthread_t thread;
	bool running;

	/* The thread's own. */
	uint8_t *input; /* STORED_WINDOW bytes */
	size_t input_at, input_end;
	size_t filled; /* of the chunk being written */

	/* Reader's own. */
	size_t taken; /* of the chunk being read */

	/* Under the lock. Chunk i is at i % CHUNKS; made - used are full. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint8_t *chunks[CHUNKS];
	size_t sizes[CHUNKS];
	uint64_t made, used;
	bool ended;   /* by the thread: no more chunks come */
	bool stopped; /* by the reader: no more are wanted */
	char *failure;
};

enum inflate_format inflate_recognise(const uint8_t *first, size_t n)
{
	static const uint8_t gzip[] = {0x1f, 0x8b, 8}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
	static const uint8_t xz[] = {0xfd, '7', 'z', 'X', 'Z', 0};

	if (n >= sizeof(gzip) && !memcmp(first, gzip, sizeof(gzip)))
		return INFLATE_GZIP;
	if (n >= sizeof(xz) && !memcmp(first, xz, sizeof(xz)))
		return INFLATE_XZ;
	return n >= sizeof(zstd) && !memcmp(first, zstd, sizeof(zstd)) ? INFLATE_ZSTD
								       : INFLATE_NONE;
}

/* --- the thread's side --- */

/* Hands the written chunk over and waits for a free one. False: stop. */
static bool inflate_next_chunk(struct inflate *in)
{
	bool go_on;

	(void)pthread_mutex_lock(&in->lock);
	in->sizes[in->made % CHUNKS] = in->filled;
	if (in->filled)
		in->made++;
	in->filled = 0;
	(void)pthread_cond_signal(&in->changed);
	assert(in->made - in->used <= CHUNKS);
	while (in->made - in->used == CHUNKS && !in->stopped)
		(void)pthread_cond_wait(&in->changed, &in->lock);
	go_on = !in->stopped;
	(void)pthread_mutex_unlock(&in->lock);
	return go_on;
}

static uint8_t *inflate_room(const struct inflate *in)
{
	return in->chunks[in->made % CHUNKS] + in->filled;
}

/* The place in the file of the next compressed byte. */
static unsigned long long inflate_position(const struct inflate *in)
{
	return in->stored->bytes - (in->input_end - in->input_at);
}

static bool inflate_is_stopped(struct inflate *in)
{
	bool stopped;

	(void)pthread_mutex_lock(&in->lock);
	stopped = in->stopped;
	(void)pthread_mutex_unlock(&in->lock);
	return stopped;
}

/* At least one byte of input; false at its end, or when no more is wanted. */
static bool inflate_more_input(struct inflate *in)
{
	if (in->input_at < in->input_end)
		return true;
	if (inflate_is_stopped(in))
		return false;
	in->input_at = 0;
	in->input_end = stored_read(in->stored, in->input, STORED_WINDOW);
	return in->input_end > 0;
}

static char *inflate_ended_early(const struct inflate *in, const char *format)
{
	if (in->stored->failed)
		return mem_printf("the file cannot be read on after its byte %llu: %s",
			inflate_position(in), strerror(in->stored->failed));
	return mem_printf("its %s data is cut short after byte %llu of the file", format,
		inflate_position(in));
}

/*
 * Moves to the next member. True when there is one. Zero bytes between and after members are
 * padding (tapes, block devices), as for gzip(1).
 */
static bool inflate_next_member(struct inflate *in, char **ret_failure)
{
	while (inflate_more_input(in)) {
		if (in->input[in->input_at] == 0x1f)
			return true;
		if (in->input[in->input_at]) {
			*ret_failure = mem_printf(
				"other data follows its gzip data at byte %llu of the file",
				inflate_position(in));
			return false;
		}
		in->input_at++;
	}
	return false;
}

/* One member, from its first byte to behind its checksum. False: failed, or stopped (no failure).
 */
static bool inflate_gzip_member(struct inflate *in, z_stream *z, char **ret_failure)
{
	size_t before, space;
	int r = Z_OK;

	while (r != Z_STREAM_END) {
		if (in->filled == CHUNK && !inflate_next_chunk(in))
			return false;
		if (!inflate_more_input(in)) {
			*ret_failure = inflate_ended_early(in, "gzip");
			return false;
		}
		before = in->input_end - in->input_at;
		space = CHUNK - in->filled;
		z->next_in = in->input + in->input_at;
		z->avail_in = (uInt)before;
		z->next_out = inflate_room(in);
		z->avail_out = (uInt)space;
		r = inflate(z, Z_NO_FLUSH);
		in->input_at += before - z->avail_in;
		in->filled += space - z->avail_out;
		/* Z_BUF_ERROR: no progress with this input and room; there will be more of either.
		 */
		if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR) {
			*ret_failure = mem_printf(
				"its gzip data is broken before byte %llu of the file (%s)",
				inflate_position(in), z->msg ? z->msg : "it needs a dictionary");
			return false;
		}
	}
	return true;
}

static char *inflate_unpack_gzip(struct inflate *in)
{
	z_stream z = {0};
	char *failure = NULL;

	if (inflateInit2(&z, 15 + 16) != Z_OK) /* largest window; a gzip header is demanded */
		return mem_strdup("there is no memory to decompress it");
	while (inflate_next_member(in, &failure) && inflate_gzip_member(in, &z, &failure))
		(void)inflateReset(&z); /* fails on a broken state only */
	(void)inflateEnd(&z);
	return failure;
}

static char *inflate_zstd_frames(struct inflate *in, ZSTD_DCtx *z)
{
	size_t left = 0; /* of the frame; 0 between frames */
	bool full = false;

	for (;;) {
		ZSTD_inBuffer from;
		ZSTD_outBuffer to;

		if (in->filled == CHUNK && !inflate_next_chunk(in))
			return NULL;
		/* A full chunk may have left content in the decoder: it goes first, without input.
		 */
		if (!full && !inflate_more_input(in))
			return left || in->stored->failed ? inflate_ended_early(in, "zstd") : NULL;
		from = (ZSTD_inBuffer){in->input, in->input_end, in->input_at};
		to = (ZSTD_outBuffer){inflate_room(in), CHUNK - in->filled, 0};
		left = ZSTD_decompressStream(z, &to, &from);
		in->input_at = from.pos;
		in->filled += to.pos;
		full = left && to.pos == to.size;
		if (ZSTD_isError(left))
			return mem_printf(
				"its zstd data is broken before byte %llu of the file (%s)",
				inflate_position(in), ZSTD_getErrorName(left));
	}
}

static char *inflate_unpack_zstd(struct inflate *in)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	char *failure;

	if (!z || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
		failure = mem_strdup("there is no memory to decompress it");
	else
		failure = inflate_zstd_frames(in, z);
	(void)ZSTD_freeDCtx(z);
	return failure;
}

static char *inflate_xz_streams(struct inflate *in, lzma_stream *z)
{
	for (;;) {
		bool more, full;
		lzma_ret r;

		if (in->filled == CHUNK && !inflate_next_chunk(in))
			return NULL;
		more = inflate_more_input(in);
		if (!more && inflate_is_stopped(in))
			return NULL;
		z->next_in = in->input + in->input_at;
		z->avail_in = in->input_end - in->input_at;
		z->next_out = inflate_room(in);
		z->avail_out = CHUNK - in->filled;
		r = lzma_code(z, more ? LZMA_RUN : LZMA_FINISH);
		full = z->avail_out == 0;
		in->input_at = in->input_end - z->avail_in;
		in->filled = CHUNK - z->avail_out;
		if (r == LZMA_STREAM_END)
			return NULL;
		if (r == LZMA_BUF_ERROR || (r == LZMA_OK && !more && !full))
			return inflate_ended_early(in, "xz");
		if (r != LZMA_OK)
			return mem_printf("its xz data is broken before byte %llu of the file%s",
				inflate_position(in),
				r == LZMA_MEMLIMIT_ERROR ? " (it asks for too much memory)" : "");
	}
}

static char *inflate_unpack_xz(struct inflate *in)
{
	lzma_stream z = LZMA_STREAM_INIT;
	char *failure;

	if (lzma_stream_decoder(&z, XZ_MEMORY, LZMA_CONCATENATED) != LZMA_OK)
		return mem_strdup("there is no memory to decompress it");
	failure = inflate_xz_streams(in, &z);
	lzma_end(&z);
	return failure;
}

static char *inflate_unpack(struct inflate *in)
{
	switch (in->format) {
	case INFLATE_GZIP:
		return inflate_unpack_gzip(in);
	case INFLATE_ZSTD:
		return inflate_unpack_zstd(in);
	case INFLATE_XZ:
		return inflate_unpack_xz(in);
	case INFLATE_NONE:
		break;
	}
	return NULL;
}

static void *inflate_run(void *arg)
{
	struct inflate *in = arg;
	char *failure = inflate_unpack(in);

	(void)pthread_mutex_lock(&in->lock);
	in->sizes[in->made % CHUNKS] = in->filled;
	if (in->filled)
		in->made++;
	in->failure = failure;
	in->ended = true;
	(void)pthread_cond_signal(&in->changed);
	(void)pthread_mutex_unlock(&in->lock);
	return NULL;
}

/* --- the reader's side --- */

/* Signals stay with the threads that expect them. */
static int inflate_start(struct inflate *in)
{
	sigset_t all, old;
	int r;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&in->thread, NULL, inflate_run, in);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	in->running = !r;
	return r;
}

int inflate_new(struct inflate **ret_inflate, struct stored *st, enum inflate_format format,
	const uint8_t *first, size_t n, struct error *err)
{
	struct inflate *in = mem_zalloc(sizeof(*in));
	int r;

	in->stored = st;
	in->format = format;
	in->input = mem_alloc(STORED_WINDOW);
	assert(n <= STORED_WINDOW);
	memcpy(in->input, first, n);
	in->input_end = n;
	for (unsigned int i = 0; i < CHUNKS; i++)
		in->chunks[i] = mem_alloc(CHUNK);
	(void)pthread_mutex_init(&in->lock, NULL); /* neither can fail with glibc */
	(void)pthread_cond_init(&in->changed, NULL);
	r = inflate_start(in);
	if (r) {
		(void)inflate_free(in);
		errno = r;
		return error_errno(err, "cannot decompress %s", st->label);
	}
	*ret_inflate = in;
	return 0;
}

/* Waits for a chunk to read. False: there will be none. */
static bool inflate_wait_for_chunk(struct inflate *in)
{
	bool there;

	(void)pthread_mutex_lock(&in->lock);
	while (in->made == in->used && !in->ended)
		(void)pthread_cond_wait(&in->changed, &in->lock);
	there = in->made > in->used;
	(void)pthread_mutex_unlock(&in->lock);
	return there;
}

static void inflate_give_back_chunk(struct inflate *in)
{
	(void)pthread_mutex_lock(&in->lock);
	assert(in->used < in->made);
	in->used++;
	(void)pthread_cond_signal(&in->changed);
	(void)pthread_mutex_unlock(&in->lock);
	in->taken = 0;
}

size_t inflate_read(struct inflate *in, void *to, size_t size)
{
	size_t n, chunk;

	if (!in->taken && !inflate_wait_for_chunk(in))
		return 0;
	chunk = in->used % CHUNKS; /* only this side moves used, and a full chunk is only read */
	n = in->sizes[chunk] - in->taken;
	n = n < size ? n : size;
	memcpy(to, in->chunks[chunk] + in->taken, n);
	in->taken += n;
	if (in->taken == in->sizes[chunk])
		inflate_give_back_chunk(in);
	return n;
}

const char *inflate_failure(const struct inflate *in)
{
	return in->failure;
}

void inflate_stop(struct inflate *in)
{
	if (!in->running)
		return;
	(void)pthread_mutex_lock(&in->lock);
	in->stopped = true;
	(void)pthread_cond_signal(&in->changed);
	(void)pthread_mutex_unlock(&in->lock);
	(void)pthread_join(in->thread, NULL); /* can only fail for a thread that is not there */
	in->running = false;
}

struct inflate *inflate_free(struct inflate *in)
{
	if (!in)
		return NULL;
	inflate_stop(in);
	(void)pthread_mutex_destroy(&in->lock);
	(void)pthread_cond_destroy(&in->changed);
	for (unsigned int i = 0; i < CHUNKS; i++)
		free(in->chunks[i]);
	free(in->input);
	free(in->failure);
	free(in);
	return NULL;
}
