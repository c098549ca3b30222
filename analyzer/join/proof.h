/*
 * proof: what the receiver's acknowledgments say about stretches that one capture lacks: cumulative
 * ACKs, SACK blocks (RFC 2018) and D-SACKs (RFC 2883), as they left the receiver and as they
 * reached the sender.
 */
#pragma once

#include "join/match.h"

/* One lane of acknowledgments, with the highest one so far at each place. */
struct ack_track {
	const struct lane *lane; /* the reverse direction at one vantage point */
	int64_t *high;		 /* by item; offsets of the direction that is acknowledged */
	uint32_t cap;
};

/* limit: acknowledgments beyond it are of bytes that were never sent; ignored. */
void ack_track_build(struct ack_track *t, const struct lane *lane, int64_t limit);
void ack_track_release(struct ack_track *t);

/* The first item that acknowledges everything below high, or ITEM_NONE. */
uint32_t ack_track_covers(const struct ack_track *t, int64_t high);

/* The highest acknowledgment of all; INT64_MIN: none. */
static inline int64_t ack_track_highest(const struct ack_track *t)
{
	return t->lane->count ? t->high[t->lane->count - 1] : INT64_MIN;
}

/* What is known about one run. Indexes are of the tracks' lanes; ITEM_NONE: nothing. */
struct run_proof {
	uint32_t cover_to, sack_to;	/* first at the receiver's side */
	uint32_t cover_from, sack_from; /* first at the sender's side */
	uint16_t dsacks;		/* reports of a second arrival, at whichever side saw more */
	uint32_t first_copy, copies;	/* in proofs.copies: sent items over the run, in order of sending */
	uint32_t first_arrival, arrivals; /* in proofs.arrivals: received items over it */
};

struct proofs {
	struct ack_track to, from;
	struct run_proof *runs; /* one for each run of the list */
	uint32_t run_cap;
	uint32_t *copies, *arrivals;
	uint32_t copy_cap, arrival_cap;
	/* Scratch. */
	uint32_t *order, *skip;
	struct overlap {
		uint32_t run, item;
	} *overlaps;
	uint32_t order_cap, overlap_cap;
	int64_t longest;
};

/*
 * Gathers the proofs for all runs of a list. sent, received: the lanes of the direction; acks_from
 * and acks_to: the other direction where they are sent and received.
 */
void proofs_gather(struct proofs *p, const struct run_list *list, const struct lane *sent,
	const struct lane *received, const struct lane *acks_from, const struct lane *acks_to);
void proofs_release(struct proofs *p);
