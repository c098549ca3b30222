/*
 * stored: the bytes of a file or stream as they are stored, read once, in order, and fingerprinted
 * while they are in the cache.
 *
 * It reads instead of mapping: a mapped file that somebody shortens kills the reader (SIGBUS), its
 * pages count as memory, and with the fingerprint (which touches every byte) a map is no faster.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* What one read takes: small enough to be parsed from the second-level cache. */
#define STORED_WINDOW (256u << 10)

struct stored {
	char *label;		/* for messages: 'x.pcap' in quotes, or standard input */
	int fd;			/* -1: released */
	int wake_fd;		/* streams: readable once stored_cancel() was called; else -1 */
	bool close_fd;		/* false for standard input */
	bool at_end;		/* every byte was read, or reading failed */
	int failed;		/* errno of a read that failed; 0 */
	uint64_t size;		/* of a regular file when it was opened; else 0 */
	_Atomic uint64_t bytes; /* read so far; another thread may look */
	struct digest *digest;
};

/* "-" is standard input. 0, or negative with err set to what, where and the remedy. */
int stored_open(struct stored *ret_stored, const char *path, bool sha256, struct error *err);
void stored_release(struct stored *st);

/* The next bytes, at least one unless the end was reached or reading failed (0, st->failed). */
size_t stored_read(struct stored *st, void *buffer, size_t size);

/* Reads what is left, for the fingerprint. */
void stored_drain(struct stored *st);

/* From another thread: a read that waits for a stream returns 0, now and ever after. */
void stored_cancel(struct stored *st);
