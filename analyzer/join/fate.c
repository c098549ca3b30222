#include "join/fate.h"

#include <assert.h>

#include "base/nsec.h"
#include "decode/packet.h"
#include "join/running.h"

/* Nothing shows that it arrived: lost, if the receiving capture would have shown it. */
static struct fate fate_lost_if_running(
	const struct path *path, uint32_t sent_index, const char *reason, int64_t *ret_ns)
{
	const char *why = running_problem(path, sent_index, ret_ns);

	if (why)
		return (struct fate){.kind = EVENT_UNJUDGED, .reason = why};
	return (struct fate){.kind = EVENT_LOST, .reason = reason, .pending = true};
}

/* The first acknowledgment that covers a gap, at one side; *ret_sack: it is a SACK. */
static uint32_t fate_first_cover(uint32_t cover, uint32_t sack, bool *ret_sack)
{
	*ret_sack = sack < cover;
	return sack < cover ? sack : cover;
}

struct cover {
	const struct segment *to,
		*from; /* first covering acknowledgment leaving the receiver, reaching the sender */
	uint32_t to_transmission; /* in acks_to; TRANSMISSION_NONE */
	bool sack;
};

static struct cover fate_find_cover(const struct path *path, const struct gap_proof *p)
{
	bool sack_to, sack_from;
	uint32_t to = fate_first_cover(p->cover_to, p->sack_to, &sack_to);
	uint32_t from = fate_first_cover(p->cover_from, p->sack_from, &sack_from);

	return (struct cover){
		.to = to == TRANSMISSION_NONE ? NULL : path->in.acks_to->transmissions[to].seg,
		.from = from == TRANSMISSION_NONE ? NULL
						  : path->in.acks_from->transmissions[from].seg,
		.to_transmission = to,
		.sack = to != TRANSMISSION_NONE ? sack_to : sack_from};
}

static struct fate fate_arrived(const struct path *path, const struct cover *c)
{
	assert(c->to || c->from); /* some acknowledgment covers it */
	return (struct fate){.kind = EVENT_CAPTURE_MISSED,
		.reason = c->sack ? "sack-covers" : "ack-covers",
		.proof = c->to ? c->to : c->from,
		.proof_vantage = c->to ? path->in.to : path->in.from};
}

/* Does a sent transmission that arrived in part lack bytes of this gap too? */
static bool fate_lacks(const struct path *path, uint32_t transmission, const struct gap *r)
{
	const struct gap_list *list = &path->in.matcher->missing;
	uint32_t low = 0, high = list->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list->gaps[middle].transmission < transmission)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < list->count && list->gaps[low].transmission == transmission; low++)
		if (list->gaps[low].low < r->high && list->gaps[low].high > r->low)
			return true;
	return false;
}

/* Neighbouring gaps with the same copies share what was found out of them: the first one keeps it.
 */
static struct gap_proof *fate_shared(const struct path *path, const struct gap_proof *p)
{
	return &path->scratch->proofs.gaps[p->leader];
}

static uint32_t fate_find_recorded_copy(
	const struct path *path, const struct gap *r, const struct gap_proof *p)
{
	for (uint32_t i = 0; i < p->copies; i++) {
		uint32_t copy = path->scratch->proofs.copies[p->first_copy + i];

		/* The gap's own transmission may have arrived in other parts. */
		if (path->in.sent->transmissions[copy].match != TRANSMISSION_NONE &&
			!fate_lacks(path, copy, r))
			return copy;
	}
	return TRANSMISSION_NONE;
}

/* The first sent copy over the gap whose arrival was captured; TRANSMISSION_NONE. */
static uint32_t fate_first_recorded_copy(
	const struct path *path, const struct gap *r, const struct gap_proof *p)
{
	struct gap_proof *shared = fate_shared(path, p);

	if (shared->recorded == PROOF_UNASKED)
		shared->recorded = fate_find_recorded_copy(path, r, p);
	return shared->recorded;
}

