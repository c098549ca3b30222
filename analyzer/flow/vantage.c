#include "flow/vantage.h"

#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"

#define MAC_LIMIT 65000
#define MAC_USE_LIMIT 2000000
#define NETFILTER_LIMIT 1000000

const char *capture_disposition_name(int d)
{
	switch (d) {
	case CAPTURE_JOINED:
		return "joined";
	case CAPTURE_ONE_SIDED:
		return "one_sided";
	case CAPTURE_DUPLICATE:
		return "duplicate";
	case CAPTURE_FILTERED:
		return "filtered";
	case CAPTURE_OUTSIDE_TIME:
		return "outside_time";
	case CAPTURE_TABLE_FULL:
		return "flow_table_full";
	default:
		return packet_disposition_name((enum packet_disposition)d);
	}
}

NOINLINE uint16_t vantage_mac_index(struct vantage *v, const uint8_t mac[6])
{
	bool fresh;
	void *value = hashmap_at(&v->macs, mac, &fresh);

	return value ? (uint16_t)hashmap_index(&v->macs, value) : MAC_NONE;
}

void vantage_init(struct vantage *v, struct arena *arena, uint32_t flow_limit)
{
	*v = (struct vantage){.first_ns = INT64_MAX, .last_ns = INT64_MIN, .start_ns = INT64_MIN,
		.end_ns = INT64_MIN, .own_mac = MAC_NONE, .tick_ns = 1000};
	flowtab_init(&v->flows, arena, flow_limit);
	hashmap_init(&v->macs, 6, 8, MAC_LIMIT);
	hashmap_init(&v->mac_use, sizeof(struct mac_use_key), sizeof(struct mac_use), MAC_USE_LIMIT);
	hashmap_init(&v->addresses, 16, sizeof(struct address), MAC_USE_LIMIT);
	hashmap_init(&v->services, sizeof(struct service), 8, UINT32_MAX);
	hashmap_init(&v->netfilter, sizeof(struct netfilter_key), sizeof(struct netfilter_use),
		NETFILTER_LIMIT);
}

void vantage_release(struct vantage *v)
{
	flowtab_release(&v->flows);
	hashmap_release(&v->macs);
	hashmap_release(&v->mac_use);
	hashmap_release(&v->addresses);
	hashmap_release(&v->services);
	hashmap_release(&v->netfilter);
	free(v->activity);
	free(v->mac_seconds);
	free(v->neighbors);
	free(v->vrrps);
	free(v->icmps);
	free(v->drops);
	free(v->gaps);
	free(v->name);
	free(v->interface);
	free(v->filter);
}
