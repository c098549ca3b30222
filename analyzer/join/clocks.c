#include "join/clocks.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "join/sampling.h"

static void clocks_fit_pairs(struct clocks *c, const struct clock_samples *samples)
{
	for (uint32_t u = 0; u < c->n; u++) {
		for (uint32_t v = u + 1; v < c->n; v++) {
			struct clock_model *m = &c->pairs[u * c->n + v];

			clock_fit(&samples[u * c->n + v],
				c->data->vantages[u].span.tick_ns +
					c->data->vantages[v].span.tick_ns,
				m);
			c->stepped |= m->stepped;
		}
	}
}

static struct clock_bounds clocks_negate(struct clock_bounds b)
{
	return (struct clock_bounds){.has_low = b.has_high,
		.has_high = b.has_low,
		.low = -b.high,
		.high = -b.low,
		.there_ns = b.there_ns,
		.beyond = b.beyond};
}

static bool clocks_on_one_host(const struct clocks *c, uint32_t a, uint32_t b)
{
	return c->data->vantages[a].host == c->data->vantages[b].host;
}

/* One clock, two vantage points: each has its own steady time, but a turn back is one for both. */
static struct clock_bounds clocks_no_offset(
	const struct clocks *c, uint32_t from, uint32_t to, int64_t t)
{
	struct steady_stretch here = steady_at(&c->data->vantages[from].steady, t);

	return (struct clock_bounds){.has_low = true,
		.has_high = true,
		.there_ns = t - here.shift_ns +
			    steady_behind(&c->data->vantages[to].steady, here.turns)};
}

static const struct clock_model *clocks_pair(const struct clocks *c, uint32_t a, uint32_t b)
{
	assert(a != b && a < c->n && b < c->n);
	return &c->pairs[a < b ? a * c->n + b : b * c->n + a];
}

static bool clocks_bounds_any(struct clock_bounds b)
{
	return b.has_low || b.has_high;
}

/*
 * Beyond the samples clocks go on as steady time does, and a turn back of either is known from its
 * own file: its size but for the time that passed between two frames, which only the other clock
 * could tell.
 */
static struct clock_bounds clocks_turned(
	const struct clocks *c, uint32_t from, uint32_t to, int64_t t, struct clock_bounds b)
{
	int64_t here = t - steady_at(&c->data->vantages[from].steady, t).shift_ns;
	int64_t there = b.there_ns - steady_at(&c->data->vantages[to].steady, b.there_ns).shift_ns;
	int64_t moved = there - here - clock_bounds_middle(b);

	b.low += moved;
	b.high += moved;
	b.has_high &= moved <= 0;
	b.has_low &= moved >= 0;
	return b;
}

static struct clock_bounds clocks_direct(
	const struct clocks *c, uint32_t from, uint32_t to, int64_t t)
{
	struct clock_bounds b;

	if (clocks_on_one_host(c, from, to))
		return clocks_no_offset(c, from, to, t);
	/* The model runs over the time of the smaller index's clock. */
	b = from < to ? clock_at(clocks_pair(c, from, to), t)
		      : clocks_negate(clock_at_other(clocks_pair(c, from, to), t));
	return b.beyond && clocks_bounds_any(b) ? clocks_turned(c, from, to, t, b) : b;
}

/*
 * The tighter of two intervals for one offset; a contradiction keeps the first. What lies between
 * samples knows of steps that what lies beyond them does not.
 */
static struct clock_bounds clocks_intersect(struct clock_bounds a, struct clock_bounds b)
{
	struct clock_bounds r = a;

	if (a.beyond != b.beyond && clocks_bounds_any(a) && clocks_bounds_any(b))
		return a.beyond ? b : a;
	if (b.has_low && (!r.has_low || b.low > r.low)) {
		r.low = b.low;
		r.has_low = true;
	}
	if (b.has_high && (!r.has_high || b.high < r.high)) {
		r.high = b.high;
		r.has_high = true;
	}
	return r.has_low && r.has_high && r.low > r.high ? a : r;
}

