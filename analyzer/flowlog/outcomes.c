/* Which requests of a 5-tuple were answered, and where the others ended. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "flowlog/carry.h"
#include "flowlog/facts_impl.h"

/* Middleboxes forget connections after minutes of silence: 240 s and 350 s are usual. */
#define IDLE_S 230

/* A TCP packet without data: 20 + 20, up to 60 with options in its SYN. */
#define SMALL_BYTES 60
#define BARE_BYTES 52

/* The places that decide on a conversation; NULL: none. */
struct ends {
	const struct at_place *client, *server;	  /* their interfaces */
	const struct at_place *only;		  /* where neither is known */
	const struct flowlog_interface *expected; /* owns the server's address */
	unsigned c2s;				  /* direction of the requests */
};

static bool outcomes_is_accepted(const struct tuple *t, unsigned direction)
{
	return facts_direction_of(t) == direction && !(t->bits & TUPLE_REJECTED);
}

/* Places that show the requests on one side of an interface; the one that owns that end's address
 * first. */
static const struct at_place *outcomes_place(const struct at_place *places, size_t n,
	const uint8_t *address, unsigned c2s, unsigned c2s_side)
{
	unsigned s2c_side = c2s_side == TUPLE_EGRESS ? TUPLE_INGRESS : TUPLE_EGRESS;
	const struct at_place *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct half *ask = &places[i].half[c2s], *reply = &places[i].half[!c2s];
		bool asks = ask->records || ask->rejected_records;

		if (asks ? ask->side != c2s_side : reply->side != s2c_side)
			continue;
		if (facts_owns(places[i].interface, address))
			return &places[i];
		if (!found)
			found = &places[i];
	}
	return found;
}

static struct ends outcomes_ends(const struct worker *w, const struct at_place *places, size_t n,
	const struct request_key *k, unsigned c2s)
{
	struct ends e = {.c2s = c2s};

	e.client = outcomes_place(places, n, k->client, c2s, TUPLE_EGRESS);
	e.server = outcomes_place(places, n, k->server, c2s, TUPLE_INGRESS);
	if (!e.client && !e.server)
		e.only = &places[0];
	if (e.client && !e.server)
		e.expected =
			facts_owner_of(w, k->server, (uint32_t)e.client->interface->vantage_id);
	return e;
}

