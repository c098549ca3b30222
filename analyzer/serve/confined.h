/*
 * confined: runs one of our own commands on files from strangers in a process that can do little:
 * no network, no other program, no file outside its folder, bounded memory, processor time and
 * output. The command is run by this program started again, so that a server with many threads
 * never runs anything between fork and exec.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct confined_limits {
	uint64_t memory; /* bytes of data */
	uint64_t file;	 /* bytes of one written file */
	unsigned cpu_s, wall_s;
};

enum confined_result {
	CONFINED_OK = 0,
	CONFINED_FAILED = 1,  /* the command said no; its line is in err */
	CONFINED_LIMITED = 2, /* ended at a limit; err says which */
};

/*
 * Runs arguments (a command and what follows, ended by NULL) with folder as its working directory.
 * Standard output goes to the file out in it (NULL: nowhere).
 */
int confined_run(const char *folder, const char *const *arguments, const char *out,
	const struct confined_limits *limits, struct error *err);
