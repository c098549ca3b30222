#include "join/path.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "decode/packet.h"
#include "join/change.h"
#include "join/fate.h"
#include "join/running.h"

_Static_assert(
	sizeof(((struct event *)0)->detail) == CHANGE_TEXT_SIZE, "event.detail holds a change");
/* Events of one kind in one path; beyond them only counts (changes of every packet, mostly). */
#define MODIFIED_EVENTS_MAX 16

const char *event_kind_name(enum event_kind k)
{
	static const char *const names[] = {"lost", "capture_missed", "misaddressed", "unjudged",
		"duplicated", "sender_missed", "reordered", "injected", "modified", "both_missed"};
	_Static_assert(sizeof(names) / sizeof(names[0]) == EVENT_KINDS, "a name for each kind");

	assert(k < EVENT_KINDS);
	return names[k];
}

/* More than one wire segment: offload merged it. Datagrams are one each, fragmented or not, where
 * it did not. */
static bool path_is_merged(const struct path *path, uint32_t length)
{
	const struct match_traits *traits = &path->in.matcher->traits;

	return length > traits->mss && (traits->tcp || traits->is_merged);
}

static uint32_t path_segments_of(const struct path *path, uint32_t length)
{
	uint32_t mss = path->in.matcher->traits.mss;

	return path_is_merged(path, length) ? (length + mss - 1) / mss : 1;
}

/* Payload bytes of a transmission within [low, high). A SYN stands before the payload, a FIN behind
 * it. */
static uint32_t path_payload_within(const struct transmission *it, int64_t low, int64_t high)
{
	int64_t begin = it->off + (it->seg->flags & TCP_SYN ? 1 : 0), end = begin + it->seg->length;

	/* Datagrams take no sequence space: all or nothing. */
	if (!it->span)
		return it->seg->length;
	begin = begin > low ? begin : low;
	end = end < high ? end : high;
	return end > begin ? (uint32_t)(end - begin) : 0;
}

static void path_add_count(struct volume *t, uint32_t segments, uint32_t bytes)
{
	t->segments += segments;
	t->bytes += bytes;
}

static struct volume *path_counter(struct path *path, enum event_kind kind)
{
	switch (kind) {
	case EVENT_LOST:
		return &path->out.counts->lost;
	case EVENT_CAPTURE_MISSED:
		return &path->out.counts->capture_missed;
	case EVENT_MISADDRESSED:
		return &path->out.counts->misaddressed;
	case EVENT_DUPLICATED:
		return &path->out.counts->duplicated;
	case EVENT_SENDER_MISSED:
		return &path->out.counts->sender_missed;
	case EVENT_INJECTED:
		return &path->out.counts->injected;
	default:
		return &path->out.counts->unjudged;
	}
}

/* IP length of the largest wire packet that a record stands for. */
static int64_t path_wire_size(const struct path *path, const struct segment *s)
{
	uint32_t mss = path->in.matcher->traits.mss, payload = s->length < mss ? s->length : mss;
	uint32_t ip = s->bits & SEGMENT_NO_ID ? 40 : 20;

	if (!path->in.matcher->traits.tcp)
		return ip + 8 + (path_is_merged(path, s->length) ? mss : s->length);
	return ip + 20 + (s->bits & SEGMENT_TIMESTAMP ? 12 : 0) + payload;
}

struct event *path_add_event(struct path *path, enum event_kind kind, const char *reason)
{
	struct event_list *list = path->out.events;

	MEM_RESERVE(list->events, list->count, list->cap);
	list->events[list->count] = (struct event){.kind = (uint8_t)kind,
		.direction = (uint8_t)path->in.direction,
		.from = path->in.from,
		.to = path->in.to,
		.reason = reason,
		.segments = 1};
	return &list->events[list->count++];
}

/* Describes the transmission an event is about, by the sender's record where there is one. */
static void path_describe(struct event *e, const struct path *path, const struct transmission *sent,
	const struct transmission *received)
{
	const struct transmission *it = sent ? sent : received;
	const struct half_flow *half = sent ? path->in.sent : path->in.received;

	e->sent = sent ? sent->seg : NULL;
	e->received = received ? received->seg : NULL;
	e->seq = it->seg->seq;
	if (!sent && half->delta != path->in.sent->delta)
		e->seq = it->seg->seq - half->delta + path->in.sent->delta;
	if (!path->in.matcher->traits.tcp)
		e->seq = it->seg->ip_id;
	e->length = it->seg->length;
	e->flags = it->seg->flags;
	e->segments = path_segments_of(path, it->seg->length);
}

