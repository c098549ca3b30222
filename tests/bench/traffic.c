#include "traffic.h"

#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"

#define MILLISECOND INT64_C(1000000)
#define SECOND (1000 * MILLISECOND)
#define LATE (5 * SECOND)
#define RANGES 8 /* out-of-order ranges that a receiver keeps */
#define FIRST_PORT 32768
#define PORTS 28232 /* net.ipv4.ip_local_port_range of Linux */

enum { CLIENT, SERVER }; /* packets to the server come from the client */

/* Offsets count from the initial sequence number: SYN is 0, data starts at 1, FIN is end. */
struct side {
	uint32_t isn, una, nxt, end;
	uint32_t window; /* segments in flight at most */
	uint32_t recover, dupacks;
	uint32_t rcv_nxt, pending; /* pending: segments not acknowledged yet */
	uint32_t range[RANGES][2]; /* received out of order; the newest first */
	unsigned ranges;
	uint32_t duplicate[2]; /* for D-SACK; empty when equal */
	uint32_t ts_recent, ts_base;
	uint16_t ip_id;
	bool close, recovering, ack_now;
	unsigned backoff;
	int64_t rto_at, rto_queued, delack_at; /* 0: none */
};

struct connection {
	struct side side[2];
	uint32_t generation;
	uint16_t client_port, server_port;
	uint32_t exchanges, request, response, in_flight, salt, budget;
	bool responded, done;
};

struct flight {
	struct wire wire;
	int64_t arrival;
	uint32_t connection, offset, length, ack;
	uint32_t tsval, payload;
	uint8_t flags;
	bool acks_again; /* a pure ACK: counts as a duplicate when it moves nothing */
};

struct ring {
	struct flight *slots;
	uint32_t head, tail, mask;
	int64_t last;
};

struct timer {
	int64_t at;
	uint32_t connection, generation;
	uint8_t kind; /* CLIENT, SERVER: retransmission; START */
};
enum { START = 2 };

struct delack {
	int64_t at;
	uint32_t connection, generation;
	uint8_t side;
};

struct sim {
	const struct traffic_parameters *p;
	struct traffic_truth *truth;
	struct capture *capture[2];
	struct connection *connections;
	struct ring link[2]; /* [SERVER]: to the server */
	struct timer *heap;
	size_t heap_count, heap_cap;
	struct delack *delacks; /* a ring: all wait equally long */
	uint32_t delack_head, delack_tail, delack_mask;
	uint64_t random, loss_below, budgeted;
	uint32_t started, limit; /* connections: begun, and may be by now */
	int64_t now, written[2]; /* written: the newest time in each capture */
};

static uint64_t draw(struct sim *s)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return s->random * UINT64_C(2685821657736338717) >> 16;
}

static void *must(void *p)
{
	if (!p)
		err(2, "no memory");
	return p;
}

static void timer_push(struct sim *s, struct timer t)
{
	size_t i = s->heap_count++;

	if (s->heap_count > s->heap_cap) {
		s->heap_cap = s->heap_cap ? 2 * s->heap_cap : 1024;
		s->heap = must(realloc(s->heap, s->heap_cap * sizeof(*s->heap)));
	}
	for (; i && s->heap[(i - 1) / 2].at > t.at; i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = t;
}

static struct timer timer_pop(struct sim *s)
{
	struct timer first = s->heap[0], last = s->heap[--s->heap_count];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < s->heap_count; i = child) {
		if (child + 1 < s->heap_count && s->heap[child + 1].at < s->heap[child].at)
			child++;
		if (s->heap[child].at >= last.at)
			break;
		s->heap[i] = s->heap[child];
	}
	s->heap[i] = last;
	return first;
}

/* A host's capture stamps in order, and no two packets at once. */
static int64_t record(struct sim *s, int host, const struct wire *w, int64_t at)
{
	int64_t since, stamp;

	if (at < s->written[host] + 200)
		at = s->written[host] + 200;
	s->written[host] = at;
	since = at;
	stamp = s->p->start_ns + since;
	if (host == SERVER)
		stamp += s->p->offset_ns + (int64_t)((double)since * s->p->drift_ppm / 1e6);
	capture_write(s->capture[host], w, stamp);
	return at;
}

static void count_lost(struct traffic_truth *t, int to, const struct flight *f)
{
	t->lost[to]++;
	t->lost_bytes[to] += f->payload;
	if (f->flags & TCP_SYN)
		t->lost_syn[to]++;
	else if (f->flags & TCP_FIN)
		t->lost_fin[to]++;
	else if (f->payload)
		t->lost_data[to]++;
	else
		t->lost_ack[to]++;
}

