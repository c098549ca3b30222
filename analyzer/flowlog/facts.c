#include "flowlog/facts.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "flowlog/facts_impl.h"

bool facts_is_v4(const uint8_t *address)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(address, prefix, 12);
}

/* Which side of the ENI a record is of: TUPLE_INGRESS, TUPLE_EGRESS or 0. */
static unsigned facts_side_of(const struct flowlog_interface *i, const struct tuple *t)
{
	unsigned said = t->bits & (TUPLE_INGRESS | TUPLE_EGRESS);
	const uint8_t *own;

	if (said)
		return said;
	own = flowlog_interface_own(i, !facts_is_v4(t->src));
	if (!own)
		return 0;
	if (!memcmp(own, t->dst, 16))
		return TUPLE_INGRESS;
	return memcmp(own, t->src, 16) ? 0 : TUPLE_EGRESS;
}

static int facts_compare_ends(const struct tuple *t)
{
	int c = memcmp(t->src, t->dst, 16);

	return c ? c : (int)t->src_port - (int)t->dst_port;
}

/* 1 when the record runs from the higher end to the lower one; ends are ordered by address and
 * port. */
unsigned facts_direction_of(const struct tuple *t)
{
	return facts_compare_ends(t) > 0;
}

static void facts_tuple_key(const struct tuple *t, struct conversation_key *ret)
{
	bool down = facts_direction_of(t);

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->low, down ? t->dst : t->src, 16);
	memcpy(ret->high, down ? t->src : t->dst, 16);
	ret->low_port = down ? t->dst_port : t->src_port;
	ret->high_port = down ? t->src_port : t->dst_port;
	ret->protocol = t->protocol;
}

/* SKIPDATA of an ENI that overlaps a span. */
bool facts_skipped(
	const struct flowlog_facts_input *in, uint32_t vantage, int64_t from_s, int64_t to_s)
{
	size_t low = 0, high = in->skip_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (in->skips[middle].vantage < vantage)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < in->skip_count && in->skips[low].vantage == vantage; low++)
		if (in->skips[low].from_s <= to_s && in->skips[low].to_s >= from_s)
			return true;
	return false;
}

static void facts_keep_first(const struct tuple **kept, const struct tuple *t)
{
	if (!*kept || t->file < (*kept)->file ||
		(t->file == (*kept)->file && t->line < (*kept)->line))
		*kept = t;
}

static uint32_t facts_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t facts_most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void facts_half_add(struct half *h, const struct tuple *t, unsigned side)
{
	h->first_s = facts_least(h->first_s, t->start_s);
	h->last_s = facts_most(h->last_s, t->end_s);
	h->side |= side;
	h->client |= (t->bits & (TUPLE_CLIENT_KNOWN | TUPLE_FROM_SERVER)) == TUPLE_CLIENT_KNOWN;
	h->server |= (t->bits & TUPLE_FROM_SERVER) != 0;
	if (t->flags != TUPLE_NO_FLAGS) {
		h->flags = (h->flags == TUPLE_NO_FLAGS ? 0 : h->flags) | t->flags;
		h->syn |= (t->flags & 18) == 2;
		h->syn_ack |= (t->flags & 18) == 18;
	}
	if (t->bits & TUPLE_REJECTED) {
		h->rejected_records++;
		h->rejected_packets += t->packets;
		h->rejected_first_s = facts_least(h->rejected_first_s, t->start_s);
		h->rejected_last_s = facts_most(h->rejected_last_s, t->end_s);
		facts_keep_first(&h->rejected, t);
		return;
	}
	h->records++;
	h->packets += t->packets;
	h->bytes += t->bytes;
	h->counted |= !(t->bits & TUPLE_BEGINS);
	h->accepted_first_s = facts_least(h->accepted_first_s, t->start_s);
	facts_keep_first(&h->accepted, t);
}

/* Ports below this are given to services; a sender that has one answers. */
#define SERVICE_PORTS 1024