/* Matched segments around a place that tell how long the way takes then. */
#define AROUND 64
#define AROUND_NS (60 * NSEC_PER_SEC)

/* One direction between the two places of a path. */
struct passage {
	const struct clocks *clocks;
	uint32_t from, to;
	const struct half_flow *sent, *received;
};

/* The least that segments sent near a transmission took, by the two captures' own clocks. */
static bool fate_least_delay(const struct passage *p, uint32_t transmission, int64_t *ret_ns)
{
	const struct half_flow *sent = p->sent, *received = p->received;
	uint32_t low = transmission > AROUND ? transmission - AROUND : 0;
	uint32_t end = transmission + AROUND < sent->count ? transmission + AROUND : sent->count;
	int64_t least = INT64_MAX;

	assert(transmission < sent->count);
	for (uint32_t i = low; i < end; i++) {
		const struct transmission *it = &sent->transmissions[i];
		int64_t apart = it->seg->time_ns - sent->transmissions[transmission].seg->time_ns,
			delay;

		if (it->state != TRANSMISSION_WHOLE || it->ambiguous || apart > AROUND_NS ||
			apart < -AROUND_NS ||
			!clocks_held(p->clocks, p->from, p->to, it->seg,
				sent->transmissions[transmission].seg))
			continue;
		delay = received->transmissions[it->match].seg->time_ns - it->seg->time_ns;
		least = delay < least ? delay : least;
	}
	if (least == INT64_MAX)
		return false;
	*ret_ns = least;
	return true;
}

/* How soon after a sending its acknowledgment can leave the receiver, and reach the sender. */
struct reach {
	int64_t there, back;
};

static struct reach fate_least_reach(
	const struct path *path, uint32_t first, uint32_t copy, const struct cover *c)
{
	const struct transmission *sent = path->in.sent->transmissions;
	struct clock_bounds b = path_clock_bounds(path, path->in.from, path->in.to, sent[copy].seg);
	struct passage out = {path->in.clocks, path->in.from, path->in.to, path->in.sent,
			       path->in.received},
		       home = {path->in.clocks, path->in.to, path->in.from, path->in.acks_to,
			       path->in.acks_from};
	int64_t trip = b.has_low && b.has_high ? b.high - b.low : 0, there, back;

	if (c->to_transmission == TRANSMISSION_NONE || !fate_least_delay(&out, copy, &there))
		return (struct reach){.there = INT64_MIN, .back = trip * 9 / 10};
	/* The way back may be in no capture of the sender's: a copy may be quicker by some part of
	 * what lies between the two. */
	if (!fate_least_delay(&home, c->to_transmission, &back))
		return (struct reach){
			.there = there - (sent[copy].seg->time_ns - sent[first].seg->time_ns) / 10,
			.back = trip * 9 / 10};
	return (struct reach){
		.there = there - (there + back) / 10, .back = (there + back) * 9 / 10};
}

static uint32_t fate_find_answering_copy(
	const struct path *path, const struct gap_proof *p, const struct cover *c)
{
	const struct segment *ack = c->to ? c->to : c->from;
	uint32_t first = path->scratch->proofs.copies[p->first_copy], best = first;

	assert(p->copies > 1); /* else there is nothing to choose */
	for (uint32_t i = 1; i < p->copies; i++) {
		uint32_t copy = path->scratch->proofs.copies[p->first_copy + i];
		const struct segment *s = path->in.sent->transmissions[copy].seg;
		struct reach reach;

		if (!c->sack && path->in.matcher->traits.use_timestamp &&
			ack->bits & s->bits & SEGMENT_TIMESTAMP) {
			if ((int32_t)(ack->tsecr - s->tsval) >= 0)
				best = copy;
			continue;
		}
		reach = fate_least_reach(path, first, copy, c);
		if (c->to && reach.there != INT64_MIN && c->to->time_ns - s->time_ns < reach.there)
			continue;
		if (c->from ? c->from->time_ns - s->time_ns >= reach.back
			    : reach.there != INT64_MIN)
			best = copy;
	}
	return best;
}

