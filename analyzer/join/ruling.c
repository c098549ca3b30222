#include "join/ruling.h"

#include <string.h>

#include "base/nsec.h"
#include "decode/packet.h"

/* The stretch of the receiver's time in which a transmission would have arrived. */
struct arrival_window {
	bool known;
	int64_t from, to;
};

static struct arrival_window arrival_window(const struct leg *l, int64_t sent_ns)
{
	struct clock_bounds b = clocks_between(l->clocks, l->from, l->to, sent_ns);
	int64_t delay_max = l->clocks->delay_max_ns;

	if (!b.has_low && !b.has_high)
		return (struct arrival_window){0};
	/*
	 * With one bound only: what it lacks is the smallest delay of one direction, which together
	 * with the delay here is one round trip, taken to be below the largest delay that counts.
	 */
	if (!b.has_low)
		b.low = b.high - delay_max;
	if (!b.has_high)
		b.high = b.low;
	return (struct arrival_window){.known = true, .from = sent_ns + b.low, .to = sent_ns + b.high + delay_max};
}

static bool touches(const struct drop_span *spans, uint32_t count, int64_t from, int64_t to)
{
	for (uint32_t i = 0; i < count; i++)
		if (spans[i].from_ns <= to && spans[i].to_ns >= from)
			return true;
	return false;
}

/*
 * Was the receiving capture running, unfiltered and complete when this would have arrived? NULL:
 * yes; else the reason why nobody can tell. Arrivals before and after it prove the running
 * without any clock.
 */
static const char *not_covered(const struct leg *l, uint32_t sent_index, int64_t *ret_ns)
{
	const struct vantage *v = &l->net->vantages[l->to];
	int64_t sent_ns = l->sent->items[sent_index].seg->time_ns;
	struct arrival_window w = arrival_window(l, sent_ns);
	int64_t start = v->start_ns != INT64_MIN && v->start_ns < v->first_ns ? v->start_ns : v->first_ns;
	int64_t end = v->end_ns > v->last_ns ? v->end_ns : v->last_ns;
	bool bracketed = l->first_whole != ITEM_NONE && l->first_whole < sent_index && sent_index < l->last_whole;

	*ret_ns = w.known ? w.from : INT64_MIN;
	if (w.known && touches(v->drops, v->drop_count, w.from, w.to))
		return "capture-drop";
	if (w.known ? touches(v->gaps, v->gap_count, w.from, w.to) : v->gap_count > 0)
		return "edge";
	if (!w.known && v->drop_count)
		return "capture-drop";
	if (l->flow_absent && !l->in_scope)
		return "filter";
	if (bracketed)
		return NULL;
	if (!w.known)
		return "not-covered";
	if (w.from < start || w.to > end)
		return "edge";
	return NULL;
}

/* Did the receiving capture run when this arrived? */
bool ruling_receiver_ran(const struct leg *l, uint32_t sent_index, int64_t *ret_ns)
{
	const char *why = not_covered(l, sent_index, ret_ns);

	return !why || strcmp(why, "capture-drop") == 0;
}

/* Nothing shows it arrived: lost, if the capture was there to see it. */
static struct ruling absent(const struct leg *l, uint32_t sent_index, const char *reason, int64_t *ret_ns)
{
	const char *why = not_covered(l, sent_index, ret_ns);

	if (why)
		return (struct ruling){.kind = EVENT_UNJUDGED, .reason = why};
	return (struct ruling){.kind = EVENT_LOST, .reason = reason, .pending = true};
}

/* The first acknowledgment that covers a run, at one side; *ret_sack: it is a SACK. */
static uint32_t first_cover(uint32_t cover, uint32_t sack, bool *ret_sack)
{
	*ret_sack = sack < cover;
	return sack < cover ? sack : cover;
}

struct cover {
	const struct segment *to, *from; /* first covering acknowledgment leaving the receiver, reaching the sender */
	uint32_t to_item;		 /* in acks_to; ITEM_NONE */
	bool sack;
};

static struct cover find_cover(const struct leg *l, const struct run_proof *p)
{
	bool sack_to, sack_from;
	uint32_t to = first_cover(p->cover_to, p->sack_to, &sack_to);
	uint32_t from = first_cover(p->cover_from, p->sack_from, &sack_from);

	return (struct cover){.to = to == ITEM_NONE ? NULL : l->acks_to->items[to].seg,
		.from = from == ITEM_NONE ? NULL : l->acks_from->items[from].seg, .to_item = to,
		.sack = to != ITEM_NONE ? sack_to : sack_from};
}

