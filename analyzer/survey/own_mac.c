#include "survey/own_mac.h"

#include <stdlib.h>

#include "base/address.h"
#include "base/mem.h"

struct mac_way {
	uint16_t from, to, unused[2];
};

/* Frames with unicast IP from one MAC to another. */
static void own_mac_count_pairs(const struct vantage *v, struct hashmap *ret)
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
static uint64_t own_mac_count_answered(const struct vantage *v, uint64_t *ret_frames)
{
	struct hashmap pairs;
	uint64_t all = 0;

	own_mac_count_pairs(v, &pairs);
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
static uint64_t own_mac_count_all(const struct vantage *v, uint64_t *ret_frames)
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
static uint16_t own_mac_ever_present(const struct vantage *v)
{
	uint64_t *frames = mem_array(v->macs.table->count + 1, sizeof(*frames)), answered,
		 silent = 0;
	uint64_t unicast = v->counts.unicast_frames;
	uint16_t found = MAC_NONE;
	uint32_t count = 0;

	answered = own_mac_count_answered(v, frames);
	if (answered && answered >= unicast / 2) {
		unicast = answered;
	} else {
		memset(frames, 0, (v->macs.table->count + 1) * sizeof(*frames));
		silent = own_mac_count_all(v, frames);
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

static void own_mac_note_partner(struct arp_use *use, uint16_t partner)
{
	use->more_partners |= use->unicast && use->partner != partner;
	use->partner = use->unicast ? use->partner : partner;
	use->unicast++;
}

/* Returns how many messages went from one MAC to one other. */
static uint32_t own_mac_count_arp(const struct vantage *v, struct arp_use *ret)
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
		own_mac_note_partner(&ret[r->ethernet_src], r->ethernet_dst);
		own_mac_note_partner(&ret[r->ethernet_dst], r->ethernet_src);
		unicast++;
	}
	return unicast;
}

/*
 * Beside one peer both MACs are in every frame, and ARP may still tell: a host's own messages are
 * recorded before they are padded, those of others as they came from the wire; and only here do
 * answers to several others meet. Each speaks for a MAC only where it speaks for no other.
 */
static uint16_t own_mac_by_arp(const struct vantage *v, enum claim_evidence *ret_evidence)
{
	struct arp_use *uses = mem_array(v->macs.table->count + 1, sizeof(*uses));
	uint32_t unicast = own_mac_count_arp(v, uses), by_padding = 0, by_partners = 0, padded = 0;
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
	*ret_evidence = by_partners == 1 ? CLAIM_ARP_PEERS : CLAIM_ARP_LENGTH;
	if (by_partners == 1)
		return partners;
	return by_padding == 1 && padded ? padding : MAC_NONE;
}

uint16_t own_mac_find(const struct vantage *v, enum claim_evidence *ret_evidence)
{
	uint16_t mac = own_mac_ever_present(v);

	*ret_evidence = CLAIM_EVER_PRESENT;
	return mac != MAC_NONE ? mac : own_mac_by_arp(v, ret_evidence);
}
