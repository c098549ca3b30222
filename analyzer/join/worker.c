#include "join/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "base/prefetch.h"
#include "base/nsec.h"
#include "decode/packet.h"
#include "flow/summary.h"
#include "join/beside.h"
#include "join/both_missed.h"
#include "join/delay.h"
#include "join/way.h"

#define MSS_DEFAULT 1448
#define MSS_ETHERNET 1460
/* The time stamp option with its padding: RFC 7323 appendix A. */
#define TIMESTAMP_SPACE 12
/* Conversations whose records are brought near together, most of their flows, and most cache lines
 * of them. */
#define NEAR 8
#define CHAINS_MAX 64
#define NEAR_LINES 8192

/* A vantage point along a flow's path. */
struct place {
	struct member member;
	struct shown shown; /* with the members beside it */
	bool absent;	    /* its host is an end, but it saw nothing: member has no flow there */
};

struct worker {
	const struct join *join;
	struct place places[PLACES_MAX];
	uint32_t place_count;
	uint32_t first_leg; /* number of the first leg between the places */
	struct way
		ways[2]; /* of its places, by direction; leg i lies between the ith and the next */
	struct half_flow sent[PLACES_MAX][2],
		received[PLACES_MAX]
			[2]; /* received: in the middle, where a half-flow has both roles */
	struct matcher matchers[PLACES_MAX][2];
	struct path_scratch scratch;
	struct both_missed both_missed;
	struct clock_memo clock_memo;
};

static void worker_add_place(struct worker *w, const struct member *m, bool absent)
{
	if (w->place_count < PLACES_MAX)
		w->places[w->place_count++] = (struct place){.member = *m,
			.absent = absent,
			.shown = {.members = {m}, .count = !absent}};
}

static bool worker_has_place_of_host(const struct worker *w, uint32_t host)
{
	for (uint32_t i = 0; i < w->place_count; i++)
		if (w->join->data->vantages[w->places[i].member.vantage].host == host)
			return true;
	return false;
}

/* Of a host's places the one that would most likely have shown the flow. False: it has no capture
 * of an interface. */
static bool worker_find_witness(
	const struct dataset *data, uint32_t host, const struct member *flow, uint32_t *ret_vantage)
{
	int best = -1;

	for (uint32_t i = 0; i < data->hosts[host].vantage_count; i++) {
		uint32_t vantage = data->hosts[host].vantages[i];
		int scope;

		if (data->vantages[vantage].kind != VANTAGE_NIC ||
			!data->vantages[vantage].counts.frames)
			continue;
		scope = (int)scope_of(data, vantage, flow, C2S);
		if ((int)scope_of(data, vantage, flow, S2C) > scope)
			scope = (int)scope_of(data, vantage, flow, S2C);
		if (scope > best) {
			best = scope;
			*ret_vantage = vantage;
		}
	}
	return best >= 0;
}

/* Does a place show that its own host speaks for an end: by its own MAC, with a TTL that nobody
 * counted down? Then no other host is that end, whoever had the address before or had it later. */
static bool worker_speaks_itself(const struct worker *w, const struct member *m, enum direction d)
{
	const struct vantage *v = &w->join->data->vantages[m->vantage];
	struct segment_walk walk = walk_direction(m, d);
	const struct segment *s = walk_next(&walk);

	return s && v->inferred.own_mac != MAC_NONE && s->src_mac == v->inferred.own_mac &&
	       summary_is_initial_ttl(s->ttl);
}

/* The host that owns an end of the flow and has a capture, but no record of this flow. */
static void worker_add_absent_end(struct worker *w, const struct member *near, bool client)
{
	const struct dataset *data = w->join->data;
	/* For all that is known, numbers are there as at the place next to it. */
	struct member m = {.next = MEMBER_NONE, .delta = {near->delta[C2S], near->delta[S2C]}};
	uint32_t host;

	if (near->owns[client ? C2S : S2C] || !w->place_count ||
		worker_speaks_itself(w, near, client ? C2S : S2C))
		return;
	host = owner_of(w->join->owners, member_ip(near, client));
	if (host == OWNER_NONE || worker_has_place_of_host(w, host))
		return;
	for (int d = 0; d < 2; d++)
		m.owns[d] = owner_of(w->join->owners, member_ip(near, d == C2S)) == host;
	if (!worker_find_witness(data, host, near, &m.vantage))
		return;
	if (client && w->place_count < PLACES_MAX) {
		memmove(&w->places[1], &w->places[0], w->place_count * sizeof(w->places[0]));
		w->place_count++;
		w->places[0] = (struct place){.member = m, .absent = true};
	} else if (!client) {
		worker_add_place(w, &m, true);
	}
}

