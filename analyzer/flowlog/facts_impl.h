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

/* What became of a request (a record of the client's packets). From OUTCOME_REFUSED on it failed.
 */
enum outcome {
	OUTCOME_ANSWERED,
	OUTCOME_HALF_OPEN, /* the server answered the SYN, the client said no more */
	OUTCOME_REFUSED,   /* answered by a reset alone */
	OUTCOME_SMALL,	   /* asked with data, answered by packets without data alone */
	OUTCOME_IDLE, /* no answer, or a reset, after a pause of a connection that was answered */
	OUTCOME_REJECTED_OUT,	/* on the way out of the client's interface */
	OUTCOME_REJECTED_IN,	/* on the way into another */
	OUTCOME_REPLY_REJECTED, /* the answer, on its way */
	OUTCOME_LOST,		/* left the client's interface, not in at the server's */
	OUTCOME_REPLY_LOST,	/* the answer left the server's interface, not in at the client's */
	OUTCOME_REPLY_ELSEWHERE, /* the answer left by another interface, not in at the client's */
	OUTCOME_SILENT,	    /* in at the server's interface (or a gateway's), no answer left it */
	OUTCOME_UNANSWERED, /* no answer; the server's interface has no log */
	OUTCOMES
};

struct request_key {
	uint8_t client[16], server[16]; /* zero: outside, and taken together */
	uint16_t port;
	uint8_t has_port, protocol, protocol_none, zero[3];
	uint32_t minute; /* 0: of the whole log */
};

/* What a client asked of a service in a minute, or in all. */
struct request {
	struct request_key key;
	uint32_t client_vantage, server_vantage; /* 0: not logged */
	uint32_t asked, outcomes[OUTCOMES], arrived, edge, strange;
	uint32_t answered_first_s, answered_last_s, failed_first_s, failed_last_s;
	uint64_t packets;
	uint64_t clients, clients_answered; /* a bit for each of 64 classes of addresses */
	struct proof proof;		    /* of a failure */
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
	uint64_t flows, flows_missing, flows_short, sent, arrived, rejected, missing, unjudged;
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
		       sizeof(struct delivery_key) == 44 && sizeof(struct request_key) == 44,
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
	struct sums pairs, asked;     /* of one bucket: complete when it ends */
	struct sums requests;	      /* of all: totals, and the minutes that say something */
	struct top problems, talkers; /* of all buckets */
	struct sums windows, losses, deliveries, sources;
	uint64_t left_out[5]; /* sums that found no room: in the order of worker_sums() */
	struct owner *owners;
	size_t owner_slots, bucket_max;
	int result;
	struct error error;
};

/* One direction of a conversation at one ENI. */
struct half {
	uint64_t records, packets, bytes, rejected_records, rejected_packets;
	uint32_t first_s, last_s; /* of all; first_s UINT32_MAX: none */
	uint32_t accepted_first_s, rejected_first_s, rejected_last_s;
	unsigned flags;	     /* ORed; TUPLE_NO_FLAGS when never recorded */
	bool syn, syn_ack;   /* a record with that combination */
	bool client, server; /* the cloud says so */
	bool counted;	     /* a record with counts */
	unsigned side;
	const struct tuple *accepted, *rejected; /* evidence: the first by file and line */
};

#define PLACES 8 /* ENIs that show one 5-tuple; more are a loop or a NAT, not a pair */

/* What one ENI shows of a 5-tuple: its records in order of start. */
struct at_place {
	const struct flowlog_interface *interface;
	struct half half[2];
	struct tuple **list;
	size_t count;
};

/* A packet may be recorded in a window that starts up to 60 s after it. */
#define WINDOW_DELAY_S 60

bool facts_is_v4(const uint8_t *address);
bool facts_owns(const struct flowlog_interface *i, const uint8_t *address);
unsigned facts_direction_of(const struct tuple *t);
bool facts_skipped(
	const struct flowlog_facts_input *in, uint32_t vantage, int64_t from_s, int64_t to_s);
bool facts_covers(
	const struct worker *w, const struct flowlog_interface *i, int64_t from_s, int64_t to_s);
const struct flowlog_interface *facts_owner_of(
	const struct worker *w, const uint8_t *address, uint32_t not_this);

/* Counts the requests of a 5-tuple by what became of them. */
void outcomes_add(struct worker *w, const struct at_place *places, size_t n, unsigned client);

/* When all records between its addresses are counted: keeps what says something. */
void outcomes_end_bucket(struct worker *w);

/* Forgets minutes in which nothing failed; nothing can be looked up after. */
void outcomes_drop_good(struct sums *requests);

/* Merges an entry of another worker. */
void outcomes_merge(struct request *to, const struct request *from, bool is_new);

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
