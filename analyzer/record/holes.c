#include "record/holes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/hashmap.h"
#include "base/mem.h"
#include "base/seq.h"
#include "decode/packet.h"
#include "record/facts.h"

/* Pairs of addresses, and rows, of a place; beyond them limit_reached says so. */
#define PAIRS_MAX 20000
#define ROWS_MAX 20000
/* A direction of which nothing large passes does not become long. */
#define SEGMENTS_MAX 512
/* Segments of a pair's other flows in which a large one is looked for. */
#define PAIR_SEGMENTS_MAX 65536
#define TIMESTAMP_BYTES 12

/* What the receiver of a direction lacked when the flow ended. */
struct hole {
	const struct flow_vantage *flow;
	bool from_b;	    /* B is the sender of what is missing */
	uint32_t low, high; /* last acknowledged byte, and first byte of its lowest SACK block */
	uint32_t acks;	    /* that ask for it */
	uint32_t sent;	    /* transmissions of it that passed here; 0: it is lost before */
	uint32_t smallest;  /* payload of the smallest of them */
	uint32_t full;	    /* payload of a full segment */
	uint32_t passed;    /* payload of the largest that the receiver has */
	const struct segment *first, *last; /* of these acks */
};

struct pair_key {
	uint8_t sender[16], receiver[16];
};

struct pair_passed {
	uint32_t largest; /* payload, in flows without a hole */
	uint32_t segments;
};

struct holes {
	struct hole *list;
	uint32_t count, cap;
	uint32_t next; /* the first that holes_compare() has not come to */
	uint64_t found;
	struct hashmap pairs; /* pair_key -> pair_passed */
};

static struct pair_key holes_key(const struct flow_vantage *f, bool from_b)
{
	struct pair_key key;

	memcpy(key.sender, from_b ? f->key.b : f->key.a, sizeof(key.sender));
	memcpy(key.receiver, from_b ? f->key.a : f->key.b, sizeof(key.receiver));
	return key;
}

/* Calls take() for the flow's segments in the order of the capture. */
static void holes_walk(const struct flow_vantage *f, uint32_t most, void *context,
	void (*take)(void *context, const struct segment *s))
{
	for (const struct segment_chunk *c = f->head; c; c = c->next)
		for (uint32_t i = 0; i < c->used && most; i += segment_slots(&c->slots[i]), most--)
			take(context, &c->slots[i]);
}

static bool holes_is_from(const struct segment *s, bool b)
{
	return ((s->bits & SEGMENT_FROM_B) != 0) == b;
}

/* The lowest block above the acknowledgment; those below are duplicates (D-SACK). */
static bool holes_lowest_block(const struct segment *s, uint32_t *ret_left)
{
	const struct segment_sack *blocks = segment_sack(s);
	bool found = false;

	for (uint32_t i = 0; blocks && i < blocks->count; i++) {
		uint32_t left = blocks->edge[i][0];

		if (!seq_lt(s->ack, left) || (found && seq_leq(*ret_left, left)))
			continue;
		*ret_left = left;
		found = true;
	}
	return found;
}

/* An ACK of the receiver: the newest decides what is still missing. */
static void holes_take_ack(void *context, const struct segment *s)
{
	struct hole *h = context;
	uint32_t left;

	if (holes_is_from(s, h->from_b) || !(s->flags & TCP_ACK) || s->flags & (TCP_SYN | TCP_RST))
		return;
	if (!holes_lowest_block(s, &left)) {
		/* A FIN, say, may leave the blocks out. */
		h->acks = s->ack == h->low ? h->acks : 0;
		return;
	}
	if (!h->acks || s->ack != h->low) {
		h->acks = 0;
		h->first = s;
	}
	h->acks++;
	h->low = s->ack;
	h->high = left;
	h->last = s;
}

/* A segment of the sender: in the hole, or of what the receiver has. */
static void holes_take_sent(void *context, const struct segment *s)
{
	struct hole *h = context;

	if (!holes_is_from(s, h->from_b) || !s->length)
		return;
	if (seq_lt(s->seq, h->high) && seq_lt(h->low, s->seq + s->length)) {
		h->smallest = h->sent && h->smallest < s->length ? h->smallest : s->length;
		h->sent++;
	} else if (seq_leq(s->seq + s->length, h->low) || seq_leq(h->high, s->seq)) {
		h->passed = s->length > h->passed ? s->length : h->passed;
	}
}

static uint32_t holes_full_segment(const struct flow_vantage *f)
{
	const struct flow_side *a = &f->side[0], *b = &f->side[1];
	uint32_t mss = a->mss < b->mss ? a->mss : b->mss;
	bool stamps = a->tcp_options & b->tcp_options & TCPOPT_HAS_TIMESTAMP;

	return mss > TIMESTAMP_BYTES ? mss - (stamps ? TIMESTAMP_BYTES : 0) : 0;
}

/* By its summary: almost no flow ends while its receiver lacks something. */
static bool holes_may_have(const struct flow_vantage *f, bool from_b)
{
	return f->side[!from_b].sack_open &&
	       f->side[0].packets + f->side[1].packets <= SEGMENTS_MAX && holes_full_segment(f) &&
	       f->flow != FLOW_NONE;
}

