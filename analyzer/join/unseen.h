/*
 * unseen: bytes that neither capture of a leg has, though the receiver acknowledged them: both
 * captures missed them. They are in no count of the path, since nobody recorded their sending.
 */
#pragma once

#include "join/leg.h"

/* Scratch, kept between calls. */
struct unseen {
	struct unseen_range {
		int64_t low, high;
	} *ranges;
	struct unseen_hole *holes;
	uint32_t range_cap, hole_count, hole_cap;
};

/*
 * Adds an EVENT_BOTH_MISSED for each hole that both captures ran through. To be called after the leg
 * was judged otherwise; it uses the leg's proofs as scratch.
 */
void unseen_find(struct leg *l);
void unseen_release(struct unseen *u);