/* To a MAC that is none of those of the interfaces which make up the place, all of them known and
 * shown by the file. */
static bool path_misaddressed(const struct path *path, const struct segment *received)
{
	const struct shown *to = path->in.to_shown;
	const uint8_t *mac;

	if (!path->in.to_is_end)
		return false;
	for (uint32_t i = 0; i < to->count; i++) {
		const struct vantage_inferred *v =
			&path->in.data->vantages[to->members[i]->vantage].inferred;

		if (v->own_mac == MAC_NONE || v->own_mac == received->dst_mac ||
			received->time_ns < v->mac_from_ns || received->time_ns > v->mac_to_ns)
			return false;
	}
	mac = vantage_mac(&path->in.data->vantages[path->in.to], received->dst_mac);
	return to->count && mac && !(mac[0] & 1);
}

/* The TTL that most arrivals have, where they differ. */
static void path_find_modal_ttl(struct path *path)
{
	uint32_t ttls[256] = {0}, most = 0;

	for (uint32_t i = 0; i < path->in.sent->count; i++)
		if (path->in.sent->transmissions[i].match != TRANSMISSION_NONE)
			ttls[path->in.received->transmissions[path->in.sent->transmissions[i].match]
					.seg->ttl]++;
	for (uint32_t t = 0; t < 256; t++) {
		path->out.other_ttls[t / 64] |= (uint64_t)(ttls[t] > 0) << t % 64;
		if (ttls[t] <= most)
			continue;
		most = ttls[t];
		path->out.modal_ttl = (uint8_t)t;
	}
}

/* First and last arrival, and the most common TTL: nearly always that of the first. */
static void path_survey(struct path *path)
{
	bool ttls_differ = false;

	path->out.first_whole = path->out.last_whole = TRANSMISSION_NONE;
	for (uint32_t i = 0; i < path->in.sent->count; i++) {
		const struct transmission *it = &path->in.sent->transmissions[i];

		uint8_t ttl;

		if (it->match == TRANSMISSION_NONE)
			continue;
		ttl = path->in.received->transmissions[it->match].seg->ttl;
		if (path->out.first_whole == TRANSMISSION_NONE) {
			path->out.first_whole = i;
			path->out.modal_ttl = ttl;
			path->out.has_modal_ttl = true;
		}
		path->out.last_whole = i;
		ttls_differ |= ttl != path->out.modal_ttl;
	}
	if (ttls_differ)
		path_find_modal_ttl(path);
	path->out.first_arrived = TRANSMISSION_NONE;
	path->out.last_arrived = 0;
	for (uint32_t i = 0; i < path->in.received->count; i++) {
		if (path->in.received->transmissions[i].match == TRANSMISSION_NONE)
			continue;
		path->out.first_arrived =
			path->out.first_arrived == TRANSMISSION_NONE ? i : path->out.first_arrived;
		path->out.last_arrived = i;
	}
}

static bool path_is_syn(const struct transmission *it)
{
	return it->seg->flags & TCP_SYN;
}

/* Segments a gap stands for; all gaps of a transmission together never exceed the transmission's.
 */
static uint32_t path_gap_segments(
	const struct path *path, const struct transmission *it, const struct gap *r, uint32_t left)
{
	uint32_t n = r->high - r->low == it->span
			     ? path_segments_of(path, it->seg->length)
			     : path_segments_of(path, (uint32_t)(r->high - r->low));

	return n < left ? n : left;
}

static void path_note_missing(struct path *path, const struct gap *r, const struct fate *fate,
	uint32_t segments, uint32_t bytes, int64_t at_ns)
{
	const struct transmission *it = &path->in.sent->transmissions[r->transmission];
	struct event *e = path_add_event(path, fate->kind, fate->reason);

	path_add_count(path_counter(path, fate->kind), segments, bytes);
	if (fate->kind == EVENT_LOST && path_is_syn(it))
		path->out.counts->syn_lost += segments;
	if (fate->kind == EVENT_LOST && bytes &&
		(path->out.counts->smallest_lost < 0 ||
			path_wire_size(path, it->seg) < path->out.counts->smallest_lost))
		path->out.counts->smallest_lost = path_wire_size(path, it->seg);
	path_describe(e, path, it, NULL);
	e->seq += (uint32_t)(r->low - it->off);
	e->length = bytes;
	e->segments = segments;
	e->pending = fate->pending;
	e->proof = fate->proof;
	e->proof_vantage = fate->proof_vantage;
	e->judged_ns = at_ns;
}

