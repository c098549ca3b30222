#include "join/places.h"

#include <assert.h>
#include <string.h>

#include "flow/summary.h"
#include "join/beside.h"
#include "join/join.h"
#include "join/scope.h"

struct places {
	struct place *list;
	uint32_t count;
};

static void places_add(struct places *p, const struct member *m, bool absent)
{
	if (p->count < PLACES_MAX)
		p->list[p->count++] = (struct place){.member = *m,
			.absent = absent,
			.shown = {.members = {m}, .count = !absent}};
}

static bool places_has_host(const struct places *p, const struct dataset *data, uint32_t host)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (data->vantages[p->list[i].member.vantage].host == host)
			return true;
	return false;
}

/* Of a host's places the one that would most likely have shown the flow. False: it has no capture
 * of an interface. */
static bool places_witness(
	const struct dataset *data, uint32_t host, const struct member *flow, uint32_t *ret_vantage)
{
	int best = -1;

	for (uint32_t i = 0; i < data->hosts[host].vantage_count; i++) {
		uint32_t vantage = data->hosts[host].vantages[i];
		int scope;

		if (data->vantages[vantage].kind != VANTAGE_NIC ||
			!data->vantages[vantage].counts.frames)
			continue;
		scope = (int)scope_of(data, vantage, flow, C2S);
		if ((int)scope_of(data, vantage, flow, S2C) > scope)
			scope = (int)scope_of(data, vantage, flow, S2C);
		if (scope > best) {
			best = scope;
			*ret_vantage = vantage;
		}
	}
	return best >= 0;
}

/* Does a place show that its own host speaks for an end: by its own MAC, with a TTL that nobody
 * counted down? Then no other host is that end, whoever had the address before or had it later. */
static bool places_speaks_itself(
	const struct dataset *data, const struct member *m, enum direction d)
{
	const struct vantage *v = &data->vantages[m->vantage];
	struct segment_walk walk = walk_direction(m, d);
	const struct segment *s = walk_next(&walk);

	return s && v->inferred.own_mac != MAC_NONE && s->src_mac == v->inferred.own_mac &&
	       summary_is_initial_ttl(s->ttl);
}

/* The host that owns an end of the flow and has a capture, but no record of this flow. */
static void places_add_absent_end(
	struct places *p, const struct join *j, const struct member *near, bool client)
{
	const struct dataset *data = j->data;
	/* For all that is known, numbers are there as at the place next to it. */
	struct member m = {.next = MEMBER_NONE, .delta = {near->delta[C2S], near->delta[S2C]}};
	uint32_t host;

	if (near->owns[client ? C2S : S2C] || !p->count ||
		places_speaks_itself(data, near, client ? C2S : S2C))
		return;
	host = owner_of(j->owners, member_ip(near, client));
	if (host == OWNER_NONE || places_has_host(p, data, host))
		return;
	for (int d = 0; d < 2; d++)
		m.owns[d] = owner_of(j->owners, member_ip(near, d == C2S)) == host;
	if (!places_witness(data, host, near, &m.vantage))
		return;
	if (client && p->count < PLACES_MAX) {
		memmove(&p->list[1], &p->list[0], p->count * sizeof(p->list[0]));
		p->count++;
		p->list[0] = (struct place){.member = m, .absent = true};
	} else if (!client) {
		places_add(p, &m, true);
	}
}

/* Were frames of these MACs flooded to a capture? Not those of its own MAC; where that is unknown,
 * those to a MAC that never speaks here, if the capture shows both directions of others. */
static bool places_is_flooded(const struct vantage *v, const struct segment *s)
{
	if (s->dst_mac == MAC_NONE || vantage_mac(v, s->dst_mac)[0] & 1)
		return false;
	if (v->inferred.sees_its_own)
		return s->dst_mac != v->inferred.own_mac && s->src_mac != v->inferred.own_mac;
	return v->counts.answered_frames && !v->inferred.speaking_macs[s->dst_mac];
}

/*
 * A place beside the path: what it has of the flow was flooded to it, for a switch floods what is
 * for a MAC that it does not know. One way only, and between others. It misses the rest of the
 * flow without any fault.
 */
static bool places_is_onlooker(const struct join *j, const struct member *m)
{
	const struct vantage *v = &j->data->vantages[m->vantage];
	enum direction d = member_side(m, C2S)->packets ? C2S : S2C;
	struct segment_walk walk;
	const struct segment *s;

	if ((m->flow->side[0].packets && m->flow->side[1].packets) || m->owns[C2S] || m->owns[S2C])
		return false;
	walk = walk_direction(m, d);
	s = walk_next(&walk);
	return s && places_is_flooded(v, s);
}

/* A member at the place of its host that it stands beside, or at one of its own. */
static void places_add_member(struct places *p, const struct dataset *data, const struct member *m)
{
	for (uint32_t i = 0; i < p->count; i++) {
		struct shown *shown = &p->list[i].shown;
		uint32_t beside = 0;

		while (beside < shown->count && beside_each_other(data, shown->members[beside], m))
			beside++;
		if (beside && beside == shown->count && beside < SHOWN_MAX) {
			shown->members[shown->count++] = m;
			/* The first stands for the place. */
			if (shown->members[0]->stray) {
				shown->members[shown->count - 1] = shown->members[0];
				shown->members[0] = m;
				p->list[i].member = *m;
			}
			return;
		}
	}
	places_add(p, m, false);
}

uint32_t places_lay_out(const struct join *j, const struct flow *flow, struct place *ret)
{
	struct places p = {.list = ret};
	struct member first = j->all->members[flow->first_member], last = first;

	for (uint32_t i = flow->first_member; i != MEMBER_NONE; i = j->all->members[i].next) {
		last = j->all->members[i];
		/* Netfilter records are what a rule chose to log: no evidence of absence. */
		if (j->data->vantages[last.vantage].kind == VANTAGE_NIC &&
			!places_is_onlooker(j, &last))
			places_add_member(&p, j->data, &j->all->members[i]);
	}
	if (flow->pairing != PAIRED_PROXY && flow->pairing != PAIRED_AMBIGUOUS) {
		places_add_absent_end(&p, j, &first, true);
		places_add_absent_end(&p, j, &last, false);
	}
	assert(p.count <= PLACES_MAX);
	return p.count;
}
