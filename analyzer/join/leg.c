#include "join/leg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "decode/packet.h"

/* Events of one kind in one leg; beyond them only counts (changes of every packet, mostly). */
#define MODIFIED_EVENTS_MAX 16

const char *event_kind_name(enum event_kind k)
{
	static const char *const names[] = {"lost", "capture_missed", "misaddressed", "unjudged", "duplicated",
		"sender_missed", "reordered", "injected", "modified"};

	return names[k];
}

/* What was decided about one stretch or item. */
struct ruling {
	enum event_kind kind;
	const char *reason;
	bool pending;
	uint32_t proof_vantage;
	const struct segment *proof;
};

/* More than one wire segment: offload merged it. Datagrams, fragmented or not, are one each. */
static bool is_merged(const struct leg *l, uint32_t length)
{
	return l->matcher->traits.tcp && length > l->matcher->traits.mss;
}

static uint32_t segments_of(const struct leg *l, uint32_t length)
{
	uint32_t mss = l->matcher->traits.mss;

	return is_merged(l, length) ? (length + mss - 1) / mss : 1;
}

/* Payload bytes of an item within [low, high). A SYN stands before the payload, a FIN behind it. */
static uint32_t payload_within(const struct item *it, int64_t low, int64_t high)
{
	int64_t begin = it->off + (it->seg->flags & TCP_SYN ? 1 : 0), end = begin + it->seg->length;

	/* Datagrams take no sequence space: all or nothing. */
	if (!it->span)
		return it->seg->length;
	begin = begin > low ? begin : low;
	end = end < high ? end : high;
	return end > begin ? (uint32_t)(end - begin) : 0;
}

static void count(struct tally_pair *t, uint32_t segments, uint32_t bytes)
{
	t->segments += segments;
	t->bytes += bytes;
}

static struct tally_pair *counter(struct leg *l, enum event_kind kind)
{
	switch (kind) {
	case EVENT_LOST:
		return &l->counts.lost;
	case EVENT_CAPTURE_MISSED:
		return &l->counts.capture_missed;
	case EVENT_MISADDRESSED:
		return &l->counts.misaddressed;
	case EVENT_DUPLICATED:
		return &l->counts.duplicated;
	case EVENT_SENDER_MISSED:
		return &l->counts.sender_missed;
	case EVENT_INJECTED:
		return &l->counts.injected;
	default:
		return &l->counts.unjudged;
	}
}

/* IP length of the largest wire packet that a record stands for. */
static int64_t wire_size(const struct leg *l, const struct segment *s)
{
	uint32_t mss = l->matcher->traits.mss, payload = s->length < mss ? s->length : mss;
	uint32_t ip = s->bits & SEGMENT_NO_ID ? 40 : 20;

	if (!l->matcher->traits.tcp)
		return ip + 8 + s->length;
	return ip + 20 + (s->bits & SEGMENT_TIMESTAMP ? 12 : 0) + payload;
}

static struct event *add_event(struct leg *l, enum event_kind kind, const char *reason)
{
	struct event_list *list = l->events;

	MEM_RESERVE(list->events, list->count, list->cap);
	list->events[list->count] = (struct event){.kind = (uint8_t)kind, .direction = (uint8_t)l->direction,
		.from = l->from, .to = l->to, .reason = reason, .segments = 1};
	return &list->events[list->count++];
}

/* Describes the transmission an event is about, by the sender's record where there is one. */
static void describe(struct event *e, const struct leg *l, const struct item *sent, const struct item *received)
{
	const struct item *it = sent ? sent : received;
	const struct lane *lane = sent ? l->sent : l->received;

	e->sent = sent ? sent->seg : NULL;
	e->received = received ? received->seg : NULL;
	e->seq = it->seg->seq;
	if (!sent && lane->delta != l->sent->delta)
		e->seq = it->seg->seq - lane->delta + l->sent->delta;
	if (!l->matcher->traits.tcp)
		e->seq = it->seg->ip_id;
	e->length = it->seg->length;
	e->flags = it->seg->flags;
	e->segments = segments_of(l, it->seg->length);
}