/*
 * Several copies were sent, none is on record, and the receiver acknowledged: which one arrived?
 * RFC 7323 4.3: an ACK that advances echoes the time stamp of the segment that let it. Without
 * one: the last copy that the acknowledgment can still answer, given how long the ways take.
 */
static uint32_t fate_answering_copy(
	const struct path *path, const struct gap_proof *p, const struct cover *c)
{
	struct gap_proof *shared = fate_shared(path, p);

	if (shared->answering == PROOF_UNASKED)
		shared->answering = fate_find_answering_copy(path, p, c);
	return shared->answering;
}

/*
 * Did the receiver lack the gap when something sent later had reached it? A SACK block above the
 * gap, on the way back before the copy that filled it, says so whatever its capture covered.
 */
static bool fate_hole_is_proven(
	const struct path *path, const struct gap *r, const struct segment *filled)
{
	const struct half_flow *acks = path->in.acks_from;
	const struct shown *place = path->in.from_shown;
	const struct segment *sent = path->in.sent->transmissions[r->transmission].seg;

	for (uint32_t i = 0;
		i < acks->count && shown_is_before(place, acks->transmissions[i].seg, filled);
		i++) {
		const struct transmission *it = &acks->transmissions[i];
		const struct segment_sack *sack = segment_sack(it->seg);

		if (!sack || !shown_is_before(place, sent, it->seg) ||
			transmission_ack(acks, it, r->low) > r->low)
			continue;
		for (uint32_t k = 0; k < sack->count; k++) {
			uint32_t left = sack->edge[k][0] - acks->ack_delta - acks->ack_base;

			if ((int32_t)(left - (uint32_t)r->high) >= 0)
				return true;
		}
	}
	return false;
}

/*
 * Lost, since another copy had to be sent: if the receiving capture was there to show the first
 * one, or the receiver itself said that it lacked it. Else the first may have arrived, and the
 * answer to it may be what was lost.
 */
static struct fate fate_lost_if_shown(const struct path *path, const struct gap *r,
	const struct segment *proof, uint32_t proof_vantage, const struct segment *filled,
	int64_t *ret_ns)
{
	const char *why = running_problem(path, r->transmission, ret_ns);

	if (why && !(filled && fate_hole_is_proven(path, r, filled)))
		return (struct fate){.kind = EVENT_UNJUDGED, .reason = why};
	return (struct fate){.kind = EVENT_LOST,
		.reason = "retransmitted-after-hole",
		.proof = proof,
		.proof_vantage = proof_vantage};
}

/* Second arrivals that D-SACKs report. They speak of the receiving host: for a place before it they
 * prove nothing. */
static uint32_t fate_second_arrivals(const struct path *path, const struct gap_proof *p)
{
	return path->in.to_is_last ? p->dsacks : 0;
}

static uint32_t fate_find_unsent_arrival(
	const struct path *path, const struct gap *r, const struct gap_proof *p)
{
	for (uint32_t i = 0; i < p->arrivals; i++) {
		uint32_t at = path->scratch->proofs.arrivals[p->first_arrival + i];
		const struct transmission *it = &path->in.received->transmissions[at];

		if (it->match == TRANSMISSION_NONE && it->off <= r->low &&
			it->off + it->span >= r->high)
			return at;
	}
	return TRANSMISSION_NONE;
}

/*
 * The first arrival with all bytes of the gap that no sent copy on record accounts for: the sending
 * capture lacks its transmission. It explains acknowledgments that follow it.
 */
static const struct transmission *fate_unsent_arrival(
	const struct path *path, const struct gap *r, const struct gap_proof *p)
{
	struct gap_proof *shared = fate_shared(path, p);

	if (shared->unsent == PROOF_UNASKED)
		shared->unsent = fate_find_unsent_arrival(path, r, p);
	return shared->unsent == TRANSMISSION_NONE
		       ? NULL
		       : &path->in.received->transmissions[shared->unsent];
}

/* Was the transmission that arrived sent after this one? By time stamp or IP ID, else by the
 * clocks. */
