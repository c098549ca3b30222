/* cmd_terminal: --width and --color, for every command that prints a report on a terminal. */
#pragma once

#include <argp.h>

#include "report/report.h"

struct terminal_choice {
	int width;  /* -1: not given */
	int colour; /* -1: auto */
};

#define TERMINAL_CHOICE_NONE ((struct terminal_choice){.width = -1, .colour = -1})

/* Children of a command's argp; its parser hands the choice on at ARGP_KEY_INIT:
 * state->child_inputs[0] = &choice. */
extern const struct argp_child cmd_terminal_children[];

/* What was chosen takes the place of what the terminal suggests. */
void cmd_terminal_apply(const struct terminal_choice *c, struct report_options *o);
