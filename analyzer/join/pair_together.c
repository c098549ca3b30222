#include "join/pair_together.h"

#include <assert.h>

#include "join/pair_isn.h"
#include "join/pair_untranslated.h"

static bool pair_together_is_apart(const struct pairer *p, uint32_t flow, uint32_t other)
{
	for (uint32_t i = p->all->list[other].first_member; i != MEMBER_NONE;
		i = p->all->members[i].next)
		if (pair_has_vantage(p, flow, p->all->members[i].vantage))
			return false;
	return true;
}

/* Where a flow's numbers of one direction begin, as its first member counts. */
static bool pair_together_isn(
	const struct pairer *p, uint32_t flow, enum direction d, uint32_t *ret_isn)
{
	for (uint32_t i = p->all->list[flow].first_member; i != MEMBER_NONE;
		i = p->all->members[i].next) {
		const struct member *m = &p->all->members[i];

		if (!member_side(m, d)->has_isn)
			continue;
		*ret_isn = member_side(m, d)->isn - m->delta[d];
		return true;
	}
	return false;
}

/* Moves all members of one flow to another one, whose numbers they take. */
static void pair_together_move(
	struct pairer *p, uint32_t flow, uint32_t from, enum pairing_evidence evidence)
{
	struct flow *to = &p->all->list[flow], *old = &p->all->list[from];
	struct member *first = pair_first_member(p, flow), *m = NULL;
	uint32_t isn, other, shift[2] = {0, 0};

	assert(flow != from && old->members);
	for (int d = 0; d < 2; d++)
		if (pair_together_isn(p, flow, (enum direction)d, &isn) &&
			pair_together_isn(p, from, (enum direction)d, &other))
			shift[d] = other - isn;
	for (uint32_t i = old->first_member; i != MEMBER_NONE; i = m->next) {
		m = &p->all->members[i];
		m->flow->flow = flow;
		for (int d = 0; d < 2; d++)
			m->delta[d] += shift[d];
	}
	m->next = first->next;
	first->next = old->first_member;
	to->members += old->members;
	to->client_known |= old->client_known;
	to->pairing = old->pairing > to->pairing ? old->pairing : to->pairing;
	to->pairing = evidence > to->pairing ? (uint8_t)evidence : to->pairing;
	*old = (struct flow){.first_member = MEMBER_NONE};
}

static void pair_together_find(struct pairer *p, uint32_t flow)
{
	struct member *m = pair_isn_best_member(p, flow);
	enum pairing_evidence evidence;
	uint32_t found;

	if (m->flow->key.protocol != 6)
		return;
	found = pair_isn_find(p, m, &evidence);
	if (found == UINT32_MAX || !pair_together_is_apart(p, found, flow) ||
		pair_untranslated_is_refused(p, m, found))
		return;
	pair_together_move(p, found, flow, evidence);
}

void pair_together_close_up(struct pairer *p)
{
	uint32_t n = 0;

	for (uint32_t c = 0; c < p->all->count; c++) {
		if (!p->all->list[c].members)
			continue;
		p->all->list[n] = p->all->list[c];
		for (uint32_t i = p->all->list[n].first_member; i != MEMBER_NONE;
			i = p->all->members[i].next)
			p->all->members[i].flow->flow = n;
		n++;
	}
	p->all->count = n;
}

void pair_flows_together(struct pairer *p)
{
	uint32_t apart = 0;

	if (p->data->vantage_count < 3)
		return;
	for (uint32_t c = 0; c < p->all->count; c++)
		apart += p->all->list[c].members < p->data->vantage_count;
	if (!apart)
		return;
	pair_isn_index(p, VANTAGE_NONE);
	for (uint32_t c = 0; c < p->all->count; c++)
		if (p->all->list[c].members < p->data->vantage_count &&
			p->all->list[c].pairing != PAIRED_PROXY &&
			p->all->list[c].pairing != PAIRED_AMBIGUOUS)
			pair_together_find(p, c);
	pair_together_close_up(p);
}
