#include "join/clocks.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "join/sampling.h"

/* Where a clock was set back once between two shifts of its steady time; 0: not once. */
static int64_t clocks_turn_between(const struct steady *s, int64_t before_ns, int64_t after_ns)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (steady_behind(s, i) == before_ns && s->turns[i].shift_ns == after_ns)
			return s->turns[i].from_ns;
	return 0;
}

/* What moved the offset between two pieces is a turn back, if one lies there, and its place is
 * known. */
static void clocks_place_turns(
	struct clock_model *m, const struct steady *u, const struct steady *v)
{
	for (uint32_t i = 1; i < m->count; i++) {
		struct clock_piece *p = &m->pieces[i], *before = &m->pieces[i - 1];

		if (before->shift_v == p->shift_v)
			p->turn_ns = clocks_turn_between(u, before->shift_u, p->shift_u);
		if (before->shift_u == p->shift_u)
			p->other_turn_ns = clocks_turn_between(v, before->shift_v, p->shift_v);
	}
}

static void clocks_fit_pairs(struct clocks *c, const struct hashmap *sampled)
{
	hashmap_init(
		&c->pairs, sizeof(struct clock_ends), sizeof(struct clock_pair), sampled->count);
	for (uint32_t i = 0; i < sampled->count; i++) {
		const struct clock_ends *ends = hashmap_key(sampled, i);
		const struct sampled_pair *from = hashmap_value(sampled, i);
		bool fresh;
		struct clock_pair *p = hashmap_at(&c->pairs, ends, &fresh);

		memcpy(p->arrived, from->arrived, sizeof(p->arrived));
		clock_fit(&from->samples,
			c->data->vantages[ends->u].span.tick_ns +
				c->data->vantages[ends->v].span.tick_ns,
			&p->model);
		clocks_place_turns(&p->model, &c->data->vantages[ends->u].steady,
			&c->data->vantages[ends->v].steady);
		c->stepped |= p->model.stepped;
	}
}

