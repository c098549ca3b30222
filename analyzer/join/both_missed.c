#include "join/both_missed.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decode/packet.h"

/* An acknowledgment this far beyond what was seen may still be of bytes that nobody recorded. */
#define TAIL_MAX 65536
/* The highest acknowledgment of a half-flow is among its last ones, whatever order they came in. */
#define LAST_ACKS 4

/* A stretch that both half-flows lack, and the time in which it passed one of them. */
struct both_missed_hole {
	int64_t low, high;
	bool known[2]; /* at the sender's, the receiver's capture: it ran while this passed */
	int64_t since[2], until[2];
};

/* What a filter may take out of the middle of a flow; other filters take flows or directions. */
static bool both_missed_thins(const char *filter)
{
	static const char *const words[] = {"len", "less", "greater"};
	const char *at = filter;

	if (!filter)
		return false;
	if (strchr(filter, '['))
		return true;
	while (*at) {
		size_t n = 0;

		while (isalnum((unsigned char)at[n]))
			n++;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (n == strlen(words[i]) && memcmp(at, words[i], n) == 0)
				return true;
		at += n ? n : 1;
	}
	return false;
}

/* Was every packet of the flow to be recorded at both places? */
static bool both_record(const struct path *path)
{
	return !path->in.flow_absent && !path->in.sender_absent && path->in.sent->count &&
	       path->in.received->count &&
	       !both_missed_thins(path->in.data->vantages[path->in.from].filter) &&
	       !both_missed_thins(path->in.data->vantages[path->in.to].filter) &&
	       !both_missed_thins(path->in.filter);
}

static bool both_missed_acks(const struct transmission *it)
{
	return (it->seg->flags & (TCP_ACK | TCP_RST)) == TCP_ACK;
}

static bool both_missed_acked_beyond(const struct half_flow *acking, int64_t end)
{
	uint32_t n = 0;

	for (uint32_t i = acking->count; i-- && n < LAST_ACKS; n++)
		if (both_missed_acks(&acking->transmissions[i]) &&
			transmission_ack(acking, &acking->transmissions[i], end) > end)
			return true;
	return false;
}

/* A reset may carry any number. */
static bool both_missed_covers_bytes(const struct transmission *it)
{
	return it->span && !(it->seg->flags & TCP_RST);
}

static uint32_t both_missed_segments_for(const struct path *path, int64_t bytes)
{
	uint32_t mss = path->in.matcher->traits.mss;

	return bytes <= mss ? 1 : (uint32_t)((bytes + mss - 1) / mss);
}

/* Does a half-flow alone have everything from low to high, in order? Most do. */
static bool both_missed_complete(const struct half_flow *half, int64_t low, int64_t high)
{
	int64_t reach = low;

	for (uint32_t i = 0; i < half->count; i++) {
		const struct transmission *it = &half->transmissions[i];

		if (!both_missed_covers_bytes(it))
			continue;
		if (it->off > reach)
			return false;
		reach = it->off + it->span > reach ? it->off + it->span : reach;
	}
	return reach >= high;
}

/* Adds the ranges of a half-flow; returns how many wire segments it has. */
static uint64_t both_missed_add_ranges(
	struct path *path, const struct half_flow *half, uint32_t *count)
{
	struct both_missed *u = path->scratch->both_missed;
	uint64_t segments = 0;

	for (uint32_t i = 0; i < half->count; i++) {
		const struct transmission *it = &half->transmissions[i];

		if (!both_missed_covers_bytes(it))
			continue;
		MEM_RESERVE(u->ranges, *count, u->range_cap);
		u->ranges[(*count)++] =
			(struct both_missed_range){.low = it->off, .high = it->off + it->span};
		segments += both_missed_segments_for(path, it->seg->length);
	}
	return segments;
}

static int both_missed_by_low(const void *x, const void *y)
{
	const struct both_missed_range *a = x, *b = y;

	return (a->low > b->low) - (a->low < b->low);
}

