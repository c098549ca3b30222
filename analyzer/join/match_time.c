#include "join/match_time.h"

#include <assert.h>

#include "base/nsec.h"

/* Delays that are tried for records that nothing but time tells apart, and arrivals that try them.
 */
#define TRIED_DELAYS 64
#define TRIED_ARRIVALS 256

static int64_t time_of(const struct half_flow *l, const struct keyed *row)
{
	return l->transmissions[row->at].seg->time_ns;
}

/*
 * Records of one key, the few of which each has its mate among the many: the fewer ones in order,
 * and the difference between a mate's time and their own. sign: 1 where the few are the arrivals.
 */
struct alignment {
	const struct half_flow *few_half, *many_half;
	const struct keyed *few, *many;
	uint32_t few_count, many_count;
	int64_t sign;
};

static struct alignment match_time_alignment_of(const struct matcher *m, const struct group *g)
{
	if (g->sent_count >= g->received_count)
		return (struct alignment){.few_half = m->received,
			.many_half = m->sent,
			.few = g->received,
			.many = g->sent,
			.few_count = g->received_count,
			.many_count = g->sent_count,
			.sign = 1};
	return (struct alignment){.few_half = m->sent,
		.many_half = m->received,
		.few = g->sent,
		.many = g->received,
		.few_count = g->sent_count,
		.many_count = g->received_count,
		.sign = -1};
}

/* Where a mate of one of the few would stand in time. */
static int64_t match_time_mate_time(const struct alignment *a, uint32_t few, int64_t delay)
{
	return time_of(a->few_half, &a->few[few]) - a->sign * delay;
}

static int64_t match_time_distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

struct misfit {
	int64_t spread, mean; /* of how far each of the few is from the nearest of the many; mean:
				 with its sign */
};

static struct misfit match_time_misfit_of(const struct alignment *a, int64_t delay)
{
	uint32_t at = 0, n = a->few_count < TRIED_ARRIVALS ? a->few_count : TRIED_ARRIVALS;
	struct misfit f = {0};

	for (uint32_t i = 0; i < n; i++) {
		int64_t want = match_time_mate_time(a, i, delay);

		while (at + 1 < a->many_count &&
			match_time_distance(time_of(a->many_half, &a->many[at + 1]), want) <=
				match_time_distance(time_of(a->many_half, &a->many[at]), want))
			at++;
		f.mean += (want - time_of(a->many_half, &a->many[at])) / n;
		f.spread += match_time_distance(time_of(a->many_half, &a->many[at]), want) / n;
	}
	return f;
}

/* Is a delay less than nothing, by the clocks? */
static bool match_time_rhythm_is_possible(
	struct matcher *m, const struct alignment *a, uint32_t many)
{
	const struct transmission *x = &a->few_half->transmissions[a->few[0].at],
				  *y = &a->many_half->transmissions[a->many[many].at];

	return a->sign > 0 ? match_is_causal(m, y, x) : match_is_causal(m, x, y);
}

/*
 * The delay by which the few fit the many best, where no other datagram tells: about that of the
 * first with one of the first. Regular senders fit with each; then it is the first, which is seldom
 * lost.
 */
static int64_t match_time_best_delay(struct matcher *m, const struct alignment *a)
{
	uint32_t spare = a->many_count - a->few_count,
		 n = spare < TRIED_DELAYS ? spare + 1 : TRIED_DELAYS;
	int64_t best = 0, least = INT64_MAX;

	for (uint32_t i = 0; i < n; i++) {
		int64_t delay = a->sign * (time_of(a->few_half, &a->few[0]) -
						  time_of(a->many_half, &a->many[i])),
			spread;

		if (i && !match_time_rhythm_is_possible(m, a, i))
			continue;
		/* The first may have been quicker or slower than most. */
		delay += a->sign * match_time_misfit_of(a, delay).mean;
		spread = match_time_misfit_of(a, delay).spread;
		if (least != INT64_MAX && spread >= least - least / 4 - NSEC_PER_USEC)
			continue;
		least = spread;
		best = delay;
	}
	return best;
}

static void match_time_pair_rows(
	struct matcher *m, const struct alignment *a, uint32_t few, uint32_t many)
{
	if (a->sign > 0)
		matcher_pair(m, a->many[many].at, a->few[few].at);
	else
		matcher_pair(m, a->few[few].at, a->many[many].at);
}

/*
 * In order, each of the few with the one of the many whose time fits best, while enough of them are
 * left for the rest. What the way takes moves along slowly.
 */
static void match_time_align(struct matcher *m, const struct alignment *a, int64_t delay)
{
	uint32_t next = 0, ahead = 0, same = 0;

	assert(a->few_count > 0 && a->few_count <= a->many_count);
	for (uint32_t i = 0; i < a->few_count; i++) {
		uint32_t last = a->many_count - (a->few_count - i), at;
		int64_t want = match_time_mate_time(a, i, delay), x;

		/* same: the first of those that have the time of the last one that is not behind
		 * it. */
		for (; ahead <= last && (x = time_of(a->many_half, &a->many[ahead])) <= want;
			ahead++)
			if (x != time_of(a->many_half, &a->many[same]))
				same = ahead;
		at = same;
		if (ahead <= last &&
			(!ahead || time_of(a->many_half, &a->many[ahead]) - want <
					   want - time_of(a->many_half, &a->many[same])))
			at = ahead;
		at = at < next ? next : at;
		assert(at <= last);
		match_time_pair_rows(m, a, i, at);
		delay += (a->sign * (time_of(a->few_half, &a->few[i]) -
					    time_of(a->many_half, &a->many[at])) -
				 delay) /
			 8;
		next = at + 1;
	}
}

void match_in_time(struct matcher *m, const struct group *g, int64_t delay)
{
	struct alignment a = match_time_alignment_of(m, g);

	match_time_align(m, &a, delay);
}

void match_by_rhythm(struct matcher *m, const struct group *g)
{
	struct alignment a = match_time_alignment_of(m, g);

	match_time_align(m, &a, match_time_best_delay(m, &a));
}
