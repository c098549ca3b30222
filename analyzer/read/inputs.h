/* inputs: the files that the inputs of a command line stand for. It opens no file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct input_file {
	char *path;
	bool named; /* on the command line; false: found in a folder, where what is unfit is skipped
		     */
	bool link;  /* a link in a folder, which may lead out of it */
};

struct inputs {
	struct input_file *files;
	uint32_t count, cap;
	/* Passed by in folders. */
	uint32_t hidden;      /* names that begin with a dot, folders counting as one */
	uint32_t not_regular; /* sockets, devices, links to folders or to nothing */
	uint32_t unreadable;  /* folders that may not be read */
};

#define INPUTS_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}
#define INPUTS_FILES_MAX 1000000u

enum inputs_result {
	INPUTS_NOTHING = 1, /* a folder without any file in it; err->text says so */
};

/*
 * Adds what path stands for: a folder, every regular file below it, in the order of the bytes of
 * their names, folder by folder; anything else ("-", a file, a name that is not there), itself.
 * Links to files are followed; links to folders only when named, so that no loop is entered.
 * 0, an outcome above, or negative with err set (a named folder that cannot be read, too many
 * files).
 */
int inputs_add(struct inputs *w, const char *path, struct error *err);
void inputs_release(struct inputs *w);
