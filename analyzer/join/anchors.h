/*
 * anchors: what the segments of a flow carry, as keys: content and numbers that no translator of
 * addresses touches. They find the same flow under other addresses where no SYN was captured.
 */
#pragma once

#include "join/flow.h"

/* How many a flow has at most. */
#define ANCHORS_MAX 128

/* Anchors of a flow: what its segments say, picked by that, so that both sides pick the same. */
struct anchor {
	uint64_t key;
	uint32_t seq;
	uint32_t segment; /* of the flow's; it may have two */
	enum direction direction;
};

/* The smallest keys of a flow, ascending: of two that share a stretch, both hold those of it. */
struct anchors {
	struct anchor list[ANCHORS_MAX];
	uint32_t count;
};

/* Of the first 65,536 segments of a member's flow. */
void anchors_collect(const struct member *m, struct anchors *ret);
