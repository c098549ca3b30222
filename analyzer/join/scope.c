#include "join/scope.h"

#include "flow/summary.h"
#include "join/path.h"

enum scope scope_of(const struct dataset *data, uint32_t vantage, const struct member *m)
{
	const struct vantage *v = &data->vantages[vantage];
	struct service key = summary_service(m->flow, !m->client_is_b);

	if (hashmap_get(&v->addresses.services, &key) || (!v->filter && v->addresses.wide))
		return SCOPE_SERVICE;
	return addresses_are_pair(&v->addresses, m->flow->key.a, m->flow->key.b) ? SCOPE_HOST : SCOPE_OUT;
}

/* Packets of a direction, none of which a capture shows, that are too many for bad luck. */
#define DIRECTION_LEAST 3

bool scope_lacks_sending(const struct path *path)
{
	return !path->in.sender_absent && !path->in.sent->count && path->in.acks_from->count &&
		path->in.received->count >= DIRECTION_LEAST;
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

bool scope_lacks_arrivals(const struct path *path)
{
	if (path->in.flow_absent || path->in.received->count || !path->in.acks_to->count ||
		path->in.sent->count < DIRECTION_LEAST)
		return false;
	if (path->in.matcher->traits.tcp)
		return scope_proven(path) >= DIRECTION_LEAST - 1;
	/* Answers prove questions, but two hosts may also talk past each other: then only a place between them is clear. */
	return path->in.direction == C2S && !path->in.to_is_end;
}
