#include "join/nearness.h"

#include <assert.h>
#include <string.h>

#include "join/segment_walk.h"

/* Packets of a direction that are compared: the clocks must not drift apart meanwhile. */
#define COMPARED 32
/* A packet's record at the other place is looked for among this many. */
#define LOOK_AHEAD 16
/* Stamps are taken in software: what is closer than this says nothing about the order. */
#define JITTER_NS (5 * NSEC_PER_USEC)
/* What rounding to microseconds makes of one constant difference. */
#define TICK_NS NSEC_PER_USEC
/* Packets each way whose stamps fall apart by direction seldom by chance. */
#define MANY 8
/* Flows whose delays contradict the majority: one in so many is bad luck of the stamps. */
#define CONTRADICTION 10

/* Differences b - a of the stamps of one direction's packets. */
struct stamp_range {
	int64_t least, most;
	uint32_t count;
};

static bool nearness_same_packet(const struct segment *x, const struct segment *y)
{
	return x->flags == y->flags && x->length == y->length && x->ip_id == y->ip_id &&
	       x->tsval == y->tsval && !segment_payload_differs(x, y);
}

/* Would another of the next segments do as well? Then nothing tells which it is. */
static bool nearness_is_single(const struct segment *x, struct segment_walk rest)
{
	const struct segment *s;

	for (uint32_t i = 0; i < LOOK_AHEAD && (s = walk_next(&rest)); i++)
		if (nearness_same_packet(x, s))
			return false;
	return true;
}

static struct stamp_range nearness_range(
	const struct member *a, const struct member *b, enum direction d)
{
	struct stamp_range range = {.least = INT64_MAX, .most = INT64_MIN};
	struct segment_walk at = walk_direction(a, d), other = walk_direction(b, d);
	const struct segment *x, *y;

	for (uint32_t read = 0;
		range.count < COMPARED && read < 4 * COMPARED && (x = walk_next(&at)); read++) {
		struct segment_walk ahead = other;
		uint32_t i = 0;

		while (i < LOOK_AHEAD && (y = walk_next(&ahead)) && !nearness_same_packet(x, y))
			i++;
		if (i == LOOK_AHEAD || !y)
			continue;
		other = ahead;
		if (!nearness_is_single(x, at) || !nearness_is_single(y, ahead))
			continue;
		range.least = y->time_ns - x->time_ns < range.least ? y->time_ns - x->time_ns
								    : range.least;
		range.most =
			y->time_ns - x->time_ns > range.most ? y->time_ns - x->time_ns : range.most;
		range.count++;
	}
	return range;
}

static bool nearness_is_same(const struct stamp_range *c, const struct stamp_range *s)
{
	int64_t least = c->least < s->least ? c->least : s->least;
	int64_t most = c->most > s->most ? c->most : s->most;

	return most - least <= TICK_NS;
}

/* Client packets reach b later than the clocks alone say, server packets earlier: a is on the
 * client's side. */
static int nearness_sign_of(
	const struct stamp_range *c, const struct stamp_range *s, int64_t jitter_ns)
{
	if (c->least > s->most + jitter_ns)
		return -1;
	return s->least > c->most + jitter_ns ? 1 : 0;
}

struct stamp_order nearness_by_delay(const struct member *a, const struct member *b)
{
	struct stamp_range c = nearness_range(a, b, C2S), s = nearness_range(a, b, S2C);
	bool same;

	if (!c.count || !s.count)
		return (struct stamp_order){0};
	same = nearness_is_same(&c, &s);
	return (struct stamp_order){.nearer = nearness_sign_of(&c, &s, JITTER_NS),
		.likely = c.count >= MANY && s.count >= MANY ? nearness_sign_of(&c, &s, 0) : 0,
		.same = same,
		.apart = !same};
}

static const struct member *nearness_member(
	const struct flows *all, const struct flow *f, uint32_t vantage)
{
	for (uint32_t i = f->first_member; i != MEMBER_NONE; i = all->members[i].next)
		if (all->members[i].vantage == vantage)
			return &all->members[i];
	return NULL;
}

/* Is ip the client's, the server's, or no end of it? */
static bool nearness_end(const struct member *m, const uint8_t ip[16], enum direction *ret_from)
{
	if (memcmp(member_ip(m, true), ip, 16) == 0)
		*ret_from = C2S;
	else if (memcmp(member_ip(m, false), ip, 16) == 0)
		*ret_from = S2C;
	else
		return false;
	return true;
}

