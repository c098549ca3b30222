/*
 * clock_samples: what packets between two vantage points show of their clocks, in bounded memory.
 *
 * Of each stretch of u's time the two packets are kept that bound the offset C_v - C_u best: the
 * smallest t_v - t_u of those on the way from u to v, and the largest of those on the way back.
 */
#pragma once

#include <stdbool.h>

#include "base/hashmap.h"
#include "flow/steady.h"

struct clock_point {
	int64_t t; /* stamp at u */
	int64_t z; /* stamp at v minus that */
};

/* All of one stretch of u's steady time, between the same turns back of either clock. */
struct clock_sample {
	struct clock_point up, down; /* upper bound, lower bound */
	uint32_t up_n, down_n;	     /* packets; 0: no such bound */
	int64_t shift_u, shift_v;    /* steady time minus stamp, at either */
};

/* Of one ordered pair of vantage points. The stretches widen as time passes. */
struct clock_samples {
	struct hashmap stretches; /* struct clock_stretch -> struct clock_sample */
	int64_t width_ns;
	uint32_t most; /* stretches */
};

struct clock_stretch {
	int64_t index;
	uint32_t turns_u, turns_v;
};

_Static_assert(sizeof(struct clock_stretch) == 16, "hashed as bytes: no padding");

/* One packet, stamped at both. up: it went from u to v. */
struct clock_packet {
	bool up;
	int64_t t_u, t_v;
	struct steady_stretch at_u, at_v;
};

#define CLOCK_STRETCHES_MAX 100000

/* most: stretches that are kept; more, and they become wider. */
void clock_samples_init(struct clock_samples *s, uint32_t most);
void clock_samples_release(struct clock_samples *s);
void clock_samples_add(struct clock_samples *s, const struct clock_packet *p);
void clock_samples_merge(struct clock_samples *into, const struct clock_samples *from);

/* All samples in the order of u's steady time; to be freed. Returns how many. */
uint32_t clock_samples_sorted(const struct clock_samples *s, struct clock_sample **ret);

/* Steady time of u at one of a sample's points. */
static inline int64_t clock_point_steady(const struct clock_sample *s, bool up)
{
	return (up ? s->up.t : s->down.t) + s->shift_u;
}
