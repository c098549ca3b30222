/* segment: what is kept of a packet for the join: 48 bytes, in capture order within its flow. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* bits of segment.bits */
enum {
	SEGMENT_FROM_B = 0x01,	  /* sent by endpoint B of the flow's key */
	SEGMENT_TIMESTAMP = 0x02, /* tsval and tsecr are set */
	SEGMENT_SACK = 0x04,	  /* the next slot holds its SACK blocks */
	/* same as a recent segment but for its time: duplicated by the network or the capture */
	SEGMENT_DUPLICATE = 0x08,
	/* the snap length cut the options: a missing time stamp means nothing */
	SEGMENT_OPTIONS_CUT = 0x10,
	SEGMENT_OUT = 0x20,   /* the capture says that its host sent it */
	SEGMENT_IN = 0x40,    /* the capture says that its host received it */
	SEGMENT_NO_ID = 0x80, /* no usable IP identification (IPv6) */
};

struct segment {
	int64_t time_ns;
	uint32_t seq, ack; /* TCP; ICMP: type and number, checksum; other protocols: 0 */
	uint32_t tsval, tsecr;
	uint32_t length : 27;	 /* transport payload bytes on the wire; may be a merged record's */
	uint32_t hash_keyed : 1; /* hash is what the agent kept of a datagram, window the key */
	uint32_t checksum : 2, outer_checksum : 2; /* enum packet_checksum */
	uint32_t frame; /* ordinal among the host's frames: fileindex.h turns it into file and
			   number */
	uint32_t hash;	/* of payload: low half of SEGMENT_HEAD bytes, high half of SEGMENT_BODY; 0:
			   not captured */
	uint16_t ip_id, window;
	uint8_t flags, ttl, tos, bits;
	uint16_t src_mac, dst_mac; /* indexes into the vantage point's MAC table; dst_mac MAC_NONE
				      also where the packet was recorded on its way to several */
};

/* Of the largest record of a jumbogram. */
#define SEGMENT_LENGTH_MAX ((1U << 27) - 1)

_Static_assert(sizeof(struct segment) == 48, "segments are counted in tens of millions");

/* What is hashed of a payload, or all of a shorter one: a snap length of headers and a few bytes
 * leaves the head. */
#define SEGMENT_HEAD 16
#define SEGMENT_BODY 256
#define SEGMENT_HASH_HEAD 0xffffU

/* Hashes that an agent made under a key compare with those under the same one alone; 0: of payload
 * that was captured. */
static inline uint32_t segment_hash_key(const struct segment *s)
{
	return s->hash_keyed ? 1U << 16 | s->window : 0;
}

/* Of two records of one length: do their payloads differ, as far as both were captured? */
static inline bool segment_payload_differs(const struct segment *a, const struct segment *b)
{
	uint32_t x = a->hash ^ b->hash, head_a = a->hash & SEGMENT_HASH_HEAD,
		 head_b = b->hash & SEGMENT_HASH_HEAD;

	if (segment_hash_key(a) != segment_hash_key(b))
		return false;
	return (x & SEGMENT_HASH_HEAD && head_a && head_b) ||
	       (x >> 16 && a->hash >> 16 && b->hash >> 16);
}

/* The slot behind a segment with SEGMENT_SACK. */
struct segment_sack {
	uint32_t count;
	uint32_t edge[4][2]; /* left inclusive, right exclusive, as on the wire */
	uint32_t unused[3];
};

_Static_assert(sizeof(struct segment_sack) == sizeof(struct segment), "one slot");

static inline const struct segment_sack *segment_sack(const struct segment *s)
{
	return s->bits & SEGMENT_SACK ? (const struct segment_sack *)(s + 1)
				      : (const struct segment_sack *)0;
}

static inline uint32_t segment_slots(const struct segment *s)
{
	return 1 + ((s->bits & SEGMENT_SACK) != 0);
}

/* A flow's segments: chunks of slots in capture order. */
struct segment_chunk {
	struct segment_chunk *next;
	uint32_t used, cap; /* slots */
	struct segment slots[];
};
