#include "join/pair_untranslated.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/nsec.h"

/* How much later an answer may come than its question. */
#define ANSWER_NS (3 * NSEC_PER_SEC)
/* A flow that lacks its SYN and has more frames than this is no stray. */
#define STRAY_FRAMES 64

/*
 * An answer that translation skipped on its way back: a SYN-ACK without SYN, while a SYN from the
 * same address and port to another server has no answer. Together these two are what the server's
 * place saw as one flow: each alone would make the rest of it lost, or injected. So all three stay
 * alone.
 */
bool pair_untranslated_is_half(const struct member *m, bool *ret_answer)
{
	const struct flow_side *client = member_side(m, C2S), *server = member_side(m, S2C);

	*ret_answer = server->has_isn && !client->has_isn;
	return m->flow->key.protocol == 6 && (*ret_answer || (client->has_isn && !server->packets));
}

static bool pair_untranslated_answers(const struct member *answer, const struct member *question)
{
	int64_t late = answer->flow->first_ns - question->flow->first_ns;

	return member_port(answer, true) == member_port(question, true) && late >= 0 &&
	       late < ANSWER_NS &&
	       memcmp(member_ip(answer, true), member_ip(question, true), 16) == 0;
}

static uint64_t pair_untranslated_key(const uint8_t ip[16], uint16_t port)
{
	uint64_t low, high;

	memcpy(&high, ip, 8);
	memcpy(&low, ip + 8, 8);
	return keymap_mix(keymap_mix(low, high), port);
}

static uint64_t pair_untranslated_client_key(const struct member *m)
{
	return pair_untranslated_key(member_ip(m, true), member_port(m, true));
}

void pair_untranslated_mark_halves(struct pairer *p, uint32_t first, uint32_t end)
{
	struct keymap questions = {0};
	bool answer;

	for (uint32_t i = first; i < end; i++)
		if (pair_untranslated_is_half(&p->all->members[i], &answer) && !answer)
			keymap_put(&questions, pair_untranslated_client_key(&p->all->members[i]), i,
				0);
	for (uint32_t i = first; i < end && questions.count; i++) {
		struct member *m = &p->all->members[i];
		const struct key_entry *e;

		if (!pair_untranslated_is_half(m, &answer) || !answer)
			continue;
		e = keymap_first(&questions, pair_untranslated_client_key(m));
		for (int n = 0; n < CANDIDATES_MAX && e; n++, e = keymap_next(&questions, e)) {
			struct member *question = &p->all->members[e->value];

			if (pair_untranslated_answers(m, question))
				m->untranslated = question->untranslated = true;
		}
	}
	keymap_release(&questions);
}

bool pair_untranslated_is_refused(struct pairer *p, struct member *m, uint32_t flow)
{
	if (!m->untranslated && !pair_first_member(p, flow)->untranslated)
		return false;
	p->all->list[flow].pairing = PAIRED_AMBIGUOUS;
	m->ambiguous = true;
	return true;
}

bool pair_untranslated_is_midflow(const struct member *m)
{
	const struct flow_side *side = m->flow->side;

	return m->flow->key.protocol == 6 && !side[0].has_isn && !side[1].has_isn &&
	       side[0].packets + side[1].packets <= STRAY_FRAMES;
}

/* The client's SYN is on record before, so its end was captured then; the connection goes on. */
static bool pair_untranslated_interrupts(const struct member *stray, const struct member *main)
{
	const struct flow_vantage *s = stray->flow, *m = main->flow;

	return member_side(main, S2C)->packets && s->first_ns > m->first_ns &&
	       s->first_ns < m->last_ns + ANSWER_NS;
}

static void pair_untranslated_set_one_aside(
	struct pairer *p, const struct keymap *midflow, uint32_t main)
{
	const struct member *m = &p->all->members[main];
	const struct key_entry *e = keymap_first(midflow, pair_untranslated_client_key(m));

	for (int n = 0; n < CANDIDATES_MAX && e; n++, e = keymap_next(midflow, e)) {
		struct member *stray = &p->all->members[e->value];
		const struct flow_key *k = &stray->flow->key;
		bool by_a = k->a_port == member_port(m, true) &&
			    memcmp(k->a, member_ip(m, true), 16) == 0;
		bool by_b = k->b_port == member_port(m, true) &&
			    memcmp(k->b, member_ip(m, true), 16) == 0;

		if (stray->stray || by_a == by_b || !pair_untranslated_interrupts(stray, m))
			continue;
		stray->stray = true;
		stray->client_is_b = by_b;
		MEM_RESERVE(p->strays, p->stray_count, p->stray_cap);
		p->strays[p->stray_count++] = (struct stray){.member = e->value, .main = main};
	}
}

void pair_untranslated_set_aside(struct pairer *p, uint32_t first, uint32_t end)
{
	struct keymap midflow = {0};

	for (uint32_t i = first; i < end; i++) {
		const struct member *m = &p->all->members[i];
		const struct flow_key *k = &m->flow->key;

		if (!pair_untranslated_is_midflow(m))
			continue;
		keymap_put(&midflow, pair_untranslated_key(k->a, k->a_port), i, 0);
		keymap_put(&midflow, pair_untranslated_key(k->b, k->b_port), i, 0);
	}
	for (uint32_t i = first; i < end && midflow.count; i++)
		if (p->all->members[i].flow->key.protocol == 6 &&
			member_side(&p->all->members[i], C2S)->has_isn)
			pair_untranslated_set_one_aside(p, &midflow, i);
	keymap_release(&midflow);
}

/* The member at another place that has the 5-tuple under which the stray came, and counts as the
 * connection does here. */
static const struct member *pair_untranslated_sender(
	const struct pairer *p, const struct member *stray, const struct member *main)
{
	const struct member *m = pair_member_of_tuple(p, main->flow->flow, stray->flow);

	return m && m->vantage != stray->vantage && m->delta[C2S] == main->delta[C2S] &&
			       m->delta[S2C] == main->delta[S2C]
		       ? m
		       : NULL;
}

void pair_untranslated_settle(struct pairer *p)
{
	for (uint32_t i = 0; i < p->stray_count; i++) {
		struct member *m = &p->all->members[p->strays[i].member];
		const struct member *main = &p->all->members[p->strays[i].main];
		uint32_t flow = main->flow->flow, own = m->flow->flow;

		if (!pair_untranslated_sender(p, m, main)) {
			m->stray = false;
			continue;
		}
		p->all->list[own].members = 0;
		m->flow->flow = FLOW_NONE;
		pair_join_flow(p, flow, p->strays[i].member,
			(enum pairing_evidence)p->all->list[flow].pairing);
		m->delta[C2S] = main->delta[C2S];
		m->delta[S2C] = main->delta[S2C];
	}
}
