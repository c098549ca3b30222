/*
 * both_missed: bytes that neither capture of a path has, though the receiver acknowledged them:
 * both captures missed them. They are in no count of the path, since nobody recorded their sending.
 */
#pragma once

#include "join/path.h"

/* Scratch, kept between calls. */
struct both_missed {
	struct both_missed_range {
		int64_t low, high;
	} * ranges;
	struct both_missed_hole *holes;
	uint32_t range_cap, hole_count, hole_cap;
};

/*
 * Adds an EVENT_BOTH_MISSED for each hole that both captures ran through. To be called after the
 * path was judged otherwise; it overwrites the path's proofs.
 */
void both_missed_find(struct path *path);
void both_missed_release(struct both_missed *u);
