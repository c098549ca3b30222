/* facts_impl: the sums that facts.c fills and facts_rows.c merges and writes. */
#pragma once

#include "flowlog/facts.h"
#include "flowlog/sums.h"
#include "flowlog/top.h"

struct conversation_key {
	uint8_t low[16], high[16];
	uint16_t low_port, high_port;
	uint8_t protocol, zero[3];
};

/* The first record that shows something, by file and line. file 0: none. */
struct proof {
	uint32_t file, line;
};

enum { PAIR_OWN_UNKNOWN, PAIR_OWN_SERVER, PAIR_OWN_CLIENT };

struct pair_key {
	uint32_t vantage;
	uint8_t client[16], server[16];
	uint16_t port;
	uint8_t has_port, protocol, protocol_none, guessed, own, zero;
};

struct pair {
	struct pair_key key;
	uint64_t flows, rejected_flows, reply_rejected, unanswered_flows, unanswered_records,
		unanswered_packets, unanswered_syn, edge_flows, void_flows;
	uint64_t records[2], packets[2], bytes[2], rejected_records[2],
		rejected_packets[2]; /* c2s, s2c */
	uint32_t first_s, last_s, unanswered_first_s, unanswered_last_s, rejected_first_s,
		rejected_last_s;
	struct proof unanswered, rejected;
};

struct window_key {
	uint32_t vantage, minute;
};

struct window {
	struct window_key key;
	uint64_t in_records, in_packets, in_requests, in_answered, out_records, out_packets,
		rejected, nodata, skipdata;
	uint64_t peers, peers_answered; /* a bit for each of 64 classes of addresses */
	struct proof unanswered;
};

struct loss_key {
	uint32_t from, to;
	uint8_t src[16], dst[16];
};

struct loss {
	struct loss_key key;
	uint64_t flows, flows_missing, sent, arrived, rejected, missing, unjudged;
	uint32_t first_s, last_s;
	struct proof proof;
};

struct delivery_key {
	uint32_t vantage;
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
	uint8_t has_port, protocol, protocol_none, zero[1];
};

struct delivery {
	struct delivery_key key;
	uint64_t records, packets, bytes;
	uint32_t first_s, last_s;
	struct proof proof;
};

/* Who is turned away, or not answered, at how many places: a scan. */
_Static_assert(sizeof(struct conversation_key) == 40 && sizeof(struct pair_key) == 44 &&
		       sizeof(struct delivery_key) == 44,
	"hashed as bytes: no padding");

struct source_sum {
	uint8_t address[16]; /* the key */
	uint64_t records, packets;
	uint64_t hosts, ports[4]; /* classes of addresses and ports: bits, so a lower bound */
	uint32_t first_s, last_s;
	struct proof proof;
};

struct owner {
	uint8_t address[16];
	uint32_t vantage;
	bool used;
};

/* One thread's share. */
struct worker {
	const struct flowlog_facts_input *in;
	_Atomic unsigned *next_bucket;
	struct sums pairs;	      /* of one bucket: complete when it ends */
	struct top problems, talkers; /* of all buckets */
	struct sums windows, losses, deliveries, sources;
	uint64_t left_out[4]; /* sums that found no room: windows, losses, deliveries, sources */
	struct owner *owners;
	size_t owner_slots, bucket_max;
	int result;
	struct error error;
};

void worker_init(struct worker *w, const struct flowlog_facts_input *in, unsigned threads);
void worker_release(struct worker *w);

void pair_init(struct pair *p);

/* Hands the pairs of a bucket on to the most important ones. */
void worker_end_bucket(struct worker *w);

/* Adds the sums of another worker to w. */
void worker_merge(struct worker *w, const struct worker *from);

/* Adds the minutes with NODATA and SKIPDATA. */
void worker_add_states(struct worker *w);

/* Writes all rows, in the order of their keys. */
int worker_write(struct worker *w, struct error *err);
