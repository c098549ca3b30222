/* bothends-agent mark TEXT: records TEXT in the capture and saves the last minutes permanently. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "control.h"
#include "cmd_args.h"

int cmd_mark(int argc, char **argv)
{
	struct cmd_args a = {.wants_text = true};
	struct strbuf line CLEANUP_STRBUF = STRBUF_INIT, reply CLEANUP_STRBUF = STRBUF_INIT;
	struct error err = ERROR_INIT;
	int r;

	cmd_args_parse(&a, argc, argv, "TEXT",
		"Records TEXT in the capture and saves the last minutes (--pre-trigger) "
		"permanently.");
	strbuf_printf(&line, "mark %.*s", CONTROL_LINE - 16, a.text ? a.text : "mark");
	for (char *c = line.text; *c; c++)
		*c = *c == '\n' ? ' ' : *c;
	r = control_ask(a.dir, line.text, &reply, &err);
	if (r == CONTROL_NOT_RUNNING)
		fprintf(stderr, "bothends-agent: no agent is running for '%s'\n", a.dir);
	else if (r)
		fprintf(stderr, "bothends-agent: %s\n", err.text);
	else
		fputs(reply.text, strncmp(reply.text, "error", 5) ? stdout : stderr);
	return r || !strncmp(reply.text, "error", 5) ? 2 : 0;
}
