#include "join/position.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "decode/packet.h"
#include "join/nearness.h"

/* Members of nearly every flow fit without memory of their own. */
#define FEW 64

/*
 * -1 at the client, 1 at the server, 0 between or unknown. On one host, a netfilter hook is nearer
 * to the host's own sockets than the interface.
 */
static int position_owner_rank(const struct dataset *data, const struct member *m)
{
	int rank = m->owns[S2C] - m->owns[C2S];

	return data->vantages[m->vantage].kind == VANTAGE_NETFILTER ? 2 * rank : rank;
}

static int position_by_ttl(const struct member *a, const struct member *b)
{
	const struct flow_side *ac = member_side(a, C2S), *bc = member_side(b, C2S);
	const struct flow_side *as = member_side(a, S2C), *bs = member_side(b, S2C);
	int sum = 0;

	if (ac->seen && bc->seen)
		sum += bc->ttl - ac->ttl;
	if (as->seen && bs->seen)
		sum += as->ttl - bs->ttl;
	return sum;
}

/* Loss only shrinks: what less of the client's reaches is farther from the client. */
static int position_by_counts(const struct member *a, const struct member *b)
{
	int64_t sum = nearness_surplus(member_side(b, C2S), member_side(a, C2S)) +
		      nearness_surplus(member_side(a, S2C), member_side(b, S2C));

	return sum < 0 ? -1 : sum > 0;
}

/* All flows between two addresses vote with their delays. */
struct vote_key {
	uint32_t a, b; /* vantages, a < b */
	uint8_t client[16], server[16];
};

/* Sums over flows; negative: a is nearer the client. */
struct votes {
	int64_t known, likely;
};

_Static_assert(sizeof(struct vote_key) == 40, "hashed as bytes: no padding");

struct sorting {
	const struct dataset *data;
	const struct owners *owners;
	struct flows *all;
	struct hashmap votes; /* struct vote_key -> struct votes */
	bool *undecided;      /* by flow: only votes or counts can tell */
};

static struct vote_key position_vote_key(const struct member *a, const struct member *b)
{
	struct vote_key k = {.a = a->vantage, .b = b->vantage};

	memcpy(k.client, member_ip(a, true), 16);
	memcpy(k.server, member_ip(a, false), 16);
	return k;
}

/* Neither who owns the ends nor TTL tells which of the two is nearer the client. */
static bool position_is_undecided(
	const struct dataset *data, const struct member *a, const struct member *b)
{
	return a->vantage != b->vantage &&
	       position_owner_rank(data, a) == position_owner_rank(data, b) &&
	       !position_by_ttl(a, b);
}

static void position_vote(struct sorting *s, const struct member *a, const struct member *b)
{
	struct vote_key key = position_vote_key(a, b);
	struct stamp_order order = nearness_by_delay(a, b);
	struct votes *votes;
	bool fresh;

	votes = hashmap_at(&s->votes, &key, &fresh);
	votes->known += order.nearer;
	votes->likely += order.likely;
}

static void position_vote_all(struct sorting *s, const struct flow *c)
{
	const struct member *all = s->all->members;

	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = all[i].next) {
		for (uint32_t k = all[i].next; k != MEMBER_NONE; k = all[k].next) {
			if (!position_is_undecided(s->data, &all[i], &all[k]))
				continue;
			if (all[i].vantage < all[k].vantage)
				position_vote(s, &all[i], &all[k]);
			else
				position_vote(s, &all[k], &all[i]);
		}
	}
}

/* known: by evidence alone. */
static int position_by_votes(
	const struct sorting *s, const struct member *a, const struct member *b, bool known)
{
	bool swapped = a->vantage > b->vantage;
	struct vote_key key = swapped ? position_vote_key(b, a) : position_vote_key(a, b);
	const struct votes *votes = hashmap_get(&s->votes, &key);
	int64_t sum = !votes ? 0 : known ? votes->known : votes->likely;

	return ((sum > 0) - (sum < 0)) * (swapped ? -1 : 1);
}

/* An order, and what it is known by. */
struct judged_order {
	int sign; /* negative: a is nearer to the client; 0: nothing tells */
	enum order_evidence by;
};

static struct judged_order position_judge(
	const struct sorting *s, const struct member *a, const struct member *b)
{
	bool one_host = s->data->vantages[a->vantage].host == s->data->vantages[b->vantage].host;
	int r = position_owner_rank(s->data, a) - position_owner_rank(s->data, b);

	/* One place: what translation skipped stands behind what it did not. */
	if (a->vantage == b->vantage)
		return (struct judged_order){a->stray - b->stray, ORDER_OWNER};
	if (r)
		return (struct judged_order){r, one_host ? ORDER_HOOK : ORDER_OWNER};
	if ((r = position_by_ttl(a, b)))
		return (struct judged_order){r, ORDER_TTL};
	if ((r = position_by_votes(s, a, b, true)))
		return (struct judged_order){r, ORDER_DELAY};
	if ((r = position_by_votes(s, a, b, false)))
		return (struct judged_order){r, ORDER_LIKELY};
	r = position_by_counts(a, b);
	return (struct judged_order){r, r ? ORDER_COUNTS : ORDER_UNKNOWN};
}

