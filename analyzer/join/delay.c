#include "join/delay.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/nsec.h"

#define STEP_NS (10 * NSEC_PER_MSEC) /* wider than the bounds of one piece but on long ways */

/* Did either clock step against the other? Only then can bounds be those of two pieces. */
static bool delay_stepped(const struct path *path)
{
	return clocks_pair(path->in.clocks, path->in.from, path->in.to)->model.stepped;
}

/* Is a middle between the bounds good enough to measure delays with? One bound has none. */
static bool delay_tells_offset(const struct path *path, struct clock_bounds b)
{
	return b.has_low && b.has_high && (!delay_stepped(path) || b.high - b.low <= STEP_NS);
}

/*
 * Where one piece of the clock has ended and the next not begun its bounds span the step, and half
 * of it would be taken for delay. The other end's time may tell which of the two it was; else
 * nothing is measured.
 */
static bool delay_offset_between(const struct path *path, const struct segment *sent,
	const struct segment *received, int64_t *ret_offset)
{
	const struct path_input *in = &path->in;
	struct clock_bounds b = clock_memo_between(
		in->clock_memo, in->from, in->to, clocks_time(in->clocks, in->from, sent));

	*ret_offset = clock_bounds_middle(b);
	if (delay_tells_offset(path, b))
		return true;
	b = clocks_between(in->clocks, in->to, in->from, clocks_time(in->clocks, in->to, received));
	*ret_offset = -clock_bounds_middle(b);
	return delay_tells_offset(path, b);
}

/* Moves what is below limit to the front of v[low..end); returns where that ends. Without a branch:
 * delays are chance. */
static uint32_t delay_below_first(int64_t *v, uint32_t low, uint32_t end, int64_t limit)
{
	uint32_t front = low;

	for (uint32_t i = low; i < end; i++) {
		int64_t x = v[i];

		v[i] = v[front];
		v[front] = x;
		front += x < limit;
	}
	return front;
}

static int64_t delay_middle_of(int64_t a, int64_t b, int64_t c)
{
	int64_t low = a < b ? a : b, high = a < b ? b : a;

	return c < low ? low : c > high ? high : c;
}

static int delay_compare_values(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

/* Far more rounds than chance needs; who arranges delays against us gets them sorted. */
#define ROUNDS_MOST 100

/* The k-th smallest of n values, which are reordered. */
static int64_t delay_select_value(int64_t *v, uint32_t n, uint32_t k)
{
	uint32_t low = 0, end = n;

	for (int rounds = 0; end - low > 1; rounds++) {
		int64_t pivot = delay_middle_of(v[low], v[low + (end - low) / 2], v[end - 1]);
		uint32_t below = delay_below_first(v, low, end, pivot);

		assert(low <= k && k < end && low <= below && below <= end);
		if (rounds == ROUNDS_MOST) {
			qsort(v + low, end - low, sizeof(*v), delay_compare_values);
			break;
		}
		if (k < below) {
			end = below;
			continue;
		}
		/* Nothing is smaller: those equal to it go, so that each round leaves fewer. */
		if (below == low) {
			below = delay_below_first(v, low, end, pivot + 1);
			if (k < below)
				return pivot;
		}
		low = below;
	}
	return v[k];
}

/* Offset between the clocks, good for a short stretch of the sender's and of the receiver's time.
 */
struct offset_cache {
	int64_t until, received_until, offset;
	bool set, known;
};

#define OFFSET_STRETCH_NS (10 * NSEC_PER_MSEC)
#define RECEIVED_STRETCH_NS (250 * NSEC_PER_MSEC) /* around it; queues fill and drain within */

static bool delay_cached_offset(const struct path *path, struct offset_cache *c,
	const struct segment *sent, const struct segment *received)
{
	int64_t sent_ns = sent->time_ns, received_ns = received->time_ns;

	if (!c->set || sent_ns > c->until || sent_ns < c->until - OFFSET_STRETCH_NS ||
		received_ns > c->received_until ||
		received_ns < c->received_until - 2 * RECEIVED_STRETCH_NS) {
		c->known = delay_offset_between(path, sent, received, &c->offset);
		c->until = sent_ns + OFFSET_STRETCH_NS;
		c->received_until = received_ns + RECEIVED_STRETCH_NS;
		c->set = true;
	}
	return c->known;
}

void delay_measure(struct path *path)
{
	struct offset_cache cache = {0};
	int64_t *d, low = INT64_MAX, high = INT64_MIN;
	uint32_t n = 0;

	if (path->scratch->delay_cap < path->in.sent->count) {
		path->scratch->delay_cap = path->in.sent->count;
		path->scratch->delays = mem_grow(path->scratch->delays, path->in.sent->count,
			sizeof(*path->scratch->delays));
	}
	d = path->scratch->delays;
	for (uint32_t i = 0; i < path->in.sent->count; i++) {
		const struct transmission *it = &path->in.sent->transmissions[i];
		const struct segment *received;

		if (it->match == TRANSMISSION_NONE)
			continue;
		received = path->in.received->transmissions[it->match].seg;
		if (!delay_cached_offset(path, &cache, it->seg, received))
			continue;
		d[n] = received->time_ns - it->seg->time_ns - cache.offset;
		low = d[n] < low ? d[n] : low;
		high = d[n] > high ? d[n] : high;
		n++;
	}
	if (!n)
		return;
	path->out.counts->owd_min_ns = low;
	path->out.counts->owd_median_ns = delay_select_value(d, n, n / 2);
	path->out.counts->owd_max_ns = high;
	assert(low <= path->out.counts->owd_median_ns && path->out.counts->owd_median_ns <= high);
}
