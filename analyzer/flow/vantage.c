#include "flow/vantage.h"

#include <assert.h>
#include <stdlib.h>

const char *capture_disposition_name(int d)
{
	assert(d >= 0 && d < CAPTURE_DISPOSITIONS);
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
	case CAPTURE_KERNEL_DROP:
		return "kernel_drop";
	default:
		return packet_disposition_name((enum packet_disposition)d);
	}
}

const char *vantage_kind_name(enum vantage_kind k)
{
	static const char *const names[] = {"nic", "netfilter", "kernel"};

	assert(k < sizeof(names) / sizeof(names[0]));
	return names[k];
}

void vantage_init(struct vantage *v, struct arena *arena, struct hashmap *macs, uint32_t *flow_room)
{
	*v = (struct vantage){.recorded_mac = MAC_NONE,
		.inferred = {.own_mac = MAC_NONE},
		.span = {.first_ns = INT64_MAX,
			.last_ns = INT64_MIN,
			.start_ns = INT64_MIN,
			.end_ns = INT64_MIN,
			.tick_ns = 1000}};
	steady_init(&v->steady);
	flowtab_init(&v->flows, arena, flow_room);
	macs_init(&v->macs, macs);
	addresses_init(&v->addresses);
	netfilter_init(&v->netfilter);
	kernel_drops_init(&v->kernel_drops);
}

void vantage_release(struct vantage *v)
{
	flowtab_release(&v->flows);
	free(v->recent);
	steady_release(&v->steady);
	macs_release(&v->macs);
	addresses_release(&v->addresses);
	activity_release(&v->activity);
	neighbors_release(&v->neighbors);
	vrrps_release(&v->vrrps);
	icmps_release(&v->icmps);
	netfilter_release(&v->netfilter);
	kernel_drops_release(&v->kernel_drops);
	spans_release(&v->unrecorded.drops);
	spans_release(&v->unrecorded.gaps);
	free(v->inferred.own_addresses);
	free(v->inferred.speaking_macs);
	free(v->name);
	free(v->interface);
	free(v->part);
	free(v->filter);
}
