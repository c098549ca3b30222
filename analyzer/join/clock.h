/*
 * clock: how far apart the clocks of two vantage points are: an interval, never a bare number.
 *
 * A packet on its way from u to v shows C_v - C_u <= t_v - t_u, one on its way back shows
 * C_v - C_u >= t_v - t_u: one-way delays are never negative (RFC 5905 section 8 rests on the
 * same bound; Paxson, SIGMETRICS 1998; the feasible line of Moon, Skelly, Towsley, INFOCOM 1999).
 * Packets of all flows are pooled, since the clock is the host's.
 */
#pragma once

#include "join/flow.h"

/* Extremes of t_v - t_u in one stretch of u's time. */
struct clock_sample {
	int64_t up_t, up_z;	/* smallest on the way u to v (an upper bound); up_n 0: none */
	int64_t down_t, down_z; /* largest on the way v to u (a lower bound) */
	uint32_t up_n, down_n;
};

/* Samples of one ordered pair of vantage points, u < v. Bounded: stretches widen as time passes. */
struct clock_samples {
	struct hashmap stretches; /* int64_t index -> struct clock_sample */
	int64_t width_ns;
};

void clock_samples_init(struct clock_samples *s);
void clock_samples_release(struct clock_samples *s);
void clock_samples_add(struct clock_samples *s, int64_t t_u, int64_t z, bool up);
void clock_samples_merge(struct clock_samples *into, const struct clock_samples *from);

/* One piece: bounds on C_v - C_u as lines over u's time. */
struct clock_piece {
	int64_t from_ns, to_ns;	     /* u's time */
	bool has_low, has_high;
	double low, high;	     /* at from_ns, nanoseconds */
	double slope;		     /* ns per ns, of both lines */
	bool step_before;	     /* the offset jumped between the piece before and this one */
	uint32_t samples;
};

struct clock_model {
	struct clock_piece *pieces;
	uint32_t count, cap;
	uint32_t outliers; /* stretches left out because they fit no piece */
	bool stepped;	   /* some piece has step_before */
};

/*
 * Fits pieces to samples: as long as one line with at most skew_max fits between the bounds, it
 * is one piece (of ten minutes at most: clocks wander); where none fits and the samples behind
 * agree, the clock stepped. quantum_ns widens the bounds by the resolution of the time stamps.
 */
void clock_fit(const struct clock_samples *s, double skew_max, int64_t quantum_ns, struct clock_model *ret);
void clock_model_release(struct clock_model *m);

/* The interval of C_v - C_u. */
struct clock_bounds {
	bool has_low, has_high;
	int64_t low, high;
};

/* The middle; or the bound there is; or 0. */
int64_t clock_bounds_middle(struct clock_bounds b);

struct clock_bounds piece_bounds(const struct clock_piece *p, int64_t t_u);

/* At u's time t; between pieces the union of both neighbours. */
struct clock_bounds clock_at(const struct clock_model *m, int64_t t_u);

/*
 * The same when v's clock shows t. A clock that stepped back showed a time twice: the union of all
 * pieces that may hold then.
 */
struct clock_bounds clock_at_other(const struct clock_model *m, int64_t t_v);

/* All models of a run. */
struct clocks {
	const struct dataset *data;
	uint32_t n;		    /* vantage points */
	uint32_t reference;	    /* index */
	struct clock_model *pairs;  /* [u * n + v], u < v */
	struct clock_model *to_reference; /* [v]: C_v - C_reference over v's time */
	int64_t delay_max_ns;
	bool stepped; /* some model is */
};

/*
 * Samples all flows with threads threads and fits every pair of vantage points that share
 * packets; then derives each vantage point's model against the reference, directly or through
 * others (intervals add; every detour may tighten).
 */
void clocks_make(struct dataset *data, const struct flows *all, unsigned threads,
	int64_t delay_max_ns, struct clocks *ret);
void clocks_release(struct clocks *c);

/* Bounds on C_to - C_from when from's clock shows t. Neither bound: they share nothing. */
struct clock_bounds clocks_between(const struct clocks *c, uint32_t from, uint32_t to, int64_t t);

/* A stretch of time for which one answer is good enough: 2^23 ns, in which skew moves bounds by 8 us at most. */
#define CLOCK_STRETCH_BITS 23
#define CLOCK_MEMO_SIZE 256 /* stretches and pairs that flows of one time ask for */

/*
 * clocks_between() for one thread, with what it answered lately: thousands of flows ask for the
 * same stretch. Bounds are those of the stretch's middle, whoever asks first. Zeroed but for clocks.
 */
struct clock_memo {
	const struct clocks *clocks;
	struct clock_memo_entry {
		int64_t stretch; /* + 1; 0: free */
		uint32_t from, to;
		struct clock_bounds bounds;
	} entries[CLOCK_MEMO_SIZE];
};

/* What the memo does not have; in it after that, unless some clock stepped. */
struct clock_bounds clock_memo_missing(struct clock_memo *m, uint32_t from, uint32_t to, int64_t t);

static inline struct clock_memo_entry *clock_memo_place(struct clock_memo *m, uint32_t from, uint32_t to, int64_t stretch)
{
	return &m->entries[((uint64_t)stretch + from * 37 + to * 101) % CLOCK_MEMO_SIZE];
}

/* Where some clock stepped, the exact bounds: within a stretch they jump. */
static inline struct clock_bounds clock_memo_between(struct clock_memo *m, uint32_t from, uint32_t to, int64_t t)
{
	int64_t stretch = t >> CLOCK_STRETCH_BITS;
	const struct clock_memo_entry *e = clock_memo_place(m, from, to, stretch);

	if (e->stretch == stretch + 1 && e->from == from && e->to == to)
		return e->bounds;
	return clock_memo_missing(m, from, to, t);
}

/* from's time t on the reference clock, by the middle of the interval (or the bound there is). */
int64_t clocks_to_reference(const struct clocks *c, uint32_t from, int64_t t);
