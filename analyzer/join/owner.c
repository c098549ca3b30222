#include "join/owner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "flow/summary.h"
#include "join/nearness.h"

/* Of the unicast frames of a capture, how many an own address may be missing from (stray floods).
 */
#define STRAY_SHARE 0.005
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

static void owner_add_address(
	struct dataset *data, struct owners *o, const struct vantage *v, const uint8_t ip[16])
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
}

static bool owner_host_has(const struct host *h, const uint8_t ip[16])
{
	for (uint32_t i = 0; i < h->address_count; i++)
		if (h->addresses[i].has_ip && memcmp(h->addresses[i].ip, ip, 16) == 0)
			return true;
	return false;
}

static bool owner_recorded(const struct host *h)
{
	for (uint32_t i = 0; i < h->address_count; i++)
		if (h->addresses[i].has_ip)
			return true;
	return false;
}

struct mac_way {
	uint16_t from, to, unused[2];
};

/* Frames with unicast IP from one MAC to another. */
static void owner_count_pairs(const struct vantage *v, struct hashmap *ret)
{
	hashmap_init(ret, sizeof(struct mac_way), sizeof(uint64_t), UINT32_MAX);
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);
		struct mac_way pair = {.from = k->from_mac, .to = k->mac};
		bool fresh;

		if (k->role == 1 && k->from_mac != MAC_NONE && k->mac != MAC_NONE &&
			ip_is_unicast(k->ip))
			*(uint64_t *)hashmap_at(ret, &pair, &fresh) += u->frames;
	}
}

/*
 * Frames of each MAC with those that it both sent to and got something from. A switch floods what
 * is for a MAC that it does not know: such frames are foreign, and nothing comes back. Returns the
 * frames in all.
 */
static uint64_t owner_count_answered(const struct vantage *v, uint64_t *ret_frames)
{
	struct hashmap pairs;
	uint64_t all = 0;

	owner_count_pairs(v, &pairs);
	for (uint32_t i = 0; i < pairs.count; i++) {
		const struct mac_way *p = hashmap_key(&pairs, i);
		struct mac_way back = {.from = p->to, .to = p->from};
		uint64_t n = *(const uint64_t *)hashmap_value(&pairs, i);

		if (!hashmap_get(&pairs, &back))
			continue;
		all += n;
		ret_frames[p->from] += n;
		ret_frames[p->to] += p->to != p->from ? n : 0;
	}
	hashmap_release(&pairs);
	return all;
}

/* Frames with unicast IP of each MAC, whichever way. Returns those to MACs that never speak here.
 */
static uint64_t owner_count_all(const struct vantage *v, uint64_t *ret_frames)
{
	bool *speaks = mem_array(v->macs.table->count + 1, sizeof(*speaks));
	uint64_t silent = 0;

	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);

		if (k->role == 0 && k->mac != MAC_NONE)
			speaks[k->mac] = true;
	}
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);

		if (k->mac == MAC_NONE || !ip_is_unicast(k->ip))
			continue;
		ret_frames[k->mac] += u->frames;
		silent += k->role == 1 && !speaks[k->mac] ? u->frames : 0;
	}
	free(speaks);
	return silent;
}

/*
 * The MAC that is in every frame with unicast IP, where just one is. What was flooded is left out
 * as long as it is the smaller part: it would speak for the MAC that sent it. Else a frame to a MAC
 * that never speaks here may have been flooded to whoever it was that recorded it, and speaks for
 * none.
 */
static uint16_t owner_ever_present_mac(const struct vantage *v)
{
	uint64_t *frames = mem_array(v->macs.table->count + 1, sizeof(*frames)), answered,
		 silent = 0;
	uint64_t unicast = v->counts.unicast_frames;
	uint16_t found = MAC_NONE;
	uint32_t count = 0;

	answered = owner_count_answered(v, frames);
	if (answered && answered >= unicast / 2) {
		unicast = answered;
	} else {
		memset(frames, 0, (v->macs.table->count + 1) * sizeof(*frames));
		silent = owner_count_all(v, frames);
	}
	for (uint32_t i = 0; i < v->macs.table->count; i++) {
		const uint8_t *mac = hashmap_key(v->macs.table, i);

		if ((mac[0] & 1) || !frames[i] ||
			(double)(frames[i] + silent) < (double)unicast * (1 - STRAY_SHARE))
			continue;
		found = (uint16_t)i;
		count++;
	}
	free(frames);
	return count == 1 ? found : MAC_NONE;
}

