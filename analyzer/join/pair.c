#include "join/pair.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "base/near.h"
#include "decode/packet.h"
#include "join/walk.h"

/* Candidates looked at for one flow; a 5-tuple reused more often than this is left to stronger keys. */
#define CANDIDATES_MAX 64
/* Sequence numbers further apart than this are not one stream's, mid-stream captures or not. */
#define STREAM_SPAN (1U << 30)
/* Content anchors: one segment in eight, most of one flow, and how many must agree. */
#define ANCHOR_MASK 7
#define ANCHORS_MAX 64
#define ANCHORS_NEEDED 3

const char *pairing_name(enum pairing_evidence p)
{
	static const char *const names[] = {"alone", "isn", "client isn", "address", "offset", "content",
		"hash", "proxy", "ambiguous"};

	return names[p];
}

/* A multimap from 64-bit keys to conversations. Equal keys lie along one probe sequence. */
struct keymap {
	struct key_entry {
		uint64_t key;
		uint32_t conversation, extra;
	} *entries; /* conversation + 1; 0 free */
	uint64_t mask, count;
};

static void keymap_put(struct keymap *m, uint64_t key, uint32_t conversation, uint32_t extra);

static void keymap_resize(struct keymap *m, uint64_t mask)
{
	struct keymap bigger = {.mask = mask};

	bigger.entries = mem_array(bigger.mask + 1, sizeof(*bigger.entries));
	for (uint64_t i = 0; m->entries && i <= m->mask; i++)
		if (m->entries[i].conversation)
			keymap_put(&bigger, m->entries[i].key, m->entries[i].conversation - 1,
				m->entries[i].extra);
	free(m->entries);
	*m = bigger;
}

static void keymap_put(struct keymap *m, uint64_t key, uint32_t conversation, uint32_t extra)
{
	uint64_t at;

	if (!m->entries || m->count > m->mask / 2)
		keymap_resize(m, m->entries ? m->mask * 2 + 1 : 1023);
	for (at = key & m->mask; m->entries[at].conversation; at = (at + 1) & m->mask)
		;
	m->entries[at] = (struct key_entry){.key = key, .conversation = conversation + 1, .extra = extra};
	m->count++;
}

/* Room for so many entries, so that it need not grow step by step. */
static void keymap_reserve(struct keymap *m, uint64_t entries)
{
	uint64_t mask = 1023;

	while (entries > mask / 2)
		mask = mask * 2 + 1;
	keymap_resize(m, mask);
}

/* The next entry for key from *at on, or NULL; start with *at = key & mask. */
static const struct key_entry *keymap_next(const struct keymap *m, uint64_t key, uint64_t *at)
{
	while (m->entries && m->entries[*at].conversation) {
		const struct key_entry *e = &m->entries[*at];

		*at = (*at + 1) & m->mask;
		if (e->key == key)
			return e;
	}
	return NULL;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)(a ^ UINT64_C(0x9e3779b97f4a7c15)) * (b ^ UINT64_C(0xd6e8feb86659fd93));

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

struct pairer {
	struct network *net;
	struct conversations *all;
	struct keymap isn;     /* (client isn, server isn) and each alone */
	struct keymap tuple;   /* 5-tuple */
	struct keymap anchors; /* content */
};

/* Which end of a local flow is the client; *ret_known: a SYN tells. */
static bool client_is_b(const struct flow *f, bool *ret_known)
{
	const struct flow_side *a = &f->side[0], *b = &f->side[1];

	*ret_known = true;
	if (a->sent_syn_only || (b->has_isn && !b->sent_syn_only))
		return false;
	if (b->sent_syn_only || (a->has_isn && !a->sent_syn_only))
		return true;
	*ret_known = false;
	return f->key.b_port > f->key.a_port;
}

static uint64_t key_isn(uint32_t isn, uint64_t salt)
{
	return mix(isn, salt);
}

static uint64_t key_isns(const struct flow_side *client, const struct flow_side *server)
{
	return mix((uint64_t)client->isn << 32 | server->isn, 11);
}

static uint64_t key_tuple(const struct flow *f)
{
	return mix(f->hash, (uint64_t)f->key.a_port << 32 | f->key.b_port << 8 | f->key.protocol);
}