/* Loses the packet or puts it on its way. Once the last connections have begun nothing is lost. */
static void transmit(struct sim *s, int from, struct flight *f)
{
	int to = !from;
	struct ring *r = &s->link[to];
	int64_t at = record(s, from, &f->wire, s->now);

	s->truth->sent[to]++;
	s->truth->sent_bytes[to] += f->payload;
	if (s->started < s->limit && (draw(s) & UINT32_MAX) < s->loss_below) {
		count_lost(s->truth, to, f);
		return;
	}
	f->arrival = at + s->p->delay_ns[to] + (int64_t)(draw(s) & 0xffff);
	if (f->arrival <= r->last)
		f->arrival = r->last + 250;
	r->last = f->arrival;
	s->connections[f->connection].in_flight++;
	r->tail++;
	if (r->tail - r->head > r->mask)
		errx(2, "more packets in flight than expected");
}

static unsigned put_sacks(const struct side *me, uint32_t peer_isn, struct segment_spec *spec)
{
	unsigned n = 0;

	if (me->duplicate[0] != me->duplicate[1]) {
		spec->sack[n][0] = peer_isn + me->duplicate[0];
		spec->sack[n++][1] = peer_isn + me->duplicate[1];
	}
	for (unsigned i = 0; i < me->ranges && n < 3; i++) {
		spec->sack[n][0] = peer_isn + me->range[i][0];
		spec->sack[n++][1] = peer_isn + me->range[i][1];
	}
	return n;
}

static void send_segment(
	struct sim *s, uint32_t index, int from, uint32_t offset, uint32_t length, uint8_t flags)
{
	struct connection *c = &s->connections[index];
	struct side *me = &c->side[from], *peer = &c->side[!from];
	struct ring *r = &s->link[!from];
	struct flight *f = &r->slots[r->tail & r->mask];
	struct segment_spec spec = {.to_server = from == CLIENT,
		.client_port = c->client_port,
		.server_port = c->server_port,
		.seq = me->isn + offset,
		.ack = peer->isn + me->rcv_nxt,
		.tsval = me->ts_base + (uint32_t)(s->now / MILLISECOND),
		.tsecr = me->ts_recent,
		.ip_id = me->ip_id++,
		.window = flags & TCP_SYN ? 64240 : 501,
		.flags = flags,
		.length = length,
		.pattern = (offset - 1 + c->salt) & ~1U};

	if (flags == (TCP_SYN | TCP_ACK))
		spec.ip_id = 0; /* as Linux answers from a request socket */
	if (!(flags & TCP_SYN) && !length)
		spec.sacks = put_sacks(me, peer->isn, &spec);
	frames_build(&f->wire, &spec);
	f->connection = index;
	f->offset = offset;
	f->payload = length;
	f->length = length + !!(flags & (TCP_SYN | TCP_FIN));
	f->ack = me->rcv_nxt;
	f->tsval = spec.tsval;
	f->flags = flags;
	f->acks_again = !f->length;
	if (length && offset < me->nxt)
		s->truth->retransmitted[!from]++;
	me->pending = 0;
	me->ack_now = false;
	me->duplicate[0] = me->duplicate[1] = 0;
	me->delack_at = 0;
	transmit(s, from, f);
}

static void arm_rto(struct sim *s, uint32_t index, int who)
{
	struct connection *c = &s->connections[index];
	struct side *me = &c->side[who];
	int64_t wait = me->una ? 240 * MILLISECOND : SECOND;

	if (me->una == me->nxt) {
		me->rto_at = 0;
		return;
	}
	me->rto_at = s->now + (wait << (me->backoff < 6 ? me->backoff : 6));
	if (me->rto_queued)
		return; /* it looks again when it fires */
	me->rto_queued = me->rto_at;
	timer_push(s, (struct timer){me->rto_at, index, c->generation, (uint8_t)who});
}

static void send_data(struct sim *s, uint32_t index, int who, uint32_t offset)
{
	const struct side *me = &s->connections[index].side[who];
	uint32_t left = me->end - offset, length = left < FRAMES_MSS ? left : FRAMES_MSS;

	send_segment(s, index, who, offset, length, length == left ? TCP_ACK | TCP_PSH : TCP_ACK);
}