static bool fate_sent_after(const struct path *path, const struct transmission *arrival,
	const struct transmission *sent)
{
	const struct segment *a = arrival->seg, *s = sent->seg;

	if (path->in.matcher->traits.use_timestamp && a->bits & s->bits & SEGMENT_TIMESTAMP &&
		a->tsval != s->tsval)
		return (int32_t)(a->tsval - s->tsval) > 0;
	if (path->in.matcher->traits.use_id && !((a->bits | s->bits) & SEGMENT_NO_ID) &&
		a->ip_id != s->ip_id)
		return (int16_t)(a->ip_id - s->ip_id) > 0;
	return match_is_causal(path->in.matcher, sent, arrival);
}

/* The receiver got the bytes by a copy that the sending capture lacks; what became of this one? */
static struct fate fate_by_unsent_arrival(const struct path *path, const struct gap *r,
	const struct gap_proof *p, const struct cover *c, const struct transmission *arrival,
	int64_t *ret_ns)
{
	if (fate_second_arrivals(path, p) >= p->arrivals)
		return (struct fate){.kind = EVENT_CAPTURE_MISSED,
			.reason = "dsack",
			.proof = c->to ? c->to : c->from,
			.proof_vantage = c->to ? path->in.to : path->in.from};
	if (fate_sent_after(path, arrival, &path->in.sent->transmissions[r->transmission]))
		return fate_lost_if_shown(path, r, arrival->seg, path->in.to, NULL, ret_ns);
	return fate_lost_if_running(path, r->transmission, "no-dsack", ret_ns);
}

static struct fate fate_without_recorded_copy(const struct path *path, const struct gap *r,
	const struct gap_proof *p, const struct cover *c, int64_t *ret_ns)
{
	const struct transmission *arrival = p->arrivals ? fate_unsent_arrival(path, r, p) : NULL;
	uint32_t answering;

	if (!c->to && !c->from)
		return fate_lost_if_running(path, r->transmission, "no-proof", ret_ns);
	if (arrival && !(c->to && shown_is_before(path->in.to_shown, c->to, arrival->seg)))
		return fate_by_unsent_arrival(path, r, p, c, arrival, ret_ns);
	if (p->copies < 2)
		return fate_arrived(path, c);
	answering = fate_answering_copy(path, p, c);
	if (r->transmission == answering || fate_second_arrivals(path, p))
		return fate_arrived(path, c);
	if (r->transmission < answering)
		return fate_lost_if_shown(path, r, path->in.sent->transmissions[answering].seg,
			path->in.from, path->in.sent->transmissions[answering].seg, ret_ns);
	/* Sent again after the answer was on its way: it may have arrived or not. */
	return (struct fate){.kind = EVENT_UNJUDGED, .reason = "copy-unknown"};
}

/* Was the gap acknowledged before the captured copy can have caused it? */
static bool fate_acknowledged_before(const struct path *path, const struct gap_proof *p,
	const struct cover *c, uint32_t recorded)
{
	const struct segment *arrival =
		path->in.received->transmissions[path->scratch->proofs.arrivals[p->first_arrival]]
			.seg;

	if (c->to)
		return shown_is_before(path->in.to_shown, c->to, arrival);
	return c->from && shown_is_before(path->in.from_shown, c->from,
				  path->in.sent->transmissions[recorded].seg);
}

static struct fate fate_by_recorded_copy(const struct path *path, const struct gap *r,
	const struct gap_proof *p, const struct cover *c, uint32_t recorded, int64_t *ret_ns)
{
	if (fate_acknowledged_before(path, p, c, recorded) && r->transmission < recorded)
		return fate_arrived(path, c);
	if (fate_second_arrivals(path, p) >= p->arrivals && p->arrivals)
		return (struct fate){.kind = EVENT_CAPTURE_MISSED,
			.reason = "dsack",
			.proof = c->to ? c->to : c->from,
			.proof_vantage = c->to ? path->in.to : path->in.from};
	if (path->in.sent->transmissions[r->transmission].ambiguous)
		return fate_lost_if_running(path, r->transmission, "copy-unknown", ret_ns);
	if (r->transmission >= recorded)
		return fate_lost_if_running(path, r->transmission, "no-dsack", ret_ns);
	/* Never acknowledged: the receiver may have rebooted. Its capture has to tell. */
	if (!c->to && !c->from)
		return fate_lost_if_running(
			path, r->transmission, "retransmitted-after-hole", ret_ns);
	return fate_lost_if_shown(path, r, path->in.sent->transmissions[recorded].seg,
		path->in.from, path->in.sent->transmissions[recorded].seg, ret_ns);
}

