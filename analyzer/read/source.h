/*
 * source: the content of a file or stream, decompressed where it is compressed, as one window of
 * bytes that moves forward. It never looks at the content beyond telling what is compressed.
 *
 *	while (source_need(s, 16) >= 16) {
 *		h = cur_take(&s->window, 16);
 *		...
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/error.h"
#include "read/stored.h"

struct inflate;

/* More than this is never made readable at once; asking for it is a bug of the caller. */
#define SOURCE_MAX_NEED (16u << 20)

struct source {
	struct cursor window; /* what may be read now; take from it freely */
	uint64_t window_end;  /* offset in the content of the window's end */
	char *failure;	      /* why the content ended early: one line; NULL: it did not, so far */
	bool stopped;	      /* no more content is wanted */
	const char *compression; /* "none", "gzip", "zstd", "xz" */
	struct stored stored;
	struct inflate *inflate; /* NULL: content and stored bytes are the same */
	uint8_t *buffer; /* head bytes for what is left of the last window, then tail for more */
	size_t head, tail;
};

/* 0 and *ret_source, or negative with err set (what, where, remedy). "-" is standard input. */
int source_open(struct source **ret_source, const char *path, bool sha256, struct error *err);
struct source *source_close(struct source *s); /* NULL is fine; returns NULL */

/*
 * Makes n bytes readable at window.at, reading on where needed; what was taken from the window
 * before may be overwritten. Returns the number of readable bytes: below n at the end of the
 * content only (see failure).
 */
size_t source_need(struct source *s, size_t n);

/* Moves past n bytes of any number; returns how many there were. */
uint64_t source_skip(struct source *s, uint64_t n);

/* Ends the content here, with why as its failure. */
void source_stop(struct source *s, const char *why);

/*
 * Reads the stored bytes to their end without decompressing them, for the fingerprint; no content
 * is readable after. ret_hash and ret_sha256 as digest_finish().
 */
void source_finish(struct source *s, uint64_t ret_hash[2], char ret_sha256[65]);

static inline uint64_t source_offset(const struct source *s)
{
	return s->window_end - s->window.left;
}

/* Stored bytes read so far, for progress. */
static inline uint64_t source_stored_bytes(const struct source *s)
{
	return atomic_load_explicit(&s->stored.bytes, memory_order_relaxed);
}