/* What the first unacknowledged byte stands in. */
static void retransmit(struct sim *s, uint32_t index, int who)
{
	const struct side *me = &s->connections[index].side[who];

	if (!me->una)
		send_segment(s, index, who, 0, 0, who == CLIENT ? TCP_SYN : TCP_SYN | TCP_ACK);
	else if (me->una < me->end)
		send_data(s, index, who, me->una);
	else
		send_segment(s, index, who, me->una, 0, TCP_FIN | TCP_ACK);
}

/* All that may be sent now. */
static void output(struct sim *s, uint32_t index, int who)
{
	struct side *me = &s->connections[index].side[who];
	uint32_t room = (me->window + (me->recovering ? me->dupacks : 0)) * FRAMES_MSS;
	bool sent = false;

	while (me->una && me->nxt < me->end && me->nxt - me->una < room) {
		uint32_t at = me->nxt, left = me->end - at;

		send_data(s, index, who, at);
		me->nxt += left < FRAMES_MSS ? left : FRAMES_MSS;
		sent = true;
	}
	if (me->close && me->nxt == me->end) {
		send_segment(s, index, who, me->end, 0, TCP_FIN | TCP_ACK);
		me->nxt++;
		sent = true;
	}
	if (!sent && me->ack_now)
		send_segment(s, index, who, me->nxt, 0, TCP_ACK);
	if (sent && !me->rto_at)
		arm_rto(s, index, who);
}

/* RFC 6582: each partial acknowledgement sends the next hole again. */
static void take_ack(struct sim *s, uint32_t index, int who, const struct flight *f)
{
	struct side *me = &s->connections[index].side[who];

	if (f->ack > me->una) {
		me->una = f->ack;
		me->backoff = 0;
		if (me->recovering && me->una < me->recover && me->una < me->nxt) {
			me->dupacks = me->dupacks > 1 ? me->dupacks - 1 : 0;
			retransmit(s, index, who);
		} else {
			me->recovering = false;
			me->dupacks = 0;
			me->window += me->window < 32;
		}
		me->rto_at = 0;
		arm_rto(s, index, who);
	} else if (f->ack == me->una && f->acks_again && me->una < me->nxt && me->una) {
		if (++me->dupacks == 3 && !me->recovering) {
			me->recovering = true;
			me->recover = me->nxt;
			retransmit(s, index, who);
			me->rto_at = 0;
			arm_rto(s, index, who);
		}
	}
}

/* Keeps a range that came early, joined with those it touches, as the newest. */
static void keep_range(struct side *me, uint32_t from, uint32_t to)
{
	unsigned kept = 0;
	uint32_t old[RANGES][2];

	for (unsigned i = 0; i < me->ranges; i++) {
		if (me->range[i][0] > to || me->range[i][1] < from) {
			memcpy(old[kept++], me->range[i], sizeof(old[0]));
			continue;
		}
		from = me->range[i][0] < from ? me->range[i][0] : from;
		to = me->range[i][1] > to ? me->range[i][1] : to;
	}
	kept = kept < RANGES ? kept : RANGES - 1;
	me->range[0][0] = from;
	me->range[0][1] = to;
	memcpy(me->range + 1, old, kept * sizeof(old[0]));
	me->ranges = kept + 1;
}

static void advance(struct side *me, uint32_t to)
{
	me->rcv_nxt = to;
	for (unsigned i = 0; i < me->ranges;) {
		if (me->range[i][0] > me->rcv_nxt) {
			i++;
			continue;
		}
		if (me->range[i][1] > me->rcv_nxt)
			me->rcv_nxt = me->range[i][1];
		memmove(me->range + i, me->range + i + 1,
			(--me->ranges - i) * sizeof(me->range[0]));
		i = 0;
	}
}

static void take_data(struct sim *s, uint32_t index, int who, const struct flight *f)
{
	struct connection *c = &s->connections[index];
	struct side *me = &c->side[who];
	bool holes = me->ranges;

	if (f->offset + f->length <= me->rcv_nxt) {
		me->duplicate[0] = f->offset;
		me->duplicate[1] = f->offset + f->length;
		me->ack_now = true;
	} else if (f->offset > me->rcv_nxt) {
		keep_range(me, f->offset, f->offset + f->length);
		me->ack_now = true;
	} else {
		advance(me, f->offset + f->length);
		if (++me->pending >= 2 || holes || f->flags & (TCP_PSH | TCP_FIN | TCP_SYN))
			me->ack_now = true;
	}
	if (me->ack_now || me->delack_at)
		return;
	me->delack_at = s->now + 40 * MILLISECOND;
	if (s->delack_tail - s->delack_head > s->delack_mask)
		errx(2, "more delayed acknowledgements than expected");
	s->delacks[s->delack_tail++ & s->delack_mask] =
		(struct delack){me->delack_at, index, c->generation, (uint8_t)who};
}

