#include "join/owner.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "flow/summary.h"

/* Of the unicast frames of a capture, how many an own address may be missing from (stray floods). */
#define STRAY_SHARE 0.005
/* Candidates kept for a vantage point while it is ambiguous. */
#define CANDIDATES 4

uint32_t owner_of(const struct owners *o, const uint8_t ip[16])
{
	const uint32_t *host = hashmap_get(&o->by_ip, ip);

	return host ? *host : OWNER_NONE;
}

static void claim(struct owners *o, uint32_t host, const uint8_t ip[16])
{
	bool fresh;
	uint32_t *owner = hashmap_at(&o->by_ip, ip, &fresh);

	if (fresh)
		*owner = host;
	else if (*owner != host)
		*owner = OWNER_NONE;
}

static void add_address(struct dataset *data, struct owners *o, const struct vantage *v, const uint8_t ip[16])
{
	struct host *h = &data->hosts[v->host];
	struct host_address a = {.has_ip = true, .prefix = 255, .source = "inferred",
		.interface = v->interface ? mem_strdup(v->interface) : NULL};

	memcpy(a.ip, ip, 16);
	if (v->inferred.own_mac != MAC_NONE) {
		a.has_mac = true;
		memcpy(a.mac, vantage_mac(v, v->inferred.own_mac), 6);
	}
	MEM_RESERVE(h->addresses, h->address_count, h->address_cap);
	h->addresses[h->address_count++] = a;
	claim(o, v->host, ip);
}

static bool host_has(const struct host *h, const uint8_t ip[16])
{
	for (uint32_t i = 0; i < h->address_count; i++)
		if (h->addresses[i].has_ip && memcmp(h->addresses[i].ip, ip, 16) == 0)
			return true;
	return false;
}

static bool recorded(const struct host *h)
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
static void count_pairs(const struct vantage *v, struct hashmap *ret)
{
	hashmap_init(ret, sizeof(struct mac_way), sizeof(uint64_t), UINT32_MAX);
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);
		struct mac_way pair = {.from = k->from_mac, .to = k->mac};
		bool fresh;

		if (k->role == 1 && k->from_mac != MAC_NONE && k->mac != MAC_NONE && ip_is_unicast(k->ip))
			*(uint64_t *)hashmap_at(ret, &pair, &fresh) += u->frames;
	}
}

/*
 * Frames of each MAC with those that it both sent to and got something from. A switch floods what is
 * for a MAC that it does not know: such frames are foreign, and nothing comes back. Returns the frames in all.
 */
static uint64_t count_answered(const struct vantage *v, uint64_t *ret_frames)
{
	struct hashmap pairs;
	uint64_t all = 0;

	count_pairs(v, &pairs);
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

/* Frames with unicast IP of each MAC, whichever way. */
static void count_all(const struct vantage *v, uint64_t *ret_frames)
{
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);

		ret_frames[k->mac] += ip_is_unicast(k->ip) ? u->frames : 0;
	}
}

/*
 * The MAC that is in every frame with unicast IP, where just one is. What was flooded is left out as
 * long as it is the smaller part: it would speak for the MAC that is looked for.
 */
static uint16_t ever_present_mac(const struct vantage *v)
{
	uint64_t *frames = mem_array(v->macs.table.count + 1, sizeof(*frames)), unicast = v->counts.unicast_frames, answered;
	uint16_t found = MAC_NONE;
	uint32_t count = 0;

	answered = count_answered(v, frames);
	if (answered && answered >= unicast / 2) {
		unicast = answered;
	} else {
		memset(frames, 0, (v->macs.table.count + 1) * sizeof(*frames));
		count_all(v, frames);
	}
	for (uint32_t i = 0; i < v->macs.table.count; i++) {
		const uint8_t *mac = hashmap_key(&v->macs.table, i);

		if ((mac[0] & 1) || (double)frames[i] < (double)unicast * (1 - STRAY_SHARE))
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

static void note_partner(struct arp_use *use, uint16_t partner)
{
	use->more_partners |= use->unicast && use->partner != partner;
	use->partner = use->unicast ? use->partner : partner;
	use->unicast++;
}

/* Returns how many messages went from one MAC to one other. */
static uint32_t count_arp(const struct vantage *v, struct arp_use *ret)
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
		note_partner(&ret[r->ethernet_src], r->ethernet_dst);
		note_partner(&ret[r->ethernet_dst], r->ethernet_src);
		unicast++;
	}
	return unicast;
}

