/*
 * sandbox_reader: the sandbox of a process that parses untrusted files and writes what it found: no
 * network, no other programs, no executable memory, no signals to other processes, no files but the
 * caller's.
 */
#pragma once

#include "base/sandbox.h"

struct sandbox_reader {
	const struct sandbox_path *paths;
	size_t path_count;
	bool libraries;		/* libraries below the paths may still be loaded */
	bool links;		/* a file may get a second name */
	bool keep_capabilities; /* of root, to read files of other users that are among the paths */
};

/* As sandbox_enter(). */
int sandbox_reader_enter(
	const struct sandbox_reader *r, struct sandbox_held *ret_held, struct error *err);