/* What ARP shows of each MAC. */
struct arp_use {
	uint32_t short_sent, padded_sent; /* messages that were not padded, and that were */
	uint32_t unicast;		  /* messages from or to it alone */
	uint16_t partner;		  /* the first it exchanged one with */
	bool more_partners;
};

static void owner_note_partner(struct arp_use *use, uint16_t partner)
{
	use->more_partners |= use->unicast && use->partner != partner;
	use->partner = use->unicast ? use->partner : partner;
	use->unicast++;
}

/* Returns how many messages went from one MAC to one other. */
static uint32_t owner_count_arp(const struct vantage *v, struct arp_use *ret)
{
	uint32_t unicast = 0;

	for (uint32_t i = 0; i < v->neighbors.count; i++) {
		const struct neighbor_row *r = &v->neighbors.rows[i];

		if (r->ethernet_src == MAC_NONE || r->ethernet_dst == MAC_NONE)
			continue;
		ret[r->ethernet_src].short_sent += r->is_short;
		ret[r->ethernet_src].padded_sent += r->is_padded;
		if (vantage_mac(v, r->ethernet_dst)[0] & 1)
			continue;
		owner_note_partner(&ret[r->ethernet_src], r->ethernet_dst);
		owner_note_partner(&ret[r->ethernet_dst], r->ethernet_src);
		unicast++;
	}
	return unicast;
}

/*
 * Beside one peer both MACs are in every frame, and ARP may still tell: a host's own messages are
 * recorded before they are padded, those of others as they came from the wire; and only here do
 * answers to several others meet. Each speaks for a MAC only where it speaks for no other.
 */
static uint16_t owner_mac_by_arp(const struct vantage *v)
{
	struct arp_use *uses = mem_array(v->macs.table->count + 1, sizeof(*uses));
	uint32_t unicast = owner_count_arp(v, uses), by_padding = 0, by_partners = 0, padded = 0;
	uint16_t padding = MAC_NONE, partners = MAC_NONE;

	for (uint32_t i = 0; i < v->macs.table->count; i++) {
		padded += uses[i].padded_sent > 0 && !uses[i].short_sent;
		if (uses[i].short_sent) {
			padding = (uint16_t)i;
			by_padding++;
		}
		if (unicast && uses[i].unicast == unicast && uses[i].more_partners) {
			partners = (uint16_t)i;
			by_partners++;
		}
	}
	free(uses);
	if (by_partners == 1)
		return partners;
	return by_padding == 1 && padded ? padding : MAC_NONE;
}

/* Addresses that the capture itself marks as sending from here (SLL, direction flags). */
static bool owner_infer_by_direction(struct dataset *data, struct owners *o, struct vantage *v)
{
	struct host *h = &data->hosts[v->host];
	bool any = false;

	for (uint32_t i = 0; i < v->addresses.by_ip.count; i++) {
		const struct address *a = hashmap_value(&v->addresses.by_ip, i);
		const uint8_t *ip = hashmap_key(&v->addresses.by_ip, i);

		any |= a->sent_out;
		if (a->sent_out && !owner_host_has(h, ip))
			owner_add_address(data, o, v, ip);
	}
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
			owner_add_address(data, o, v, k->ip);
	}
}

static bool owner_undecided(const struct dataset *data, const struct vantage *v)
{
	return v->kind == VANTAGE_NIC && !owner_recorded(&data->hosts[v->host]);
}

static bool owner_has_sent_out(const struct vantage *v)
{
	for (uint32_t i = 0; i < v->addresses.by_ip.count; i++)
		if (((const struct address *)hashmap_value(&v->addresses.by_ip, i))->sent_out)
			return true;
	return false;
}

/* What one capture alone says of its own MAC. */
static void owner_infer_mac_alone(const struct dataset *data, struct vantage *v)
{
	if (!owner_undecided(data, v) || owner_has_sent_out(v) || !v->counts.unicast_frames ||
		v->inferred.own_mac != MAC_NONE)
		return;
	v->inferred.own_mac = owner_ever_present_mac(v);
	if (v->inferred.own_mac == MAC_NONE)
		v->inferred.own_mac = owner_mac_by_arp(v);
}