/*
 * Beside one peer both MACs are in every frame, and ARP may still tell: a host's own messages are recorded
 * before they are padded, those of others as they came from the wire; and only here do answers to several
 * others meet. Each speaks for a MAC only where it speaks for no other.
 */
static uint16_t mac_by_arp(const struct vantage *v)
{
	struct arp_use *uses = mem_array(v->macs.table.count + 1, sizeof(*uses));
	uint32_t unicast = count_arp(v, uses), by_padding = 0, by_partners = 0, padded = 0;
	uint16_t padding = MAC_NONE, partners = MAC_NONE;

	for (uint32_t i = 0; i < v->macs.table.count; i++) {
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
static bool infer_by_direction(struct dataset *data, struct owners *o, struct vantage *v)
{
	struct host *h = &data->hosts[v->host];
	bool any = false;

	for (uint32_t i = 0; i < v->addresses.by_ip.count; i++) {
		const struct address *a = hashmap_value(&v->addresses.by_ip, i);
		const uint8_t *ip = hashmap_key(&v->addresses.by_ip, i);

		any |= a->sent_out;
		if (a->sent_out && !host_has(h, ip))
			add_address(data, o, v, ip);
	}
	return any;
}

/* A router sends others' packets from its MAC too, but with a TTL that was counted down. */
static bool infer_by_mac(struct dataset *data, struct owners *o, struct vantage *v)
{
	bool any = false;

	if (v->inferred.own_mac == MAC_NONE)
		v->inferred.own_mac = ever_present_mac(v);
	if (v->inferred.own_mac == MAC_NONE)
		v->inferred.own_mac = mac_by_arp(v);
	if (v->inferred.own_mac == MAC_NONE)
		return false;
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);

		if (k->mac != v->inferred.own_mac || k->role != 0 || !summary_is_initial_ttl(u->ttl_max) || !ip_is_unicast(k->ip))
			continue;
		any = true;
		if (!host_has(&data->hosts[v->host], k->ip))
			add_address(data, o, v, k->ip);
	}
	return any;
}

/* Addresses in (nearly) every unicast frame, on this link, that no other host owns. Returns how many. */
static int candidates(const struct owners *o, const struct vantage *v, enum address_view view,
	const uint8_t *ret[CANDIDATES])
{
	uint64_t unicast = view == VIEW_ANSWERED ? v->counts.answered_frames : v->counts.unicast_frames;
	int n = 0;

	for (uint32_t i = 0; i < v->addresses.by_ip.count && n < CANDIDATES && unicast; i++) {
		const struct address *a = hashmap_value(&v->addresses.by_ip, i);
		const uint8_t *ip = hashmap_key(&v->addresses.by_ip, i);
		uint32_t owner;

		if ((double)a->frames[view] < (double)unicast * (1 - STRAY_SHARE) ||
			!summary_is_initial_ttl(view == VIEW_ANSWERED ? a->ttl_max_answered : a->ttl_max))
			continue;
		owner = owner_of(o, ip);
		if (owner == OWNER_NONE || owner == v->host)
			ret[n++] = ip;
	}
	return n;
}

static bool undecided(const struct dataset *data, const struct vantage *v)
{
	return v->kind == VANTAGE_NIC && !recorded(&data->hosts[v->host]);
}

/* What one capture alone shows for certain. */
static void infer_alone(struct dataset *data, struct owners *o, struct vantage *v)
{
	if (!infer_by_direction(data, o, v) && v->counts.unicast_frames)
		(void)infer_by_mac(data, o, v);
}

struct guess {
	bool made;
	bool weak; /* flooding would look the same: gives way to another host's guess that is not */
	uint8_t ip[16];
};

static struct guess guess_by(const struct owners *o, const struct vantage *v, enum address_view view)
{
	const uint8_t *found[CANDIDATES];
	struct guess g = {.weak = view == VIEW_ALL};

	if (candidates(o, v, view, found) == 1) {
		g.made = true;
		memcpy(g.ip, found[0], 16);
	}
	return g;
}

/*
 * An address that is in all frames, whose packets no router has touched, and that no other host
 * owns. Not certain: a capture in the middle guesses the same as the one at the end, and one that
 * was filtered by host holds that host in all frames wherever it was taken. What a switch flooded
 * speaks for the address it is for: flows seen one way only count for their sender, or not at all.
 */
