/* summary: totals of each address and service over all flows of a vantage point; one pass when
 * reading is over. */
#pragma once

#include "flow/vantage.h"

/* A TTL that systems send with: no router has counted it down. */
static inline bool summary_is_initial_ttl(uint8_t ttl)
{
	return ttl == 64 || ttl == 128 || ttl == 255 || ttl == 1;
}

/* The service that a flow is of, as seen at its vantage point. */
struct service summary_service(const struct flow_vantage *f, bool server_is_b);

/* Closes the flows' runs of MACs; fills addresses and services, and counts unicast frames. Once, at
 * the end. */
void summary_make(struct vantage *v);
