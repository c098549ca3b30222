#include "join/owner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "flow/summary.h"
#include "join/nearness.h"
#include "survey/own_mac.h"
#include "survey/stated.h"

/* Candidates kept for a vantage point while it is ambiguous. */
#define CANDIDATES 4

uint32_t owner_of(const struct owners *o, const uint8_t ip[16])
{
	const uint32_t *host = hashmap_get(&o->by_ip, ip);

	return host ? *host : OWNER_NONE;
}

static void owner_claim(struct owners *o, uint32_t host, const uint8_t ip[16])
{
	bool fresh;
	uint32_t *owner = hashmap_at(&o->by_ip, ip, &fresh);

	if (fresh)
		*owner = host;
	else if (*owner != host)
		*owner = OWNER_NONE;
}

static uint32_t owner_index(const struct dataset *data, const struct vantage *v)
{
	return (uint32_t)(v - data->vantages);
}

static void owner_add_address(struct dataset *data, struct owners *o, const struct vantage *v,
	const uint8_t ip[16], enum claim_evidence evidence)
{
	struct host *h = &data->hosts[v->host];
	struct host_address a = {.has_ip = true,
		.prefix = 255,
		.source = "inferred",
		.interface = v->interface ? mem_strdup(v->interface) : NULL};

	memcpy(a.ip, ip, 16);
	if (v->inferred.own_mac != MAC_NONE) {
		a.has_mac = true;
		memcpy(a.mac, vantage_mac(v, v->inferred.own_mac), 6);
	}
	MEM_RESERVE(h->addresses, h->address_count, h->address_cap);
	h->addresses[h->address_count++] = a;
	owner_claim(o, v->host, ip);
	(void)claims_add_ip(&o->claims, data, owner_index(data, v), ip, evidence);
}

static bool owner_host_has(const struct host *h, const uint8_t ip[16])
{
	for (uint32_t i = 0; i < h->address_count; i++)
		if (h->addresses[i].has_ip && memcmp(h->addresses[i].ip, ip, 16) == 0)
			return true;
	return false;
}

/* The captures list its addresses: there are no others. What the user says is not all there is. */
static bool owner_recorded(const struct host *h)
{
	for (uint32_t i = 0; i < h->address_count; i++)
		if (h->addresses[i].has_ip && strcmp(h->addresses[i].source, "option") != 0)
			return true;
	return false;
}

/* Conversations of one address that are looked for at the host's other interfaces. */
#define FORWARDED_TRIED 16

/* Did a side's packets come in at another interface of the same host? Then a bridge handed them on.
 */
static bool owner_was_forwarded(
	const struct dataset *data, const struct vantage *v, const struct flow_vantage *f, bool b)
{
	const struct host *h = &data->hosts[v->host];

	for (uint32_t i = 0; i < h->vantage_count; i++) {
		const struct vantage *other = &data->vantages[h->vantages[i]];
		const struct flow_vantage *same =
			other == v ? NULL : flowtab_same_key(&other->flows, f);

		if (same && same->side[b].directions & PACKET_IN)
			return true;
	}
	return false;
}

/* Of the addresses that send from here by the capture's word, those whose packets a bridge handed
 * on. */
static bool *owner_forwarded(const struct dataset *data, const struct vantage *v)
{
	bool *forwarded = mem_array(v->addresses.by_ip.count + 1, sizeof(*forwarded));
	uint8_t *tried = mem_array(v->addresses.by_ip.count + 1, sizeof(*tried));

	for (uint32_t i = 0; i < v->flows.count; i++) {
		const struct flow_vantage *f = flowtab_at(&v->flows, i);

		for (int b = 0; b < 2; b++) {
			uint32_t a = f->address[b];

			if (a == ADDRESS_NONE || !(f->side[b].directions & PACKET_OUT) ||
				!summary_is_initial_ttl(f->side[b].ttl) ||
				tried[a] == FORWARDED_TRIED)
				continue;
			forwarded[a] = owner_was_forwarded(data, v, f, b);
			tried[a] = forwarded[a] ? tried[a] + 1 : FORWARDED_TRIED;
		}
	}
	free(tried);
	return forwarded;
}

