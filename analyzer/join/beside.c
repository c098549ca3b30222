#include "join/beside.h"

#include <string.h>

#include "base/nsec.h"
#include "join/segment_walk.h"

/* Packets of each that are looked for at the other; in series the first one mostly is there. */
#define TRIED 16
/* No host keeps a packet longer between two of its interfaces. */
#define INSIDE_NS NSEC_PER_SEC
/* Most that are compared for one packet. */
#define COMPARED 4096

/* A merged record begins where the first of its packets does. */
static bool beside_same_packet(const struct segment *x, const struct segment *y)
{
	if (x->seq != y->seq || x->ack != y->ack || x->tsval != y->tsval ||
		(x->length == 0) != (y->length == 0))
		return false;
	if (x->ip_id && y->ip_id && x->ip_id != y->ip_id)
		return false;
	return x->hash == y->hash || !x->hash || !y->hash ||
	       segment_hash_key(x) != segment_hash_key(y);
}

static bool beside_is_at(const struct segment *s, const struct member *other, enum direction d)
{
	struct segment_walk walk = walk_direction(other, d);
	const struct segment *o;

	for (uint32_t n = 0;
		n < COMPARED && (o = walk_next(&walk)) && o->time_ns <= s->time_ns + INSIDE_NS; n++)
		if (o->time_ns >= s->time_ns - INSIDE_NS && beside_same_packet(s, o))
			return true;
	return false;
}

/* Is any of the first packets that one shows at the other too? */
static bool beside_shares(const struct member *one, const struct member *other, enum direction d)
{
	struct segment_walk walk = walk_direction(one, d);
	const struct segment *s;

	for (uint32_t n = 0; n < TRIED && (s = walk_next(&walk)); n++)
		if (beside_is_at(s, other, d))
			return true;
	return false;
}

bool beside_each_other(const struct dataset *data, const struct member *a, const struct member *b)
{
	if (a->stray || b->stray)
		return a->vantage == b->vantage;
	if (data->vantages[a->vantage].host != data->vantages[b->vantage].host ||
		memcmp(&a->flow->key, &b->flow->key, sizeof(a->flow->key)) != 0 ||
		a->client_is_b != b->client_is_b)
		return false;
	for (int d = 0; d < 2; d++) {
		if (a->delta[d] != b->delta[d])
			return false;
		if (!member_side(a, (enum direction)d)->packets ||
			!member_side(b, (enum direction)d)->packets)
			continue;
		if (beside_shares(a, b, (enum direction)d) ||
			beside_shares(b, a, (enum direction)d))
			return false;
	}
	return true;
}
