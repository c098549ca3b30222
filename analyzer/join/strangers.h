/* strangers: whether flows of datagrams that have one 5-tuple at two places are two conversations.
 */
#pragma once

#include "join/flow.h"

/* True where both members hold datagrams of one direction, and none in common. */
bool strangers_are(const struct member *a, const struct member *b);
