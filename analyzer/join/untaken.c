#include "join/untaken.h"

#include "base/mem.h"
#include "base/seq.h"
#include "decode/packet.h"

/* How far another copy of the same bytes, or the SACK for an arrival, is looked for. */
#define COPY_AHEAD 1024
#define SACK_AHEAD 64

static bool untaken_is_wrong(const struct segment *s)
{
	return s->checksum == CHECKSUM_WRONG || s->outer_checksum == CHECKSUM_WRONG;
}

static const struct segment *untaken_last(const struct half_flow *l)
{
	return l->count ? l->transmissions[l->count - 1].seg : NULL;
}

/* Did any bytes come more than once? */
static bool untaken_is_repeated(const struct untaken_input *in)
{
	return (int64_t)member_side(in->received->member, in->received->direction)->bytes >
	       in->received->end;
}

/* Most directions end acknowledged, and right. */
static bool untaken_is_possible(const struct untaken_input *in)
{
	const struct half_flow *acks = in->acks;

	if (!in->received->count)
		return false;
	if (member_side(in->received->member, in->received->direction)->wrong_checksum)
		return true;
	return in->received->tcp && acks->count &&
	       (untaken_is_repeated(in) ||
		       transmission_ack(acks, &acks->transmissions[acks->count - 1],
			       in->received->end) < in->received->end);
}

static void untaken_note(struct untaken *row, const struct segment *s, bool sent_right)
{
	row->segments++;
	row->wrong += s->checksum == CHECKSUM_WRONG;
	row->wrong_outer += s->outer_checksum == CHECKSUM_WRONG;
	row->sent_right += sent_right;
	if (!row->first) {
		row->first = s;
		row->first_ns = s->time_ns;
	}
	row->last_ns = s->time_ns;
}

static bool untaken_was_sent_right(const struct untaken_input *in, const struct transmission *it)
{
	const struct segment *sent;

	if (!in->sent || it->match == TRANSMISSION_NONE)
		return false;
	sent = in->sent->transmissions[it->match].seg;
	return sent->checksum == CHECKSUM_RIGHT && it->seg->checksum == CHECKSUM_WRONG &&
	       sent->length == it->seg->length;
}

/* When the same bytes come again; INT64_MAX: never. */
static int64_t untaken_next_copy(const struct half_flow *l, uint32_t index)
{
	const struct transmission *it = &l->transmissions[index];

	for (uint32_t i = index + 1; i < l->count && i - index < COPY_AHEAD; i++) {
		const struct transmission *next = &l->transmissions[i];

		if (next->off <= it->off && next->off + next->span > it->off)
			return next->seg->time_ns;
	}
	return INT64_MAX;
}

static bool untaken_in_sack(
	const struct half_flow *acks, const struct segment *ack, int64_t low, int64_t high)
{
	const struct segment_sack *s = segment_sack(ack);

	for (uint32_t k = 0; s && k < s->count && k < 4; k++)
		if (seq_unwrap(low, s->edge[k][0] - acks->ack_delta - acks->ack_base) <= low &&
			seq_unwrap(high, s->edge[k][1] - acks->ack_delta - acks->ack_base) >= high)
			return true;
	return false;
}

/* The first acknowledgment from a time on. */
static uint32_t untaken_acks_from(const struct half_flow *acks, int64_t at_ns)
{
	uint32_t low = 0, end = acks->count;

	while (low < end) {
		uint32_t middle = low + (end - low) / 2;

		if (acks->transmissions[middle].seg->time_ns >= at_ns)
			end = middle;
		else
			low = middle + 1;
	}
	return low;
}

enum taking { TAKEN, NOT_TAKEN, TAKING_UNKNOWN };

/* Was an arrival acknowledged before the same bytes came again? Unknown where they had been before,
 * the capture ends, or it shows nothing that the host says: it may record one direction alone. */