/* Only rejects, and of one side: its sender asked, unless it answers from a service's port. */
static bool facts_rejected_client(
	const struct half h[2], uint16_t low_port, uint16_t high_port, unsigned *ret)
{
	uint16_t from, to;

	if (h[0].records || h[1].records || !h[0].rejected_records == !h[1].rejected_records)
		return false;
	*ret = h[1].rejected_records > 0;
	from = *ret ? high_port : low_port;
	to = *ret ? low_port : high_port;
	if (from && from < SERVICE_PORTS && to >= SERVICE_PORTS)
		*ret = !*ret;
	return true;
}

/* Which half is the client's, and whether that is a guess. Ports come last. */
static unsigned facts_client_half(const struct half h[2], const struct tuple *t, bool *ret_guessed)
{
	uint16_t low_port = facts_direction_of(t) ? t->dst_port : t->src_port;
	uint16_t high_port = facts_direction_of(t) ? t->src_port : t->dst_port;
	unsigned client;

	*ret_guessed = false;
	if (h[0].client || h[1].server)
		return 0;
	if (h[1].client || h[0].server)
		return 1;
	if (h[0].syn != h[1].syn)
		return h[1].syn;
	if (h[0].syn_ack != h[1].syn_ack)
		return h[0].syn_ack;
	*ret_guessed = true;
	if (facts_rejected_client(h, low_port, high_port, &client))
		return client;
	if (low_port != high_port)
		return low_port < high_port; /* half 0 is sent by the low end */
	/* No ports, or the same on both sides: who was recorded first. */
	return h[1].first_s < h[0].first_s;
}

static bool facts_only_closing(const struct half *h)
{
	return h->flags != TUPLE_NO_FLAGS && h->flags && !(h->flags & ~5u);
}

/* What kind of silence: nothing from the other side although the client's packets were accepted. */
enum silence { ANSWERED, UNANSWERED, REPLY_REJECTED, VOID };

static enum silence facts_silence_of(const struct worker *w, const struct flowlog_interface *i,
	const struct half *c2s, const struct half *s2c)
{
	int64_t interval_s = i->interval_ns / NSEC_PER_SEC;

	if (!c2s->records || s2c->records || i->sampled || !c2s->counted)
		return ANSWERED;
	if (s2c->rejected_records)
		return REPLY_REJECTED;
	/* FIN or RST alone is the rest of a conversation from before the log. */
	if (facts_only_closing(c2s))
		return ANSWERED;
	if (facts_skipped(w->in, (uint32_t)i->vantage_id, c2s->first_s,
		    c2s->last_s + interval_s + WINDOW_DELAY_S))
		return VOID;
	return UNANSWERED;
}

static void facts_pair_key_of(const struct flowlog_interface *i, const struct tuple *t,
	unsigned client, bool guessed, const struct half h[2], struct pair_key *ret)
{
	struct conversation_key k;
	const struct half *c2s = &h[client], *s2c = &h[!client];

	facts_tuple_key(t, &k);
	memset(ret, 0, sizeof(*ret));
	ret->vantage = (uint32_t)i->vantage_id;
	memcpy(ret->client, client ? k.high : k.low, 16);
	memcpy(ret->server, client ? k.low : k.high, 16);
	ret->port = client ? k.low_port : k.high_port;
	ret->has_port = (t->bits & TUPLE_PORTS) != 0;
	ret->protocol = t->protocol;
	ret->protocol_none = t->protocol_none;
	ret->guessed = guessed;
	if (c2s->side == TUPLE_INGRESS || s2c->side == TUPLE_EGRESS)
		ret->own = PAIR_OWN_SERVER;
	else if (c2s->side == TUPLE_EGRESS || s2c->side == TUPLE_INGRESS)
		ret->own = PAIR_OWN_CLIENT;
}

static void facts_proof_min(struct proof *p, const struct tuple *t)
{
	if (t && (!p->file || t->file < p->file || (t->file == p->file && t->line < p->line)))
		*p = (struct proof){t->file, t->line};
}