/* Were frames of these MACs flooded to a capture? Not those of its own MAC; where that is unknown,
 * those to a MAC that never speaks here, if the capture shows both directions of others. */
static bool worker_is_flooded(const struct vantage *v, const struct segment *s)
{
	if (s->dst_mac == MAC_NONE || vantage_mac(v, s->dst_mac)[0] & 1)
		return false;
	if (v->inferred.sees_its_own)
		return s->dst_mac != v->inferred.own_mac && s->src_mac != v->inferred.own_mac;
	return v->counts.answered_frames && !v->inferred.speaking_macs[s->dst_mac];
}

/*
 * A place beside the path: what it has of the flow was flooded to it, for a switch floods what is
 * for a MAC that it does not know. One way only, and between others. It misses the rest of the
 * flow without any fault.
 */
static bool worker_is_onlooker(const struct join *j, const struct member *m)
{
	const struct vantage *v = &j->data->vantages[m->vantage];
	enum direction d = member_side(m, C2S)->packets ? C2S : S2C;
	struct segment_walk walk;
	const struct segment *s;

	if ((m->flow->side[0].packets && m->flow->side[1].packets) || m->owns[C2S] || m->owns[S2C])
		return false;
	walk = walk_direction(m, d);
	s = walk_next(&walk);
	return s && worker_is_flooded(v, s);
}

/* A member at the place of its host that it stands beside, or at one of its own. */
static void worker_add_member(struct worker *w, const struct member *m)
{
	for (uint32_t i = 0; i < w->place_count; i++) {
		struct shown *shown = &w->places[i].shown;
		uint32_t beside = 0;

		while (beside < shown->count &&
			beside_each_other(w->join->data, shown->members[beside], m))
			beside++;
		if (beside && beside == shown->count && beside < SHOWN_MAX) {
			shown->members[shown->count++] = m;
			/* The first stands for the place. */
			if (shown->members[0]->stray) {
				shown->members[shown->count - 1] = shown->members[0];
				shown->members[0] = m;
				w->places[i].member = *m;
			}
			return;
		}
	}
	worker_add_place(w, m, false);
}

/* Netfilter records are what a rule chose to log: no evidence of absence, so no path. */
static void worker_lay_out(struct worker *w, const struct flow *c)
{
	const struct join *j = w->join;
	struct member first = j->all->members[c->first_member], last = first;

	w->place_count = 0;
	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = j->all->members[i].next) {
		last = j->all->members[i];
		if (j->data->vantages[last.vantage].kind == VANTAGE_NIC &&
			!worker_is_onlooker(j, &last))
			worker_add_member(w, &j->all->members[i]);
	}
	if (c->pairing == PAIRED_PROXY || c->pairing == PAIRED_AMBIGUOUS)
		return;
	worker_add_absent_end(w, &first, true);
	worker_add_absent_end(w, &last, false);
}

/* Sequence numbers that are offset 0: initial ones where a SYN was seen, else the first seen. */
static void worker_find_bases(const struct worker *w, uint32_t base[2])
{
	for (int d = 0; d < 2; d++) {
		bool found = false, isn = false;

		base[d] = 0;
		for (uint32_t i = 0; i < w->place_count && !isn; i++) {
			const struct member *m = &w->places[i].member;
			const struct flow_side *side;

			if (w->places[i].absent)
				continue;
			side = member_side(shown_member(&w->places[i].shown, (enum direction)d),
				(enum direction)d);
			isn = side->has_isn;
			if (isn || (side->seen && !found))
				base[d] = (isn ? side->isn : side->first_seq) - m->delta[d];
			found |= side->seen;
		}
	}
}