static void path_note_modified(
	struct path *path, const struct transmission *sent, const struct transmission *received)
{
	char detail[CHANGE_TEXT_SIZE];
	struct event *e;

	if (received->untranslated)
		memcpy(detail, CHANGE_ADDRESS, sizeof(CHANGE_ADDRESS));
	else if (!change_found(path, sent, received, detail))
		return;
	path->out.counts->modified += path_segments_of(path, sent->seg->length);
	if (path->out.counts->modified > MODIFIED_EVENTS_MAX)
		return;
	e = path_add_event(
		path, EVENT_MODIFIED, received->untranslated ? "untranslated" : "changed");
	path_describe(e, path, sent, received);
	memcpy(e->detail, detail, sizeof(e->detail));
}

/*
 * A merged record has no one packet to compare with, nor what it was matched with by bytes. A
 * rewritten datagram may be a little longer or shorter.
 */
static bool path_is_comparable(
	const struct path *path, const struct transmission *sent, const struct transmission *got)
{
	uint32_t a = sent->seg->length, b = got->seg->length, shorter = a < b ? a : b;

	if (path->in.matcher->traits.tcp)
		return a == b;
	return !sent->span && (a == b || (a < 2 * shorter && b < 2 * shorter));
}

static void path_note_whole(struct path *path, const struct transmission *it)
{
	const struct transmission *got = &path->in.received->transmissions[it->match];
	uint32_t segments = path_segments_of(path, it->seg->length);
	int64_t size = path_wire_size(path, it->seg);
	struct event *e;

	if (path_misaddressed(path, got->seg)) {
		path_add_count(&path->out.counts->misaddressed, segments, it->seg->length);
		if (path_is_syn(it))
			path->out.counts->syn_lost += segments;
		e = path_add_event(path, EVENT_MISADDRESSED, "foreign-mac");
		path_describe(e, path, it, got);
		return;
	}
	path_add_count(&path->out.counts->delivered, segments, it->seg->length);
	if (it->seg->length && size > path->out.counts->largest_delivered)
		path->out.counts->largest_delivered = size;
	if (path_is_comparable(path, it, got) && got->match != TRANSMISSION_NONE)
		path_note_modified(path, it, got);
}

/* A transmission with gaps: what is missing by fate, the rest was delivered. */
static uint32_t path_judge_transmission(struct path *path, uint32_t index, uint32_t at)
{
	const struct gap_list *list = &path->in.matcher->missing;
	const struct transmission *it = &path->in.sent->transmissions[index];
	uint32_t segments = path_segments_of(path, it->seg->length), bytes = it->seg->length;

	/* One that arrived in part is more than one outcome here, though it may be whole at the
	 * receiver. */
	path->out.counts->estimated |= it->state == TRANSMISSION_PARTLY;
	for (; at < list->count && list->gaps[at].transmission == index; at++) {
		const struct gap *r = &list->gaps[at];
		int64_t when = INT64_MIN;
		struct fate fate = fate_of_missing(path, r, &path->scratch->proofs.gaps[at], &when);
		bool running =
			fate.kind == EVENT_CAPTURE_MISSED && running_receiver(path, index, &when);
		uint32_t n = path_gap_segments(path, it, r, segments),
			 b = path_payload_within(it, r->low, r->high);

		assert(n <= segments && b <= bytes); /* gaps of a transmission do not overlap */
		path_note_missing(path, r, &fate, n, b, when);
		path->out.events->events[path->out.events->count - 1].while_running = running;
		segments -= n;
		bytes -= b;
	}
	path_add_count(&path->out.counts->delivered, segments, bytes);
	if (bytes && path_wire_size(path, it->seg) > path->out.counts->largest_delivered)
		path->out.counts->largest_delivered = path_wire_size(path, it->seg);
	return at;
}

/* Matched by bytes with a record that was cut or merged elsewhere. */
static bool path_matched_by_range(const struct path *path, const struct transmission *it)
{
	return it->match != TRANSMISSION_NONE &&
	       path->in.received->transmissions[it->match].seg->length != it->seg->length;
}