static void facts_add_source(struct worker *w, const struct pair_key *k, const struct half *c2s,
	uint64_t records, uint64_t packets, const struct tuple *t)
{
	struct source_sum *s;
	bool is_new;

	s = sums_get(&w->sources, k->client, &is_new);
	if (!s) {
		w->left_out[3]++;
		return;
	}
	if (is_new)
		s->first_s = UINT32_MAX;
	s->records += records;
	s->packets += packets;
	s->hosts |= UINT64_C(1) << (XXH3_64bits(k->server, 16) & 63);
	if (k->has_port) {
		unsigned bit = (unsigned)(XXH3_64bits(&k->port, 2) & 255);

		s->ports[bit / 64] |= UINT64_C(1) << (bit & 63);
	}
	s->first_s = facts_least(s->first_s, c2s->first_s);
	s->last_s = facts_most(s->last_s, c2s->last_s);
	facts_proof_min(&s->proof, t);
}

/* Adds the conversation of one 5-tuple at one ENI to its pair. */
static void facts_add_pair(struct worker *w, const struct flowlog_interface *i,
	const struct tuple *t, const struct half h[2], unsigned client, bool guessed)
{
	bool is_new;
	const struct half *c2s = &h[client], *s2c = &h[!client];
	enum silence silence = facts_silence_of(w, i, c2s, s2c);
	int64_t last_s = i->last_ns / NSEC_PER_SEC;
	struct pair_key key;
	struct pair *p;

	facts_pair_key_of(i, t, client, guessed, h, &key);
	p = sums_get(&w->pairs, &key, &is_new);
	if (is_new)
		pair_init(p);
	p->flows++;
	p->records[0] += c2s->records;
	p->records[1] += s2c->records;
	p->packets[0] += c2s->packets;
	p->packets[1] += s2c->packets;
	p->bytes[0] += c2s->bytes;
	p->bytes[1] += s2c->bytes;
	p->rejected_records[0] += c2s->rejected_records;
	p->rejected_records[1] += s2c->rejected_records;
	p->rejected_packets[0] += c2s->rejected_packets;
	p->rejected_packets[1] += s2c->rejected_packets;
	p->rejected_flows += c2s->rejected_records &&
			     (!c2s->records || c2s->rejected_first_s < c2s->accepted_first_s);
	p->rejected_flows +=
		!c2s->rejected_records && s2c->rejected_records && !s2c->records && !c2s->records;
	p->reply_rejected += silence == REPLY_REJECTED;
	p->void_flows += silence == VOID;
	p->first_s = facts_least(p->first_s, facts_least(c2s->first_s, s2c->first_s));
	p->last_s = facts_most(p->last_s, facts_most(c2s->last_s, s2c->last_s));
	p->rejected_first_s = facts_least(
		p->rejected_first_s, facts_least(c2s->rejected_first_s, s2c->rejected_first_s));
	p->rejected_last_s = facts_most(
		p->rejected_last_s, facts_most(c2s->rejected_last_s, s2c->rejected_last_s));
	facts_proof_min(&p->rejected, c2s->rejected);
	facts_proof_min(&p->rejected, s2c->rejected);
	if (c2s->rejected_records && !c2s->records)
		facts_add_source(
			w, &key, c2s, c2s->rejected_records, c2s->rejected_packets, c2s->rejected);
	if (silence != UNANSWERED)
		return;
	facts_add_source(w, &key, c2s, c2s->records, c2s->packets, c2s->accepted);
	p->unanswered_flows++;
	p->unanswered_records += c2s->records;
	p->unanswered_packets += c2s->packets;
	p->unanswered_syn += c2s->syn;
	p->edge_flows += (int64_t)c2s->last_s + w->in->edge_s > last_s;
	p->unanswered_first_s = facts_least(p->unanswered_first_s, c2s->accepted_first_s);
	p->unanswered_last_s = facts_most(p->unanswered_last_s, c2s->last_s);
	facts_proof_min(&p->unanswered, c2s->accepted);
}

/* The minutes that a window touches, 16 at most (an aggregation interval is 10 minutes at most). */
static void facts_add_minutes(struct worker *w, const struct tuple *t, unsigned side)
{
	uint32_t first = t->start_s / 60, last = t->end_s / 60;

	if (last - first > 15)
		last = first + 15;
	for (uint32_t minute = first; minute <= last; minute++) {
		struct window_key key = {t->vantage, minute};
		bool is_new;
		struct window *m;

		m = sums_get(&w->windows, &key, &is_new);
		if (!m) {
			w->left_out[0]++;
			return;
		}
		if (t->bits & TUPLE_REJECTED) {
			m->rejected++;
		} else if (side == TUPLE_INGRESS) {
			m->in_records++;
			m->in_packets += minute == first ? t->packets : 0;
		} else if (side == TUPLE_EGRESS) {
			m->out_records++;
			m->out_packets += minute == first ? t->packets : 0;
		}
	}
}

