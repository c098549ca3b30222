/* position: the order of the vantage points of a flow from the client to the server. */
#pragma once

#include "join/owner.h"

/*
 * Sorts the members of every flow from the client's side to the server's, by (first that
 * decides): who owns the end's address; TTL, which only shrinks; delays, none of which is
 * negative (nearness.h); which direction's packets are fewer; the order of the hosts. Notes for
 * each member whose addresses its host owns.
 */
void position_members(
	const struct dataset *data, const struct owners *o, unsigned threads, struct flows *c);
