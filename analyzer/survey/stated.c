#include "survey/stated.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "flow/summary.h"

bool stated_parse(const char *text, struct stated_host *ret)
{
	ret->has_ip = ip_parse(text, ret->ip);
	ret->has_mac = !ret->has_ip && mac_parse(text, ret->mac);
	return ret->has_ip || ret->has_mac;
}

static bool stated_is_same(const struct stated_host *a, const struct stated_host *b)
{
	return a->has_ip == b->has_ip && (a->has_ip ? memcmp(a->ip, b->ip, sizeof(a->ip)) == 0
						    : memcmp(a->mac, b->mac, sizeof(a->mac)) == 0);
}

static struct host *stated_find(struct dataset *data, const char *name)
{
	for (uint32_t i = 0; i < data->host_count; i++)
		if (strcmp(data->hosts[i].name, name) == 0)
			return &data->hosts[i];
	return NULL;
}

static void stated_give(struct host *h, const struct stated_host *s)
{
	struct host_address *a;

	MEM_RESERVE(h->addresses, h->address_count, h->address_cap);
	a = &h->addresses[h->address_count++];
	*a = (struct host_address){
		.has_ip = s->has_ip, .has_mac = s->has_mac, .prefix = 255, .source = "option"};
	memcpy(a->ip, s->ip, sizeof(a->ip));
	memcpy(a->mac, s->mac, sizeof(a->mac));
}

static int stated_refuse_two(
	const struct stated_host *a, const struct stated_host *b, struct error *err)
{
	char text[IP_TEXT_SIZE];

	return error_set(err, -EINVAL, "--host: %s cannot be both %s's and %s's",
		a->has_ip ? ip_text(a->ip, text) : mac_text(a->mac, text), a->name, b->name);
}

int stated_take(struct dataset *data, const struct stated_host *list, int count, struct error *err)
{
	for (int i = 0; i < count; i++) {
		struct host *h = stated_find(data, list[i].name);
		bool again = false;

		if (!h)
			return error_set(
				err, -EINVAL, "--host: no capture is of a host '%s'", list[i].name);
		for (int k = 0; k < i; k++) {
			if (!stated_is_same(&list[i], &list[k]))
				continue;
			if (strcmp(list[i].name, list[k].name) != 0)
				return stated_refuse_two(&list[k], &list[i], err);
			again = true;
		}
		if (!again)
			stated_give(h, &list[i]);
	}
	return 0;
}

static bool stated_sends(const struct vantage *v, uint16_t mac)
{
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);

		if (k->role == 0 && k->mac == mac)
			return true;
	}
	for (uint32_t i = 0; i < v->neighbors.count; i++)
		if (v->neighbors.rows[i].ethernet_src == mac)
			return true;
	return false;
}

/* The index of a MAC at a vantage point, or MAC_NONE. */
static uint16_t stated_index(const struct vantage *v, const uint8_t mac[6])
{
	const void *found = hashmap_get(v->macs.table, mac);

	return found ? (uint16_t)hashmap_index(v->macs.table, found) : MAC_NONE;
}

uint16_t stated_mac(const struct dataset *data, const struct vantage *v)
{
	const struct host *h = &data->hosts[v->host];
	uint16_t found = MAC_NONE;

	for (uint32_t i = 0; i < h->address_count; i++) {
		const struct host_address *a = &h->addresses[i];
		uint16_t mac;

		if (strcmp(a->source, "option") != 0 || !a->has_mac)
			continue;
		mac = stated_index(v, a->mac);
		if (mac == MAC_NONE || !stated_sends(v, mac))
			continue;
		if (found != MAC_NONE && found != mac)
			return MAC_NONE;
		found = mac;
	}
	return found;
}

/* Is the claim another host's, by what its captures recorded? */
static bool stated_is_recorded_elsewhere(const struct claims *all, struct claim *c)
{
	for (uint32_t i = 0; i < all->count; i++) {
		const struct claim *o = &all->list[i];

		if (o->evidence != CLAIM_RECORDED || o->host == c->host)
			continue;
		if (c->has_ip ? o->has_ip && memcmp(o->ip, c->ip, sizeof(c->ip)) == 0
			      : o->has_mac && memcmp(o->mac, c->mac, sizeof(c->mac)) == 0) {
			c->rival = o->host;
			return true;
		}
	}
	return false;
}

/* A packet, and the vantage point that has it; NULL: none. */
struct stated_proof {
	uint32_t vantage;
	const struct segment *segment;
};