static struct ruling arrived(const struct leg *l, const struct cover *c)
{
	return (struct ruling){.kind = EVENT_CAPTURE_MISSED, .reason = c->sack ? "sack-covers" : "ack-covers",
		.proof = c->to ? c->to : c->from, .proof_vantage = c->to ? l->to : l->from};
}

/* Does a sent item that arrived in part lack bytes of this run too? */
static bool lacks(const struct leg *l, uint32_t item, const struct run *r)
{
	const struct run_list *list = &l->matcher->missing;
	uint32_t low = 0, high = list->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list->runs[middle].item < item)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < list->count && list->runs[low].item == item; low++)
		if (list->runs[low].low < r->high && list->runs[low].high > r->low)
			return true;
	return false;
}

/* Does some other copy over the run arrive on record, and which is sent first of those? */
static uint32_t first_recorded_copy(const struct leg *l, const struct run *r, const struct run_proof *p)
{
	for (uint32_t i = 0; i < p->copies; i++) {
		uint32_t copy = l->proofs->copies[p->first_copy + i];

		/* The run's own item may have arrived in other parts. */
		if (l->sent->items[copy].mate != ITEM_NONE && !lacks(l, copy, r))
			return copy;
	}
	return ITEM_NONE;
}

/* Matched segments around a place that tell how long the way takes then. */
#define AROUND 64
#define AROUND_NS (60 * NSEC_PER_SEC)

/* The least that segments sent near an item took, by the two captures' own clocks. */
static bool least_delay(const struct lane *sent, const struct lane *received, uint32_t item, int64_t *ret_ns)
{
	uint32_t low = item > AROUND ? item - AROUND : 0;
	uint32_t end = item + AROUND < sent->count ? item + AROUND : sent->count;
	int64_t least = INT64_MAX;

	for (uint32_t i = low; i < end; i++) {
		const struct item *it = &sent->items[i];
		int64_t apart = it->seg->time_ns - sent->items[item].seg->time_ns, delay;

		if (it->state != ITEM_WHOLE || it->ambiguous || apart > AROUND_NS || apart < -AROUND_NS)
			continue;
		delay = received->items[it->mate].seg->time_ns - it->seg->time_ns;
		least = delay < least ? delay : least;
	}
	if (least == INT64_MAX)
		return false;
	*ret_ns = least;
	return true;
}

/* What an acknowledgment can still answer, at the receiver and at the sender, after the sending. */
struct reach {
	int64_t there, back;
};

static struct reach least_reach(const struct leg *l, uint32_t copy, const struct cover *c)
{
	struct clock_bounds b = clocks_between(l->clocks, l->from, l->to, l->sent->items[copy].seg->time_ns);
	int64_t trip = b.has_low && b.has_high ? b.high - b.low : 0, there, back;

	if (c->to_item == ITEM_NONE || !least_delay(l->sent, l->received, copy, &there) ||
		!least_delay(l->acks_to, l->acks_from, c->to_item, &back))
		return (struct reach){.there = INT64_MIN, .back = trip * 9 / 10};
	return (struct reach){.there = there - (there + back) / 10, .back = (there + back) * 9 / 10};
}

/*
 * Several copies were sent, none is on record, and the receiver acknowledged: which one arrived?
 * RFC 7323 4.3: an ACK that advances echoes the time stamp of the segment that let it. Without
 * one: the last copy that the acknowledgment can still answer, given how long the ways take.
 */
static uint32_t answering_copy(const struct leg *l, const struct run_proof *p, const struct cover *c)
{
	const struct segment *ack = c->to ? c->to : c->from;
	uint32_t best = l->proofs->copies[p->first_copy];

	for (uint32_t i = 1; i < p->copies; i++) {
		uint32_t copy = l->proofs->copies[p->first_copy + i];
		const struct segment *s = l->sent->items[copy].seg;
		struct reach reach;

		if (!c->sack && l->matcher->traits.use_timestamp && ack->bits & s->bits & SEGMENT_TIMESTAMP) {
			if ((int32_t)(ack->tsecr - s->tsval) >= 0)
				best = copy;
			continue;
		}
		reach = least_reach(l, copy, c);
		if (c->to && reach.there != INT64_MIN && c->to->time_ns - s->time_ns < reach.there)
			continue;
		if (c->from ? c->from->time_ns - s->time_ns >= reach.back : reach.there != INT64_MIN)
			best = copy;
	}
	return best;
}

