#include "join/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "base/prefetch.h"
#include "join/both_missed.h"
#include "join/delay.h"
#include "join/packet_picks.h"
#include "join/peer_seconds.h"
#include "join/zero_windows.h"

/* Flows whose chunks are prefetched together (NEAR), and limits to the chains and cache lines of
 * one such group. */
#define NEAR 8
#define CHAINS_MAX 64
#define NEAR_LINES 8192

struct worker {
	struct flow_join flow;
	struct path_scratch scratch;
	struct both_missed both_missed;
};

static void worker_note_skipped(const struct flow_join *f, struct join_batch *b)
{
	for (uint32_t i = 0; i < f->place_count; i++)
		for (int d = 0; d < 2; d++)
			b->copies_skipped[f->places[i].member.vantage] +=
				f->sent[i][d].copies_skipped;
}

/* Room for what the next path comes to. */
static struct path_counts *worker_next_counts(struct join_batch *b)
{
	MEM_RESERVE(b->paths, b->path_count, b->path_cap);
	return &b->paths[b->path_count].counts;
}

static void worker_keep_path(struct join_batch *b, uint32_t flow, uint32_t leg)
{
	struct path_result *p = &b->paths[b->path_count];

	if (!p->counts.sent.segments && !p->counts.received.segments)
		return;
	assert(!b->path_count || p[-1].event_end <= b->events.count);
	p->flow = flow;
	p->leg = leg;
	p->event_end = b->events.count;
	b->path_count++;
}

/*
 * Datagrams to a link's own groups, none of which is seen at both places: two links, not one path.
 * Reports of group membership go where a switch sees fit, one here and another one there.
 */
static bool worker_on_other_links(const struct flow_join *f, uint32_t i, enum direction d)
{
	const struct matcher *m = &f->matchers[i][d];
	uint32_t first = f->ways[d].places[i];
	const struct place *near = &f->places[f->places[first].absent ? first + 1 : first];
	const uint8_t *to = member_ip(&near->member, d == S2C);

	if (m->traits.tcp || !ip_is_link_group(to))
		return false;
	for (uint32_t k = 0; k < m->sent->count && !ip_is_report_group(to); k++)
		if (m->sent->transmissions[k].match != TRANSMISSION_NONE)
			return false;
	return true;
}

/* The capture that speaks for a place in a direction: of parallel ones one that shows it. */
static uint32_t worker_vantage(const struct place *p, enum direction d)
{
	return p->absent ? p->member.vantage : shown_member(&p->shown, d)->vantage;
}

static void worker_judge_path(
	struct worker *w, struct join_batch *b, uint32_t leg, enum direction d)
{
	struct flow_join *f = &w->flow;
	const struct join *j = f->join;
	uint32_t i = flow_join_from(f, leg, d), k = flow_join_to(f, leg, d);
	uint32_t first_event = b->events.count;
	const struct member *to = &f->places[k].member, *from = &f->places[i].member;
	struct path path = {.scratch = &w->scratch,
		.out = {.events = &b->events, .counts = worker_next_counts(b)},
		.in = {.data = j->data,
			.clocks = j->clocks,
			.clock_memo = &f->clock_memo,
			.direction = d,
			.from = worker_vantage(&f->places[i], d),
			.to = worker_vantage(&f->places[k], d),
			.filter = j->options.filter,
			.sent = f->matchers[leg][d].sent,
			.received = f->matchers[leg][d].received,
			.matcher = &f->matchers[leg][d],
			.acks_from = &f->sent[i][!d],
			.acks_to = &f->sent[k][!d],
			.from_is_first = i == (d == C2S ? 0 : f->place_count - 1),
			.to_is_last = k == (d == C2S ? f->place_count - 1 : 0),
			.from_shown = &f->places[i].shown,
			.to_shown = &f->places[k].shown,
			.to_is_end = to->owns[!d],
			.flow_absent = f->places[k].absent,
			.sender_absent = f->places[i].absent}};

	path.in.scope = path.in.flow_absent	? scope_of(j->data, to->vantage, from, d)
			: path.in.sender_absent ? scope_of(j->data, from->vantage, to, d)
						: SCOPE_SERVICE;
	if (scope_lacks_sending(&path))
		return;
	path_judge(&path);
	both_missed_find(&path);
	delay_measure(&path);
	outages_find(&path, f->flow, first_event, &b->outages);
	/* A path without segments gets no row: events of it would be filed under the next path. */
	assert(b->events.count == first_event || path.out.counts->sent.segments ||
		path.out.counts->received.segments);
	worker_keep_path(b, f->flow, f->first_leg + leg);
}

