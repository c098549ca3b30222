/* agent: the main loop: writes packets and facts to files until stopped. */
#pragma once

#include "options.h"

/* An interface came back, but opening it needs privileges that were dropped: restart the agent. */
#define AGENT_AGAIN 75

/* Returns the exit status: 0, 2 (after one line on stderr), or AGENT_AGAIN. */
int agent_run(const struct options *o);
