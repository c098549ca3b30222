#include "join/pair.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "base/prefetch.h"
#include "base/parallel.h"
#include "decode/packet.h"
#include "join/orientation.h"
#include "join/pair_content.h"
#include "join/pair_isn.h"
#include "join/pair_together.h"
#include "join/pair_untranslated.h"
#include "join/pairer.h"
#include "join/segment_walk.h"
#include "join/strangers.h"

/* Sequence numbers further apart than this are not one stream's, mid-stream captures or not. */
#define STREAM_SPAN (1U << 30)
const char *pairing_name(enum pairing_evidence p)
{
	static const char *const names[] = {"alone", "isn", "client isn", "address", "offset",
		"content", "hash", "proxy", "ambiguous"};

	assert(p < sizeof(names) / sizeof(names[0]));
	return names[p];
}

/* Members that a thread pairs at a time. */
#define PART_MEMBERS 4096

static bool pair_knows_client(const struct flow_vantage *f)
{
	bool known;

	(void)orientation_client_is_b(f, &known);
	return known;
}

static void pair_begin_flow(struct pairer *p, uint32_t flow, uint32_t member)
{
	struct flow_vantage *f = p->all->members[member].flow;

	assert(f->flow == FLOW_NONE);
	p->all->list[flow] = (struct flow){.first_member = member,
		.members = 1,
		.pairing = PAIRED_ALONE,
		.client_known = pair_knows_client(f)};
	f->flow = flow;
}

static void pair_start_flow(struct pairer *p, uint32_t member)
{
	struct flows *all = p->all;

	MEM_RESERVE(all->list, all->count, all->cap);
	pair_begin_flow(p, all->count++, member);
}

static void pair_set_delta(struct member *m, const struct member *first, enum direction d)
{
	const struct flow_side *here = member_side(m, d), *there = member_side(first, d);

	if (here->has_isn && there->has_isn)
		m->delta[d] = here->isn - there->isn;
}

void pair_join_flow(
	struct pairer *p, uint32_t flow, uint32_t member, enum pairing_evidence evidence)
{
	struct flow *c = &p->all->list[flow];
	struct member *m = &p->all->members[member], *first = pair_first_member(p, flow);
	struct flow_vantage *f = m->flow;

	assert(m->next == MEMBER_NONE && f->flow == FLOW_NONE); /* a member is of one flow */
	m->next = first->next;
	first->next = member;
	c->members++;
	/* Never so where threads pair side by side. */
	if (!pair_same_tuple(f, first->flow))
		p->translated = true;
	/* The weakest link is what the flow rests on; ISN is the strongest, thus the smallest. */
	if (evidence > c->pairing)
		c->pairing = (uint8_t)evidence;
	c->client_known |= pair_knows_client(f);
	pair_set_delta(m, first, C2S);
	pair_set_delta(m, first, S2C);
	f->flow = flow;
}

/*
 * Members with the member's 5-tuple at the vantage points from first to before end, but for those
 * set aside; at each the oldest first, where there are too many the newest of them.
 */
static uint32_t pair_same_tuple_candidates(const struct pairer *p, const struct member *m,
	uint32_t first_vantage, uint32_t end, uint32_t list[CANDIDATES_MAX])
{
	const struct flow_vantage *f = m->flow, *other;
	uint32_t n = 0;

	for (uint32_t v = first_vantage; v < end; v++) {
		const struct flowtab *t = &p->data->vantages[v].flows;
		uint32_t first = n;

		for (other = flowtab_same_key(t, f); other && n < CANDIDATES_MAX;
			other = other->older == FLOW_NONE ? NULL : flowtab_at(t, other->older))
			if (!p->all->members[p->first[v] + other->index].stray)
				list[n++] = p->first[v] + other->index;
		for (uint32_t i = first, k = n; i + 1 < k; i++) {
			uint32_t newer = list[i];

			list[i] = list[--k];
			list[k] = newer;
		}
	}
	return n;
}