/* Addresses that the capture itself marks as sending from here (SLL, direction flags). */
static bool owner_infer_by_direction(struct dataset *data, struct owners *o, struct vantage *v)
{
	struct host *h = &data->hosts[v->host];
	bool any = addresses_any_sent_out(&v->addresses);
	bool *forwarded = any ? owner_forwarded(data, v) : NULL;

	for (uint32_t i = 0; i < v->addresses.by_ip.count && any; i++) {
		const struct address *a = hashmap_value(&v->addresses.by_ip, i);
		const uint8_t *ip = hashmap_key(&v->addresses.by_ip, i);

		if (a->sent_out && !forwarded[i] && !owner_host_has(h, ip))
			owner_add_address(data, o, v, ip, CLAIM_SENT_OUT);
	}
	free(forwarded);
	return any;
}

/* A router sends others' packets from its MAC too, but with a TTL that was counted down. */
static void owner_infer_by_mac(struct dataset *data, struct owners *o, struct vantage *v)
{
	if (v->inferred.own_mac == MAC_NONE)
		return;
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);

		if (k->mac != v->inferred.own_mac || k->role != 0 ||
			!summary_is_initial_ttl(u->ttl_max) || !ip_is_unicast(k->ip))
			continue;
		if (!owner_host_has(&data->hosts[v->host], k->ip))
			owner_add_address(data, o, v, k->ip, CLAIM_SENT_BY_MAC);
	}
}

static bool owner_undecided(const struct dataset *data, const struct vantage *v)
{
	return v->kind == VANTAGE_NIC && !owner_recorded(&data->hosts[v->host]);
}

/* What one capture alone says of its own MAC. */
static void owner_infer_mac_alone(const struct dataset *data, struct owners *o, struct vantage *v)
{
	enum claim_evidence evidence;

	if (!owner_undecided(data, v) || addresses_any_sent_out(&v->addresses) ||
		!v->counts.unicast_frames || v->inferred.own_mac != MAC_NONE)
		return;
	v->inferred.own_mac = own_mac_find(v, &evidence);
	if (v->inferred.own_mac != MAC_NONE)
		(void)claims_add_mac(&o->claims, data, owner_index(data, v),
			vantage_mac(v, v->inferred.own_mac), evidence);
}

/* Another host's vantage point that has this MAC for its own, or NULL. */
static const struct vantage *owner_rival(const struct dataset *data, const struct vantage *v)
{
	const uint8_t *mac = vantage_mac(v, v->inferred.own_mac);

	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct vantage *w = &data->vantages[i];

		if (w->host != v->host && w->inferred.own_mac != MAC_NONE &&
			memcmp(vantage_mac(w, w->inferred.own_mac), mac, 6) == 0)
			return w;
	}
	return NULL;
}

static void owner_rule_out_mac(struct owners *o, uint32_t vantage, uint32_t rival)
{
	for (uint32_t i = 0; i < o->claims.count; i++) {
		struct claim *c = &o->claims.list[i];

		if (c->vantage != vantage || !c->has_mac)
			continue;
		c->ruling = CLAIM_RULED_OUT;
		c->against = AGAINST_RIVAL;
		c->rival = rival;
	}
}

/* One MAC is one host's: where captures of two hosts seem to be on it, neither is taken to be. */
static void owner_drop_contradicted_macs(struct dataset *data, struct owners *o)
{
	const struct vantage **rivals = mem_array(data->vantage_count + 1, sizeof(*rivals));

	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct vantage *v = &data->vantages[i];

		if (v->inferred.own_mac != MAC_NONE && !v->inferred.mac_is_given)
			rivals[i] = owner_rival(data, v);
	}
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		if (!rivals[i])
			continue;
		data->vantages[i].inferred.own_mac = MAC_NONE;
		owner_rule_out_mac(o, i, rivals[i]->host);
	}
	free(rivals);
}

