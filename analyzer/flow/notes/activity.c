#include "flow/notes/activity.h"

#include <assert.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "flow/notes/limits.h"

void activity_release(struct activity_notes *n)
{
	free(n->rows);
	free(n->mac_seconds);
}

/* Rows that a second is looked for in, from the newest on. */
#define ACTIVITY_BACK 16

/* A row of a second; time mostly goes forward. One that is farther back gets another row, and
 * activity_finish() makes them one. */
static struct activity *activity_of(struct activity_notes *n, int64_t second_ns)
{
	for (uint32_t i = n->count; i-- && n->count - i <= ACTIVITY_BACK;)
		if (n->rows[i].second_ns == second_ns)
			return &n->rows[i];
	if (n->count == ACTIVITY_LIMIT) {
		n->refused++;
		n->beyond = (struct activity){.second_ns = second_ns};
		return &n->beyond;
	}
	n->unsorted |= n->count && n->rows[n->count - 1].second_ns > second_ns;
	MEM_RESERVE(n->rows, n->count, n->cap);
	n->rows[n->count] = (struct activity){.second_ns = second_ns};
	return &n->rows[n->count++];
}

static int activity_by_second(const void *x, const void *y)
{
	const struct activity *a = x, *b = y;

	return (a->second_ns > b->second_ns) - (a->second_ns < b->second_ns);
}

/* A row for each second. */
static void activity_sort(struct activity_notes *n)
{
	uint32_t kept = 0;

	qsort(n->rows, n->count, sizeof(*n->rows), activity_by_second);
	for (uint32_t i = 0; i < n->count; i++) {
		const struct activity *a = &n->rows[i];
		struct activity *last = kept ? &n->rows[kept - 1] : NULL;

		if (!last || last->second_ns != a->second_ns) {
			n->rows[kept++] = *a;
			continue;
		}
		last->rx_frames += a->rx_frames;
		last->tx_frames += a->tx_frames;
		last->rx_bytes += a->rx_bytes;
		last->tx_bytes += a->tx_bytes;
	}
	n->count = kept;
	n->unsorted = false;
}

/* One row for a MAC and a second, however many it spoke to: the newest rows are searched. */
static void activity_keep_mac_second(struct activity_notes *n, const struct mac_pair *p)
{
	int64_t second_ns = n->now->second_ns;
	uint32_t count = n->mac_second_count;

	if (p->src_index == MAC_NONE)
		return;
	for (uint32_t i = count;
		i-- && n->mac_seconds[i].second_ns == second_ns && count - i <= MAC_PAIRS;) {
		struct mac_second *s = &n->mac_seconds[i];

		if (s->mac != p->src_index)
			continue;
		s->frames += p->frames;
		s->bytes += p->bytes;
		return;
	}
	n->mac_seconds_cut |= count == NOTE_LIMIT;
	if (n->mac_seconds_cut)
		return;
	MEM_RESERVE(n->mac_seconds, n->mac_second_count, n->mac_second_cap);
	n->mac_seconds[n->mac_second_count++] = (struct mac_second){.second_ns = second_ns,
		.mac = p->src_index,
		.frames = p->frames,
		.bytes = p->bytes};
}

static void activity_close_pair(struct activity_notes *n, struct mac_pair *p)
{
	if (!p->frames)
		return;
	assert(n->now);
	n->now->rx_frames += p->frames;
	n->now->rx_bytes += p->bytes;
	activity_keep_mac_second(n, p);
	p->frames = 0;
	p->bytes = 0;
}

static void activity_close(struct activity_notes *n)
{
	for (size_t i = 0; i < MAC_PAIRS; i++)
		activity_close_pair(n, &n->pairs[i]);
}

void activity_finish(struct activity_notes *n)
{
	activity_close(n);
	n->now = NULL;
	if (n->unsorted)
		activity_sort(n);
}

NOINLINE void activity_new_second(struct activity_notes *n, int64_t time_ns)
{
	int64_t second = time_ns / NSEC_PER_SEC;

	activity_close(n);
	second -= time_ns % NSEC_PER_SEC < 0;
	n->now = activity_of(n, second * NSEC_PER_SEC);
}

NOINLINE void activity_new_pair(struct activity_notes *n, struct mac_notes *macs,
	const uint8_t src[6], const uint8_t dst[6], struct mac_pair *place)
{
	activity_close_pair(n, place);
	*place = (struct mac_pair){
		.dst = (uint64_t)le32(dst) | (uint64_t)le16(dst + 4) << 32 | UINT64_C(1) << 63,
		.src = (uint64_t)le32(src) | (uint64_t)le16(src + 4) << 32};
	/* In this order: the indexes of a new pair are the same on every run. */
	place->src_index = macs_index(macs, src);
	place->dst_index = macs_index(macs, dst);
}

static struct activity *activity_find(struct activity_notes *n, int64_t second_ns)
{
	uint32_t low = 0, high = n->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (n->rows[middle].second_ns < second_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n->count && n->rows[low].second_ns == second_ns ? &n->rows[low] : NULL;
}

static bool activity_tells_direction(const struct activity_notes *n)
{
	for (uint32_t i = 0; i < n->count; i++)
		if (n->rows[i].tx_frames)
			return true;
	return false;
}

void activity_take_own(struct activity_notes *n, uint16_t own_mac)
{
	if (own_mac == MAC_NONE || n->mac_seconds_cut || activity_tells_direction(n))
		return;
	for (uint32_t i = 0; i < n->mac_second_count; i++) {
		const struct mac_second *s = &n->mac_seconds[i];
		struct activity *a = s->mac == own_mac ? activity_find(n, s->second_ns) : NULL;

		if (!a || a->rx_frames < s->frames || a->rx_bytes < s->bytes)
			continue;
		a->rx_frames -= s->frames;
		a->rx_bytes -= s->bytes;
		a->tx_frames += s->frames;
		a->tx_bytes += s->bytes;
	}
}
