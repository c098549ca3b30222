/*
 * beside: which places of one host a flow passed beside each other, and which one behind the other.
 * Members of a bond, or two interfaces that answer for each other's addresses, share no packet:
 * they are one place on the way. Two sides of a router share what it forwards: they are two.
 */
#pragma once

#include "join/flow.h"

/* Two members of one flow. False where anything speaks for two places in series. */
bool beside_each_other(const struct dataset *data, const struct member *a, const struct member *b);