/* What the ENI accepted for its host, in windows that the host's capture covers whole. */
static void facts_add_delivery(struct worker *w, const struct tuple *t)
{
	const struct flowlog_facts_input *in = w->in;
	int64_t from = ((int64_t)t->start_s - WINDOW_DELAY_S - in->clock_s) * NSEC_PER_SEC;
	int64_t to = ((int64_t)t->end_s + in->clock_s) * NSEC_PER_SEC;
	struct delivery_key key;
	struct delivery *d;
	bool is_new, covered = false;

	for (size_t i = 0; i < in->span_count && !covered; i++)
		covered = in->spans[i].vantage_id == t->vantage && in->spans[i].from_ns <= from &&
			  in->spans[i].to_ns >= to;
	if (!covered)
		return;
	memset(&key, 0, sizeof(key));
	key.vantage = t->vantage;
	memcpy(key.src, t->src, 16);
	memcpy(key.dst, t->dst, 16);
	key.src_port = t->src_port;
	key.dst_port = t->dst_port;
	key.protocol = t->protocol;
	key.protocol_none = t->protocol_none;
	key.has_port = (t->bits & TUPLE_PORTS) != 0;
	d = sums_get(&w->deliveries, &key, &is_new);
	if (!d) {
		w->left_out[2]++;
		return;
	}
	if (is_new)
		d->first_s = UINT32_MAX;
	d->records++;
	d->packets += t->packets;
	d->bytes += t->bytes;
	d->first_s = facts_least(d->first_s, t->start_s);
	d->last_s = facts_most(d->last_s, t->end_s);
	facts_proof_min(&d->proof, t);
}

/* The records of one 5-tuple at one ENI, in order of start. */
static void facts_sum_place(struct worker *w, struct at_place *p)
{
	const struct flowlog_interface *i = p->interface;

	for (unsigned d = 0; d < 2; d++)
		p->half[d] = (struct half){.first_s = UINT32_MAX,
			.accepted_first_s = UINT32_MAX,
			.rejected_first_s = UINT32_MAX,
			.flags = TUPLE_NO_FLAGS};
	for (size_t k = 0; k < p->count; k++) {
		const struct tuple *t = p->list[k];
		unsigned side = facts_side_of(i, t);

		facts_half_add(&p->half[facts_direction_of(t)], t, side);
		if (side && !i->sampled)
			facts_add_minutes(w, t, side);
		if (side == TUPLE_INGRESS && !(t->bits & TUPLE_REJECTED) && w->in->span_count)
			facts_add_delivery(w, t);
	}
}

/* A log must cover a span with a margin, and lose nothing there. */
bool facts_covers(
	const struct worker *w, const struct flowlog_interface *i, int64_t from_s, int64_t to_s)
{
	int64_t margin = i->interval_ns / NSEC_PER_SEC + WINDOW_DELAY_S;
	int64_t first = i->first_ns / NSEC_PER_SEC, last = i->last_ns / NSEC_PER_SEC;

	return i->first_ns != FLOWLOG_NONE && from_s - margin >= first && to_s + margin <= last &&
	       !facts_skipped(w->in, (uint32_t)i->vantage_id, from_s - margin, to_s + margin);
}

static struct loss *facts_loss_of(struct worker *w, const struct flowlog_interface *from,
	const struct flowlog_interface *to, const struct tuple *t)
{
	struct loss_key key;
	struct loss *l;
	bool is_new;

	memset(&key, 0, sizeof(key));
	key.from = (uint32_t)from->vantage_id;
	key.to = (uint32_t)to->vantage_id;
	memcpy(key.src, t->src, 16);
	memcpy(key.dst, t->dst, 16);
	l = sums_get(&w->losses, &key, &is_new);
	if (l && is_new)
		l->first_s = UINT32_MAX;
	return l;
}

