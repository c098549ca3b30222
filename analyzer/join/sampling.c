#include "join/sampling.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/seq.h"
#include "decode/packet.h"
#include "join/segment_walk.h"

/* How far ahead the other side is searched for the same segment. */
#define SAMPLING_AHEAD 24
/* Datagrams that were not sent within sight are searched farther ahead: this many for each in a
 * row. */
#define SAMPLING_REACH 16
/* Flows and about as many frames are sampled at first. */
#define SAMPLING_FLOWS 4000
#define SAMPLING_FRAMES 600000
#define SAMPLING_LEAST 1000 /* flows, however long */
/* Pairs of vantage points, and stretches of all pairs together. Where all pairs would be more, the
 * first vantage points are related to every other, and those to each other by way of them. */
#define SAMPLING_PAIRS (1u << 16)
#define SAMPLING_STRETCHES (1u << 20)

/* One side's walk over segments that carry something new: first transmissions only. */
struct fresh_walk {
	struct segment_walk walk;
	const struct segment *ring[SAMPLING_AHEAD]; /* passed, not matched yet */
	uint32_t head, count;
	uint32_t delta, ack_delta;
	uint32_t end, ack; /* highest so far, in the first member's numbers */
	bool started, tcp;
};

static uint32_t sampling_end(const struct fresh_walk *w, const struct segment *s)
{
	return s->seq - w->delta + s->length + (s->flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
}

static bool sampling_is_fresh(struct fresh_walk *w, const struct segment *s)
{
	uint32_t end = sampling_end(w, s), ack = s->ack - w->ack_delta;
	bool fresh;

	if (!w->tcp)
		return true;
	if (s->flags & TCP_RST)
		return false;
	fresh = !w->started || seq_lt(w->end, end) || (s->flags & TCP_ACK && seq_lt(w->ack, ack));
	if (!w->started || seq_lt(w->end, end))
		w->end = end;
	if (!w->started || seq_lt(w->ack, ack))
		w->ack = ack;
	w->started = true;
	return fresh;
}

static const struct segment *sampling_at(struct fresh_walk *w, uint32_t i)
{
	while (w->count <= i) {
		const struct segment *s = walk_next(&w->walk);

		if (!s)
			return NULL;
		if (sampling_is_fresh(w, s))
			w->ring[(w->head + w->count++) % SAMPLING_AHEAD] = s;
	}
	return w->ring[(w->head + i) % SAMPLING_AHEAD];
}

static void sampling_skip(struct fresh_walk *w, uint32_t n)
{
	w->head = (w->head + n) % SAMPLING_AHEAD;
	w->count -= n;
}

static bool sampling_is_same(const struct fresh_walk *a, const struct segment *x,
	const struct fresh_walk *b, const struct segment *y)
{
	if (x->length != y->length || x->flags != y->flags ||
		x->seq - a->delta != y->seq - b->delta)
		return false;
	if ((x->flags & TCP_ACK) && x->ack - a->ack_delta != y->ack - b->ack_delta)
		return false;
	if ((x->bits & y->bits & SEGMENT_TIMESTAMP) && x->tsval != y->tsval)
		return false;
	if (segment_payload_differs(x, y))
		return false;
	return !x->ip_id || !y->ip_id || x->ip_id == y->ip_id;
}

/* The same within sight at one side, beyond the one at index i? */
static bool sampling_has_double(struct fresh_walk *w, uint32_t i, const struct segment *s)
{
	const struct segment *x;

	for (uint32_t k = 0; k < SAMPLING_AHEAD && (x = sampling_at(w, k)); k++)
		if (k != i && sampling_is_same(w, x, w, s))
			return true;
	return false;
}

/* May the arrival at the head of b be of another datagram than the one at index i of a? */
static bool sampling_is_doubtful(struct fresh_walk *a, uint32_t i, struct fresh_walk *b)
{
	const struct segment *x = sampling_at(a, i), *y = sampling_at(b, 0);

	if (x->ip_id && y->ip_id)
		return false;
	/* SYN-ACKs without either look the same each time they are sent; the first one here may not
	 * be the first one there. */
	if (a->tcp)
		return x->flags & TCP_SYN && !(x->bits & y->bits & SEGMENT_TIMESTAMP);
	return !x->hash || !y->hash || segment_hash_key(x) != segment_hash_key(y) ||
	       sampling_has_double(a, i, x) || sampling_has_double(b, 0, y);
}

static struct fresh_walk sampling_walk(const struct member *m, enum direction d)
{
	return (struct fresh_walk){.walk = walk_direction(m, d),
		.delta = m->delta[d],
		.ack_delta = m->delta[!d],
		.tcp = m->flow->key.protocol == 6};
}

struct sampler {
	const struct dataset *data;
	const struct flows *all;
	struct hashmap *sampled; /* by thread: struct clock_ends -> struct sampled_pair */
	uint32_t step;
	uint32_t hubs;	    /* a pair has one of the first so many vantage points */
	uint32_t stretches; /* of one pair, at most */
};

static void sampling_span_add(struct clock_span *s, uint32_t first, uint32_t last)
{
	s->first = first < s->first ? first : s->first;
	s->last = last > s->last ? last : s->last;
}

static struct sampled_pair *sampling_pair(
	struct hashmap *sampled, const struct clock_ends *ends, uint32_t stretches)
{
	bool fresh;
	struct sampled_pair *p = hashmap_at(sampled, ends, &fresh);

	if (fresh) {
		clock_samples_init(&p->samples, stretches);
		p->arrived[0].first = p->arrived[1].first = UINT32_MAX;
	}
	return p;
}

/* One packet that vantage point a recorded as x and then b as y. */
static void sampling_add(const struct sampler *sm, unsigned thread, uint32_t a,
	const struct segment *x, uint32_t b, const struct segment *y)
{
	bool up = a < b; /* u is the smaller index */
	struct clock_ends ends = {.u = up ? a : b, .v = up ? b : a};
	const struct segment *at_u = up ? x : y, *at_v = up ? y : x;
	struct clock_packet p = {.up = up,
		.t_u = at_u->time_ns,
		.t_v = at_v->time_ns,
		.at_u = steady_stretch(&sm->data->vantages[ends.u].steady, at_u->frame),
		.at_v = steady_stretch(&sm->data->vantages[ends.v].steady, at_v->frame)};
	struct sampled_pair *pair = sampling_pair(&sm->sampled[thread], &ends, sm->stretches);

	clock_samples_add(&pair->samples, &p);
	sampling_span_add(&pair->arrived[!up], x->frame, x->frame);
}

/* Index of y among what a has within sight; SAMPLING_AHEAD: it is not there. */
static uint32_t sampling_find(
	struct fresh_walk *a, const struct fresh_walk *b, const struct segment *y)
{
	const struct segment *x;
	uint32_t i = 0;

	while (i < SAMPLING_AHEAD && (x = sampling_at(a, i)) && !sampling_is_same(a, x, b, y))
		i++;
	return i < SAMPLING_AHEAD && !x ? SAMPLING_AHEAD : i;
}

/* Drops what lies wholly before y in sequence space: an outage took it. Returns whether there was
 * any. */
static bool sampling_drop_older(
	struct fresh_walk *a, const struct fresh_walk *b, const struct segment *y)
{
	uint32_t n = 0;

	for (; n < a->count; n++) {
		const struct segment *x = sampling_at(a, n);

		if (seq_lt(y->seq - b->delta, sampling_end(a, x)) ||
			seq_lt(y->ack - b->ack_delta, x->ack - a->ack_delta))
			break;
	}
	sampling_skip(a, n);
	return n;
}

/* Moves a to where y was sent, far ahead; false, and nothing changed, where it was not. */
static bool sampling_reach(
	struct fresh_walk *a, const struct fresh_walk *b, const struct segment *y, uint32_t reach)
{
	struct segment_walk walk = a->walk, before = walk;
	const struct segment *x;

	for (; reach-- && (x = walk_next(&walk)); before = walk) {
		if (!sampling_is_same(a, x, b, y))
			continue;
		a->walk = before;
		a->count = 0;
		return true;
	}
	return false;
}

/* y was not sent within sight. True: what was sent is now in step with it. */
static bool sampling_catch_up(
	struct fresh_walk *a, const struct fresh_walk *b, const struct segment *y, uint32_t missed)
{
	if (a->tcp)
		return sampling_drop_older(a, b, y);
	/* Ever farther and ever more seldom, so that all of it stays linear. */
	return !(missed & (missed - 1)) && sampling_reach(a, b, y, missed * SAMPLING_REACH);
}

/* Segments of one direction from a (nearer to its sender) to b. */
static void sampling_direction(const struct sampler *sm, unsigned thread, const struct member *a,
	const struct member *b, enum direction d)
{
	struct fresh_walk wa = sampling_walk(a, d), wb = sampling_walk(b, d);
	const struct segment *y;
	uint32_t missed = 0;

	while (sampling_at(&wa, 0) && (y = sampling_at(&wb, 0))) {
		uint32_t i = sampling_find(&wa, &wb, y);

		if (i == SAMPLING_AHEAD) {
			if (sampling_catch_up(&wa, &wb, y, ++missed))
				continue;
			sampling_skip(&wb, 1);
			continue;
		}
		missed = 0;
		if (!sampling_is_doubtful(&wa, i, &wb)) {
			sampling_add(sm, thread, a->vantage, sampling_at(&wa, i), b->vantage, y);
			sampling_skip(&wa, i + 1);
		}
		sampling_skip(&wb, 1);
	}
}

static bool sampling_wants(const struct sampler *sm, const struct member *a, const struct member *b)
{
	return sm->data->vantages[a->vantage].host != sm->data->vantages[b->vantage].host &&
	       (a->vantage < sm->hubs || b->vantage < sm->hubs);
}

/* Every two members of which it is known which one is nearer to the client. */
static void sampling_flow(const struct sampler *sm, unsigned thread, const struct flow *f)
{
	const struct member *all = sm->all->members;

	for (uint32_t a = f->first_member; a != MEMBER_NONE; a = all[a].next) {
		uint32_t before = a;

		for (uint32_t b = all[a].next;
			b != MEMBER_NONE && order_is_known(all[before].next_by);
			before = b, b = all[b].next) {
			if (!sampling_wants(sm, &all[a], &all[b]))
				continue;
			sampling_direction(sm, thread, &all[a], &all[b], C2S);
			sampling_direction(sm, thread, &all[b], &all[a], S2C);
		}
	}
}

static void sampling_part(void *context, unsigned thread, uint32_t begin, uint32_t end)
{
	const struct sampler *sm = context;

	for (uint32_t i = begin; i < end; i++) {
		const struct flow *f = &sm->all->list[(size_t)i * sm->step];

		if (f->members > 1 && f->pairing != PAIRED_PROXY)
			sampling_flow(sm, thread, f);
	}
}

static void sampling_merge(struct hashmap *into, const struct hashmap *from, uint32_t stretches)
{
	for (uint32_t i = 0; i < from->count; i++) {
		const struct sampled_pair *x = hashmap_value(from, i);
		struct sampled_pair *sum = sampling_pair(into, hashmap_key(from, i), stretches);

		clock_samples_merge(&sum->samples, &x->samples);
		for (int way = 0; way < 2; way++)
			sampling_span_add(
				&sum->arrived[way], x->arrived[way].first, x->arrived[way].last);
	}
}

/* Samples every step-th flow; what all threads found is in *ret. */
static void sampling_pass(struct sampler *sm, unsigned threads, uint32_t step, struct hashmap *ret)
{
	assert(step > 0 && threads > 0); /* each thread has samples of its own */
	sm->step = step;
	sm->sampled = mem_array(threads, sizeof(*sm->sampled));
	for (unsigned t = 0; t < threads; t++)
		hashmap_init(&sm->sampled[t], sizeof(struct clock_ends),
			sizeof(struct sampled_pair), UINT32_MAX);
	parallel_run(threads, (sm->all->count + step - 1) / step, 64, sampling_part, sm);
	for (unsigned t = 1; t < threads; t++) {
		sampling_merge(&sm->sampled[0], &sm->sampled[t], sm->stretches);
		sampling_release(&sm->sampled[t]);
	}
	*ret = sm->sampled[0];
	free(sm->sampled);
}

/* One flow in so many is sampled. */
static uint32_t sampling_step(const struct dataset *data, const struct flows *all)
{
	uint32_t by_count = all->count / SAMPLING_FLOWS + 1, by_frames;
	uint64_t frames = 0;

	for (uint32_t i = 0; i < data->vantage_count; i++)
		frames += data->vantages[i].counts.frames;
	by_frames = (uint32_t)(frames / SAMPLING_FRAMES) + 1;
	/* A few long flows are all needed. */
	by_frames = by_frames > all->count / SAMPLING_LEAST + 1 ? all->count / SAMPLING_LEAST + 1
								: by_frames;
	return by_count > by_frames ? by_count : by_frames;
}

static bool sampling_lacks_direction(const struct clock_samples *s)
{
	bool up = false, down = false;

	for (uint32_t i = 0; i < s->stretches.count; i++) {
		const struct clock_sample *x = hashmap_value(&s->stretches, i);

		up |= x->up_n > 0;
		down |= x->down_n > 0;
	}
	return !up || !down;
}

static bool sampling_is_complete(const struct hashmap *sampled, uint32_t vantages)
{
	for (uint32_t i = 0; i < sampled->count; i++)
		if (sampling_lacks_direction(
			    &((const struct sampled_pair *)hashmap_value(sampled, i))->samples))
			return false;
	return sampled->count == (uint64_t)vantages * (vantages - 1) / 2;
}

/* How many vantage points may be in a pair with every other, so that no more pairs than the limit
 * come of it. */
static uint32_t sampling_hubs(uint32_t vantages)
{
	uint64_t pairs = (uint64_t)vantages * vantages / 2;

	return pairs <= SAMPLING_PAIRS ? vantages : SAMPLING_PAIRS / vantages;
}

static uint32_t sampling_stretches(uint32_t vantages)
{
	uint64_t pairs = (uint64_t)vantages * vantages / 2, share;

	share = SAMPLING_STRETCHES / (pairs > SAMPLING_PAIRS ? SAMPLING_PAIRS : pairs + 1);
	return share < CLOCK_STRETCHES_MAX ? (uint32_t)share : CLOCK_STRETCHES_MAX;
}

void sampling_run(
	const struct dataset *data, const struct flows *all, unsigned threads, struct hashmap *ret)
{
	uint32_t n = data->vantage_count, step = sampling_step(data, all);
	struct sampler sm = {.data = data,
		.all = all,
		.hubs = sampling_hubs(n),
		.stretches = sampling_stretches(n)};

	sampling_pass(&sm, threads, step, ret);
	if (step == 1 || sampling_is_complete(ret, n))
		return;
	sampling_release(ret);
	sampling_pass(&sm, threads, 1, ret);
}

void sampling_release(struct hashmap *sampled)
{
	for (uint32_t i = 0; i < sampled->count; i++)
		clock_samples_release(&((struct sampled_pair *)hashmap_value(sampled, i))->samples);
	hashmap_release(sampled);
}