/* Has another host's vantage point this MAC for its own? */
static bool owner_is_claimed_by_other(const struct dataset *data, const struct vantage *v)
{
	const uint8_t *mac = vantage_mac(v, v->inferred.own_mac);

	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct vantage *w = &data->vantages[i];

		if (w->host != v->host && w->inferred.own_mac != MAC_NONE &&
			memcmp(vantage_mac(w, w->inferred.own_mac), mac, 6) == 0)
			return true;
	}
	return false;
}

/* One MAC is one host's: where captures of two hosts seem to be on it, neither is taken to be. */
static void owner_drop_contradicted_macs(struct dataset *data)
{
	bool *contradicted = mem_array(data->vantage_count + 1, sizeof(*contradicted));

	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct vantage *v = &data->vantages[i];

		contradicted[i] = v->inferred.own_mac != MAC_NONE && v->recorded_mac == MAC_NONE &&
				  owner_is_claimed_by_other(data, v);
	}
	for (uint32_t i = 0; i < data->vantage_count; i++)
		if (contradicted[i])
			data->vantages[i].inferred.own_mac = MAC_NONE;
	free(contradicted);
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

/* Accepts guesses that only one host makes, or that the nearest one makes; true when any was. */
static bool owner_infer_together(struct dataset *data, const struct flows *flows, struct owners *o)
{
	struct guess *guess = mem_array(data->vantage_count + 1, sizeof(*guess));
	struct contest c = {.data = data, .flows = flows, .guess = guess};
	bool progress = false;

	for (uint32_t i = 0; i < data->vantage_count; i++)
		if (owner_undecided(data, &data->vantages[i]))
			guess[i] = owner_guess_address(o, &data->vantages[i]);
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct host *h = &data->hosts[data->vantages[i].host];

		for (uint32_t k = 0; k < guess[i].count; k++) {
			if (owner_host_has(h, guess[i].ip[k]) ||
				!owner_contest_won(&c, i, guess[i].ip[k]))
				continue;
			owner_add_address(data, o, &data->vantages[i], guess[i].ip[k]);
			progress = true;
			break;
		}
	}
	free(guess);
	return progress;
}

/*
 * The MAC that the host's own addresses send from, where it is neither recorded nor inferred yet,
 * and only one does: a router hands packets of an address on with a TTL that it counted down, and
 * where two of the host's interfaces face each other, each sees the other's MAC as well.
 */
static void owner_infer_own_mac(const struct dataset *data, struct vantage *v)
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

static void owner_complete_addresses(struct dataset *data)
{
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		struct vantage *v = &data->vantages[i];
		struct host *h = &data->hosts[v->host];

		owner_infer_own_mac(data, v);
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

static void owner_infer_alone(struct dataset *data, struct owners *o)
{
	for (uint32_t i = 0; i < data->vantage_count; i++)
		owner_infer_mac_alone(data, &data->vantages[i]);
	owner_drop_contradicted_macs(data);
	for (uint32_t i = 0; i < data->vantage_count; i++)
		if (owner_undecided(data, &data->vantages[i]) &&
			!owner_infer_by_direction(data, o, &data->vantages[i]))
			owner_infer_by_mac(data, o, &data->vantages[i]);
}

void owners_infer(struct dataset *data, const struct flows *flows, struct owners *ret)
{
	for (uint32_t i = 0; i < data->vantage_count; i++)
		data->vantages[i].inferred.own_mac = data->vantages[i].recorded_mac;
	hashmap_init(&ret->by_ip, 16, sizeof(uint32_t), UINT32_MAX);
	for (uint32_t h = 0; h < data->host_count; h++)
		for (uint32_t i = 0; i < data->hosts[h].address_count; i++)
			if (data->hosts[h].addresses[i].has_ip)
				owner_claim(ret, h, data->hosts[h].addresses[i].ip);
	owner_infer_alone(data, ret);
	/* Each round may rule out candidates of the next. */
	while (owner_infer_together(data, flows, ret))
		;
	owner_complete_addresses(data);
	for (uint32_t i = 0; i < data->vantage_count; i++)
		owner_mark_own(&data->vantages[i], ret);
}

void owners_release(struct owners *o)
{
	hashmap_release(&o->by_ip);
}
