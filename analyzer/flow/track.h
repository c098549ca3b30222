/*
 * track: a decoded packet into its flow: found or started, counted, its segment appended. Tells
 * apart what the capture recorded twice.
 */
#pragma once

#include "flow/observation.h"

/* The segment of a packet, but for its SACK blocks. */
void track_segment(struct segment *s, const struct observation *o, bool from_b);

enum track_result {
	TRACK_ADDED,
	TRACK_COPY, /* the capture itself saw the packet before: left out, counted in the vantage */
	TRACK_TABLE_FULL, /* no room for another flow */
};

/* o->packet must be of a protocol that is tracked. *ret_flow and *ret_from_b are set when added. */
enum track_result track_packet(
	const struct observation *o, struct flow_vantage **ret_flow, bool *ret_from_b);