/* The applications: the client asks, the server answers, the client closes after the last answer.
 */
static void application(struct connection *c, int who)
{
	struct side *client = &c->side[CLIENT], *server = &c->side[SERVER];

	if (who == SERVER) {
		if (!c->responded && client->end > 1 && server->rcv_nxt == client->end) {
			c->responded = true;
			server->end += c->response;
		}
		if (client->close && server->rcv_nxt > client->end)
			server->close = true;
	} else if (client->rcv_nxt && !client->close && client->rcv_nxt == server->end &&
		   (client->end == 1 || c->responded)) {
		c->responded = false;
		if (c->exchanges--)
			client->end += c->request;
		else
			client->close = true;
	}
}

static void recycle(struct sim *s, uint32_t index)
{
	struct connection *c = &s->connections[index];

	c->generation++;
	s->budgeted -= c->budget;
	c->budget = 0;
	c->done = false;
	if (s->started < s->limit)
		timer_push(s, (struct timer){s->now + (int64_t)(draw(s) % (2 * MILLISECOND)), index,
				      c->generation, START});
}

static void receive(struct sim *s, int who)
{
	struct ring *r = &s->link[who];
	struct flight f = r->slots[r->head++ & r->mask];
	struct connection *c = &s->connections[f.connection];
	struct side *me = &c->side[who];

	frames_route(&f.wire, who == SERVER);
	s->now = record(s, who, &f.wire, f.arrival);
	c->in_flight--;
	if (f.offset <= me->rcv_nxt)
		me->ts_recent = f.tsval;
	if (f.flags == TCP_SYN && !me->una) {
		me->rcv_nxt = 1;
		me->nxt = 1;
		retransmit(s, f.connection, who);
		arm_rto(s, f.connection, who);
		return;
	}
	if (f.flags & TCP_ACK)
		take_ack(s, f.connection, who, &f);
	if (f.length)
		take_data(s, f.connection, who, &f);
	if (f.flags & TCP_SYN && who == CLIENT)
		send_segment(s, f.connection, who, me->nxt, 0, TCP_ACK);
	application(c, who);
	output(s, f.connection, who);
	if (who == SERVER && me->close && me->una > me->end) {
		c->done = true;
		c->side[CLIENT].rto_at = c->side[SERVER].rto_at = 0;
	}
	if (c->done && !c->in_flight)
		recycle(s, f.connection);
}

/* How many packets a connection may have, so that all together come to what is wanted: mostly
 * short, some long. */
static uint32_t draw_budget(struct sim *s)
{
	uint64_t done = capture_frames(s->capture[CLIENT]) + s->budgeted;
	uint64_t left = s->p->packets > done ? s->p->packets - done : 0;
	double mean = (double)left / (s->p->connections - s->started);
	double unit = (double)(draw(s) & 0xffff) / 65536;
	double budget = mean * (draw(s) % 100 < 85 ? 0.35 + 0.4 * unit : 0.5 + 6.1 * unit);

	return budget < 8 ? 8 : (uint32_t)budget;
}

static void plan(struct sim *s, struct connection *c)
{
	uint32_t data = (c->budget - 6) * 2 / 3, each, small, large;

	data = data < 2 ? 2 : data;
	c->exchanges = 1 + (uint32_t)(draw(s) % (1 + data / 12));
	each = data / c->exchanges;
	small = 64 + (uint32_t)(draw(s) % 600) * 2;
	large = (each - 1) * FRAMES_MSS - (uint32_t)(draw(s) % 700) * 2;
	c->request = draw(s) % 4 ? small : large;
	c->response = c->request == small ? large : small;
}

