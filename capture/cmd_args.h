/* cmd_args: the one argument that ls, mark and status share: the agent's output folder. */
#pragma once

#include <stdbool.h>

struct cmd_args {
	const char *dir, *text; /* text: what else was said; NULL: nothing */
	bool json, wants_text;
};

/* Parses; what cannot be taken ends the program with one line. */
void cmd_args_parse(
	struct cmd_args *a, int argc, char **argv, const char *usage, const char *doc);