static uint32_t pair_flow_of(const struct pairer *p, uint32_t member)
{
	return p->all->members[member].flow->flow;
}

/*
 * Round 1: the same 5-tuple and the same initial sequence numbers, as far as both sides show them.
 * by_first: the 5-tuple of a flow's first member, by which threads do not meet; else that of any.
 */
static bool pair_plainly(struct pairer *p, uint32_t member, bool by_first)
{
	struct member *m = &p->all->members[member];
	uint32_t candidates[CANDIDATES_MAX],
		n = pair_same_tuple_candidates(p, m, 0, m->vantage, candidates);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t c = pair_flow_of(p, candidates[i]);
		const struct member *other =
			by_first ? pair_first_member(p, c) : &p->all->members[candidates[i]];
		enum pairing_evidence evidence;

		if (!pair_same_tuple(m->flow, other->flow) || pair_has_vantage(p, c, m->vantage) ||
			!pair_isn_fits(m, other, &evidence) || evidence == PAIRED_OFFSET ||
			pair_untranslated_is_refused(p, m, c))
			continue;
		m->delta[C2S] = other->delta[C2S];
		m->delta[S2C] = other->delta[S2C];
		pair_join_flow(p, c, member, evidence);
		return true;
	}
	return false;
}

/* A direction's first sequence numbers near each other, or one side without any. */
static bool pair_streams_are_near(
	const struct flow_side *a, const struct flow_side *b, uint32_t *ret_apart)
{
	uint32_t apart = a->first_seq - b->first_seq;

	*ret_apart = 0;
	if (!a->seen || !b->seen)
		return true;
	*ret_apart = apart < -apart ? apart : -apart;
	return *ret_apart < STREAM_SPAN;
}

/* Rewritten by a firewall in both directions: the SYNs' time stamps and options went through. */
static bool pair_syn_contents_equal(const struct flow_side *a, const struct flow_side *b)
{
	return a->has_isn && b->has_isn && a->syn_tsval && a->syn_tsval == b->syn_tsval &&
	       a->option_hash == b->option_hash;
}

/* One candidate with the same 5-tuple: how far apart, or not at all (UINT32_MAX). */
static uint32_t pair_tuple_distance(
	const struct member *m, const struct member *other, enum pairing_evidence *ret)
{
	const struct flow_side *mc = member_side(m, C2S), *oc = member_side(other, C2S);
	const struct flow_side *ms = member_side(m, S2C), *os = member_side(other, S2C);
	uint32_t apart_c, apart_s;

	*ret = PAIRED_ADDRESS;
	if (pair_isn_relate(mc, oc) == ISN_DIFFERENT || pair_isn_relate(ms, os) == ISN_DIFFERENT) {
		*ret = pair_syn_contents_equal(mc, oc) ? PAIRED_OFFSET : PAIRED_PROXY;
		return *ret == PAIRED_OFFSET ? 0 : UINT32_MAX;
	}
	if (!pair_streams_are_near(mc, oc, &apart_c) || !pair_streams_are_near(ms, os, &apart_s))
		return UINT32_MAX;
	return apart_c / 2 + apart_s / 2;
}

/*
 * Two connections with one 5-tuple at two places, both with their SYN, at times that no clock has
 * related yet: a transparent proxy if their numbers of connections agree, else just reuse. Marked
 * only when this 5-tuple was used once at each place.
 */
static bool pair_used_once(const struct member *m)
{
	const struct flow_vantage *f = m->flow;

	return f->older == FLOW_NONE && !f->has_newer;
}

/* A switch floods some datagrams of a flow to hosts beside its end: what a member has in common
 * with any other one of a flow counts. */