/* Payload of a full wire segment: the smaller MSS of both SYNs, less the time stamp option. */
static uint32_t worker_segment_size(const struct worker *w)
{
	uint32_t mss = 0, largest = 0;
	bool timestamps = false;

	for (uint32_t i = 0; i < w->place_count; i++) {
		if (w->places[i].absent)
			continue;
		for (int d = 0; d < 2; d++) {
			const struct member *m =
				shown_member(&w->places[i].shown, (enum direction)d);
			const struct flow_side *s = member_side(m, (enum direction)d);
			const struct half_flow *l = &w->sent[i][d];

			if (s->mss && (!mss || s->mss < mss))
				mss = s->mss;
			for (uint32_t k = 0; k < l->count && (!mss || !timestamps); k++) {
				const struct segment *seg = l->transmissions[k].seg;

				timestamps |=
					seg->bits & SEGMENT_TIMESTAMP && !(seg->flags & TCP_SYN);
				if (seg->length > largest && seg->length <= MSS_ETHERNET)
					largest = seg->length;
			}
		}
	}
	/* Where the snap length cut the options, the largest segment shows that they were there. */
	if (mss > TIMESTAMP_SPACE)
		return mss - (timestamps || largest == mss - TIMESTAMP_SPACE ? TIMESTAMP_SPACE : 0);
	return largest ? largest : MSS_DEFAULT;
}

/* The capture at the sender itself sees each packet once: a duplicate there is the capture's doing.
 */
static bool worker_skip_duplicates(const struct worker *w, const struct place *p, enum direction d)
{
	return w->join->duplicates_by_capture[p->member.vantage] || p->member.owns[d];
}

/* In the middle a half-flow for each role: towards the next place it is the sender's, from the one
 * before the receiver's. */
static void worker_load_halves(struct worker *w)
{
	uint32_t base[2];

	worker_find_bases(w, base);
	for (uint32_t i = 0; i < w->place_count; i++) {
		const struct member *m = &w->places[i].member;
		bool skip[2] = {worker_skip_duplicates(w, &w->places[i], C2S),
			worker_skip_duplicates(w, &w->places[i], S2C)};

		if (w->places[i].absent)
			w->places[i].shown.members[0] = m;
		half_flows_load(w->sent[i], &w->places[i].shown, base, skip);
		if (i && i + 1 < w->place_count)
			half_flows_load(w->received[i], &w->places[i].shown, base, skip);
	}
}

static void worker_note_skipped(const struct worker *w, struct join_batch *b)
{
	for (uint32_t i = 0; i < w->place_count; i++)
		for (int d = 0; d < 2; d++)
			b->copies_skipped[w->places[i].member.vantage] +=
				w->sent[i][d].copies_skipped;
}

/* At the ends of the path a half-flow has one role only. */
static struct half_flow *worker_received_half(struct worker *w, uint32_t i, enum direction d)
{
	return i && i + 1 < w->place_count ? &w->received[i][d] : &w->sent[i][d];
}

static void worker_find_ways(struct worker *w)
{
	struct way_place places[PLACES_MAX];

	for (uint32_t i = 0; i < w->place_count; i++) {
		const struct place *p = &w->places[i];

		places[i] = (struct way_place){.shown = w->sent[i],
			.span = &w->join->data->vantages[p->member.vantage].span,
			.is_end = p->absent || p->member.owns[C2S] || p->member.owns[S2C]};
	}
	for (int d = 0; d < 2; d++)
		w->ways[d] = way_of(places, w->place_count, (enum direction)d);
}

/* The places that a leg runs from and to. */
static uint32_t worker_leg_from(const struct worker *w, uint32_t leg, enum direction d)
{
	return w->ways[d].places[d == C2S ? leg : leg + 1];
}

static uint32_t worker_leg_to(const struct worker *w, uint32_t leg, enum direction d)
{
	return w->ways[d].places[d == C2S ? leg + 1 : leg];
}

static void worker_match_path(
	struct worker *w, uint32_t i, enum direction d, uint32_t mss, bool tcp)
{
	uint32_t from = worker_leg_from(w, i, d), to = worker_leg_to(w, i, d);
	struct matcher *m = &w->matchers[i][d];

	assert(i + 1 < w->ways[d].count);
	m->sent = &w->sent[from][d];
	m->received = worker_received_half(w, to, d);
	m->traits.tcp = tcp;
	m->causality = (struct causality){.clocks = &w->clock_memo,
		.steady = &w->join->data->vantages[w->places[from].member.vantage].steady,
		.since = INT64_MAX,
		.until = INT64_MIN,
		.from = w->places[from].member.vantage,
		.to = w->places[to].member.vantage};
	/* One host's two taps may be stamped in either order. */
	if (w->join->data->vantages[m->causality.from].host ==
		w->join->data->vantages[m->causality.to].host)
		m->causality.clocks = NULL;
	match_half_flows(m, mss);
}

