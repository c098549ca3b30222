/* strangers: whether datagrams of one 5-tuple at two vantage points are two flows without a packet
 * in common.
 */
#pragma once

#include "join/flow.h"

/* True where both members hold datagrams of one direction, and none in common. */
bool strangers_are(const struct member *a, const struct member *b);
