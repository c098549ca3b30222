#include "join/half_flow.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/seq.h"
#include "decode/packet.h"

static void begin(struct half_flow *l, const struct member *m, enum direction d, const uint32_t base[2])
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
static void reserve(struct half_flow *l, uint32_t slots)
{
	if (l->cap - l->count >= slots)
		return;
	l->cap = l->count + slots + l->cap / 2;
	l->transmissions = mem_grow(l->transmissions, l->cap, sizeof(*l->transmissions));
}

static void add_transmission(struct half_flow *l, const struct segment *s)
{
	uint32_t span = s->length + ((s->flags & TCP_SYN) != 0) + ((s->flags & TCP_FIN) != 0);
	int64_t off = seq_unwrap(l->end, s->seq - l->delta - l->base);

	l->transmissions[l->count++] = (struct transmission){.seg = s, .off = off, .span = span, .match = TRANSMISSION_NONE,
		.ack = s->flags & TCP_ACK ? s->ack - l->ack_delta : 0};
	/* A reset may carry any number; it must not drag the reference away. */
	if (off + span > l->end && !(s->flags & TCP_RST))
		l->end = off + span;
}

static void add_datagram(struct half_flow *l, const struct segment *s)
{
	l->transmissions[l->count++] = (struct transmission){.seg = s, .match = TRANSMISSION_NONE};
}

void half_flows_load(struct half_flow halves[2], const struct member *m, const uint32_t base[2], const bool skip_duplicates[2])
{
	const struct flow_vantage *f = m->flow;
	bool tcp = f && f->key.protocol == 6;

	for (int d = 0; d < 2; d++) {
		begin(&halves[d], m, (enum direction)d, base);
		halves[d].tcp = tcp;
	}
	for (const struct segment_chunk *c = f ? f->head : NULL; c; c = c->next) {
		const struct segment *s = c->slots, *end = s + c->used;

		reserve(&halves[C2S], c->used);
		reserve(&halves[S2C], c->used);
		for (; s < end; s += segment_slots(s)) {
			struct half_flow *l = &halves[segment_direction(m, s)];

			if (s->bits & SEGMENT_DUPLICATE && skip_duplicates[l->direction])
				l->copies_skipped++;
			else if (tcp)
				add_transmission(l, s);
			else
				add_datagram(l, s);
		}
	}
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
