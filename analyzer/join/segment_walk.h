/* segment_walk: a member's segments in capture order, of one direction or of both. */
#pragma once

#include "join/flow.h"

static inline enum direction segment_direction(const struct member *m, const struct segment *s)
{
	return (enum direction)(((s->bits & SEGMENT_FROM_B) != 0) != m->client_is_b);
}

struct segment_walk {
	const struct segment_chunk *chunk;
	uint32_t at;
	uint8_t want; /* SEGMENT_FROM_B or 0 */
};

static inline struct segment_walk walk_direction(const struct member *m, enum direction d)
{
	return (struct segment_walk){
		.chunk = m->flow->head, .want = (d == C2S) == m->client_is_b ? SEGMENT_FROM_B : 0};
}

/* For walk_any(): both directions. */
static inline struct segment_walk walk_flow(const struct member *m)
{
	return (struct segment_walk){.chunk = m->flow->head};
}

/* The next segment of either direction, or NULL at the end. */
static inline const struct segment *walk_any(struct segment_walk *w)
{
	const struct segment *s;

	while (w->chunk && w->at == w->chunk->used) {
		w->chunk = w->chunk->next;
		w->at = 0;
	}
	if (!w->chunk)
		return NULL;
	s = &w->chunk->slots[w->at];
	w->at += segment_slots(s);
	return s;
}

/* The next segment of the walk's direction, or NULL at the end. */
static inline const struct segment *walk_next(struct segment_walk *w)
{
	const struct segment *s;

	while ((s = walk_any(w)) && (s->bits & SEGMENT_FROM_B) != w->want)
		;
	return s;
}