static void both_missed_add_hole(struct both_missed *u, int64_t low, int64_t high)
{
	assert(low < high);
	MEM_RESERVE(u->holes, u->hole_count, u->hole_cap);
	u->holes[u->hole_count++] = (struct both_missed_hole){.low = low, .high = high};
}

/* What no range covers between the first of them and what was acknowledged. */
static void both_missed_find_holes(struct both_missed *u, uint32_t ranges, int64_t acked)
{
	int64_t reach;

	u->hole_count = 0;
	if (!ranges)
		return;
	qsort(u->ranges, ranges, sizeof(*u->ranges), both_missed_by_low);
	reach = u->ranges[0].low;
	for (uint32_t i = 0; i < ranges && reach < acked; i++) {
		const struct both_missed_range *r = &u->ranges[i];

		if (r->low > reach)
			both_missed_add_hole(u, reach, r->low < acked ? r->low : acked);
		reach = r->high > reach ? r->high : reach;
	}
	if (reach < acked)
		both_missed_add_hole(u, reach, acked);
}

static bool both_missed_paused(const struct vantage *v, int64_t from, int64_t to)
{
	for (uint32_t i = 0; i < v->unrecorded.gaps.count; i++)
		if (v->unrecorded.gaps.rows[i].from_ns <= to &&
			v->unrecorded.gaps.rows[i].to_ns >= from)
			return true;
	return false;
}

/*
 * A capture ran while a hole passed where its own half-flow has something from before it, and
 * something from behind it or the acknowledgment; and where no pause of the capture touches the
 * time between.
 */
static void both_missed_bracket(const struct path *path, const struct half_flow *half,
	const struct ack_track *acked, bool at_receiver)
{
	const struct vantage *v =
		&path->in.data->vantages[at_receiver ? path->in.to : path->in.from];
	struct both_missed *u = path->scratch->both_missed;
	uint32_t begun = 0, ended = 0;
	int64_t last = INT64_MIN;

	for (uint32_t i = 0; i < half->count && ended < u->hole_count; i++) {
		const struct transmission *it = &half->transmissions[i];
		bool first = last == INT64_MIN;

		if (it->seg->flags & TCP_RST)
			continue;
		for (; ended < u->hole_count && it->off >= u->holes[ended].high; ended++) {
			struct both_missed_hole *h = &u->holes[ended];

			h->since[at_receiver] = ended < begun ? h->since[at_receiver] : last;
			h->until[at_receiver] = it->seg->time_ns;
			h->known[at_receiver] = ended < begun || !first;
		}
		begun = begun < ended ? ended : begun;
		for (; begun < u->hole_count && it->off + it->span >= u->holes[begun].low; begun++)
			u->holes[begun].since[at_receiver] = it->seg->time_ns;
		last = it->seg->time_ns;
	}
	for (uint32_t i = ended; i < u->hole_count && last != INT64_MIN; i++) {
		struct both_missed_hole *h = &u->holes[i];
		uint32_t by = ack_track_covers(acked, h->high);

		if (by == TRANSMISSION_NONE)
			continue;
		h->since[at_receiver] = i < begun ? h->since[at_receiver] : last;
		h->until[at_receiver] = acked->half->transmissions[by].seg->time_ns;
		h->known[at_receiver] = h->since[at_receiver] <= h->until[at_receiver];
	}
	for (uint32_t i = 0; i < u->hole_count && v->unrecorded.gaps.count; i++) {
		struct both_missed_hole *h = &u->holes[i];

		h->known[at_receiver] &=
			!both_missed_paused(v, h->since[at_receiver], h->until[at_receiver]);
	}
}

/* Payload in a plain segment: a capture of handshakes and ends alone has none. */
static bool both_missed_has_payload(const struct half_flow *half)
{
	for (uint32_t i = 0; i < half->count; i++)
		if (half->transmissions[i].seg->length &&
			!(half->transmissions[i].seg->flags & (TCP_SYN | TCP_FIN | TCP_RST)))
			return true;
	return false;
}