struct fate fate_of_missing(
	const struct path *path, const struct gap *r, const struct gap_proof *p, int64_t *ret_ns)
{
	const struct transmission *it = &path->in.sent->transmissions[r->transmission];
	struct cover c;
	uint32_t recorded;

	assert(it->state != TRANSMISSION_WHOLE && it->off <= r->low &&
		r->high <= it->off + it->span);
	if (it->seen_at_third)
		return (struct fate){.kind = EVENT_CAPTURE_MISSED, .reason = "seen-downstream"};
	if (path->out.direction_unseen)
		return (struct fate){.kind = EVENT_UNJUDGED, .reason = "direction"};
	if (scope_leaves_out(path->in.data, path->in.to,
		    path->in.flow_absent ? path->in.sent->member : path->in.received->member,
		    path->in.direction, it->seg))
		return (struct fate){.kind = EVENT_UNJUDGED, .reason = "filter"};
	/* Of what a filter left out, or another host answered, nobody can tell; and the capture has
	 * missed nothing. */
	if (path->in.flow_absent && (path->in.scope != SCOPE_SERVICE || running_is_answered(path)))
		return fate_lost_if_running(path, r->transmission, "no-proof", ret_ns);
	if (r->low == r->high)
		return fate_lost_if_running(path, r->transmission,
			path->in.matcher->traits.tcp ? "pure-ack" : "no-proof", ret_ns);
	c = fate_find_cover(path, p);
	recorded = p->arrivals ? fate_first_recorded_copy(path, r, p) : TRANSMISSION_NONE;
	if (recorded == TRANSMISSION_NONE && p->copies == PROOF_COPIES)
		return (struct fate){.kind = EVENT_UNJUDGED, .reason = "copy-unknown"};
	if (recorded == TRANSMISSION_NONE)
		return fate_without_recorded_copy(path, r, p, &c, ret_ns);
	return fate_by_recorded_copy(path, r, p, &c, recorded, ret_ns);
}

/*
 * After a reset its sender is silent but for more resets, and SYNs where it answered what is no
 * answer to its own (RFC 9293 3.10.7.3); anything else means that it did not send it. What it had
 * sent before may have been overtaken: the number or the clocks must say that it was sent later.
 */
static bool fate_sender_continued(const struct path *path, uint32_t index)
{
	const struct transmission *reset = &path->in.received->transmissions[index];

	for (uint32_t i = index + 1; i < path->in.received->count; i++) {
		const struct transmission *it = &path->in.received->transmissions[i], *sent;
		struct clock_bounds b;

		if (it->match == TRANSMISSION_NONE || it->seg->flags & (TCP_RST | TCP_SYN))
			continue;
		if (it->off + it->span > reset->off)
			return true;
		sent = &path->in.sent->transmissions[it->match];
		b = path_clock_bounds(path, path->in.from, path->in.to, sent->seg);
		if (b.has_low && sent->seg->time_ns + b.low > reset->seg->time_ns)
			return true;
	}
	return false;
}

/* A connection ends soon after its reset. */
#define RESETS_BEHIND 16

/* The last reset of a direction at a place; NULL where there is none among the last ones. */
static const struct segment *fate_last_reset(const struct half_flow *half)
{
	for (uint32_t i = half->count, n = 0; i-- > 0 && n < RESETS_BEHIND; n++)
		if (half->transmissions[i].seg->flags & TCP_RST)
			return half->transmissions[i].seg;
	return NULL;
}

