#include "join/idle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"

/* Thirty days; longer spans get no rows. */
#define SECONDS_MAX (30 * 86400)
/* Spans up to this long get rows for every second: who was heard by nobody cannot be told from
 * silence. */
#define ALL_SECONDS_MAX (6 * 3600)
/* Clocks and delays blur the edges of a silence by this many seconds. */
#define BLUR 1

static int64_t idle_second_of(const struct clocks *c, uint32_t vantage, int64_t t)
{
	int64_t r = clocks_to_reference(c, vantage, t);

	return r / NSEC_PER_SEC - (r % NSEC_PER_SEC < 0);
}

static void idle_mark(struct idle *q, int64_t from, int64_t to)
{
	assert(from <= to);
	from = from - BLUR < q->first ? q->first : from - BLUR;
	for (int64_t s = from; s <= to + BLUR && s < q->first + q->count; s++)
		q->bits[(s - q->first) / 64] |= UINT64_C(1) << ((s - q->first) % 64);
}

/* The stretches between seconds in which the vantage received (or sent); before and after it too.
 */
static void idle_mark_gaps(struct idle *q, const struct vantage *v, uint32_t index, bool received)
{
	int64_t next = q->first;

	for (uint32_t i = 0; i < v->activity.count; i++) {
		const struct activity *a = &v->activity.rows[i];
		int64_t s;

		if (received ? !a->rx_frames : !a->tx_frames)
			continue;
		s = idle_second_of(q->clocks, index, a->second_ns + NSEC_PER_SEC / 2);
		if (s > next)
			idle_mark(q, next, s - 1);
		next = s + 1 > next ? s + 1 : next;
	}
	if (next < q->first + q->count)
		idle_mark(q, next, q->first + q->count - 1);
}

static bool idle_knows_direction(const struct vantage *v)
{
	for (uint32_t i = 0; i < v->activity.count; i++)
		if (v->activity.rows[i].tx_frames)
			return true;
	return false;
}

void idle_learn(const struct dataset *data, const struct clocks *clocks, struct idle *ret)
{
	int64_t first = INT64_MAX, last = INT64_MIN;

	*ret = (struct idle){.clocks = clocks};
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct vantage *v = &data->vantages[i];

		if (v->span.first_ns > v->span.last_ns)
			continue;
		first = idle_second_of(clocks, i, v->span.first_ns) < first
				? idle_second_of(clocks, i, v->span.first_ns)
				: first;
		last = idle_second_of(clocks, i, v->span.last_ns) > last
			       ? idle_second_of(clocks, i, v->span.last_ns)
			       : last;
	}
	if (first > last || last - first >= SECONDS_MAX)
		return;
	ret->first = first;
	ret->count = (uint32_t)(last - first + 1);
	ret->all = ret->count <= ALL_SECONDS_MAX;
	if (ret->all)
		return;
	ret->bits = mem_array(ret->count / 64 + 1, sizeof(*ret->bits));
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct vantage *v = &data->vantages[i];

		if (v->kind != VANTAGE_NIC || v->span.first_ns > v->span.last_ns)
			continue;
		idle_mark_gaps(ret, v, i, true);
		if (idle_knows_direction(v))
			idle_mark_gaps(ret, v, i, false);
	}
}

void idle_release(struct idle *q)
{
	free(q->bits);
	*q = (struct idle){0};
}

bool idle_at(const struct idle *q, uint32_t vantage, int64_t t)
{
	int64_t s;

	if (!q->count || q->all)
		return q->all;
	s = idle_second_of(q->clocks, vantage, t) - q->first;
	return s >= 0 && s < q->count && q->bits[s / 64] >> (s % 64) & 1;
}
