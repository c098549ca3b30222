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

/*
 * The same where nothing identifies a record (headers of IPv6 datagrams alone): if each open record
 * of one place is longer than any of the other's, which has more of them, all are one stretch. How
 * many bytes are missing is exact then; which of them, only as far as their order tells.
 */
void match_merged_by_length(struct matcher *m);
