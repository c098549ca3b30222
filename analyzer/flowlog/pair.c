/* Who asks in a conversation, and its sums by client and service. */
#include <string.h>
#include <xxhash.h>

#include "flowlog/facts_impl.h"

/* Ports below this are given to services; a sender that has one answers. */
#define SERVICE_PORTS 1024
/* NFS: its clients send from ports that only root may use. */
#define NFS_PORT 2049

/* Only rejects, and of one side: its sender asked, unless it answers from a service's port. */
static bool pair_rejected_client(
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

unsigned pair_client_half(const struct half h[2], const struct tuple *t, bool *ret_guessed)
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
	if (pair_rejected_client(h, low_port, high_port, &client))
		return client;
	if ((low_port == NFS_PORT) != (high_port == NFS_PORT))
		return low_port == NFS_PORT; /* half 0 is sent by the low end */
	if (low_port != high_port)
		return low_port < high_port;
	/* No ports, or the same on both sides: who was recorded first. */
	return h[1].first_s < h[0].first_s;
}

static bool pair_only_closing(const struct half *h)
{
	return h->flags != TUPLE_NO_FLAGS && h->flags && !(h->flags & ~5u);
}

/* What kind of silence: nothing from the other side although the client's packets were accepted. */
enum silence { ANSWERED, UNANSWERED, REPLY_REJECTED, VOID };

static enum silence pair_silence_of(const struct worker *w, const struct flowlog_interface *i,
	const struct half *c2s, const struct half *s2c)
{
	int64_t interval_s = flowlog_interface_interval_s(i);

	if (!c2s->records || s2c->records || i->sampled || !c2s->counted)
		return ANSWERED;
	if (s2c->rejected_records)
		return REPLY_REJECTED;
	/* FIN or RST alone is the rest of a conversation from before the log. */
	if (pair_only_closing(c2s))
		return ANSWERED;
	if (facts_skipped(w->in, (uint32_t)i->vantage_id, c2s->first_s,
		    c2s->last_s + interval_s + WINDOW_DELAY_S))
		return VOID;
	return UNANSWERED;
}

static void pair_key_of(const struct flowlog_interface *i, const struct tuple *t, unsigned client,
	bool guessed, const struct half h[2], struct pair_key *ret)
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

static void pair_add_source(struct worker *w, const struct pair_key *k, const struct half *c2s,
	uint64_t records, uint64_t packets, const struct tuple *t)
{
	struct source_sum *s;
	bool is_new;

	s = sums_get(&w->totals[w->stage].sources, k->client, &is_new);
	if (!s) {
		w->totals[w->stage].left_out[3]++;
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
	s->first_s = least(s->first_s, c2s->first_s);
	s->last_s = most(s->last_s, c2s->last_s);
	proof_take(&s->proof, t);
}

void pair_add(struct worker *w, const struct flowlog_interface *i, const struct tuple *t,
	const struct half h[2], unsigned client, bool guessed)
{
	bool is_new;
	const struct half *c2s = &h[client], *s2c = &h[!client];
	enum silence silence = pair_silence_of(w, i, c2s, s2c);
	struct pair_key key;
	struct pair *p;

	pair_key_of(i, t, client, guessed, h, &key);
	p = sums_get(&w->pairs[w->stage], &key, &is_new);
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
	p->first_s = least(p->first_s, least(c2s->first_s, s2c->first_s));
	p->last_s = most(p->last_s, most(c2s->last_s, s2c->last_s));
	p->rejected_first_s =
		least(p->rejected_first_s, least(c2s->rejected_first_s, s2c->rejected_first_s));
	p->rejected_last_s =
		most(p->rejected_last_s, most(c2s->rejected_last_s, s2c->rejected_last_s));
	proof_take(&p->rejected, c2s->rejected);
	proof_take(&p->rejected, s2c->rejected);
	if (c2s->rejected_records && !c2s->records)
		pair_add_source(
			w, &key, c2s, c2s->rejected_records, c2s->rejected_packets, c2s->rejected);
	if (silence != UNANSWERED)
		return;
	pair_add_source(w, &key, c2s, c2s->records, c2s->packets, c2s->accepted);
	p->unanswered_flows++;
	p->unanswered_records += c2s->records;
	p->unanswered_packets += c2s->packets;
	p->unanswered_syn += c2s->syn;
	p->edge_flows += facts_at_edge(w->in, (uint32_t)i->vantage_id, c2s->last_s);
	p->unanswered_first_s = least(p->unanswered_first_s, c2s->accepted_first_s);
	p->unanswered_last_s = most(p->unanswered_last_s, c2s->last_s);
	proof_take(&p->unanswered, c2s->accepted);
}