/* What a vantage point in the middle lacks, its neighbours may both have. */
static void worker_match_across(struct worker *w, uint32_t i, enum direction d)
{
	struct matcher *first = &w->matchers[d == C2S ? i : i + 1][d],
		       *second = &w->matchers[d == C2S ? i + 1 : i][d];

	if (first->missing.count && second->extra.count)
		match_at_third(first->sent, second->received, &first->traits);
}

static void worker_match_way(struct worker *w, enum direction d, uint32_t mss, bool tcp)
{
	for (uint32_t i = 0; i + 1 < w->ways[d].count; i++)
		worker_match_path(w, i, d, mss, tcp);
	for (uint32_t i = 0; i + 2 < w->ways[d].count; i++)
		worker_match_across(w, i, d);
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
static bool worker_on_other_links(const struct worker *w, uint32_t i, enum direction d)
{
	const struct matcher *m = &w->matchers[i][d];
	uint32_t first = w->ways[d].places[i];
	const struct place *near = &w->places[w->places[first].absent ? first + 1 : first];
	const uint8_t *to = member_ip(&near->member, d == S2C);

	if (m->traits.tcp || !ip_is_link_group(to))
		return false;
	for (uint32_t k = 0; k < m->sent->count && !ip_is_report_group(to); k++)
		if (m->sent->transmissions[k].match != TRANSMISSION_NONE)
			return false;
	return true;
}

static void worker_judge_path(
	struct worker *w, struct join_batch *b, uint32_t flow, uint32_t i, enum direction d)
{
	const struct join *j = w->join;
	uint32_t f = worker_leg_from(w, i, d), t = worker_leg_to(w, i, d);
	uint32_t first_event = b->events.count;
	const struct member *to = &w->places[t].member, *from = &w->places[f].member;
	struct path path = {.scratch = &w->scratch,
		.out = {.events = &b->events, .counts = worker_next_counts(b)},
		.in = {.data = j->data,
			.owners = j->owners,
			.clocks = j->clocks,
			.clock_memo = &w->clock_memo,
			.direction = d,
			.from = from->vantage,
			.to = to->vantage,
			.filter = j->options.filter,
			.sent = w->matchers[i][d].sent,
			.received = w->matchers[i][d].received,
			.matcher = &w->matchers[i][d],
			.acks_from = &w->sent[f][!d],
			.acks_to = &w->sent[t][!d],
			.from_is_first = f == (d == C2S ? 0 : w->place_count - 1),
			.to_is_last = t == (d == C2S ? w->place_count - 1 : 0),
			.from_shown = &w->places[f].shown,
			.to_shown = &w->places[t].shown,
			.to_is_end = to->owns[!d],
			.flow_absent = w->places[t].absent,
			.sender_absent = w->places[f].absent}};

	path.in.scope = path.in.flow_absent	? scope_of(j->data, to->vantage, from, d)
			: path.in.sender_absent ? scope_of(j->data, from->vantage, to, d)
						: SCOPE_SERVICE;
	if (scope_lacks_sending(&path))
		return;
	path_judge(&path);
	both_missed_find(&path);
	delay_measure(&path);
	outages_find(&path, flow, first_event, &b->outages);
	/* Events of a path that is not kept would become the next one's. */
	assert(b->events.count == first_event || path.out.counts->sent.segments ||
		path.out.counts->received.segments);
	worker_keep_path(b, flow, w->first_leg + i);
}

static void worker_add_window(
	struct join_batch *b, uint32_t flow, const struct zero_window_row *row)
{
	MEM_RESERVE(b->windows, b->window_count, b->window_cap);
	if (b->window_flow_cap < b->window_cap) {
		b->window_flow_cap = b->window_cap;
		b->window_flow = mem_grow(b->window_flow, b->window_cap, sizeof(uint32_t));
	}
	b->window_flow[b->window_count] = flow;
	b->windows[b->window_count++] = *row;
}

/* Probes of the other side while the window is shut: at most one byte, at or below what is
 * acknowledged. */
static uint32_t worker_count_probes(const struct half_flow *other, int64_t from_ns, int64_t to_ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < other->count; i++) {
		const struct segment *s = other->transmissions[i].seg;

		n += s->time_ns > from_ns && s->time_ns <= to_ns && s->length <= 1;
	}
	return n;
}

/* Spans in which one side announced window 0, as one place saw them. */
static void worker_find_zero_windows(
	struct worker *w, struct join_batch *b, uint32_t flow, uint32_t place, enum direction d)
{
	const struct half_flow *l = &w->sent[place][d];
	struct zero_window_row row = {
		.vantage = w->places[place].member.vantage, .direction = (uint8_t)d};

