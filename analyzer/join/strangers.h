/* strangers: whether datagrams of one 5-tuple at two vantage points are two flows without a packet
 * in common.
 */
#pragma once

#include "join/flow.h"

/*
 * How many datagrams two members of one 5-tuple have in common; 0: they are two conversations. 1
 * where neither holds anything to compare, UINT32_MAX where both begin with the same datagram.
 */
uint32_t strangers_in_common(const struct member *a, const struct member *b);
