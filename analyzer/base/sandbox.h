/*
 * sandbox: takes away from this process what its work does not need, and for good: capabilities,
 * new privileges, files, TCP and signals to others (Landlock), system calls (seccomp). What stays
 * is a table of system calls and a list of paths; everything else answers EPERM or EACCES.
 *
 * Descriptors that are open stay usable. Threads that run already are not confined, so a program
 * enters the sandbox before it starts any, and before it parses a byte from outside.
 */
#pragma once

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A system call that is allowed under conditions on its arguments, which must all hold. */
struct sandbox_call {
	int number;		     /* SCMP_SYS(name) */
	struct scmp_arg_cmp when[2]; /* those with an op */
	bool own_process;	     /* one more: its first argument is this process */
	int refused_with; /* not 0: refused with this errno, for callers that then do without */
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

/* A file, or a folder with all below it. */
struct sandbox_path {
	const char *path; /* one that does not exist is left out; NULL: fd */
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
};

/* What holds: 0, or the errno with which this kernel said that it has no such thing. */
struct sandbox_held {
	int landlock, seccomp;
};

/*
 * Empties the bounding set, as far as this process may: needs CAP_SETPCAP, so it comes before a
 * change of user. sandbox_enter() does the same with what is left.
 */
void sandbox_bound_capabilities(void);

/*
 * 0, or negative with err set: then this process is confined in part, and must end. A kernel that
 * lacks Landlock or seccomp is no error: the caller reads *ret_held and decides.
 */
int sandbox_enter(const struct sandbox *s, struct sandbox_held *ret_held, struct error *err);
