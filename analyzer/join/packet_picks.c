#include "join/packet_picks.h"

#include "base/mem.h"
#include "decode/packet.h"

/* How far back a frame is looked for that another event of its flow picked. */
#define PICKED_BEFORE 256

/* Of each direction at each place: segments from the start, from the end, and resets. */
#define ENDS_SHOWN 2
#define RESETS_SHOWN 2

/* The picks of one flow: those of the batch from the first. */
struct packet_picks {
	const struct flow_join *flow;
	struct join_batch *batch;
	uint32_t first;
};

static void packet_picks_add(struct packet_picks *p, uint32_t vantage, const struct segment *s)
{
	struct join_batch *b = p->batch;

	MEM_RESERVE(b->packets, b->packet_count, b->packet_cap);
	b->packets[b->packet_count++] = (struct packet_pick){
		.vantage = vantage, .flow = p->flow->flow, .frame = s->frame, .segment = s};
}

static void packet_picks_add_once(struct packet_picks *p, uint32_t vantage, const struct segment *s)
{
	const struct join_batch *b = p->batch;
	uint32_t from = b->packet_count - p->first > PICKED_BEFORE ? b->packet_count - PICKED_BEFORE
								   : p->first;

	for (uint32_t i = b->packet_count; i-- > from;)
		if (b->packets[i].segment == s)
			return;
	packet_picks_add(p, vantage, s);
}

static void packet_picks_all(struct packet_picks *p)
{
	const struct flow_join *f = p->flow;

	for (uint32_t i = 0; i < f->place_count; i++)
		for (int d = 0; d < 2 && !f->places[i].absent; d++)
			for (uint32_t k = 0; k < f->sent[i][d].count; k++)
				packet_picks_add(p, f->places[i].member.vantage,
					f->sent[i][d].transmissions[k].seg);
}

/*
 * A connection that was refused, reset, not answered or left half open, as some place saw it:
 * findings speak of those, and cite their frames, though nothing of them may have been lost.
 */
static bool packet_picks_cut_short(const struct flow_join *f)
{
	for (uint32_t i = 0; i < f->place_count; i++) {
		const struct flow_side *c, *s;

		if (f->places[i].absent)
			continue;
		c = member_side(&f->places[i].member, C2S);
		s = member_side(&f->places[i].member, S2C);
		if (c->rsts || s->rsts ||
			(c->syns && (!s->syns || c->packets <= c->syns || s->packets == s->syns)))
			return true;
	}
	return false;
}

static void packet_picks_start(struct packet_picks *p)
{
	const struct flow_join *f = p->flow;

	for (uint32_t i = 0; i < f->place_count; i++)
		for (int d = 0; d < 2 && !f->places[i].absent; d++)
			for (uint32_t k = 0; k < f->sent[i][d].count && k < ENDS_SHOWN; k++)
				packet_picks_add_once(p, f->places[i].member.vantage,
					f->sent[i][d].transmissions[k].seg);
}

static void packet_picks_end_of_half(
	struct packet_picks *p, uint32_t vantage, const struct half_flow *l)
{
	uint32_t resets = 0;

	for (uint32_t k = l->count; k-- > 0 && l->count - k <= ENDS_SHOWN;)
		packet_picks_add_once(p, vantage, l->transmissions[k].seg);
	for (uint32_t k = 0; k < l->count && resets < RESETS_SHOWN; k++) {
		if (!(l->transmissions[k].seg->flags & TCP_RST))
			continue;
		packet_picks_add_once(p, vantage, l->transmissions[k].seg);
		resets++;
	}
}

static void packet_picks_end(struct packet_picks *p)
{
	const struct flow_join *f = p->flow;

	for (uint32_t i = 0; i < f->place_count; i++)
		for (int d = 0; d < 2 && !f->places[i].absent; d++)
			packet_picks_end_of_half(p, f->places[i].member.vantage, &f->sent[i][d]);
}

/* Segments of one steady time, which grows with their order. */
static void packet_picks_at(struct packet_picks *p, uint32_t place, enum direction d, int64_t at_ns)
{
	const struct flow_join *f = p->flow;
	const struct half_flow *l = &f->sent[place][d];
	uint32_t vantage = f->places[place].member.vantage, low = 0, high = l->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (clocks_time(f->join->clocks, vantage, l->transmissions[mid].seg) < at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < l->count &&
		clocks_time(f->join->clocks, vantage, l->transmissions[low].seg) == at_ns)
		packet_picks_add_once(p, vantage, l->transmissions[low].seg);
}

/* The packets that a clock's jump against the reference is told by: the last sample before it, and
 * the first after. */
static void packet_picks_steps_at(struct packet_picks *p, uint32_t place)
{
	const struct flow_join *f = p->flow;
	const struct clocks *c = f->join->clocks;
	uint32_t v = f->places[place].member.vantage, low = v < c->reference ? v : c->reference,
		 high = v + c->reference - low;
	const struct clock_model *m;

	if (low == high)
		return;
	m = &clocks_pair(c, low, high)->model;
	for (uint32_t i = 1; i < m->count; i++) {
		const struct clock_piece *before = &m->pieces[i - 1], *after = &m->pieces[i];

		for (int d = 0; d < 2 && after->step_before; d++) {
			packet_picks_at(p, place, (enum direction)d,
				v == low ? before->to_ns : before->other_to_ns);
			packet_picks_at(p, place, (enum direction)d,
				v == low ? after->from_ns : after->other_from_ns);
		}
	}
}

static void packet_picks_steps(struct packet_picks *p)
{
	const struct flow_join *f = p->flow;

	for (uint32_t i = 0; i < f->place_count && f->join->clocks->stepped; i++)
		if (!f->places[i].absent)
			packet_picks_steps_at(p, i);
}

/* The frames of the first events, and of both directions at the start: the handshake explains much.
 */
static void packet_picks_events(struct packet_picks *p, uint32_t first_event)
{
	const struct flow_join *f = p->flow;
	const struct join_batch *b = p->batch;
	uint32_t limit = f->join->options.packets_per_flow;

	for (uint32_t i = first_event;
		i < b->events.count && b->packet_count - p->first + 3 <= limit; i++) {
		const struct event *e = &b->events.events[i];

		if (e->sent)
			packet_picks_add_once(p, e->from, e->sent);
		if (e->received)
			packet_picks_add_once(p, e->to, e->received);
		if (e->proof)
			packet_picks_add_once(p, e->proof_vantage, e->proof);
	}
}

static void packet_picks_shown(struct packet_picks *p, uint32_t first_event)
{
	struct join_batch *b = p->batch;
	bool has_event = first_event < b->events.count,
	     is_short = p->flow->tcp && packet_picks_cut_short(p->flow);

	packet_picks_steps(p);
	if (has_event || is_short)
		packet_picks_start(p);
	if (is_short)
		packet_picks_end(p);
	if (has_event)
		packet_picks_events(p, first_event);
	for (uint32_t i = p->first; i < b->packet_count && is_short && !has_event; i++)
		b->packets[i].is_example = true;
}

void packet_picks_choose(const struct flow_join *f, struct join_batch *b, uint32_t first_event)
{
	struct packet_picks p = {.flow = f, .batch = b, .first = b->packet_count};

	if (f->join->options.packets == PACKETS_ALL)
		packet_picks_all(&p);
	else if (f->join->options.packets == PACKETS_EVENTS)
		packet_picks_shown(&p, first_event);
}
