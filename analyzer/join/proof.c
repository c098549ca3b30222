#include "join/proof.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/seq.h"
#include "decode/packet.h"

void ack_track_build(struct ack_track *t, const struct half_flow *half, int64_t limit)
{
	int64_t high = INT64_MIN, ref = 0;

	t->half = half;
	if (t->cap < half->count) {
		t->cap = half->count;
		t->high = mem_grow(t->high, t->cap, sizeof(*t->high));
	}
	for (uint32_t i = 0; i < half->count; i++) {
		const struct transmission *it = &half->transmissions[i];

		if ((it->seg->flags & (TCP_ACK | TCP_RST)) == TCP_ACK) {
			int64_t ack = transmission_ack(half, it, ref);

			if (ack > high && ack <= limit)
				high = ref = ack;
		}
		t->high[i] = high;
	}
}

void ack_track_release(struct ack_track *t)
{
	free(t->high);
	*t = (struct ack_track){0};
}

uint32_t ack_track_covers(const struct ack_track *t, int64_t high)
{
	uint32_t low = 0, end = t->half->count;

	while (low < end) {
		uint32_t middle = low + (end - low) / 2;

		if (t->high[middle] >= high)
			end = middle;
		else
			low = middle + 1;
	}
	return low < t->half->count ? low : TRANSMISSION_NONE;
}

static int proof_by_low(const void *x, const void *y, void *list)
{
	const struct gap_list *l = list;
	uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;
	const struct gap *a = &l->gaps[i], *b = &l->gaps[k];

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return (i > k) - (i < k);
}

/* The first place in order whose gap begins at or after low. */
static uint32_t proof_lower_bound(const struct proofs *p, const struct gap_list *list, int64_t low)
{
	uint32_t begin = 0, end = p->order_count;

	while (begin < end) {
		uint32_t middle = begin + (end - begin) / 2;

		if (list->gaps[p->order[middle]].low >= low)
			end = middle;
		else
			begin = middle + 1;
	}
	return begin;
}

/* Union-find over places in order: the next one that no SACK has covered yet. */
static uint32_t proof_next_uncovered(uint32_t *skip, uint32_t at)
{
	uint32_t root = at;

	while (skip[root] != root)
		root = skip[root];
	while (skip[at] != root) {
		uint32_t next = skip[at];

		skip[at] = root;
		at = next;
	}
	return root;
}

static void proof_cover_by_sack(struct proofs *p, const struct gap_list *list, int64_t low,
	int64_t high, uint32_t transmission, bool to)
{
	uint32_t at = proof_next_uncovered(p->skip, proof_lower_bound(p, list, low));

	while (at < p->order_count && list->gaps[p->order[at]].low < high) {
		const struct gap *r = &list->gaps[p->order[at]];

		if (r->high <= high && r->high > r->low) {
			struct gap_proof *proof = &p->gaps[p->order[at]];

			*(to ? &proof->sack_to : &proof->sack_from) = transmission;
			p->skip[at] = at + 1;
		}
		at = proof_next_uncovered(p->skip, at + 1);
	}
}

static void proof_count_dsack(
	struct proofs *p, const struct gap_list *list, int64_t low, int64_t high, uint16_t *counts)
{
	for (uint32_t at = proof_lower_bound(p, list, low - p->longest);
		at < p->order_count && list->gaps[p->order[at]].low < high; at++)
		if (list->gaps[p->order[at]].high > low && counts[p->order[at]] < UINT16_MAX)
			counts[p->order[at]]++;
}

/* RFC 2883 4: the first block lies below the ACK, or inside the second block. */
static bool proof_is_dsack(const int64_t block[4][2], uint32_t count, int64_t ack)
{
	if (block[0][1] <= ack)
		return true;
	return count > 1 && block[0][0] >= block[1][0] && block[0][1] <= block[1][1];
}

/* The last reports of a second arrival, to know one that the network doubled. */
struct reports {
	const struct segment *last[8];
	uint32_t count;
};