static enum taking untaken_taking(
	const struct untaken_input *in, const struct ack_track *track, uint32_t index)
{
	const struct transmission *it = &in->received->transmissions[index];
	int64_t high = it->off + it->span, at = it->seg->time_ns;
	int64_t until = untaken_next_copy(in->received, index);
	uint32_t cover = ack_track_covers(track, high);

	if (!in->acks->count)
		return TAKING_UNKNOWN;
	if (cover != TRANSMISSION_NONE) {
		int64_t acked = in->acks->transmissions[cover].seg->time_ns;

		if (acked < at)
			return TAKING_UNKNOWN;
		if (acked < until)
			return TAKEN;
	}
	for (uint32_t k = untaken_acks_from(in->acks, at), n = 0;
		k < in->acks->count && n < SACK_AHEAD; k++, n++) {
		const struct segment *ack = in->acks->transmissions[k].seg;

		if (ack->time_ns >= until)
			break;
		if (untaken_in_sack(in->acks, ack, it->off, high))
			return TAKEN;
	}
	return until == INT64_MAX && in->end_ns - at < UNTAKEN_NS ? TAKING_UNKNOWN : NOT_TAKEN;
}

static void untaken_find_wrong(
	const struct untaken_input *in, const struct ack_track *track, struct untaken *row)
{
	for (uint32_t i = 0; i < in->received->count; i++) {
		const struct transmission *it = &in->received->transmissions[i];
		bool right = untaken_was_sent_right(in, it);

		if (!untaken_is_wrong(it->seg))
			continue;
		/* Nobody acknowledges a datagram: it was damaged on the way, or nothing is known.
		 */
		if (!in->received->tcp) {
			if (right)
				untaken_note(row, it->seg, true);
			continue;
		}
		if (!it->span)
			continue;
		switch (untaken_taking(in, track, i)) {
		case TAKEN:
			row->taken_wrong++;
			break;
		case NOT_TAKEN:
			untaken_note(row, it->seg, right);
			break;
		case TAKING_UNKNOWN:
			break;
		}
	}
}

/* The first byte that the receiver never acknowledged, though it came again and again. Not while
 * its window is shut, nor where it reset the connection. */
static void untaken_find_held(
	const struct untaken_input *in, const struct ack_track *track, struct untaken *row)
{
	int64_t held = ack_track_highest(track), first_ns = 0, last_ns = 0;
	const struct segment *last_ack = untaken_last(in->acks);
	struct untaken found = *row;
	uint32_t copies = 0;

	if (!last_ack || held == INT64_MIN || held >= in->received->end || !last_ack->window ||
		member_side(in->acks->member, in->acks->direction)->rsts)
		return;
	for (uint32_t i = 0; i < in->acks->count; i++)
		if (untaken_in_sack(in->acks, in->acks->transmissions[i].seg, held, held + 1))
			return;
	for (uint32_t i = 0; i < in->received->count; i++) {
		const struct transmission *it = &in->received->transmissions[i];

		if (it->off > held || it->off + it->span <= held || it->seg->flags & TCP_RST)
			continue;
		first_ns = copies++ ? first_ns : it->seg->time_ns;
		last_ns = it->seg->time_ns;
		if (!untaken_is_wrong(it->seg))
			untaken_note(&found, it->seg, false);
	}
	if (copies >= UNTAKEN_COPIES && last_ns - first_ns >= UNTAKEN_NS)
		*row = found;
}

/* Of a direction, so many that came again are tried. */
#define LEFT_OUT_TRIED 4096

/* An acknowledgment that has neither these bytes nor anything beyond them in its number. */
static bool untaken_lacks(const struct half_flow *acks, uint32_t ack, int64_t low, int64_t high)
{
	const struct transmission *it = &acks->transmissions[ack];

	return transmission_ack(acks, it, high) <= low &&
	       !untaken_in_sack(acks, it->seg, low, high);
}

/* Does an acknowledgment have, by SACK, something beyond an offset? */
static bool untaken_has_beyond(const struct half_flow *acks, uint32_t ack, int64_t end)
{
	const struct segment_sack *s = segment_sack(acks->transmissions[ack].seg);

	for (uint32_t k = 0; s && k < s->count && k < 4; k++)
		if (seq_unwrap(end, s->edge[k][1] - acks->ack_delta - acks->ack_base) > end)
			return true;
	return false;
}

