/* packet_picks: which packets of a flow get a row of their own (join_options.packets). */
#pragma once

#include "join/flow_join.h"

/* Adds to b->packets. The flow's events are those of b from first_event. */
void packet_picks_choose(const struct flow_join *f, struct join_batch *b, uint32_t first_event);