	for (uint32_t i = 0; i < l->count; i++) {
		const struct segment *s = l->transmissions[i].seg;
		bool shut = !s->window && !(s->flags & (TCP_SYN | TCP_RST));

		if (shut && !row.first) {
			row.first = s;
			row.from_ns = s->time_ns;
		}
		if (!row.first || (shut && i + 1 < l->count))
			continue;
		row.to_ns = s->time_ns;
		row.probes = worker_count_probes(&w->sent[place][!d], row.from_ns, row.to_ns);
		worker_add_window(b, flow, &row);
		row.first = NULL;
	}
}

static void worker_zero_windows(struct worker *w, struct join_batch *b, uint32_t flow)
{
	for (uint32_t i = 0; i < w->place_count; i++)
		for (int d = 0; d < 2; d++)
			if (!w->places[i].absent &&
				member_side(shown_member(&w->places[i].shown, (enum direction)d),
					(enum direction)d)
					->zero_windows)
				worker_find_zero_windows(w, b, flow, i, (enum direction)d);
}

static bool worker_same_peers(const struct peer_key *a, const struct peer_key *b)
{
	return a->second_ns == b->second_ns && le64(a->src + 8) == le64(b->src + 8) &&
	       le64(a->dst + 8) == le64(b->dst + 8) && le64(a->src) == le64(b->src) &&
	       le64(a->dst) == le64(b->dst) && a->vantage == b->vantage;
}

/* Conversations of one time are often between the same addresses; a row that was forgotten is begun
 * again. */
static void worker_add_second(struct join_batch *b, const struct peer_key *key, uint32_t frames)
{
	uint64_t mixed = (le64(key->src + 8) ^ le64(key->dst + 8) * 3 ^ (uint64_t)key->second_ns ^
				 key->vantage) *
			 UINT64_C(0x9e3779b97f4a7c15);
	uint32_t *recent = &b->recent_seconds[mixed >> (64 - RECENT_SECONDS_BITS)];

	if (*recent && worker_same_peers(&b->seconds[*recent - 1].key, key)) {
		b->seconds[*recent - 1].frames += frames;
		return;
	}
	MEM_RESERVE(b->seconds, b->second_count, b->second_cap);
	b->seconds[b->second_count++] = (struct peer_second){.key = *key, .frames = frames};
	*recent = b->second_count;
}

/* Counts the frames of one half-flow in the quiet seconds. */
static void worker_note_seconds(
	struct worker *w, struct join_batch *b, uint32_t place, enum direction d)
{
	const struct half_flow *l = &w->sent[place][d];
	const struct member *m = &w->places[place].member;
	struct peer_key key = {.vantage = m->vantage};

	memcpy(key.src, member_ip(m, d == C2S), 16);
	memcpy(key.dst, member_ip(m, d != C2S), 16);
	for (uint32_t i = 0, next; i < l->count; i = next) {
		int64_t t = l->transmissions[i].seg->time_ns;

		key.second_ns = t - t % NSEC_PER_SEC;
		for (next = i + 1; next < l->count &&
				   (uint64_t)(l->transmissions[next].seg->time_ns - key.second_ns) <
					   NSEC_PER_SEC;
			next++)
			;
		if (idle_at(w->join->idle, m->vantage, t))
			worker_add_second(b, &key, next - i);
	}
}

static void worker_idle_seconds(struct worker *w, struct join_batch *b)
{
	if (!w->join->idle->count)
		return;
	for (uint32_t i = 0; i < w->place_count; i++)
		for (int d = 0; d < 2; d++)
			if (!w->places[i].absent)
				worker_note_seconds(w, b, i, (enum direction)d);
}

static void worker_pick(
	struct join_batch *b, uint32_t vantage, uint32_t flow, const struct segment *s)
{
	MEM_RESERVE(b->packets, b->packet_count, b->packet_cap);
	b->packets[b->packet_count++] = (struct packet_pick){
		.vantage = vantage, .flow = flow, .frame = s->frame, .segment = s};
}

/* How far back a frame is looked for that another event of its flow picked. */
#define PICKED_BEFORE 256

static void worker_pick_once(struct join_batch *b, uint32_t first, uint32_t vantage, uint32_t flow,
	const struct segment *s)
{
	uint32_t from =
		b->packet_count - first > PICKED_BEFORE ? b->packet_count - PICKED_BEFORE : first;

	for (uint32_t i = b->packet_count; i-- > from;)
		if (b->packets[i].segment == s)
			return;
	worker_pick(b, vantage, flow, s);
}

