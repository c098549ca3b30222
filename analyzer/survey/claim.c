#include "survey/claim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct claim *claim_add(
	struct claims *c, uint32_t host, uint32_t vantage, enum claim_evidence evidence)
{
	assert(evidence < CLAIM_EVIDENCE);
	MEM_RESERVE(c->list, c->count, c->cap);
	c->list[c->count] = (struct claim){.host = host,
		.vantage = vantage,
		.evidence = evidence,
		.ruling = CLAIM_OWN,
		.rival = CLAIM_NOBODY,
		.proof_vantage = CLAIM_NOBODY};
	return &c->list[c->count++];
}

struct claim *claims_add_ip(struct claims *c, const struct dataset *data, uint32_t vantage,
	const uint8_t ip[16], enum claim_evidence evidence)
{
	struct claim *claim = claim_add(c, data->vantages[vantage].host, vantage, evidence);

	claim->has_ip = true;
	memcpy(claim->ip, ip, 16);
	return claim;
}

struct claim *claims_add_mac(struct claims *c, const struct dataset *data, uint32_t vantage,
	const uint8_t mac[6], enum claim_evidence evidence)
{
	struct claim *claim = claim_add(c, data->vantages[vantage].host, vantage, evidence);

	claim->has_mac = true;
	memcpy(claim->mac, mac, 6);
	return claim;
}

void claims_release(struct claims *c)
{
	free(c->list);
	*c = (struct claims){0};
}

static void claim_of_address(struct claims *c, uint32_t host, const struct host_address *a)
{
	bool stated = strcmp(a->source, "option") == 0;
	struct claim *claim =
		claim_add(c, host, CLAIM_NOBODY, stated ? CLAIM_STATED : CLAIM_RECORDED);

	claim->has_ip = a->has_ip;
	claim->has_mac = a->has_mac;
	memcpy(claim->ip, a->ip, sizeof(claim->ip));
	memcpy(claim->mac, a->mac, sizeof(claim->mac));
}

void claims_of_record(struct claims *c, const struct dataset *data)
{
	for (uint32_t h = 0; h < data->host_count; h++)
		for (uint32_t i = 0; i < data->hosts[h].address_count; i++)
			claim_of_address(c, h, &data->hosts[h].addresses[i]);
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct vantage *v = &data->vantages[i];

		if (v->recorded_mac != MAC_NONE)
			(void)claims_add_mac(
				c, data, i, vantage_mac(v, v->recorded_mac), CLAIM_RECORDED);
	}
}

/* An address of a host: all its claims share the time. */
struct claim_key {
	uint8_t ip[16];
	uint32_t host, unused;
};

struct claim_time {
	int64_t first_ns, last_ns;
	uint64_t frames;
};

static void claim_widen(struct claim_time *t, const struct mac_use *u)
{
	t->first_ns = !t->frames || u->first_ns < t->first_ns ? u->first_ns : t->first_ns;
	t->last_ns = !t->frames || u->last_ns > t->last_ns ? u->last_ns : t->last_ns;
	t->frames += u->frames;
}

static void claim_take_times(const struct vantage *v, struct hashmap *times)
{
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		struct claim_key key = {.host = v->host};
		struct claim_time *t;

		if (k->role != 0 || k->mac == MAC_NONE || k->mac != v->inferred.own_mac)
			continue;
		memcpy(key.ip, k->ip, sizeof(key.ip));
		t = hashmap_get(times, &key);
		if (t)
			claim_widen(t, hashmap_value(&v->macs.use, i));
	}
}

static struct claim_key claim_key(const struct claim *claim)
{
	struct claim_key key = {.host = claim->host};

	memcpy(key.ip, claim->ip, sizeof(key.ip));
	return key;
}

void claims_note_times(struct claims *c, const struct dataset *data)
{
	struct hashmap times;
	bool fresh;

	hashmap_init(&times, sizeof(struct claim_key), sizeof(struct claim_time), UINT32_MAX);
	for (uint32_t i = 0; i < c->count; i++) {
		struct claim_key key = claim_key(&c->list[i]);

		if (c->list[i].has_ip)
			(void)hashmap_at(&times, &key, &fresh);
	}
	for (uint32_t i = 0; i < data->vantage_count && times.count; i++)
		claim_take_times(&data->vantages[i], &times);
	for (uint32_t i = 0; i < c->count; i++) {
		struct claim_key key = claim_key(&c->list[i]);
		const struct claim_time *t = c->list[i].has_ip ? hashmap_get(&times, &key) : NULL;

		if (!t || c->list[i].ruling != CLAIM_OWN)
			continue;
		c->list[i].first_ns = t->first_ns;
		c->list[i].last_ns = t->last_ns;
		c->list[i].frames = t->frames;
	}
	hashmap_release(&times);
}

enum claim_strength claim_strength(enum claim_evidence e)
{
	switch (e) {
	case CLAIM_STATED:
		return STRENGTH_STATED;
	case CLAIM_RECORDED:
	case CLAIM_SENT_OUT:
		return STRENGTH_PROVEN;
	default:
		return STRENGTH_LIKELY;
	}
}

const char *claim_evidence_name(enum claim_evidence e)
{
	static const char *const names[CLAIM_EVIDENCE] = {[CLAIM_STATED] = "stated",
		[CLAIM_RECORDED] = "recorded",
		[CLAIM_SENT_OUT] = "sent out",
		[CLAIM_SENT_BY_MAC] = "sent from its MAC",
		[CLAIM_SENDER_MAC] = "sends its addresses",
		[CLAIM_ARP_LENGTH] = "ARP not padded",
		[CLAIM_ARP_PEERS] = "ARP with several",
		[CLAIM_EVER_PRESENT] = "in all frames",
		[CLAIM_NEAREST] = "nearest capture"};

	assert(e < CLAIM_EVIDENCE);
	return names[e];
}

const char *claim_strength_name(enum claim_strength s)
{
	return s == STRENGTH_STATED ? "stated" : s == STRENGTH_PROVEN ? "proven" : "likely";
}

const char *claim_ruling_name(enum claim_ruling r)
{
	return r == CLAIM_OWN ? "own" : r == CLAIM_OPEN ? "open" : "ruled out";
}