static struct guess guess_address(const struct owners *o, const struct vantage *v)
{
	struct guess g = {0};

	if (v->counts.answered_frames && v->counts.answered_frames >= v->counts.unicast_frames / 2) {
		g = guess_by(o, v, VIEW_SENDER);
		g = g.made ? g : guess_by(o, v, VIEW_ANSWERED);
	}
	return g.made ? g : guess_by(o, v, VIEW_ALL);
}

static bool is_rival(const struct dataset *data, const struct guess *guesses, uint32_t i, uint32_t k)
{
	return k != i && guesses[k].made && memcmp(guesses[k].ip, guesses[i].ip, 16) == 0 &&
		data->vantages[k].host != data->vantages[i].host && (guesses[i].weak || !guesses[k].weak);
}

/* Accepts the guesses that only one host makes; true when any was. */
static bool infer_together(struct dataset *data, struct owners *o)
{
	struct guess *guesses = mem_array(data->vantage_count + 1, sizeof(*guesses));
	bool progress = false;

	for (uint32_t i = 0; i < data->vantage_count; i++)
		if (undecided(data, &data->vantages[i]))
			guesses[i] = guess_address(o, &data->vantages[i]);
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		bool alone = guesses[i].made;

		for (uint32_t k = 0; k < data->vantage_count && alone; k++)
			alone = !is_rival(data, guesses, i, k);
		if (!alone || host_has(&data->hosts[data->vantages[i].host], guesses[i].ip))
			continue;
		add_address(data, o, &data->vantages[i], guesses[i].ip);
		progress = true;
	}
	free(guesses);
	return progress;
}

/* The MAC that the host's own addresses send from, where it is neither recorded nor inferred yet. */
static void infer_own_mac(const struct dataset *data, struct vantage *v)
{
	const struct host *h = &data->hosts[v->host];
	uint64_t most = 0;

	if (v->inferred.own_mac != MAC_NONE)
		return;
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);

		if (k->role != 0 || !host_has(h, k->ip) || u->frames <= most)
			continue;
		most = u->frames;
		v->inferred.own_mac = k->mac;
	}
}

/* Is most of what it sees its own? Not so where a port is mirrored. */
static bool sees_its_own(const struct vantage *v)
{
	uint64_t own = 0, all = 0;

	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);

		if (k->role != 1 || !ip_is_unicast(k->ip))
			continue;
		all += u->frames;
		own += k->mac == v->inferred.own_mac || k->from_mac == v->inferred.own_mac ? u->frames : 0;
	}
	return v->inferred.own_mac != MAC_NONE && own > all / 2;
}

static void complete_addresses(struct dataset *data)
{
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		struct vantage *v = &data->vantages[i];
		struct host *h = &data->hosts[v->host];

		infer_own_mac(data, v);
		v->inferred.sees_its_own = sees_its_own(v);
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
static void mark_own(struct vantage *v, const struct owners *o)
{
	v->inferred.own_addresses = mem_array(v->addresses.by_ip.count + 1, sizeof(bool));
	for (uint32_t i = 0; i < v->addresses.by_ip.count; i++) {
		v->inferred.own_addresses[i] = owner_of(o, hashmap_key(&v->addresses.by_ip, i)) == v->host;
	}
}

void owners_infer(struct dataset *data, struct owners *ret)
{
	for (uint32_t i = 0; i < data->vantage_count; i++)
		data->vantages[i].inferred.own_mac = data->vantages[i].recorded_mac;
	hashmap_init(&ret->by_ip, 16, sizeof(uint32_t), UINT32_MAX);
	for (uint32_t h = 0; h < data->host_count; h++)
		for (uint32_t i = 0; i < data->hosts[h].address_count; i++)
			if (data->hosts[h].addresses[i].has_ip)
				claim(ret, h, data->hosts[h].addresses[i].ip);
	for (uint32_t i = 0; i < data->vantage_count; i++)
		if (undecided(data, &data->vantages[i]))
			infer_alone(data, ret, &data->vantages[i]);
	/* Each round may rule out candidates of the next. */
	while (infer_together(data, ret))
		;
	complete_addresses(data);
	for (uint32_t i = 0; i < data->vantage_count; i++)
		mark_own(&data->vantages[i], ret);
}

void owners_release(struct owners *o)
{
	hashmap_release(&o->by_ip);
}
