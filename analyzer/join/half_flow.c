#include "join/half_flow.h"

#include <assert.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/seq.h"
#include "decode/packet.h"

static void half_flow_begin(
	struct half_flow *l, const struct member *m, enum direction d, const uint32_t base[2])
{
	l->member = m;
	l->direction = d;
	l->count = 0;
	l->copies_skipped = 0;
	l->delta = m->delta[d];
	l->ack_delta = m->delta[!d];
	l->base = base[d];
	l->ack_base = base[!d];
	l->end = 0;
}

/* Room for slots more transmissions. */
static void half_flow_reserve(struct half_flow *l, uint32_t slots)
{
	assert(l->count <= l->cap);
	if (l->cap - l->count >= slots)
		return;
	l->cap = l->count + slots + l->cap / 2;
	l->transmissions = mem_grow(l->transmissions, l->cap, sizeof(*l->transmissions));
}

static void half_flow_add_transmission(struct half_flow *l, const struct segment *s)
{
	uint32_t span = s->length + ((s->flags & TCP_SYN) != 0) + ((s->flags & TCP_FIN) != 0);
	int64_t off = seq_unwrap(l->end, s->seq - l->delta - l->base);

	l->transmissions[l->count++] = (struct transmission){.seg = s,
		.off = off,
		.span = span,
		.match = TRANSMISSION_NONE,
		.ack = s->flags & TCP_ACK ? s->ack - l->ack_delta : 0};
	/* A reset may carry any number; it must not drag the reference away. */
	if (off + span > l->end && !(s->flags & TCP_RST))
		l->end = off + span;
}

static void half_flow_add_datagram(struct half_flow *l, const struct segment *s)
{
	l->transmissions[l->count++] = (struct transmission){.seg = s, .match = TRANSMISSION_NONE};
}

static inline void half_flow_add_segment(
	struct half_flow *l, const struct segment *s, bool skip_duplicates)
{
	if (s->bits & SEGMENT_DUPLICATE && skip_duplicates)
		l->copies_skipped++;
	else if (l->tcp)
		half_flow_add_transmission(l, s);
	else
		half_flow_add_datagram(l, s);
}

/* Its two halves are filled side by side, compiled as one piece. */
static FLATTEN void half_flow_load_one(
	struct half_flow halves[2], const struct member *m, const bool skip_duplicates[2])
{
	for (const struct segment_chunk *c = m->flow->head; c; c = c->next) {
		const struct segment *s = c->slots, *end = s + c->used;

		half_flow_reserve(&halves[C2S], c->used);
		half_flow_reserve(&halves[S2C], c->used);
		for (; s < end; s += segment_slots(s)) {
			enum direction d = segment_direction(m, s);

			half_flow_add_segment(&halves[d], s, skip_duplicates[d]);
		}
	}
}

/* Several interfaces of one host, so of one clock: what each shows, by time. */
static void half_flow_load_merged(
	struct half_flow halves[2], const struct shown *shown, const bool skip_duplicates[2])
{
	struct segment_walk walks[SHOWN_MAX];
	const struct segment *next[SHOWN_MAX];

	for (uint32_t i = 0; i < shown->count; i++) {
		walks[i] = walk_flow(shown->members[i]);
		next[i] = walk_any(&walks[i]);
	}
	for (;;) {
		uint32_t at = shown->count;
		enum direction d;

		for (uint32_t i = 0; i < shown->count; i++)
			if (next[i] && (at == shown->count || next[i]->time_ns < next[at]->time_ns))
				at = i;
		if (at == shown->count)
			return;
		d = segment_direction(shown->members[at], next[at]);
		half_flow_reserve(&halves[d], 1);
		half_flow_add_segment(&halves[d], next[at], skip_duplicates[d]);
		if (shown->members[at]->stray && halves[d].count)
			halves[d].transmissions[halves[d].count - 1].untranslated = true;
		next[at] = walk_any(&walks[at]);
	}
}

void half_flows_load(struct half_flow halves[2], const struct shown *shown, const uint32_t base[2],
	const bool skip_duplicates[2])
{
	assert(shown->count <= SHOWN_MAX);
	for (int d = 0; d < 2; d++) {
		half_flow_begin(&halves[d], shown_member(shown, (enum direction)d),
			(enum direction)d, base);
		halves[d].tcp = halves[d].member->flow && halves[d].member->flow->key.protocol == 6;
	}
	if (!shown->members[0]->flow)
		return;
	if (shown->count == 1)
		half_flow_load_one(halves, shown->members[0], skip_duplicates);
	else
		half_flow_load_merged(halves, shown, skip_duplicates);
}

void half_flow_release(struct half_flow *l)
{
	free(l->transmissions);
	*l = (struct half_flow){0};
}

int64_t transmission_ack(const struct half_flow *l, const struct transmission *it, int64_t ref)
{
	return seq_unwrap(ref, it->seg->ack - l->ack_delta - l->ack_base);
}
