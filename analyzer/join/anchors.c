#include "join/anchors.h"

#include <string.h>

#include "join/keymap.h"
#include "join/segment_walk.h"

/* Segments of a flow that are read. */
#define ANCHORED_MAX 65536

/* What is said again and again counts once. */
static void anchors_add(struct anchors *a, const struct member *m, const struct segment *s,
	uint32_t segment, uint64_t key)
{
	uint32_t low = 0, high = a->count;

	if (a->count == ANCHORS_MAX && key >= a->list[a->count - 1].key)
		return;
	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (a->list[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < a->count && a->list[low].key == key)
		return;
	a->count -= a->count == ANCHORS_MAX;
	memmove(&a->list[low + 1], &a->list[low], (a->count - low) * sizeof(*a->list));
	a->list[low] = (struct anchor){.key = key,
		.seq = s->seq,
		.segment = segment,
		.direction = segment_direction(m, s)};
	a->count++;
}

/* By the head of the content, and by numbers, which hardly any translator touches: either may not
 * be captured. */
static void anchors_add_segment(
	struct anchors *a, const struct member *m, const struct segment *s, uint32_t segment)
{
	uint64_t numbers = keymap_mix(keymap_mix((uint64_t)s->seq << 32 | s->ack, s->length),
		(uint64_t)s->tsval << 32 | s->tsecr);

	if (s->hash)
		anchors_add(a, m, s, segment,
			keymap_mix((uint64_t)(s->hash & SEGMENT_HASH_HEAD) << 32 | s->length,
				s->tsval));
	anchors_add(a, m, s, segment, numbers);
}

/* By all that was captured of it, and by its head, which is all that another snap length leaves. */
static void anchors_add_datagram(
	struct anchors *a, const struct member *m, const struct segment *s, uint32_t segment)
{
	uint32_t head = s->hash & SEGMENT_HASH_HEAD;

	if (!s->hash)
		return;
	if (s->hash != head)
		anchors_add(a, m, s, segment,
			keymap_mix((uint64_t)s->hash << 32 | s->length, s->ip_id));
	anchors_add(a, m, s, segment, keymap_mix((uint64_t)head << 32 | s->length, s->ip_id));
}

void anchors_collect(const struct member *m, struct anchors *ret)
{
	bool tcp = m->flow->key.protocol == 6;
	struct segment_walk walk = walk_flow(m);
	const struct segment *s;

	ret->count = 0;
	for (uint32_t i = 0; i < ANCHORED_MAX && (s = walk_any(&walk)); i++) {
		if (s->length < 8)
			continue;
		if (tcp)
			anchors_add_segment(ret, m, s, i);
		else
			anchors_add_datagram(ret, m, s, i);
	}
}
