/* cmd: the subcommands. Each takes what follows its name (argv[0] is "bothends NAME") and returns
 * the exit status. */
#pragma once

#include <argp.h>
#include <stdio.h>

#include "base/error.h"
#include "store/db.h"

#define EXIT_FINDINGS 1 /* done, and a finding at or above --fail-on exists */
#define EXIT_USAGE 2	/* could not be done; a line on stderr says why */

/*
 * argp_parse() with one line on stderr for a mistake, not three. Ends the program with EXIT_USAGE,
 * or returns it, or 0.
 */
int cmd_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input);

/* For a parser whose only argument is a database, for the keys that it does not know itself. */
error_t cmd_take_database(int key, char *arg, struct argp_state *state, const char **database);

/* The line on stderr that says why it could not be done. Names of files and hosts in it are
 * escaped. Returns EXIT_USAGE. */
int cmd_failed(const char *command, const struct error *err);

/*
 * Opens the database at path (with db_open() or db_open_writable()), runs, closes it, and says on
 * stderr what failed. Returns the exit status.
 */
int cmd_with_database(const char *command,
	int (*open)(struct db *db, const char *path, struct error *err), const char *path,
	int (*run)(const void *request, struct db *db, struct error *err), const void *request);

int cmd_analyze(int argc, char **argv);
int cmd_anonymise(int argc, char **argv);
int cmd_collect(int argc, char **argv);
int cmd_extract(int argc, char **argv);
int cmd_judge(int argc, char **argv);
int cmd_query(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_serve(int argc, char **argv);
