/* bothends report: prints the verdict of a finished database. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/outfile.h"
#include "cmd.h"
#include "cmd_terminal.h"
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

enum { KEY_ALL = 256 };

static const struct argp_option options[] = {
	{"format", 'f', "text|html|md|json|brief", 0, "default text; brief: the verdict as JSON",
		0},
	{"output", 'o', "FILE", 0, "write to FILE; only a report is replaced (-: standard output)",
		0},
	{"all", KEY_ALL, NULL, 0, "all findings (default for text, html, md: the 100 most severe)",
		0},
	{0},
};

struct request {
	const char *database, *output;
	const struct format *format;
	struct terminal_choice terminal;
	bool all;
};

static const struct format *cmd_report_format(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(name, formats[i].name) == 0)
			return &formats[i];
	return NULL;
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
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->terminal;
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
	cmd_terminal_apply(&r->terminal, &o);
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
		cmd_terminal_children, NULL, NULL};
	struct request r = {.format = &formats[0], .terminal = TERMINAL_CHOICE_NONE};

	if (cmd_parse(&argp, argc, argv, 0, &r))
		return EXIT_USAGE;
	return cmd_with_database("report", db_open, r.database, cmd_report_print, &r);
}
