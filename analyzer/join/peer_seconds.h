/* peer_seconds: who sent to whom in the seconds in which somebody was silent (idle.h). */
#pragma once

#include "join/flow_join.h"

/* Adds to b->seconds. The flow must be loaded. */
void peer_seconds_count(const struct flow_join *f, struct join_batch *b);
