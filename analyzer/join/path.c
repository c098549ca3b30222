#include "join/path.h"

#include <stdlib.h>

#include "base/mem.h"
#include "decode/packet.h"
#include "join/change.h"
#include "join/delay.h"
#include "join/fate.h"
#include "join/both_missed.h"

/* Events of one kind in one path; beyond them only counts (changes of every packet, mostly). */
#define MODIFIED_EVENTS_MAX 16

const char *event_kind_name(enum event_kind k)
{
	static const char *const names[] = {"lost", "capture_missed", "misaddressed", "unjudged", "duplicated",
		"sender_missed", "reordered", "injected", "modified", "both_missed"};

	return names[k];
}

/* More than one wire segment: offload merged it. Datagrams, fragmented or not, are one each. */
static bool is_merged(const struct path *l, uint32_t length)
{
	return l->matcher->traits.tcp && length > l->matcher->traits.mss;
}

static uint32_t segments_of(const struct path *l, uint32_t length)
{
	uint32_t mss = l->matcher->traits.mss;

	return is_merged(l, length) ? (length + mss - 1) / mss : 1;
}

/* Payload bytes of a transmission within [low, high). A SYN stands before the payload, a FIN behind it. */
static uint32_t payload_within(const struct transmission *it, int64_t low, int64_t high)
{
	int64_t begin = it->off + (it->seg->flags & TCP_SYN ? 1 : 0), end = begin + it->seg->length;

	/* Datagrams take no sequence space: all or nothing. */
	if (!it->span)
		return it->seg->length;
	begin = begin > low ? begin : low;
	end = end < high ? end : high;
	return end > begin ? (uint32_t)(end - begin) : 0;
}

static void count(struct volume *t, uint32_t segments, uint32_t bytes)
{
	t->segments += segments;
	t->bytes += bytes;
}

static struct volume *counter(struct path *l, enum event_kind kind)
{
	switch (kind) {
	case EVENT_LOST:
		return &l->counts->lost;
	case EVENT_CAPTURE_MISSED:
		return &l->counts->capture_missed;
	case EVENT_MISADDRESSED:
		return &l->counts->misaddressed;
	case EVENT_DUPLICATED:
		return &l->counts->duplicated;
	case EVENT_SENDER_MISSED:
		return &l->counts->sender_missed;
	case EVENT_INJECTED:
		return &l->counts->injected;
	default:
		return &l->counts->unjudged;
	}
}

/* IP length of the largest wire packet that a record stands for. */
static int64_t wire_size(const struct path *l, const struct segment *s)
{
	uint32_t mss = l->matcher->traits.mss, payload = s->length < mss ? s->length : mss;
	uint32_t ip = s->bits & SEGMENT_NO_ID ? 40 : 20;

	if (!l->matcher->traits.tcp)
		return ip + 8 + s->length;
	return ip + 20 + (s->bits & SEGMENT_TIMESTAMP ? 12 : 0) + payload;
}

struct event *path_add_event(struct path *l, enum event_kind kind, const char *reason)
{
	struct event_list *list = l->events;

	MEM_RESERVE(list->events, list->count, list->cap);
	list->events[list->count] = (struct event){.kind = (uint8_t)kind, .direction = (uint8_t)l->direction,
		.from = l->from, .to = l->to, .reason = reason, .segments = 1};
	return &list->events[list->count++];
}

/* Describes the transmission an event is about, by the sender's record where there is one. */
static void describe(struct event *e, const struct path *l, const struct transmission *sent, const struct transmission *received)
{
	const struct transmission *it = sent ? sent : received;
	const struct half_flow *half = sent ? l->sent : l->received;

	e->sent = sent ? sent->seg : NULL;
	e->received = received ? received->seg : NULL;
	e->seq = it->seg->seq;
	if (!sent && half->delta != l->sent->delta)
		e->seq = it->seg->seq - half->delta + l->sent->delta;
	if (!l->matcher->traits.tcp)
		e->seq = it->seg->ip_id;
	e->length = it->seg->length;
	e->flags = it->seg->flags;
	e->segments = segments_of(l, it->seg->length);
}

static bool misaddressed(const struct path *l, const struct segment *received)
{
	const struct vantage *v = &l->data->vantages[l->to];
	const uint8_t *mac;

	if (received->dst_mac == v->inferred.own_mac || !l->to_is_end || v->inferred.own_mac == MAC_NONE)
		return false;
	mac = vantage_mac(v, received->dst_mac);
	return mac && !(mac[0] & 1);
}

