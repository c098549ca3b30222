#include "join/lane.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/seq.h"
#include "decode/packet.h"

static void begin(struct lane *l, const struct member *m, enum direction d, const uint32_t base[2])
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

/* Room for slots more items. */
static void reserve(struct lane *l, uint32_t slots)
{
	if (l->cap - l->count >= slots)
		return;
	l->cap = l->count + slots + l->cap / 2;
	l->items = mem_grow(l->items, l->cap, sizeof(*l->items));
}

static void add_item(struct lane *l, const struct segment *s)
{
	uint32_t span = s->length + ((s->flags & TCP_SYN) != 0) + ((s->flags & TCP_FIN) != 0);
	int64_t off = seq_unwrap(l->end, s->seq - l->delta - l->base);

	l->items[l->count++] = (struct item){.seg = s, .off = off, .span = span, .mate = ITEM_NONE,
		.ack = s->flags & TCP_ACK ? s->ack - l->ack_delta : 0};
	/* A reset may carry any number; it must not drag the reference away. */
	if (off + span > l->end && !(s->flags & TCP_RST))
		l->end = off + span;
}

static void add_datagram(struct lane *l, const struct segment *s)
{
	l->items[l->count++] = (struct item){.seg = s, .mate = ITEM_NONE};
}

void lanes_load(struct lane lanes[2], const struct member *m, const uint32_t base[2], const bool skip_twins[2])
{
	const struct flow *f = m->flow;
	bool tcp = f->key.protocol == 6;

	for (int d = 0; d < 2; d++) {
		begin(&lanes[d], m, (enum direction)d, base);
		lanes[d].tcp = tcp;
	}
	for (const struct segment_chunk *c = f->head; c; c = c->next) {
		const struct segment *s = c->slots, *end = s + c->used;

		reserve(&lanes[C2S], c->used);
		reserve(&lanes[S2C], c->used);
		for (; s < end; s += segment_slots(s)) {
			struct lane *l = &lanes[segment_direction(m, s)];

			if (s->bits & SEGMENT_TWIN && skip_twins[l->direction])
				l->copies_skipped++;
			else if (tcp)
				add_item(l, s);
			else
				add_datagram(l, s);
		}
	}
}

void lane_release(struct lane *l)
{
	free(l->items);
	*l = (struct lane){0};
}

int64_t item_ack(const struct lane *l, const struct item *it, int64_t ref)
{
	return seq_unwrap(ref, it->seg->ack - l->ack_delta - l->ack_base);
}
