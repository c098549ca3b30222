/*
 * untaken: segments that arrived at their own host and that it did not take: with a wrong checksum
 * and not acknowledged before the same bytes came again; bytes that came three times and were
 * never acknowledged; or bytes that the receiver asked for again while it took what came later. A
 * wrong checksum that is acknowledged all the same was left to a NIC that the segment never passed
 * (offload).
 */
#pragma once

#include "base/nsec.h"
#include "join/proof.h"

/* Bytes that come so often, over such a time, had every chance. */
#define UNTAKEN_COPIES 3
#define UNTAKEN_NS NSEC_PER_SEC

struct untaken {
	uint32_t flow, vantage; /* index of the flow; of the vantage point at the receiving host */
	uint8_t direction;
	uint32_t segments; /* arrivals that were not taken */
	uint32_t wrong,
		wrong_outer;  /* of those: checksum, UDP checksum of the tunnel around them */
	uint32_t asked_again; /* of those, what came later was taken */
	uint32_t unverified;  /* of asked_again, not captured whole: the checksum may be wrong */
	uint32_t sent_right;  /* of those that are wrong, recorded right where they were sent */
	uint32_t taken_wrong; /* others: wrong, and acknowledged all the same */
	int64_t first_ns, last_ns;
	const struct segment *first;
};

struct untaken_list {
	struct untaken *rows;
	uint32_t count, cap;
};

/* One direction at the place of the host that it is for. */
struct untaken_input {
	const struct half_flow *received, *acks; /* acks: the other direction, at the same place */
	const struct half_flow *sent; /* what received is matched with; NULL: nothing is */
	uint32_t flow, vantage;
	int64_t end_ns; /* last frame of that place */
};

/* Adds a row if anything was not taken, or wrong. track: scratch. */
void untaken_find(
	const struct untaken_input *in, struct ack_track *track, struct untaken_list *ret);