/* Addresses in (nearly) every unicast frame, on this link, that no other host owns. Returns how
 * many. */
static int owner_candidates(const struct owners *o, const struct vantage *v, enum address_view view,
	const uint8_t *ret[CANDIDATES])
{
	uint64_t unicast =
		view == VIEW_ANSWERED ? v->counts.answered_frames : v->counts.unicast_frames;
	int n = 0;

	for (uint32_t i = 0; i < v->addresses.by_ip.count && n < CANDIDATES && unicast; i++) {
		const struct address *a = hashmap_value(&v->addresses.by_ip, i);
		const uint8_t *ip = hashmap_key(&v->addresses.by_ip, i);
		uint32_t owner;

		if ((double)a->frames[view] < (double)unicast * (1 - STRAY_SHARE) ||
			!summary_is_initial_ttl(
				view == VIEW_ANSWERED ? a->ttl_max_answered : a->ttl_max))
			continue;
		owner = owner_of(o, ip);
		if (owner == OWNER_NONE || owner == v->host)
			ret[n++] = ip;
	}
	return n;
}

/* Addresses that may be a vantage point's own. */
struct guess {
	uint32_t count;
	bool weak; /* flooding would look the same: gives way to another host's guess that is not */
	uint8_t ip[CANDIDATES][16];
};

static struct guess owner_guess_by(
	const struct owners *o, const struct vantage *v, enum address_view view)
{
	const uint8_t *found[CANDIDATES];
	struct guess g = {
		.weak = view == VIEW_ALL, .count = (uint32_t)owner_candidates(o, v, view, found)};

	assert(g.count <= CANDIDATES);
	for (uint32_t i = 0; i < g.count; i++)
		memcpy(g.ip[i], found[i], 16);
	return g;
}

/*
 * An address that is in all frames, whose packets no router has touched, and that no other host
 * owns. Not certain: a capture in the middle guesses the same as the one at the end, and one that
 * was filtered by host holds that host in all frames wherever it was taken. What a switch flooded
 * speaks for the address it is for: flows seen one way only count for their sender, or not at all.
 */
static struct guess owner_guess_address(const struct owners *o, const struct vantage *v)
{
	struct guess g = {0};

	if (v->counts.answered_frames &&
		v->counts.answered_frames >= v->counts.unicast_frames / 2) {
		g = owner_guess_by(o, v, VIEW_SENDER);
		g = g.count == 1 ? g : owner_guess_by(o, v, VIEW_ANSWERED);
	}
	return g.count == 1 ? g : owner_guess_by(o, v, VIEW_ALL);
}

static bool owner_guesses(const struct guess *g, const uint8_t ip[16])
{
	for (uint32_t i = 0; i < g->count; i++)
		if (memcmp(g->ip[i], ip, 16) == 0)
			return true;
	return false;
}

/* All that is weighed when captures of several hosts may own one address. */
struct contest {
	const struct dataset *data;
	const struct flows *flows;
	const struct guess *guess; /* by vantage */
};

/* Two places that show the same packets, all of them as far apart, are one: a host and a tap at its
 * port. */
static bool owner_is_one_place(const struct nearness *n)
{
	return n->same && !n->apart && !n->nearer_a && !n->nearer_b && !n->only_a && !n->only_b;
}

/* The fuller record speaks for one place. */
static bool owner_is_fuller(const struct dataset *data, uint32_t i, uint32_t k)
{
	const struct vantage_counts *a = &data->vantages[i].counts, *b = &data->vantages[k].counts;

	return a->frames != b->frames ? a->frames > b->frames : i < k;
}

/* Whether vantage point i is nearer to the address than its rival k; *decided: by more than being
 * alone. */