/* When a vantage point saw flows that the other one saw too, on its own clock: both ran then. */
struct common_span {
	int64_t from_ns, to_ns;
};

static void nearness_widen(struct common_span *s, const struct member *m)
{
	s->from_ns = m->flow->first_ns < s->from_ns ? m->flow->first_ns : s->from_ns;
	s->to_ns = m->flow->last_ns > s->to_ns ? m->flow->last_ns : s->to_ns;
}

int64_t nearness_surplus(const struct flow_side *x, const struct flow_side *y)
{
	if (x->bytes || y->bytes)
		return (int64_t)(x->bytes - y->bytes);
	return (int64_t)x->packets - y->packets;
}

static uint64_t nearness_excess(const struct flow_side *x, const struct flow_side *y)
{
	int64_t surplus = nearness_surplus(x, y);

	return surplus > 0 ? (uint64_t)surplus : 0;
}

/* Do both hold the flow's first packet and its last one? A capture that began later or ended before
 * lacks packets, too. */
static bool nearness_is_whole(const struct member *a, const struct member *b)
{
	return nearness_same_packet(&a->flow->head->slots[0], &b->flow->head->slots[0]) &&
	       nearness_same_packet(a->flow->newest, b->flow->newest);
}

static void nearness_compare(
	struct nearness *n, const struct member *a, const struct member *b, enum direction from)
{
	const struct flow_side *to_a = member_side(a, !from), *to_b = member_side(b, !from);
	const struct flow_side *from_a = member_side(a, from), *from_b = member_side(b, from);
	struct stamp_order r = nearness_by_delay(a, b);

	n->common++;
	n->nearer_a += from == C2S ? r.nearer < 0 : r.nearer > 0;
	n->nearer_b += from == C2S ? r.nearer > 0 : r.nearer < 0;
	n->same += r.same;
	n->apart += r.apart;
	if (!nearness_is_whole(a, b))
		return;
	/* On the way to the end the nearer one has fewer, of what the end sent it has more. */
	n->only_a += nearness_excess(to_a, to_b) + nearness_excess(from_b, from_a);
	n->only_b += nearness_excess(to_b, to_a) + nearness_excess(from_a, from_b);
}

/* A flow that one of them lacks, though both ran: only what went towards the end says anything. */
static void nearness_alone(
	uint64_t *only, const struct member *m, const struct common_span *both, enum direction from)
{
	if (m->flow->first_ns > both->from_ns && m->flow->last_ns < both->to_ns &&
		!member_side(m, from)->packets)
		*only += member_side(m, !from)->packets;
}

struct nearness nearness_to(const struct dataset *data, const struct flows *all, uint32_t a,
	uint32_t b, const uint8_t ip[16])
{
	struct common_span at_a = {INT64_MAX, INT64_MIN}, at_b = {INT64_MAX, INT64_MIN};
	struct nearness n = {0};
	enum direction from;

	assert(a < data->vantage_count && b < data->vantage_count);
	for (uint32_t i = 0; i < all->count; i++) {
		const struct member *ma = nearness_member(all, &all->list[i], a),
				    *mb = nearness_member(all, &all->list[i], b);

		if (!ma || !mb)
			continue;
		nearness_widen(&at_a, ma);
		nearness_widen(&at_b, mb);
		if (nearness_end(ma, ip, &from))
			nearness_compare(&n, ma, mb, from);
	}
	for (uint32_t i = 0; i < all->count && n.common; i++) {
		const struct member *ma = nearness_member(all, &all->list[i], a),
				    *mb = nearness_member(all, &all->list[i], b);

		if (ma && !mb && nearness_end(ma, ip, &from))
			nearness_alone(&n.only_a, ma, &at_a, from);
		if (mb && !ma && nearness_end(mb, ip, &from))
			nearness_alone(&n.only_b, mb, &at_b, from);
	}
	return n;
}

int nearness_sign(const struct nearness *n)
{
	if (n->nearer_a > CONTRADICTION * n->nearer_b)
		return -1;
	if (n->nearer_b > CONTRADICTION * n->nearer_a)
		return 1;
	if (n->nearer_a || n->nearer_b)
		return 0;
	/* The one that lacks packets on their way to the end is the nearer. */
	if (n->only_b && !n->only_a)
		return -1;
	return n->only_a && !n->only_b ? 1 : 0;
}
