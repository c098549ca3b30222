/*
 * outfile: a file that is only appended to, through a buffer, and always ends where one of the
 * caller's records ends. A full disk keeps the buffer; what no longer fits is refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct outfile {
	int fd; /* -1: none open */
	uint8_t *buffer;
	size_t length, cap;
	uint64_t written; /* bytes in the file */
	int error;	  /* errno of the last flush; 0: it went through */
};

/* Allocates the buffer once; no file is open yet. */
void outfile_init(struct outfile *o, size_t cap);
void outfile_release(struct outfile *o);

/* Creates name in the folder, 0600; it must not exist. */
int outfile_create(struct outfile *o, int dir_fd, const char *name, struct error *err);

/* Room for n bytes at the end, or NULL when there is none even after a flush; outfile_commit()
 * takes it. */
uint8_t *outfile_reserve(struct outfile *o, size_t n);
void outfile_commit(struct outfile *o, size_t n);

/* Both in one. false: no room, nothing was added. */
bool outfile_add(struct outfile *o, const void *bytes, size_t n);

/*
 * Writes the buffer. false: not possible now (o->error); the file ends where it ended before and
 * the buffer is kept.
 */
bool outfile_flush(struct outfile *o);

/* Flushes, syncs to disk if asked, and closes. false: what was in the buffer is lost. */
bool outfile_close(struct outfile *o, bool sync);
