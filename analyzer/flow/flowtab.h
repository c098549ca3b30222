/*
 * flowtab: the flows of one vantage point while a capture is read: 5-tuple plus initial sequence
 * numbers (a reused 5-tuple is a new flow), with their segments.
 *
 * It is a hash table of its own beside base/hashmap.h because a packet's flow is found in steps
 * that stand apart: all of a group of packets take one step, which prefetches for the next.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/prefetch.h"
#include "flow/arena.h"
#include "flow/segment.h"

struct packet;

/* Endpoint A is the one with the smaller (address, port), so that both directions have one key. */
struct flow_key {
	uint8_t a[16], b[16]; /* addresses, v4-mapped */
	uint16_t a_port, b_port;
	uint8_t protocol;
	uint8_t unused[3];
};

/* A run of frames with one pair of MACs, until macs_close_run() takes it into mac_use. */
struct mac_run {
	uint16_t src_mac, dst_mac, binding;
	uint32_t epoch;
	uint32_t frames, first_frame;
	int64_t first_ns;
};

/* What one side of a flow sent. */
struct flow_side {
	uint32_t isn;	    /* of its SYN or SYN-ACK, when has_isn */
	uint32_t first_seq; /* of its first segment */
	uint32_t first_ack; /* of its first segment with ACK, when acked */
	uint32_t packets;
	uint64_t bytes;
	uint32_t syn_tsval, option_hash;
	uint16_t syns, fins, rsts, zero_windows; /* saturate */
	uint16_t mss;				 /* 0: no MSS option seen */
	uint8_t ttl;				 /* of its first segment */
	uint8_t wscale;				 /* 255: none */
	uint8_t tcp_options;			 /* TCPOPT_ bits of its SYN */
	bool has_isn, seen, acked;
	bool sent_syn_only;  /* it sent a SYN without ACK: it is the client */
	bool wrong_checksum; /* of one of its segments, inner or outer */
	/* what the capture said of its segments: enum packet_direction as bits */
	uint8_t directions;
	/* Its newest ACKs have SACK blocks: it lacks something behind sack_ack. */
	bool sack_open;
	uint32_t sack_ack;
	struct mac_run run; /* the newest */
};

#define FLOW_NONE UINT32_MAX
/* Devices that keep state forget a flow after half a minute of silence at the earliest; a third of
 * it tells the difference. */
#define FLOW_SILENCE_NS (10 * INT64_C(1000000000))
#define ADDRESS_NONE UINT32_MAX

struct flow_vantage {
	struct flow_key key;
	uint32_t index;	     /* in the table */
	uint32_t older;	     /* previous flow with the same key, or FLOW_NONE */
	uint32_t hash;	     /* of key, by the run's seed: tells nothing that may be stored */
	uint32_t address[2]; /* of A and B, among the vantage point's; ADDRESS_NONE: not looked up
				yet */
	/* From here to side: read when flows are sorted; flow_vantage_prefetch_times() prefetches
	 * them.
	 */
	uint32_t file; /* the capture that file_frames are of */
	int64_t first_ns, last_ns;
	uint64_t file_bytes;
	struct segment_chunk *head, *tail;
	struct segment *newest; /* the last one appended */
	uint32_t slots;
	uint32_t flow;		  /* global flow, set by pairing; FLOW_NONE before */
	uint32_t file_frames;	  /* of the current capture file, until ingest takes them into its
				     account */
	struct flow_side side[2]; /* [0] A, [1] B */
	uint8_t tunnel;		  /* enum packet_tunnel */
	bool has_newer;		  /* a later flow has the same key */
	bool was_silent;	  /* nothing passed for FLOW_SILENCE_NS, then more */
};