/* The TTL that most arrivals have, where they differ. */
static void find_modal_ttl(struct path *l)
{
	uint32_t ttls[256] = {0}, most = 0;

	for (uint32_t i = 0; i < l->sent->count; i++)
		if (l->sent->transmissions[i].match != TRANSMISSION_NONE)
			ttls[l->received->transmissions[l->sent->transmissions[i].match].seg->ttl]++;
	for (uint32_t t = 0; t < 256; t++) {
		if (ttls[t] <= most)
			continue;
		most = ttls[t];
		l->modal_ttl = (uint8_t)t;
	}
}

/* First and last arrival, and the most common TTL: nearly always that of the first. */
static void survey(struct path *l)
{
	bool ttls_differ = false;

	l->first_whole = l->last_whole = TRANSMISSION_NONE;
	for (uint32_t i = 0; i < l->sent->count; i++) {
		const struct transmission *it = &l->sent->transmissions[i];

		uint8_t ttl;

		if (it->match == TRANSMISSION_NONE)
			continue;
		ttl = l->received->transmissions[it->match].seg->ttl;
		if (l->first_whole == TRANSMISSION_NONE) {
			l->first_whole = i;
			l->modal_ttl = ttl;
			l->has_modal_ttl = true;
		}
		l->last_whole = i;
		ttls_differ |= ttl != l->modal_ttl;
	}
	if (ttls_differ)
		find_modal_ttl(l);
	l->first_arrived = TRANSMISSION_NONE;
	l->last_arrived = 0;
	for (uint32_t i = 0; i < l->received->count; i++) {
		if (l->received->transmissions[i].match == TRANSMISSION_NONE)
			continue;
		l->first_arrived = l->first_arrived == TRANSMISSION_NONE ? i : l->first_arrived;
		l->last_arrived = i;
	}
}

static bool is_syn(const struct transmission *it)
{
	return it->seg->flags & TCP_SYN;
}

/* Segments a gap stands for; all gaps of a transmission together never exceed the transmission's. */
static uint32_t gap_segments(const struct path *l, const struct transmission *it, const struct gap *r, uint32_t left)
{
	uint32_t n = r->high - r->low == it->span ? segments_of(l, it->seg->length)
						  : segments_of(l, (uint32_t)(r->high - r->low));

	return n < left ? n : left;
}

static void note_missing(struct path *l, const struct gap *r, const struct fate *fate, uint32_t segments,
	uint32_t bytes, int64_t at_ns)
{
	const struct transmission *it = &l->sent->transmissions[r->transmission];
	struct event *e = path_add_event(l, fate->kind, fate->reason);

	count(counter(l, fate->kind), segments, bytes);
	if (fate->kind == EVENT_LOST && is_syn(it))
		l->counts->syn_lost += segments;
	if (fate->kind == EVENT_LOST && bytes && (l->counts->smallest_lost < 0 ||
						     wire_size(l, it->seg) < l->counts->smallest_lost))
		l->counts->smallest_lost = wire_size(l, it->seg);
	describe(e, l, it, NULL);
	e->seq += (uint32_t)(r->low - it->off);
	e->length = bytes;
	e->segments = segments;
	e->pending = fate->pending;
	e->proof = fate->proof;
	e->proof_vantage = fate->proof_vantage;
	e->judged_ns = at_ns;
}

static void note_modified(struct path *l, const struct transmission *sent, const struct transmission *received)
{
	char detail[CHANGE_TEXT_SIZE];
	struct event *e;

	if (!change_found(l, sent, received, detail))
		return;
	l->counts->modified += segments_of(l, sent->seg->length);
	if (l->counts->modified > MODIFIED_EVENTS_MAX)
		return;
	e = path_add_event(l, EVENT_MODIFIED, "changed");
	describe(e, l, sent, received);
	memcpy(e->detail, detail, sizeof(e->detail));
}

static void note_whole(struct path *l, const struct transmission *it)
{
	const struct transmission *got = &l->received->transmissions[it->match];
	uint32_t segments = segments_of(l, it->seg->length);
	int64_t size = wire_size(l, it->seg);
	struct event *e;

	if (misaddressed(l, got->seg)) {
		count(&l->counts->misaddressed, segments, it->seg->length);
		if (is_syn(it))
			l->counts->syn_lost += segments;
		e = path_add_event(l, EVENT_MISADDRESSED, "foreign-mac");
		describe(e, l, it, got);
		return;
	}
	count(&l->counts->delivered, segments, it->seg->length);
	if (it->seg->length && size > l->counts->largest_delivered)
		l->counts->largest_delivered = size;
	/* A merged record has no one packet to compare with. */
	if (it->seg->length == got->seg->length && got->match != TRANSMISSION_NONE)
		note_modified(l, it, got);
}