static uint32_t pair_datagrams_in_common(const struct pairer *p, const struct member *m, uint32_t c)
{
	uint32_t most = 0;

	for (uint32_t i = p->all->list[c].first_member; i != MEMBER_NONE && most != UINT32_MAX;
		i = p->all->members[i].next) {
		uint32_t common = strangers_in_common(m, &p->all->members[i]);

		most = common > most ? common : most;
	}
	return most;
}

/* Of the candidates the one whose flow has most datagrams in common with the member's. */
static uint32_t pair_best_datagrams(
	struct pairer *p, uint32_t member, const uint32_t *candidates, uint32_t n)
{
	struct member *m = &p->all->members[member];
	uint32_t best = MEMBER_NONE, most = 0;

	for (uint32_t i = 0; i < n && most != UINT32_MAX; i++) {
		uint32_t c = pair_flow_of(p, candidates[i]), common;

		if (pair_has_vantage(p, c, m->vantage))
			continue;
		orientation_agree_with(p->all, m, candidates[i]);
		common = pair_datagrams_in_common(p, m, c);
		if (common > most) {
			most = common;
			best = candidates[i];
		}
	}
	return best;
}

/* Of the candidates the one whose numbers are nearest to the member's. */
static uint32_t pair_best_stream(struct pairer *p, uint32_t member, const uint32_t *candidates,
	uint32_t n, enum pairing_evidence *ret)
{
	struct member *m = &p->all->members[member];
	uint32_t best = MEMBER_NONE, nearest = UINT32_MAX, distance;
	enum pairing_evidence evidence;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t c = pair_flow_of(p, candidates[i]);
		struct member *other = &p->all->members[candidates[i]];

		if (pair_has_vantage(p, c, m->vantage))
			continue;
		orientation_agree_with(p->all, m, candidates[i]);
		distance = pair_tuple_distance(m, other, &evidence);
		if (evidence == PAIRED_PROXY && pair_used_once(m) && pair_used_once(other)) {
			p->all->list[c].pairing = PAIRED_PROXY;
			m->proxy = true;
		}
		if (distance >= nearest)
			continue;
		nearest = distance;
		best = candidates[i];
		*ret = evidence;
	}
	return best;
}

/* Joins the flow of a member with the same 5-tuple. For all that is known, numbers here are as
 * there. */
static void pair_join_beside(
	struct pairer *p, uint32_t other, uint32_t member, enum pairing_evidence evidence)
{
	struct member *m = &p->all->members[member];

	orientation_agree_with(p->all, m, other);
	m->delta[C2S] = p->all->members[other].delta[C2S];
	m->delta[S2C] = p->all->members[other].delta[S2C];
	pair_join_flow(p, pair_flow_of(p, other), member, evidence);
}

/* Round 3: the same 5-tuple at one of these vantage points, and nothing that speaks against it. */
static bool pair_by_tuple(
	struct pairer *p, uint32_t member, uint32_t first_vantage, uint32_t end_vantage)
{
	struct member *m = &p->all->members[member];
	uint32_t candidates[CANDIDATES_MAX], best;
	uint32_t n = pair_same_tuple_candidates(p, m, first_vantage, end_vantage, candidates);
	enum pairing_evidence evidence = PAIRED_HASH;

	best = m->flow->key.protocol == 6 ? pair_best_stream(p, member, candidates, n, &evidence)
					  : pair_best_datagrams(p, member, candidates, n);
	if (best == MEMBER_NONE || pair_untranslated_is_refused(p, m, pair_flow_of(p, best)))
		return false;
	m->proxy = false;
	pair_join_beside(p, best, member, evidence);
	return true;
}

/* Nobody comes before the first vantage point: each of its flows begins a flow, of its own number.
 */
