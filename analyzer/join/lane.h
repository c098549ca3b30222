/* lane: one direction of a conversation at one vantage point, as an array to match with another. */
#pragma once

#include "join/walk.h"

enum item_state {
	ITEM_OPEN,    /* not matched (yet) */
	ITEM_WHOLE,   /* matched in full */
	ITEM_PARTLY,  /* some of its bytes are matched */
};

#define ITEM_NONE UINT32_MAX

struct item {
	const struct segment *seg;
	int64_t off;	/* sequence number relative to the conversation's base, unwrapped */
	uint32_t span;	/* sequence numbers it takes: payload, SYN, FIN */
	uint32_t ack;	/* acknowledgment number in the first member's numbers; 0 without ACK flag */
	uint32_t mate;	/* index in the other lane; of a range match the one with the last byte; ITEM_NONE */
	uint8_t state;	/* enum item_state */
	bool elsewhere; /* a third vantage point proves that it was sent, or that it arrived */
	bool twin;	/* received: another copy of the same transmission was matched */
	bool ambiguous; /* one of several equal copies: which one, is not known */
};

struct lane {
	const struct member *member;
	enum direction direction;
	bool tcp;
	struct item *items;
	uint32_t count, cap;
	uint32_t delta, ack_delta; /* the member's, for this direction's seq and ack */
	uint32_t base, ack_base;   /* sequence numbers that are offset 0 in this and the other direction */
	int64_t end;		   /* highest off + span */
	uint32_t copies_skipped;   /* twins that the capture made itself */
};

/*
 * Loads both directions, lanes[C2S] and lanes[S2C]. Twins (identical neighbours) are skipped in a
 * direction for which skip_twins says that the capture, not the network, makes them.
 */
void lanes_load(struct lane lanes[2], const struct member *m, const uint32_t base[2], const bool skip_twins[2]);
void lane_release(struct lane *l);

/* The acknowledgment of an item as an offset in the other direction, near ref. */
int64_t item_ack(const struct lane *l, const struct item *it, int64_t ref);
