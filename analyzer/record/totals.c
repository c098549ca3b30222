#include "record/totals.h"

#include <assert.h>
#include <string.h>

#include "base/address.h"
#include "join/flow.h"

#define PAIRS_MAX 65536

/* Both directions of a path: the second is found where the first was. */
struct pair_key {
	uint32_t near, far; /* vantage indexes; near: the client's side */
	uint8_t client[16], server[16];
};

/* In the order of the columns of path_total; the last two are maxima. */
#define SUMS 16
enum { FLOWS, LOST = 4, UNJUDGED = 6, SYN_LOST = 15, LARGEST_DELIVERED = SUMS, ESTIMATED, VALUES };

struct pair {
	uint64_t direction[2][VALUES]; /* C2S, S2C */
};

/* Of what each port's handshakes come to. */
struct port_key {
	struct pair_key pair;
	uint64_t server_port; /* as seen where they were sent */
};

struct port {
	uint64_t syn_sent[2]; /* C2S, S2C */
};

/* Of loss_total. */
struct loss_key {
	struct pair_key pair;
	uint8_t src[16], dst[16];
	uint16_t server_port, syn;
	uint32_t direction;
};

_Static_assert(sizeof(struct pair_key) == 40 && sizeof(struct loss_key) == 80,
	"hashed as bytes: no padding");

struct loss {
	bool estimated;
	uint64_t flows, broken, segments, syn_segments, bytes;
	int64_t smallest; /* DB_NONE: none */
	int64_t first_ns, last_ns;
};

void totals_init(struct totals *t)
{
	hashmap_init(&t->pairs, sizeof(struct pair_key), sizeof(struct pair), PAIRS_MAX);
	hashmap_init(&t->ports, sizeof(struct port_key), sizeof(struct port), PAIRS_MAX);
	hashmap_init(&t->losses, sizeof(struct loss_key), sizeof(struct loss), PAIRS_MAX);
}

void totals_release(struct totals *t)
{
	hashmap_release(&t->pairs);
	hashmap_release(&t->ports);
	hashmap_release(&t->losses);
}

static void totals_raise_to(uint64_t *most, uint64_t v)
{
	*most = v > *most ? v : *most;
}

static struct pair_key totals_key_of(
	const struct totals_flow *f, uint32_t from, uint32_t to, uint8_t direction)
{
	struct pair_key key = {
		.near = direction == C2S ? from : to, .far = direction == C2S ? to : from};

	memcpy(key.client, f->client, sizeof(key.client));
	memcpy(key.server, f->server, sizeof(key.server));
	return key;
}

void totals_add(struct totals *t, const struct totals_flow *f, const struct path_counts *p)
{
	const uint64_t add[SUMS] = {1, p->sent.segments, p->delivered.segments,
		p->misaddressed.segments, p->lost.segments, p->capture_missed.segments,
		p->unjudged.segments, p->received.segments, p->duplicated.segments,
		p->injected.segments, p->sender_missed.segments, p->modified, p->reordered,
		p->retransmitted.segments, p->syn_sent, p->syn_lost};
	struct pair_key key = totals_key_of(f, p->from, p->to, p->direction);
	struct pair *pair;
	uint64_t *sum;
	bool is_new;

	pair = hashmap_at(&t->pairs, &key, &is_new);
	if (!pair)
		return;
	sum = pair->direction[p->direction];
	for (int i = 0; i < SUMS; i++)
		sum[i] += add[i];
	totals_raise_to(&sum[LARGEST_DELIVERED],
		p->largest_delivered < 0 ? 0 : (uint64_t)p->largest_delivered);
	totals_raise_to(&sum[ESTIMATED], p->estimated);
}

void totals_add_syns(struct totals *t, const struct totals_flow *f, const struct path_counts *p,
	uint16_t server_port)
{
	struct port_key key = {
		.pair = totals_key_of(f, p->from, p->to, p->direction), .server_port = server_port};
	bool is_new;
	struct port *port = hashmap_at(&t->ports, &key, &is_new);

	if (port)
		port->syn_sent[p->direction] += p->syn_sent;
}

struct totals_loss totals_loss_of(const struct path_counts *p)
{
	return (struct totals_loss){.from = p->from,
		.to = p->to,
		.direction = p->direction,
		.estimated = p->estimated,
		.segments = (uint32_t)(p->lost.segments + p->misaddressed.segments),
		.syn_segments = (uint32_t)p->syn_lost,
		.bytes = p->lost.bytes + p->misaddressed.bytes,
		.smallest = (int32_t)p->smallest_lost};
}

void totals_unjudge(struct totals *t, const struct totals_flow *f, const struct totals_loss *l,
	uint32_t segments, uint32_t syn)
{
	struct pair_key key = totals_key_of(f, l->from, l->to, l->direction);
	struct pair *pair = hashmap_get(&t->pairs, &key);
	uint64_t *sum;

	if (!pair)
		return;
	sum = pair->direction[l->direction];
	assert(sum[LOST] >= segments && sum[SYN_LOST] >= syn);
	sum[LOST] -= segments;
	sum[UNJUDGED] += segments;
	sum[SYN_LOST] -= syn;
}

