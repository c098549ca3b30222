/*
 * proof: what the receiver's acknowledgments say about stretches that one capture lacks: cumulative
 * ACKs, SACK blocks (RFC 2018) and D-SACKs (RFC 2883), as they left the receiver and as they
 * reached the sender.
 */
#pragma once

#include "join/match.h"

/* One half-flow of acknowledgments, with the highest one so far at each place. */
struct ack_track {
	const struct half_flow *half; /* the reverse direction at one vantage point */
	int64_t *high; /* by transmission; offsets of the direction that is acknowledged */
	uint32_t cap;
};

/* limit: acknowledgments beyond it are of bytes never sent; they are ignored. */
void ack_track_build(struct ack_track *t, const struct half_flow *half, int64_t limit);
void ack_track_release(struct ack_track *t);

/* The first transmission that acknowledges everything below high, or TRANSMISSION_NONE. */
uint32_t ack_track_covers(const struct ack_track *t, int64_t high);

/* The highest acknowledgment of all; INT64_MIN: none. */
static inline int64_t ack_track_highest(const struct ack_track *t)
{
	return t->half->count ? t->high[t->half->count - 1] : INT64_MIN;
}

/* Transmissions over one gap that are kept: the first so many. */
#define PROOF_COPIES 512
/* Of an index that nobody has asked for yet. */
#define PROOF_UNASKED (TRANSMISSION_NONE - 1)

/* What is known about one gap. Indexes are of the tracks' half-flows; TRANSMISSION_NONE: nothing.
 */
struct gap_proof {
	uint32_t cover_to, sack_to;	/* first at the receiver's side */
	uint32_t cover_from, sack_from; /* first at the sender's side */
	uint16_t dsacks;		/* D-SACKs of this gap: the higher count of the two sides */
	uint32_t first_copy,
		copies; /* in proofs.copies: sent transmissions over the gap, in order of sending */
	uint32_t first_arrival, arrivals; /* in proofs.arrivals: received transmissions over it */
	/* What fate.c found out for all gaps of one stretch. */
	uint32_t leader; /* the first gap of the same stretch, which alone holds them */
	uint32_t recorded, unsent, answering;
};

struct proofs {
	struct ack_track to, from;
	struct gap_proof *gaps; /* one for each gap of the list */
	uint32_t gap_cap;
	uint32_t *copies, *arrivals;
	uint32_t copy_cap, arrival_cap;
	/* Scratch. */
	uint32_t *order, *skip; /* order: the leaders, by their beginning */
	uint32_t order_count;
	struct overlap {
		uint32_t gap, transmission;
	} * overlaps;
	uint32_t order_cap, overlap_cap;
	int64_t longest;
};

/*
 * Gathers the proofs for all gaps of a list. sent, received: the half-flows of the direction;
 * acks_from and acks_to: the other direction where they are sent and received.
 */
void proofs_gather(struct proofs *p, const struct gap_list *list, const struct half_flow *sent,
	const struct half_flow *received, const struct half_flow *acks_from,
	const struct half_flow *acks_to);
void proofs_release(struct proofs *p);