/* Second arrivals that D-SACKs report: at the end of the path. At a place before it they say nothing. */
static uint32_t second_arrivals(const struct leg *l, const struct run_proof *p)
{
	return l->to_is_last ? p->dsacks : 0;
}

/*
 * The first arrival with all bytes of the run that no sent copy on record accounts for: the sending
 * capture lacks its transmission. It explains acknowledgments that follow it.
 */
static const struct item *unsent_arrival(const struct leg *l, const struct run *r, const struct run_proof *p)
{
	for (uint32_t i = 0; i < p->arrivals; i++) {
		const struct item *it = &l->received->items[l->proofs->arrivals[p->first_arrival + i]];

		if (it->mate == ITEM_NONE && it->off <= r->low && it->off + it->span >= r->high)
			return it;
	}
	return NULL;
}

/* Was the transmission that arrived sent after this one? By what its sender counts up, else by the clocks. */
static bool sent_after(const struct leg *l, const struct item *arrival, const struct item *sent)
{
	const struct segment *a = arrival->seg, *s = sent->seg;

	if (l->matcher->traits.use_timestamp && a->bits & s->bits & SEGMENT_TIMESTAMP && a->tsval != s->tsval)
		return (int32_t)(a->tsval - s->tsval) > 0;
	if (l->matcher->traits.use_id && !((a->bits | s->bits) & SEGMENT_NO_ID) && a->ip_id != s->ip_id)
		return (int16_t)(a->ip_id - s->ip_id) > 0;
	return match_is_causal(l->matcher, sent, arrival);
}

/* The receiver got the bytes by a copy that the sending capture lacks; what became of this one? */
static struct ruling rule_unsent(const struct leg *l, const struct run *r, const struct run_proof *p,
	const struct cover *c, const struct item *arrival, int64_t *ret_ns)
{
	if (second_arrivals(l, p) >= p->arrivals)
		return (struct ruling){.kind = EVENT_CAPTURE_MISSED, .reason = "dsack",
			.proof = c->to ? c->to : c->from, .proof_vantage = c->to ? l->to : l->from};
	if (sent_after(l, arrival, &l->sent->items[r->item]))
		return (struct ruling){.kind = EVENT_LOST, .reason = "retransmitted-after-hole",
			.proof = arrival->seg, .proof_vantage = l->to};
	return absent(l, r->item, "no-dsack", ret_ns);
}

static struct ruling rule_unrecorded(const struct leg *l, const struct run *r, const struct run_proof *p,
	const struct cover *c, int64_t *ret_ns)
{
	const struct item *arrival = p->arrivals ? unsent_arrival(l, r, p) : NULL;
	uint32_t answering;

	if (!c->to && !c->from)
		return absent(l, r->item, "no-proof", ret_ns);
	if (arrival && !(c->to && c->to->frame < arrival->seg->frame))
		return rule_unsent(l, r, p, c, arrival, ret_ns);
	if (p->copies < 2)
		return arrived(l, c);
	answering = answering_copy(l, p, c);
	if (r->item == answering || second_arrivals(l, p))
		return arrived(l, c);
	if (r->item < answering)
		return (struct ruling){.kind = EVENT_LOST, .reason = "retransmitted-after-hole",
			.proof = l->sent->items[answering].seg, .proof_vantage = l->from};
	/* Sent again after the answer was on its way: it may have arrived or not. */
	return (struct ruling){.kind = EVENT_UNJUDGED, .reason = "copy-unknown"};
}

/* Was the run acknowledged before the copy that is on record can have done it? */
static bool acknowledged_before(const struct leg *l, const struct run_proof *p, const struct cover *c,
	uint32_t recorded)
{
	const struct segment *arrival = l->received->items[l->proofs->arrivals[p->first_arrival]].seg;

	if (c->to)
		return c->to->frame < arrival->frame;
	return c->from && c->from->frame < l->sent->items[recorded].seg->frame;
}

static struct ruling rule_recorded(const struct leg *l, const struct run *r, const struct run_proof *p,
	const struct cover *c, uint32_t recorded, int64_t *ret_ns)
{
	if (acknowledged_before(l, p, c, recorded) && r->item < recorded)
		return arrived(l, c);
	if (second_arrivals(l, p) >= p->arrivals && p->arrivals)
		return (struct ruling){.kind = EVENT_CAPTURE_MISSED, .reason = "dsack",
			.proof = c->to ? c->to : c->from, .proof_vantage = c->to ? l->to : l->from};
	if (l->sent->items[r->item].ambiguous)
		return absent(l, r->item, "copy-unknown", ret_ns);
	if (r->item >= recorded)
		return absent(l, r->item, "no-dsack", ret_ns);
	/* Never acknowledged: the receiver may have been another by then (a reboot). Its capture has to tell. */
	if (!c->to && !c->from)
		return absent(l, r->item, "retransmitted-after-hole", ret_ns);
	return (struct ruling){.kind = EVENT_LOST, .reason = "retransmitted-after-hole",
		.proof = l->sent->items[recorded].seg, .proof_vantage = l->from};
}