static void worker_pick_all(struct worker *w, struct join_batch *b, uint32_t flow)
{
	for (uint32_t i = 0; i < w->place_count; i++)
		for (int d = 0; d < 2 && !w->places[i].absent; d++)
			for (uint32_t k = 0; k < w->sent[i][d].count; k++)
				worker_pick(b, w->places[i].member.vantage, flow,
					w->sent[i][d].transmissions[k].seg);
}

/*
 * A connection that was refused, reset, not answered or left half open, as some place saw it:
 * findings speak of those, and cite their frames, though nothing of them may have been lost.
 */
static bool worker_is_cut_short(const struct worker *w)
{
	for (uint32_t i = 0; i < w->place_count; i++) {
		const struct flow_side *c, *s;

		if (w->places[i].absent)
			continue;
		c = member_side(&w->places[i].member, C2S);
		s = member_side(&w->places[i].member, S2C);
		if (c->rsts || s->rsts ||
			(c->syns && (!s->syns || c->packets <= c->syns || s->packets == s->syns)))
			return true;
	}
	return false;
}

/* Of each direction at each place: segments from the start, from the end, and resets. */
#define ENDS_SHOWN 2
#define RESETS_SHOWN 2

static void worker_pick_start(struct worker *w, struct join_batch *b, uint32_t flow, uint32_t first)
{
	for (uint32_t i = 0; i < w->place_count; i++)
		for (int d = 0; d < 2 && !w->places[i].absent; d++)
			for (uint32_t k = 0; k < w->sent[i][d].count && k < ENDS_SHOWN; k++)
				worker_pick_once(b, first, w->places[i].member.vantage, flow,
					w->sent[i][d].transmissions[k].seg);
}

static void worker_pick_end_of_half(struct join_batch *b, uint32_t flow, uint32_t first,
	uint32_t vantage, const struct half_flow *l)
{
	uint32_t resets = 0;

	for (uint32_t k = l->count; k-- > 0 && l->count - k <= ENDS_SHOWN;)
		worker_pick_once(b, first, vantage, flow, l->transmissions[k].seg);
	for (uint32_t k = 0; k < l->count && resets < RESETS_SHOWN; k++) {
		if (!(l->transmissions[k].seg->flags & TCP_RST))
			continue;
		worker_pick_once(b, first, vantage, flow, l->transmissions[k].seg);
		resets++;
	}
}

static void worker_pick_end(struct worker *w, struct join_batch *b, uint32_t flow, uint32_t first)
{
	for (uint32_t i = 0; i < w->place_count; i++)
		for (int d = 0; d < 2 && !w->places[i].absent; d++)
			worker_pick_end_of_half(
				b, flow, first, w->places[i].member.vantage, &w->sent[i][d]);
}

/* Segments of one steady time, which grows with their order. */
static void worker_pick_at(struct worker *w, struct join_batch *b, uint32_t flow, uint32_t first,
	uint32_t place, enum direction d, int64_t at_ns)
{
	const struct half_flow *l = &w->sent[place][d];
	uint32_t vantage = w->places[place].member.vantage, low = 0, high = l->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (clocks_time(w->join->clocks, vantage, l->transmissions[mid].seg) < at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < l->count &&
		clocks_time(w->join->clocks, vantage, l->transmissions[low].seg) == at_ns)
		worker_pick_once(b, first, vantage, flow, l->transmissions[low].seg);
}

/* The packets that a clock's jump against the reference is told by: the last sample before it, and
 * the first after. */
static void worker_pick_steps_at(
	struct worker *w, struct join_batch *b, uint32_t flow, uint32_t first, uint32_t place)
{
	const struct clocks *c = w->join->clocks;
	uint32_t v = w->places[place].member.vantage, low = v < c->reference ? v : c->reference,
		 high = v + c->reference - low;
	const struct clock_model *m;

	if (low == high)
		return;
	m = &clocks_pair(c, low, high)->model;
	for (uint32_t i = 1; i < m->count; i++) {
		const struct clock_piece *before = &m->pieces[i - 1], *after = &m->pieces[i];

		for (int d = 0; d < 2 && after->step_before; d++) {
			worker_pick_at(w, b, flow, first, place, (enum direction)d,
				v == low ? before->to_ns : before->other_to_ns);
			worker_pick_at(w, b, flow, first, place, (enum direction)d,
				v == low ? after->from_ns : after->other_from_ns);
		}
	}
}

