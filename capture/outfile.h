/*
 * outfile: a buffered append-only file that always ends at a record boundary. On a full disk the
 * buffer is kept, and records that no longer fit are refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct outfile {
	int fd; /* -1: no file open */
	uint8_t *buffer;
	size_t length, cap;
	uint64_t written; /* bytes in the file */
	int error;	  /* errno of the last flush; 0: it succeeded */
};

/* Allocates the buffer once; no file is open yet. */
void outfile_init(struct outfile *o, size_t cap);
void outfile_release(struct outfile *o);

/* Creates name in the folder with mode 0600; it must not exist. */
int outfile_create(struct outfile *o, int dir_fd, const char *name, struct error *err);

/* Space for n bytes at the end, or NULL if there is none even after a flush. outfile_commit()
 * appends it. */
uint8_t *outfile_reserve(struct outfile *o, size_t n);
void outfile_commit(struct outfile *o, size_t n);

/* Both in one call. false: no space, nothing was added. */
bool outfile_add(struct outfile *o, const void *bytes, size_t n);

/*
 * Writes the buffer. false: the write failed (o->error); the file keeps its previous length and the
 * buffer is kept.
 */
bool outfile_flush(struct outfile *o);

/* Flushes, optionally syncs, and closes. false: the buffer is lost. */
bool outfile_close(struct outfile *o, bool sync);
