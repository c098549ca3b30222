/*
 * way: the places that one direction of a flow passes. With equal-cost routes, or where each
 * direction has a route of its own, a router in the middle sees only part of a flow: what it lacks
 * was neither lost before it nor missed by its capture.
 */
#pragma once

#include "join/places.h"

struct way {
	uint8_t places[PLACES_MAX]; /* indexes, from the client's side */
	uint32_t count;
};

/* A place of a flow, in order from the client's side. */
struct way_place {
	const struct half_flow *shown; /* [2]: what it shows of both directions */
	const struct vantage_span *span;
	bool is_end; /* owns an end: it is on the way, whatever it shows */
};

/*
 * Places in the middle are left out that show nothing of the direction, or nothing of its start or
 * its end while their captures ran, though places behind them show it; and those that share no
 * packet with another one that is no end.
 */
struct way way_of(const struct way_place *places, uint32_t n, enum direction d);