static void worker_pick_steps(struct worker *w, struct join_batch *b, uint32_t flow, uint32_t first)
{
	for (uint32_t i = 0; i < w->place_count && w->join->clocks->stepped; i++)
		if (!w->places[i].absent)
			worker_pick_steps_at(w, b, flow, first, i);
}

/* The frames of the first events, and of both directions at the start: the handshake explains much.
 */
static void worker_pick_events(
	struct worker *w, struct join_batch *b, uint32_t flow, uint32_t first, uint32_t first_event)
{
	uint32_t limit = w->join->options.packets_per_flow;

	for (uint32_t i = first_event; i < b->events.count && b->packet_count - first + 3 <= limit;
		i++) {
		const struct event *e = &b->events.events[i];

		if (e->sent)
			worker_pick_once(b, first, e->from, flow, e->sent);
		if (e->received)
			worker_pick_once(b, first, e->to, flow, e->received);
		if (e->proof)
			worker_pick_once(b, first, e->proof_vantage, flow, e->proof);
	}
}

static void worker_pick_shown(
	struct worker *w, struct join_batch *b, uint32_t flow, uint32_t first_event, bool tcp)
{
	bool has_event = first_event < b->events.count, is_short = tcp && worker_is_cut_short(w);
	uint32_t first = b->packet_count;

	worker_pick_steps(w, b, flow, first);
	if (has_event || is_short)
		worker_pick_start(w, b, flow, first);
	if (is_short)
		worker_pick_end(w, b, flow, first);
	if (has_event)
		worker_pick_events(w, b, flow, first, first_event);
	for (uint32_t i = first; i < b->packet_count && is_short && !has_event; i++)
		b->packets[i].is_example = true;
}

/* What became of the flow's packets from place to place, both ways. */
static void worker_follow(struct worker *w, struct join_batch *b, uint32_t flow, bool tcp)
{
	uint32_t mss = worker_segment_size(w);

	worker_find_ways(w);
	for (int d = 0; d < 2; d++)
		worker_match_way(w, (enum direction)d, mss, tcp);
	for (uint32_t i = 0; i + 1 < w->place_count; i++)
		for (int d = 0; d < 2; d++)
			if (i + 1 < w->ways[d].count &&
				!worker_on_other_links(w, i, (enum direction)d))
				worker_judge_path(w, b, flow, i, (enum direction)d);
}

/* Which direction goes to many: to a group's or broadcast address, or in frames to a group's MAC.
 */
static bool worker_is_to_group(const struct worker *w, enum direction *ret)
{
	for (int d = 0; d < 2; d++) {
		for (uint32_t i = 0; i < w->place_count; i++) {
			const struct member *m = &w->places[i].member;
			struct segment_walk walk;
			const struct segment *s;

			if (w->places[i].absent)
				continue;
			walk = walk_direction(m, (enum direction)d);
			s = walk_next(&walk);
			*ret = (enum direction)d;
			if (s && (!ip_is_unicast(member_ip(m, d == S2C)) ||
					 (s->dst_mac != MAC_NONE &&
						 vantage_mac(&w->join->data->vantages[m->vantage],
							 s->dst_mac)[0] &
							 1)))
				return true;
		}
	}
	return false;
}

/*
 * The place that all others get the datagrams to a group from: the sender's, else the one nearest
 * to it unless it is a host that only receives as the others do. PLACES_MAX: none.
 */
static uint32_t worker_group_source(const struct worker *w, enum direction d)
{
	uint32_t nearest = d == C2S ? 0 : w->place_count - 1;

	for (uint32_t i = 0; i < w->place_count; i++)
		if (!w->places[i].absent && w->places[i].member.owns[d])
			return i;
	return w->join->data->vantages[w->places[nearest].member.vantage].inferred.sees_its_own
		       ? PLACES_MAX
		       : nearest;
}

/* Who gets a datagram to a group is not on its way to the next one that gets it: each has a way of
 * its own from the sender. */
static void worker_follow_to_each(
	struct worker *w, struct join_batch *b, uint32_t flow, enum direction d)
{
	uint32_t n = w->place_count, source = worker_group_source(w, d);
	struct place all[PLACES_MAX];

