#include "join/flow_join.h"

#include <assert.h>

#include "decode/packet.h"

#define MSS_DEFAULT 1448
#define MSS_ETHERNET 1460
/* The time stamp option with its padding: RFC 7323 appendix A. */
#define TIMESTAMP_SPACE 12

/* Sequence numbers that are offset 0: initial ones where a SYN was seen, else the first seen. */
static void flow_join_bases(const struct flow_join *f, uint32_t base[2])
{
	for (int d = 0; d < 2; d++) {
		bool found = false, isn = false;

		base[d] = 0;
		for (uint32_t i = 0; i < f->place_count && !isn; i++) {
			const struct member *m = &f->places[i].member;
			const struct flow_side *side;

			if (f->places[i].absent)
				continue;
			side = member_side(shown_member(&f->places[i].shown, (enum direction)d),
				(enum direction)d);
			isn = side->has_isn;
			if (isn || (side->seen && !found))
				base[d] = (isn ? side->isn : side->first_seq) - m->delta[d];
			found |= side->seen;
		}
	}
}

/* Payload of a full wire segment: the smaller MSS of both SYNs, less the time stamp option. */
static uint32_t flow_join_segment_size(const struct flow_join *f)
{
	uint32_t mss = 0, largest = 0;
	bool timestamps = false;

	for (uint32_t i = 0; i < f->place_count; i++) {
		if (f->places[i].absent)
			continue;
		for (int d = 0; d < 2; d++) {
			const struct member *m =
				shown_member(&f->places[i].shown, (enum direction)d);
			const struct flow_side *s = member_side(m, (enum direction)d);
			const struct half_flow *l = &f->sent[i][d];

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
static bool flow_join_skip_duplicates(
	const struct flow_join *f, const struct place *p, enum direction d)
{
	return f->join->duplicates_by_capture[p->member.vantage] || p->member.owns[d];
}

void flow_join_load(struct flow_join *f)
{
	uint32_t base[2];

	flow_join_bases(f, base);
	for (uint32_t i = 0; i < f->place_count; i++) {
		const struct member *m = &f->places[i].member;
		bool skip[2] = {flow_join_skip_duplicates(f, &f->places[i], C2S),
			flow_join_skip_duplicates(f, &f->places[i], S2C)};

		if (f->places[i].absent)
			f->places[i].shown.members[0] = m;
		half_flows_load(f->sent[i], &f->places[i].shown, base, skip);
		if (i && i + 1 < f->place_count)
			half_flows_load(f->received[i], &f->places[i].shown, base, skip);
	}
}

/* At the ends of the path a half-flow has one role only. */
static struct half_flow *flow_join_received(struct flow_join *f, uint32_t i, enum direction d)
{
	return i && i + 1 < f->place_count ? &f->received[i][d] : &f->sent[i][d];
}

static void flow_join_find_ways(struct flow_join *f)
{
	struct way_place places[PLACES_MAX];

	for (uint32_t i = 0; i < f->place_count; i++) {
		const struct place *p = &f->places[i];

		places[i] = (struct way_place){.shown = f->sent[i],
			.span = &f->join->data->vantages[p->member.vantage].span,
			.is_end = p->absent || p->member.owns[C2S] || p->member.owns[S2C]};
	}
	for (int d = 0; d < 2; d++)
		f->ways[d] = way_of(places, f->place_count, (enum direction)d);
}

uint32_t flow_join_from(const struct flow_join *f, uint32_t leg, enum direction d)
{
	return f->ways[d].places[d == C2S ? leg : leg + 1];
}

uint32_t flow_join_to(const struct flow_join *f, uint32_t leg, enum direction d)
{
	return f->ways[d].places[d == C2S ? leg + 1 : leg];
}

static void flow_join_match_path(struct flow_join *f, uint32_t i, enum direction d, uint32_t mss)
{
	uint32_t from = flow_join_from(f, i, d), to = flow_join_to(f, i, d);
	struct matcher *m = &f->matchers[i][d];

	assert(i + 1 < f->ways[d].count);
	m->sent = &f->sent[from][d];
	m->received = flow_join_received(f, to, d);
	m->traits.tcp = f->tcp;
	m->causality = (struct causality){.clocks = &f->clock_memo,
		.steady = &f->join->data->vantages[f->places[from].member.vantage].steady,
		.since = INT64_MAX,
		.until = INT64_MIN,
		.from = f->places[from].member.vantage,
		.to = f->places[to].member.vantage};
	/* One host's two taps may be stamped in either order. */
	if (f->join->data->vantages[m->causality.from].host ==
		f->join->data->vantages[m->causality.to].host)
		m->causality.clocks = NULL;
	match_half_flows(m, mss);
}

/* What a vantage point in the middle lacks, its neighbours may both have. */
static void flow_join_match_across(struct flow_join *f, uint32_t i, enum direction d)
{
	struct matcher *first = &f->matchers[d == C2S ? i : i + 1][d],
		       *second = &f->matchers[d == C2S ? i + 1 : i][d];

	if (first->missing.count && second->extra.count)
		match_at_third(first->sent, second->received, &first->traits);
}

static void flow_join_match_way(struct flow_join *f, enum direction d, uint32_t mss)
{
	for (uint32_t i = 0; i + 1 < f->ways[d].count; i++)
		flow_join_match_path(f, i, d, mss);
	for (uint32_t i = 0; i + 2 < f->ways[d].count; i++)
		flow_join_match_across(f, i, d);
}

void flow_join_match(struct flow_join *f)
{
	uint32_t mss = flow_join_segment_size(f);

	flow_join_find_ways(f);
	for (int d = 0; d < 2; d++)
		flow_join_match_way(f, (enum direction)d, mss);
}

void flow_join_release(struct flow_join *f)
{
	for (int i = 0; i < PLACES_MAX; i++) {
		for (int d = 0; d < 2; d++) {
			half_flow_release(&f->sent[i][d]);
			half_flow_release(&f->received[i][d]);
			matcher_release(&f->matchers[i][d]);
		}
	}
}
