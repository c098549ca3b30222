/* cmd: the subcommands. Each takes what follows its name (argv[0] is "bothends NAME") and returns the exit status. */
#pragma once

#define EXIT_FINDINGS 1 /* done, and a finding at or above --fail-on exists */
#define EXIT_USAGE 2	/* could not be done; a line on stderr says why */

int cmd_analyze(int argc, char **argv);
int cmd_judge(int argc, char **argv);
int cmd_query(int argc, char **argv);
int cmd_report(int argc, char **argv);