static void path_count_sent(struct path *path, const struct transmission *it, int64_t *end)
{
	uint32_t segments = path_segments_of(path, it->seg->length);
	int64_t high = it->off + it->span;

	path_add_count(&path->out.counts->sent, segments, it->seg->length);
	if (path_is_syn(it))
		path->out.counts->syn_sent += segments;
	if (path_is_merged(path, it->seg->length) || path_matched_by_range(path, it))
		path->out.counts->estimated = true;
	/* Below what was sent before: sent again. A keep-alive (RFC 9293 3.8.4) repeats one byte at
	 * most. */
	if (it->span && high <= *end &&
		!(it->span <= 1 && high == *end && !(it->seg->flags & (TCP_SYN | TCP_FIN))))
		path_add_count(&path->out.counts->retransmitted, segments, it->seg->length);
	if (it->span && high > *end) {
		path->out.sent_jumps |= it->off > *end && *end != INT64_MIN;
		*end = high;
	}
}

static void path_judge_sent(struct path *path)
{
	int64_t end = INT64_MIN;
	uint32_t at = 0;

	for (uint32_t i = 0; i < path->in.sent->count; i++) {
		const struct transmission *it = &path->in.sent->transmissions[i];

		path_count_sent(path, it, &end);
		if (it->state == TRANSMISSION_WHOLE)
			path_note_whole(path, it);
		else
			at = path_judge_transmission(path, i, at);
	}
	assert(at == path->in.matcher->missing.count); /* each gap has its fate */
	path->out.sent_end = end;
}

static int path_compare_transmissions(const struct transmission *a, const struct transmission *b)
{
	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	if (a->seg->length != b->seg->length)
		return a->seg->length < b->seg->length ? -1 : 1;
	return (a->seg->hash > b->seg->hash) - (a->seg->hash < b->seg->hash);
}

static int path_by_transmission(const void *x, const void *y, void *half)
{
	const struct half_flow *l = half;
	uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;
	int r = path_compare_transmissions(&l->transmissions[i], &l->transmissions[k]);

	return r ? r : (i > k) - (i < k);
}

/* One packet twice, to the last field that a sender varies. Equal pure ACKs without ID prove
 * nothing. */
static bool path_is_duplicate(const struct transmission *a, const struct transmission *b)
{
	bool tells = a->seg->ip_id || (a->span && a->seg->bits & SEGMENT_TIMESTAMP) ||
		     a->seg->bits & SEGMENT_DUPLICATE;

	return tells && a->span == b->span && a->seg->flags == b->seg->flags &&
	       a->seg->ack == b->seg->ack && a->seg->tsval == b->seg->tsval &&
	       a->seg->ip_id == b->seg->ip_id;
}

/* Equal arrivals that one which was matched is held against. */
#define DOUBLES_MAX 64

/* Marks what is a copy of the matched arrival i among extra ones, which are sorted. */
static void path_mark_duplicates_of(
	struct path *path, uint32_t i, const uint32_t *extra, uint32_t n)
{
	struct transmission *all = path->in.received->transmissions;
	uint32_t low = 0, high = n, tried = 0;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (path_compare_transmissions(&all[extra[middle]], &all[i]) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n && tried++ < DOUBLES_MAX &&
		!path_compare_transmissions(&all[extra[low]], &all[i]);
		low++)
		all[extra[low]].duplicate |=
			path_is_duplicate(&all[extra[low]], &all[i]) &&
			match_is_causal(path->in.matcher,
				&path->in.sent->transmissions[all[i].match], &all[extra[low]]);
}

/* Marks extra arrivals of which another copy was matched. */
static void path_mark_duplicates(struct path *path)
{
	const struct gap_list *list = &path->in.matcher->extra;
	struct half_flow *r = path->in.received;
	uint32_t *extra, n = 0;

	if (!list->count)
		return;
	extra = mem_array(list->count, sizeof(*extra));
	for (uint32_t i = 0; i < list->count; i++)
		if (r->transmissions[list->gaps[i].transmission].state == TRANSMISSION_OPEN)
			extra[n++] = list->gaps[i].transmission;
	if (n > 1)
		qsort_r(extra, n, sizeof(*extra), path_by_transmission, r);
	for (uint32_t i = 0; i < r->count && n; i++)
		if (r->transmissions[i].state == TRANSMISSION_WHOLE)
			path_mark_duplicates_of(path, i, extra, n);
	free(extra);
}

