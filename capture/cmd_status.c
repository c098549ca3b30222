/* bothends-agent status: whether the agent runs, what it has written and what it has dropped. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "control.h"
#include "cmd_args.h"

/* The reply is our own JSON on one line; printed with one member per line. */
static void cmd_status_print_plain(const char *json)
{
	int depth = 0;
	bool quoted = false;

	for (; *json; json++) {
		if (*json == '"' && json[-1] != '\\')
			quoted = !quoted;
		else if (!quoted && (*json == '{' || *json == '['))
			depth++;
		else if (!quoted && (*json == '}' || *json == ']'))
			depth--;
		else if (!quoted && *json == ',')
			printf("\n%*s", depth > 1 ? 2 * (depth - 1) : 0, "");
		else if (!quoted && *json == ':')
			fputs(": ", stdout);
		else
			putchar(*json);
		if (!quoted && (*json == '{' || *json == '[') && depth > 1)
			printf("\n%*s", 2 * (depth - 1), "");
	}
}

int cmd_status(int argc, char **argv)
{
	struct cmd_args a = {0};
	struct strbuf reply CLEANUP_STRBUF = STRBUF_INIT;
	struct error err = ERROR_INIT;
	int r;

	cmd_args_parse(
		&a, argc, argv, "", "Prints the agent's status. Exit status 1: it is not running.");
	r = control_ask(a.dir, "status", &reply, &err);
	if (r == CONTROL_NOT_RUNNING) {
		printf(a.json ? "{\"running\":false}\n" : "not running\n");
		return 1;
	}
	if (r) {
		fprintf(stderr, "bothends-agent: %s\n", err.text);
		return 2;
	}
	if (a.json)
		fputs(reply.text, stdout);
	else
		cmd_status_print_plain(reply.text);
	return 0;
}
