#include "join/way.h"

#include <assert.h>
#include <math.h>

#include "decode/packet.h"

/* Packets in a row that go round a place, at least; and how unlikely it must be that its capture
 * missed them, by what it misses elsewhere in the flow. */
#define ROUND_LEAST 3
#define ROUND_CHANCE 1e-6
#define ROUND_SHARE 8
/* Packets of each place that are looked for at the other: in series the first one mostly is there.
 */
#define TRIED 16
/* Most that are compared for one packet, and most in a row that are counted. */
#define COMPARED 4096

/* Equal, as far as both records tell; one that offload merged begins where its first packet does.
 */
static bool way_same_packet(const struct transmission *a, const struct transmission *b)
{
	const struct segment *x = a->seg, *y = b->seg;

	if (a->off != b->off || (x->flags ^ y->flags) & TCP_SYN ||
		(x->ip_id && y->ip_id && x->ip_id != y->ip_id))
		return false;
	return x->length == y->length ? !segment_payload_differs(x, y) : a->span && b->span;
}

/* Is it at the other place, too? From its end: packets without payload follow one another there. */
static bool way_is_at(const struct transmission *t, const struct half_flow *other, bool from_end)
{
	uint32_t n = other->count < COMPARED ? other->count : COMPARED;

	for (uint32_t i = 0; i < n; i++)
		if (way_same_packet(t, &other->transmissions[from_end ? other->count - 1 - i : i]))
			return true;
	return false;
}

/* The chance that a capture misses a packet which it should have, by those between its first and
 * its last of the flow. */
static double way_miss_chance(const struct half_flow *here, const struct half_flow *there)
{
	uint32_t tried = 0, missed = 0;

	for (uint32_t i = 0; i < there->count && tried < TRIED * 4; i++) {
		const struct transmission *t = &there->transmissions[i];

		if (t->off < here->transmissions[0].off || t->off >= here->end)
			continue;
		tried++;
		missed += !way_is_at(t, here, false);
	}
	return (missed + 1.0) / (tried + 2.0);
}

/* A place that lacks so many packets in a row was not on their route: no capture misses most of a
 * flow in a row, and one that ran at that time does not miss so many by chance. */
static bool way_is_round(
	const struct half_flow *here, const struct half_flow *there, uint32_t lacking, bool ran)
{
	if (lacking < ROUND_LEAST)
		return false;
	return lacking >= ROUND_SHARE * here->count ||
	       (ran && pow(way_miss_chance(here, there), lacking) < ROUND_CHANCE);
}

/* Does a place that shows nothing behind some packet lack what another one shows? */
static bool way_lacks_end(const struct half_flow *here, const struct half_flow *there,
	const struct vantage_span *span)
{
	int64_t end = there->transmissions[there->count - 1].seg->time_ns, begin = end;
	int64_t last = here->transmissions[here->count - 1].seg->time_ns;
	uint32_t n = 0;

	for (uint32_t i = there->count; i-- > 0 && n < COMPARED; n++) {
		const struct transmission *t = &there->transmissions[i];

		if (t->off < here->end || (t->off == here->end && way_is_at(t, here, true)))
			break;
		begin = t->seg->time_ns;
	}
	return way_is_round(here, there, n, span->last_ns - last >= end - begin);
}

static bool way_lacks_start(const struct half_flow *here, const struct half_flow *there,
	const struct vantage_span *span)
{
	int64_t begin = there->transmissions[0].seg->time_ns, end = begin;
	const struct transmission *first = &here->transmissions[0];
	uint32_t n = 0;

	for (; n < there->count && there->transmissions[n].off < first->off; n++)
		end = there->transmissions[n].seg->time_ns;
	return way_is_round(here, there, n, first->seg->time_ns - span->first_ns >= end - begin);
}

/* Do packets that a place behind shows go round this one? */
static bool way_goes_round(
	const struct way_place *here, const struct way_place *behind, enum direction d)
{
	const struct half_flow *h = &here->shown[d], *b = &behind->shown[d];

	if (!h->count)
		return b->count && here->shown[!d].count;
	return h->tcp && b->count &&
	       (way_lacks_end(h, b, here->span) || way_lacks_start(h, b, here->span));
}

static bool way_shares(const struct half_flow *one, const struct half_flow *other)
{
	for (uint32_t i = 0; i < one->count && i < TRIED; i++)
		if (way_is_at(&one->transmissions[i], other, false))
			return true;
	return false;
}

/* Do two places that are no ends show nothing in common? */
static bool way_is_beside(const struct way_place *a, const struct way_place *b, enum direction d)
{
	const struct half_flow *x = &a->shown[d], *y = &b->shown[d];

	return !a->is_end && !b->is_end && x->count && y->count && !way_shares(x, y) &&
	       !way_shares(y, x);
}

/* Any packet of either direction. */
static bool way_shares_any(const struct way_place *a, const struct way_place *b)
{
	for (int d = 0; d < 2; d++)
		if (way_shares(&a->shown[d], &b->shown[d]) ||
			way_shares(&b->shown[d], &a->shown[d]))
			return true;
	return false;
}

/*
 * Do two places have datagrams in common with a third one each, and none with each other? Then the
 * address was at the one first and at the other later, or a hash chose between them: which of them
 * a datagram went to that neither has, nobody knows.
 */
static bool way_is_alternative(const struct way_place *places, uint32_t n, uint32_t at)
{
	for (uint32_t i = 0; i < n; i++) {
		if (i == at || way_shares_any(&places[at], &places[i]))
			continue;
		for (uint32_t k = 0; k < n; k++)
			if (k != i && k != at && way_shares_any(&places[k], &places[at]) &&
				way_shares_any(&places[k], &places[i]))
				return true;
	}
	return false;
}

/* Does a place that shows the other direction alone have nothing in common with one that shows this
 * one? Then somebody else sent it, or got it. */
static bool way_is_elsewhere(
	const struct way_place *places, uint32_t n, uint32_t at, enum direction d)
{
	if (places[at].shown[d].count || !places[at].shown[!d].count)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (i != at && places[i].shown[d].count && !way_shares_any(&places[at], &places[i]))
			return true;
	return false;
}

static bool way_passes(const struct way_place *places, uint32_t n, uint32_t at, enum direction d)
{
	bool middle = at && at + 1 < n;

	if (n < 3)
		return true;
	if (!places[at].shown[d].tcp &&
		(way_is_alternative(places, n, at) || way_is_elsewhere(places, n, at, d)))
		return false;
	if (places[at].is_end)
		return true;
	for (uint32_t i = 0; i < n; i++) {
		bool behind = d == C2S ? i > at : i < at;

		if (i == at)
			continue;
		if (middle && behind && way_goes_round(&places[at], &places[i], d))
			return false;
		if (way_is_beside(&places[at], &places[i], d))
			return false;
	}
	return true;
}

struct way way_of(const struct way_place *places, uint32_t n, enum direction d)
{
	struct way way = {.count = 0};

	assert(n <= PLACES_MAX);
	for (uint32_t i = 0; i < n; i++)
		if (way_passes(places, n, i, d))
			way.places[way.count++] = (uint8_t)i;
	return way;
}
