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
	OUTCOME_REJECTED_OUT,	 /* on the way out of the client's interface */
	OUTCOME_REJECTED_IN,	 /* on the way into another */
	OUTCOME_REPLY_REJECTED,	 /* the answer, on its way */
	OUTCOME_LOST,		 /* left the client's interface, not in at the server's */
	OUTCOME_REPLY_LOST,	 /* the answer left the server's, not in at the client's */
	OUTCOME_REPLY_ELSEWHERE, /* the answer left by another interface, not in at the client's */
	OUTCOME_SILENT,		 /* in at the server's (or a gateway's), no answer left it */
	OUTCOME_UNANSWERED,	 /* no answer; the server's interface has no log */
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

/* When a client (by a hash of it and the service) was answered first, and first came in. 0: never.
 */
struct known {
	uint64_t key;
	uint32_t answered_s, arrived_s;
};

/* Sums over buckets. */
struct facts_totals {
	struct sums requests; /* of all: totals, and the minutes that say something */
	struct sums windows, losses, deliveries, sources, known;
	struct top problems, talkers; /* pairs */
	uint64_t left_out[5]; /* sums that found no room: in the order of facts_rows_sums() */
};

/*
 * What can still change with the next records is summed apart: conversations that may go on, and
 * requests whose answer may come. The next run judges them again, the rest never.
 */
enum { SETTLED, OPEN, STAGES };

/* One thread's share. */
struct worker {
	const struct flowlog_facts_input *in;
	_Atomic unsigned *next_bucket;
	struct sums pairs[STAGES], asked[STAGES]; /* of one bucket: complete when it ends */
	struct facts_totals totals[STAGES];
	unsigned stage;		  /* of the conversation at hand */
	struct carried *carrying; /* of the bucket at hand; NULL: nothing is left for a next run */
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

/* A conversation that pauses for this long is a new one: middleboxes have forgotten it by then. */
#define CONVERSATION_PAUSE_S 1800
/* Records this long after a request can be its answer, beside what is delivered late. */
#define ANSWER_DELAY_S 660

static inline uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static inline void proof_take(struct proof *p, const struct tuple *t)
{
	if (t && (!p->file || t->file < p->file || (t->file == p->file && t->line < p->line)))
		*p = (struct proof){t->file, t->line};
}

/* From then on a request that ended at end_s is judged for good. */
static inline int64_t facts_settled_s(const struct flowlog_facts_input *in, int64_t end_s)
{
	return end_s + in->edge_s + ANSWER_DELAY_S;
}

/* coverage.c */
bool facts_is_v4(const uint8_t *address);
bool facts_owns(const struct flowlog_interface *i, const uint8_t *address);
/* 1 when the record runs from the higher end to the lower one; ends are ordered by address and
 * port. */
unsigned facts_direction_of(const struct tuple *t);
bool facts_skipped(
	const struct flowlog_facts_input *in, uint32_t vantage, int64_t from_s, int64_t to_s);
/* Whether the log shows the interface by records that end in a span. */
bool facts_shown(
	const struct flowlog_facts_input *in, uint32_t vantage, int64_t from_s, int64_t to_s);
/* An answer that is absent near the end of a log may be missing from it alone. */
bool facts_at_edge(const struct flowlog_facts_input *in, uint32_t vantage, int64_t end_s);
/* A log must cover a span with a margin, and lose nothing there. */
bool facts_covers(
	const struct worker *w, const struct flowlog_interface *i, int64_t from_s, int64_t to_s);
/* The log of an interface has begun before what is said at a time is settled. */
bool facts_has_begun(const struct worker *w, const struct flowlog_interface *i, int64_t at_s);
/* The ENI that owns an address, other than one. */
const struct flowlog_interface *facts_owner_of(
	const struct worker *w, const uint8_t *address, uint32_t not_this);
void facts_index_owners(struct worker *w);

/* place.c */
void place_sum(struct worker *w, struct at_place *p);

/* pair.c */
/* Which half is the client's, and whether that is a guess. Ports come last. */
unsigned pair_client_half(const struct half h[2], const struct tuple *t, bool *ret_guessed);
/* Adds the conversation of one 5-tuple at one ENI to its pair. */
void pair_add(struct worker *w, const struct flowlog_interface *i, const struct tuple *t,
	const struct half h[2], unsigned client, bool guessed);
void facts_tuple_key(const struct tuple *t, struct conversation_key *ret);

/* loss.c */
/* For each direction: the ENI it left, and the one it came in at or should have. */
void loss_join_places(struct worker *w, const struct at_place *places, size_t n);

/* Counts the requests of a 5-tuple by what became of them. */
void outcomes_add(struct worker *w, const struct at_place *places, size_t n, unsigned client);

/* Adds what is known of a client and a service. */
void known_add(struct sums *all, const struct known *k);

/* When all records between its addresses are counted: keeps what says something. */
void outcomes_end_bucket(struct worker *w);

/* Merges an entry of another worker. */
void outcomes_merge(struct request *to, const struct request *from, bool is_new);

void worker_init(struct worker *w, const struct flowlog_facts_input *in, unsigned threads);
void worker_release(struct worker *w);

void pair_init(struct pair *p);

/* Hands the pairs of a bucket on to the most important ones. */
void worker_end_bucket(struct worker *w);

/* Adds sums to others. */
void facts_totals_merge(struct facts_totals *to, const struct facts_totals *from);

/* Adds an entry: k 0 windows, 1 losses, 2 deliveries, 3 sources, 4 requests. */
void facts_totals_add(struct facts_totals *t, unsigned k, const void *entry);

/* Adds the minutes with NODATA and SKIPDATA. */
void facts_totals_add_states(struct facts_totals *t, const struct sums *states);

/* Pairs as sums, for them to be added up; and the most important of them again. */
void facts_totals_pairs(struct facts_totals *t, struct sums *ret);
void pairs_add(struct sums *pairs, const struct pair *p);
void facts_totals_take_pairs(struct facts_totals *t, const struct sums *pairs);

/* Writes all rows, in the order of their keys. */
int facts_totals_write(struct facts_totals *t, struct db *db, struct error *err);
