/*
 * match: which sent segment is which arrival, between two lanes of one direction: first whole
 * segments by all that identifies a transmission, then bytes by range, so that records which
 * offloads merged or split meet. Decides nothing about what stays unmatched.
 */
#pragma once

#include "join/clock.h"
#include "join/lane.h"

/* A stretch of sequence space of one item that has no counterpart. */
struct run {
	uint32_t item;
	int64_t low, high;
};

struct run_list {
	struct run *runs;
	uint32_t count, cap;
};

/* What identifies a transmission in this pair of lanes; found out from their first segments. */
struct match_traits {
	bool tcp;
	bool use_timestamp; /* time stamps pass unchanged */
	bool use_id;	    /* IP identifications vary at the sender and pass unchanged */
	uint32_t mss;	    /* payload bytes of a full wire segment */
};

/* The least that the receiver's clock is ahead of the sender's; good for a short stretch of time. */
struct causality {
	struct clock_memo *clocks; /* NULL: unknown */
	uint32_t from, to;
	int64_t since, until; /* sender's time */
	int64_t ahead;	      /* INT64_MIN: unknown then */
};

struct matcher {
	struct lane *sent, *received;
	struct causality causality; /* set by the caller before match_lanes() */
	struct match_traits traits;
	struct run_list missing; /* of sent items that are not whole: by item, ascending */
	struct run_list extra;	 /* of received ones */
	uint32_t open_sent, open_received; /* items that no whole one was found for yet */
	bool refused; /* the clock refused what else was the same */
	/* Scratch, kept between calls. */
	uint32_t *left_sent, *left_received;
	uint32_t left_sent_cap, left_received_cap;
	int64_t *cuts;
	uint32_t cut_cap;
	/* While the clock is left out, by sent item: where the nearest matched ones before and behind it arrived. */
	uint32_t *mate_before, *mate_behind;
};

/* False when the arrival is proven to be earlier than the sending. */
bool match_is_causal(struct matcher *m, const struct item *sent, const struct item *received);

/* Matches m->sent with m->received; mss: see traits. Fills states, mates and both run lists. */
void match_lanes(struct matcher *m, uint32_t mss);
void matcher_release(struct matcher *m);

/* Marks open items of both lanes that are the same packet (a third vantage point in between lacks it). */
void match_elsewhere(struct lane *sent, struct lane *received, const struct match_traits *traits);