static bool misaddressed(const struct leg *l, const struct segment *received)
{
	const struct vantage *v = &l->net->vantages[l->to];
	const uint8_t *mac = vantage_mac(v, received->dst_mac);

	if (!l->to_is_end || v->own_mac == MAC_NONE || !mac || mac[0] & 1)
		return false;
	return received->dst_mac != v->own_mac;
}

static int64_t middle_between(const struct leg *l, int64_t t)
{
	struct clock_bounds b = clocks_between(l->clocks, l->from, l->to, t);

	if (b.has_low && b.has_high)
		return b.low + (b.high - b.low) / 2;
	return b.has_low ? b.low : b.high;
}

/* First and last arrival, and the TTL that most arrivals have. */
static void survey(struct leg *l)
{
	uint32_t ttls[256] = {0}, most = 0;

	l->first_whole = l->last_whole = ITEM_NONE;
	for (uint32_t i = 0; i < l->sent->count; i++) {
		const struct item *it = &l->sent->items[i];

		if (it->mate == ITEM_NONE)
			continue;
		if (l->first_whole == ITEM_NONE)
			l->first_whole = i;
		l->last_whole = i;
		ttls[l->received->items[it->mate].seg->ttl]++;
	}
	l->first_arrived = ITEM_NONE;
	l->last_arrived = 0;
	for (uint32_t i = 0; i < l->received->count; i++) {
		if (l->received->items[i].mate == ITEM_NONE)
			continue;
		l->first_arrived = l->first_arrived == ITEM_NONE ? i : l->first_arrived;
		l->last_arrived = i;
	}
	for (uint32_t t = 0; t < 256; t++) {
		if (ttls[t] <= most)
			continue;
		most = ttls[t];
		l->usual_ttl = (uint8_t)t;
		l->has_usual_ttl = true;
	}
}

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

static bool in_drop(const struct vantage *v, int64_t from, int64_t to)
{
	for (uint32_t i = 0; i < v->drop_count; i++)
		if (v->drops[i].from_ns <= to && v->drops[i].to_ns >= from)
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
	if (w.known && in_drop(v, w.from, w.to))
		return "capture-drop";
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
static bool receiver_was_running(const struct leg *l, uint32_t sent_index, int64_t *ret_ns)
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
	bool sack;
};

static struct cover find_cover(const struct leg *l, const struct run_proof *p)
{
	bool sack_to, sack_from;
	uint32_t to = first_cover(p->cover_to, p->sack_to, &sack_to);
	uint32_t from = first_cover(p->cover_from, p->sack_from, &sack_from);