struct ruling rule_missing(const struct leg *l, const struct run *r, const struct run_proof *p, int64_t *ret_ns)
{
	const struct item *it = &l->sent->items[r->item];
	struct cover c;
	uint32_t recorded;

	if (it->elsewhere)
		return (struct ruling){.kind = EVENT_CAPTURE_MISSED, .reason = "seen-downstream"};
	/* What a filter left out arrived or not; its capture is no worse for it. */
	if (l->flow_absent && !l->in_scope)
		return absent(l, r->item, "no-proof", ret_ns);
	if (r->low == r->high)
		return absent(l, r->item, l->matcher->traits.tcp ? "pure-ack" : "no-proof", ret_ns);
	c = find_cover(l, p);
	recorded = p->arrivals ? first_recorded_copy(l, r, p) : ITEM_NONE;
	if (recorded == ITEM_NONE)
		return rule_unrecorded(l, r, p, &c, ret_ns);
	return rule_recorded(l, r, p, &c, recorded, ret_ns);
}

/* After a reset its sender is silent but for more resets; anything else means that it did not send it. */
static bool sender_went_on(const struct leg *l, uint32_t index)
{
	for (uint32_t i = index + 1; i < l->received->count; i++)
		if (l->received->items[i].mate != ITEM_NONE && !(l->received->items[i].seg->flags & TCP_RST))
			return true;
	return false;
}

static bool odd_ttl(const struct leg *l, const struct item *it)
{
	return l->has_usual_ttl && it->seg->ttl != l->usual_ttl;
}

/*
 * Did the sending capture run when this must have been sent? A matched arrival before it says that
 * it had begun, one after it that it had not ended; else the clocks must.
 */
bool ruling_sender_ran(const struct leg *l, uint32_t index)
{
	const struct vantage *v = &l->net->vantages[l->from];
	int64_t at = l->received->items[index].seg->time_ns;
	struct clock_bounds b = clocks_between(l->clocks, l->to, l->from, at);
	bool known = b.has_low || b.has_high;

	if (known && touches(v->gaps, v->gap_count, at + (b.has_low ? b.low : b.high) - l->clocks->delay_max_ns,
			     at + (b.has_high ? b.high : b.low)))
		return false;
	if (index < l->first_arrived &&
		!(known && at + (b.has_low ? b.low : b.high) - l->clocks->delay_max_ns >= v->first_ns))
		return false;
	return index < l->last_arrived || (known && at + (b.has_high ? b.high : b.low) <= v->last_ns);
}

struct ruling rule_extra(const struct leg *l, const struct run *r)
{
	const struct item *it = &l->received->items[r->item];
	bool reset = it->seg->flags & TCP_RST;
	uint32_t acked;

	if (it->elsewhere)
		return (struct ruling){.kind = EVENT_SENDER_MISSED, .reason = "seen-upstream"};
	if (l->sender_absent && !l->in_scope)
		return (struct ruling){.kind = EVENT_SENDER_MISSED, .reason = "filter"};
	/* Without an ID the sender's own repetition may look the same; it is one, for all we know, if its capture did not run. */
	if (it->twin && (it->seg->ip_id || ruling_sender_ran(l, r->item)))
		return (struct ruling){.kind = EVENT_DUPLICATED, .reason = "extra-copy"};
	if (l->matcher->traits.tcp && l->sent->count && (reset || it->span) && ruling_sender_ran(l, r->item)) {
		if (odd_ttl(l, it))
			return (struct ruling){.kind = EVENT_INJECTED, .reason = "ttl"};
		if (reset && sender_went_on(l, r->item))
			return (struct ruling){.kind = EVENT_INJECTED, .reason = "host-continued"};
	}
	acked = r->high > r->low ? ack_track_covers(&l->proofs->from, r->high) : ITEM_NONE;
	if (acked != ITEM_NONE)
		return (struct ruling){.kind = EVENT_SENDER_MISSED, .reason = "sender-acked",
			.proof = l->acks_from->items[acked].seg, .proof_vantage = l->from};
	return (struct ruling){.kind = EVENT_SENDER_MISSED, .reason = "no-proof"};
}