/*
 * Bounds by way of a third vantage point, whose time then is known only where both bounds are: with
 * one it may be any piece of its model that holds, which matters unless it has one piece.
 */
static struct clock_bounds clocks_detour(
	const struct clocks *c, uint32_t from, uint32_t via, uint32_t to, int64_t t)
{
	struct clock_bounds a = clocks_direct(c, from, via, t), b;

	if (!clocks_bounds_any(a))
		return (struct clock_bounds){0};
	if (!(a.has_low && a.has_high) && clocks_pair(c, via, to)->count > 1)
		return (struct clock_bounds){0};
	b = clocks_direct(c, via, to, a.there_ns);
	return (struct clock_bounds){.has_low = a.has_low && b.has_low,
		.has_high = a.has_high && b.has_high,
		.low = a.low + b.low,
		.high = a.high + b.high,
		.there_ns = b.there_ns,
		.beyond = a.beyond || b.beyond};
}

struct clock_bounds clocks_between(const struct clocks *c, uint32_t from, uint32_t to, int64_t t)
{
	struct clock_bounds r = clocks_direct(c, from, to, t);

	if (from == to || c->n < 3)
		return r;
	for (uint32_t via = 0; via < c->n; via++)
		if (via != from && via != to)
			r = clocks_intersect(r, clocks_detour(c, from, via, to, t));
	return r;
}

NOINLINE struct clock_bounds clock_memo_missing(
	struct clock_memo *m, uint32_t from, uint32_t to, int64_t t)
{
	int64_t stretch = t >> CLOCK_STRETCH_BITS;
	int64_t middle = (stretch << CLOCK_STRETCH_BITS) + (INT64_C(1) << (CLOCK_STRETCH_BITS - 1));
	struct clock_memo_entry *e = clock_memo_place(m, from, to, stretch);

	if (m->clocks->stepped)
		return clocks_between(m->clocks, from, to, t);
	*e = (struct clock_memo_entry){.stretch = stretch + 1,
		.from = from,
		.to = to,
		.bounds = clocks_between(m->clocks, from, to, middle)};
	return e->bounds;
}

/* The piece that began last by then, as in the database, which knows stamps alone. */
int64_t clocks_to_reference(const struct clocks *c, uint32_t from, int64_t t)
{
	const struct clock_model *m = &c->to_reference[from];
	uint32_t low = 0, high = m->count;

	if (!m->count)
		return t;
	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (m->pieces[middle].from_ns <= t)
			low = middle;
		else
			high = middle;
	}
	return t - clock_bounds_middle(piece_line(&m->pieces[low], t));
}

/* Bounds of C_v - C_reference at v's steady time t, tightened by every detour over a third vantage
 * point. */
static struct clock_bounds clocks_tighten(
	const struct clocks *c, uint32_t v, int64_t t, struct clock_bounds b)
{
	for (uint32_t via = 0; via < c->n; via++)
		if (via != v && via != c->reference)
			b = clocks_intersect(
				b, clocks_negate(clocks_detour(c, v, via, c->reference, t)));
	return b;
}

/* A piece of v's clock against the reference, whose own times are v's stamps; bounds at its ends
 * without detours. */
static void clocks_add_piece(struct clocks *c, uint32_t v, struct clock_piece p,
	struct clock_bounds from, struct clock_bounds to, int64_t shift_ns)
{
	struct clock_model *out = &c->to_reference[v];
	double moved = p.slope * (double)(p.to_ns - p.from_ns);

	from = clocks_tighten(c, v, p.from_ns, from);
	to = clocks_tighten(c, v, p.to_ns, to);
	p.has_low = from.has_low && to.has_low;
	p.has_high = from.has_high && to.has_high;
	if (!p.has_low && !p.has_high)
		return;
	/* Lines of one slope that hold what is known at both ends. */
	p.low = fmin((double)from.low, (double)to.low - moved);
	p.high = fmax((double)from.high, (double)to.high - moved);
	p.from_ns -= shift_ns;
	p.to_ns -= shift_ns;
	p.shift_u = p.shift_v = 0;
	MEM_RESERVE(out->pieces, out->count, out->cap);
	out->pieces[out->count++] = p;
}

