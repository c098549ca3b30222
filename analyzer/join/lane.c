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

static void add_item(struct lane *l, const struct segment *s)
{
	uint32_t span = s->length + (s->flags & TCP_SYN ? 1 : 0) + (s->flags & TCP_FIN ? 1 : 0);
	int64_t off = seq_unwrap(l->end, s->seq - l->delta - l->base);

	MEM_RESERVE(l->items, l->count, l->cap);
	l->items[l->count++] = (struct item){.seg = s, .off = off, .span = span, .mate = ITEM_NONE};
	/* A reset may carry any number; it must not drag the reference away. */
	if (off + span > l->end && !(s->flags & TCP_RST))
		l->end = off + span;
}

static void add_datagram(struct lane *l, const struct segment *s)
{
	MEM_RESERVE(l->items, l->count, l->cap);
	l->items[l->count++] = (struct item){.seg = s, .mate = ITEM_NONE};
}

void lanes_load(struct lane lanes[2], const struct network *net, const struct member *m, const uint32_t base[2],
	const bool skip_twins[2])
{
	struct segment_walk walk = walk_flow(net, m);
	bool tcp = member_flow(net, m)->key.protocol == 6;
	const struct segment *s;

	for (int d = 0; d < 2; d++) {
		begin(&lanes[d], m, (enum direction)d, base);
		lanes[d].tcp = tcp;
	}
	while ((s = walk_any(&walk))) {
		enum direction d = segment_direction(m, s);

		if (s->bits & SEGMENT_TWIN && skip_twins[d])
			lanes[d].copies_skipped++;
		else if (tcp)
			add_item(&lanes[d], s);
		else
			add_datagram(&lanes[d], s);
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
