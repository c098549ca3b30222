#include "join/clock.h"

#include <math.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "base/parallel.h"
#include "base/seq.h"
#include "join/segment_walk.h"

/* Two free-running clocks drift apart by 500 ppm each at most (NTP's limit, RFC 5905). */
#define SKEW_MAX 0.001
/* How far ahead the other side is searched for the same segment. */
#define LOOK_AHEAD 24
/* Conversations and about as many frames are sampled at first; all of them when some pair then lacks a direction. */
#define SAMPLED_CONVERSATIONS 4000
#define SAMPLED_FRAMES 600000
#define SAMPLED_LEAST 1000 /* flows, however long */

/* One side's walk over segments that carry something new: first transmissions only. */
struct fresh_walk {
	struct segment_walk walk;
	const struct segment *ring[LOOK_AHEAD]; /* looked at, not matched yet */
	uint32_t head, count;
	uint32_t delta, ack_delta;
	uint32_t end, ack;    /* highest so far, in the first member's numbers */
	bool started, tcp;
};

static bool is_fresh(struct fresh_walk *w, const struct segment *s)
{
	uint32_t end = s->seq - w->delta + s->length + (s->flags & 0x03 ? 1 : 0), ack = s->ack - w->ack_delta;
	bool fresh;

	if (!w->tcp)
		return true;
	if (s->flags & 0x04)
		return false;
	fresh = !w->started || seq_lt(w->end, end) || (s->flags & 0x10 && seq_lt(w->ack, ack));
	if (!w->started || seq_lt(w->end, end))
		w->end = end;
	if (!w->started || seq_lt(w->ack, ack))
		w->ack = ack;
	w->started = true;
	return fresh;
}

static const struct segment *fresh_at(struct fresh_walk *w, uint32_t i)
{
	while (w->count <= i) {
		const struct segment *s = walk_next(&w->walk);

		if (!s)
			return NULL;
		if (is_fresh(w, s))
			w->ring[(w->head + w->count++) % LOOK_AHEAD] = s;
	}
	return w->ring[(w->head + i) % LOOK_AHEAD];
}

static void fresh_skip(struct fresh_walk *w, uint32_t n)
{
	w->head = (w->head + n) % LOOK_AHEAD;
	w->count -= n;
}

static bool same_sending(const struct fresh_walk *a, const struct segment *x, const struct fresh_walk *b,
	const struct segment *y)
{
	if (x->length != y->length || x->flags != y->flags || x->seq - a->delta != y->seq - b->delta)
		return false;
	if ((x->flags & 0x10) && x->ack - a->ack_delta != y->ack - b->ack_delta)
		return false;
	if ((x->bits & y->bits & SEGMENT_TIMESTAMP) && x->tsval != y->tsval)
		return false;
	if (x->hash && y->hash && x->hash != y->hash)
		return false;
	return !x->ip_id || !y->ip_id || x->ip_id == y->ip_id;
}

static struct fresh_walk start_walk(const struct member *m, enum direction d)
{
	return (struct fresh_walk){.walk = walk_direction(m, d), .delta = m->delta[d],
		.ack_delta = m->delta[!d], .tcp = m->flow->key.protocol == 6};
}

struct sampler {
	struct dataset *data;
	const struct flows *all;
	struct clock_samples *samples; /* [thread][u * n + v] */
	uint32_t n, step;
};

/* Segments of one direction from a (nearer to its sender) to b. */
static void sample_direction(const struct sampler *sm, unsigned thread, const struct member *a,
	const struct member *b, enum direction d)
{
	struct fresh_walk wa = start_walk(a, d), wb = start_walk(b, d);
	bool up = a->vantage < b->vantage; /* u is the smaller index */
	uint32_t u = up ? a->vantage : b->vantage, v = up ? b->vantage : a->vantage;
	struct clock_samples *out = &sm->samples[(size_t)thread * sm->n * sm->n + u * sm->n + v];
	const struct segment *x, *y;

	while ((x = fresh_at(&wa, 0)) && (y = fresh_at(&wb, 0))) {
		uint32_t i = 0;

		while (i + 1 < LOOK_AHEAD && (x = fresh_at(&wa, i)) && !same_sending(&wa, x, &wb, y))
			i++;
		if (!x || i + 1 == LOOK_AHEAD) {
			/* y was not sent within sight: try the next arrival. */
			fresh_skip(&wb, 1);
			continue;
		}
		fresh_skip(&wa, i + 1);
		fresh_skip(&wb, 1);
		clock_samples_add(out, up ? x->time_ns : y->time_ns,
			up ? y->time_ns - x->time_ns : x->time_ns - y->time_ns, up);
	}
}

static bool same_host(const struct dataset *data, uint32_t a, uint32_t b)
{
	return data->vantages[a].host == data->vantages[b].host;
}

static void sample_pair(const struct sampler *sm, unsigned thread, const struct member *a, const struct member *b)
{
	if (same_host(sm->data, a->vantage, b->vantage))
		return;
	sample_direction(sm, thread, a, b, C2S);
	sample_direction(sm, thread, b, a, S2C);
}

