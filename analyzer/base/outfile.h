/*
 * outfile: a result as a file. It is written beside its place and renamed, so that a failure leaves
 * nothing or the old file; and it replaces only what this program wrote, never a user's own file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"

#define OUTFILE_HEAD 8192
#define OUTFILE_TAIL 64

/* The first and the last bytes of a file; of a short one they overlap. */
struct outfile_ends {
	const char *head, *tail;
	size_t head_length, tail_length;
};

struct outfile {
	const char *path;
	mode_t mode;
	const char *what; /* "a report of bothends": the only kind of file that it may replace */
	bool (*is_what)(const struct outfile_ends *ends);
	int (*write)(void *context, FILE *f, struct error *err); /* 0, or negative with err set */
	void *context;
};

/* What to do about an errno of making a file. */
const char *outfile_remedy(int e);

/* A device, a pipe or a socket is written as it is. 0, or negative with err set. */
int outfile_write(const struct outfile *o, struct error *err);

/* Do these bytes begin, hold, or end with text? */
bool outfile_begins(const struct outfile_ends *ends, const char *text);
bool outfile_holds(const struct outfile_ends *ends, const char *text); /* in the head */
bool outfile_finishes(const struct outfile_ends *ends, const char *text);
