/*
 * match_merged: datagrams that offload merged or split (UDP GSO and GRO): one record here is
 * several datagrams there. Where a record begins like one of the other place a stretch begins;
 * within it, bytes follow in order.
 */
#pragma once

#include "join/match.h"

/* What is open of half-flows of datagrams; their records get offsets, of bytes that stand for
 * nothing else.
 */
void match_merged(struct matcher *m);