static void holes_find(struct holes *l, const struct flow_vantage *f, bool from_b)
{
	struct hole h = {.flow = f, .from_b = from_b, .full = holes_full_segment(f)};
	struct pair_key key = holes_key(f, from_b);
	bool fresh;

	holes_walk(f, SEGMENTS_MAX, &h, holes_take_ack);
	/* Smaller than a full segment: no size is to blame. */
	if (!h.acks || h.high - h.low < h.full)
		return;
	holes_walk(f, SEGMENTS_MAX, &h, holes_take_sent);
	if (l->found++ >= ROWS_MAX || hashmap_add(&l->pairs, &key, &fresh) == HASHMAP_NONE)
		return;
	MEM_RESERVE(l->list, l->count, l->cap);
	l->list[l->count++] = h;
}

struct largest {
	uint32_t payload, segments;
	bool from_b;
};

static void holes_take_largest(void *context, const struct segment *s)
{
	struct largest *l = context;

	l->segments++;
	if (holes_is_from(s, l->from_b) && s->length > l->payload)
		l->payload = s->length;
}

/* What passes between the same addresses in flows that end without a hole. */
static void holes_compare(struct holes *l, const struct flow_vantage *f, bool from_b)
{
	struct pair_key key = holes_key(f, from_b);
	struct pair_passed *pair = hashmap_get(&l->pairs, &key);
	struct largest largest = {.from_b = from_b};

	/* The list is in this order, too. */
	if (l->next < l->count && l->list[l->next].flow == f && l->list[l->next].from_b == from_b) {
		l->next++;
		return;
	}
	if (!pair || f->key.protocol != 6 || pair->segments >= PAIR_SEGMENTS_MAX)
		return;
	holes_walk(f, PAIR_SEGMENTS_MAX - pair->segments, &largest, holes_take_largest);
	pair->segments += largest.segments;
	pair->largest = largest.payload > pair->largest ? largest.payload : pair->largest;
}

static void holes_put(struct db *db, const struct dataset *data, const uint32_t *flow_row,
	uint32_t vantage, const struct hole *h, const struct pair_passed *pair)
{
	bool client_is_b = h->flow->side[1].sent_syn_only;
	sqlite3_stmt *s = db_insert(db, TABLE_UNFILLED_HOLE);
	struct pair_key key = holes_key(h->flow, h->from_b);
	char sender[IP_TEXT_SIZE], receiver[IP_TEXT_SIZE];

	assert(h->high - h->low >= h->full);
	db_int(s, 1, flow_row[h->flow->flow]);
	db_int(s, 2, data->vantages[vantage].id);
	db_text(s, 3, direction_name(h->from_b == client_is_b ? C2S : S2C));
	db_text(s, 4, ip_text(key.sender, sender));
	db_text(s, 5, ip_text(key.receiver, receiver));
	db_int(s, 6, h->high - h->low);
	db_int(s, 7, h->full);
	db_int(s, 8, h->acks);
	db_int(s, 9, h->sent);
	db_int_or_null(s, 10, h->sent ? h->smallest : DB_NONE);
	db_int(s, 11, h->passed > pair->largest ? h->passed : pair->largest);
	db_int(s, 12, h->first->time_ns);
	db_int(s, 13, h->flow->last_ns);
	facts_put_frame(s, 14, data, vantage, h->first->frame);
	facts_put_frame(s, 16, data, vantage, h->last->frame);
	db_step(db, s);
}

/* Returns how many rows it stored; adds those beyond the limits to *refused. */
static uint64_t holes_of_vantage(struct db *db, const struct dataset *data,
	const uint32_t *flow_row, uint32_t vantage, uint64_t *refused)
{
	const struct flowtab *flows = &data->vantages[vantage].flows;
	struct holes l = {0};

	hashmap_init(&l.pairs, sizeof(struct pair_key), sizeof(struct pair_passed), PAIRS_MAX);
	for (uint32_t i = 0; i < flows->count; i++)
		for (int b = 0; b < 2; b++)
			if (holes_may_have(flowtab_at(flows, i), b))
				holes_find(&l, flowtab_at(flows, i), b);
	for (uint32_t i = 0; i < flows->count && l.count; i++)
		for (int b = 0; b < 2; b++)
			holes_compare(&l, flowtab_at(flows, i), b);
	for (uint32_t i = 0; i < l.count; i++) {
		struct pair_key key = holes_key(l.list[i].flow, l.list[i].from_b);

		holes_put(db, data, flow_row, vantage, &l.list[i], hashmap_get(&l.pairs, &key));
	}
	*refused += l.found - l.count;
	hashmap_release(&l.pairs);
	free(l.list);
	return l.count;
}

void holes_store(struct db *db, const struct dataset *data, const uint32_t *flow_row)
{
	uint64_t kept = 0, refused = 0;

	for (uint32_t v = 0; v < data->vantage_count; v++)
		kept += holes_of_vantage(db, data, flow_row, v, &refused);
	facts_limit_reached(db, "unfilled_hole", kept, kept + refused);
}