static void start(struct sim *s, uint32_t index)
{
	struct connection *c = &s->connections[index];
	uint32_t number;

	if (s->started == s->limit)
		return;
	c->budget = draw_budget(s);
	s->budgeted += c->budget;
	number = s->started++;
	s->truth->connections++;
	memset(c->side, 0, sizeof(c->side));
	c->client_port = (uint16_t)(FIRST_PORT + number % PORTS);
	c->server_port = (uint16_t)(20000 + number / PORTS);
	c->salt = (uint32_t)draw(s) & ~1U;
	c->responded = false;
	plan(s, c);
	for (int i = 0; i < 2; i++) {
		c->side[i].isn = (uint32_t)draw(s);
		c->side[i].ts_base = (uint32_t)draw(s);
		c->side[i].ip_id = (uint16_t)draw(s);
		c->side[i].end = 1;
		c->side[i].window = 10;
	}
	c->side[CLIENT].nxt = 1;
	retransmit(s, index, CLIENT);
	arm_rto(s, index, CLIENT);
}

static void fire(struct sim *s)
{
	struct timer t = timer_pop(s);
	struct connection *c = &s->connections[t.connection];
	struct side *me = &c->side[t.kind % 2];

	if (t.generation != c->generation)
		return;
	if (t.kind == START) {
		start(s, t.connection);
		return;
	}
	me->rto_queued = 0;
	if (!me->rto_at)
		return;
	if (me->rto_at > t.at) {
		me->rto_queued = me->rto_at;
		timer_push(s, (struct timer){me->rto_at, t.connection, t.generation, t.kind});
		return;
	}
	me->backoff++;
	me->dupacks = 0;
	me->window = 10;
	if (me->una) {
		me->recovering = true;
		me->recover = me->nxt;
	}
	retransmit(s, t.connection, t.kind);
	arm_rto(s, t.connection, t.kind);
}

static void fire_delack(struct sim *s)
{
	struct delack d = s->delacks[s->delack_head++ & s->delack_mask];
	struct connection *c = &s->connections[d.connection];
	struct side *me = &c->side[d.side];

	if (d.generation == c->generation && me->delack_at == d.at && me->pending)
		send_segment(s, d.connection, d.side, me->nxt, 0, TCP_ACK);
}

static bool step(struct sim *s)
{
	int64_t at[4] = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
	unsigned next = 0;

	for (int i = 0; i < 2; i++)
		if (s->link[i].head != s->link[i].tail)
			at[i] = s->link[i].slots[s->link[i].head & s->link[i].mask].arrival;
	if (s->heap_count)
		at[2] = s->heap[0].at;
	if (s->delack_head != s->delack_tail)
		at[3] = s->delacks[s->delack_head & s->delack_mask].at;
	for (unsigned i = 1; i < 4; i++)
		next = at[i] < at[next] ? i : next;
	if (at[next] == INT64_MAX)
		return false;
	s->now = at[next];
	if (next < 2)
		receive(s, (int)next);
	else if (next == 2)
		fire(s);
	else
		fire_delack(s);
	return true;
}

static uint32_t power_of_two(uint32_t n)
{
	uint32_t size = 1;

	while (size < n)
		size *= 2;
	return size;
}

void traffic_run(const struct traffic_parameters *p, struct capture *client, struct capture *server,
	struct traffic_truth *ret_truth)
{
	struct sim s = {.p = p,
		.truth = ret_truth,
		.capture = {client, server},
		.random = p->seed * 2 + 1,
		.loss_below = (uint64_t)(p->loss * 4294967296.0)};
	uint32_t concurrent = p->concurrent < p->connections ? p->concurrent : p->connections;
	uint32_t size = power_of_two(concurrent * 128);

	memset(ret_truth, 0, sizeof(*ret_truth));
	s.connections = must(calloc(concurrent, sizeof(*s.connections)));
	s.delacks = must(calloc(size, sizeof(*s.delacks)));
	s.delack_mask = size - 1;
	for (int i = 0; i < 2; i++) {
		s.link[i].slots = must(calloc(size, sizeof(*s.link[i].slots)));
		s.link[i].mask = size - 1;
	}
	for (uint32_t i = 0; i < concurrent; i++)
		timer_push(&s, (struct timer){(int64_t)(draw(&s) % SECOND), i, 0, START});
	/* The last connection comes late and keeps the captures running: what is lost at their very
	 * end nobody can judge. */
	s.limit = p->connections - 1;
	while (step(&s))
		continue;
	s.limit = p->connections;
	timer_push(&s, (struct timer){s.now + LATE, 0, s.connections[0].generation, START});
	while (step(&s))
		continue;
	ret_truth->duration_ns = s.now;
	for (int i = 0; i < 2; i++)
		free(s.link[i].slots);
	free(s.connections);
	free(s.delacks);
	free(s.heap);
}
