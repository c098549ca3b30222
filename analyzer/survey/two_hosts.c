#include "survey/two_hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "survey/own_mac.h"

/* The own MAC by what the capture alone shows; MAC_NONE: unknown. */
static uint16_t two_hosts_mac(const struct vantage *v)
{
	enum claim_evidence evidence;

	if (v->kind != VANTAGE_NIC || v->part || !v->counts.unicast_frames)
		return MAC_NONE;
	return v->recorded_mac != MAC_NONE ? v->recorded_mac : own_mac_find(v, &evidence);
}

/* The first frame with unicast IP from one MAC to another; false: there is none. */
static bool two_hosts_first(
	const struct vantage *v, uint16_t from, uint16_t to, uint32_t *ret_frame)
{
	bool any = false;

	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);

		if (k->role != 1 || k->mac != to || k->from_mac != from || !ip_is_unicast(k->ip) ||
			(any && u->first_frame > *ret_frame))
			continue;
		*ret_frame = u->first_frame;
		any = true;
	}
	return any;
}

/* Interfaces that stand in one file were recorded on one machine. */
static bool two_hosts_share_file(const struct dataset *data, uint32_t a, uint32_t b)
{
	for (uint32_t i = 0; i < data->capture_count; i++) {
		const struct capture *c = &data->captures[i];
		bool has_a = false, has_b = false;

		for (uint32_t k = 0; k < c->interface_count; k++) {
			has_a |= c->interfaces[k].vantage == a;
			has_b |= c->interfaces[k].vantage == b;
		}
		if (has_a && has_b)
			return true;
	}
	return false;
}

static bool two_hosts_are(const struct dataset *data, const uint16_t *macs, struct two_hosts *t)
{
	const struct vantage *a = &data->vantages[t->vantage[0]],
			     *b = &data->vantages[t->vantage[1]];
	uint16_t own_a = macs[t->vantage[0]], own_b = macs[t->vantage[1]];

	/* Vantage points of one host share the table of MACs. */
	return a->host == b->host && own_a != MAC_NONE && own_b != MAC_NONE && own_a != own_b &&
	       two_hosts_first(a, own_b, own_a, &t->frame[0]) &&
	       two_hosts_first(b, own_a, own_b, &t->frame[1]) &&
	       !two_hosts_share_file(data, t->vantage[0], t->vantage[1]);
}

bool two_hosts_find(const struct dataset *data, struct two_hosts *ret)
{
	uint16_t *macs = mem_array(data->vantage_count + 1, sizeof(*macs));
	bool found = false;

	for (uint32_t i = 0; i < data->vantage_count; i++)
		macs[i] = two_hosts_mac(&data->vantages[i]);
	for (uint32_t i = 0; i < data->vantage_count && !found; i++)
		for (uint32_t k = i + 1; k < data->vantage_count && !found; k++) {
			*ret = (struct two_hosts){.vantage = {i, k}};
			found = two_hosts_are(data, macs, ret);
		}
	free(macs);
	return found;
}
