/*
 * match: which sent segment is which arrival, between two half-flows of one direction: first whole
 * segments by all that identifies a transmission, then bytes by range, so that records which
 * offloads merged or split meet. Decides nothing about what stays unmatched.
 */
#pragma once

#include "join/clocks.h"
#include "join/half_flow.h"

/* A stretch of sequence space of one transmission that has no counterpart. */
struct gap {
	uint32_t transmission;
	int64_t low, high;
};

struct gap_list {
	struct gap *gaps;
	uint32_t count, cap;
};

/* What identifies a transmission in this pair of half-flows; found out from their first segments.
 */
struct match_traits {
	bool tcp;
	bool use_timestamp; /* time stamps pass unchanged */
	bool use_id;	    /* IP identifications vary at the sender and pass unchanged */
	bool is_merged;	    /* datagrams: offload merges or splits some */
	uint32_t mss; /* payload bytes of a full wire segment; of a datagram where is_merged */
};

/* Lower bound on receiver's clock minus sender's clock, valid for a short time.
 */
struct causality {
	struct clock_memo *clocks;   /* NULL: unknown */
	const struct steady *steady; /* the sender's; with clocks */
	uint32_t from, to;
	int64_t since, until; /* sender's steady time */
	int64_t ahead;	      /* INT64_MIN: unknown then */
};

/* A transmission by what it is looked up by. */
struct keyed {
	uint64_t key;
	uint32_t at;
};

struct keyed_list {
	struct keyed *rows;
	uint32_t count, cap;
};

struct matcher {
	struct half_flow *sent, *received;
	struct causality causality; /* set by the caller before match_half_flows() */
	struct match_traits traits;
	/* of sent transmissions that are not whole: by transmission, ascending */
	struct gap_list missing;
	struct gap_list extra;		   /* of received ones */
	uint32_t open_sent, open_received; /* transmissions that no whole one was found for yet */
	/* receive stamp minus send stamp of the last datagram matched in order, uncorrected */
	int64_t delay;
	bool delay_known;
	uint32_t hash_mask; /* of segment.hash, what all datagrams here have */
	bool refused;	    /* the clocks ruled out a pair that was otherwise identical */
	/* Scratch, kept between calls. */
	uint32_t *left_sent, *left_received;
	uint32_t left_sent_cap, left_received_cap;
	struct keyed_list keyed_sent, keyed_received;
	int64_t *cuts;
	uint32_t cut_cap;
	/* Used while matching without clocks: for each sent transmission, the arrivals of the
	 * nearest matched ones before and after it. */
	uint32_t *mate_before, *mate_behind;
};

/* False when the arrival is proven to be earlier than the sending. */
bool match_is_causal(
	struct matcher *m, const struct transmission *sent, const struct transmission *received);

/* Of match_datagram.h too: sent transmission i arrived whole, as k. */
void matcher_pair(struct matcher *m, uint32_t i, uint32_t k);
/* A stretch of a sent transmission that did not arrive on record; in ascending order. */
void matcher_miss(struct matcher *m, uint32_t i, int64_t low, int64_t high);
/* Takes a pair apart again. */
void matcher_part(struct matcher *m, uint32_t i);
/* May an arrival be of a sent transmission, by all that a sender varies? */
bool matcher_same(const struct matcher *m, const struct transmission *sent,
	const struct transmission *received);
/* Forgets all pairs. */
void matcher_reopen(struct matcher *m);

/* Matches m->sent with m->received; mss: see traits. Fills states, matches and both lists of gaps.
 */
void match_half_flows(struct matcher *m, uint32_t mss);
void matcher_release(struct matcher *m);

/* Marks unmatched transmissions that are the same packet in both half-flows although the vantage
 * point between them lacks it. */
void match_at_third(
	struct half_flow *sent, struct half_flow *received, const struct match_traits *traits);
