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

void totals_init(struct totals *t)
{
	tally_init(&t->pairs, sizeof(struct pair_key), VALUES * sizeof(uint64_t), PAIRS_MAX);
}

void totals_release(struct totals *t)
{
	tally_release(&t->pairs);
}

static void raise_to(uint64_t *most, uint64_t v)
{
	*most = v > *most ? v : *most;
}

void totals_add(struct totals *t, const uint8_t client[16], const uint8_t server[16], const struct path_counts *p)
{
	const uint64_t add[SUMS] = {1, p->sent.segments, p->delivered.segments, p->misaddressed.segments,
		p->lost.segments, p->capture_missed.segments, p->unjudged.segments, p->received.segments,
		p->duplicated.segments, p->injected.segments, p->sender_missed.segments, p->modified, p->reordered,
		p->retransmitted.segments, p->syn_sent, p->syn_lost};
	struct pair_key key = {.from = p->from, .to = p->to, .direction = p->direction};
	uint64_t *sum;
	bool is_new;

	memcpy(key.client, client, sizeof(key.client));
	memcpy(key.server, server, sizeof(key.server));
	sum = tally_at(&t->pairs, &key, &is_new);
	if (!sum)
		return;
	for (int i = 0; i < SUMS; i++)
		sum[i] += add[i];
	raise_to(&sum[LARGEST_DELIVERED], p->largest_delivered < 0 ? 0 : (uint64_t)p->largest_delivered);
	raise_to(&sum[ESTIMATED], p->estimated);
}

void totals_store(const struct totals *t, struct db *db, const struct network *net)
{
	char client[IP_TEXT_SIZE], server[IP_TEXT_SIZE];

	if (t->pairs.refused)
		return;
	for (uint32_t i = 0; i < t->pairs.count; i++) {
		const struct pair_key *k = tally_key(&t->pairs, i);
		const uint64_t *sum = tally_value(&t->pairs, i);
		sqlite3_stmt *s = db_insert(db, TABLE_PATH_TOTAL);

		db_int(s, 1, net->vantages[k->from].id);
		db_int(s, 2, net->vantages[k->to].id);
		db_text(s, 3, k->direction == C2S ? "c2s" : "s2c");
		db_text(s, 4, ip_text(k->client, client));
		db_text(s, 5, ip_text(k->server, server));
		for (int v = 0; v < VALUES; v++)
			db_int(s, 6 + v, (int64_t)sum[v]);
		db_step(db, s);
	}
}
