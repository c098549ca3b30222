#include "join/match_datagram.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "join/match_merged.h"
#include "join/match_time.h"

/* How far ahead in step the next datagram is searched, and for each of so many misses in a row. */
#define STEP_AHEAD 48
#define STEP_MISSES 64
#define STEP_REACH 16
/* Matched datagrams around one, near enough to tell how long the way took. */
#define NEAR_MATES 64

/* What two records have in common when they are of one datagram. */
enum key_part {
	KEY_ID = 1,
	KEY_CONTENT = 2, /* hash and length */
	KEY_LENGTH = 4,
};

static uint64_t datagram_mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);

	return h ^ h >> 32;
}

static bool datagram_has_content(const struct matcher *m, const struct segment *s)
{
	return s->hash & m->hash_mask || !s->length;
}

/* A payload that was captured in part somewhere is compared by its head. Returns the key of its
 * hashes. */
static uint32_t match_datagram_choose_hash(struct matcher *m, const struct half_flow *l)
{
	uint32_t key = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		const struct segment *s = l->transmissions[i].seg;

		if (s->hash && !(s->hash >> 16))
			m->hash_mask = SEGMENT_HASH_HEAD;
		key = key ? key : segment_hash_key(s);
	}
	return key;
}

/* False where the record lacks a part. */
static bool datagram_key(
	const struct matcher *m, const struct segment *s, unsigned parts, uint64_t *ret)
{
	uint64_t key = 1;

	if ((parts & KEY_ID && s->bits & SEGMENT_NO_ID) ||
		(parts & KEY_CONTENT && !datagram_has_content(m, s)))
		return false;
	if (parts & (KEY_CONTENT | KEY_LENGTH))
		key = datagram_mix((uint64_t)s->length << 32 | s->seq, key);
	if (parts & KEY_CONTENT)
		key = datagram_mix(s->hash & m->hash_mask, key);
	*ret = parts & KEY_ID ? datagram_mix(s->ip_id, key) : key;
	return true;
}

static int match_datagram_by_key_and_place(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

/* Open transmissions by key, those of one key in their order. */
static void datagram_index(
	const struct matcher *m, struct keyed_list *list, const struct half_flow *l, unsigned parts)
{
	bool sorted = true;
	uint64_t key;

	list->count = 0;
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->transmissions[i].state != TRANSMISSION_OPEN ||
			!datagram_key(m, l->transmissions[i].seg, parts, &key))
			continue;
		MEM_RESERVE(list->rows, list->count, list->cap);
		sorted = sorted && (!list->count || list->rows[list->count - 1].key <= key);
		list->rows[list->count++] = (struct keyed){.key = key, .at = i};
	}
	if (!sorted)
		qsort(list->rows, list->count, sizeof(*list->rows),
			match_datagram_by_key_and_place);
}

static uint32_t match_datagram_run_of_key(const struct keyed_list *l, uint32_t at)
{
	uint32_t end = at + 1;

	while (end < l->count && l->rows[end].key == l->rows[at].key)
		end++;
	return end - at;
}

/* The next key that both lists have; false at their end. Begins with a zeroed group. */
static bool match_datagram_next_group(
	const struct keyed_list *s, const struct keyed_list *r, struct group *g)
{
	uint32_t i = g->sent ? (uint32_t)(g->sent - s->rows) + g->sent_count : 0;
	uint32_t k = g->received ? (uint32_t)(g->received - r->rows) + g->received_count : 0;

	assert(i <= s->count && k <= r->count);
	while (i < s->count && k < r->count && s->rows[i].key != r->rows[k].key) {
		if (s->rows[i].key < r->rows[k].key)
			i++;
		else
			k++;
	}
	if (i == s->count || k == r->count)
		return false;
	*g = (struct group){.sent = &s->rows[i],
		.received = &r->rows[k],
		.sent_count = match_datagram_run_of_key(s, i),
		.received_count = match_datagram_run_of_key(r, k)};
	return true;
}

