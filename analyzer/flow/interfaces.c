#include "flow/interfaces.h"

#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"

/* Rotated files may overlap by this much and still be one vantage point's, but by no more than half
 * of what was recorded before: of short captures at the same time each is a place of its own. */
#define ROTATION_SLACK_NS NSEC_PER_SEC

/* Did the vantage point's last file go on after the present one had begun? A file without any time
 * tells nothing. */
static bool interfaces_overlaps(const struct host_reading *rd, const struct vantage *v)
{
	int64_t begin = rd->capture->order_ns;
	int64_t half_ns = v->span.last_ns / 2 - v->span.first_ns / 2;

	return begin != INT64_MAX && v->span.first_ns <= v->span.last_ns &&
	       begin < v->span.last_ns -
			       (half_ns < ROTATION_SLACK_NS ? half_ns : ROTATION_SLACK_NS);
}

static bool interfaces_names_fit(const char *a, const char *b)
{
	return !a || !b || strcmp(a, b) == 0;
}

/*
 * The vantage point of an interface: the same name (or none) goes on from an earlier file; two
 * files of one host that overlap in time are two vantage points, and so are two interfaces of one
 * file unless they have one name.
 */
static struct reading_vantage *interfaces_find(struct host_reading *rd, enum vantage_kind kind,
	const struct capfile_interface *iface, uint32_t index)
{
	for (uint32_t i = 0; i < rd->count; i++) {
		struct reading_vantage *rv = rd->vantages[i];
		bool same_file = rv->last_capture == rd->capture_index;

		if (rv->whole != rv || rv->v.kind != kind ||
			!interfaces_names_fit(rv->v.interface, iface->name))
			continue;
		if (same_file && rv->last_interface != index && !(rv->v.interface && iface->name))
			continue;
		if (!same_file && interfaces_overlaps(rd, &rv->v))
			continue;
		return rv;
	}
	return NULL;
}

static void interfaces_note(
	struct host_reading *rd, struct vantage *v, const struct capfile_interface *iface)
{
	struct host *h = rd->host;

	if (!v->interface && iface->name)
		v->interface = mem_strdup(iface->name);
	if (!v->filter && iface->filter)
		v->filter = mem_strdup(iface->filter);
	if (iface->has_mac && v->recorded_mac == MAC_NONE)
		v->recorded_mac = macs_index(&v->macs, iface->mac);
	for (uint32_t i = 0; i < iface->address_count; i++) {
		struct host_address a = {.has_ip = true,
			.has_mac = iface->has_mac,
			.source = "capture",
			.prefix = iface->addresses[i].prefix,
			.interface = iface->name ? mem_strdup(iface->name) : NULL};

		if (iface->addresses[i].v6) {
			memcpy(a.ip, iface->addresses[i].bytes, 16);
		} else {
			a.ip[10] = a.ip[11] = 0xff;
			memcpy(a.ip + 12, iface->addresses[i].bytes, 4);
		}
		memcpy(a.mac, iface->mac, 6);
		MEM_RESERVE(h->addresses, h->address_count, h->address_cap);
		h->addresses[h->address_count++] = a;
	}
}

/* A capture that was stopped and started again missed what was in between; rotation leaves no such
 * hole. */
static void interfaces_note_gap(const struct host_reading *rd, struct reading_vantage *rv)
{
	struct vantage *v = &rv->v;
	int64_t begin = rd->capture->order_ns;

	if (rv->last_capture == rd->capture_index || v->span.first_ns > v->span.last_ns ||
		begin == INT64_MAX || begin - v->span.last_ns <= ROTATION_SLACK_NS)
		return;
	spans_add(&v->unrecorded.gaps,
		(struct capture_span){
			.from_ns = v->span.last_ns, .to_ns = begin, .source = "between files"});
}

struct reading_vantage *interfaces_new_vantage(
	struct host_reading *rd, enum vantage_kind kind, uint32_t link_type)
{
	struct reading_vantage *rv = mem_zalloc(sizeof(*rv));

	vantage_init(&rv->v, &rd->host->arena, &rd->host->macs, &rd->host->flow_room);
	rv->whole = rv;
	rv->v.kind = kind;
	rv->v.link_type = link_type;
	rv->place = rd->count;
	MEM_RESERVE(rd->vantages, rd->count, rd->cap);
	rd->vantages[rd->count++] = rv;
	return rv;
}

/* Also as an extract names it, with the host's name in front. */
static bool interfaces_is_kernel(const char *name)
{
	size_t length = name ? strlen(name) : 0, n = sizeof(CAPFILE_KERNEL_DROPS) - 1;

	return length >= n && strcmp(name + length - n, CAPFILE_KERNEL_DROPS) == 0 &&
	       (length == n || name[length - n - 1] == ':');
}

static enum vantage_kind interfaces_kind(const struct capfile_interface *iface)
{
	if (interfaces_is_kernel(iface->name))
		return VANTAGE_KERNEL;
	return iface->link_type == 239 ? VANTAGE_NETFILTER : VANTAGE_NIC;
}

struct reading_vantage *interfaces_vantage(
	struct host_reading *rd, const struct capfile_interface *iface, uint32_t index)
{
	enum vantage_kind kind = interfaces_kind(iface);
	struct reading_vantage *rv = interfaces_find(rd, kind, iface, index);

	if (!rv && rd->count >= rd->limit && rd->rest)
		return rd->rest;
	if (!rv) {
		rv = interfaces_new_vantage(rd, kind, iface->link_type);
		rd->rest = rd->count > rd->limit ? rv : NULL;
	}
	interfaces_note_gap(rd, rv);
	rv->last_capture = rd->capture_index;
	rv->last_interface = index;
	interfaces_note(rd, &rv->v, iface);
	return rv;
}

/* A pcapng may end before it describes an interface; its host was watched from somewhere all the
 * same. */
void interfaces_need_vantage(struct host_reading *rd)
{
	const struct capfile_interface unknown = {.received = -1,
		.dropped_interface = -1,
		.filter_accepted = -1,
		.dropped_kernel = -1,
		.delivered = -1,
		.start_ns = INT64_MIN,
		.end_ns = INT64_MIN};

	if (!rd->count && rd->host->capture_count)
		(void)interfaces_vantage(rd, &unknown, 0);
}
