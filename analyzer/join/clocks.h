/* clocks: the clocks of all vantage points of a run, from what their packets show. */
#pragma once

#include "join/clock.h"
#include "join/flow.h"

/* Frames of one vantage point that another one recorded too, first and last in its files. first >
 * last: none. */
struct clock_span {
	uint32_t first, last;
};

/* Two vantage points that recorded the same packets, u < v. */
struct clock_ends {
	uint32_t u, v;
};

struct clock_pair {
	struct clock_model model;     /* of v's clock over u's time */
	struct clock_span arrived[2]; /* u's frames that v has too; v's that u has */
};

struct clocks {
	const struct dataset *data;
	uint32_t n;			  /* vantage points */
	uint32_t reference;		  /* index */
	struct hashmap pairs;		  /* struct clock_ends -> struct clock_pair */
	uint32_t *related;		  /* whose clocks a model relates to v's, ascending ... */
	uint32_t *related_begin;	  /* ... from related[related_begin[v]] on */
	struct clock_model *to_reference; /* [v]: C_v - C_reference over v's stamps, by from_ns */
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

/* Steady time of a segment at its vantage point: what the functions below take. */
static inline int64_t clocks_time(const struct clocks *c, uint32_t vantage, const struct segment *s)
{
	return steady_time(&c->data->vantages[vantage].steady, s->frame, s->time_ns);
}

/* What two vantage points share, in any order; empty where that is nothing. */
const struct clock_pair *clocks_pair(const struct clocks *c, uint32_t a, uint32_t b);

/* Bounds on C_to - C_from at from's steady time t. Neither bound: they share nothing. */
struct clock_bounds clocks_between(const struct clocks *c, uint32_t from, uint32_t to, int64_t t);

/* Did neither clock step between two segments of one vantage point, for all that is known? Then
 * what one took from stamp to stamp says what another takes. */
bool clocks_held(const struct clocks *c, uint32_t from, uint32_t to, const struct segment *a,
	const struct segment *b);

/* Did frames of one vantage point before and after this one reach the other? Order proves it,
 * without any clock. */
static inline bool clocks_is_bracketed(
	const struct clocks *c, uint32_t from, uint32_t to, uint32_t frame)
{
	const struct clock_span *s = &clocks_pair(c, from, to)->arrived[from > to];

	return s->first <= frame && frame <= s->last;
}

/* A stretch of time for which one answer is good enough: 2^23 ns, in which skew moves bounds by 8
 * us at most. */
#define CLOCK_STRETCH_BITS 23
#define CLOCK_MEMO_SIZE 256 /* stretches and pairs that flows of one time ask for */

/*
 * clocks_between() with a cache for one thread: thousands of flows ask for the same stretch. Bounds
 * are those of the stretch's middle, so that results do not depend on the order of questions.
 * Initialise to zero except clocks.
 */
struct clock_memo {
	const struct clocks *clocks;
	struct clock_memo_entry {
		int64_t stretch; /* + 1; 0: free */
		uint32_t from, to;
		struct clock_bounds bounds;
	} entries[CLOCK_MEMO_SIZE];
};

/* Computes a missing entry and caches it, unless a clock stepped. */
struct clock_bounds clock_memo_missing(struct clock_memo *m, uint32_t from, uint32_t to, int64_t t);

static inline struct clock_memo_entry *clock_memo_place(
	struct clock_memo *m, uint32_t from, uint32_t to, int64_t stretch)
{
	return &m->entries[((uint64_t)stretch + from * 37 + to * 101) % CLOCK_MEMO_SIZE];
}

/* Where some clock stepped, the exact bounds: within a stretch they jump. */
static inline struct clock_bounds clock_memo_between(
	struct clock_memo *m, uint32_t from, uint32_t to, int64_t t)
{
	int64_t stretch = t >> CLOCK_STRETCH_BITS;
	const struct clock_memo_entry *e = clock_memo_place(m, from, to, stretch);

	if (e->stretch == stretch + 1 && e->from == from && e->to == to)
		return e->bounds;
	return clock_memo_missing(m, from, to, t);
}

/* from's stamp t on the reference clock, by the middle of the interval (or the bound there is). */
int64_t clocks_to_reference(const struct clocks *c, uint32_t from, int64_t t);

/* The same for a segment, whose place in its file tells which of two seconds it is where from's
 * clock showed them twice. */
int64_t clocks_segment_to_reference(const struct clocks *c, uint32_t from, const struct segment *s);