	memcpy(all, w->places, n * sizeof(*all));
	w->place_count = 2;
	for (uint32_t i = 0; i < n && source != PLACES_MAX; i++) {
		if (i == source)
			continue;
		w->places[0] = all[i < source ? i : source];
		w->places[1] = all[i < source ? source : i];
		w->first_leg = i - (i > source);
		worker_load_halves(w);
		worker_follow(w, b, flow, false);
	}
	w->first_leg = 0;
	w->place_count = n;
	memcpy(w->places, all, n * sizeof(*all));
	worker_load_halves(w);
}

/* The half-flow that what arrives at an end of a direction's way is matched with; NULL: none. */
static const struct half_flow *worker_sent_half(
	const struct worker *w, uint32_t place, enum direction d)
{
	uint32_t legs = w->ways[d].count ? w->ways[d].count - 1 : 0;

	if (place && place + 1 < w->place_count)
		return NULL;
	for (uint32_t i = 0; i < legs; i++)
		if (worker_leg_to(w, i, d) == place)
			return w->matchers[i][d].sent;
	return NULL;
}

/* The place of the host that a direction is for: it owns the address; where nobody does, the last
 * place of several. */
static bool worker_is_end(const struct worker *w, uint32_t place, enum direction d)
{
	const struct member *m = &w->places[place].member;

	if (m->owns[C2S] || m->owns[S2C])
		return m->owns[!d] && !m->owns[d];
	return w->place_count > 1 && place == (d == C2S ? w->place_count - 1 : 0) &&
	       owner_of(w->join->owners, member_ip(m, d == S2C)) == OWNER_NONE;
}

/* What arrived at the host that it was for, and was not taken. */
static void worker_find_untaken(struct worker *w, struct join_batch *b, uint32_t flow)
{
	for (uint32_t i = 0; i < w->place_count; i++) {
		const struct place *p = &w->places[i];

		for (int d = 0; d < 2 && !p->absent; d++) {
			struct untaken_input in = {.received = &w->sent[i][d],
				.acks = &w->sent[i][!d],
				.sent = worker_sent_half(w, i, (enum direction)d),
				.flow = flow,
				.vantage = p->member.vantage,
				.end_ns = w->join->data->vantages[p->member.vantage].span.last_ns};

			if (worker_is_end(w, i, (enum direction)d))
				untaken_find(&in, &w->scratch.proofs.to, &b->untaken);
		}
	}
}

static void worker_join_flow(struct worker *w, struct join_batch *b, uint32_t flow)
{
	const struct flow *c = &w->join->all->list[flow];
	uint32_t first_event = b->events.count;
	enum direction to_group;
	bool tcp;

	worker_lay_out(w, c);
	if (!w->place_count)
		return;
	worker_load_halves(w);
	worker_note_skipped(w, b);
	worker_zero_windows(w, b, flow);
	worker_idle_seconds(w, b);
	tcp = w->join->all->members[c->first_member].flow->key.protocol == 6;
	if (!tcp && w->place_count > 1 && worker_is_to_group(w, &to_group))
		worker_follow_to_each(w, b, flow, to_group);
	else
		worker_follow(w, b, flow, tcp);
	worker_find_untaken(w, b, flow);
	if (w->join->options.packets == PACKETS_ALL)
		worker_pick_all(w, b, flow);
	else if (w->join->options.packets == PACKETS_EVENTS)
		worker_pick_shown(w, b, flow, first_event, tcp);
}

/* Where the chains of chunks of a flow's flows begin; n chains are there already. */
static uint32_t worker_chains_of(
	const struct join *j, uint32_t flow, const struct segment_chunk **chains, uint32_t n)
{
	uint32_t i = j->all->list[flow].first_member;

	for (; i != MEMBER_NONE && n < CHAINS_MAX; i = j->all->members[i].next)
		chains[n++] = j->all->members[i].flow->head;
	return n;
}

/*
 * The chunks of a flow lie where time put them, each known only from the one before it. Following
 * one chain after another would wait for memory at every link; following many side by side waits
 * once for all.
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
	const struct join *j = w->join;

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

	w->join = j;
	w->clock_memo.clocks = j->clocks;
	w->scratch.both_missed = &w->both_missed;
	return w;
}

void worker_free(struct worker *w)
{
	for (int i = 0; i < PLACES_MAX; i++) {
		for (int d = 0; d < 2; d++) {
			half_flow_release(&w->sent[i][d]);
			half_flow_release(&w->received[i][d]);
			matcher_release(&w->matchers[i][d]);
		}
	}
	proofs_release(&w->scratch.proofs);
	both_missed_release(&w->both_missed);
	free(w->scratch.delays);
	free(w);
}
