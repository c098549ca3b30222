#include "record/synstamps.h"

#include <string.h>

#include "base/address.h"
#include "base/hashmap.h"
#include "base/seq.h"
#include "decode/packet.h"
#include "record/facts.h"

/* Clients of services at a place; beyond them limit_reached says so. */
#define PAIRS_MAX 20000

struct pair_key {
	uint8_t client[16], server[16];
	uint32_t server_port; /* what one port answers says nothing of another's filter */
};

struct synstamps_side {
	uint32_t above,
		below;	/* connections whose SYN's stamp is at least the last one's, is less */
	uint32_t frame; /* first frame of one below */
};

struct pair_stamps {
	bool known;	    /* a SYN got an answer */
	uint32_t tsval;	    /* of the last such */
	uint32_t frame;	    /* its frame */
	uint32_t reference; /* that which the first unanswered one below was held against */
	struct synstamps_side answered, unanswered;
};

static const struct flow_side *synstamps_client(const struct flow_vantage *f)
{
	const struct flow_side *client = &f->side[f->side[1].sent_syn_only];

	return f->key.protocol == 6 && client->sent_syn_only &&
			       client->tcp_options & TCPOPT_HAS_TIMESTAMP
		       ? client
		       : NULL;
}

static const struct flow_side *synstamps_server(const struct flow_vantage *f)
{
	return &f->side[!f->side[1].sent_syn_only];
}

static struct pair_key synstamps_key(const struct flow_vantage *f)
{
	bool client_is_b = f->side[1].sent_syn_only;
	struct pair_key key = {.server_port = client_is_b ? f->key.a_port : f->key.b_port};

	memcpy(key.client, client_is_b ? f->key.b : f->key.a, sizeof(key.client));
	memcpy(key.server, client_is_b ? f->key.a : f->key.b, sizeof(key.server));
	return key;
}

/* The pairs with SYNs that got nothing back. */
static void synstamps_gather(struct hashmap *pairs, const struct flowtab *flows)
{
	for (uint32_t i = 0; i < flows->count; i++) {
		const struct flow_vantage *f = flowtab_at(flows, i);

		if (synstamps_client(f) && !synstamps_server(f)->seen) {
			struct pair_key key = synstamps_key(f);
			bool fresh;

			(void)hashmap_add(pairs, &key, &fresh); /* beyond the limit: counted */
		}
	}
}

static void synstamps_take(struct pair_stamps *p, uint32_t tsval, bool answered, uint32_t frame)
{
	struct synstamps_side *side = answered ? &p->answered : &p->unanswered;
	bool below = p->known && seq_lt(tsval, p->tsval);

	if (p->known)
		below ? side->below++ : side->above++;
	if (below && side->below == 1) {
		side->frame = frame;
		p->reference = answered ? p->reference : p->frame;
	}
	if (!answered)
		return;
	p->known = true;
	p->tsval = tsval;
	p->frame = frame;
}

static void synstamps_compare(struct hashmap *pairs, const struct flowtab *flows)
{
	/* In the order in which they began. */
	for (uint32_t i = 0; i < flows->count; i++) {
		const struct flow_vantage *f = flowtab_at(flows, i);
		const struct flow_side *client = synstamps_client(f), *server = synstamps_server(f);
		struct pair_stamps *p;
		struct pair_key key;

		/* A server that answered with a reset, or with other packets, tells neither. */
		if (!client || !f->head || (server->seen && !server->has_isn))
			continue;
		key = synstamps_key(f);
		p = hashmap_get(pairs, &key);
		if (p)
			synstamps_take(p, client->syn_tsval, server->seen, f->head->slots[0].frame);
	}
}

static void synstamps_put(struct db *db, const struct dataset *data, uint32_t vantage,
	const struct pair_key *key, const struct pair_stamps *p)
{
	sqlite3_stmt *s = db_insert(db, TABLE_SYN_TIMESTAMP);
	char client[IP_TEXT_SIZE], server[IP_TEXT_SIZE];

	db_int(s, 1, data->vantages[vantage].id);
	db_text(s, 2, ip_text(key->client, client));
	db_text(s, 3, ip_text(key->server, server));
	db_int(s, 4, key->server_port);
	db_int(s, 5, p->unanswered.below);
	db_int(s, 6, p->unanswered.above);
	db_int(s, 7, p->answered.below);
	db_int(s, 8, p->answered.above);
	facts_put_frame(s, 9, data, vantage, p->unanswered.frame);
	facts_put_frame(s, 11, data, vantage, p->reference);
	db_step(db, s);
}

void synstamps_store(struct db *db, const struct dataset *data)
{
	uint64_t kept = 0, refused = 0;

	for (uint32_t v = 0; v < data->vantage_count; v++) {
		struct hashmap pairs;

		hashmap_init(
			&pairs, sizeof(struct pair_key), sizeof(struct pair_stamps), PAIRS_MAX);
		synstamps_gather(&pairs, &data->vantages[v].flows);
		if (pairs.count)
			synstamps_compare(&pairs, &data->vantages[v].flows);
		for (uint32_t i = 0; i < pairs.count; i++) {
			const struct pair_stamps *p = hashmap_value(&pairs, i);

			if (!p->unanswered.below)
				continue;
			synstamps_put(db, data, v, hashmap_key(&pairs, i), p);
			kept++;
		}
		refused += pairs.refused;
		hashmap_release(&pairs);
	}
	facts_limit_reached(db, "syn_timestamp", kept, kept + refused);
}
