/* walk: a member's segments of one direction, in capture order. */
#pragma once

#include "join/conversation.h"

static inline enum direction segment_direction(const struct member *m, const struct segment *s)
{
	return (enum direction)(((s->bits & SEGMENT_FROM_B) != 0) != m->client_is_b);
}

struct segment_walk {
	const struct segment_chunk *chunk;
	uint32_t at;
	uint8_t want; /* SEGMENT_FROM_B or 0 */
};

static inline struct segment_walk walk_direction(const struct network *net, const struct member *m, enum direction d)
{
	return (struct segment_walk){.chunk = member_flow(net, m)->head,
		.want = (d == C2S) == m->client_is_b ? SEGMENT_FROM_B : 0};
}

/* The next segment, or NULL at the end. */
static inline const struct segment *walk_next(struct segment_walk *w)
{
	while (w->chunk) {
		while (w->at < w->chunk->used) {
			const struct segment *s = &w->chunk->slots[w->at];

			w->at += s->bits & SEGMENT_SACK ? 2 : 1;
			if ((s->bits & SEGMENT_FROM_B) == w->want)
				return s;
		}
		w->chunk = w->chunk->next;
		w->at = 0;
	}
	return NULL;
}