static void sample_part(void *context, unsigned thread, uint32_t begin, uint32_t end)
{
	struct sampler *sm = context;

	for (uint32_t i = begin; i < end; i++) {
		const struct flow *c = &sm->all->list[(size_t)i * sm->step];

		if (c->members < 2 || c->pairing == PAIRED_PROXY)
			continue;
		for (uint32_t a = c->first_member; a != MEMBER_NONE; a = sm->all->members[a].next)
			for (uint32_t b = sm->all->members[a].next; b != MEMBER_NONE; b = sm->all->members[b].next)
				sample_pair(sm, thread, &sm->all->members[a], &sm->all->members[b]);
	}
}

static bool lacks_direction(const struct clock_samples *s)
{
	bool up = false, down = false;

	for (uint32_t i = 0; i < s->stretches.count; i++) {
		const struct clock_sample *x = hashmap_value(&s->stretches, i);

		up |= x->up_n > 0;
		down |= x->down_n > 0;
	}
	return !up || !down;
}

/* Samples every step-th flow; returns the samples of thread 0 with the others' merged in. */
static struct clock_samples *sample_all(struct sampler *sm, unsigned threads, uint32_t step)
{
	size_t pairs = (size_t)sm->n * sm->n;

	sm->step = step;
	sm->samples = mem_array(pairs * threads, sizeof(*sm->samples));
	for (size_t i = 0; i < pairs * threads; i++)
		clock_samples_init(&sm->samples[i]);
	parallel_run(threads, (sm->all->count + step - 1) / step, 64, sample_part, sm);
	for (size_t i = pairs; i < pairs * threads; i++) {
		clock_samples_merge(&sm->samples[i % pairs], &sm->samples[i]);
		clock_samples_release(&sm->samples[i]);
	}
	return sm->samples;
}

/* One flow in so many is sampled. */
static uint32_t sampling_step(const struct dataset *data, const struct flows *all)
{
	uint32_t by_count = all->count / SAMPLED_CONVERSATIONS + 1, by_frames;
	uint64_t frames = 0;

	for (uint32_t i = 0; i < data->vantage_count; i++)
		frames += data->vantages[i].counts.frames;
	by_frames = (uint32_t)(frames / SAMPLED_FRAMES) + 1;
	/* A few long flows are all needed. */
	by_frames = by_frames > all->count / SAMPLED_LEAST + 1 ? all->count / SAMPLED_LEAST + 1 : by_frames;
	return by_count > by_frames ? by_count : by_frames;
}

static void release_samples(struct clock_samples *s, uint32_t n)
{
	for (uint32_t i = 0; i < n * n; i++)
		clock_samples_release(&s[i]);
	free(s);
}

static void fit_pairs(struct clocks *c, const struct clock_samples *samples)
{
	for (uint32_t u = 0; u < c->n; u++) {
		for (uint32_t v = u + 1; v < c->n; v++) {
			int64_t quantum = c->data->vantages[u].span.tick_ns + c->data->vantages[v].span.tick_ns;

			clock_fit(&samples[u * c->n + v], SKEW_MAX, quantum, &c->pairs[u * c->n + v]);
			c->stepped |= c->pairs[u * c->n + v].stepped;
		}
	}
}

static struct clock_bounds negate(struct clock_bounds b)
{
	return (struct clock_bounds){.has_low = b.has_high, .has_high = b.has_low, .low = -b.high, .high = -b.low};
}

static struct clock_bounds direct(const struct clocks *c, uint32_t from, uint32_t to, int64_t t)
{
	if (from == to || same_host(c->data, from, to))
		return (struct clock_bounds){.has_low = true, .has_high = true};
	if (from < to)
		return clock_at(&c->pairs[from * c->n + to], t);
	/* The model runs over the other clock's time. */
	return negate(clock_at_other(&c->pairs[to * c->n + from], t));
}

/* The tighter of two intervals for one offset; a contradiction keeps the first. */
static struct clock_bounds intersect(struct clock_bounds a, struct clock_bounds b)
{
	struct clock_bounds r = a;

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

static struct clock_bounds sum(struct clock_bounds a, struct clock_bounds b)
{
	return (struct clock_bounds){.has_low = a.has_low && b.has_low, .has_high = a.has_high && b.has_high,
		.low = a.low + b.low, .high = a.high + b.high};
}

struct clock_bounds clocks_between(const struct clocks *c, uint32_t from, uint32_t to, int64_t t)
{
	struct clock_bounds r = direct(c, from, to, t), first;