/* Makes a member findable by its 5-tuple for the flows of later vantage points. */
static void publish(struct pairer *p, uint32_t conversation, const struct member *m)
{
	keymap_put(&p->tuple, key_tuple(member_flow(p->net, m)), conversation, 0);
}

/* And by its initial sequence numbers, for those whose addresses were rewritten. */
static void publish_isn(struct pairer *p, uint32_t conversation, const struct member *m)
{
	const struct flow_side *client = member_side(p->net, m, C2S), *server = member_side(p->net, m, S2C);

	if (member_flow(p->net, m)->key.protocol != 6)
		return;
	if (client->has_isn && server->has_isn)
		keymap_put(&p->isn, key_isns(client, server), conversation, 0);
	if (client->has_isn)
		keymap_put(&p->isn, key_isn(client->isn, 1), conversation, 0);
	if (server->has_isn)
		keymap_put(&p->isn, key_isn(server->isn, 2), conversation, 0);
}

static struct member *first_member(const struct pairer *p, uint32_t conversation)
{
	return &p->all->members[p->all->list[conversation].first_member];
}

static bool has_vantage(const struct pairer *p, uint32_t conversation, uint32_t vantage)
{
	uint32_t i = p->all->list[conversation].first_member;

	for (; i != MEMBER_NONE; i = p->all->members[i].next)
		if (p->all->members[i].vantage == vantage)
			return true;
	return false;
}

static void start_conversation(struct pairer *p, uint32_t member)
{
	struct conversations *all = p->all;
	struct member *m = &all->members[member];
	const struct flow *f = member_flow(p->net, m);

	MEM_RESERVE(all->list, all->count, all->cap);
	all->list[all->count] = (struct conversation){.first_member = member, .members = 1,
		.pairing = PAIRED_ALONE, .client_known = f->side[0].has_isn || f->side[1].has_isn};
	publish(p, all->count, m);
	member_flow(p->net, m)->joined = all->count++;
}

static void set_delta(const struct pairer *p, struct member *m, const struct member *first, enum direction d)
{
	const struct flow_side *here = member_side(p->net, m, d), *there = member_side(p->net, first, d);

	if (here->has_isn && there->has_isn)
		m->delta[d] = here->isn - there->isn;
}

static bool same_tuple(const struct flow *a, const struct flow *b)
{
	return memcmp(&a->key, &b->key, sizeof(a->key)) == 0;
}

static void join_conversation(
	struct pairer *p, uint32_t conversation, uint32_t member, enum pairing_evidence evidence)
{
	struct conversation *c = &p->all->list[conversation];
	struct member *m = &p->all->members[member], *first = first_member(p, conversation);
	const struct flow *f = member_flow(p->net, m);

	m->next = first->next;
	first->next = member;
	c->members++;
	/* The weakest link is what the conversation rests on; ISN is the strongest, thus the smallest. */
	if (evidence > c->pairing)
		c->pairing = (uint8_t)evidence;
	c->client_known |= f->side[0].has_isn || f->side[1].has_isn;
	set_delta(p, m, first, C2S);
	set_delta(p, m, first, S2C);
	/* Under the first one's 5-tuple it is found already. */
	if (!same_tuple(f, member_flow(p->net, first)))
		publish(p, conversation, m);
	member_flow(p->net, m)->joined = conversation;
}

/* Initial sequence numbers of two flows in one direction. */
enum isn_relation { ISN_UNKNOWN, ISN_EQUAL, ISN_DIFFERENT };

static enum isn_relation relate_isn(const struct flow_side *a, const struct flow_side *b)
{
	if (!a->has_isn || !b->has_isn)
		return ISN_UNKNOWN;
	return a->isn == b->isn ? ISN_EQUAL : ISN_DIFFERENT;
}

static bool options_fit(const struct flow_side *a, const struct flow_side *b)
{
	return !a->option_hash || !b->option_hash || a->option_hash == b->option_hash;
}

/* A candidate that shares an initial sequence number. */
static bool isn_fits(const struct pairer *p, const struct member *m, const struct member *other,
	enum pairing_evidence *ret)
{
	const struct flow_side *mc = member_side(p->net, m, C2S), *oc = member_side(p->net, other, C2S);
	const struct flow_side *ms = member_side(p->net, m, S2C), *os = member_side(p->net, other, S2C);
	enum isn_relation client = relate_isn(mc, oc), server = relate_isn(ms, os);
	bool tuple = same_tuple(member_flow(p->net, m), member_flow(p->net, other));