/* How long the nearest matched datagrams took, by the two clocks as they are. */
static bool match_datagram_delay_of_mates(const struct matcher *m, uint32_t sent, int64_t *ret)
{
	for (uint32_t apart = 1; apart <= NEAR_MATES; apart++) {
		uint32_t before = sent - apart, behind = sent + apart, at = TRANSMISSION_NONE;

		if (behind < m->sent->count &&
			m->sent->transmissions[behind].match != TRANSMISSION_NONE)
			at = behind;
		if (before < sent && m->sent->transmissions[before].match != TRANSMISSION_NONE)
			at = before;
		if (at == TRANSMISSION_NONE)
			continue;
		*ret = m->received->transmissions[m->sent->transmissions[at].match].seg->time_ns -
		       m->sent->transmissions[at].seg->time_ns;
		return true;
	}
	*ret = m->delay;
	return m->delay_known;
}

static void match_group_by_time(struct matcher *m, const struct group *g)
{
	int64_t delay = 0;

	/* As many sent as arrived: their order tells. */
	if (g->sent_count == g->received_count ||
		match_datagram_delay_of_mates(m, g->sent[0].at, &delay))
		match_in_time(m, g, delay);
	else
		match_by_rhythm(m, g);
}

/* A round over all that is open. */
static void match_by(struct matcher *m, unsigned parts)
{
	struct group g = {0};

	if (!m->open_sent || !m->open_received)
		return;
	datagram_index(m, &m->keyed_sent, m->sent, parts);
	datagram_index(m, &m->keyed_received, m->received, parts);
	assert(m->keyed_sent.count <= m->open_sent && m->keyed_received.count <= m->open_received);
	while (match_datagram_next_group(&m->keyed_sent, &m->keyed_received, &g))
		match_group_by_time(m, &g);
}

static bool match_datagram_same_in_step(const struct segment *x, const struct segment *y)
{
	return x->length == y->length && x->seq == y->seq && !segment_payload_differs(x, y) &&
	       x->ip_id == y->ip_id;
}

/* How far ahead an arrival is searched: near, and when many in a row were not there ever farther
 * and more seldom. */
static uint32_t match_datagram_step_reach(uint32_t misses)
{
	if (misses < STEP_MISSES)
		return STEP_AHEAD;
	return misses & (misses - 1) ? 0 : misses * STEP_REACH;
}

/* About as long on its way as those before it? */
static bool match_datagram_is_in_time(
	const struct matcher *m, const struct segment *sent, const struct segment *received)
{
	return !m->delay_known ||
	       llabs(received->time_ns - sent->time_ns - m->delay) < NSEC_PER_SEC;
}

/* Both half-flows in their order, which is how nearly all arrive; for identifications that vary,
 * which tell neighbours apart. */
static void match_in_step(struct matcher *m)
{
	const struct transmission *sent = m->sent->transmissions,
				  *received = m->received->transmissions;
	uint32_t i = 0, misses = 0;

	for (uint32_t k = 0; k < m->received->count && i < m->sent->count; k++) {
		uint32_t reach = match_datagram_step_reach(misses),
			 end = m->sent->count - i < reach ? m->sent->count : i + reach, at = i;

		while (at < end && !match_datagram_same_in_step(sent[at].seg, received[k].seg))
			at++;
		/* Far ahead identifications come round again: the index chooses, by time. */
		if (at == end ||
			(misses >= STEP_MISSES &&
				!match_datagram_is_in_time(m, sent[at].seg, received[k].seg))) {
			misses++;
			continue;
		}
		misses = 0;
		matcher_pair(m, at, k);
		m->delay = received[k].seg->time_ns - sent[at].seg->time_ns;
		m->delay_known = true;
		i = at + 1;
	}
}

static bool match_datagram_ids_vary(const struct half_flow *l)
{
	for (uint32_t i = 1; i < l->count; i++)
		if (l->transmissions[i].seg->ip_id != l->transmissions[0].seg->ip_id)
			return true;
	return false;
}

static bool match_datagram_has_ids(const struct half_flow *l)
{
	return !(l->transmissions[0].seg->bits & SEGMENT_NO_ID) &&
	       (l->count < 2 ? l->transmissions[0].seg->ip_id != 0 : match_datagram_ids_vary(l));
}