/* Two reports of one host have different identifications; where there are none, each counts. */
static bool proof_doubled(struct reports *r, const struct segment *s)
{
	for (uint32_t i = 0; i < r->count && i < 8; i++)
		if (s->ip_id && r->last[i]->ip_id == s->ip_id && r->last[i]->ack == s->ack &&
			r->last[i]->seq == s->seq && r->last[i]->tsval == s->tsval)
			return true;
	r->last[r->count++ % 8] = s;
	return false;
}

static void proof_read_sacks(struct proofs *p, const struct gap_list *list,
	const struct ack_track *t, bool to, uint16_t *dsacks)
{
	const struct half_flow *l = t->half;
	struct reports reports = {.count = 0};

	assert(list->count < p->gap_cap); /* skip[] ends behind the last gap */
	for (uint32_t i = 0; i <= p->order_count; i++)
		p->skip[i] = i;
	for (uint32_t i = 0; i < l->count; i++) {
		const struct segment_sack *s = segment_sack(l->transmissions[i].seg);
		int64_t block[4][2];
		uint32_t n = s ? s->count : 0;
		int64_t ref = t->high[i] == INT64_MIN ? 0 : t->high[i];
		bool twice;

		for (uint32_t k = 0; k < n && k < 4; k++)
			for (int e = 0; e < 2; e++)
				block[k][e] =
					seq_unwrap(ref, s->edge[k][e] - l->ack_delta - l->ack_base);
		if (!n)
			continue;
		/* Its own: one that comes late, behind a higher one, reports as when it left. */
		twice = proof_is_dsack((const int64_t(*)[2])block, n,
			transmission_ack(l, &l->transmissions[i], ref));
		if (twice && !proof_doubled(&reports, l->transmissions[i].seg))
			proof_count_dsack(p, list, block[0][0], block[0][1], dsacks);
		for (uint32_t k = twice; k < n && k < 4; k++)
			if (block[k][0] < block[k][1])
				proof_cover_by_sack(p, list, block[k][0], block[k][1], i, to);
	}
}

static void proof_add_overlaps(struct proofs *p, const struct gap_list *list,
	const struct half_flow *l, bool arrivals, uint32_t *count)
{
	*count = 0;
	for (uint32_t i = 0; i < l->count; i++) {
		const struct transmission *it = &l->transmissions[i];
		int64_t end = it->off + it->span;

		if (!it->span)
			continue;
		for (uint32_t at = proof_lower_bound(p, list, it->off - p->longest);
			at < p->order_count && list->gaps[p->order[at]].low < end; at++) {
			const struct gap *r = &list->gaps[p->order[at]];
			struct gap_proof *proof = &p->gaps[p->order[at]];
			uint32_t *n = arrivals ? &proof->arrivals : &proof->copies;

			if (r->high <= it->off || r->high == r->low || *n == PROOF_COPIES)
				continue;
			(*n)++;
			MEM_RESERVE(p->overlaps, *count, p->overlap_cap);
			p->overlaps[(*count)++] =
				(struct overlap){.gap = p->order[at], .transmission = i};
		}
	}
}

static int proof_by_run(const void *x, const void *y)
{
	const struct overlap *a = x, *b = y;

	if (a->gap != b->gap)
		return a->gap < b->gap ? -1 : 1;
	return (a->transmission > b->transmission) - (a->transmission < b->transmission);
}

/* Sorts the overlaps by gap and leaves for each gap where its transmissions begin and how many they
 * are. */
static void proof_group(
	struct proofs *p, uint32_t count, uint32_t **flat, uint32_t *cap, bool arrivals)
{
	if (!count)
		return;
	qsort(p->overlaps, count, sizeof(*p->overlaps), proof_by_run);
	if (*cap < count) {
		*cap = count;
		*flat = mem_grow(*flat, *cap, sizeof(**flat));
	}
	for (uint32_t i = 0; i < count; i++) {
		struct gap_proof *r = &p->gaps[p->overlaps[i].gap];

		if (!i || p->overlaps[i - 1].gap != p->overlaps[i].gap)
			*(arrivals ? &r->first_arrival : &r->first_copy) = i;
		(*flat)[i] = p->overlaps[i].transmission;
	}
}