	if (from == to || c->n < 3)
		return r;
	for (uint32_t via = 0; via < c->n; via++) {
		if (via == from || via == to)
			continue;
		first = direct(c, from, via, t);
		if (first.has_low || first.has_high)
			r = intersect(r, sum(first, direct(c, via, to, t + clock_bounds_middle(first))));
	}
	return r;
}

NOINLINE struct clock_bounds clock_memo_missing(struct clock_memo *m, uint32_t from, uint32_t to, int64_t t)
{
	int64_t stretch = t >> CLOCK_STRETCH_BITS;
	int64_t middle = (stretch << CLOCK_STRETCH_BITS) + (INT64_C(1) << (CLOCK_STRETCH_BITS - 1));
	struct clock_memo_entry *e = clock_memo_place(m, from, to, stretch);

	if (m->clocks->stepped)
		return clocks_between(m->clocks, from, to, t);
	*e = (struct clock_memo_entry){.stretch = stretch + 1, .from = from, .to = to,
		.bounds = clocks_between(m->clocks, from, to, middle)};
	return e->bounds;
}

int64_t clocks_to_reference(const struct clocks *c, uint32_t from, int64_t t)
{
	struct clock_bounds b;

	if (from == c->reference)
		return t;
	if (!c->to_reference[from].count)
		return t;
	b = clock_at(&c->to_reference[from], t);
	return t - clock_bounds_middle(b);
}

/* Bounds of C_v - C_reference at v's time t, tightened by every detour over a third vantage point. */
static struct clock_bounds tighten(const struct clocks *c, uint32_t v, int64_t t, struct clock_bounds b)
{
	for (uint32_t via = 0; via < c->n; via++) {
		struct clock_bounds first;

		if (via == v || via == c->reference)
			continue;
		first = direct(c, v, via, t);
		if (first.has_low || first.has_high)
			b = intersect(b, negate(sum(first, direct(c, via, c->reference, t + clock_bounds_middle(first)))));
	}
	return b;
}

static void add_piece(struct clocks *c, uint32_t v, struct clock_piece p, struct clock_bounds at_from,
	struct clock_bounds at_to)
{
	struct clock_model *out = &c->to_reference[v];
	double moved = p.slope * (double)(p.to_ns - p.from_ns);

	at_from = tighten(c, v, p.from_ns, at_from);
	at_to = tighten(c, v, p.to_ns, at_to);
	p.has_low = at_from.has_low && at_to.has_low;
	p.has_high = at_from.has_high && at_to.has_high;
	if (!p.has_low && !p.has_high)
		return;
	/* Lines of one slope that hold what is known at both ends. */
	p.low = fmin((double)at_from.low, (double)at_to.low - moved);
	p.high = fmax((double)at_from.high, (double)at_to.high - moved);
	MEM_RESERVE(out->pieces, out->count, out->cap);
	out->pieces[out->count++] = p;
}

/* v's clock against the reference, piece by piece of their direct model; without one, all in one. */
static void reference_model(struct clocks *c, uint32_t v)
{
	uint32_t r = c->reference, u = v < r ? v : r, w = v < r ? r : v;
	const struct clock_model *m = &c->pairs[u * c->n + w];
	const struct vantage *seen = &c->data->vantages[v];
	struct clock_piece whole = {.from_ns = seen->span.first_ns, .to_ns = seen->span.last_ns};

	for (uint32_t i = 0; i < m->count; i++) {
		/* The model is of C_w - C_u over u's time; v's own time is that, moved by the offset when v is w. */
		struct clock_bounds from = piece_bounds(&m->pieces[i], m->pieces[i].from_ns);
		struct clock_bounds to = piece_bounds(&m->pieces[i], m->pieces[i].to_ns);
		struct clock_piece p = m->pieces[i];

		if (v == w) {
			p.from_ns += clock_bounds_middle(from);
			p.to_ns += clock_bounds_middle(to);
			add_piece(c, v, p, from, to);
		} else {
			p.slope = -p.slope;
			add_piece(c, v, p, negate(from), negate(to));
		}
	}
	if (!m->count && seen->span.first_ns <= seen->span.last_ns && !same_host(c->data, v, r))
		add_piece(c, v, whole, (struct clock_bounds){0}, (struct clock_bounds){0});
}

void clocks_make(struct dataset *data, const struct flows *all, unsigned threads,
	int64_t delay_max_ns, struct clocks *ret)
{
	struct sampler sm = {.data = data, .all = all, .n = data->vantage_count};
	uint32_t step = sampling_step(data, all);
	struct clock_samples *samples;

	*ret = (struct clocks){.data = data, .n = data->vantage_count, .delay_max_ns = delay_max_ns};
	ret->pairs = mem_array((size_t)ret->n * ret->n + 1, sizeof(*ret->pairs));
	ret->to_reference = mem_array(ret->n + 1, sizeof(*ret->to_reference));
	samples = sample_all(&sm, threads, step);
	for (uint32_t i = 0; i < ret->n * ret->n && step > 1; i++) {
		if (i / ret->n >= i % ret->n || !lacks_direction(&samples[i]))
			continue;
		release_samples(samples, ret->n);
		samples = sample_all(&sm, threads, 1);
		break;
	}
	fit_pairs(ret, samples);
	release_samples(samples, ret->n);
	for (uint32_t v = 0; v < ret->n; v++)
		if (v != ret->reference)
			reference_model(ret, v);
}

void clocks_release(struct clocks *c)
{
	for (uint32_t i = 0; i < c->n * c->n; i++)
		clock_model_release(&c->pairs[i]);
	for (uint32_t i = 0; i < c->n; i++)
		clock_model_release(&c->to_reference[i]);
	free(c->pairs);
	free(c->to_reference);
	*c = (struct clocks){0};
}