static bool owner_contest_beats(
	const struct contest *c, uint32_t i, uint32_t k, const uint8_t ip[16], bool *decided)
{
	const struct guess *a = &c->guess[i], *b = &c->guess[k];
	struct nearness n;
	int sign;

	/* What one direction lacks, it would lack at either end. */
	if (c->data->vantages[i].addresses.one_way || c->data->vantages[k].addresses.one_way)
		return false;
	if (a->count == 1 && b->count == 1 && a->weak != b->weak)
		return !a->weak;
	n = nearness_to(c->data, c->flows, i, k, ip);
	sign = nearness_sign(&n);
	*decided |= sign < 0;
	if (sign == 0 && a->count == 1 && owner_is_one_place(&n))
		return owner_is_fuller(c->data, i, k);
	return sign < 0;
}

static bool owner_contest_won(const struct contest *c, uint32_t i, const uint8_t ip[16])
{
	const struct dataset *data = c->data;
	bool decided = c->guess[i].count == 1;

	for (uint32_t k = 0; k < data->vantage_count; k++)
		if (data->vantages[k].host != data->vantages[i].host &&
			owner_guesses(&c->guess[k], ip) &&
			!owner_contest_beats(c, i, k, ip, &decided))
			return false;
	return decided;
}

static void owner_guess_all(
	const struct dataset *data, const struct owners *o, struct guess *ret_guess)
{
	for (uint32_t i = 0; i < data->vantage_count; i++)
		if (owner_undecided(data, &data->vantages[i]))
			ret_guess[i] = owner_guess_address(o, &data->vantages[i]);
}

/* Did another host's capture guess it, too? */
static bool owner_was_contested(const struct contest *c, uint32_t i, const uint8_t ip[16])
{
	for (uint32_t k = 0; k < c->data->vantage_count; k++)
		if (c->data->vantages[k].host != c->data->vantages[i].host &&
			owner_guesses(&c->guess[k], ip))
			return true;
	return false;
}

/* Accepts guesses that only one host makes, or that the nearest one makes; true when any was. */
static bool owner_infer_together(struct dataset *data, const struct flows *flows, struct owners *o)
{
	struct guess *guess = mem_array(data->vantage_count + 1, sizeof(*guess));
	struct contest c = {.data = data, .flows = flows, .guess = guess};
	bool progress = false;

	owner_guess_all(data, o, guess);
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct host *h = &data->hosts[data->vantages[i].host];

		for (uint32_t k = 0; k < guess[i].count; k++) {
			const uint8_t *ip = guess[i].ip[k];

			if (owner_host_has(h, ip) || !owner_contest_won(&c, i, ip))
				continue;
			owner_add_address(data, o, &data->vantages[i], ip,
				owner_was_contested(&c, i, ip) ? CLAIM_NEAREST
							       : CLAIM_EVER_PRESENT);
			progress = true;
			break;
		}
	}
	free(guess);
	return progress;
}

/* What might have been a host's own by its captures, and was not found to be: it is another's, or
 * nobody knows. */
static void owner_note_rest(
	const struct dataset *data, struct owners *o, const struct guess *first, uint32_t vantage)
{
	uint32_t host = data->vantages[vantage].host;

	for (uint32_t k = 0; k < first[vantage].count; k++) {
		uint32_t owner = owner_of(o, first[vantage].ip[k]);
		struct claim *c;

		if (owner == host)
			continue;
		c = claims_add_ip(
			&o->claims, data, vantage, first[vantage].ip[k], CLAIM_EVER_PRESENT);
		c->ruling = owner == OWNER_NONE ? CLAIM_OPEN : CLAIM_RULED_OUT;
		c->against = owner == OWNER_NONE ? AGAINST_NOTHING : AGAINST_RIVAL;
		c->rival = owner == OWNER_NONE ? CLAIM_NOBODY : owner;
	}
}