	if (client == ISN_EQUAL && server == ISN_EQUAL) {
		*ret = PAIRED_ISN;
		return true;
	}
	/* One number rewritten, the other not: only with the same addresses. */
	if ((client == ISN_EQUAL && server == ISN_DIFFERENT) ||
		(client == ISN_DIFFERENT && server == ISN_EQUAL)) {
		*ret = PAIRED_OFFSET;
		return tuple;
	}
	/* 32 bits alone, under other addresses: the SYN's options must agree too. */
	*ret = PAIRED_CLIENT_ISN;
	return client == ISN_EQUAL ? tuple || options_fit(mc, oc)
				   : server == ISN_EQUAL && (tuple || options_fit(ms, os));
}

/*
 * The best candidate under one key. Both numbers beat one, the same 5-tuple beats another;
 * two that are equally good are none (*ret_ambiguous).
 */
static uint32_t best_by_isn(const struct pairer *p, uint64_t key, const struct member *m,
	enum pairing_evidence *ret_evidence, bool *ret_ambiguous)
{
	uint64_t at = key & p->isn.mask;
	uint32_t best = UINT32_MAX, rank, best_rank = UINT32_MAX;
	const struct key_entry *e;
	enum pairing_evidence evidence;

	for (int n = 0; n < CANDIDATES_MAX && (e = keymap_next(&p->isn, key, &at)); n++) {
		uint32_t c = e->conversation - 1;
		const struct member *other = first_member(p, c);

		if (c == best || has_vantage(p, c, m->vantage) || !isn_fits(p, m, other, &evidence))
			continue;
		rank = evidence * 2U +
			!same_tuple(member_flow(p->net, m), member_flow(p->net, other));
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

/*
 * An answer that translation skipped on its way back: a SYN-ACK without SYN, while a SYN from the same
 * address and port to another server has no answer. Together these two are what the server's place saw
 * as one flow: each alone would make the rest of it lost, or injected. So all three stay alone.
 */
static bool is_half(const struct pairer *p, const struct member *m, bool *ret_answer)
{
	const struct flow_side *client = member_side(p->net, m, C2S), *server = member_side(p->net, m, S2C);

	*ret_answer = server->has_isn && !client->has_isn;
	return member_flow(p->net, m)->key.protocol == 6 &&
		(*ret_answer || (client->has_isn && !server->packets));
}

/* How much later an answer may come than its question. */
#define ANSWER_NS (3 * INT64_C(1000000000))

static bool answers(const struct pairer *p, const struct member *answer, const struct member *question)
{
	int64_t late = member_flow(p->net, answer)->first_ns - member_flow(p->net, question)->first_ns;

	return member_port(p->net, answer, true) == member_port(p->net, question, true) && late >= 0 &&
		late < ANSWER_NS &&
		memcmp(member_ip(p->net, answer, true), member_ip(p->net, question, true), 16) == 0;
}

static uint64_t key_client(const struct pairer *p, const struct member *m)
{
	uint64_t low, high;

	memcpy(&high, member_ip(p->net, m, true), 8);
	memcpy(&low, member_ip(p->net, m, true) + 8, 8);
	return mix(mix(low, high), member_port(p->net, m, true));
}

static void mark_untranslated(struct pairer *p, uint32_t first, uint32_t end)
{
	struct keymap questions = {0};
	bool answer;

	for (uint32_t i = first; i < end; i++)
		if (is_half(p, &p->all->members[i], &answer) && !answer)
			keymap_put(&questions, key_client(p, &p->all->members[i]), i, 0);
	for (uint32_t i = first; i < end && questions.entries; i++) {
		struct member *m = &p->all->members[i];
		uint64_t key = key_client(p, m), at = key & questions.mask;
		const struct key_entry *e;

		if (!is_half(p, m, &answer) || !answer)
			continue;
		for (int n = 0; n < CANDIDATES_MAX && (e = keymap_next(&questions, key, &at)); n++) {
			struct member *question = &p->all->members[e->conversation - 1];

			if (answers(p, m, question))
				m->untranslated = question->untranslated = true;
		}
	}
	free(questions.entries);
}

/* Keeps a flow from such a candidate; both are marked as fitting more than one. */
static bool is_refused(struct pairer *p, struct member *m, uint32_t conversation)
{
	if (!m->untranslated && !first_member(p, conversation)->untranslated)
		return false;
	p->all->list[conversation].pairing = PAIRED_AMBIGUOUS;
	m->ambiguous = true;
	return true;
}

/* Round 2: under other addresses, or with one number rewritten. */
static bool pair_by_isn(struct pairer *p, uint32_t member)
{
	struct member *m = &p->all->members[member];
	const struct flow_side *client = member_side(p->net, m, C2S), *server = member_side(p->net, m, S2C);
	enum pairing_evidence evidence = PAIRED_ISN;
	uint32_t best = UINT32_MAX;
	bool ambiguous = false;

	if (client->has_isn && server->has_isn)
		best = best_by_isn(p, key_isns(client, server), m, &evidence, &ambiguous);
	if (best == UINT32_MAX && client->has_isn)
		best = best_by_isn(p, key_isn(client->isn, 1), m, &evidence, &ambiguous);
	if (best == UINT32_MAX && server->has_isn)
		best = best_by_isn(p, key_isn(server->isn, 2), m, &evidence, &ambiguous);
	if (best == UINT32_MAX || is_refused(p, m, best))
		return false;
	join_conversation(p, best, member, evidence);
	return true;
}

/* Round 1: the same 5-tuple and the same initial sequence numbers, as far as both sides show them. */
static bool pair_plainly(struct pairer *p, uint32_t member)
{
	struct member *m = &p->all->members[member];
	uint64_t key = key_tuple(member_flow(p->net, m)), at = key & p->tuple.mask;
	const struct key_entry *e;

	for (int n = 0; n < CANDIDATES_MAX && (e = keymap_next(&p->tuple, key, &at)); n++) {
		uint32_t c = e->conversation - 1;
		const struct member *other = first_member(p, c);
		enum pairing_evidence evidence;

		if (!same_tuple(member_flow(p->net, m), member_flow(p->net, other)) ||
			has_vantage(p, c, m->vantage) || !isn_fits(p, m, other, &evidence) ||
			evidence == PAIRED_OFFSET || is_refused(p, m, c))
			continue;
		join_conversation(p, c, member, evidence);
		return true;
	}
	return false;
}

/* A direction's first sequence numbers near each other, or one side without any. */
static bool streams_near(const struct flow_side *a, const struct flow_side *b, uint32_t *ret_apart)
{
	uint32_t apart = a->first_seq - b->first_seq;

	*ret_apart = 0;
	if (!a->seen || !b->seen)
		return true;
	*ret_apart = apart < -apart ? apart : -apart;
	return *ret_apart < STREAM_SPAN;
}

/* Rewritten by a firewall in both directions: the SYNs' time stamps and options went through. */
static bool syn_contents_equal(const struct flow_side *a, const struct flow_side *b)
{
	return a->has_isn && b->has_isn && a->syn_tsval && a->syn_tsval == b->syn_tsval &&
		a->option_hash == b->option_hash;
}

/* Orients m like other where the 5-tuples are the same and m shows no SYN. */
static void orient(const struct pairer *p, struct member *m, const struct member *other)
{
	bool known;

	(void)client_is_b(member_flow(p->net, m), &known);
	if (!known)
		m->client_is_b = other->client_is_b;
}

/* One candidate with the same 5-tuple: how far apart, or not at all (UINT32_MAX). */
static uint32_t tuple_distance(const struct pairer *p, const struct member *m, const struct member *other,
	enum pairing_evidence *ret)
{
	const struct flow_side *mc = member_side(p->net, m, C2S), *oc = member_side(p->net, other, C2S);
	const struct flow_side *ms = member_side(p->net, m, S2C), *os = member_side(p->net, other, S2C);
	uint32_t apart_c, apart_s;

	*ret = PAIRED_ADDRESS;
	if (relate_isn(mc, oc) == ISN_DIFFERENT || relate_isn(ms, os) == ISN_DIFFERENT) {
		*ret = syn_contents_equal(mc, oc) ? PAIRED_OFFSET : PAIRED_PROXY;
		return *ret == PAIRED_OFFSET ? 0 : UINT32_MAX;
	}
	if (!streams_near(mc, oc, &apart_c) || !streams_near(ms, os, &apart_s))
		return UINT32_MAX;
	return apart_c / 2 + apart_s / 2;
}

/*
 * Two connections with one 5-tuple at two places, both with their SYN, at times that no clock has
 * related yet: a transparent proxy if their numbers of connections agree, else just reuse. Marked
 * only when this 5-tuple was used once at each place.
 */
static bool used_once(const struct pairer *p, const struct member *m)
{
	const struct flow *f = member_flow(p->net, m);

	return f->older == FLOW_NONE && !f->has_newer;
}

/* Round 3: the same 5-tuple, and nothing that speaks against it. */
static bool pair_by_tuple(struct pairer *p, uint32_t member)
{
	struct member *m = &p->all->members[member];
	const struct flow *f = member_flow(p->net, m);
	uint64_t key = key_tuple(f), at = key & p->tuple.mask;
	uint32_t best = UINT32_MAX, nearest = UINT32_MAX, distance;
	enum pairing_evidence evidence, best_evidence = PAIRED_ADDRESS;
	const struct key_entry *e;

	for (int n = 0; n < CANDIDATES_MAX && (e = keymap_next(&p->tuple, key, &at)); n++) {
		uint32_t c = e->conversation - 1;
		struct member *other = first_member(p, c);

		if (c == best || has_vantage(p, c, m->vantage) || !same_tuple(f, member_flow(p->net, other)))
			continue;
		orient(p, m, other);
		if (f->key.protocol != 6) {
			join_conversation(p, c, member, PAIRED_HASH);
			return true;
		}
		distance = tuple_distance(p, m, other, &evidence);
		if (evidence == PAIRED_PROXY && used_once(p, m) && used_once(p, other)) {
			p->all->list[c].pairing = PAIRED_PROXY;
			m->proxy = true;
		}
		if (distance >= nearest)
			continue;
		nearest = distance;
		best = c;
		best_evidence = evidence;
	}
	if (best == UINT32_MAX || is_refused(p, m, best))
		return false;
	m->proxy = false;
	join_conversation(p, best, member, best_evidence);
	return true;
}

/* Visits the anchors of a flow: segments whose content picks them, so that both sides pick the same. */
struct anchor {
	uint64_t key;
	uint32_t seq;
	enum direction direction;
};

static int collect_anchors(const struct pairer *p, const struct member *m, struct anchor *ret)
{
	bool tcp = member_flow(p->net, m)->key.protocol == 6;
	struct segment_walk walk = walk_flow(p->net, m);
	const struct segment *s;
	int n = 0;

	while (n < ANCHORS_MAX && (s = walk_any(&walk))) {
		uint64_t key;

		if (!s->hash || s->length < 8)
			continue;
		key = mix((uint64_t)s->hash << 32 | s->length, tcp ? s->tsval : s->ip_id);
		/* Datagram flows are short: take each of theirs. */
		if (tcp && (key & ANCHOR_MASK))
			continue;
		ret[n++] = (struct anchor){.key = key, .seq = s->seq, .direction = segment_direction(m, s)};
	}
	return n;
}

static void publish_anchors(struct pairer *p, uint32_t member)
{
	struct member *m = &p->all->members[member];
	struct anchor anchors[ANCHORS_MAX];
	int n = collect_anchors(p, m, anchors);

	for (int i = 0; i < n; i++)
		keymap_put(&p->anchors, anchors[i].key, member_flow(p->net, m)->joined, anchors[i].seq);
}

struct vote {
	uint32_t conversation, agreeing;
	uint32_t delta[2];
	bool has_delta[2];
};

static void count_vote(struct vote *votes, int *count, const struct anchor *a, const struct key_entry *e)
{
	struct vote *v = NULL;
	uint32_t delta = a->seq - e->extra;

	for (int i = 0; i < *count; i++)
		if (votes[i].conversation == e->conversation - 1)
			v = &votes[i];
	if (!v) {
		if (*count == 16)
			return;
		v = &votes[(*count)++];
		*v = (struct vote){.conversation = e->conversation - 1};
	}
	if (!v->has_delta[a->direction]) {
		v->has_delta[a->direction] = true;
		v->delta[a->direction] = delta;
	}
	v->agreeing += v->delta[a->direction] == delta;
}

/* Round 4: addresses were rewritten and no SYN was captured: what the segments carry decides. */
static bool pair_by_content(struct pairer *p, uint32_t member)
{
	struct member *m = &p->all->members[member];
	struct anchor anchors[ANCHORS_MAX];
	struct vote votes[16], *best = NULL;
	int count = 0, n = collect_anchors(p, m, anchors);
	bool tie = false;

	for (int i = 0; i < n; i++) {
		uint64_t at = anchors[i].key & p->anchors.mask;
		const struct key_entry *e;

		for (int k = 0; k < CANDIDATES_MAX && (e = keymap_next(&p->anchors, anchors[i].key, &at)); k++)
			if (!has_vantage(p, e->conversation - 1, m->vantage))
				count_vote(votes, &count, &anchors[i], e);
	}
	for (int i = 0; i < count; i++) {
		tie = best ? (votes[i].agreeing == best->agreeing || (tie && votes[i].agreeing < best->agreeing))
			   : false;
		if (!best || votes[i].agreeing > best->agreeing)
			best = &votes[i];
	}
	if (!best || best->agreeing < ANCHORS_NEEDED)
		return false;
	if (tie) {
		m->ambiguous = true;
		return false;
	}
	join_conversation(p, best->conversation, member, PAIRED_CONTENT);
	for (int d = 0; d < 2; d++)
		if (best->has_delta[d])
			m->delta[d] = best->delta[d];
	return true;
}

/* Returns how many of them are answers without question. */
static uint32_t make_members(struct pairer *p, uint32_t vantage)
{
	struct vantage *v = &p->net->vantages[vantage];
	uint32_t answers_seen = 0;
	bool known, answer;

	for (uint32_t i = 0; i < v->flows.count; i++) {
		struct member *m = &p->all->members[p->all->member_count++];

		*m = (struct member){.vantage = vantage, .flow = i, .next = MEMBER_NONE,
			.client_is_b = client_is_b(flowtab_at(&v->flows, i), &known)};
		answers_seen += is_half(p, m, &answer) && answer;
	}
	return answers_seen;
}

static bool is_open(const struct pairer *p, uint32_t member)
{
	return member_flow(p->net, &p->all->members[member])->joined == FLOW_NONE;
}

/* Initial sequence numbers of the conversations that this vantage point is not part of yet. */
static void index_isns(struct pairer *p, uint32_t vantage)
{
	free(p->isn.entries);
	p->isn = (struct keymap){0};
	for (uint32_t c = 0; c < p->all->count; c++)
		if (!has_vantage(p, c, vantage))
			publish_isn(p, c, first_member(p, c));
}

/* Anchors of conversations that nothing has joined yet, before a vantage point that may need them. */
static void index_anchors(struct pairer *p, uint32_t vantage)
{
	free(p->anchors.entries);
	p->anchors = (struct keymap){0};
	for (uint32_t c = 0; c < p->all->count; c++)
		if (!has_vantage(p, c, vantage))
			publish_anchors(p, p->all->list[c].first_member);
}

/*
 * From or to the unspecified address: every host sends such datagrams on its own link (DHCP, duplicate
 * address detection), and they look alike.
 */
static bool is_anonymous(const struct pairer *p, uint32_t member)
{
	static const uint8_t v4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, v6[16];
	const struct flow_key *k = &member_flow(p->net, &p->all->members[member])->key;

	return memcmp(k->a, v4, 16) == 0 || memcmp(k->a, v6, 16) == 0 || memcmp(k->b, v4, 16) == 0 ||
		memcmp(k->b, v6, 16) == 0;
}

/* No translator touches what stays on its link; much of it looks alike everywhere. */
static bool stays_on_link(const struct pairer *p, uint32_t member)
{
	const struct flow_key *k = &member_flow(p->net, &p->all->members[member])->key;

	return is_anonymous(p, member) || ip_is_link_local(k->a) || ip_is_link_local(k->b) ||
		ip_is_link_group(k->a) || ip_is_link_group(k->b);
}

/* Members are taken in groups: maps, lists and flows of many connections are in no cache, and waits overlap. */
#define GROUP 32

/* The place in the map that a member's 5-tuple has, where nothing is in the way. */
static const struct key_entry *likely_entry(const struct pairer *p, uint32_t member)
{
	uint64_t key = key_tuple(member_flow(p->net, &p->all->members[member]));

	return &p->tuple.entries[key & p->tuple.mask];
}

static void bring_near(const struct pairer *p, uint32_t begin, uint32_t end)
{
	const struct key_entry *entries[GROUP];
	uint32_t n = end - begin < GROUP ? end - begin : GROUP;

	for (uint32_t i = 0; i < n; i++) {
		entries[i] = likely_entry(p, begin + i);
		near_line(entries[i]);
	}
	for (uint32_t i = 0; i < n; i++)
		if (entries[i]->conversation)
			near_line(&p->all->list[entries[i]->conversation - 1]);
	for (uint32_t i = 0; i < n; i++)
		if (entries[i]->conversation)
			near_to_read(member_flow(p->net, first_member(p, entries[i]->conversation - 1)), sizeof(struct flow));
}

/* Pairs one vantage point's flows with the conversations of earlier ones. */
static void pair_with_earlier(struct pairer *p, uint32_t vantage, uint32_t first, uint32_t end)
{
	uint32_t open = 0;

	for (uint32_t i = first; i < end; i++) {
		if ((i - first) % GROUP == 0)
			bring_near(p, i, end);
		if (member_flow(p->net, &p->all->members[i])->key.protocol != 6 || !pair_plainly(p, i))
			open++;
	}
	if (!open)
		return;
	index_isns(p, vantage);
	for (uint32_t i = first; i < end; i++)
		if (is_open(p, i) && member_flow(p->net, &p->all->members[i])->key.protocol == 6)
			(void)pair_by_isn(p, i);
	for (uint32_t i = first; i < end; i++)
		if (is_open(p, i) && !is_anonymous(p, i))
			(void)pair_by_tuple(p, i);
	open = 0;
	for (uint32_t i = first; i < end; i++)
		open += is_open(p, i);
	if (open)
		index_anchors(p, vantage);
	for (uint32_t i = first; i < end; i++)
		if (is_open(p, i) && !stays_on_link(p, i))
			(void)pair_by_content(p, i);
}

static void start_alone(struct pairer *p, uint32_t member)
{
	const struct member *m = &p->all->members[member];

	start_conversation(p, member);
	if (m->proxy)
		p->all->list[p->all->count - 1].pairing = PAIRED_PROXY;
	if (m->ambiguous)
		p->all->list[p->all->count - 1].pairing = PAIRED_AMBIGUOUS;
}

static void pair_vantage(struct pairer *p, uint32_t vantage)
{
	uint32_t first = p->all->member_count, answers_seen = make_members(p, vantage), end = p->all->member_count;

	if (answers_seen)
		mark_untranslated(p, first, end);
	if (vantage)
		pair_with_earlier(p, vantage, first, end);
	for (uint32_t i = first; i < end; i++) {
		if (!vantage && (i - first) % GROUP == 0)
			bring_near(p, i, end);
		if (is_open(p, i))
			start_alone(p, i);
	}
}

void pair_flows(struct network *net, struct conversations *ret)
{
	struct pairer p = {.net = net, .all = ret};
	size_t flows = 0, most = 0;

	*ret = (struct conversations){0};
	for (uint32_t v = 0; v < net->vantage_count; v++) {
		flows += net->vantages[v].flows.count;
		most = net->vantages[v].flows.count > most ? net->vantages[v].flows.count : most;
	}
	ret->members = mem_array(flows, sizeof(*ret->members));
	/* Most flows are seen everywhere. */
	keymap_reserve(&p.tuple, most);
	for (uint32_t v = 0; v < net->vantage_count; v++)
		pair_vantage(&p, v);
	free(p.isn.entries);
	free(p.tuple.entries);
	free(p.anchors.entries);
}

void conversations_release(struct conversations *c)
{
	free(c->list);
	free(c->members);
	*c = (struct conversations){0};
}
