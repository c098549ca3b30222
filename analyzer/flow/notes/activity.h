/*
 * activity: what passed a vantage point, second by second, received and sent. Where the capture
 * tells no direction, frames count as received until it is known which MAC is the host's own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/nsec.h"
#include "decode/packet.h"
#include "flow/notes/macs.h"

#define MAC_PAIRS 64

/* One second in which something passed. */
struct activity {
	int64_t second_ns;
	uint32_t rx_frames, tx_frames;
	uint64_t rx_bytes, tx_bytes;
};

/* What one MAC sent in one second, where the capture does not tell directions. */
struct mac_second {
	int64_t second_ns;
	uint64_t bytes;
	uint32_t frames;
	uint16_t mac;
};

/* Two MACs, and what passed between them in the second of activity_notes.now. */
struct mac_pair {
	uint64_t dst; /* 48 bits, and one that says that the place is taken */
	uint64_t src;
	uint64_t bytes;
	uint32_t frames;
	uint16_t dst_index, src_index;
};

struct activity_notes {
	struct activity *rows; /* by second, once activity_finish() was called */
	uint32_t count, cap;
	bool unsorted;		/* a second came that was far back */
	struct activity beyond; /* what came after the last row that is kept */
	uint64_t refused;	/* rows */
	struct activity *now;	/* the second of the newest frame; NULL: none yet */
	/* The pairs of MACs seen last, by their low bits: most captures hold a handful. */
	struct mac_pair pairs[MAC_PAIRS];
	struct mac_second *mac_seconds;
	uint32_t mac_second_count, mac_second_cap;
	bool mac_seconds_cut; /* the table overflowed: do not use it */
};

void activity_release(struct activity_notes *n);

/* Begins another second. */
void activity_new_second(struct activity_notes *n, int64_t time_ns);

/* Stores a pair of MACs in its slot, replacing any other pair. */
void activity_new_pair(struct activity_notes *n, struct mac_notes *macs, const uint8_t src[6],
	const uint8_t dst[6], struct mac_pair *place);

/* The pair of a frame's MACs. Valid until the next call. */
static inline struct mac_pair *activity_pair(struct activity_notes *n, struct mac_notes *macs,
	const uint8_t src[6], const uint8_t dst[6])
{
	uint64_t d = (uint64_t)le32(dst) | (uint64_t)le16(dst + 4) << 32 | UINT64_C(1) << 63;
	uint64_t s = (uint64_t)le32(src) | (uint64_t)le16(src + 4) << 32;
	struct mac_pair *pair = &n->pairs[((s >> 40) ^ (s >> 26) ^ (d >> 38)) % MAC_PAIRS];

	if (pair->dst != d || pair->src != s)
		activity_new_pair(n, macs, src, dst, pair);
	return pair;
}

/* Counts a frame; pair NULL: its MACs are not known. */
static inline void activity_add(struct activity_notes *n, int64_t time_ns, uint32_t wire_len,
	uint8_t direction, struct mac_pair *pair)
{
	if (!n->now || (uint64_t)(time_ns - n->now->second_ns) >= NSEC_PER_SEC)
		activity_new_second(n, time_ns);
	if (direction == PACKET_UNKNOWN && pair) {
		pair->frames++;
		pair->bytes += wire_len;
	} else if (direction == PACKET_OUT) {
		n->now->tx_frames++;
		n->now->tx_bytes += wire_len;
	} else {
		n->now->rx_frames++;
		n->now->rx_bytes += wire_len;
	}
}

/* Once no more frames come: rows are complete. */
void activity_finish(struct activity_notes *n);

/* Once the host's own MAC is known: what it sent counts as sent, in a capture that told no
 * direction. */
void activity_take_own(struct activity_notes *n, uint16_t own_mac);
