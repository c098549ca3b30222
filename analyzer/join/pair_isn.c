#include "join/pair_isn.h"

#include "join/pair_untranslated.h"

static uint64_t pair_isn_key(uint32_t isn, uint64_t salt)
{
	return keymap_mix(isn, salt);
}

static uint64_t pair_isn_key_both(const struct flow_side *client, const struct flow_side *server)
{
	return keymap_mix((uint64_t)client->isn << 32 | server->isn, 11);
}

/* Makes a member findable by its initial sequence numbers, for those whose addresses were
 * rewritten. */
static void pair_isn_publish(struct pairer *p, uint32_t flow, const struct member *m)
{
	const struct flow_side *client = member_side(m, C2S), *server = member_side(m, S2C);

	if (m->flow->key.protocol != 6)
		return;
	if (client->has_isn && server->has_isn)
		keymap_put(&p->isn, pair_isn_key_both(client, server), flow, 0);
	if (client->has_isn)
		keymap_put(&p->isn, pair_isn_key(client->isn, 1), flow, 0);
	if (server->has_isn)
		keymap_put(&p->isn, pair_isn_key(server->isn, 2), flow, 0);
}

enum isn_relation pair_isn_relate(const struct flow_side *a, const struct flow_side *b)
{
	if (!a->has_isn || !b->has_isn)
		return ISN_UNKNOWN;
	return a->isn == b->isn ? ISN_EQUAL : ISN_DIFFERENT;
}

static bool pair_isn_options_fit(const struct flow_side *a, const struct flow_side *b)
{
	return !a->option_hash || !b->option_hash || a->option_hash == b->option_hash;
}

/* Scanners and small stacks begin at 0 or count up from there: that two do so says nothing. */
static bool pair_isn_is_telling(uint32_t isn)
{
	return isn >= 0x10000;
}

/* A candidate that shares an initial sequence number. */
bool pair_isn_fits(const struct member *m, const struct member *other, enum pairing_evidence *ret)
{
	const struct flow_side *mc = member_side(m, C2S), *oc = member_side(other, C2S);
	const struct flow_side *ms = member_side(m, S2C), *os = member_side(other, S2C);
	enum isn_relation client = pair_isn_relate(mc, oc), server = pair_isn_relate(ms, os);
	bool tuple = pair_same_tuple(m->flow, other->flow);

	if (client == ISN_EQUAL && server == ISN_EQUAL) {
		*ret = PAIRED_ISN;
		return tuple || pair_isn_is_telling(mc->isn) || pair_isn_is_telling(ms->isn);
	}
	/* One number rewritten, the other not: only with the same addresses. */
	if ((client == ISN_EQUAL && server == ISN_DIFFERENT) ||
		(client == ISN_DIFFERENT && server == ISN_EQUAL)) {
		*ret = PAIRED_OFFSET;
		return tuple;
	}
	/* 32 bits alone, under other addresses: a candidate, which the SYN's options and the times
	 * must fit. */
	*ret = PAIRED_CLIENT_ISN;
	return client == ISN_EQUAL
		       ? tuple || (pair_isn_is_telling(mc->isn) && pair_isn_options_fit(mc, oc))
		       : server == ISN_EQUAL && (tuple || (pair_isn_is_telling(ms->isn) &&
								  pair_isn_options_fit(ms, os)));
}

struct member *pair_isn_best_member(const struct pairer *p, uint32_t flow)
{
	uint32_t i = p->all->list[flow].first_member;

	for (; i != MEMBER_NONE; i = p->all->members[i].next)
		if (p->all->members[i].flow->side[0].has_isn &&
			p->all->members[i].flow->side[1].has_isn)
			return &p->all->members[i];
	return pair_first_member(p, flow);
}

/*
 * The best candidate under one key. Both numbers beat one, the same 5-tuple beats another;
 * two that are equally good are none (*ret_ambiguous).
 */
static uint32_t pair_isn_best(const struct pairer *p, uint64_t key, const struct member *m,
	enum pairing_evidence *ret_evidence, bool *ret_ambiguous)
{
	const struct key_entry *e = keymap_first(&p->isn, key);
	uint32_t best = UINT32_MAX, rank, best_rank = UINT32_MAX;
	enum pairing_evidence evidence;

	for (int n = 0; n < CANDIDATES_MAX && e; n++, e = keymap_next(&p->isn, e)) {
		uint32_t c = e->value;
		const struct member *same = pair_member_of_tuple(p, c, m->flow);

		if (c == best || !pair_takes(p, c, m->vantage) ||
			!pair_isn_fits(m, same ? same : pair_isn_best_member(p, c), &evidence))
			continue;
		rank = evidence * 2U + !same;
		if (rank == best_rank)
			*ret_ambiguous = true;
		if (rank >= best_rank)
			continue;
		best = c;
		best_rank = rank;
		*ret_evidence = evidence;
		*ret_ambiguous = false;
	}
	return *ret_ambiguous ? UINT32_MAX : best;
}

uint32_t pair_isn_find(
	const struct pairer *p, const struct member *m, enum pairing_evidence *ret_evidence)
{
	const struct flow_side *client = member_side(m, C2S), *server = member_side(m, S2C);
	uint32_t best = UINT32_MAX;
	bool ambiguous = false;

	*ret_evidence = PAIRED_ISN;
	if (client->has_isn && server->has_isn)
		best = pair_isn_best(
			p, pair_isn_key_both(client, server), m, ret_evidence, &ambiguous);
	if (best == UINT32_MAX && client->has_isn)
		best = pair_isn_best(p, pair_isn_key(client->isn, 1), m, ret_evidence, &ambiguous);
	if (best == UINT32_MAX && server->has_isn)
		best = pair_isn_best(p, pair_isn_key(server->isn, 2), m, ret_evidence, &ambiguous);
	return best;
}

/* Round 2: under other addresses, or with one number rewritten. */
bool pair_isn_join(struct pairer *p, uint32_t member)
{
	struct member *m = &p->all->members[member];
	enum pairing_evidence evidence;
	uint32_t best = pair_isn_find(p, m, &evidence);

	if (best == UINT32_MAX || pair_untranslated_is_refused(p, m, best))
		return false;
	pair_join_flow(p, best, member, evidence);
	return true;
}

/* Has it an initial sequence number that the first member lacks, or has otherwise? */
static bool pair_isn_adds(const struct member *m, const struct member *first)
{
	for (int d = 0; d < 2; d++)
		if (member_side(m, (enum direction)d)->has_isn &&
			(m->delta[d] || !member_side(first, (enum direction)d)->has_isn))
			return true;
	return false;
}

/* Initial sequence numbers of the flows that this vantage point is not part of yet: the first
 * member's, and those of others behind what rewrites them. */
void pair_isn_index(struct pairer *p, uint32_t vantage)
{
	keymap_release(&p->isn);
	for (uint32_t c = 0; c < p->all->count; c++) {
		const struct member *first = pair_first_member(p, c), *m = first;

		if (pair_has_vantage(p, c, vantage) ||
			p->all->list[c].members == p->data->vantage_count)
			continue;
		pair_isn_publish(p, c, first);
		for (uint32_t i = first->next; i != MEMBER_NONE; i = m->next) {
			m = &p->all->members[i];
			if (pair_isn_adds(m, first))
				pair_isn_publish(p, c, m);
		}
	}
}
