/* bothends report: prints the verdict of a finished database. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/outfile.h"
#include "cmd.h"
#include "report/report.h"

static const struct format {
	const char *name;
	int (*write)(struct db *, FILE *, const struct report_options *, struct error *);
} formats[] = {
	{"text", report_text},
	{"json", report_json},
	{"md", report_markdown},
	{"html", report_html},
	{"brief", report_brief},
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

enum { KEY_WIDTH = 256, KEY_COLOUR, KEY_ALL };

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0,
		"text (default), html, md, json, or brief (the verdict as JSON)", 0},
	{"output", 'o', "FILE", 0, "write to FILE; only a report is replaced (-: standard output)",
		0},
	{"all", KEY_ALL, NULL, 0, "all findings (default for text, html, md: the 100 most severe)",
		0},
	{"width", KEY_WIDTH, "COLUMNS", 0,
		"wrap text at COLUMNS; 0: do not wrap (default: terminal width)", 0},
	{"color", KEY_COLOUR, "WHEN", 0, "auto (default), always or never; auto honours NO_COLOR",
		0},
	{0},
};

struct request {
	const char *database, *output;
	const struct format *format;
	int width;  /* -1: not given */
	int colour; /* -1: auto */
	bool all;
};

static const struct format *cmd_report_format(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(name, formats[i].name) == 0)
			return &formats[i];
	return NULL;
}

static int cmd_report_parse_width(const char *text)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 10);
	if (errno || end == text || *end || v < 0 || v > 10000)
		return -1;
	return v && v < REPORT_WIDTH_MIN ? REPORT_WIDTH_MIN : (int)v;
}

static int cmd_report_parse_when(const char *text)
{
	static const char *const names[] = {"never", "always", "auto"};

	for (int i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0)
			return i == 2 ? -1 : i;
	return -2;
}

static error_t cmd_report_parse(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;

	switch (key) {
	case 'f':
		r->format = cmd_report_format(arg);
		if (!r->format)
			argp_error(
				state, "unknown format '%s': text, html, md, json or brief", arg);
		return 0;
	case 'o':
		r->output = arg;
		return 0;
	case KEY_ALL:
		r->all = true;
		return 0;
	case KEY_WIDTH:
		r->width = cmd_report_parse_width(arg);
		if (r->width < 0)
			argp_error(state, "--width: '%s' is not a number of columns", arg);
		return 0;
	case KEY_COLOUR:
		r->colour = cmd_report_parse_when(arg);
		if (r->colour == -2)
			argp_error(state, "--color takes auto, always or never, not '%s'", arg);
		return 0;
	default:
		return cmd_take_database(key, arg, state, &r->database);
	}
}

struct writing {
	struct db *db;
	const struct request *request;
	const struct report_options *options;
};

static int cmd_report_write_report(void *context, FILE *f, struct error *err)
{
	const struct writing *w = context;

	return w->request->format->write(w->db, f, w->options, err);
}

static int cmd_report_print(const void *request, struct db *db, struct error *err)
{
	const struct request *r = request;
	struct report_options o = report_terminal_options(stdout, r->database);
	bool to_file = r->output && strcmp(r->output, "-") != 0;

	if (to_file)
		o = (struct report_options){.database = r->database,
			.findings_max = REPORT_FINDINGS,
			.signed_text = true};
	if (r->width >= 0)
		o.width = r->width;
	if (r->colour >= 0)
		o.colour = r->colour;
	if (r->all)
		o.findings_max = 0;
	if (to_file)
		return outfile_write(
			&(struct outfile){.path = r->output,
				.mode = 0644,
				.what = "a report of bothends",
				.is_what = report_is_report,
				.write = cmd_report_write_report,
				.context =
					&(struct writing){.db = db, .request = r, .options = &o}},
			err);
	return r->format->write(db, stdout, &o, err);
}

int cmd_report(int argc, char **argv)
{
	static const struct argp argp = {options, cmd_report_parse, "DB",
		"Prints the report of a bothends database: findings first, then inputs, clocks and "
		"notes.",
		NULL, NULL, NULL};
	struct request r = {.format = &formats[0], .width = -1, .colour = -1};

	if (cmd_parse(&argp, argc, argv, 0, &r))
		return EXIT_USAGE;
	return cmd_with_database("report", db_open, r.database, cmd_report_print, &r);
}