struct flowtab {
	struct arena *arena;	     /* for chunks and flows */
	struct flow_vantage **pages; /* flow i is pages[i >> FLOWTAB_PAGE_BITS][i & mask] */
	uint32_t count, page_cap;
	uint32_t *room;	   /* flows that may still come */
	uint64_t *buckets; /* hash << 32 | index + 1; 0 free */
	uint32_t bucket_mask;
	struct hash_seed seed; /* of all tables of a run, so that they share hashes */
	uint32_t *silent;      /* flows that were silent; after summary_make() */
	uint32_t silent_count, silent_cap;
};

#define FLOWTAB_PAGE_BITS 10

/* room: how many more flows all tables that share it may take; at 0 flowtab_find() returns NULL and
 * the caller counts. */
void flowtab_init(struct flowtab *t, struct arena *arena, uint32_t *room);
void flowtab_release(struct flowtab *t);

static inline struct flow_vantage *flowtab_at(const struct flowtab *t, uint32_t index)
{
	return &t->pages[index >> FLOWTAB_PAGE_BITS][index & ((1U << FLOWTAB_PAGE_BITS) - 1)];
}

static inline void flow_vantage_prefetch_times(const struct flow_vantage *f)
{
	prefetch_to_read(&f->file,
		offsetof(struct flow_vantage, side) - offsetof(struct flow_vantage, file));
}

/* Where to look for a packet's flow. */
struct flow_lookup {
	struct flow_key key;
	/* set by flowtab_prefetch_flow(): a flow that may have this key; NULL: none */
	struct flow_vantage *guess;
	uint32_t hash;
	bool from_b; /* its sender is B */
};

void flow_lookup_of(const struct flowtab *t, const struct packet *p, struct flow_lookup *ret);

/* The newest flow under another table's flow's key, or NULL; older ones by their index in older. */
struct flow_vantage *flowtab_same_key(const struct flowtab *t, const struct flow_vantage *other);

/* Prefetches, in two steps, what flowtab_same_key() will need; the second returns what it most
 * likely finds. */
static inline void flowtab_prefetch_same_bucket(
	const struct flowtab *t, const struct flow_vantage *other)
{
	prefetch_line(&t->buckets[other->hash & t->bucket_mask]);
}

static inline const struct flow_vantage *flowtab_prefetch_same_key(
	const struct flowtab *t, const struct flow_vantage *other)
{
	uint64_t entry = t->buckets[other->hash & t->bucket_mask];
	const struct flow_vantage *f = entry ? flowtab_at(t, (uint32_t)entry - 1) : NULL;

	if (f)
		prefetch_to_read(f, sizeof(*f));
	return f;
}

/*
 * The flow a packet belongs to, made when new. A SYN whose sequence number differs from the one
 * that side sent before starts a new flow (RFC 9293 3.4.1: a new incarnation); the same number is
 * a retransmission. NULL: the table is full.
 */
struct flow_vantage *flowtab_find(
	struct flowtab *t, const struct packet *p, const struct flow_lookup *look);

/*
 * Tens of thousands of flows exceed the CPU caches, and each packet is of another one: these three
 * prefetch, one step each, what flowtab_find() and flow_vantage_reserve() will need. Called for
 * several packets in turn, their cache misses overlap.
 */
static inline void flowtab_prefetch_bucket(const struct flowtab *t, const struct flow_lookup *look)
{
	prefetch_line(&t->buckets[look->hash & t->bucket_mask]);
}

void flowtab_prefetch_flow(const struct flowtab *t, struct flow_lookup *look);

static inline void flow_vantage_prefetch_slot(const struct flow_vantage *f)
{
	if (!f || !f->newest)
		return;
	prefetch_line_to_write(f->tail);
	prefetch_line_to_write(f->newest);
	prefetch_line_to_write(f->newest + 1);
}

/* Room for n (1 or 2) slots at the end of the flow's segments, for flow_vantage_append() to take.
 */
struct segment *flow_vantage_reserve(struct flowtab *t, struct flow_vantage *f, unsigned n);

static inline void flow_vantage_append(struct flow_vantage *f, unsigned n)
{
	f->newest = &f->tail->slots[f->tail->used];
	f->tail->used += n;
	f->slots += n;
}