/* Each round may rule out candidates of the next. */
static void owner_infer_rounds(struct dataset *data, const struct flows *flows, struct owners *o)
{
	struct guess *first = mem_array(data->vantage_count + 1, sizeof(*first));

	owner_guess_all(data, o, first);
	while (owner_infer_together(data, flows, o))
		;
	for (uint32_t i = 0; i < data->vantage_count; i++)
		owner_note_rest(data, o, first, i);
	free(first);
}

/*
 * The MAC that the host's own addresses send from, where it is neither recorded nor inferred yet,
 * and only one does: a router hands packets of an address on with a TTL that it counted down, and
 * where two of the host's interfaces face each other, each sees the other's MAC as well.
 */
static void owner_infer_own_mac(const struct dataset *data, struct owners *o, struct vantage *v)
{
	const struct host *h = &data->hosts[v->host];
	uint16_t found = MAC_NONE;

	if (v->inferred.own_mac != MAC_NONE)
		return;
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);

		if (k->role != 0 || k->mac == found || !summary_is_initial_ttl(u->ttl_max) ||
			!owner_host_has(h, k->ip))
			continue;
		if (found != MAC_NONE)
			return;
		found = k->mac;
	}
	v->inferred.own_mac = found;
	if (found != MAC_NONE)
		(void)claims_add_mac(&o->claims, data, owner_index(data, v), vantage_mac(v, found),
			CLAIM_SENDER_MAC);
}

static bool owner_is_file_of(
	const struct dataset *data, const struct capture *c, const struct vantage *v)
{
	for (uint32_t i = 0; i < c->interface_count; i++)
		if (c->interfaces[i].vantage == owner_index(data, v))
			return true;
	return false;
}

/*
 * In which files does the own MAC show? Files of one host that follow each other in time are taken
 * for one interface's, which holds for rotated ones; two interfaces that were captured one after
 * the other look the same, and what the one's MAC is says nothing of the other's. Where files
 * overlap, times do not tell in which of them it shows.
 */
static void owner_note_mac_shown(const struct dataset *data, struct vantage *v)
{
	struct vantage_inferred *inferred = &v->inferred;
	int64_t from = INT64_MAX, to = INT64_MIN, ended = INT64_MIN;

	inferred->mac_from_ns = INT64_MIN;
	inferred->mac_to_ns = INT64_MAX;
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);

		if (k->mac != inferred->own_mac && k->from_mac != inferred->own_mac)
			continue;
		from = u->first_ns < from ? u->first_ns : from;
		to = u->last_ns > to ? u->last_ns : to;
	}
	for (uint32_t i = 0; i < data->capture_count && from <= to && !inferred->mac_is_given;
		i++) {
		const struct capture *c = &data->captures[i];

		if (!owner_is_file_of(data, c, v) || c->first_ns > c->last_ns)
			continue;
		if (c->first_ns < ended)
			inferred->mac_from_ns = INT64_MAX;
		ended = c->last_ns > ended ? c->last_ns : ended;
		if (c->last_ns < from && c->last_ns >= inferred->mac_from_ns)
			inferred->mac_from_ns = c->last_ns + 1;
		if (c->first_ns > to && c->first_ns <= inferred->mac_to_ns)
			inferred->mac_to_ns = c->first_ns - 1;
	}
}

/* Is most of what it sees its own? Not so where a port is mirrored. */
static bool owner_sees_its_own(const struct vantage *v)
{
	uint64_t own = 0, all = 0;

	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);

		if (k->role != 1 || !ip_is_unicast(k->ip))
			continue;
		all += u->frames;
		own += k->mac == v->inferred.own_mac || k->from_mac == v->inferred.own_mac
			       ? u->frames
			       : 0;
	}
	return v->inferred.own_mac != MAC_NONE && own > all / 2;
}

