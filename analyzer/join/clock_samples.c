#include "join/clock_samples.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/nsec.h"

#define SAMPLES_STRETCH_NS (100 * NSEC_PER_MSEC)

void clock_samples_init(struct clock_samples *s, uint32_t most)
{
	assert(most > 0);
	hashmap_init(&s->stretches, sizeof(struct clock_stretch), sizeof(struct clock_sample),
		UINT32_MAX);
	s->width_ns = SAMPLES_STRETCH_NS;
	s->most = most;
}

void clock_samples_release(struct clock_samples *s)
{
	hashmap_release(&s->stretches);
}

static int64_t samples_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Of equal bounds the earlier, so that the order of packets does not matter. */
static bool samples_is_tighter(struct clock_point a, struct clock_point b, bool up)
{
	if (a.z == b.z)
		return a.t < b.t;
	return up ? a.z < b.z : a.z > b.z;
}

static void samples_unite(struct clock_sample *into, const struct clock_sample *from)
{
	if (from->up_n && (!into->up_n || samples_is_tighter(from->up, into->up, true)))
		into->up = from->up;
	if (from->down_n && (!into->down_n || samples_is_tighter(from->down, into->down, false)))
		into->down = from->down;
	into->up_n += from->up_n;
	into->down_n += from->down_n;
	into->shift_u = from->shift_u;
	into->shift_v = from->shift_v;
}

static void samples_put(struct clock_samples *s, int64_t steady_ns, uint32_t turns_u,
	uint32_t turns_v, const struct clock_sample *sample)
{
	struct clock_stretch key = {.index = samples_floor_div(steady_ns, s->width_ns),
		.turns_u = turns_u,
		.turns_v = turns_v};
	bool fresh;

	samples_unite(hashmap_at(&s->stretches, &key, &fresh), sample);
}

static void samples_widen(struct clock_samples *s, int64_t width_ns)
{
	struct clock_samples wide;

	assert(width_ns > s->width_ns); /* a finer stretch cannot be had again */
	clock_samples_init(&wide, s->most);
	wide.width_ns = width_ns;
	for (uint32_t i = 0; i < s->stretches.count; i++) {
		const struct clock_stretch *k = hashmap_key(&s->stretches, i);

		samples_put(&wide, k->index * s->width_ns, k->turns_u, k->turns_v,
			hashmap_value(&s->stretches, i));
	}
	clock_samples_release(s);
	*s = wide;
}

static void samples_bound(struct clock_samples *s)
{
	if (s->stretches.count > s->most && s->width_ns < INT64_MAX / 4)
		samples_widen(s, s->width_ns * 2);
}

void clock_samples_add(struct clock_samples *s, const struct clock_packet *p)
{
	struct clock_sample sample = {.shift_u = p->at_u.shift_ns, .shift_v = p->at_v.shift_ns};
	struct clock_point point = {.t = p->t_u, .z = p->t_v - p->t_u};

	if (p->up) {
		sample.up = point;
		sample.up_n = 1;
	} else {
		sample.down = point;
		sample.down_n = 1;
	}
	samples_put(s, p->t_u + p->at_u.shift_ns, p->at_u.turns, p->at_v.turns, &sample);
	samples_bound(s);
}

void clock_samples_merge(struct clock_samples *into, const struct clock_samples *from)
{
	if (from->width_ns > into->width_ns)
		samples_widen(into, from->width_ns);
	for (uint32_t i = 0; i < from->stretches.count; i++) {
		const struct clock_stretch *k = hashmap_key(&from->stretches, i);

		samples_put(into, k->index * from->width_ns, k->turns_u, k->turns_v,
			hashmap_value(&from->stretches, i));
		samples_bound(into);
	}
}

static int64_t samples_begin(const struct clock_sample *s)
{
	if (s->up_n && s->down_n)
		return clock_point_steady(s, s->up.t <= s->down.t);
	return clock_point_steady(s, s->up_n);
}

/* Turns of one clock are in the order of its time; both shifts tell all stretches of one time
 * apart. */
static int samples_by_time(const void *a, const void *b)
{
	const struct clock_sample *x = a, *y = b;
	int64_t tx = samples_begin(x), ty = samples_begin(y);

	if (tx != ty)
		return tx < ty ? -1 : 1;
	if (x->shift_u != y->shift_u)
		return x->shift_u < y->shift_u ? -1 : 1;
	return (x->shift_v > y->shift_v) - (x->shift_v < y->shift_v);
}

uint32_t clock_samples_sorted(const struct clock_samples *s, struct clock_sample **ret)
{
	uint32_t n = s->stretches.count;
	struct clock_sample *list = mem_array(n + 1, sizeof(*list));

	for (uint32_t i = 0; i < n; i++)
		list[i] = *(const struct clock_sample *)hashmap_value(&s->stretches, i);
	qsort(list, n, sizeof(*list), samples_by_time);
	*ret = list;
	return n;
}
