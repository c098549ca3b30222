/*
 * sandbox: permanently restricts this process to what its job needs: drops capabilities and new
 * privileges; files, TCP and signals to other processes by Landlock; system calls by seccomp. The
 * caller allows a table of system calls and a list of paths; everything else fails with EPERM or
 * EACCES.
 *
 * Open descriptors stay usable. Threads that already run are not restricted: enter the sandbox
 * before starting any, and before parsing the first untrusted byte.
 */
#pragma once

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A system call that is allowed if all conditions on its arguments hold. */
struct sandbox_call {
	int number;		     /* SCMP_SYS(name) */
	struct scmp_arg_cmp when[2]; /* those with an op */
	bool own_process; /* one more condition: its first argument is this process's ID */
	int refused_with; /* not 0: fails with this errno instead, so that callers fall back */
};

/* clang-format off */
/* Conditions: the bits of argument n within mask are value; argument n is value in all 64 bits. */
#define SANDBOX_BITS(n, mask, value) \
	{.arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = (mask), .datum_b = (value)}
#define SANDBOX_IS(n, value) {.arg = (n), .op = SCMP_CMP_EQ, .datum_a = (value)}
/* clang-format on */

enum sandbox_rights {
	SANDBOX_READ_FILE = 1,
	SANDBOX_READ_FOLDER = 2, /* list it; with READ_FILE, read the files below it */
	SANDBOX_READ = SANDBOX_READ_FILE | SANDBOX_READ_FOLDER,
	SANDBOX_WRITE = 4, /* write, truncate, create and remove regular files */
	SANDBOX_MAKE_SOCKET = 8,
};

/* A file, or a folder with everything below it. */
struct sandbox_path {
	const char *path; /* skipped if it does not exist; NULL: use fd */
	int fd;
	unsigned rights;
};

struct sandbox {
	const int *calls; /* allowed with any arguments */
	size_t call_count;
	const struct sandbox_call *conditional;
	size_t conditional_count;
	const struct sandbox_path *paths;
	size_t path_count;
	bool keep_capabilities; /* else all of them are dropped */
};

/* 0: in force. Otherwise the errno with which the kernel said that it does not support it. */
struct sandbox_held {
	int landlock, seccomp;
};

/*
 * Empties the capability bounding set. Needs CAP_SETPCAP, so call it before changing the user;
 * without it, it does nothing. sandbox_enter() calls it too.
 */
void sandbox_bound_capabilities(void);

/*
 * 0, or negative with err set: then the process is only partly restricted and must exit. A kernel
 * without Landlock or seccomp is not an error: the caller checks *ret_held.
 */
int sandbox_enter(const struct sandbox *s, struct sandbox_held *ret_held, struct error *err);
