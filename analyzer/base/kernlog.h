/* kernlog: which lines of a kernel log explain lost packets; the agent and the readers of log files
 * keep these. */
#pragma once

#include <stdbool.h>

bool kernlog_tells(const char *message);
