#include "store/totals.h"

#include <string.h>

#include "base/address.h"
#include "join/conversation.h"

#define PAIRS_MAX 65536

struct pair_key {
	uint32_t from, to; /* vantage indexes */
	uint8_t client[16], server[16];
	uint64_t direction;
};

/* In the order of the columns of path_total; the last two are maxima. */
#define SUMS 16
enum { LARGEST_DELIVERED = SUMS, ESTIMATED, VALUES };

/* A row of loss_total. */
struct loss {
	uint8_t src[16], dst[16]; /* of the first path; several_*: another had another */
	bool several_src, several_dst, estimated;
	uint64_t flows, segments, bytes;
	int64_t smallest; /* DB_NONE: none */
	int64_t first_ns, last_ns;
};

void totals_init(struct totals *t)
{
	tally_init(&t->pairs, sizeof(struct pair_key), VALUES * sizeof(uint64_t), PAIRS_MAX);
	tally_init(&t->losses, sizeof(struct pair_key), sizeof(struct loss), PAIRS_MAX);
}

void totals_release(struct totals *t)
{
	tally_release(&t->pairs);
	tally_release(&t->losses);
}

static void raise_to(uint64_t *most, uint64_t v)
{
	*most = v > *most ? v : *most;
}

static void begin_loss(struct loss *l, const struct totals_flow *f)
{
	*l = (struct loss){.smallest = DB_NONE, .first_ns = INT64_MAX, .last_ns = INT64_MIN};
	memcpy(l->src, f->src, sizeof(l->src));
	memcpy(l->dst, f->dst, sizeof(l->dst));
}

/* Paths that lost a SYN are judged one by one: they are found by an index. */
static void add_loss(struct totals *t, const struct pair_key *key, const struct totals_flow *f,
	const struct path_counts *p)
{
	struct loss *l;
	bool is_new;

	if (p->lost.segments + p->misaddressed.segments == 0 || p->syn_lost || !f->judged)
		return;
	l = tally_at(&t->losses, key, &is_new);
	if (!l)
		return;
	if (is_new)
		begin_loss(l, f);
	l->several_src |= memcmp(l->src, f->src, sizeof(l->src)) != 0;
	l->several_dst |= memcmp(l->dst, f->dst, sizeof(l->dst)) != 0;
	l->estimated |= p->estimated;
	l->flows++;
	l->segments += p->lost.segments + p->misaddressed.segments;
	l->bytes += p->lost.bytes + p->misaddressed.bytes;
	if (f->tcp && p->smallest_lost >= 0 && (l->smallest == DB_NONE || p->smallest_lost < l->smallest))
		l->smallest = p->smallest_lost;
	l->first_ns = f->first_ns < l->first_ns ? f->first_ns : l->first_ns;
	l->last_ns = f->last_ns > l->last_ns ? f->last_ns : l->last_ns;
}

void totals_add(struct totals *t, const struct totals_flow *f, const struct path_counts *p)
{
	const uint64_t add[SUMS] = {1, p->sent.segments, p->delivered.segments, p->misaddressed.segments,
		p->lost.segments, p->capture_missed.segments, p->unjudged.segments, p->received.segments,
		p->duplicated.segments, p->injected.segments, p->sender_missed.segments, p->modified, p->reordered,
		p->retransmitted.segments, p->syn_sent, p->syn_lost};
	struct pair_key key = {.from = p->from, .to = p->to, .direction = p->direction};
	uint64_t *sum;
	bool is_new;

	memcpy(key.client, f->client, sizeof(key.client));
	memcpy(key.server, f->server, sizeof(key.server));
	add_loss(t, &key, f, p);
	sum = tally_at(&t->pairs, &key, &is_new);
	if (!sum)
		return;
	for (int i = 0; i < SUMS; i++)
		sum[i] += add[i];
	raise_to(&sum[LARGEST_DELIVERED], p->largest_delivered < 0 ? 0 : (uint64_t)p->largest_delivered);
	raise_to(&sum[ESTIMATED], p->estimated);
}

struct key_text {
	char client[IP_TEXT_SIZE], server[IP_TEXT_SIZE];
};

/* The first five columns of both tables. */
static void bind_key(sqlite3_stmt *s, const struct pair_key *k, const struct network *net, struct key_text *text)
{
	db_int(s, 1, net->vantages[k->from].id);
	db_int(s, 2, net->vantages[k->to].id);
	db_text(s, 3, k->direction == C2S ? "c2s" : "s2c");
	db_text(s, 4, ip_text(k->client, text->client));
	db_text(s, 5, ip_text(k->server, text->server));
}

static void store_losses(const struct tally *losses, struct db *db, const struct network *net)
{
	for (uint32_t i = 0; i < losses->count; i++) {
		const struct loss *l = tally_value(losses, i);
		sqlite3_stmt *s = db_insert(db, TABLE_LOSS_TOTAL);
		char src[IP_TEXT_SIZE], dst[IP_TEXT_SIZE];
		struct key_text text;

		bind_key(s, tally_key(losses, i), net, &text);
		db_text(s, 6, l->several_src ? NULL : ip_text(l->src, src));
		db_text(s, 7, l->several_dst ? NULL : ip_text(l->dst, dst));
		db_int(s, 8, (int64_t)l->flows);
		db_int(s, 9, (int64_t)l->segments);
		db_int(s, 10, (int64_t)l->bytes);
		db_int_or_null(s, 11, l->smallest);
		db_int(s, 12, l->estimated);
		db_int(s, 13, l->first_ns);
		db_int(s, 14, l->last_ns);
		db_step(db, s);
	}
}

void totals_store(const struct totals *t, struct db *db, const struct network *net)
{
	struct key_text text;

	if (t->pairs.refused)
		return;
	for (uint32_t i = 0; i < t->pairs.count; i++) {
		const uint64_t *sum = tally_value(&t->pairs, i);
		sqlite3_stmt *s = db_insert(db, TABLE_PATH_TOTAL);

		bind_key(s, tally_key(&t->pairs, i), net, &text);
		for (int v = 0; v < VALUES; v++)
			db_int(s, 6 + v, (int64_t)sum[v]);
		db_step(db, s);
	}
	store_losses(&t->losses, db, net);
}