static void both_missed_note(struct path *path, const struct both_missed_hole *h, uint32_t segments)
{
	uint32_t to = ack_track_covers(&path->scratch->proofs.to, h->high),
		 from = ack_track_covers(&path->scratch->proofs.from, h->high);
	struct event *e = path_add_event(path, EVENT_BOTH_MISSED, "ack-covers");

	assert(to != TRANSMISSION_NONE ||
		from != TRANSMISSION_NONE); /* holes end at what is acknowledged */
	e->seq = (uint32_t)h->low + path->in.sent->base + path->in.sent->delta;
	e->length = (uint32_t)(h->high - h->low);
	e->segments = segments;
	e->proof = to != TRANSMISSION_NONE ? path->in.acks_to->transmissions[to].seg
					   : path->in.acks_from->transmissions[from].seg;
	e->proof_vantage = to != TRANSMISSION_NONE ? path->in.to : path->in.from;
	/* In the middle the next path knows better whether this place alone lacks it. */
	e->while_running = path->in.to_is_last;
	e->sender_running = path->in.from_is_first;
	e->judged_ns = h->until[1];
	e->sender_ns = h->until[0];
}

/* A FIN most often rides on the last payload: its number alone makes no segment more. */
static uint32_t both_missed_hole_segments(
	const struct path *path, const struct both_missed_hole *h, bool last)
{
	int64_t bytes = h->high - h->low;

	return both_missed_segments_for(path, last && bytes > 1 ? bytes - 1 : bytes);
}

void both_missed_find(struct path *path)
{
	int64_t end = path->in.sent->end > path->in.received->end ? path->in.sent->end
								  : path->in.received->end,
		acked;
	struct both_missed *u = path->scratch->both_missed;
	uint64_t has[2], lacks = 0;
	uint32_t ranges = 0;

	if (!path->in.matcher->traits.tcp || !both_record(path))
		return;
	if (path->out.sent_end == INT64_MIN)
		return;
	if (!path->out.sent_jumps &&
		!both_missed_acked_beyond(path->in.acks_to, path->out.sent_end) &&
		!both_missed_acked_beyond(path->in.acks_from, path->out.sent_end))
		return;
	ack_track_build(&path->scratch->proofs.to, path->in.acks_to, end + TAIL_MAX);
	ack_track_build(&path->scratch->proofs.from, path->in.acks_from, end + TAIL_MAX);
	acked = ack_track_highest(&path->scratch->proofs.to);
	acked = ack_track_highest(&path->scratch->proofs.from) > acked
			? ack_track_highest(&path->scratch->proofs.from)
			: acked;
	if (both_missed_complete(path->in.received, path->in.sent->transmissions[0].off, acked))
		return;
	has[0] = both_missed_add_ranges(path, path->in.sent, &ranges);
	has[1] = both_missed_add_ranges(path, path->in.received, &ranges);
	both_missed_find_holes(u, ranges, acked);
	if (!u->hole_count)
		return;
	for (uint32_t i = 0; i < u->hole_count; i++)
		lacks += both_missed_hole_segments(path, &u->holes[i], i + 1 == u->hole_count);
	/* Captures that hold less of the flow than they lack were made so, or its numbers jump. */
	if (lacks > has[0] || lacks > has[1] ||
		!(both_missed_has_payload(path->in.sent) ||
			both_missed_has_payload(path->in.acks_from)) ||
		!(both_missed_has_payload(path->in.received) ||
			both_missed_has_payload(path->in.acks_to)))
		return;
	both_missed_bracket(path, path->in.sent, &path->scratch->proofs.from, false);
	both_missed_bracket(path, path->in.received, &path->scratch->proofs.to, true);
	for (uint32_t i = 0; i < u->hole_count; i++)
		if (u->holes[i].known[0] && u->holes[i].known[1])
			both_missed_note(path, &u->holes[i],
				both_missed_hole_segments(
					path, &u->holes[i], i + 1 == u->hole_count));
}

void both_missed_release(struct both_missed *u)
{
	free(u->ranges);
	free(u->holes);
	*u = (struct both_missed){0};
}