	return (struct cover){.to = to == ITEM_NONE ? NULL : l->acks_to->items[to].seg,
		.from = from == ITEM_NONE ? NULL : l->acks_from->items[from].seg,
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

/*
 * Several copies were sent, none is on record, and the receiver acknowledged: which one arrived?
 * RFC 7323 4.3: an ACK that advances echoes the time stamp of the segment that let it. Without
 * one: the last copy that the acknowledgment can still answer, given the shortest round trip.
 */
static uint32_t answering_copy(const struct leg *l, const struct run_proof *p, const struct cover *c)
{
	const struct segment *ack = c->to ? c->to : c->from;
	struct clock_bounds b = clocks_between(l->clocks, l->from, l->to, l->sent->items[0].seg->time_ns);
	int64_t trip = b.has_low && b.has_high ? b.high - b.low : 0;
	uint32_t best = l->proofs->copies[p->first_copy];

	for (uint32_t i = 1; i < p->copies; i++) {
		uint32_t copy = l->proofs->copies[p->first_copy + i];
		const struct segment *s = l->sent->items[copy].seg;

		if (!c->sack && l->matcher->traits.use_timestamp && ack->bits & s->bits & SEGMENT_TIMESTAMP) {
			if ((int32_t)(ack->tsecr - s->tsval) >= 0)
				best = copy;
		} else if (c->from && c->from->time_ns - s->time_ns >= trip * 9 / 10) {
			best = copy;
		}
	}
	return best;
}

static struct ruling rule_unrecorded(const struct leg *l, const struct run *r, const struct run_proof *p,
	const struct cover *c, int64_t *ret_ns)
{
	uint32_t answering;

	if (!c->to && !c->from)
		return absent(l, r->item, "no-proof", ret_ns);
	if (p->copies < 2)
		return arrived(l, c);
	answering = answering_copy(l, p, c);
	if (r->item == answering || p->dsacks)
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
	if (p->dsacks >= p->arrivals && p->arrivals)
		return (struct ruling){.kind = EVENT_CAPTURE_MISSED, .reason = "dsack",
			.proof = c->to ? c->to : c->from, .proof_vantage = c->to ? l->to : l->from};
	if (l->sent->items[r->item].ambiguous)
		return absent(l, r->item, "copy-unknown", ret_ns);
	if (r->item < recorded)
		return (struct ruling){.kind = EVENT_LOST, .reason = "retransmitted-after-hole",
			.proof = l->sent->items[recorded].seg, .proof_vantage = l->from};
	return absent(l, r->item, "no-dsack", ret_ns);
}

static struct ruling rule_missing(const struct leg *l, const struct run *r, const struct run_proof *p, int64_t *ret_ns)
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

static bool is_syn(const struct item *it)
{
	return it->seg->flags & TCP_SYN;
}

/* Segments a run stands for; all runs of an item together never exceed the item's. */
static uint32_t run_segments(const struct leg *l, const struct item *it, const struct run *r, uint32_t left)
{
	uint32_t n = r->high - r->low == it->span ? segments_of(l, it->seg->length)
						  : segments_of(l, (uint32_t)(r->high - r->low));

	return n < left ? n : left;
}

static void note_missing(struct leg *l, const struct run *r, const struct ruling *rule, uint32_t segments,
	uint32_t bytes, int64_t at_ns)
{
	const struct item *it = &l->sent->items[r->item];
	struct event *e = add_event(l, rule->kind, rule->reason);

	count(counter(l, rule->kind), segments, bytes);
	if (rule->kind == EVENT_LOST && is_syn(it))
		l->counts.syn_lost += segments;
	if (rule->kind == EVENT_LOST && bytes && (l->counts.smallest_lost < 0 ||
						     wire_size(l, it->seg) < l->counts.smallest_lost))
		l->counts.smallest_lost = wire_size(l, it->seg);
	describe(e, l, it, NULL);
	e->seq += (uint32_t)(r->low - it->off);
	e->length = bytes;
	e->segments = segments;
	e->pending = rule->pending;
	e->proof = rule->proof;
	e->proof_vantage = rule->proof_vantage;
	e->judged_ns = at_ns;
}

/* A SYN's options, which only the flow's sides keep: those of its first SYN. */
static bool changed_syn(const struct leg *l, const struct item *sent, char detail[32])
{
	const struct flow_side *s = member_side(l->net, l->sent->member, l->direction);
	const struct flow_side *r = member_side(l->net, l->received->member, l->direction);
	uint8_t gone = s->tcp_options & (uint8_t)~r->tcp_options;

	if (!is_syn(sent) || (s->tcp_options | r->tcp_options) & TCPOPT_TRUNCATED)
		return false;
	if (s->mss && r->mss && s->mss != r->mss)
		(void)snprintf(detail, 32, "mss %u -> %u", s->mss, r->mss);
	else if (gone & TCPOPT_HAS_TIMESTAMP)
		(void)snprintf(detail, 32, "timestamp option removed");
	else if (gone & TCPOPT_HAS_SACK_PERMITTED)
		(void)snprintf(detail, 32, "sack-permitted option removed");
	else if (gone & TCPOPT_HAS_WSCALE)
		(void)snprintf(detail, 32, "window scale option removed");
	else if (gone & TCPOPT_HAS_MSS)
		(void)snprintf(detail, 32, "mss option removed");
	return detail[0];
}

/* Whether a delivered segment was changed on the way, and in what; the first word is the field. */
static bool changed(const struct leg *l, const struct item *sent, const struct item *received, char detail[32])
{
	const struct segment *s = sent->seg, *r = received->seg;
	uint8_t ecn_sent = s->tos & 3, ecn_got = r->tos & 3;

	detail[0] = 0;
	if ((s->tos ^ r->tos) >> 2)
		(void)snprintf(detail, 32, "dscp %u -> %u", s->tos >> 2, r->tos >> 2);
	/* Congestion marking (RFC 3168) is what ECN is for; anything else is not. */
	else if (ecn_sent != ecn_got && !(ecn_got == 3 && ecn_sent))
		(void)snprintf(detail, 32, "ecn %u -> %u", ecn_sent, ecn_got);
	else if (r->ttl > s->ttl)
		(void)snprintf(detail, 32, "ttl %u -> %u", s->ttl, r->ttl);
	else if (s->hash && r->hash && s->hash != r->hash)
		(void)snprintf(detail, 32, "payload");
	else if (l->matcher->traits.tcp && s->window != r->window)
		(void)snprintf(detail, 32, "window %u -> %u", s->window, r->window);
	else if (l->matcher->traits.tcp && is_syn(sent))
		return changed_syn(l, sent, detail);
	else if (s->bits & SEGMENT_TIMESTAMP && !(r->bits & (SEGMENT_TIMESTAMP | SEGMENT_OPTIONS_CUT)))
		(void)snprintf(detail, 32, "timestamp option removed");
	return detail[0];
}

static void note_modified(struct leg *l, const struct item *sent, const struct item *received)
{
	char detail[32];
	struct event *e;

	if (!changed(l, sent, received, detail))
		return;
	l->counts.modified += segments_of(l, sent->seg->length);
	if (l->counts.modified > MODIFIED_EVENTS_MAX)
		return;
	e = add_event(l, EVENT_MODIFIED, "changed");
	describe(e, l, sent, received);
	memcpy(e->detail, detail, sizeof(e->detail));
}

static void note_whole(struct leg *l, const struct item *it)
{
	const struct item *got = &l->received->items[it->mate];
	uint32_t segments = segments_of(l, it->seg->length);
	int64_t size = wire_size(l, it->seg);
	struct event *e;

	if (misaddressed(l, got->seg)) {
		count(&l->counts.misaddressed, segments, it->seg->length);
		if (is_syn(it))
			l->counts.syn_lost += segments;
		e = add_event(l, EVENT_MISADDRESSED, "foreign-mac");
		describe(e, l, it, got);
		return;
	}
	count(&l->counts.delivered, segments, it->seg->length);
	if (it->seg->length && size > l->counts.largest_delivered)
		l->counts.largest_delivered = size;
	/* A merged record has no one packet to compare with. */
	if (it->seg->length == got->seg->length && got->mate != ITEM_NONE)
		note_modified(l, it, got);
}

/* An item with runs: what is missing by ruling, the rest was delivered. */
static uint32_t judge_item(struct leg *l, uint32_t index, uint32_t at)
{
	const struct run_list *list = &l->matcher->missing;
	const struct item *it = &l->sent->items[index];
	uint32_t segments = segments_of(l, it->seg->length), bytes = it->seg->length;

	for (; at < list->count && list->runs[at].item == index; at++) {
		const struct run *r = &list->runs[at];
		int64_t when = INT64_MIN;
		struct ruling rule = rule_missing(l, r, &l->proofs->runs[at], &when);
		bool running = rule.kind == EVENT_CAPTURE_MISSED && receiver_was_running(l, index, &when);
		uint32_t n = run_segments(l, it, r, segments), b = payload_within(it, r->low, r->high);

		note_missing(l, r, &rule, n, b, when);
		l->events->events[l->events->count - 1].while_running = running;
		segments -= n;
		bytes -= b;
	}
	count(&l->counts.delivered, segments, bytes);
	if (bytes && wire_size(l, it->seg) > l->counts.largest_delivered)
		l->counts.largest_delivered = wire_size(l, it->seg);
	return at;
}

/* Matched by bytes with a record that was cut or merged elsewhere. */
static bool matched_by_range(const struct leg *l, const struct item *it)
{
	return it->mate != ITEM_NONE && l->received->items[it->mate].seg->length != it->seg->length;
}

static void count_sent(struct leg *l, const struct item *it, int64_t *end)
{
	uint32_t segments = segments_of(l, it->seg->length);
	int64_t high = it->off + it->span;

	count(&l->counts.sent, segments, it->seg->length);
	if (is_syn(it))
		l->counts.syn_sent += segments;
	if (is_merged(l, it->seg->length) || matched_by_range(l, it))
		l->counts.estimated = true;
	/* Below what was sent before: sent again. A keep-alive (RFC 9293 3.8.4) repeats one byte at most. */
	if (it->span && high <= *end && !(it->span <= 1 && high == *end && !(it->seg->flags & (TCP_SYN | TCP_FIN))))
		count(&l->counts.retransmitted, segments, it->seg->length);
	if (it->span && high > *end)
		*end = high;
}

static void judge_sent(struct leg *l)
{
	int64_t end = INT64_MIN;
	uint32_t at = 0;

	for (uint32_t i = 0; i < l->sent->count; i++) {
		const struct item *it = &l->sent->items[i];

		count_sent(l, it, &end);
		if (it->state == ITEM_WHOLE)
			note_whole(l, it);
		else
			at = judge_item(l, i, at);
	}
}

static int compare_transmissions(const struct item *a, const struct item *b)
{
	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	if (a->seg->length != b->seg->length)
		return a->seg->length < b->seg->length ? -1 : 1;
	return (a->seg->hash > b->seg->hash) - (a->seg->hash < b->seg->hash);
}

static int by_transmission(const void *x, const void *y, void *lane)
{
	const struct lane *l = lane;
	uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;
	int r = compare_transmissions(&l->items[i], &l->items[k]);

	return r ? r : (i > k) - (i < k);
}

/* One packet twice, to the last field that a sender varies. Equal pure ACKs without ID prove nothing. */
static bool twins(const struct item *a, const struct item *b)
{
	bool tells = a->seg->ip_id || (a->span && a->seg->bits & SEGMENT_TIMESTAMP) || a->seg->bits & SEGMENT_TWIN;

	return tells && a->span == b->span && a->seg->flags == b->seg->flags && a->seg->ack == b->seg->ack &&
		a->seg->tsval == b->seg->tsval && a->seg->ip_id == b->seg->ip_id;
}

/* Marks extra arrivals of which another copy was matched. */
static void mark_twins(struct leg *l)
{
	const struct run_list *list = &l->matcher->extra;
	struct lane *r = l->received;
	uint32_t *extra = mem_array(list->count + 1, sizeof(*extra)), n = 0;

	for (uint32_t i = 0; i < list->count; i++)
		if (r->items[list->runs[i].item].state == ITEM_OPEN)
			extra[n++] = list->runs[i].item;
	if (n > 1)
		qsort_r(extra, n, sizeof(*extra), by_transmission, r);
	for (uint32_t i = 0; i < r->count && n; i++) {
		uint32_t low = 0, high = n;

		if (r->items[i].state != ITEM_WHOLE)
			continue;
		while (low < high) {
			uint32_t middle = (low + high) / 2;

			if (compare_transmissions(&r->items[extra[middle]], &r->items[i]) < 0)
				low = middle + 1;
			else
				high = middle;
		}
		for (; low < n && !compare_transmissions(&r->items[extra[low]], &r->items[i]); low++)
			r->items[extra[low]].twin |= twins(&r->items[extra[low]], &r->items[i]) &&
				match_is_causal(l->matcher, &l->sent->items[r->items[i].mate], &r->items[extra[low]]);
	}
	free(extra);
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
static bool sender_was_running(const struct leg *l, uint32_t index)
{
	const struct vantage *v = &l->net->vantages[l->from];
	int64_t at = l->received->items[index].seg->time_ns;
	struct clock_bounds b = clocks_between(l->clocks, l->to, l->from, at);
	bool known = b.has_low || b.has_high;

	if (index < l->first_arrived &&
		!(known && at + (b.has_low ? b.low : b.high) - l->clocks->delay_max_ns >= v->first_ns))
		return false;
	return index < l->last_arrived || (known && at + (b.has_high ? b.high : b.low) <= v->last_ns);
}

static struct ruling rule_extra(const struct leg *l, const struct run *r)
{
	const struct item *it = &l->received->items[r->item];
	bool reset = it->seg->flags & TCP_RST;
	uint32_t acked;

	if (it->elsewhere)
		return (struct ruling){.kind = EVENT_SENDER_MISSED, .reason = "seen-upstream"};
	if (l->sender_absent && !l->in_scope)
		return (struct ruling){.kind = EVENT_SENDER_MISSED, .reason = "filter"};
	if (it->twin)
		return (struct ruling){.kind = EVENT_DUPLICATED, .reason = "extra-copy"};
	if (l->matcher->traits.tcp && l->sent->count && (reset || it->span) && sender_was_running(l, r->item)) {
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

static void judge_received(struct leg *l)
{
	const struct run_list *list = &l->matcher->extra;

	for (uint32_t at = 0; at < list->count; at++) {
		const struct run *r = &list->runs[at];
		const struct item *it = &l->received->items[r->item];
		struct ruling rule = rule_extra(l, r);
		uint32_t bytes = payload_within(it, r->low, r->high);
		uint32_t segments = run_segments(l, it, r, UINT32_MAX);
		struct event *e = add_event(l, rule.kind, rule.reason);

		count(counter(l, rule.kind), segments, bytes);
		describe(e, l, NULL, it);
		e->seq += (uint32_t)(r->low - it->off);
		e->length = bytes;
		e->segments = segments;
		e->proof = rule.proof;
		e->proof_vantage = rule.proof_vantage;
		e->judged_ns = it->seg->time_ns;
		e->while_running = rule.kind == EVENT_SENDER_MISSED && sender_was_running(l, r->item);
	}
}

static void count_received(struct leg *l)
{
	for (uint32_t i = 0; i < l->received->count; i++) {
		const struct item *it = &l->received->items[i];

		count(&l->counts.received, segments_of(l, it->seg->length), it->seg->length);
		/* One that arrived in part (merged, or its flags changed on the way) is more than one outcome. */
		if (is_merged(l, it->seg->length) || it->state == ITEM_PARTLY)
			l->counts.estimated = true;
	}
	/* Merged records cut elsewhere than the sent ones count by the sender's. */
	if (l->counts.estimated)
		l->counts.received.segments = l->counts.delivered.segments + l->counts.misaddressed.segments +
			l->counts.duplicated.segments + l->counts.injected.segments +
			l->counts.sender_missed.segments;
}

/* RFC 4737 3.3 by order of transmission: an arrival sent before one that arrived earlier. */
static void judge_order(struct leg *l)
{
	uint32_t highest = 0;
	bool any = false;

	for (uint32_t i = 0; i < l->received->count; i++) {
		const struct item *it = &l->received->items[i];

		if (it->mate == ITEM_NONE || l->sent->items[it->mate].mate == ITEM_NONE || it->ambiguous)
			continue;
		if (any && it->mate < highest && it->state == ITEM_WHOLE && l->sent->items[it->mate].mate == i) {
			struct event *e = add_event(l, EVENT_REORDERED, "late");

			describe(e, l, &l->sent->items[it->mate], it);
			l->counts.reordered += e->segments;
		}
		if (!any || it->mate > highest)
			highest = it->mate;
		any = true;
	}
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

static void measure_delays(struct leg *l)
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

void leg_judge(struct leg *l)
{
	l->counts = (struct path_counts){.from = l->from, .to = l->to, .direction = (uint8_t)l->direction,
		.largest_delivered = -1, .smallest_lost = -1, .owd_min_ns = INT64_MIN,
		.owd_median_ns = INT64_MIN, .owd_max_ns = INT64_MIN};
	survey(l);
	if (l->matcher->missing.count || l->matcher->extra.count)
		proofs_gather(l->proofs, &l->matcher->missing, l->sent, l->received, l->acks_from, l->acks_to);
	judge_sent(l);
	mark_twins(l);
	judge_received(l);
	count_received(l);
	judge_order(l);
	measure_delays(l);
}
