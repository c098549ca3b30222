/*
 * unfinished: the file that a new database grows in, beside its final place. It is locked while its
 * run lives, so that a later run can tell what a killed one left and remove it.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct unfinished {
	char *name; /* NULL: none */
	int fd;	    /* holds the lock */
};

/* Removes what killed runs left for path, and makes an empty file beside it. */
int unfinished_make(struct unfinished *u, const char *path, struct error *err);

/*
 * Flushes it and renames it to path. replace false: a file that is there by now stays, and the
 * error says so.
 */
int unfinished_commit(struct unfinished *u, const char *path, bool replace, struct error *err);

/* Removes it. Safe on a zeroed struct, and twice. */
void unfinished_discard(struct unfinished *u);

/* From now on signals that end the program, and exit(), remove it on their way. */
void unfinished_remove_on_signal(void);
