#include "cmd_args.h"

#include <argp.h>
#include <stddef.h>

static const struct argp_option table[] = {
	{"output", 'w', "DIR", 0, "the agent's output folder (default /var/lib/bothends)", 0},
	{"json", 'j', NULL, 0, "print JSON", 0},
	{0},
};

static error_t cmd_args_parse_one(int key, char *arg, struct argp_state *st)
{
	struct cmd_args *a = st->input;

	switch (key) {
	case 'w':
		a->dir = arg;
		return 0;
	case 'j':
		a->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!a->wants_text || a->text)
			argp_failure(st, 2, 0, "unexpected argument '%s'", arg);
		a->text = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void cmd_args_parse(struct cmd_args *a, int argc, char **argv, const char *usage, const char *doc)
{
	const struct argp argp = {
		.options = table, .parser = cmd_args_parse_one, .args_doc = usage, .doc = doc};

	a->dir = "/var/lib/bothends";
	argp_err_exit_status = 2;
	(void)argp_parse(&argp, argc, argv, 0, NULL, a);
}
