/* half_flow: one direction of a flow at one vantage point, as an array to match with another. */
#pragma once

#include "join/segment_walk.h"

enum transmission_state {
	TRANSMISSION_OPEN,   /* not matched (yet) */
	TRANSMISSION_WHOLE,  /* matched in full */
	TRANSMISSION_PARTLY, /* some of its bytes are matched */
};

#define TRANSMISSION_NONE UINT32_MAX
/* Interfaces beside each other at one place. */
#define SHOWN_MAX 8

struct transmission {
	const struct segment *seg;
	int64_t off;   /* sequence number relative to the flow's base, unwrapped */
	uint32_t span; /* sequence numbers it takes: payload, SYN, FIN */
	uint32_t ack;  /* acknowledgment number in the first member's numbers; 0 without ACK flag */
	uint32_t match;	    /* index in the other half-flow; of a range match the one with the last
			       byte; TRANSMISSION_NONE */
	uint8_t state;	    /* enum transmission_state */
	bool seen_at_third; /* a third vantage point proves that it was sent, or that it arrived */
	bool duplicate;	    /* received: another copy of the same transmission was matched */
	bool by_time;	    /* one of several identical copies, chosen by delay */
	bool untranslated;  /* it came, or went, by the stray member of its place */
	bool ambiguous;	    /* one of several identical copies; which one is unknown */
};

_Static_assert(sizeof(struct transmission) == 40, "a half-flow is walked many times");

struct half_flow {
	const struct member *member;
	enum direction direction;
	bool tcp;
	struct transmission *transmissions;
	uint32_t count, cap;
	uint32_t delta, ack_delta; /* the member's, for this direction's seq and ack */
	uint32_t base,
		ack_base; /* sequence numbers that are offset 0 in this and the other direction */
	int64_t end;	  /* highest off + span */
	uint32_t copies_skipped; /* duplicates that the capture made itself */
};

/* The members at one place on the path: usually one (its flow is NULL if the place saw nothing), or
 * several parallel interfaces. */
struct shown {
	const struct member *members[SHOWN_MAX];
	uint32_t count;
};

/*
 * Is one proven to have been recorded before another at a place? A capture has its frames in order,
 * whatever its clock does; between several interfaces only time tells, and equal times tell
 * nothing.
 */
static inline bool shown_is_before(
	const struct shown *place, const struct segment *a, const struct segment *b)
{
	return place->count > 1 ? a->time_ns < b->time_ns : a->frame < b->frame;
}

/* Of the members the one that shows a direction; the first where none does. */
static inline const struct member *shown_member(const struct shown *shown, enum direction d)
{
	for (uint32_t i = 0; i < shown->count && shown->count > 1; i++)
		if (member_side(shown->members[i], d)->packets)
			return shown->members[i];
	return shown->members[0];
}

/*
 * Loads both directions, halves[C2S] and halves[S2C]. Duplicates are skipped in a direction
 * for which skip_duplicates says that the capture, not the network, makes them.
 */
void half_flows_load(struct half_flow halves[2], const struct shown *shown, const uint32_t base[2],
	const bool skip_duplicates[2]);
void half_flow_release(struct half_flow *l);

/* The acknowledgment of a transmission as an offset in the other direction, near ref. */
int64_t transmission_ack(const struct half_flow *l, const struct transmission *it, int64_t ref);
