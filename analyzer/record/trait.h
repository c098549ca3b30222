/*
 * trait: what a packet was like when it was sent, as numbers in buckets: size, flags, its place in
 * the flow, how long the flow had been silent ... So that those that died can be held against those
 * that lived (schema/traits.sql says what each trait means).
 */
#pragma once

#include "join/segment_walk.h"

/* Of each packet. Then of a flow's direction as a whole: what all of its packets have in common. */
enum trait {
	TRAIT_MOMENT,
	TRAIT_SIZE,
	TRAIT_FLAGS,
	TRAIT_DSCP,
	TRAIT_ECN,
	TRAIT_TTL,
	TRAIT_NUMBERS,
	TRAIT_SILENCE,
	TRAIT_GAP,
	TRAIT_PLACE,
	TRAIT_BURST,
	TRAIT_REPEATED,
	TRAIT_OPENING,
	PACKET_TRAITS,
	TRAIT_SOURCE = PACKET_TRAITS,
	TRAIT_DESTINATION,
	TRAIT_SERVER_PORT,
	TRAIT_REUSED,
	TRAIT_CLIENT_PORT,
	TRAIT_CLIENT_PORT_MOD_2,
	TRAIT_CLIENT_PORT_MOD_4,
	TRAIT_CLIENT_PORT_MOD_8,
	TRAIT_XOR_MOD_2,
	TRAIT_XOR_MOD_3,
	TRAIT_XOR_MOD_4,
	TRAIT_XOR_MOD_8,
	TRAITS
};

const char *trait_name(enum trait t);

/* A trait that has no value there: the gap before the first packet. */
#define TRAIT_NONE INT64_MIN

/* Values of one trait that count together: those of a bucket; the rest of the numbers is in order.
 */
uint32_t trait_buckets(enum trait t);
uint32_t trait_bucket(enum trait t, int64_t value);

/* Is its order of more, or of less? Else its buckets are classes. */
bool trait_is_ordered(enum trait t);

/* A class in words; NULL: numbers speak for themselves. */
const char *trait_label(enum trait t, uint32_t bucket);

/* What is known of a flow's direction as its packets go by, in capture order. */
struct trait_walk {
	const struct member *member;
	enum direction direction;
	const struct flow_vantage
		*older; /* the flow before on the same addresses and ports; NULL */
	bool tcp;
	uint32_t segment_size;	   /* payload of a full wire segment */
	int64_t since_ns, span_ns; /* of the vantage point: a moment is told within it */
	/* Until now. */
	int64_t last_ns, last_own_ns,
		silence_ns; /* last packet of either direction, of this one; INT64_MIN: none */
	uint32_t sent, in_burst;
	uint32_t end; /* behind the highest sequence number */
};

void trait_walk_begin(
	struct trait_walk *w, const struct member *m, enum direction d, const struct vantage *v);

/* Takes the flow's next packet of either direction. True: it is one of this direction, and values
 * are set. */
bool trait_walk_take(struct trait_walk *w, const struct segment *s, int64_t values[PACKET_TRAITS]);

/* Wire segments that a record stands for. */
uint32_t trait_segments(const struct trait_walk *w, const struct segment *s);

/* The other traits, of the whole direction; of TRAIT_SOURCE and TRAIT_DESTINATION the address is
 * the value. */
void trait_of_flow(const struct trait_walk *w, int64_t values[TRAITS]);