/* The first record of a place that starts at or after a time. */
static size_t outcomes_seek(const struct at_place *p, int64_t start_s)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if ((int64_t)p->list[middle]->start_s < start_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t outcomes_interval_s(const struct at_place *p)
{
	return flowlog_interface_interval_s(p->interface);
}

/* A record at a place, in a direction, that overlaps a span. */
static const struct tuple *outcomes_find(
	const struct at_place *p, unsigned direction, bool rejected, int64_t from_s, int64_t to_s)
{
	for (size_t i = outcomes_seek(p, from_s - outcomes_interval_s(p)); i < p->count; i++) {
		const struct tuple *t = p->list[i];

		if ((int64_t)t->start_s > to_s)
			break;
		if ((int64_t)t->end_s >= from_s && facts_direction_of(t) == direction &&
			!(t->bits & TUPLE_REJECTED) == !rejected)
			return t;
	}
	return NULL;
}

/* When the next request of the same conversation at that place starts. */
static int64_t outcomes_next_start(const struct at_place *p, size_t i)
{
	for (size_t k = i + 1; k < p->count; k++)
		if (facts_direction_of(p->list[k]) == facts_direction_of(p->list[i]) &&
			p->list[k]->start_s > p->list[i]->start_s)
			return p->list[k]->start_s;
	return INT64_MAX;
}

/*
 * The answer to a request at its own place: in a window that overlaps, or in a later one, unless
 * the next request is in that one too.
 */
static const struct tuple *outcomes_answer(const struct at_place *p, size_t i)
{
	const struct tuple *ask = p->list[i], *t;
	unsigned s2c = !facts_direction_of(ask);
	int64_t late = (int64_t)ask->end_s + outcomes_interval_s(p) + WINDOW_DELAY_S;

	t = outcomes_find(p, s2c, false, ask->start_s, ask->end_s);
	if (t)
		return t;
	t = outcomes_find(p, s2c, false, (int64_t)ask->end_s + 1, late);
	return t && outcomes_next_start(p, i) > (int64_t)t->end_s ? t : NULL;
}

/* The same span elsewhere: windows of two interfaces are apart by up to one window. */
static bool outcomes_shows(
	const struct at_place *p, unsigned direction, bool rejected, const struct tuple *ask)
{
	return outcomes_find(p, direction, rejected, (int64_t)ask->start_s - WINDOW_DELAY_S,
		       (int64_t)ask->end_s + WINDOW_DELAY_S) != NULL;
}

/*
 * Packets without data or SYN, and what closes a connection, ask nothing. A lone small packet that
 * is rejected asks, unless it belongs to a connection that was accepted: then it is late.
 */
static bool outcomes_asks(const struct tuple *t, const struct half *asks)
{
	bool flags = t->flags != TUPLE_NO_FLAGS;

	if (t->bits & TUPLE_BEGINS)
		return false;
	if (t->bits & TUPLE_REJECTED && !(flags && t->flags & 4) &&
		(!asks->records || asks->accepted_first_s > t->start_s))
		return true;
	if (t->protocol != 6 || t->protocol_none)
		return true;
	if (flags && (t->flags & 18) == 2)
		return !(t->flags & 5) || t->packets > 2; /* else given up by the client itself */
	if (flags && t->flags & 4)
		return false;
	if (flags && t->flags & 1 && t->packets <= 4)
		return false;
	return t->bytes > (uint64_t)BARE_BYTES * t->packets || (t->packets >= 3 && !flags);
}

static bool outcomes_is_repeated(const struct at_place *p, size_t i)
{
	const struct tuple *t = p->list[i];

	for (size_t k = i; k-- > 0 && p->list[k]->start_s == t->start_s;) {
		const struct tuple *o = p->list[k];

		if (o->end_s == t->end_s && o->packets == t->packets && o->bytes == t->bytes &&
			o->bits == t->bits && facts_direction_of(o) == facts_direction_of(t))
			return true;
	}
	return false;
}

/* Whether the conversation was answered before and then silent for minutes. */
static bool outcomes_was_idle(const struct at_place *p, size_t i)
{
	bool answered = false;

	for (size_t k = i; k-- > 0;) {
		if ((int64_t)p->list[k]->end_s + IDLE_S > p->list[i]->start_s)
			return false;
		answered |= facts_direction_of(p->list[k]) != facts_direction_of(p->list[i]);
		if (answered)
			return true;
	}
	return false;
}

/* A reset in place of an answer. Without flags: bare packets of 40 bytes to a SYN. */
static bool outcomes_is_reset(const struct tuple *ask, const struct tuple *reply)
{
	if (reply->flags != TUPLE_NO_FLAGS)
		return (reply->flags & 4) && (reply->flags & 18) != 18 &&
		       reply->bytes <= (uint64_t)BARE_BYTES * reply->packets;
	return reply->bytes == UINT64_C(40) * reply->packets && reply->packets <= ask->packets &&
	       ask->bytes > UINT64_C(40) * ask->packets &&
	       ask->bytes <= (uint64_t)SMALL_BYTES * ask->packets;
}

static bool outcomes_is_half_open(const struct ends *e, const struct at_place *p,
	const struct tuple *ask, const struct tuple *reply)
{
	if (e->client || ask->packets > 3 || ask->bytes > (uint64_t)SMALL_BYTES * ask->packets ||
		reply->bytes > (uint64_t)SMALL_BYTES * reply->packets)
		return false;
	if (ask->flags != TUPLE_NO_FLAGS)
		return p->half[e->c2s].flags == 2 && p->half[!e->c2s].syn_ack;
	return p->half[e->c2s].records == 1;
}

static enum outcome outcomes_of_answer(
	const struct ends *e, const struct at_place *p, size_t i, const struct tuple *reply)
{
	const struct tuple *ask = p->list[i];

	if (ask->protocol != 6 || ask->protocol_none || reply->bits & TUPLE_SAMPLED)
		return OUTCOME_ANSWERED;
	if (outcomes_is_reset(ask, reply))
		return OUTCOME_REFUSED;
	if (outcomes_is_half_open(e, p, ask, reply))
		return OUTCOME_HALF_OPEN;
	/* More than a handshake and an acknowledgement, and not a byte of data. */
	if (ask->packets >= 3 && ask->bytes > (uint64_t)SMALL_BYTES * ask->packets + 60 &&
		reply->packets >= 2 && reply->bytes <= (uint64_t)SMALL_BYTES * reply->packets)
		return OUTCOME_SMALL;
	return OUTCOME_ANSWERED;
}

/* The record at a place that shows the same request as ask, whose windows overlap most; count:
 * none. */
static size_t outcomes_same_request(const struct at_place *p, const struct tuple *ask)
{
	int64_t most = -WINDOW_DELAY_S - 1;
	size_t found = p->count;

	for (size_t i = outcomes_seek(
		     p, (int64_t)ask->start_s - outcomes_interval_s(p) - WINDOW_DELAY_S);
		i < p->count &&
		(int64_t)p->list[i]->start_s <= (int64_t)ask->end_s + WINDOW_DELAY_S;
		i++) {
		const struct tuple *t = p->list[i];
		int64_t from = t->start_s > ask->start_s ? t->start_s : ask->start_s;
		int64_t to = t->end_s < ask->end_s ? t->end_s : ask->end_s;

		if (outcomes_is_accepted(t, facts_direction_of(ask)) && to - from > most) {
			most = to - from;
			found = i;
		}
	}
	return found;
}

/* The request at its client's interface was accepted and got no answer there. */
static enum outcome outcomes_at_server(
	const struct worker *w, const struct ends *e, const struct tuple *ask)
{
	const struct flowlog_interface *to = e->server ? e->server->interface : e->expected;
	size_t i = e->server ? outcomes_same_request(e->server, ask) : 0;

	if (e->server && i < e->server->count)
		return outcomes_answer(e->server, i) ? OUTCOME_REPLY_LOST : OUTCOME_SILENT;
	if (!to || to->sampled || !facts_covers(w, to, ask->start_s, ask->end_s))
		return OUTCOME_UNANSWERED;
	return OUTCOME_LOST;
}

/* Beyond place p, which shows no answer: as far as the others show. */
static enum outcome outcomes_beyond(const struct worker *w, const struct ends *e,
	const struct at_place *places, size_t n, const struct at_place *p, const struct tuple *ask)
{
	enum outcome o;

	for (size_t i = 0; i < n; i++) {
		if (outcomes_shows(&places[i], e->c2s, true, ask))
			return OUTCOME_REJECTED_IN;
		if (outcomes_shows(&places[i], !e->c2s, true, ask))
			return OUTCOME_REPLY_REJECTED;
	}
	o = p == e->client ? outcomes_at_server(w, e, ask) : OUTCOME_SILENT;
	if (o != OUTCOME_SILENT)
		return o;
	for (size_t i = 0; i < n; i++)
		if (&places[i] != p && &places[i] != e->server &&
			outcomes_shows(&places[i], !e->c2s, false, ask))
			return OUTCOME_REPLY_ELSEWHERE;
	return OUTCOME_SILENT;
}

/* What became of the request at place p; *ret_void: SKIPDATA or sampling leaves it open. */
static enum outcome outcomes_of(struct worker *w, const struct ends *e,
	const struct at_place *places, size_t n, const struct at_place *p, size_t i, bool *ret_void)
{
	const struct tuple *ask = p->list[i], *reply;
	int64_t late = (int64_t)ask->end_s + outcomes_interval_s(p) + WINDOW_DELAY_S;
	enum outcome o;

	*ret_void = false;
	if (ask->bits & TUPLE_REJECTED)
		return p == e->client ? OUTCOME_REJECTED_OUT : OUTCOME_REJECTED_IN;
	reply = outcomes_answer(p, i);
	if (reply)
		o = outcomes_of_answer(e, p, i, reply);
	else if (p == e->client || p == e->server)
		o = outcomes_beyond(w, e, places, n, p, ask);
	else
		o = outcomes_find(p, !e->c2s, true, ask->start_s, late) ? OUTCOME_REPLY_REJECTED
									: OUTCOME_UNANSWERED;
	*ret_void = o >= OUTCOME_LOST &&
		    (ask->bits & TUPLE_SAMPLED ||
			    facts_skipped(w->in, ask->vantage, ask->start_s, late) ||
			    (e->server &&
				    facts_skipped(w->in, (uint32_t)e->server->interface->vantage_id,
					    ask->start_s, late)));
	if ((o >= OUTCOME_LOST || o == OUTCOME_REFUSED) && outcomes_was_idle(p, i))
		o = OUTCOME_IDLE;
	return o;
}

static struct request *outcomes_count(struct worker *w, const struct ends *e,
	struct request_key *key, const struct tuple *ask, enum outcome o, bool arrived)
{
	unsigned stage = facts_settled_s(w->in, ask->end_s) <= w->in->end_s ? SETTLED : OPEN;
	uint64_t bit = UINT64_C(1) << (XXH3_64bits(key->client, 16) & 63);
	struct request *r;
	bool is_new;

	key->minute = ask->start_s / 60;
	r = sums_get(&w->asked[stage], key, &is_new);
	assert(r); /* no limit within a bucket */
	r->client_vantage = e->client ? (uint32_t)e->client->interface->vantage_id : 0;
	r->server_vantage = e->server ? (uint32_t)e->server->interface->vantage_id
			    : e->expected && facts_has_begun(w, e->expected, ask->end_s)
				    ? (uint32_t)e->expected->vantage_id
				    : 0;
	if (e->only)
		r->server_vantage = (uint32_t)e->only->interface->vantage_id;
	r->asked++;
	r->outcomes[o]++;
	r->arrived += arrived;
	r->clients |= bit;
	if (o < OUTCOME_REFUSED) {
		r->clients_answered |= bit;
		return r;
	}
	r->packets += ask->packets;
	if (!r->proof.file || ask->file < r->proof.file ||
		(ask->file == r->proof.file && ask->line < r->proof.line))
		r->proof = (struct proof){ask->file, ask->line};
	return r;
}

/* Judged for good by the run before. */
static bool outcomes_is_settled(const struct worker *w, const struct tuple *ask)
{
	return ask->carried && facts_settled_s(w->in, ask->end_s) <= w->in->carried_end_s;
}

void outcomes_add(struct worker *w, const struct at_place *places, size_t n, unsigned client)
{
	const struct tuple *t = places[0].list[0];
	bool same = facts_direction_of(t) == client;
	struct request_key key = {.port = same ? t->dst_port : t->src_port,
		.has_port = (t->bits & TUPLE_PORTS) != 0,
		.protocol = t->protocol,
		.protocol_none = t->protocol_none};
	const struct at_place *p;
	struct ends e;

	memcpy(key.client, same ? t->src : t->dst, 16);
	memcpy(key.server, same ? t->dst : t->src, 16);
	e = outcomes_ends(w, places, n, &key, client);
	p = e.client ? e.client : e.server ? e.server : e.only;
	for (size_t i = 0; i < p->count; i++) {
		const struct tuple *ask = p->list[i];
		struct request *r;
		bool nothing_known;
		enum outcome o;

		if (facts_direction_of(ask) != client || outcomes_is_settled(w, ask) ||
			!outcomes_asks(ask, &p->half[client]) || outcomes_is_repeated(p, i))
			continue;
		o = outcomes_of(w, &e, places, n, p, i, &nothing_known);
		if (nothing_known)
			continue;
		r = outcomes_count(w, &e, &key, ask, o,
			e.server && outcomes_is_accepted(ask, client) &&
				outcomes_shows(e.server, client, false, ask));
		r->edge += o >= OUTCOME_LOST && facts_at_edge(w->in, ask->vantage, ask->end_s);
	}
}

static bool outcomes_is_private(const uint8_t a[16])
{
	if (!facts_is_v4(a))
		return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
	return a[12] == 10 || (a[12] == 172 && (a[13] & 0xf0) == 16) ||
	       (a[12] == 192 && a[13] == 168) || (a[12] == 100 && (a[13] & 0xc0) == 64) ||
	       (a[12] == 169 && a[13] == 254);
}

/* Private, shared, link-local and unique local addresses, and those of logged interfaces. */
static bool outcomes_is_inside(const struct worker *w, const uint8_t a[16], uint32_t minute)
{
	const struct flowlog_interface *owner;

	if (outcomes_is_private(a))
		return true;
	owner = facts_owner_of(w, a, 0);
	return owner && facts_has_begun(w, owner, (int64_t)minute * 60);
}

static void outcomes_times(struct request *r, uint32_t minute)
{
	uint32_t good = r->outcomes[OUTCOME_ANSWERED] + r->outcomes[OUTCOME_HALF_OPEN];

	r->answered_first_s = r->failed_first_s = UINT32_MAX;
	if (good)
		r->answered_first_s = r->answered_last_s = minute * 60;
	if (good < r->asked)
		r->failed_first_s = r->failed_last_s = minute * 60;
}

void outcomes_merge(struct request *to, const struct request *from, bool is_new)
{
	if (is_new)
		to->answered_first_s = to->failed_first_s = UINT32_MAX;
	to->client_vantage = to->client_vantage > from->client_vantage ? to->client_vantage
								       : from->client_vantage;
	to->server_vantage = to->server_vantage > from->server_vantage ? to->server_vantage
								       : from->server_vantage;
	to->asked += from->asked;
	for (int o = 0; o < OUTCOMES; o++)
		to->outcomes[o] += from->outcomes[o];
	to->arrived += from->arrived;
	to->edge += from->edge;
	to->strange += from->strange;
	to->packets += from->packets;
	to->clients |= from->clients;
	to->clients_answered |= from->clients_answered;
	if (from->answered_first_s < to->answered_first_s)
		to->answered_first_s = from->answered_first_s;
	if (from->failed_first_s < to->failed_first_s)
		to->failed_first_s = from->failed_first_s;
	if (from->answered_last_s > to->answered_last_s)
		to->answered_last_s = from->answered_last_s;
	if (from->failed_last_s > to->failed_last_s)
		to->failed_last_s = from->failed_last_s;
	if (from->proof.file &&
		(!to->proof.file || from->proof.file < to->proof.file ||
			(from->proof.file == to->proof.file && from->proof.line < to->proof.line)))
		to->proof = from->proof;
}

static void outcomes_keep(
	struct facts_totals *t, const struct request_key *key, const struct request *r)
{
	bool is_new;
	struct request *to = sums_get(&t->requests, key, &is_new);

	if (to)
		outcomes_merge(to, r, is_new);
	else
		t->left_out[4]++;
}

/*
 * Whether a request that came in at an interface was for its host: for its own address, or one of
 * the same network (pods, other secondary addresses). Else the interface forwards.
 */
static bool outcomes_is_for_host(const struct worker *w, const struct request *r)
{
	const struct flowlog_interface *i = flowlog_interface_by_id(
		(struct flowlog_interfaces *)w->in->interfaces, r->server_vantage);
	bool v6 = !facts_is_v4(r->key.server);
	const uint8_t *own = i ? flowlog_interface_own(i, v6) : NULL;

	return !own || !memcmp(own, r->key.server, v6 ? 8 : 15);
}

/* A minute of an interface: requests that came in, of clients that it has answered. */
static void outcomes_add_window(
	const struct worker *w, struct facts_totals *t, const struct request *r)
{
	struct window_key key = {r->server_vantage, r->key.minute};
	uint64_t came, answered = 0;
	struct window *m;
	bool is_new;

	for (int o = OUTCOME_ANSWERED; o <= OUTCOME_IDLE; o++)
		answered += r->outcomes[o];
	for (int o = OUTCOME_REPLY_REJECTED; o <= OUTCOME_REPLY_ELSEWHERE; o++)
		answered += o == OUTCOME_LOST ? 0 : r->outcomes[o];
	came = answered + r->outcomes[OUTCOME_SILENT];
	if (!r->server_vantage || !came || !(r->arrived || !r->client_vantage) ||
		!outcomes_is_for_host(w, r))
		return;
	m = sums_get(&t->windows, &key, &is_new);
	if (!m) {
		t->left_out[0]++;
		return;
	}
	m->in_requests += came;
	m->in_answered += answered;
	m->peers |= r->clients;
	m->peers_answered |= answered ? r->clients : 0;
	if (came > answered && r->proof.file &&
		(!m->unanswered.file || r->proof.file < m->unanswered.file ||
			(r->proof.file == m->unanswered.file &&
				r->proof.line < m->unanswered.line)))
		m->unanswered = r->proof;
}

static void outcomes_known_merge(struct known *to, const struct known *from)
{
	if (from->answered_s && (!to->answered_s || from->answered_s < to->answered_s))
		to->answered_s = from->answered_s;
	if (from->arrived_s && (!to->arrived_s || from->arrived_s < to->arrived_s))
		to->arrived_s = from->arrived_s;
}

void known_add(struct sums *all, const struct known *k)
{
	bool is_new;
	struct known *to = sums_get(all, &k->key, &is_new);

	if (to)
		outcomes_known_merge(to, k);
}

static uint64_t outcomes_known_key(const struct request_key *key)
{
	struct request_key k = *key;

	k.minute = 0;
	return XXH3_64bits(&k, sizeof(k));
}

static void outcomes_learn(struct sums *known, const struct request *r)
{
	uint32_t at = r->key.minute * 60;
	struct known k = {.key = outcomes_known_key(&r->key)};

	if (r->outcomes[OUTCOME_ANSWERED] + r->outcomes[OUTCOME_HALF_OPEN])
		k.answered_s = at;
	if (r->arrived)
		k.arrived_s = at;
	if (k.answered_s || k.arrived_s)
		known_add(known, &k);
}

/* What is known of a client and a service, in this bucket or from earlier runs. */
static struct known outcomes_known(
	const struct worker *w, const struct sums *here, const struct request_key *key)
{
	struct known k = {.key = outcomes_known_key(key)};
	const struct sums *before = flowlog_carry_known(w->in->carry);
	const struct known *found = sums_find(here, &k.key);

	if (found)
		outcomes_known_merge(&k, found);
	found = before ? sums_find(before, &k.key) : NULL;
	if (found)
		outcomes_known_merge(&k, found);
	return k;
}

/* Whether that was so when the requests of a minute were settled. */
static bool outcomes_was_known(const struct worker *w, uint32_t first_s, uint32_t minute)
{
	return first_s && (int64_t)first_s <= facts_settled_s(w->in, (int64_t)minute * 60);
}

static bool outcomes_says_something(const struct request *r, bool answered, bool folded)
{
	uint64_t good = r->outcomes[OUTCOME_ANSWERED] + r->outcomes[OUTCOME_HALF_OPEN];
	uint64_t rejected = r->outcomes[OUTCOME_REJECTED_OUT] + r->outcomes[OUTCOME_REJECTED_IN] +
			    r->outcomes[OUTCOME_REPLY_REJECTED];

	/* Datagrams that nobody ever answers want no answer. */
	if (!answered && r->key.protocol != 6 && !rejected && !folded)
		return false;
	return folded || good < r->asked;
}

/* Takes clients, and servers, outside together. True: the client is outside. */
static bool outcomes_fold(const struct worker *w, struct request_key *key)
{
	bool outside = !outcomes_is_inside(w, key->client, key->minute);

	if (outside)
		memset(key->client, 0, sizeof(key->client));
	if (!outcomes_is_inside(w, key->server, key->minute))
		memset(key->server, 0, sizeof(key->server));
	return outside;
}

/* A minute of a client and a service goes into the sums of both, and of the interface. */
static void outcomes_end_minute(
	struct worker *w, struct facts_totals *to, const struct sums *known, struct request *r)
{
	struct known k = outcomes_known(w, known, &r->key);
	bool answered = outcomes_was_known(w, k.answered_s, r->key.minute);
	struct request_key key = r->key;
	bool outside = outcomes_fold(w, &key);

	outcomes_times(r, r->key.minute);
	/* Where no request of a client ever came in, translation may hide it: nothing says that it
	 * was lost. */
	if (!outcomes_was_known(w, k.arrived_s, r->key.minute)) {
		r->outcomes[OUTCOME_UNANSWERED] += r->outcomes[OUTCOME_LOST];
		r->outcomes[OUTCOME_LOST] = 0;
	}
	if (answered)
		outcomes_add_window(w, to, r);
	r->strange = outside && !answered ? r->asked : 0;
	if (outcomes_says_something(r, answered, outside))
		outcomes_keep(to, &key, r);
	key.minute = 0;
	outcomes_keep(to, &key, r);
}

void outcomes_end_bucket(struct worker *w)
{
	struct sums known;

	sums_init(&known, sizeof(uint64_t), sizeof(struct known), SIZE_MAX);
	for (unsigned stage = 0; stage < STAGES; stage++) {
		const struct sums *asked = &w->asked[stage];

		for (size_t i = 0; i < asked->count; i++)
			outcomes_learn(&known, sums_at(asked, i));
		/* What is settled is what the next run may rely on. */
		for (size_t i = 0; stage == SETTLED && w->in->carry && i < known.count; i++)
			known_add(&w->totals[SETTLED].known, sums_at(&known, i));
	}
	for (unsigned stage = 0; stage < STAGES; stage++) {
		for (size_t i = 0; i < w->asked[stage].count; i++)
			outcomes_end_minute(
				w, &w->totals[stage], &known, sums_at(&w->asked[stage], i));
		sums_clear(&w->asked[stage]);
	}
	sums_release(&known);
}
