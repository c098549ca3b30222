/*
 * beside: which interfaces of one host a flow crossed in parallel (bond), and which in series
 * (router). Members of a bond, or two interfaces that answer for each other's addresses, share no
 * packet: they are one place on the way. So are packets that translation skipped and the flow that
 * they belong to. Two sides of a router share what it forwards: they are two.
 */
#pragma once

#include "join/flow.h"

/* Two members of one flow. False if anything indicates that they are in series. */
bool beside_each_other(const struct dataset *data, const struct member *a, const struct member *b);
