/* cmd_args: the arguments of ls, mark and status: the agent's output folder, --json, a text. */
#pragma once

#include <stdbool.h>

struct cmd_args {
	const char *dir, *text; /* text: the other argument; NULL: none */
	bool json, wants_text;
};

/* Exits with one line on stderr if the arguments are invalid. */
void cmd_args_parse(struct cmd_args *a, int argc, char **argv, const char *usage, const char *doc);