/* Datagrams of one content that was sent and arrived once: do their identifications agree? */
static void match_datagram_vote_by_content(
	const struct matcher *m, uint32_t *equal, uint32_t *other)
{
	struct group g = {0};

	while (match_datagram_next_group(&m->keyed_sent, &m->keyed_received, &g)) {
		if (g.sent_count != 1 || g.received_count != 1)
			continue;
		if (m->sent->transmissions[g.sent->at].seg->ip_id ==
			m->received->transmissions[g.received->at].seg->ip_id)
			(*equal)++;
		else
			(*other)++;
	}
}

/* Of what arrived, how many have an identification that was sent? */
static uint32_t match_datagram_arrivals_by_id(const struct matcher *m)
{
	struct group g = {0};
	uint32_t n = 0;

	while (match_datagram_next_group(&m->keyed_sent, &m->keyed_received, &g))
		n += g.received_count < g.sent_count ? g.received_count : g.sent_count;
	return n;
}

/* RFC 6864: an atomic datagram's ID means nothing, but most hosts count it up: does it pass? */
static bool match_datagram_ids_pass(struct matcher *m)
{
	uint32_t equal = 0, other = 0;

	datagram_index(m, &m->keyed_sent, m->sent, KEY_CONTENT);
	datagram_index(m, &m->keyed_received, m->received, KEY_CONTENT);
	match_datagram_vote_by_content(m, &equal, &other);
	if (equal + other)
		return equal > other;
	datagram_index(m, &m->keyed_sent, m->sent, KEY_ID);
	datagram_index(m, &m->keyed_received, m->received, KEY_ID);
	return match_datagram_arrivals_by_id(m) * 2 >=
	       (m->received->count < m->sent->count ? m->received->count : m->sent->count);
}

/*
 * Without identifications a datagram that was rewritten on the way is one that was sent and never
 * arrived beside one that arrived and was never sent. Where all of a flow's are so, and as many,
 * that is what happened.
 */
static void match_rewritten(struct matcher *m)
{
	if (m->open_sent == m->open_received && m->open_received * 2 > m->received->count)
		match_by(m, KEY_LENGTH);
}

static void match_hashless(struct matcher *m)
{
	bool sent = false, received = false;

	for (uint32_t i = 0; i < m->sent->count && !sent; i++)
		sent = m->sent->transmissions[i].state == TRANSMISSION_OPEN &&
		       !datagram_has_content(m, m->sent->transmissions[i].seg);
	for (uint32_t i = 0; i < m->received->count && !received; i++)
		received = m->received->transmissions[i].state == TRANSMISSION_OPEN &&
			   !datagram_has_content(m, m->received->transmissions[i].seg);
	if (!sent && !received)
		return;
	match_by(m, KEY_LENGTH);
	match_merged_by_length(m);
}

/* In step by identification, as if it passed; where it does for most there is nothing to learn. */
static bool match_datagram_try_ids(struct matcher *m)
{
	m->delay_known = false;
	m->traits.use_id = match_datagram_has_ids(m->sent) && match_datagram_has_ids(m->received);
	if (!m->traits.use_id)
		return false;
	match_in_step(m);
	if (m->open_received <= m->received->count / 2)
		return true;
	matcher_reopen(m);
	m->traits.use_id = match_datagram_ids_pass(m);
	if (m->traits.use_id)
		match_in_step(m);
	return m->traits.use_id;
}

void match_datagrams(struct matcher *m)
{
	m->hash_mask = UINT32_MAX;
	/* Hashes under different keys, or payload on one side alone, say nothing. */
	if (match_datagram_choose_hash(m, m->sent) != match_datagram_choose_hash(m, m->received))
		m->hash_mask = 0;
	if (match_datagram_try_ids(m)) {
		match_by(m, KEY_ID | KEY_CONTENT);
		match_by(m, KEY_ID | KEY_LENGTH); /* the payload was changed, or not captured */
		match_merged(m);
		match_by(m, KEY_ID); /* and its length */
		return;
	}
	match_by(m, KEY_CONTENT);
	match_merged(m);
	match_hashless(m);
	match_rewritten(m);
}
