#include "cmd.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

struct parsing {
	argp_parser_t parser;
	void *input;
	FILE *errors;
};

/*
 * Gets all that argp has to say about a mistake at once, when the program ends. Mistakes that getopt
 * finds are on stderr already: then argp only adds "Try ...".
 */
static ssize_t write_first_line(void *cookie, const char *text, size_t n)
{
	const char *end = memchr(text, '\n', n);

	(void)cookie;
	if (n >= 4 && memcmp(text, "Try ", 4) != 0)
		(void)fprintf(stderr, "%.*s; --help says more\n", (int)(end ? end - text : (ptrdiff_t)n), text);
	return (ssize_t)n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct parsing *p = state->input;
	error_t result;

	if (key == ARGP_KEY_INIT && p->errors)
		state->err_stream = p->errors;
	state->input = p->input;
	result = p->parser(key, arg, state);
	state->input = p;
	return result;
}

int cmd_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
	struct parsing p = {.parser = argp->parser, .input = input,
		.errors = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_first_line})};
	struct argp outer = *argp;
	int result;

	if (p.errors) /* else argp's own lines */
		(void)setvbuf(p.errors, NULL, _IOFBF, 8192);
	outer.parser = parse;
	argp_err_exit_status = EXIT_USAGE;
	result = argp_parse(&outer, argc, argv, flags, NULL, &p);
	if (p.errors)
		(void)fclose(p.errors);
	return result ? EXIT_USAGE : 0;
}
