#include "join/scope.h"

#include <netinet/in.h>

#include "base/address.h"
#include "flow/summary.h"
#include "join/path.h"
#include "survey/stated_scope.h"

/* A capture of one direction holds nothing of those whom it never shows sending. */
static bool scope_is_one_way(const struct vantage *v, const uint8_t sender[16])
{
	return v->addresses.one_way && !addresses_is_sender(&v->addresses, sender);
}

/* Frames whose headers were cut are in no flow, and may have been of this one. */
static bool scope_is_cut(const struct vantage *v, const struct flow_key *key)
{
	return v->addresses.cut_protocols[!ip_is_v4(key->a)][key->protocol];
}

/* A packet of direction d as it would be at m's place; inside of a tunnel nobody knows what the
 * capture's filter is applied to. */
static bool scope_admits(const struct filter_program *said, const struct member *m,
	enum direction d, const struct segment *s)
{
	const struct stated_packet p = {.src = member_ip(m, d == C2S),
		.dst = member_ip(m, d != C2S),
		.src_port = member_port(m, d == C2S),
		.dst_port = member_port(m, d != C2S),
		.protocol = m->flow->key.protocol,
		.segment = s};

	return m->flow->tunnel || stated_scope_admits(said, &p);
}

bool scope_leaves_out(const struct dataset *data, uint32_t vantage, const struct member *m,
	enum direction d, const struct segment *s)
{
	const struct filter_program *said = stated_scope_of(data, &data->vantages[vantage]);

	return said && !scope_admits(said, m, d, s);
}

/* Packets of a direction that are held against a stated scope: a handshake and some data. */
#define SAID_OF 8

/* By the user's word: some packet of that direction would have been recorded, or none. */
static enum scope scope_stated(
	const struct filter_program *said, const struct member *m, enum direction d)
{
	bool from_b = (d == C2S) == m->client_is_b;
	const struct segment_chunk *chunk = m->flow->head;
	uint32_t n = 0;

	for (uint32_t i = 0; chunk && i < chunk->used && n < SAID_OF;
		i += segment_slots(&chunk->slots[i])) {
		const struct segment *s = &chunk->slots[i];

		if (((s->bits & SEGMENT_FROM_B) != 0) != from_b)
			continue;
		if (scope_admits(said, m, d, s))
			return SCOPE_SERVICE;
		n++;
	}
	return SCOPE_OUT;
}

enum scope scope_of(
	const struct dataset *data, uint32_t vantage, const struct member *m, enum direction d)
{
	const struct vantage *v = &data->vantages[vantage];
	struct service key = summary_service(m->flow, !m->client_is_b);
	const struct filter_program *said = stated_scope_of(data, v);

	if (scope_is_one_way(v, member_ip(m, d == C2S)) || scope_is_cut(v, &m->flow->key))
		return SCOPE_OUT;
	if (said)
		return scope_stated(said, m, d);
	if (hashset_has(&v->addresses.services, &key) ||
		(!v->filter && v->addresses.wide && v->addresses.protocols[key.protocol]))
		return SCOPE_SERVICE;
	return addresses_are_pair(&v->addresses, m->flow->key.a, m->flow->key.b) ? SCOPE_HOST
										 : SCOPE_OUT;
}

/* Packets of a direction, none of which a capture shows, that are too many for bad luck. */
#define DIRECTION_LEAST 3

bool scope_lacks_sending(const struct path *path)
{
	const struct vantage *from = &path->in.data->vantages[path->in.from];

	if (path->in.sender_absent || path->in.sent->count || !path->in.acks_from->count)
		return false;
	return path->in.received->count >= DIRECTION_LEAST ||
	       scope_is_one_way(
		       from, member_ip(path->in.acks_from->member, path->in.direction == C2S));
}

/* Stretches that were acknowledged. */
static uint32_t scope_proven(const struct path *path)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < path->in.matcher->missing.count; i++) {
		const struct gap_proof *p = &path->scratch->proofs.gaps[i];

		n += p->cover_to != TRANSMISSION_NONE || p->cover_from != TRANSMISSION_NONE ||
		     p->sack_to != TRANSMISSION_NONE || p->sack_from != TRANSMISSION_NONE;
	}
	return n;
}

/* An echo reply answers a request, whatever the capture shows of it. */
static bool scope_is_ping(const struct path *path)
{
	uint8_t protocol = path->in.acks_to->member->flow->key.protocol;

	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* Does the direction come first at its sender? Ports do not tell who asks. */
static bool scope_asks(const struct path *path)
{
	const struct half_flow *answers = path->in.acks_from;

	return !answers->count ||
	       path->in.sent->transmissions[0].seg->frame < answers->transmissions[0].seg->frame;
}

bool scope_lacks_arrivals(const struct path *path)
{
	const struct vantage *to = &path->in.data->vantages[path->in.to];

	if (path->in.flow_absent || path->in.received->count || !path->in.acks_to->count)
		return false;
	if (scope_is_one_way(to, member_ip(path->in.acks_to->member, path->in.direction == C2S)))
		return true;
	if (path->in.sent->count < DIRECTION_LEAST)
		return false;
	if (path->in.matcher->traits.tcp)
		return scope_proven(path) >= DIRECTION_LEAST - 1;
	/* Answers prove questions, but two hosts may also talk past each other: then only a place
	 * between them is clear. */
	return scope_asks(path) && (!path->in.to_is_end || scope_is_ping(path));
}