/* An transmission with gaps: what is missing by fate, the rest was delivered. */
static uint32_t judge_transmission(struct path *l, uint32_t index, uint32_t at)
{
	const struct gap_list *list = &l->matcher->missing;
	const struct transmission *it = &l->sent->transmissions[index];
	uint32_t segments = segments_of(l, it->seg->length), bytes = it->seg->length;

	/* One that arrived in part is more than one outcome here, though it may be whole at the receiver. */
	l->counts->estimated |= it->state == TRANSMISSION_PARTLY;
	for (; at < list->count && list->gaps[at].transmission == index; at++) {
		const struct gap *r = &list->gaps[at];
		int64_t when = INT64_MIN;
		struct fate fate = fate_of_missing(l, r, &l->proofs->gaps[at], &when);
		bool running = fate.kind == EVENT_CAPTURE_MISSED && fate_receiver_ran(l, index, &when);
		uint32_t n = gap_segments(l, it, r, segments), b = payload_within(it, r->low, r->high);

		note_missing(l, r, &fate, n, b, when);
		l->events->events[l->events->count - 1].while_running = running;
		segments -= n;
		bytes -= b;
	}
	count(&l->counts->delivered, segments, bytes);
	if (bytes && wire_size(l, it->seg) > l->counts->largest_delivered)
		l->counts->largest_delivered = wire_size(l, it->seg);
	return at;
}

/* Matched by bytes with a record that was cut or merged elsewhere. */
static bool matched_by_range(const struct path *l, const struct transmission *it)
{
	return it->match != TRANSMISSION_NONE && l->received->transmissions[it->match].seg->length != it->seg->length;
}

static void count_sent(struct path *l, const struct transmission *it, int64_t *end)
{
	uint32_t segments = segments_of(l, it->seg->length);
	int64_t high = it->off + it->span;

	count(&l->counts->sent, segments, it->seg->length);
	if (is_syn(it))
		l->counts->syn_sent += segments;
	if (is_merged(l, it->seg->length) || matched_by_range(l, it))
		l->counts->estimated = true;
	/* Below what was sent before: sent again. A keep-alive (RFC 9293 3.8.4) repeats one byte at most. */
	if (it->span && high <= *end && !(it->span <= 1 && high == *end && !(it->seg->flags & (TCP_SYN | TCP_FIN))))
		count(&l->counts->retransmitted, segments, it->seg->length);
	if (it->span && high > *end) {
		l->sent_jumps |= it->off > *end && *end != INT64_MIN;
		*end = high;
	}
}

static void judge_sent(struct path *l)
{
	int64_t end = INT64_MIN;
	uint32_t at = 0;

	for (uint32_t i = 0; i < l->sent->count; i++) {
		const struct transmission *it = &l->sent->transmissions[i];

		count_sent(l, it, &end);
		if (it->state == TRANSMISSION_WHOLE)
			note_whole(l, it);
		else
			at = judge_transmission(l, i, at);
	}
	l->sent_end = end;
}

static int compare_transmissions(const struct transmission *a, const struct transmission *b)
{
	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	if (a->seg->length != b->seg->length)
		return a->seg->length < b->seg->length ? -1 : 1;
	return (a->seg->hash > b->seg->hash) - (a->seg->hash < b->seg->hash);
}

static int by_transmission(const void *x, const void *y, void *half)
{
	const struct half_flow *l = half;
	uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;
	int r = compare_transmissions(&l->transmissions[i], &l->transmissions[k]);

	return r ? r : (i > k) - (i < k);
}

/* One packet twice, to the last field that a sender varies. Equal pure ACKs without ID prove nothing. */
static bool is_duplicate(const struct transmission *a, const struct transmission *b)
{
	bool tells = a->seg->ip_id || (a->span && a->seg->bits & SEGMENT_TIMESTAMP) || a->seg->bits & SEGMENT_DUPLICATE;

	return tells && a->span == b->span && a->seg->flags == b->seg->flags && a->seg->ack == b->seg->ack &&
		a->seg->tsval == b->seg->tsval && a->seg->ip_id == b->seg->ip_id;
}