/* Judges the flow's paths: each leg in both directions. */
static void worker_follow(struct worker *w, struct join_batch *b)
{
	struct flow_join *f = &w->flow;

	flow_join_match(f);
	for (uint32_t leg = 0; leg + 1 < f->place_count; leg++)
		for (int d = 0; d < 2; d++)
			if (leg + 1 < f->ways[d].count &&
				!worker_on_other_links(f, leg, (enum direction)d))
				worker_judge_path(w, b, leg, (enum direction)d);
}

/* Which direction goes to many: to a group's or broadcast address, or in frames to a group's MAC.
 */
static bool worker_is_to_group(const struct flow_join *f, enum direction *ret)
{
	for (int d = 0; d < 2; d++) {
		for (uint32_t i = 0; i < f->place_count; i++) {
			const struct member *m = &f->places[i].member;
			struct segment_walk walk;
			const struct segment *s;

			if (f->places[i].absent)
				continue;
			walk = walk_direction(m, (enum direction)d);
			s = walk_next(&walk);
			*ret = (enum direction)d;
			if (s && (!ip_is_unicast(member_ip(m, d == S2C)) ||
					 (s->dst_mac != MAC_NONE &&
						 vantage_mac(&f->join->data->vantages[m->vantage],
							 s->dst_mac)[0] &
							 1)))
				return true;
		}
	}
	return false;
}

/*
 * The place from which datagrams to a group reach all others: the sender's; if it was not captured,
 * the place nearest to the sender, unless that is a receiver like the others. PLACES_MAX: none.
 */
static uint32_t worker_group_source(const struct flow_join *f, enum direction d)
{
	uint32_t nearest = d == C2S ? 0 : f->place_count - 1;

	for (uint32_t i = 0; i < f->place_count; i++)
		if (!f->places[i].absent && f->places[i].member.owns[d])
			return i;
	return f->join->data->vantages[f->places[nearest].member.vantage].inferred.sees_its_own
		       ? PLACES_MAX
		       : nearest;
}

/* One receiver of a datagram to a group is not on the way to the next one: each has a path of its
 * own from the source. */
static void worker_follow_to_each(struct worker *w, struct join_batch *b, enum direction d)
{
	struct flow_join *f = &w->flow;
	uint32_t n = f->place_count, source = worker_group_source(f, d);
	struct place all[PLACES_MAX];

	memcpy(all, f->places, n * sizeof(*all));
	f->place_count = 2;
	for (uint32_t i = 0; i < n && source != PLACES_MAX; i++) {
		if (i == source)
			continue;
		f->places[0] = all[i < source ? i : source];
		f->places[1] = all[i < source ? source : i];
		f->first_leg = i - (i > source);
		flow_join_load(f);
		worker_follow(w, b);
	}
	f->first_leg = 0;
	f->place_count = n;
	memcpy(f->places, all, n * sizeof(*all));
	flow_join_load(f);
}

/* The half-flow of the sending side that was matched with what arrived at this place, which is an
 * end of the direction's way; NULL: none. */
static const struct half_flow *worker_sent_half(
	const struct flow_join *f, uint32_t place, enum direction d)
{
	uint32_t legs = f->ways[d].count ? f->ways[d].count - 1 : 0;

	if (place && place + 1 < f->place_count)
		return NULL;
	for (uint32_t i = 0; i < legs; i++)
		if (flow_join_to(f, i, d) == place)
			return f->matchers[i][d].sent;
	return NULL;
}

/* The place of the host that a direction is for: it owns the address; where nobody does, the last
 * place of several, if it is known to be. */
static bool worker_is_end(const struct flow_join *f, uint32_t place, enum direction d)
{
	const struct member *m = &f->places[place].member;
	uint32_t last = d == C2S ? f->place_count - 1 : 0;

	if (m->owns[C2S] || m->owns[S2C])
		return m->owns[!d] && !m->owns[d];
	return f->place_count > 1 && place == last &&
	       order_is_known(f->places[d == C2S ? last - 1 : last].member.next_by) &&
	       owner_of(f->join->owners, member_ip(m, d == S2C)) == OWNER_NONE;
}

