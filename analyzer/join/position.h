/* position: the order of the vantage points of a flow from the client to the server. */
#pragma once

#include "join/owner.h"

/*
 * Sorts the members of every flow from the client's side to the server's, by (first that
 * decides): who owns the end's address; TTL, which only decreases along the path; delays, none of
 * which is negative (nearness.h); packet counts, which loss only reduces along the path; the order
 * of the hosts. Sets member.owns.
 */
void position_members(
	const struct dataset *data, const struct owners *o, unsigned threads, struct flows *c);
