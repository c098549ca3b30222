#include "join/lane.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/seq.h"
#include "decode/packet.h"

static void add_item(struct lane *l, const struct segment *s, int64_t *ref)
{
	uint32_t span = s->length + (s->flags & TCP_SYN ? 1 : 0) + (s->flags & TCP_FIN ? 1 : 0);
	int64_t off = seq_unwrap(*ref, s->seq - l->delta - l->base);

	MEM_RESERVE(l->items, l->count, l->cap);
	l->items[l->count++] = (struct item){.seg = s, .off = off, .span = span, .mate = ITEM_NONE};
	/* A reset may carry any number; it must not drag the reference away. */
	if (off + span > *ref && !(s->flags & TCP_RST))
		*ref = off + span;
}

void lane_load(struct lane *l, const struct network *net, const struct member *m, enum direction d,
	const uint32_t base[2], bool skip_twins)
{
	struct segment_walk w = walk_direction(net, m, d);
	bool tcp = member_flow(net, m)->key.protocol == 6;
	const struct segment *s;
	int64_t ref = 0;

	l->member = m;
	l->direction = d;
	l->count = 0;
	l->tcp = tcp;
	l->copies_skipped = 0;
	l->delta = m->delta[d];
	l->ack_delta = m->delta[!d];
	l->base = base[d];
	l->ack_base = base[!d];
	while ((s = walk_next(&w))) {
		if (skip_twins && s->bits & SEGMENT_TWIN) {
			l->copies_skipped++;
			continue;
		}
		add_item(l, s, &ref);
		if (!tcp)
			l->items[l->count - 1].off = l->items[l->count - 1].span = 0;
	}
	l->end = ref;
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