/*
 * Did each end get a reset in the other's name that the other's capture lacks? Whoever is reset
 * sends no reset, and two captures do not both miss that one segment: somebody between them sent
 * both.
 */
static bool fate_resets_crossed(const struct path *path)
{
	const struct vantage *v = &path->in.data->vantages[path->in.to];
	const struct segment *back = fate_last_reset(path->in.acks_from), *known;
	struct clock_bounds b;

	if (!back || fate_last_reset(path->in.sent) || fate_last_reset(path->in.acks_to) ||
		path->out.first_whole == TRANSMISSION_NONE)
		return false;
	/* the receiver's capture ran when that other reset would have been sent */
	known = path->in.sent->transmissions[path->out.first_whole].seg;
	b = path_clock_bounds(path, path->in.from, path->in.to, back);
	return shown_is_before(path->in.from_shown, known, back) && clock_bounds_tell(b) &&
	       back->time_ns + (b.has_high ? b.high : b.low) +
			       steady_at(&v->steady, b.there_ns).shift_ns <=
		       running_span(v).to;
}

/* A TTL that no matched arrival has: packets that take another route there differ in TTL, too. */
static bool fate_odd_ttl(const struct path *path, const struct transmission *it)
{
	return path->out.has_modal_ttl && it->seg->ttl != path->out.modal_ttl &&
	       !(path->out.other_ttls[it->seg->ttl / 64] >> it->seg->ttl % 64 & 1);
}

/* Nothing shows whether it was sent; why, if the sending capture ran then. */
static struct fate fate_not_recorded(const struct path *path, uint32_t index, const char *reason)
{
	int64_t when;

	return (struct fate){.kind = EVENT_SENDER_MISSED,
		.reason = running_sender(path, index, &when) ? reason : "not-covered"};
}

struct fate fate_of_extra(const struct path *path, const struct gap *r)
{
	const struct transmission *it = &path->in.received->transmissions[r->transmission];
	bool reset = it->seg->flags & TCP_RST;
	int64_t when;
	uint32_t acked;

	assert(it->state != TRANSMISSION_WHOLE && it->off <= r->low &&
		r->high <= it->off + it->span);
	if (it->seen_at_third)
		return (struct fate){.kind = EVENT_SENDER_MISSED, .reason = "seen-upstream"};
	if ((path->in.sender_absent && path->in.scope != SCOPE_SERVICE) ||
		scope_leaves_out(path->in.data, path->in.from,
			path->in.sender_absent ? path->in.received->member : path->in.sent->member,
			path->in.direction, it->seg))
		return fate_not_recorded(path, r->transmission, "filter");
	/* Without an ID the sender's own repetition may look the same; it is one, for all we know,
	 * if its capture did not run. */
	if (it->duplicate && (it->seg->ip_id || running_sender(path, r->transmission, &when)))
		return (struct fate){.kind = EVENT_DUPLICATED, .reason = "extra-copy"};
	if (path->in.matcher->traits.tcp && path->in.sent->count && (reset || it->span) &&
		running_sender(path, r->transmission, &when)) {
		if (fate_odd_ttl(path, it))
			return (struct fate){.kind = EVENT_INJECTED, .reason = "ttl"};
		if (reset && fate_sender_continued(path, r->transmission))
			return (struct fate){.kind = EVENT_INJECTED, .reason = "host-continued"};
		if (reset && fate_resets_crossed(path))
			return (struct fate){.kind = EVENT_INJECTED, .reason = "both-reset"};
	}
	acked = r->high > r->low ? ack_track_covers(&path->scratch->proofs.from, r->high)
				 : TRANSMISSION_NONE;
	if (acked != TRANSMISSION_NONE)
		return (struct fate){.kind = EVENT_SENDER_MISSED,
			.reason = "sender-acked",
			.proof = path->in.acks_from->transmissions[acked].seg,
			.proof_vantage = path->in.from};
	return fate_not_recorded(path, r->transmission, "no-proof");
}
