#include "join/delay.h"

#include "base/mem.h"
#include "base/nsec.h"

static int64_t middle_between(const struct leg *l, int64_t t)
{
	struct clock_bounds b = clocks_between(l->clocks, l->from, l->to, t);

	if (b.has_low && b.has_high)
		return b.low + (b.high - b.low) / 2;
	return b.has_low ? b.low : b.high;
}

/* The k-th smallest of n values, which are reordered (Hoare's selection): sorting all costs six times as much. */
static int64_t select_value(int64_t *v, uint32_t n, uint32_t k)
{
	uint32_t low = 0, high = n - 1;

	while (low < high) {
		int64_t pivot = v[low + (high - low) / 2];
		uint32_t i = low, j = high;

		while (i <= j) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i <= j) {
				int64_t swapped = v[i];

				v[i++] = v[j];
				v[j] = swapped;
				if (!j--)
					break;
			}
		}
		if (k <= j && j != UINT32_MAX)
			high = j;
		else if (k >= i)
			low = i;
		else
			return v[k];
	}
	return v[k];
}

/* Offset between the clocks, good for a short stretch of the sender's time. */
struct offset_cache {
	int64_t until, offset;
	bool set;
};

#define OFFSET_STRETCH_NS (10 * NSEC_PER_MSEC)

static int64_t cached_offset(const struct leg *l, struct offset_cache *c, int64_t t)
{
	if (!c->set || t > c->until || t < c->until - OFFSET_STRETCH_NS) {
		c->offset = middle_between(l, t);
		c->until = t + OFFSET_STRETCH_NS;
		c->set = true;
	}
	return c->offset;
}

void delay_measure(struct leg *l)
{
	struct offset_cache cache = {0};
	int64_t *d, low = INT64_MAX, high = INT64_MIN;
	uint32_t n = 0;

	if (*l->delay_cap < l->sent->count) {
		*l->delay_cap = l->sent->count;
		*l->delays = mem_grow(*l->delays, l->sent->count, sizeof(**l->delays));
	}
	d = *l->delays;
	for (uint32_t i = 0; i < l->sent->count; i++) {
		const struct item *it = &l->sent->items[i];

		if (it->mate == ITEM_NONE)
			continue;
		d[n] = l->received->items[it->mate].seg->time_ns - it->seg->time_ns -
			cached_offset(l, &cache, it->seg->time_ns);
		low = d[n] < low ? d[n] : low;
		high = d[n] > high ? d[n] : high;
		n++;
	}
	if (!n)
		return;
	l->counts.owd_min_ns = low;
	l->counts.owd_median_ns = select_value(d, n, n / 2);
	l->counts.owd_max_ns = high;
}
