/*
 * clock: how far apart the clocks of two vantage points are: an interval, never a bare number.
 *
 * A packet on its way from u to v shows C_v - C_u <= t_v - t_u, one on its way back shows
 * C_v - C_u >= t_v - t_u: one-way delays are never negative (RFC 5905 section 8 rests on the
 * same bound; Paxson, SIGMETRICS 1998; the feasible line of Moon, Skelly, Towsley, INFOCOM 1999).
 * Packets of all flows are pooled, since the clock is the host's.
 *
 * Time stamps are noisy: limited resolution, and a delay between wire and file. Bounds that
 * contradict each other by less than a step measure this noise; every bound is relaxed by that
 * amount. Times are steady ones (flow/steady.h); offsets are differences of stamps.
 */
#pragma once

#include "join/clock_samples.h"

/* Two free-running clocks drift apart by 500 ppm each at most (NTP's limit, RFC 5905). */
#define CLOCK_SKEW_MAX 0.001

/* One piece: two lines over u's time that enclose every C_v - C_u consistent with the samples. */
struct clock_piece {
	int64_t from_ns, to_ns;		    /* u's time */
	int64_t other_from_ns, other_to_ns; /* v's */
	int64_t shift_u, shift_v;	    /* steady time minus stamp, at either */
	bool has_low, has_high;
	double low, high; /* at from_ns, nanoseconds */
	double slope;	  /* ns per ns, of both lines; 0 where the samples leave it open */
	double slope_low, slope_high; /* the rates consistent with the samples: outside of the piece
					 the bounds diverge at these */
	int64_t turn_ns, other_turn_ns; /* where alone u's clock (v's) was set back since the piece
					   before, its steady time; 0: nowhere */
	bool step_before; /* the offset jumped between the piece before and this one */
	bool continues;	  /* the piece before ended only for its length */
	uint32_t samples;
};

struct clock_model {
	struct clock_piece *pieces; /* by time */
	uint32_t count, cap;
	uint32_t outliers; /* bounds left out because they stand alone against all others */
	double noise_ns;   /* by which bounds contradict each other */
	bool stepped;	   /* some piece has step_before */
};

/*
 * Fits pieces to samples. As long as one line fits between the bounds it is one piece (of ten
 * minutes at most: clocks wander). If no line fits, a single bound that contradicts many is dropped
 * as an outlier. If several contradict several, the clock stepped, or its rate changed if drift
 * alone explains them. If t_v - t_u moves by the same amount in both directions, the clock stepped
 * too, even though no bound is violated. quantum_ns: the resolution of both clocks' stamps.
 */
void clock_fit(const struct clock_samples *s, int64_t quantum_ns, struct clock_model *ret);
void clock_model_release(struct clock_model *m);

/* The interval of C_v - C_u. */
struct clock_bounds {
	bool has_low, has_high;
	int64_t low, high;
	int64_t there_ns; /* the other vantage point's steady time, by the middle */
	bool beyond; /* before the first or after the last sample: a step there would not show */
	bool turned; /* a clock was set between this time and samples that bound it, before or
			behind it for all that is known: a bound that is missing may be anything */
};

/* Do the clocks tell when something happened, within the largest delay that counts? */
static inline bool clock_bounds_tell(struct clock_bounds b)
{
	return b.turned ? b.has_low && b.has_high : b.has_low || b.has_high;
}

/* The middle; or the bound there is; or 0. */
int64_t clock_bounds_middle(struct clock_bounds b);

/* Is no step known between two of u's (v's: other) times? False too where one of them lies beside a
 * step. */
bool clock_is_one_piece(const struct clock_model *m, int64_t a, int64_t b, bool other);

/* Its line at u's time t, which may lie anywhere. */
struct clock_bounds piece_line(const struct clock_piece *p, int64_t t_u);

/* u's time when v's is t, while the piece holds: by the middle. */
int64_t piece_time_here(const struct clock_piece *p, int64_t t_v);

/* At u's (v's) steady time t; between pieces the union of both neighbours. */
struct clock_bounds clock_at(const struct clock_model *m, int64_t t_u);
struct clock_bounds clock_at_other(const struct clock_model *m, int64_t t_v);