/* Marks extra arrivals of which another copy was matched. */
static void mark_duplicates(struct path *l)
{
	const struct gap_list *list = &l->matcher->extra;
	struct half_flow *r = l->received;
	uint32_t *extra, n = 0;

	if (!list->count)
		return;
	extra = mem_array(list->count, sizeof(*extra));
	for (uint32_t i = 0; i < list->count; i++)
		if (r->transmissions[list->gaps[i].transmission].state == TRANSMISSION_OPEN)
			extra[n++] = list->gaps[i].transmission;
	if (n > 1)
		qsort_r(extra, n, sizeof(*extra), by_transmission, r);
	for (uint32_t i = 0; i < r->count && n; i++) {
		uint32_t low = 0, high = n;

		if (r->transmissions[i].state != TRANSMISSION_WHOLE)
			continue;
		while (low < high) {
			uint32_t middle = (low + high) / 2;

			if (compare_transmissions(&r->transmissions[extra[middle]], &r->transmissions[i]) < 0)
				low = middle + 1;
			else
				high = middle;
		}
		for (; low < n && !compare_transmissions(&r->transmissions[extra[low]], &r->transmissions[i]); low++)
			r->transmissions[extra[low]].duplicate |= is_duplicate(&r->transmissions[extra[low]], &r->transmissions[i]) &&
				match_is_causal(l->matcher, &l->sent->transmissions[r->transmissions[i].match], &r->transmissions[extra[low]]);
	}
	free(extra);
}

static void judge_received(struct path *l)
{
	const struct gap_list *list = &l->matcher->extra;

	for (uint32_t at = 0; at < list->count; at++) {
		const struct gap *r = &list->gaps[at];
		const struct transmission *it = &l->received->transmissions[r->transmission];
		struct fate fate = fate_of_extra(l, r);
		uint32_t bytes = payload_within(it, r->low, r->high);
		uint32_t segments = gap_segments(l, it, r, UINT32_MAX);
		struct event *e = path_add_event(l, fate.kind, fate.reason);

		count(counter(l, fate.kind), segments, bytes);
		describe(e, l, NULL, it);
		e->seq += (uint32_t)(r->low - it->off);
		e->length = bytes;
		e->segments = segments;
		e->proof = fate.proof;
		e->proof_vantage = fate.proof_vantage;
		e->judged_ns = it->seg->time_ns;
		e->while_running = fate.kind == EVENT_SENDER_MISSED && fate_sender_ran(l, r->transmission);
	}
}

static void count_received(struct path *l)
{
	for (uint32_t i = 0; i < l->received->count; i++) {
		const struct transmission *it = &l->received->transmissions[i];

		count(&l->counts->received, segments_of(l, it->seg->length), it->seg->length);
		/* The same the other way round: merged, or its flags changed on the way. */
		if (is_merged(l, it->seg->length) || it->state == TRANSMISSION_PARTLY)
			l->counts->estimated = true;
	}
	/* Merged records cut elsewhere than the sent ones count by the sender's. */
	if (l->counts->estimated)
		l->counts->received.segments = l->counts->delivered.segments + l->counts->misaddressed.segments +
			l->counts->duplicated.segments + l->counts->injected.segments +
			l->counts->sender_missed.segments;
}

/* RFC 4737 3.3 by order of transmission: an arrival sent before one that arrived earlier. */
static void judge_order(struct path *l)
{
	uint32_t highest = 0;
	bool any = false;

	for (uint32_t i = 0; i < l->received->count; i++) {
		const struct transmission *it = &l->received->transmissions[i];

		if (it->match == TRANSMISSION_NONE || l->sent->transmissions[it->match].match == TRANSMISSION_NONE || it->ambiguous)
			continue;
		if (any && it->match < highest && it->state == TRANSMISSION_WHOLE && l->sent->transmissions[it->match].match == i) {
			struct event *e = path_add_event(l, EVENT_REORDERED, "late");

			describe(e, l, &l->sent->transmissions[it->match], it);
			l->counts->reordered += e->segments;
		}
		if (!any || it->match > highest)
			highest = it->match;
		any = true;
	}
}

void path_judge(struct path *l)
{
	*l->counts = (struct path_counts){.from = l->from, .to = l->to, .direction = (uint8_t)l->direction,
		.largest_delivered = -1, .smallest_lost = -1, .owd_min_ns = INT64_MIN,
		.owd_median_ns = INT64_MIN, .owd_max_ns = INT64_MIN};
	survey(l);
	if (l->matcher->missing.count || l->matcher->extra.count)
		proofs_gather(l->proofs, &l->matcher->missing, l->sent, l->received, l->acks_from, l->acks_to);
	judge_sent(l);
	mark_duplicates(l);
	judge_received(l);
	count_received(l);
	judge_order(l);
	both_missed_find(l);
	delay_measure(l);
}