/*
 * Whether both logs tell how many packets of a direction were lost. Where one has more records than
 * the other, some are late or there twice. What is answered came in, under whatever address.
 */
static bool facts_loss_is_known(const struct worker *w, const struct flowlog_interface *from,
	const struct flowlog_interface *to, const struct half *sent, const struct half *arrived,
	bool answered)
{
	if (!facts_covers(w, from, sent->first_s, sent->last_s) ||
		!facts_covers(w, to, sent->first_s, sent->last_s))
		return false;
	if (!arrived || !(arrived->records || arrived->rejected_records))
		return !answered;
	return sent->records == arrived->records + arrived->rejected_records;
}

/* What one direction of a 5-tuple shows at the sender's and at the receiver's ENI. */
static void facts_add_loss(struct worker *w, const struct flowlog_interface *from,
	const struct flowlog_interface *to, const struct half *sent, const struct half *arrived,
	bool answered)
{
	uint64_t came = arrived ? arrived->packets + arrived->rejected_packets : 0;
	struct loss *l = facts_loss_of(w, from, to, sent->accepted);

	if (!l) {
		w->left_out[1]++;
		return;
	}
	if (!facts_loss_is_known(w, from, to, sent, arrived, answered)) {
		l->unjudged += sent->packets;
		return;
	}
	l->flows++;
	l->sent += sent->packets;
	l->arrived += arrived ? arrived->packets : 0;
	l->rejected += arrived ? arrived->rejected_packets : 0;
	if (sent->packets <= came)
		return;
	l->flows_missing += came == 0;
	l->flows_short += came > 0;
	l->missing += sent->packets - came;
	l->first_s = facts_least(l->first_s, sent->first_s);
	l->last_s = facts_most(l->last_s, sent->last_s);
	facts_proof_min(&l->proof, sent->accepted);
}

/* The ENI that owns an address, other than one. */
const struct flowlog_interface *facts_owner_of(
	const struct worker *w, const uint8_t *address, uint32_t not_this)
{
	struct owner *o = w->owners;
	size_t mask = w->owner_slots - 1, at = XXH3_64bits(address, 16) & mask;

	for (; o[at].used; at = (at + 1) & mask)
		if (!memcmp(o[at].address, address, 16) && o[at].vantage != not_this)
			return flowlog_interface_by_id(
				(struct flowlog_interfaces *)w->in->interfaces, o[at].vantage);
	return NULL;
}

bool facts_owns(const struct flowlog_interface *i, const uint8_t *address)
{
	const uint8_t *own = flowlog_interface_own(i, !facts_is_v4(address));

	return own && !memcmp(own, address, 16);
}

/*
 * The ENI on one side of the way in direction d. Of several (a gateway's ENIs on the way) the one
 * that owns the address of that end; without such a one none, because which is next is not known.
 */
static const struct at_place *facts_place_on(
	const struct at_place *places, size_t n, unsigned d, unsigned side)
{
	const struct at_place *only = NULL, *end = NULL;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		const struct half *h = &places[i].half[d];
		const struct tuple *t = h->accepted ? h->accepted : h->rejected;

		if (h->side != side || !t || places[i].interface->transit)
			continue;
		count++;
		only = &places[i];
		if (facts_owns(only->interface, side == TUPLE_EGRESS ? t->src : t->dst))
			end = only;
	}
	return count == 1 ? only : end;
}

/* For each direction: the ENI it left, and the one it came in at or should have. */
static void facts_join_places(struct worker *w, const struct at_place *places, size_t n)
{
	assert(n <= PLACES);
	for (unsigned d = 0; d < 2; d++) {
		const struct at_place *from = facts_place_on(places, n, d, TUPLE_EGRESS);
		const struct at_place *to = facts_place_on(places, n, d, TUPLE_INGRESS);
		const struct flowlog_interface *expected;

		if (!from || !from->half[d].records || from->interface->sampled ||
			!from->half[d].counted)
			continue;
		expected = to ? to->interface
			      : facts_owner_of(w, from->half[d].accepted->dst,
					(uint32_t)from->interface->vantage_id);
		if (!expected || expected->sampled || expected == from->interface)
			continue;
		facts_add_loss(w, from->interface, expected, &from->half[d],
			to ? &to->half[d] : NULL, from->half[!d].records > 0);
	}
}