/* What the captures of a claim's host hold of it. */
struct stated_sight {
	bool leaves;
	bool initial; /* some packet has a TTL that no router has counted down */
	struct stated_proof arrives, counted_down; /* the first that does */
};

static bool stated_is_from(
	const struct flow_vantage *f, const struct segment *s, const struct claim *c, uint16_t mac)
{
	if (c->has_ip)
		return memcmp(s->bits & SEGMENT_FROM_B ? f->key.b : f->key.a, c->ip, 16) == 0;
	return s->src_mac == mac && mac != MAC_NONE;
}

static void stated_see(struct stated_sight *sight, uint32_t vantage, const struct segment *s)
{
	sight->leaves |= (s->bits & SEGMENT_OUT) != 0;
	if (!sight->arrives.segment && s->bits & SEGMENT_IN)
		sight->arrives = (struct stated_proof){vantage, s};
	if (summary_is_initial_ttl(s->ttl))
		sight->initial = true;
	else if (!sight->counted_down.segment)
		sight->counted_down = (struct stated_proof){vantage, s};
}

/* Segments of a flow that are looked at: all of a flow are alike in what is asked. */
#define SEEN_OF_FLOW 16

static void stated_see_flow(struct stated_sight *sight, uint32_t vantage,
	const struct flow_vantage *f, const struct claim *c, uint16_t mac)
{
	const struct segment_chunk *chunk = f->head;

	for (uint32_t i = 0, n = 0; chunk && i < chunk->used && n < SEEN_OF_FLOW; n++) {
		const struct segment *s = &chunk->slots[i];

		if (stated_is_from(f, s, c, mac))
			stated_see(sight, vantage, s);
		i += segment_slots(s);
	}
}

static struct stated_sight stated_look(const struct dataset *data, const struct claim *c)
{
	struct stated_sight sight = {0};

	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct vantage *v = &data->vantages[i];
		uint16_t mac = c->has_ip || v->host != c->host ? MAC_NONE : stated_index(v, c->mac);

		if (v->host != c->host || v->kind != VANTAGE_NIC)
			continue;
		for (uint32_t f = 0; f < v->flows.count; f++)
			stated_see_flow(&sight, i, flowtab_at(&v->flows, f), c, mac);
	}
	return sight;
}

static void stated_prove(
	struct claim *c, enum claim_against against, const struct stated_proof *proof)
{
	c->against = against;
	c->proof = proof->segment;
	c->proof_vantage = proof->vantage;
}

/* Is it in any frame of the host's captures? */
static bool stated_is_seen(const struct dataset *data, const struct claim *c)
{
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct vantage *v = &data->vantages[i];

		if (v->host == c->host &&
			(c->has_ip ? hashmap_get(&v->addresses.by_ip, c->ip) != NULL
				   : stated_index(v, c->mac) != MAC_NONE))
			return true;
	}
	return false;
}

/* Has another host's capture packets of the address with a larger TTL? There they had come less
 * far. */
static bool stated_was_nearer(const struct dataset *data, const struct claim *c)
{
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct vantage *v = &data->vantages[i];
		const struct address *a =
			v->host == c->host ? NULL : hashmap_get(&v->addresses.by_ip, c->ip);

		if (a && a->ttl_max > c->proof->ttl)
			return true;
	}
	return false;
}

static void stated_judge(
	const struct dataset *data, struct claim *c, const struct stated_sight *sight)
{
	if (!stated_is_seen(data, c)) {
		c->against = AGAINST_UNSEEN;
	} else if (sight->arrives.segment && !sight->leaves) {
		stated_prove(c, AGAINST_ARRIVING, &sight->arrives);
		c->ruling = CLAIM_RULED_OUT;
	} else if (c->has_ip && sight->counted_down.segment && !sight->initial) {
		stated_prove(c, AGAINST_TTL, &sight->counted_down);
		if (stated_was_nearer(data, c)) {
			c->against = AGAINST_HANDED_ON;
			c->ruling = CLAIM_RULED_OUT;
		}
	}
}

void stated_check(const struct dataset *data, struct claims *all)
{
	for (uint32_t i = 0; i < all->count; i++) {
		struct claim *c = &all->list[i];
		struct stated_sight sight;

		if (c->evidence != CLAIM_STATED)
			continue;
		if (stated_is_recorded_elsewhere(all, c)) {
			c->against = AGAINST_RECORDED;
			c->ruling = CLAIM_RULED_OUT;
			continue;
		}
		sight = stated_look(data, c);
		stated_judge(data, c, &sight);
	}
}
