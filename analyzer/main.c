/* bothends: finds where packets were lost between two captures. One table lists the subcommands. */
#include <argp.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd.h"

/* The C library looks for this name; symbols are hidden unless said otherwise. */
__attribute__((visibility("default"))) const char *argp_program_version =
	"bothends " BOTHENDS_VERSION;

static const struct command {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"analyze", "match captures into a database and print the verdict", cmd_analyze},
	{"report", "print the verdict of a database as text, HTML, JSON or Markdown", cmd_report},
	{"query", "run SQL or a saved query on a database, read-only", cmd_query},
	{"extract", "write the frames that prove a finding to a pcapng file", cmd_extract},
	{"anonymise", "write a capture that can be shared", cmd_anonymise},
	{"serve", "upload captures and read reports in a browser", cmd_serve},
	{"collect", "print a script that collects logs, facts and counters of a host", cmd_collect},
	{"judge", "run the rules on a database again, with your own rules as well", cmd_judge},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

struct choice {
	const struct command *command; /* NULL: none yet */
	int at;			       /* index of its name in argv */
};

static error_t main_parse(int key, char *arg, struct argp_state *state)
{
	struct choice *c = state->input;

	if (key == ARGP_KEY_NO_ARGS)
		argp_error(state, "missing command (try: bothends analyze)");
	if (key != ARGP_KEY_ARG)
		return key == ARGP_KEY_END || key == ARGP_KEY_INIT || key == ARGP_KEY_SUCCESS
			       ? 0
			       : ARGP_ERR_UNKNOWN;
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(arg, commands[i].name) == 0)
			c->command = &commands[i];
	if (!c->command)
		argp_error(state, "unknown command '%s'", arg);
	c->at = state->next - 1;
	state->next = state->argc; /* the rest is the command's */
	return 0;
}

/* The command table goes between the first paragraph and the options. */
static char *main_list_commands(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t size;
	FILE *f;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	f = open_memstream(&list, &size);
	if (!f)
		return (char *)text;
	(void)fputs("Commands:\n", f);
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].summary);
	(void)fputs("\n'bothends COMMAND --help' describes a command. "
		    "Exit status: 0 done, 1 done with findings (--fail-on), 2 error.",
		f);
	(void)fclose(f);
	return list;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = main_parse,
		.args_doc = "COMMAND [ARGUMENT...]",
		.doc = "Finds where packets were lost between two captures, why, and how to fix "
		       "it.\v ",
		.help_filter = main_list_commands,
	};
	struct choice choice = {0};
	CLEANUP_FREE char *name = NULL;
	char own_name[] = "bothends";

	/* Only character widths: numbers and sorting stay the same everywhere. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	argv[0] = own_name; /* begins each error, wherever the program lies */
	if (cmd_parse(&argp, argc, argv, ARGP_IN_ORDER, &choice))
		return EXIT_USAGE;
	name = mem_printf("bothends %s", choice.command->name);
	argv[choice.at] = name;
	return choice.command->run(argc - choice.at, argv + choice.at);
}
