/* places: the vantage points along a flow's path, from the client's side to the server's. */
#pragma once

#include "join/half_flow.h"

struct join;

/* More vantage points along one flow than anyone has. */
#define PLACES_MAX 16

struct place {
	struct member member;
	struct shown shown; /* with the members beside it */
	bool absent;	    /* its host is an end, but it saw nothing: member has no flow there */
};

/*
 * Fills ret, which has room for PLACES_MAX, and returns how many there are. Members of one host
 * that stand beside each other are one place; an end that has a capture and no record of the flow
 * gets a place that is absent. Left out: netfilter records, and who was flooded with one direction.
 */
uint32_t places_lay_out(const struct join *j, const struct flow *flow, struct place *ret);
