/*
 * confined: runs one of our own commands on untrusted files in a confined process: no network, no
 * other program, no file outside its folder; memory, CPU time and output are limited. The command
 * runs in a fresh copy of this program, so a server with many threads runs no code between fork and
 * exec.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct confined_limits {
	uint64_t memory;	/* bytes of data */
	uint64_t file;		/* bytes of one output file */
	unsigned cpu_s, wall_s; /* CPU time; elapsed time */
	int client; /* socket of who waits for it: it ends when that hangs up; 0: nobody */
};

enum confined_result {
	CONFINED_OK = 0,
	CONFINED_FAILED = 1,  /* the command failed; err has its error message */
	CONFINED_LIMITED = 2, /* the command hit a limit; err says which */
	CONFINED_LEFT = 3,    /* the client hung up */
};

/*
 * Runs arguments (command and its arguments, NULL at the end) with folder as working directory.
 * Standard output goes to the file out in it (NULL: discarded).
 */
int confined_run(const char *folder, const char *const *arguments, const char *out,
	const struct confined_limits *limits, struct error *err);
