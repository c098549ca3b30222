#include "cmd_terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_WIDTH = 0x1000, KEY_COLOUR };

static const struct argp_option options[] = {
	{"width", KEY_WIDTH, "COLUMNS", 0,
		"wrap text at COLUMNS; 0: do not wrap (default: terminal width)", 0},
	{"color", KEY_COLOUR, "auto|always|never", 0,
		"colours in text (default auto: on a terminal, unless NO_COLOR is set)", 0},
	{0},
};

static int cmd_terminal_parse_width(const char *text)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 10);
	if (errno || end == text || *end || v < 0 || v > 10000)
		return -1;
	return v && v < REPORT_WIDTH_MIN ? REPORT_WIDTH_MIN : (int)v;
}

static int cmd_terminal_parse_when(const char *text)
{
	static const char *const names[] = {"never", "always", "auto"};

	for (int i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0)
			return i == 2 ? -1 : i;
	return -2;
}

static error_t cmd_terminal_parse(int key, char *arg, struct argp_state *state)
{
	struct terminal_choice *c = state->input;

	switch (key) {
	case KEY_WIDTH:
		c->width = cmd_terminal_parse_width(arg);
		if (c->width < 0)
			argp_error(state, "--width: '%s' is not a number of columns", arg);
		return 0;
	case KEY_COLOUR:
		c->colour = cmd_terminal_parse_when(arg);
		if (c->colour == -2)
			argp_error(state, "--color takes auto, always or never, not '%s'", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, cmd_terminal_parse, NULL, NULL, NULL, NULL, NULL};

const struct argp_child cmd_terminal_children[] = {{&argp, 0, NULL, 0}, {0}};

void cmd_terminal_apply(const struct terminal_choice *c, struct report_options *o)
{
	if (c->width >= 0)
		o->width = c->width;
	if (c->colour >= 0)
		o->colour = c->colour;
}