static int facts_by_place_and_start(const void *a, const void *b)
{
	const struct tuple *x = *(struct tuple *const *)a, *y = *(struct tuple *const *)b;

	if (x->vantage != y->vantage)
		return x->vantage < y->vantage ? -1 : 1;
	if (x->start_s != y->start_s)
		return x->start_s < y->start_s ? -1 : 1;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Mostly two to a few records, often in order already. */
static void facts_sort_list(struct tuple **list, size_t n)
{
	bool ordered = true;

	for (size_t i = 1; i < n && ordered; i++)
		ordered = facts_by_place_and_start(&list[i - 1], &list[i]) <= 0;
	if (!ordered)
		qsort(list, n, sizeof(*list), facts_by_place_and_start);
}

/* What all places together show of one direction. */
static void facts_merge_half(struct half *to, const struct half *h)
{
	to->records += h->records;
	to->rejected_records += h->rejected_records;
	to->first_s = facts_least(to->first_s, h->first_s);
	to->syn |= h->syn;
	to->syn_ack |= h->syn_ack;
	to->client |= h->client;
	to->server |= h->server;
}

/* Each place adds its view of the conversation, with one client for all. */
static void facts_one_conversation(
	struct worker *w, const struct at_place *places, size_t n, const struct tuple *t)
{
	struct half h[2] = {{.first_s = UINT32_MAX}, {.first_s = UINT32_MAX}};
	bool guessed;
	unsigned client;

	for (size_t i = 0; i < n; i++)
		for (unsigned d = 0; d < 2; d++)
			facts_merge_half(&h[d], &places[i].half[d]);
	client = facts_client_half(h, t, &guessed);
	for (size_t i = 0; i < n; i++)
		facts_add_pair(
			w, places[i].interface, places[i].list[0], places[i].half, client, guessed);
	outcomes_add(w, places, n, client);
}

/* All records of one 5-tuple, of all ENIs. Places beyond PLACES are not put together. */
static void facts_one_tuple(struct worker *w, struct tuple **list, size_t n)
{
	struct at_place places[PLACES];
	size_t count = 0, sets = 0, from = 0, to;

	assert(n);
	facts_sort_list(list, n);
	do {
		for (to = from + 1; to < n && list[to]->vantage == list[from]->vantage;)
			to++;
		if (count == PLACES) {
			facts_one_conversation(w, places, count, list[0]);
			count = 0;
			sets++;
		}
		places[count].interface = flowlog_interface_by_id(
			(struct flowlog_interfaces *)w->in->interfaces, list[from]->vantage);
		places[count].list = list + from;
		places[count].count = to - from;
		facts_sum_place(w, &places[count++]);
		from = to;
	} while (from < n);
	facts_one_conversation(w, places, count, list[0]);
	if (!sets)
		facts_join_places(w, places, count);
}

/* The flow log a record is of covers an ENI that a larger one covers too. */
static bool facts_left_out(const struct worker *w, const struct tuple *t)
{
	const struct flowlog_interface *i =
		flowlog_interface_by_id((struct flowlog_interfaces *)w->in->interfaces, t->vantage);
	uint32_t source = t->file <= w->in->file_count ? w->in->file_source[t->file] : 0;

	if (!i)
		return true;
	if (i->source_count < 2)
		return false;
	for (unsigned k = 0; k < i->source_count; k++)
		if (i->sources[k].id == source)
			return i->sources[k].left_out;
	return false;
}

/* Groups the records of a bucket by 5-tuple with chains, and takes each group. */
static void facts_one_bucket(struct worker *w, struct tuple *tuples, size_t n)
{
	size_t slots = 64;

	while (slots < 2 * n)
		slots *= 2;
	uint32_t *heads = mem_array(slots, sizeof(*heads));
	uint32_t *next = mem_alloc((n + 1) * sizeof(*next));
	uint32_t *tails = mem_alloc((n + 1) * sizeof(*tails));
	struct tuple **list = mem_alloc((n + 1) * sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		struct conversation_key k, other;
		size_t at;

		if (facts_left_out(w, &tuples[i]))
			continue;
		facts_tuple_key(&tuples[i], &k);
		next[i + 1] = 0;
		for (at = XXH3_64bits(&k, sizeof(k)) & (slots - 1); heads[at];
			at = (at + 1) & (slots - 1)) {
			facts_tuple_key(&tuples[heads[at] - 1], &other);
			if (!memcmp(&k, &other, sizeof(k)))
				break;
		}
		if (heads[at])
			next[tails[heads[at]]] = (uint32_t)i + 1;
		else
			heads[at] = (uint32_t)i + 1;
		tails[heads[at]] = (uint32_t)i + 1;
	}
	for (size_t at = 0; at < slots; at++) {
		size_t count = 0;

		for (uint32_t i = heads[at]; i; i = next[i])
			list[count++] = &tuples[i - 1];
		if (count)
			facts_one_tuple(w, list, count);
	}
	free(list);
	free(tails);
	free(next);
	free(heads);
}

static int facts_take_bucket(struct worker *w, unsigned bucket)
{
	unsigned parts = flowlog_tuples_parts(w->in->tuples, bucket, w->bucket_max);

	for (unsigned part = 0; part < parts; part++) {
		struct tuple *tuples;
		size_t n;
		int r = flowlog_tuples_load(
			w->in->tuples, bucket, part, parts, &tuples, &n, &w->error);

		if (r < 0)
			return r;
		facts_one_bucket(w, tuples, n);
		free(tuples);
	}
	worker_end_bucket(w);
	return 0;
}

static void *facts_work(void *arg)
{
	struct worker *w = arg;
	unsigned bucket;

	while (!w->result && (bucket = atomic_fetch_add(w->next_bucket, 1)) < TUPLE_BUCKETS)
		w->result = facts_take_bucket(w, bucket);
	return NULL;
}

static void facts_index_owners(struct worker *w)
{
	const struct flowlog_interfaces *f = w->in->interfaces;

	w->owner_slots = 64;
	while (w->owner_slots < 4 * f->count)
		w->owner_slots *= 2;
	w->owners = mem_array(w->owner_slots, sizeof(*w->owners));
	for (size_t i = 0; i < f->count; i++) {
		for (int v6 = 0; v6 < 2; v6++) {
			const uint8_t *own = flowlog_interface_own(&f->list[i], v6);
			size_t at;

			/* What forwards for others is not where packets end. */
			if (!own || f->list[i].transit)
				continue;
			at = XXH3_64bits(own, 16) & (w->owner_slots - 1);
			while (w->owners[at].used)
				at = (at + 1) & (w->owner_slots - 1);
			w->owners[at].used = true;
			w->owners[at].vantage = (uint32_t)f->list[i].vantage_id;
			memcpy(w->owners[at].address, own, 16);
		}
	}
}

int flowlog_facts_store(const struct flowlog_facts_input *in, struct error *err)
{
	enum { MOST = 16 };
	struct worker workers[MOST] = {{0}};
	pthread_t threads[MOST];
	unsigned n = in->threads < 1 ? 1 : in->threads > MOST ? MOST : in->threads, started = 0;
	_Atomic unsigned next_bucket = 0;
	int r = 0;

	for (unsigned i = 0; i < n; i++) {
		worker_init(&workers[i], in, n);
		workers[i].next_bucket = &next_bucket;
		if (i == 0) {
			facts_index_owners(&workers[0]);
		} else {
			workers[i].owners = workers[0].owners;
			workers[i].owner_slots = workers[0].owner_slots;
			/* Without another thread this one does it all. */
			if (pthread_create(&threads[started], NULL, facts_work, &workers[i]) == 0)
				started++;
		}
	}
	(void)facts_work(&workers[0]);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < n; i++) {
		if (workers[i].result < 0 && r == 0) {
			r = workers[i].result;
			if (err)
				*err = workers[i].error;
		}
		if (i)
			worker_merge(&workers[0], &workers[i]);
	}
	assert(r || atomic_load(&next_bucket) >= TUPLE_BUCKETS);
	if (r == 0) {
		worker_add_states(&workers[0]);
		r = worker_write(&workers[0], err);
	}
	free(workers[0].owners);
	for (unsigned i = 0; i < n; i++)
		worker_release(&workers[i]);
	return r;
}