/* Very many gaps may be of one stretch that was sent again and again: the first of each stays in
 * the order. */
static void proof_choose_leaders(struct proofs *p, const struct gap_list *list)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		const struct gap *r = &list->gaps[p->order[i]];
		const struct gap *last = n ? &list->gaps[p->order[n - 1]] : NULL;
		uint32_t gap = p->order[i];

		if (!last || last->low != r->low || last->high != r->high)
			p->order[n++] = gap;
		p->gaps[gap].leader = p->order[n - 1];
	}
	p->order_count = n;
}

static void proof_prepare(struct proofs *p, const struct gap_list *list)
{
	if (p->gap_cap < list->count + 1) {
		p->gap_cap = list->count + 1;
		p->gaps = mem_grow(p->gaps, p->gap_cap, sizeof(*p->gaps));
		p->order = mem_grow(p->order, p->gap_cap, sizeof(*p->order));
		p->skip = mem_grow(p->skip, (size_t)p->gap_cap + 1, sizeof(*p->skip));
	}
	p->longest = 0;
	for (uint32_t i = 0; i < list->count; i++) {
		int64_t length = list->gaps[i].high - list->gaps[i].low;

		assert(length >= 0);
		p->order[i] = i;
		p->gaps[i] = (struct gap_proof){.cover_to = TRANSMISSION_NONE,
			.cover_from = TRANSMISSION_NONE,
			.sack_to = TRANSMISSION_NONE,
			.sack_from = TRANSMISSION_NONE,
			.recorded = PROOF_UNASKED,
			.unsent = PROOF_UNASKED,
			.answering = PROOF_UNASKED};
		p->longest = length > p->longest ? length : p->longest;
	}
	if (list->count > 1)
		qsort_r(p->order, list->count, sizeof(*p->order), proof_by_low, (void *)list);
	proof_choose_leaders(p, list);
}

/* What was found out for a leader holds for all gaps of its stretch. */
static void proof_follow_leaders(struct proofs *p, const struct gap_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (p->gaps[i].leader != i)
			p->gaps[i] = p->gaps[p->gaps[i].leader];
}

void proofs_gather(struct proofs *p, const struct gap_list *list, const struct half_flow *sent,
	const struct half_flow *received, const struct half_flow *acks_from,
	const struct half_flow *acks_to)
{
	int64_t limit = sent->end > received->end ? sent->end : received->end;
	uint16_t *dsacks = mem_array((size_t)list->count * 2 + 1, sizeof(*dsacks));
	uint32_t count;

	proof_prepare(p, list);
	ack_track_build(&p->to, acks_to, limit);
	ack_track_build(&p->from, acks_from, limit);
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->gaps[i].high == list->gaps[i].low)
			continue;
		p->gaps[i].cover_to = ack_track_covers(&p->to, list->gaps[i].high);
		p->gaps[i].cover_from = ack_track_covers(&p->from, list->gaps[i].high);
	}
	proof_read_sacks(p, list, &p->to, true, dsacks);
	proof_read_sacks(p, list, &p->from, false, dsacks + list->count);
	for (uint32_t i = 0; i < list->count; i++)
		p->gaps[i].dsacks =
			dsacks[i] > dsacks[list->count + i] ? dsacks[i] : dsacks[list->count + i];
	free(dsacks);
	proof_add_overlaps(p, list, sent, false, &count);
	proof_group(p, count, &p->copies, &p->copy_cap, false);
	proof_add_overlaps(p, list, received, true, &count);
	proof_group(p, count, &p->arrivals, &p->arrival_cap, true);
	proof_follow_leaders(p, list);
}

void proofs_release(struct proofs *p)
{
	ack_track_release(&p->to);
	ack_track_release(&p->from);
	free(p->gaps);
	free(p->copies);
	free(p->arrivals);
	free(p->order);
	free(p->skip);
	free(p->overlaps);
	*p = (struct proofs){0};
}