static int clocks_by_index(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Each vantage point's partners, so that nobody asks all of thousands. */
static void clocks_list_related(struct clocks *c)
{
	uint32_t *begin = mem_array(c->n + 2, sizeof(*begin));

	for (uint32_t i = 0; i < c->pairs.count; i++) {
		const struct clock_ends *ends = hashmap_key(&c->pairs, i);

		if (((const struct clock_pair *)hashmap_value(&c->pairs, i))->model.count) {
			begin[ends->u + 2]++;
			begin[ends->v + 2]++;
		}
	}
	for (uint32_t v = 2; v < c->n + 2; v++)
		begin[v] += begin[v - 1];
	c->related = mem_array(begin[c->n + 1] + 1, sizeof(*c->related));
	/* Filled, begin[v + 1] stands where v's end, which is where those of the next begin. */
	for (uint32_t i = 0; i < c->pairs.count; i++) {
		const struct clock_ends *ends = hashmap_key(&c->pairs, i);

		if (((const struct clock_pair *)hashmap_value(&c->pairs, i))->model.count) {
			c->related[begin[ends->u + 1]++] = ends->v;
			c->related[begin[ends->v + 1]++] = ends->u;
		}
	}
	for (uint32_t v = 0; v < c->n; v++)
		qsort(c->related + begin[v], begin[v + 1] - begin[v], sizeof(*c->related),
			clocks_by_index);
	c->related_begin = begin;
}

/* Those related to a, to b or to both, in ascending order: a way from a to b leads through one of
 * them. */
struct clocks_ways {
	const uint32_t *a, *a_end, *b, *b_end;
};

static struct clocks_ways clocks_ways(const struct clocks *c, uint32_t a, uint32_t b)
{
	return (struct clocks_ways){.a = c->related + c->related_begin[a],
		.a_end = c->related + c->related_begin[a + 1],
		.b = c->related + c->related_begin[b],
		.b_end = c->related + c->related_begin[b + 1]};
}

static bool clocks_next_way(struct clocks_ways *w, uint32_t *ret)
{
	bool a = w->a < w->a_end, b = w->b < w->b_end;

	if (!a && !b)
		return false;
	*ret = a && (!b || *w->a <= *w->b) ? *w->a : *w->b;
	w->a += a && *w->a == *ret;
	w->b += b && *w->b == *ret;
	return true;
}

static struct clock_bounds clocks_negate(struct clock_bounds b)
{
	return (struct clock_bounds){.has_low = b.has_high,
		.has_high = b.has_low,
		.low = -b.high,
		.high = -b.low,
		.there_ns = b.there_ns,
		.beyond = b.beyond,
		.turned = b.turned};
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

const struct clock_pair *clocks_pair(const struct clocks *c, uint32_t a, uint32_t b)
{
	static const struct clock_pair nothing = {
		.arrived = {{.first = UINT32_MAX}, {.first = UINT32_MAX}}};
	struct clock_ends ends = {.u = a < b ? a : b, .v = a < b ? b : a};
	const struct clock_pair *p;

	assert(a != b && a < c->n && b < c->n);
	p = hashmap_get(&c->pairs, &ends);
	return p ? p : &nothing;
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
	const struct clock_model *m = &clocks_pair(c, from, to)->model;
	const struct clock_piece *first = &m->pieces[0],
				 *p = t < (from < to ? first->from_ns : first->other_from_ns)
					      ? first
					      : &m->pieces[m->count - 1];
	/* Set back between then and the piece; below 0: behind it. */
	int64_t here = (from < to ? p->shift_u : p->shift_v) -
		       steady_at(&c->data->vantages[from].steady, t).shift_ns;
	int64_t there = (from < to ? p->shift_v : p->shift_u) -
			steady_at(&c->data->vantages[to].steady, b.there_ns).shift_ns;

	b.low += there - here;
	b.high += there - here;
	b.has_low &= here <= 0 && there >= 0;
	b.has_high &= here >= 0 && there <= 0;
	b.turned = here || there;
	return b;
}

static struct clock_bounds clocks_direct(
	const struct clocks *c, uint32_t from, uint32_t to, int64_t t)
{
	struct clock_bounds b;

	if (clocks_on_one_host(c, from, to))
		return clocks_no_offset(c, from, to, t);
	/* The model runs over the time of the smaller index's clock. */
	b = from < to ? clock_at(&clocks_pair(c, from, to)->model, t)
		      : clocks_negate(clock_at_other(&clocks_pair(c, from, to)->model, t));
	return b.beyond && clocks_bounds_any(b) ? clocks_turned(c, from, to, t, b) : b;
}

bool clocks_held(const struct clocks *c, uint32_t from, uint32_t to, const struct segment *a,
	const struct segment *b)
{
	const struct steady *own = &c->data->vantages[from].steady;

	if (!c->stepped && !own->count)
		return true;
	return steady_stretch(own, a->frame).turns == steady_stretch(own, b->frame).turns &&
	       (clocks_on_one_host(c, from, to) ||
		       clock_is_one_piece(&clocks_pair(c, from, to)->model, clocks_time(c, from, a),
			       clocks_time(c, from, b), from > to));
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
	r.turned |= b.turned;
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
	if (!(a.has_low && a.has_high) && clocks_pair(c, via, to)->model.count > 1)
		return (struct clock_bounds){0};
	b = clocks_direct(c, via, to, a.there_ns);
	return (struct clock_bounds){.has_low = a.has_low && b.has_low,
		.has_high = a.has_high && b.has_high,
		.low = a.low + b.low,
		.high = a.high + b.high,
		.there_ns = b.there_ns,
		.beyond = a.beyond || b.beyond,
		.turned = a.turned || b.turned};
}

struct clock_bounds clocks_between(const struct clocks *c, uint32_t from, uint32_t to, int64_t t)
{
	struct clock_bounds r = clocks_direct(c, from, to, t);
	struct clocks_ways ways;
	uint32_t via;

	if (from == to || c->n < 3)
		return r;
	ways = clocks_ways(c, from, to);
	while (clocks_next_way(&ways, &via))
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

int64_t clocks_segment_to_reference(const struct clocks *c, uint32_t from, const struct segment *s)
{
	struct clock_bounds b;

	if (from == c->reference || !c->data->vantages[from].steady.count)
		return clocks_to_reference(c, from, s->time_ns);
	b = clocks_between(c, from, c->reference, clocks_time(c, from, s));
	return clocks_bounds_any(b) ? s->time_ns + clock_bounds_middle(b)
				    : clocks_to_reference(c, from, s->time_ns);
}

/* Bounds of C_v - C_reference at v's steady time t, tightened by every detour over a third vantage
 * point. */
static struct clock_bounds clocks_tighten(
	const struct clocks *c, uint32_t v, int64_t t, struct clock_bounds b)
{
	struct clocks_ways ways = clocks_ways(c, v, c->reference);
	uint32_t via;

	while (clocks_next_way(&ways, &via))
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

/* A stretch of v's steady time for which nothing relates it to the reference but detours. */
static void clocks_add_stretch(
	struct clocks *c, uint32_t v, int64_t from_ns, int64_t to_ns, int64_t shift_ns)
{
	clocks_add_piece(c, v, (struct clock_piece){.from_ns = from_ns, .to_ns = to_ns},
		(struct clock_bounds){0}, (struct clock_bounds){0}, shift_ns);
}

/* The first that relates v to the reference; the number of vantage points: none does. */
static uint32_t clocks_find_between(const struct clocks *c, uint32_t v)
{
	struct clocks_ways ways = clocks_ways(c, v, c->reference);
	uint32_t via;

	while (clocks_next_way(&ways, &via))
		if (via != v && via != c->reference && clocks_pair(c, v, via)->model.count &&
			clocks_pair(c, via, c->reference)->model.count)
			return via;
	return c->n;
}

/* v's time when via's is t, or the first (side -1: the last) from which the way back leads to no
 * time before (behind) t: times round, and a nanosecond off a piece its bounds are those of two. */
static int64_t clocks_time_within(
	const struct clocks *c, uint32_t via, uint32_t v, int64_t t, int side)
{
	int64_t there = clocks_direct(c, via, v, t).there_ns;
	int64_t back = clocks_direct(c, v, via, there).there_ns;

	return side * (t - back) > 0 ? there + (t - back) + side : there;
}

/* A piece of v's clock against another's, cut where that one stepped against the reference. */
static void clocks_add_through(
	struct clocks *c, uint32_t v, uint32_t via, const struct clock_piece *p)
{
	const struct clock_model *onward = &clocks_pair(c, via, c->reference)->model;
	bool other = v > via, other_via = via > c->reference;
	int64_t from = other ? p->other_from_ns : p->from_ns,
		to = other ? p->other_to_ns : p->to_ns, shift = other ? p->shift_v : p->shift_u;

	for (uint32_t i = 1; i < onward->count; i++) {
		const struct clock_piece *before = &onward->pieces[i - 1],
					 *after = &onward->pieces[i];
		int64_t until = other_via ? before->other_to_ns : before->to_ns,
			since = other_via ? after->other_from_ns : after->from_ns;

		if (!after->step_before)
			continue;
		until = clocks_time_within(c, via, v, until, -1);
		since = clocks_time_within(c, via, v, since, 1);
		if (until >= to || since <= from)
			continue;
		if (until > from)
			clocks_add_stretch(c, v, from, until, shift);
		from = since;
	}
	if (from <= to)
		clocks_add_stretch(c, v, from, to, shift);
}

/* v's clock against the reference without a model of both: piece by piece of one through which they
 * are related, else all in one. */
static void clocks_relate_through(struct clocks *c, uint32_t v)
{
	const struct vantage *seen = &c->data->vantages[v];
	uint32_t via = clocks_find_between(c, v);
	const struct clock_model *between;

	if (via == c->n) {
		clocks_add_stretch(c, v, seen->span.first_ns, seen->span.last_ns, 0);
		return;
	}
	between = &clocks_pair(c, v, via)->model;
	for (uint32_t i = 0; i < between->count; i++)
		clocks_add_through(c, v, via, &between->pieces[i]);
}

/* v's clock against the reference, piece by piece of their direct model. */
static void clocks_relate(struct clocks *c, uint32_t v)
{
	const struct clock_model *m = &clocks_pair(c, v, c->reference)->model;
	const struct vantage *seen = &c->data->vantages[v];

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
		clocks_relate_through(c, v);
	if (c->to_reference[v].count > 1)
		qsort(c->to_reference[v].pieces, c->to_reference[v].count,
			sizeof(struct clock_piece), clocks_by_begin);
}

/* Against how many others a clock stepped. */
static uint32_t clocks_count_steps(const struct clocks *c, uint32_t v)
{
	uint32_t n = 0;

	for (uint32_t i = c->related_begin[v]; i < c->related_begin[v + 1]; i++)
		n += clocks_pair(c, v, c->related[i])->model.stepped;
	return n;
}

/*
 * Of those that something relates to others (against one that nothing does, none would be known)
 * the one that was set back least often, for a time that it shows twice is no time to put others
 * on; then the one that fewest others saw step; then the first.
 */
static uint32_t clocks_choose_reference(const struct clocks *c)
{
	uint32_t best = c->n;

	for (uint32_t v = 0; v < c->n; v++) {
		uint32_t turns = c->data->vantages[v].steady.count, least;

		if (c->related_begin[v] == c->related_begin[v + 1])
			continue;
		least = best < c->n ? c->data->vantages[best].steady.count : UINT32_MAX;
		if (turns < least ||
			(turns == least && clocks_count_steps(c, v) < clocks_count_steps(c, best)))
			best = v;
	}
	return best < c->n ? best : 0;
}

void clocks_make(struct dataset *data, const struct flows *all, unsigned threads,
	int64_t delay_max_ns, struct clocks *ret)
{
	struct hashmap sampling;

	*ret = (struct clocks){
		.data = data, .n = data->vantage_count, .delay_max_ns = delay_max_ns};
	ret->to_reference = mem_array(ret->n + 1, sizeof(*ret->to_reference));
	sampling_run(data, all, threads, &sampling);
	clocks_fit_pairs(ret, &sampling);
	sampling_release(&sampling);
	clocks_list_related(ret);
	ret->reference = clocks_choose_reference(ret);
	for (uint32_t v = 0; v < ret->n; v++)
		if (v != ret->reference)
			clocks_relate(ret, v);
}

void clocks_release(struct clocks *c)
{
	for (uint32_t i = 0; i < c->pairs.count; i++)
		clock_model_release(&((struct clock_pair *)hashmap_value(&c->pairs, i))->model);
	for (uint32_t i = 0; i < c->n; i++)
		clock_model_release(&c->to_reference[i]);
	hashmap_release(&c->pairs);
	free(c->related);
	free(c->related_begin);
	free(c->to_reference);
	*c = (struct clocks){0};
}
