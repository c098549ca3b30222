#include "flow/capture_rows.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

static int64_t capture_rows_add_known(int64_t sum, int64_t v)
{
	if (v < 0)
		return sum;
	return (sum < 0 ? 0 : sum) + v;
}

/* Told at the end, or by the frames that followed the drops; where both speak, the larger one. */
static int64_t capture_rows_dropped(const struct capfile_interface *iface)
{
	if (iface->dropped_between > 0 && iface->dropped_between > iface->dropped_kernel)
		return iface->dropped_between;
	return iface->dropped_kernel;
}

/* The capture ran at least this long, even where no frame says so. */
static void capture_rows_running_time(struct vantage *v, const struct capfile_interface *iface)
{
	if (iface->start_ns != INT64_MIN &&
		(v->span.start_ns == INT64_MIN || iface->start_ns < v->span.start_ns))
		v->span.start_ns = reading_sane_time(iface->start_ns);
	if (iface->end_ns > v->span.end_ns)
		v->span.end_ns = reading_sane_time(iface->end_ns);
}

static void capture_rows_interface(
	struct capture *c, const struct capfile_interface *iface, uint32_t index, uint32_t place)
{
	MEM_RESERVE(c->interfaces, c->interface_count, c->interface_cap);
	c->interfaces[c->interface_count++] = (struct capture_interface_row){.interface = index,
		.vantage = place,
		.link_type = iface->link_type,
		.snaplen = iface->snaplen,
		.dropped_kernel = capture_rows_dropped(iface),
		.dropped_interface = iface->dropped_interface,
		.name = iface->name ? mem_strdup(iface->name) : NULL,
		.filter = iface->filter ? mem_strdup(iface->filter) : NULL};
}

static void capture_rows_interfaces(struct host_reading *rd, const struct capfile_info *info)
{
	struct capture *c = rd->capture;

	for (uint32_t i = 0; i < info->interface_count; i++) {
		const struct capfile_interface *iface = &info->interfaces[i];
		struct reading_vantage *whole = rd->interfaces[i].rv;

		capture_rows_interface(c, iface, i, whole->place);
		for (uint32_t k = whole->place + 1; k < rd->count; k++)
			if (rd->vantages[k]->whole == whole &&
				rd->vantages[k]->last_capture == rd->capture_index)
				capture_rows_interface(c, iface, i, k);
		capture_rows_running_time(&whole->v, iface);
		if (whole->v.kind == VANTAGE_KERNEL)
			continue; /* what is lost there is a word of the kernel's, no packet */
		c->dropped_kernel =
			capture_rows_add_known(c->dropped_kernel, capture_rows_dropped(iface));
		c->dropped_interface =
			capture_rows_add_known(c->dropped_interface, iface->dropped_interface);
	}
}

static void capture_rows_facts(struct host_reading *rd, const struct capfile_info *info)
{
	struct host *h = rd->host;

	for (uint32_t i = 0; i < info->fact_count; i++) {
		MEM_RESERVE(h->facts, h->fact_count, h->fact_cap);
		h->facts[h->fact_count++] = (struct host_fact_row){.at_ns = info->facts[i].time_ns,
			.key = mem_strdup(info->facts[i].key),
			.value = mem_strdup(info->facts[i].value)};
	}
}

static void capture_rows_drops(struct host_reading *rd, const struct capfile_info *info)
{
	for (uint32_t i = 0; i < info->drop_count; i++) {
		const struct capfile_drop *d = &info->drops[i];

		if (d->interface >= rd->interface_count)
			continue;
		spans_add(&rd->interfaces[d->interface].rv->v.unrecorded.drops,
			(struct capture_span){.from_ns = reading_sane_time(d->from_ns),
				.to_ns = reading_sane_time(d->to_ns),
				.frames = d->frames,
				.source = "capture"});
	}
}

void capture_rows_keep(struct host_reading *rd, const struct capfile_info *info)
{
	struct capture *c = rd->capture;

	c->format = info->format == CAPFILE_PCAPNG ? "pcapng" : "pcap";
	c->compression = info->compression;
	c->snaplen = info->interface_count ? info->interfaces[0].snaplen : 0;
	c->bytes = info->bytes;
	c->damaged = info->damaged ? mem_strdup(info->damaged) : NULL;
	memcpy(c->hash, info->hash, sizeof(c->hash));
	memcpy(c->sha256, info->sha256, sizeof(c->sha256));
	assert(rd->interface_count == info->interface_count);
	capture_rows_interfaces(rd, info);
	capture_rows_facts(rd, info);
	capture_rows_drops(rd, info);
}