static void owner_complete_addresses(struct dataset *data, struct owners *o)
{
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		struct vantage *v = &data->vantages[i];
		struct host *h = &data->hosts[v->host];

		owner_infer_own_mac(data, o, v);
		owner_note_mac_shown(data, v);
		v->inferred.sees_its_own = owner_sees_its_own(v);
		activity_take_own(&v->activity, v->inferred.own_mac);
		for (uint32_t k = 0; k < h->address_count && v->inferred.own_mac != MAC_NONE; k++) {
			struct host_address *a = &h->addresses[k];

			if (a->has_mac || strcmp(a->source, "inferred") != 0)
				continue;
			a->has_mac = true;
			memcpy(a->mac, vantage_mac(v, v->inferred.own_mac), 6);
		}
	}
}

/* Each capture has few addresses, and very many flows that ask. */
static void owner_mark_own(struct vantage *v, const struct owners *o)
{
	v->inferred.own_addresses = mem_array(v->addresses.by_ip.count + 1, sizeof(bool));
	for (uint32_t i = 0; i < v->addresses.by_ip.count; i++) {
		v->inferred.own_addresses[i] =
			owner_of(o, hashmap_key(&v->addresses.by_ip, i)) == v->host;
	}
}

static void owner_mark_speaking(struct vantage *v)
{
	v->inferred.speaking_macs = mem_array(v->macs.table->count + 1, sizeof(bool));
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);

		if (k->role == 0 && k->mac != MAC_NONE)
			v->inferred.speaking_macs[k->mac] = true;
	}
}

static void owner_forget(struct host *h, const struct claim *c)
{
	for (uint32_t i = 0; i < h->address_count; i++) {
		struct host_address *a = &h->addresses[i];

		if (strcmp(a->source, "option") != 0 || a->has_ip != c->has_ip ||
			memcmp(a->ip, c->ip, sizeof(a->ip)) != 0 ||
			memcmp(a->mac, c->mac, sizeof(a->mac)) != 0)
			continue;
		free(a->interface);
		*a = h->addresses[--h->address_count];
		return;
	}
}

/* What was recorded, and what the user says unless it was proven wrong. */
static void owner_take_record(struct dataset *data, struct owners *o)
{
	for (uint32_t i = 0; i < o->claims.count; i++) {
		const struct claim *c = &o->claims.list[i];

		if (c->ruling != CLAIM_OWN)
			owner_forget(&data->hosts[c->host], c);
		else if (c->has_ip)
			owner_claim(o, c->host, c->ip);
	}
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		struct vantage *v = &data->vantages[i];

		v->inferred.own_mac =
			v->recorded_mac != MAC_NONE ? v->recorded_mac : stated_mac(data, v);
		v->inferred.mac_is_given = v->inferred.own_mac != MAC_NONE;
	}
}

static void owner_infer_alone(struct dataset *data, struct owners *o)
{
	for (uint32_t i = 0; i < data->vantage_count; i++)
		owner_infer_mac_alone(data, o, &data->vantages[i]);
	owner_drop_contradicted_macs(data, o);
	for (uint32_t i = 0; i < data->vantage_count; i++)
		if (owner_undecided(data, &data->vantages[i]) &&
			!owner_infer_by_direction(data, o, &data->vantages[i]))
			owner_infer_by_mac(data, o, &data->vantages[i]);
}

void owners_infer(struct dataset *data, const struct flows *flows, struct owners *ret)
{
	hashmap_init(&ret->by_ip, 16, sizeof(uint32_t), UINT32_MAX);
	claims_of_record(&ret->claims, data);
	stated_check(data, &ret->claims);
	owner_take_record(data, ret);
	owner_infer_alone(data, ret);
	owner_infer_rounds(data, flows, ret);
	owner_complete_addresses(data, ret);
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		owner_mark_own(&data->vantages[i], ret);
		owner_mark_speaking(&data->vantages[i]);
	}
	claims_note_times(&ret->claims, data);
}

void owners_release(struct owners *o)
{
	hashmap_release(&o->by_ip);
	claims_release(&o->claims);
}
