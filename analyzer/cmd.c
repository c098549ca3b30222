#include "cmd.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "report/escape.h"

struct parsing {
	argp_parser_t parser;
	void *input;
	FILE *errors;
};

/*
 * Gets all that argp has to say about a mistake at once, when the program ends. Mistakes that
 * getopt finds are on stderr already: then argp only adds "Try ...".
 */
static ssize_t cmd_write_first_line(void *cookie, const char *text, size_t n)
{
	CLEANUP_FREE char *all = mem_strndup(text, n);
	CLEANUP_STRBUF struct strbuf line = STRBUF_INIT;
	char *end = strstr(all, "\nTry ");

	(void)cookie;
	if (n < 4 || memcmp(text, "Try ", 4) == 0)
		return (ssize_t)n;
	/* A quoted argument can hold anything, also line breaks. */
	if (end)
		*end = '\0';
	else if (all[n - 1] == '\n')
		all[n - 1] = '\0';
	escape_text(&line, all);
	(void)fprintf(stderr, "%s; --help says more\n", line.text ? line.text : "");
	return (ssize_t)n;
}

static error_t cmd_parse_key(int key, char *arg, struct argp_state *state)
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

error_t cmd_take_database(int key, char *arg, struct argp_state *state, const char **database)
{
	if (key == ARGP_KEY_ARG && *database)
		argp_error(state, "unexpected argument '%s': one database at a time", arg);
	if (key == ARGP_KEY_END && !*database)
		argp_error(state, "missing database (bothends analyze creates one)");
	if (key == ARGP_KEY_ARG)
		*database = arg;
	return key == ARGP_KEY_ARG || key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
}

int cmd_failed(const char *command, const struct error *err)
{
	CLEANUP_STRBUF struct strbuf line = STRBUF_INIT;

	escape_text(&line, err->text);
	(void)fprintf(stderr, "bothends %s: %s\n", command, line.text ? line.text : "");
	return EXIT_USAGE;
}

int cmd_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
	struct parsing p = {.parser = argp->parser,
		.input = input,
		.errors = fopencookie(
			NULL, "w", (cookie_io_functions_t){.write = cmd_write_first_line})};
	struct argp outer = *argp;
	int result;

	if (p.errors) /* else argp's own lines */
		(void)setvbuf(p.errors, NULL, _IOFBF, 8192);
	outer.parser = cmd_parse_key;
	argp_err_exit_status = EXIT_USAGE;
	result = argp_parse(&outer, argc, argv, flags, NULL, &p);
	if (p.errors)
		(void)fclose(p.errors);
	return result ? EXIT_USAGE : 0;
}

int cmd_with_database(const char *command,
	int (*open)(struct db *db, const char *path, struct error *err), const char *path,
	int (*run)(const void *request, struct db *db, struct error *err), const void *request)
{
	struct error err = ERROR_INIT;
	struct db db;
	int result = open(&db, path, &err);

	if (result == 0)
		result = run(request, &db, &err);
	db_close(&db);
	return result == 0 ? EXIT_SUCCESS : cmd_failed(command, &err);
}