static void pair_make_members(struct pairer *p, uint32_t vantage)
{
	struct vantage *v = &p->data->vantages[vantage];
	bool known, answer;

	for (uint32_t i = 0; i < v->flows.count; i++) {
		uint32_t member = p->first[vantage] + i;
		struct member *m = &p->all->members[member];
		struct flow_vantage *f = flowtab_at(&v->flows, i);

		if (i + FLOWS_AHEAD < v->flows.count)
			prefetch_to_read(
				flowtab_at(&v->flows, i + FLOWS_AHEAD)->side, sizeof(f->side));
		*m = (struct member){.vantage = vantage,
			.flow = f,
			.next = MEMBER_NONE,
			.client_is_b = orientation_client_is_b(f, &known)};
		p->answers_seen[vantage] += pair_untranslated_is_half(m, &answer) && answer;
		p->midflow_seen[vantage] += pair_untranslated_is_midflow(m);
		if (!vantage)
			pair_begin_flow(p, member, member);
	}
}

static void pair_make_parts(void *context, unsigned thread, uint32_t begin, uint32_t end)
{
	(void)thread;
	for (uint32_t v = begin; v < end; v++)
		pair_make_members(context, v);
}

static bool pair_is_tcp(const struct pairer *p, uint32_t member)
{
	return p->all->members[member].flow->key.protocol == 6;
}

static bool pair_is_open(const struct pairer *p, uint32_t member)
{
	return p->all->members[member].flow->flow == FLOW_NONE && !p->all->members[member].stray;
}

/* Anchors of flows that nothing has joined yet, before a vantage point that may need them. */
static void pair_index_anchors(struct pairer *p, uint32_t vantage)
{
	keymap_release(&p->anchors);
	for (uint32_t c = 0; c < p->all->count; c++)
		if (!pair_has_vantage(p, c, vantage) && !pair_first_member(p, c)->stray)
			pair_content_publish(p, p->all->list[c].first_member);
}

/*
 * From or to the unspecified address: every host sends such datagrams on its own link (DHCP,
 * duplicate address detection), and they look alike.
 */
static bool pair_is_anonymous(const struct pairer *p, uint32_t member)
{
	static const uint8_t v4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, v6[16];
	const struct flow_key *k = &p->all->members[member].flow->key;

	return memcmp(k->a, v4, 16) == 0 || memcmp(k->a, v6, 16) == 0 ||
	       memcmp(k->b, v4, 16) == 0 || memcmp(k->b, v6, 16) == 0;
}

/* No translator touches what stays on its link; much of it looks alike everywhere. */
static bool pair_stays_on_link(const struct pairer *p, uint32_t member)
{
	const struct flow_key *k = &p->all->members[member].flow->key;

	return pair_is_anonymous(p, member) || ip_is_link_local(k->a) || ip_is_link_local(k->b) ||
	       ip_is_link_group(k->a) || ip_is_link_group(k->b);
}

/* Members are taken in groups: tables, lists and flows of many connections are in no cache, and
 * waits overlap. */
#define GROUP 32

/* What is looked at first: the flow of the same 5-tuple at the first vantage point, and its flow.
 */
static void pair_prefetch_group(struct pairer *p, uint32_t begin, uint32_t end)
{
	const struct flowtab *t = &p->data->vantages[0].flows;
	const struct flow_vantage *likely[GROUP];
	uint32_t n = end - begin < GROUP ? end - begin : GROUP;

	for (uint32_t i = 0; i < n; i++)
		prefetch_to_read(p->all->members[begin + i].flow, sizeof(struct flow_vantage));
	for (uint32_t i = 0; i < n; i++)
		flowtab_prefetch_same_bucket(t, p->all->members[begin + i].flow);
	for (uint32_t i = 0; i < n; i++)
		likely[i] = flowtab_prefetch_same_key(t, p->all->members[begin + i].flow);
	for (uint32_t i = 0; i < n; i++)
		if (likely[i])
			prefetch_line(&p->all->list[likely[i]->flow]);
	for (uint32_t i = 0; i < n; i++)
		if (likely[i])
			prefetch_line(pair_first_member(p, likely[i]->flow));
}

struct plain_round {
	struct pairer *pairer;
	uint32_t first;
	_Atomic uint32_t open;
	bool *reused; /* by member from first on: its 5-tuple has other flows at this place */
};