/* How far arrivals had come with one, but for what came very late. */
static int64_t untaken_reached(const struct half_flow *received, uint32_t index)
{
	int64_t end = INT64_MIN;

	for (uint32_t i = index + 1, n = 0; i-- > 0 && n < SACK_AHEAD; n++) {
		const struct transmission *it = &received->transmissions[i];

		end = it->off + it->span > end ? it->off + it->span : end;
	}
	return end;
}

/*
 * Was an arrival left out of what the receiver said it had, until the same bytes came again? A
 * receiver names what it got last first (RFC 2018): the acknowledgments behind the arrival lack it,
 * and the last one before the copy has something that came later.
 */
static bool untaken_is_left_out(const struct untaken_input *in, uint32_t index, uint32_t copy)
{
	const struct half_flow *received = in->received;
	const struct transmission *it = &received->transmissions[index];
	int64_t low = it->off, high = it->off + it->span;
	uint32_t first = untaken_acks_from(in->acks, it->seg->time_ns);
	uint32_t behind = untaken_acks_from(in->acks, received->transmissions[copy].seg->time_ns);

	for (uint32_t k = first; k < behind && k - first < SACK_AHEAD; k++)
		if (!untaken_lacks(in->acks, k, low, high))
			return false;
	return behind > first && untaken_lacks(in->acks, behind - 1, low, high) &&
	       untaken_has_beyond(in->acks, behind - 1, untaken_reached(received, index));
}

/* The arrival that a later one repeats; TRANSMISSION_NONE: none among those before it. */
static uint32_t untaken_repeated(const struct half_flow *received, uint32_t copy)
{
	int64_t low = received->transmissions[copy].off;

	for (uint32_t i = copy, n = 0; i-- > 0 && n < COPY_AHEAD; n++) {
		const struct transmission *it = &received->transmissions[i];

		if (it->off <= low && it->off + it->span > low && it->seg->length)
			return i;
	}
	return TRANSMISSION_NONE;
}

/* What the receiver asked for again though it had arrived, while it took what came later. */
static void untaken_find_left_out(const struct untaken_input *in, struct untaken *row)
{
	const struct half_flow *received = in->received;
	int64_t end = INT64_MIN; /* of all arrivals so far */

	if (!untaken_is_repeated(in))
		return;
	for (uint32_t i = 0, tried = 0; i < received->count && tried < LEFT_OUT_TRIED; i++) {
		const struct transmission *it = &received->transmissions[i];
		const struct segment *s;
		uint32_t before;

		if (it->off >= end || !it->seg->length) {
			end = it->off + it->span > end ? it->off + it->span : end;
			continue;
		}
		tried++;
		before = untaken_repeated(received, i);
		if (before == TRANSMISSION_NONE || !untaken_is_left_out(in, before, i))
			continue;
		s = received->transmissions[before].seg;
		if (untaken_is_wrong(s) || s->flags & TCP_RST)
			continue;
		untaken_note(row, s, false);
		row->asked_again++;
		row->unverified += s->checksum != CHECKSUM_RIGHT;
	}
}

void untaken_find(const struct untaken_input *in, struct ack_track *track, struct untaken_list *ret)
{
	struct untaken row = {.flow = in->flow,
		.vantage = in->vantage,
		.direction = (uint8_t)in->received->direction};

	if (!untaken_is_possible(in))
		return;
	ack_track_build(track, in->acks, in->received->end);
	untaken_find_wrong(in, track, &row);
	if (in->received->tcp) {
		untaken_find_held(in, track, &row);
		untaken_find_left_out(in, &row);
	}
	if (!row.segments && !row.taken_wrong)
		return;
	MEM_RESERVE(ret->rows, ret->count, ret->cap);
	ret->rows[ret->count++] = row;
}