static void path_judge_received(struct path *path)
{
	const struct gap_list *list = &path->in.matcher->extra;

	for (uint32_t at = 0; at < list->count; at++) {
		const struct gap *r = &list->gaps[at];
		const struct transmission *it = &path->in.received->transmissions[r->transmission];
		struct fate fate = fate_of_extra(path, r);
		uint32_t bytes = path_payload_within(it, r->low, r->high);
		uint32_t segments = path_gap_segments(path, it, r, UINT32_MAX);
		struct event *e = path_add_event(path, fate.kind, fate.reason);

		path_add_count(path_counter(path, fate.kind), segments, bytes);
		path_describe(e, path, NULL, it);
		e->seq += (uint32_t)(r->low - it->off);
		e->length = bytes;
		e->segments = segments;
		e->proof = fate.proof;
		e->proof_vantage = fate.proof_vantage;
		e->judged_ns = it->seg->time_ns;
		e->while_running = fate.kind == EVENT_SENDER_MISSED &&
				   running_sender(path, r->transmission, &e->sender_ns);
	}
}

static void path_count_received(struct path *path)
{
	for (uint32_t i = 0; i < path->in.received->count; i++) {
		const struct transmission *it = &path->in.received->transmissions[i];

		path_add_count(&path->out.counts->received, path_segments_of(path, it->seg->length),
			it->seg->length);
		/* The same the other way round: merged, or its flags changed on the way. */
		if (path_is_merged(path, it->seg->length) || it->state == TRANSMISSION_PARTLY)
			path->out.counts->estimated = true;
	}
	/* Merged records cut elsewhere than the sent ones count by the sender's. */
	if (path->out.counts->estimated)
		path->out.counts->received.segments = path->out.counts->delivered.segments +
						      path->out.counts->misaddressed.segments +
						      path->out.counts->duplicated.segments +
						      path->out.counts->injected.segments +
						      path->out.counts->sender_missed.segments;
}

/* RFC 4737 3.3 by order of transmission: an arrival sent before one that arrived earlier. */
static void path_judge_order(struct path *path)
{
	uint32_t highest = 0;
	bool any = false;

	for (uint32_t i = 0; i < path->in.received->count; i++) {
		const struct transmission *it = &path->in.received->transmissions[i];

		if (it->match == TRANSMISSION_NONE ||
			path->in.sent->transmissions[it->match].match == TRANSMISSION_NONE ||
			it->ambiguous)
			continue;
		if (any && it->match < highest && it->state == TRANSMISSION_WHOLE &&
			path->in.sent->transmissions[it->match].match == i) {
			struct event *e = path_add_event(path, EVENT_REORDERED, "late");

			path_describe(e, path, &path->in.sent->transmissions[it->match], it);
			path->out.counts->reordered += e->segments;
		}
		if (!any || it->match > highest)
			highest = it->match;
		any = true;
	}
}

/* What was sent became something, and so did what was received; bytes too, where no record was cut
 * elsewhere. */
static void path_check_conservation(const struct path_counts *c)
{
	assert(c->sent.segments == c->delivered.segments + c->misaddressed.segments +
					   c->lost.segments + c->capture_missed.segments +
					   c->unjudged.segments);
	assert(c->sent.bytes == c->delivered.bytes + c->misaddressed.bytes + c->lost.bytes +
					c->capture_missed.bytes + c->unjudged.bytes);
	assert(c->syn_lost <= c->syn_sent && c->retransmitted.segments <= c->sent.segments);
	assert(c->received.segments == c->delivered.segments + c->misaddressed.segments +
					       c->duplicated.segments + c->injected.segments +
					       c->sender_missed.segments);
}

void path_judge(struct path *path)
{
	*path->out.counts = (struct path_counts){.from = path->in.from,
		.to = path->in.to,
		.direction = (uint8_t)path->in.direction,
		.largest_delivered = -1,
		.smallest_lost = -1,
		.owd_min_ns = INT64_MIN,
		.owd_median_ns = INT64_MIN,
		.owd_max_ns = INT64_MIN};
	assert(path->in.from != path->in.to && path->in.sent != path->in.received);
	path->out.counts->estimated = path->in.matcher->traits.is_merged;
	path_survey(path);
	if (path->in.matcher->missing.count || path->in.matcher->extra.count)
		proofs_gather(&path->scratch->proofs, &path->in.matcher->missing, path->in.sent,
			path->in.received, path->in.acks_from, path->in.acks_to);
	path->out.direction_unseen = scope_lacks_arrivals(path);
	path_judge_sent(path);
	path_mark_duplicates(path);
	path_judge_received(path);
	path_count_received(path);
	path_judge_order(path);
	path_check_conservation(path->out.counts);
}
