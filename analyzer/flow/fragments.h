/*
 * fragments: adds up the lengths of fragments, so that a fragmented segment is one segment of its
 * full length in its flow. Payload is not reassembled; a small, bounded table.
 */
#pragma once

#include <stdbool.h>

#include "decode/packet.h"
#include "read/capfile.h"

struct fragments;

struct fragments *fragments_new(void);
struct fragments *fragments_free(struct fragments *t);

enum fragment_result {
	FRAGMENT_PART, /* account the frame as a fragment */
	FRAGMENT_HELD, /* the first fragment: accounted when its datagram is complete, or given up
			*/
	FRAGMENT_COMPLETE, /* ret_whole is set; account this frame as a fragment unless it is the
			      first */
};

/* A complete datagram, under its first fragment's frame, at the time of its last arrival. */
struct fragment_whole {
	struct packet packet;
	struct frame frame; /* data is not valid any more */
	uint32_t ordinal;
	uint8_t head[64]; /* what packet.payload points to */
	bool is_current;  /* the frame just added is the first fragment */
};

enum fragment_result fragments_add(struct fragments *t, uint32_t vantage, const struct packet *p,
	const struct frame *frame, uint32_t ordinal, struct fragment_whole *ret_whole);

/* Gives up what is incomplete (at the end of a file); counts held first fragments given up since
 * the last call. */
void fragments_flush(struct fragments *t, uint64_t *ret_frames, uint64_t *ret_bytes);
