/* orientation: which end of a flow is its client, and that all its members agree on it. */
#pragma once

#include "join/flow.h"

/* The client's end; *ret_known: a SYN or an echo request tells, else the larger port is taken for
 * it. */
bool orientation_client_is_b(const struct flow_vantage *f, bool *ret_known);

/*
 * A member and a flow of which the same end is a client under other names (is_crossed) turn until
 * they agree: whoever only guessed does.
 */
void orientation_agree(const struct flows *all, struct member *m, uint32_t flow, bool is_crossed);

/* The same with the flow of another member (an index) that has the same 5-tuple. */
void orientation_agree_with(const struct flows *all, struct member *m, uint32_t other);