/* Segments that arrived at the host they were addressed to, and that it did not take. */
static void worker_find_untaken(struct worker *w, struct join_batch *b)
{
	const struct flow_join *f = &w->flow;

	for (uint32_t i = 0; i < f->place_count; i++) {
		const struct place *p = &f->places[i];

		for (int d = 0; d < 2 && !p->absent; d++) {
			struct untaken_input in = {.received = &f->sent[i][d],
				.acks = &f->sent[i][!d],
				.sent = worker_sent_half(f, i, (enum direction)d),
				.flow = f->flow,
				.vantage = p->member.vantage,
				.end_ns = f->join->data->vantages[p->member.vantage].span.last_ns};

			if (worker_is_end(f, i, (enum direction)d))
				untaken_find(&in, &w->scratch.proofs.to, &b->untaken);
		}
	}
}

static void worker_join_flow(struct worker *w, struct join_batch *b, uint32_t flow)
{
	struct flow_join *f = &w->flow;
	const struct flow *joined = &f->join->all->list[flow];
	uint32_t first_event = b->events.count;
	enum direction to_group;

	f->flow = flow;
	f->tcp = f->join->all->members[joined->first_member].flow->key.protocol == 6;
	f->place_count = places_lay_out(f->join, joined, f->places);
	if (!f->place_count)
		return;
	flow_join_load(f);
	worker_note_skipped(f, b);
	zero_windows_find(f, b);
	peer_seconds_count(f, b);
	if (!f->tcp && f->place_count > 1 && worker_is_to_group(f, &to_group))
		worker_follow_to_each(w, b, to_group);
	else
		worker_follow(w, b);
	worker_find_untaken(w, b);
	packet_picks_choose(f, b, first_event);
}

/* Appends the first chunk of each of the flow's vantage points to the n that are there. */
static uint32_t worker_chains_of(
	const struct join *j, uint32_t flow, const struct segment_chunk **chains, uint32_t n)
{
	uint32_t i = j->all->list[flow].first_member;

	for (; i != MEMBER_NONE && n < CHAINS_MAX; i = j->all->members[i].next)
		chains[n++] = j->all->members[i].flow->head;
	return n;
}

/*
 * The chunks of a flow are a linked list, scattered over memory in the order of capture. Following
 * one list after another would wait for memory at each link; following many at once overlaps these
 * waits.
 */
static void worker_prefetch_group(const struct join *j, uint32_t begin, uint32_t end)
{
	const struct segment_chunk *chains[CHAINS_MAX];
	uint32_t n = 0, lines = 0;

	for (uint32_t i = begin; i < end; i++)
		n = worker_chains_of(j, j->order[i], chains, n);
	while (n && lines < NEAR_LINES) {
		for (uint32_t i = 0; i < n;) {
			const struct segment_chunk *c = chains[i];

			if (!c) {
				chains[i] = chains[--n];
				continue;
			}
			lines += (uint32_t)prefetch_to_read(
				c, sizeof(*c) + c->used * sizeof(struct segment));
			if (c->next)
				prefetch_line(c->next);
			chains[i++] = c->next;
		}
	}
}

void worker_run(struct worker *w, struct join_batch *b)
{
	const struct join *j = w->flow.join;

	assert(b->begin < b->end && b->end <= j->all->count);
	b->copies_skipped = mem_array(j->data->vantage_count + 1, sizeof(*b->copies_skipped));
	/* Mostly two places: a path for each direction. */
	b->path_cap = 2 * (b->end - b->begin);
	b->paths = mem_alloc(b->path_cap * sizeof(*b->paths));
	for (uint32_t i = b->begin; i < b->end; i++) {
		if (i + 2 * NEAR < b->end)
			flow_prefetch(j->all, j->order[i + 2 * NEAR]);
		if ((i - b->begin) % NEAR == 0)
			worker_prefetch_group(j, i, i + NEAR < b->end ? i + NEAR : b->end);
		worker_join_flow(w, b, j->order[i]);
	}
}

struct worker *worker_new(const struct join *j)
{
	struct worker *w = mem_zalloc(sizeof(*w));

	w->flow.join = j;
	w->flow.clock_memo.clocks = j->clocks;
	w->scratch.both_missed = &w->both_missed;
	return w;
}

void worker_free(struct worker *w)
{
	flow_join_release(&w->flow);
	proofs_release(&w->scratch.proofs);
	both_missed_release(&w->both_missed);
	free(w->scratch.delays);
	free(w);
}