static int position_compare(const struct sorting *s, const struct member *a, const struct member *b)
{
	int r = position_judge(s, a, b).sign;

	return r ? r : (a->vantage > b->vantage) - (a->vantage < b->vantage);
}

static void position_sort_members(const struct sorting *s, struct flows *all, struct flow *c)
{
	uint32_t few[FEW], *order = few, cap = FEW, n = 0;
	uint32_t base[2];

	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = all->members[i].next) {
		if (n == cap) {
			order = mem_grow(order == few ? NULL : order, cap *= 2, sizeof(*order));
			if (n == FEW)
				memcpy(order, few, sizeof(few));
		}
		order[n++] = i;
	}
	assert(n > 0); /* a flow without members does not exist */
	for (uint32_t i = 1; i < n; i++) {
		uint32_t k = i, m = order[i];

		for (; k && position_compare(s, &all->members[m], &all->members[order[k - 1]]) < 0;
			k--)
			order[k] = order[k - 1];
		order[k] = m;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct member *m = &all->members[order[i]];

		m->next = i + 1 < n ? order[i + 1] : MEMBER_NONE;
		m->next_by = ORDER_UNKNOWN;
		if (i + 1 < n)
			m->next_by = (uint8_t)position_judge(s, m, &all->members[m->next]).by;
	}
	c->first_member = order[0];
	/* Sequence numbers are from now on relative to the place nearest the client. */
	memcpy(base, all->members[order[0]].delta, sizeof(base));
	for (uint32_t i = order[0]; i != MEMBER_NONE; i = all->members[i].next)
		for (int d = 0; d < 2; d++)
			all->members[i].delta[d] -= base[d];
	if (order != few)
		free(order);
}

static bool position_has_undecided(const struct sorting *s, const struct flow *c)
{
	const struct member *all = s->all->members;

	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = all[i].next)
		for (uint32_t k = all[i].next; k != MEMBER_NONE; k = all[k].next)
			if (position_is_undecided(s->data, &all[i], &all[k]))
				return true;
	return false;
}

static bool position_is_own(const struct sorting *s, const struct member *m, bool client)
{
	const struct vantage *v = &s->data->vantages[m->vantage];
	uint32_t address = m->flow->address[client == m->client_is_b];

	if (address != ADDRESS_NONE)
		return v->inferred.own_addresses[address];
	return owner_of(s->owners, member_ip(m, client)) == v->host;
}

static void position_note_owned(const struct sorting *s, struct member *m)
{
	m->owns[C2S] = position_is_own(s, m, true);
	m->owns[S2C] = position_is_own(s, m, false);
}

/* Nearly all flows are decided each by itself. */
static void position_sort_part(void *context, unsigned thread, uint32_t begin, uint32_t end)
{
	struct sorting *s = context;

	(void)thread;
	for (uint32_t i = begin; i < end; i++) {
		struct flow *c = &s->all->list[i];

		if (i + FLOWS_AHEAD < end) /* what lies beyond is being sorted by others */
			flow_prefetch(s->all, i + FLOWS_AHEAD);
		for (uint32_t m = c->first_member; m != MEMBER_NONE; m = s->all->members[m].next)
			position_note_owned(s, &s->all->members[m]);
		s->undecided[i] = position_has_undecided(s, c);
		if (c->members > 1 && !s->undecided[i])
			position_sort_members(s, s->all, c);
	}
}

void position_members(
	const struct dataset *data, const struct owners *o, unsigned threads, struct flows *c)
{
	struct sorting s = {.data = data,
		.owners = o,
		.all = c,
		.undecided = mem_array(c->count + 1, sizeof(bool))};

	hashmap_init(&s.votes, sizeof(struct vote_key), sizeof(struct votes), UINT32_MAX);
	parallel_run(threads, c->count, 1024, position_sort_part, &s);
	for (uint32_t i = 0; i < c->count; i++)
		if (s.undecided[i])
			position_vote_all(&s, &c->list[i]);
	for (uint32_t i = 0; i < c->count; i++)
		if (s.undecided[i])
			position_sort_members(&s, c, &c->list[i]);
	hashmap_release(&s.votes);
	free(s.undecided);
}
