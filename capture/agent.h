/* agent: the main job: sources and facts into files until told to stop. */
#pragma once

#include "options.h"

/* The source whose interface came back was opened with rights that are gone: to be started again.
 */
#define AGENT_AGAIN 75

/* Exit status: 0, 2 (with one line on stderr), or AGENT_AGAIN. */
int agent_run(const struct options *o);
