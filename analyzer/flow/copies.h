/*
 * copies: the packets that a vantage point recorded within the last millisecond, each with every
 * interface, VLAN, MAC, TTL and tunnel that it was seen with. A bridge, a bond, a router or a
 * mirror of both directions shows a capture one packet several times: equal but for the interface,
 * direction, VLAN, MACs, hops or tunnel, and with others in between.
 */
#pragma once

#include <stdint.h>

#include "flow/flowtab.h"

struct observation;
struct vantage;

enum copy {
	COPY_NONE,
	COPY_BY_CAPTURE, /* the same packet, looked at from elsewhere */
	COPY_TWIN,	 /* equal in all: the network made it, or the capture; the join decides */
};

/* NULL until the first packet. */
struct recent_packets;

/* Classifies s, the record made of o. The caller appends s to f unless the result is
 * COPY_BY_CAPTURE: then the kept record loses its destination MAC if this one has another.
 * Allocates *recent on first use. */
enum copy copies_note(struct recent_packets **recent, const struct flow_vantage *f,
	struct segment *s, const struct observation *o);

/*
 * After reading: where the capture recorded everything twice, the second record of each packet is a
 * twin, also of those that nothing identifies. Before all has been read nobody knows that it did.
 */
void copies_mark_pairs(struct vantage *v);