/* Members whose 5-tuple was used once at this place have no candidate in common: threads do not
 * meet. */
static void pair_part(void *context, unsigned thread, uint32_t begin, uint32_t end)
{
	struct plain_round *r = context;
	struct pairer *p = r->pairer;
	uint32_t open = 0;

	(void)thread;
	for (uint32_t i = begin; i < end; i++) {
		uint32_t member = r->first + i;

		if ((i - begin) % GROUP == 0)
			pair_prefetch_group(p, member, r->first + end);
		r->reused[i] = !pair_used_once(&p->all->members[member]);
		open += !r->reused[i] &&
			(!pair_is_tcp(p, member) || p->all->members[member].stray ||
				!pair_plainly(p, member, true));
	}
	r->open += open;
}

/* Round 1 for all. Returns how many are left. */
static uint32_t pair_all_plainly(struct pairer *p, uint32_t first, uint32_t end)
{
	struct plain_round r = {.pairer = p,
		.first = first,
		.reused = mem_array((size_t)end - first + 1, sizeof(bool))};

	parallel_run(p->threads, end - first, PART_MEMBERS, pair_part, &r);
	for (uint32_t i = first; i < end; i++)
		r.open += r.reused[i - first] && (!pair_is_tcp(p, i) || p->all->members[i].stray ||
							 !pair_plainly(p, i, true));
	free(r.reused);
	return r.open;
}

/* What the plain round left open, by what is rewritten less often. */
static void pair_rest(struct pairer *p, uint32_t vantage, uint32_t first, uint32_t end)
{
	uint32_t open = 0;

	for (uint32_t i = first; i < end; i++)
		if (pair_is_open(p, i) && pair_is_tcp(p, i))
			(void)pair_plainly(p, i, false);
	pair_isn_index(p, vantage);
	for (uint32_t i = first; i < end; i++)
		if (pair_is_open(p, i) && pair_is_tcp(p, i))
			(void)pair_isn_join(p, i);
	for (uint32_t i = first; i < end; i++)
		if (pair_is_open(p, i) && !pair_is_anonymous(p, i))
			(void)pair_by_tuple(p, i, 0, vantage);
	for (uint32_t i = first; i < end; i++)
		open += pair_is_open(p, i);
	if (open)
		pair_index_anchors(p, vantage);
	for (uint32_t i = first; i < end; i++)
		if (pair_is_open(p, i) && !pair_stays_on_link(p, i))
			(void)pair_content_join(p, i);
}

static void pair_start_alone(struct pairer *p, uint32_t member)
{
	const struct member *m = &p->all->members[member];

	pair_start_flow(p, member);
	if (m->proxy)
		p->all->list[p->all->count - 1].pairing = PAIRED_PROXY;
	if (m->ambiguous)
		p->all->list[p->all->count - 1].pairing = PAIRED_AMBIGUOUS;
}

/* Pairs one vantage point's flows with the flows of earlier ones. */
static void pair_vantage(struct pairer *p, uint32_t vantage)
{
	uint32_t first = p->first[vantage], end = p->first[vantage + 1];

	if (p->answers_seen[vantage])
		pair_untranslated_mark_halves(p, first, end);
	if (p->midflow_seen[vantage])
		pair_untranslated_set_aside(p, first, end);
	if (!vantage) {
		p->all->count = end;
		return;
	}
	if (!pair_all_plainly(p, first, end))
		return;
	pair_rest(p, vantage, first, end);
	for (uint32_t i = first; i < end; i++)
		if (p->all->members[i].flow->flow == FLOW_NONE)
			pair_start_alone(p, i);
}

/*
 * Without a SYN, or datagrams: nothing but its 5-tuple joins it. Those with which it has that in
 * common may have been read later: behind address translation others have another 5-tuple, and what
 * went to one holder of an address is not at another, but at its sender.
 */