static int clocks_by_begin(const void *a, const void *b)
{
	const struct clock_piece *x = a, *y = b;

	return (x->from_ns > y->from_ns) - (x->from_ns < y->from_ns);
}

/* v's clock against the reference, piece by piece of their direct model; without one, all in one.
 */
static void clocks_relate(struct clocks *c, uint32_t v)
{
	const struct clock_model *m = clocks_pair(c, v, c->reference);
	const struct vantage *seen = &c->data->vantages[v];
	struct clock_piece whole = {.from_ns = seen->span.first_ns, .to_ns = seen->span.last_ns};

	for (uint32_t i = 0; i < m->count; i++) {
		const struct clock_piece *direct = &m->pieces[i];
		struct clock_piece p = *direct;

		/* The model is of the larger index's clock over the smaller one's time. */
		if (v > c->reference) {
			p.from_ns = p.other_from_ns;
			p.to_ns = p.other_to_ns;
			clocks_add_piece(c, v, p,
				piece_line(direct, piece_time_here(direct, p.from_ns)),
				piece_line(direct, piece_time_here(direct, p.to_ns)), p.shift_v);
		} else {
			p.slope = -p.slope;
			clocks_add_piece(c, v, p, clocks_negate(piece_line(direct, p.from_ns)),
				clocks_negate(piece_line(direct, p.to_ns)), p.shift_u);
		}
	}
	if (!m->count && seen->span.first_ns <= seen->span.last_ns &&
		!clocks_on_one_host(c, v, c->reference))
		clocks_add_piece(
			c, v, whole, (struct clock_bounds){0}, (struct clock_bounds){0}, 0);
	if (c->to_reference[v].count > 1)
		qsort(c->to_reference[v].pieces, c->to_reference[v].count,
			sizeof(struct clock_piece), clocks_by_begin);
}

/* Do packets relate this clock to another host's? */
static bool clocks_is_related(const struct clocks *c, uint32_t v)
{
	for (uint32_t other = 0; other < c->n; other++)
		if (other != v && !clocks_on_one_host(c, v, other) &&
			clocks_pair(c, v, other)->count)
			return true;
	return false;
}

/* The first that something relates to others: against one that nothing does, none would be known.
 */
static uint32_t clocks_choose_reference(const struct clocks *c)
{
	for (uint32_t v = 0; v < c->n; v++)
		if (clocks_is_related(c, v))
			return v;
	return 0;
}

void clocks_make(struct dataset *data, const struct flows *all, unsigned threads,
	int64_t delay_max_ns, struct clocks *ret)
{
	struct sampling sampling;

	*ret = (struct clocks){
		.data = data, .n = data->vantage_count, .delay_max_ns = delay_max_ns};
	ret->pairs = mem_array((size_t)ret->n * ret->n + 1, sizeof(*ret->pairs));
	ret->to_reference = mem_array(ret->n + 1, sizeof(*ret->to_reference));
	sampling_run(data, all, threads, &sampling);
	clocks_fit_pairs(ret, sampling.samples);
	ret->arrived = sampling.arrived;
	sampling.arrived = NULL;
	sampling_release(&sampling);
	ret->reference = clocks_choose_reference(ret);
	for (uint32_t v = 0; v < ret->n; v++)
		if (v != ret->reference)
			clocks_relate(ret, v);
}

void clocks_release(struct clocks *c)
{
	for (uint32_t i = 0; i < c->n * c->n; i++)
		clock_model_release(&c->pairs[i]);
	for (uint32_t i = 0; i < c->n; i++)
		clock_model_release(&c->to_reference[i]);
	free(c->pairs);
	free(c->to_reference);
	free(c->arrived);
	*c = (struct clocks){0};
}