void totals_add_loss(struct totals *t, const struct totals_flow *f, const struct totals_loss *add)
{
	struct loss_key key = {.pair = totals_key_of(f, add->from, add->to, add->direction),
		.server_port = f->server_port,
		.syn = add->syn_segments > 0,
		.direction = add->direction};
	struct loss *l;
	bool is_new;

	memcpy(key.src, f->src, sizeof(key.src));
	memcpy(key.dst, f->dst, sizeof(key.dst));
	l = hashmap_at(&t->losses, &key, &is_new);
	if (!l)
		return;
	if (is_new)
		*l = (struct loss){
			.smallest = DB_NONE, .first_ns = INT64_MAX, .last_ns = INT64_MIN};
	l->estimated |= add->estimated;
	l->flows++;
	l->broken += f->broken;
	l->segments += add->segments;
	l->syn_segments += add->syn_segments;
	l->bytes += add->bytes;
	if (f->tcp && add->smallest >= 0 && (l->smallest == DB_NONE || add->smallest < l->smallest))
		l->smallest = add->smallest;
	l->first_ns = f->first_ns < l->first_ns ? f->first_ns : l->first_ns;
	l->last_ns = f->last_ns > l->last_ns ? f->last_ns : l->last_ns;
}

struct key_text {
	char client[IP_TEXT_SIZE], server[IP_TEXT_SIZE];
};

/* The first five columns of both tables. */
static void totals_bind_key(sqlite3_stmt *s, const struct pair_key *k, uint32_t direction,
	const struct dataset *data, struct key_text *text)
{
	db_int(s, 1, data->vantages[direction == C2S ? k->near : k->far].id);
	db_int(s, 2, data->vantages[direction == C2S ? k->far : k->near].id);
	db_text(s, 3, direction_name((enum direction)direction));
	db_text(s, 4, ip_text(k->client, text->client));
	db_text(s, 5, ip_text(k->server, text->server));
}

/* Too many ports: counted for none, whichever came first. */
static int64_t totals_port_syns(const struct totals *t, const struct loss_key *k)
{
	struct port_key key = {.pair = k->pair, .server_port = k->server_port};
	const struct port *port = hashmap_get(&t->ports, &key);

	if (t->ports.refused)
		return DB_NONE;
	return port ? (int64_t)port->syn_sent[k->direction] : 0;
}

static void totals_store_losses(const struct totals *t, struct db *db, const struct dataset *data)
{
	for (uint32_t i = 0; i < t->losses.count; i++) {
		const struct loss_key *k = hashmap_key(&t->losses, i);
		const struct loss *l = hashmap_value(&t->losses, i);
		sqlite3_stmt *s = db_insert(db, TABLE_LOSS_TOTAL);
		char src[IP_TEXT_SIZE], dst[IP_TEXT_SIZE];
		struct key_text text;

		totals_bind_key(s, &k->pair, k->direction, data, &text);
		db_text(s, 6, ip_text(k->src, src));
		db_text(s, 7, ip_text(k->dst, dst));
		db_int(s, 8, k->server_port);
		db_int(s, 9, k->syn);
		db_int_or_null(s, 10, totals_port_syns(t, k));
		db_int(s, 11, (int64_t)l->flows);
		db_int(s, 12, (int64_t)l->broken);
		db_int(s, 13, (int64_t)l->segments);
		db_int(s, 14, (int64_t)l->syn_segments);
		db_int(s, 15, (int64_t)l->bytes);
		db_int_or_null(s, 16, l->smallest);
		db_int(s, 17, l->estimated);
		db_int(s, 18, l->first_ns);
		db_int(s, 19, l->last_ns);
		db_step(db, s);
	}
}

static void totals_store_pair(const struct pair_key *k, const struct pair *p, uint32_t direction,
	struct db *db, const struct dataset *data)
{
	sqlite3_stmt *s = db_insert(db, TABLE_PATH_TOTAL);
	struct key_text text;

	if (!p->direction[direction][FLOWS])
		return;
	totals_bind_key(s, k, direction, data, &text);
	for (int v = 0; v < VALUES; v++)
		db_int(s, 6 + v, (int64_t)p->direction[direction][v]);
	db_step(db, s);
}

void totals_store(const struct totals *t, struct db *db, const struct dataset *data)
{
	if (t->pairs.refused || t->losses.refused)
		return;
	for (uint32_t i = 0; i < t->pairs.count; i++)
		for (uint32_t d = 0; d < 2; d++)
			totals_store_pair(hashmap_key(&t->pairs, i), hashmap_value(&t->pairs, i), d,
				db, data);
	totals_store_losses(t, db, data);
}
