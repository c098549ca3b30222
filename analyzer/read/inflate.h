/*
 * inflate: decompresses gzip (all members), zstd (all frames) or xz (all streams) on a thread of
 * its own, a few buffers ahead of who reads.
 *
 * gzip goes through zlib. ISA-L is 1.7 times as fast, but has hung on broken input and lost its
 * place between members (versions up to 2.32), and captures come from strangers.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "read/stored.h"

enum inflate_format { INFLATE_NONE, INFLATE_GZIP, INFLATE_ZSTD, INFLATE_XZ };

#define INFLATE_RECOGNISE 6 /* bytes that tell */

/* What begins like this; INFLATE_NONE for anything but these. */
enum inflate_format inflate_recognise(const uint8_t *first, size_t n);

struct inflate;

/*
 * Starts on the stored bytes, of which the first n were read already. st belongs to the thread
 * until inflate_stop(). 0, or negative with err set.
 */
int inflate_new(struct inflate **ret_inflate, struct stored *st, enum inflate_format format,
	const uint8_t *first, size_t n, struct error *err);

/* Up to size bytes of content; 0 at its end, whose reason inflate_failure() tells. */
size_t inflate_read(struct inflate *in, void *to, size_t size);

/* NULL: the compressed data ended as it should. Valid after inflate_read() returned 0. */
const char *inflate_failure(const struct inflate *in);

/* Ends the thread; what it had not read of st is the caller's. Waits for a read of a stream. */
void inflate_stop(struct inflate *in);

struct inflate *inflate_free(struct inflate *in); /* stops first; NULL is fine; returns NULL */