static bool pair_is_left_alone(const struct pairer *p, uint32_t flow)
{
	const struct flow *c = &p->all->list[flow];
	const struct member *m = pair_first_member(p, flow);

	return c->members == 1 && c->pairing == PAIRED_ALONE &&
	       (p->translated || m->flow->key.protocol != 6) && !m->flow->side[0].has_isn &&
	       !m->flow->side[1].has_isn && !m->stray && !pair_is_anonymous(p, c->first_member);
}

/* A flow with one member joins one of the same 5-tuple at these vantage points, and is empty then.
 */
static bool pair_join_alone(struct pairer *p, uint32_t flow, uint32_t first, uint32_t end)
{
	struct flow *f = &p->all->list[flow];
	struct member *m = pair_first_member(p, flow);

	assert(f->members == 1);
	m->flow->flow = FLOW_NONE;
	if (!pair_by_tuple(p, f->first_member, first, end)) {
		m->flow->flow = flow;
		return false;
	}
	f->members = 0;
	return true;
}

/* Of two places each was compared with the other. */
static void pair_left_alone(struct pairer *p)
{
	struct flows *all = p->all;
	bool any = false;

	for (uint32_t c = 0; c < all->count && p->data->vantage_count > 2; c++) {
		if (pair_is_left_alone(p, c))
			any |= pair_join_alone(
				p, c, pair_first_member(p, c)->vantage + 1, p->data->vantage_count);
	}
	if (any)
		pair_together_close_up(p);
}

/* What had been set aside in vain is paired as what has no SYN is. */
static void pair_strays(struct pairer *p)
{
	if (!p->stray_count)
		return;
	pair_untranslated_settle(p);
	for (uint32_t i = 0; i < p->stray_count; i++) {
		const struct member *m = &p->all->members[p->strays[i].member];

		if (!m->stray && p->all->list[m->flow->flow].members == 1 &&
			!pair_join_alone(p, m->flow->flow, 0, m->vantage))
			(void)pair_join_alone(
				p, m->flow->flow, m->vantage + 1, p->data->vantage_count);
	}
	pair_together_close_up(p);
}

static void pair_release(struct pairer *p)
{
	keymap_release(&p->isn);
	keymap_release(&p->anchors);
	hashmap_release(&p->contents);
	free(p->first);
	free(p->answers_seen);
	free(p->midflow_seen);
	free(p->strays);
}

void pair_flows(struct dataset *data, unsigned threads, struct flows *ret)
{
	struct pairer p = {.data = data, .all = ret, .threads = threads};
	uint32_t most = 0;

	*ret = (struct flows){0};
	p.first = mem_array((size_t)data->vantage_count + 1, sizeof(*p.first));
	p.answers_seen = mem_array((size_t)data->vantage_count + 1, sizeof(*p.answers_seen));
	p.midflow_seen = mem_array((size_t)data->vantage_count + 1, sizeof(*p.midflow_seen));
	for (uint32_t v = 0; v < data->vantage_count; v++) {
		p.first[v + 1] = p.first[v] + data->vantages[v].flows.count;
		most = data->vantages[v].flows.count > most ? data->vantages[v].flows.count : most;
	}
	ret->member_count = p.first[data->vantage_count];
	ret->members = mem_array(ret->member_count, sizeof(*ret->members));
	ret->cap = most + most / 4;
	ret->list = mem_array(ret->cap, sizeof(*ret->list));
	parallel_run(threads, data->vantage_count, 1, pair_make_parts, &p);
	for (uint32_t v = 0; v < data->vantage_count; v++)
		pair_vantage(&p, v);
	pair_left_alone(&p);
	pair_strays(&p);
	pair_flows_together(&p);
	assert(ret->count <= ret->member_count); /* no flow without a member */
	pair_release(&p);
}

void flows_release(struct flows *c)
{
	free(c->list);
	free(c->members);
	*c = (struct flows){0};
}
