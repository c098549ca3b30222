/* zero_windows: spans in which a receiver announced a window of 0 (RFC 9293, 3.8.6.1), as each
 * place saw them. */
#pragma once

#include "join/flow_join.h"

/* Adds to b->windows. The flow must be loaded. */
void zero_windows_find(const struct flow_join *f, struct join_batch *b);
