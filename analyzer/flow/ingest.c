#include "flow/ingest.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "flow/copies.h"
#include "flow/summary.h"
#include "flow/fragments.h"
#include "flow/observation.h"
#include "flow/track.h"
#include "read/filter.h"

/* Rotated files may overlap by this much and still be one vantage point's, but by no more than half
 * of what was recorded before: of short captures at the same time each is a place of its own. */
#define ROTATION_SLACK_NS NSEC_PER_SEC

/* More places in one interface than anyone compares; what is beyond is not told apart. */
#define PARTS_MAX 32

/* Vantage points of one host: so many and its share of those that all hosts have together. Work and
 * memory grow with the pairs of them. */
#define VANTAGES_LEAST 32
#define VANTAGES_SHARED 1024

/* Frames are taken in groups, so that the memory of all their flows is on its way before the first
 * needs it. */
#define GROUP 32

struct taken {
	struct reading_vantage *rv;
	struct frame *frame;
	struct packet packet;
	struct flow_lookup lookup;
	uint32_t ordinal;
};

/*
 * What tells places apart that share an interface of a file: the capture of all interfaces says of
 * each frame where it passed (SLL2), a mirror in which of its sessions. 0: not said.
 */
struct part_key {
	uint32_t ifindex, tunnel;
	uint32_t network; /* with tunnel */
};

struct reading_vantage {
	struct vantage v;
	struct reading_vantage *whole; /* of which it is a part; itself: it has the first of each
					  kind, and what says nothing */
	struct part_key key;
	uint32_t part_count;   /* of a whole, without itself */
	uint32_t last_capture; /* index, and the interface in it */
	uint32_t last_interface;
	uint32_t place; /* in its reading */
};

struct host_reading {
	struct dataset *data;
	struct host *host;
	const struct ingest_options *options;
	struct reading_vantage **vantages;
	uint32_t count, cap, limit;
	struct reading_vantage *rest; /* of interfaces beyond the limit: their frames are counted,
					 not read; NULL: none yet */
	/* While one capture is read: */
	uint32_t capture_index;
	struct capture *capture;
	struct interface_state {
		struct reading_vantage *rv;
		uint32_t link_type;
		const struct filter_program *filter;
		const struct filter_program *scope; /* what the user says was recorded; NULL */
		int left_out; /* the disposition of all its frames where none is read: the filter
				 has no meaning for its link type, or it is beyond the limit; else 0
			       */
	} * interfaces;
	uint32_t interface_count;
	int64_t last_ns;
	struct fragments *fragments;
	struct frame frames[GROUP];
	struct taken group[GROUP];
};

/* Did the vantage point's last file go on after the present one had begun? A file without any time
 * tells nothing. */
static bool ingest_overlaps(const struct host_reading *rd, const struct vantage *v)
{
	int64_t begin = rd->capture->order_ns;
	int64_t half_ns = v->span.last_ns / 2 - v->span.first_ns / 2;

	return begin != INT64_MAX && v->span.first_ns <= v->span.last_ns &&
	       begin < v->span.last_ns -
			       (half_ns < ROTATION_SLACK_NS ? half_ns : ROTATION_SLACK_NS);
}

static bool ingest_names_fit(const char *a, const char *b)
{
	return !a || !b || strcmp(a, b) == 0;
}

/*
 * The vantage point of an interface: the same name (or none) goes on from an earlier file; two
 * files of one host that overlap in time are two vantage points, and so are two interfaces of one
 * file unless they have one name.
 */
static struct reading_vantage *ingest_find_vantage(struct host_reading *rd, enum vantage_kind kind,
	const struct capfile_interface *iface, uint32_t index)
{
	for (uint32_t i = 0; i < rd->count; i++) {
		struct reading_vantage *rv = rd->vantages[i];
		bool same_file = rv->last_capture == rd->capture_index;

		if (rv->whole != rv || rv->v.kind != kind ||
			!ingest_names_fit(rv->v.interface, iface->name))
			continue;
		if (same_file && rv->last_interface != index && !(rv->v.interface && iface->name))
			continue;
		if (!same_file && ingest_overlaps(rd, &rv->v))
			continue;
		return rv;
	}
	return NULL;
}

static void ingest_note_interface(
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
static void ingest_note_gap(const struct host_reading *rd, struct reading_vantage *rv)
{
	struct vantage *v = &rv->v;
	int64_t begin = rd->capture->order_ns;

	if (rv->last_capture == rd->capture_index || v->span.first_ns > v->span.last_ns ||
		begin == INT64_MAX || begin - v->span.last_ns <= ROTATION_SLACK_NS)
		return;
	spans_add(&v->gaps,
		(struct capture_span){
			.from_ns = v->span.last_ns, .to_ns = begin, .source = "between files"});
}

static struct reading_vantage *ingest_vantage_new(
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
static bool ingest_is_kernel(const char *name)
{
	size_t length = name ? strlen(name) : 0, n = sizeof(CAPFILE_KERNEL_DROPS) - 1;

	return length >= n && strcmp(name + length - n, CAPFILE_KERNEL_DROPS) == 0 &&
	       (length == n || name[length - n - 1] == ':');
}

static enum vantage_kind ingest_kind_of(const struct capfile_interface *iface)
{
	if (ingest_is_kernel(iface->name))
		return VANTAGE_KERNEL;
	return iface->link_type == 239 ? VANTAGE_NETFILTER : VANTAGE_NIC;
}

static struct reading_vantage *ingest_vantage_for(
	struct host_reading *rd, const struct capfile_interface *iface, uint32_t index)
{
	enum vantage_kind kind = ingest_kind_of(iface);
	struct reading_vantage *rv = ingest_find_vantage(rd, kind, iface, index);

	if (!rv && rd->count >= rd->limit && rd->rest)
		return rd->rest;
	if (!rv) {
		rv = ingest_vantage_new(rd, kind, iface->link_type);
		rd->rest = rd->count > rd->limit ? rv : NULL;
	}
	ingest_note_gap(rd, rv);
	rv->last_capture = rd->capture_index;
	rv->last_interface = index;
	ingest_note_interface(rd, &rv->v, iface);
	return rv;
}

static struct part_key ingest_part_key_of(const struct packet *p)
{
	struct part_key k = {.ifindex = p->link.ifindex};

	if (p->outer.depth &&
		(p->outer.tunnel == TUNNEL_VXLAN || p->outer.tunnel == TUNNEL_GENEVE ||
			p->outer.tunnel == TUNNEL_ERSPAN)) {
		k.tunnel = p->outer.tunnel;
		k.network = p->outer.tunnel_id;
	}
	return k;
}

/* What a frame does not say fits; what a place has not been told yet it takes from its first frame
 * that says it. */
static bool ingest_part_takes(struct part_key *has, const struct part_key *k)
{
	if (k->ifindex && has->ifindex && k->ifindex != has->ifindex)
		return false;
	if (k->tunnel && has->tunnel && (k->tunnel != has->tunnel || k->network != has->network))
		return false;
	has->ifindex = k->ifindex ? k->ifindex : has->ifindex;
	if (k->tunnel) {
		has->tunnel = k->tunnel;
		has->network = k->network;
	}
	return true;
}

/* The part of an interface's vantage point that a frame is of. */
static NOINLINE struct reading_vantage *ingest_part_of(
	struct host_reading *rd, struct reading_vantage *whole, const struct packet *p)
{
	struct part_key key = ingest_part_key_of(p);
	struct reading_vantage *rv;

	if (ingest_part_takes(&whole->key, &key))
		return whole;
	for (uint32_t i = whole->place + 1; i < rd->count; i++)
		if (rd->vantages[i]->whole == whole &&
			ingest_part_takes(&rd->vantages[i]->key, &key)) {
			rd->vantages[i]->last_capture = rd->capture_index;
			return rd->vantages[i];
		}
	if (whole->part_count == PARTS_MAX || rd->count >= rd->limit)
		return whole;
	rv = ingest_vantage_new(rd, whole->v.kind, whole->v.link_type);
	rv->whole = whole;
	rv->key = key;
	rv->last_capture = rd->capture_index;
	whole->part_count++;
	return rv;
}

static char *ingest_part_name(const struct part_key *k)
{
	const char *word = k->tunnel == TUNNEL_ERSPAN ? "session" : "vni";

	if (!k->tunnel)
		return mem_printf("if%u", k->ifindex);
	return k->ifindex ? mem_printf("if%u:%s%u", k->ifindex, word, k->network)
			  : mem_printf("%s%u", word, k->network);
}

/* Its capture is the whole's: what ran, paused and lost frames there did so here. */
static void ingest_part_finish(struct reading_vantage *rv)
{
	const struct vantage *whole = &rv->whole->v;
	struct vantage *v = &rv->v;

	assert(rv->whole->whole == rv->whole); /* parts have no parts */
	if (rv->whole->part_count)
		v->part = ingest_part_name(&rv->key);
	if (rv->whole == rv)
		return;
	v->span = whole->span;
	steady_copy(&v->steady, &whole->steady);
	v->interface = whole->interface ? mem_strdup(whole->interface) : NULL;
	v->filter = whole->filter ? mem_strdup(whole->filter) : NULL;
	for (uint32_t i = 0; i < whole->drops.count; i++)
		spans_add(&v->drops, whole->drops.rows[i]);
	for (uint32_t i = 0; i < whole->gaps.count; i++)
		spans_add(&v->gaps, whole->gaps.rows[i]);
}

/* The program that holds frames of a link type against the stated scope; NULL where it has no
 * meaning. */
static int ingest_scope_of(struct host_reading *rd, uint32_t link_type,
	const struct filter_program **ret_program, struct error *err)
{
	int r = filter_for(rd->host->scope->filter, link_type, ret_program, err);

	if (r == FILTER_UNFIT)
		*ret_program = NULL;
	return r;
}

/* The kernel filters before libpcap puts back the VLAN tag that the NIC took off. */
static bool ingest_matches_untagged(const struct filter_program *program, const struct frame *f)
{
	enum { MACS = 12, TAG = 4, HEADERS = 256 };
	uint8_t untagged[HEADERS];
	struct frame g = *f;
	uint32_t n = f->cap_len < HEADERS + TAG ? f->cap_len : HEADERS + TAG;

	if (n < MACS + TAG || f->wire_len < n || be16(f->data + MACS) != 0x8100)
		return false;
	memcpy(untagged, f->data, MACS);
	memcpy(untagged + MACS, f->data + MACS + TAG, n - MACS - TAG);
	g.data = untagged;
	g.cap_len = n - TAG;
	g.wire_len -= TAG;
	return filter_matches(program, &g);
}

/* A frame that the stated scope would have left out proves it wrong. */
static NOINLINE void ingest_check_scope(
	struct host_scope *scope, const struct interface_state *st, const struct taken *t)
{
	if (filter_matches(st->scope, t->frame) ||
		(st->link_type == 1 && ingest_matches_untagged(st->scope, t->frame)))
		return;
	if (!scope->outside++)
		scope->first_outside = t->ordinal;
}

/* Takes notice of interfaces that the file described since the last call. */
static int ingest_learn_interfaces(
	struct host_reading *rd, const struct capfile_info *info, struct error *err)
{
	int r;

	rd->interfaces = mem_grow(rd->interfaces, info->interface_count, sizeof(*rd->interfaces));
	for (; rd->interface_count < info->interface_count; rd->interface_count++) {
		const struct capfile_interface *iface = &info->interfaces[rd->interface_count];
		struct interface_state *st = &rd->interfaces[rd->interface_count];

		*st = (struct interface_state){.link_type = iface->link_type,
			.rv = ingest_vantage_for(rd, iface, rd->interface_count)};
		if (st->rv == rd->rest)
			st->left_out = CAPTURE_TABLE_FULL;
		if (rd->host->scope && ingest_scope_of(rd, iface->link_type, &st->scope, err) < 0)
			return -EINVAL;
		if (!rd->options->filter)
			continue;
		r = filter_for(rd->options->filter, iface->link_type, &st->filter, err);
		if (r < 0)
			return r;
		if (r == FILTER_UNFIT)
			st->left_out = CAPTURE_FILTERED;
	}
	return 0;
}

static void ingest_account(struct host_reading *rd, int disposition, const struct frame *f)
{
	rd->capture->account[disposition].frames++;
	rd->capture->account[disposition].bytes += f->wire_len;
}

/* The flow goes on in another file: what the last one had of it is kept. */
static NOINLINE void ingest_keep_file_frames(
	struct host *h, uint32_t vantage, struct flow_vantage *f)
{
	MEM_RESERVE(h->file_frames, h->file_frames_count, h->file_frames_cap);
	h->file_frames[h->file_frames_count++] = (struct host_file_frames){.vantage = vantage,
		.flow = f->index,
		.capture = f->file,
		.frames = f->file_frames,
		.bytes = f->file_bytes};
	f->file_frames = 0;
	f->file_bytes = 0;
}

/* Frames that became segments are joined or one-sided; which, is known after pairing. */
static inline void ingest_count_frame(struct host_reading *rd, const struct reading_vantage *rv,
	struct flow_vantage *f, const struct frame *frame)
{
	if (f->file_frames && f->file != rd->capture_index)
		ingest_keep_file_frames(rd->host, rv->place, f);
	f->file = rd->capture_index;
	f->file_frames++;
	f->file_bytes += frame->wire_len;
}

/* Not accounted yet: joined or one-sided is known after pairing. */
#define HELD_BY_FLOW (-1)
/* A packet of a flow, which it has to be added to. */
#define OF_FLOW (-2)

/* What a message says beside being a packet of its flow. */
static NOINLINE void ingest_note_message(struct vantage *v, const struct observation *o)
{
	if (o->packet->disposition == PACKET_ICMP)
		icmps_add(&v->icmps, o);
	else if (o->packet->disposition == PACKET_VRRP)
		vrrps_add(&v->vrrps, o);
}

/* From here on the vantage point may have seen more than is known of it. */
static NOINLINE int ingest_refuse_flow(struct vantage *v, int64_t time_ns)
{
	struct capture_span *s = &v->no_room;

	if (!s->source)
		*s = (struct capture_span){
			.from_ns = time_ns, .to_ns = time_ns, .source = "flow table full"};
	s->from_ns = time_ns < s->from_ns ? time_ns : s->from_ns;
	s->to_ns = time_ns > s->to_ns ? time_ns : s->to_ns;
	return CAPTURE_TABLE_FULL;
}

/* Adds a packet to its flow. Returns the disposition to account it under, or HELD_BY_FLOW. */
static inline int ingest_add_to_flow(
	struct host_reading *rd, struct reading_vantage *rv, const struct observation *o)
{
	struct flow_vantage *f;
	bool from_b;
	enum track_result result = track_packet(o, &f, &from_b);

	if (result == TRACK_COPY)
		return CAPTURE_DUPLICATE;
	if (o->packet->disposition != PACKET_TCP)
		ingest_note_message(&rv->v, o);
	if (result == TRACK_TABLE_FULL)
		return ingest_refuse_flow(&rv->v, o->frame->time_ns);
	if (o->packet->disposition == PACKET_VRRP)
		return PACKET_VRRP;
	ingest_count_frame(rd, rv, f, o->frame);
	if (rv->v.kind == VANTAGE_NETFILTER)
		netfilter_add(&rv->v.netfilter, o, f->index, from_b);
	return HELD_BY_FLOW;
}

static int ingest_dispose_other(
	struct host_reading *rd, struct reading_vantage *rv, const struct observation *o);

/* A whole datagram that fragments made. */
static int ingest_dispose_whole(
	struct host_reading *rd, struct reading_vantage *rv, const struct observation *o)
{
	int disposition = ingest_dispose_other(rd, rv, o);

	return disposition == OF_FLOW ? ingest_add_to_flow(rd, rv, o) : disposition;
}

/* A fragment; the one that completes its datagram puts the whole of it into its flow. */
static int ingest_dispose_fragment(
	struct host_reading *rd, struct reading_vantage *rv, const struct observation *o)
{
	struct fragment_whole whole;
	struct observation first = *o;
	struct flow_lookup lookup;
	int disposition;

	switch (fragments_add(rd->fragments, rv->place, o->packet, o->frame, o->ordinal, &whole)) {
	case FRAGMENT_HELD:
		return HELD_BY_FLOW;
	case FRAGMENT_PART:
		return PACKET_FRAGMENT;
	case FRAGMENT_COMPLETE:
		break;
	}
	first.frame = &whole.frame;
	first.packet = &whole.packet;
	first.ordinal = whole.ordinal;
	flow_lookup_of(&rv->v.flows, &whole.packet, &lookup);
	first.lookup = &lookup;
	disposition = ingest_dispose_whole(rd, rv, &first);
	if (whole.is_current)
		return disposition;
	if (disposition != HELD_BY_FLOW)
		ingest_account(rd, disposition, &whole.frame);
	return PACKET_FRAGMENT;
}

/* What is not a whole TCP segment. Returns the disposition, HELD_BY_FLOW or OF_FLOW. */
static NOINLINE int ingest_dispose_other(
	struct host_reading *rd, struct reading_vantage *rv, const struct observation *o)
{
	const struct packet *p = o->packet;

	if (p->version && p->frag.any)
		return ingest_dispose_fragment(rd, rv, o);
	switch (p->disposition) {
	case PACKET_ICMP:
	case PACKET_TCP:
	case PACKET_UDP:
	case PACKET_IP_OTHER:
	case PACKET_CARP:
	case PACKET_VRRP:
		return OF_FLOW;
	case PACKET_ARP:
	case PACKET_ND:
		neighbors_add(&rv->v.neighbors, o);
		return p->disposition;
	case PACKET_TRUNCATED:
		if (p->version)
			rv->v.addresses.cut_protocols[p->version == 6][p->protocol] = true;
		return p->disposition;
	default:
		return p->disposition;
	}
}

/* Most frames are segments: the shortest way for them. */
static inline int ingest_dispose(
	struct host_reading *rd, struct reading_vantage *rv, const struct observation *o)
{
	int disposition = OF_FLOW;

	if (o->packet->disposition != PACKET_TCP || o->packet->frag.any)
		disposition = ingest_dispose_other(rd, rv, o);
	return disposition == OF_FLOW ? ingest_add_to_flow(rd, rv, o) : disposition;
}

/*
 * A time in a damaged file may be anything. From 1970 to 2116 differences and sums of two times fit
 * in 64 bits; what lies beyond is moved to the edge.
 */
static int64_t ingest_sane_time(int64_t time_ns)
{
	return time_ns < 0 ? 0 : time_ns > INT64_MAX / 2 ? INT64_MAX / 2 : time_ns;
}

static void ingest_note_time(struct host_reading *rd, struct vantage *v, struct frame *f)
{
	struct capture *c = rd->capture;

	if (!f->has_time)
		f->time_ns = rd->last_ns;
	f->time_ns = ingest_sane_time(f->time_ns);
	if (f->time_ns < c->first_ns)
		c->first_ns = f->time_ns;
	if (f->time_ns > c->last_ns)
		c->last_ns = f->time_ns;
	if (v->span.tick_ns != 1 && (uint64_t)f->time_ns % 1000)
		v->span.tick_ns = 1;
	rd->last_ns = f->time_ns;
}

/* False: it is accounted for, nothing more to do. */
static FLATTEN bool ingest_take_frame(struct host_reading *rd, struct frame *f, struct taken *t)
{
	const struct interface_state *st = &rd->interfaces[f->interface];
	struct vantage *v = &st->rv->v;
	struct packet *p = &t->packet;

	t->rv = st->rv;
	t->frame = f;
	t->ordinal = fileindex_add(&rd->host->frames, f->offset);
	rd->capture->frames++;
	v->counts.frames++;
	ingest_note_time(rd, v, f);
	if (f->time_ns < rd->options->from_ns || f->time_ns >= rd->options->to_ns) {
		ingest_account(rd, CAPTURE_OUTSIDE_TIME, f);
		return false;
	}
	if (f->time_ns < v->span.first_ns)
		v->span.first_ns = f->time_ns;
	if (f->time_ns > v->span.last_ns)
		v->span.last_ns = f->time_ns;
	steady_note(&v->steady, t->ordinal, f->time_ns);
	if (st->left_out || (st->filter && !filter_matches(st->filter, f))) {
		ingest_account(rd, st->left_out ? st->left_out : CAPTURE_FILTERED, f);
		return false;
	}
	if (st->scope)
		ingest_check_scope(rd->host->scope, st, t);
	(void)packet_decode(f, st->link_type, p);
	if (v->kind == VANTAGE_NETFILTER && p->nflog.time_ns != INT64_MIN)
		f->time_ns = ingest_sane_time(p->nflog.time_ns);
	if (p->link.ifindex | p->outer.depth && v->kind == VANTAGE_NIC) {
		v->counts.frames--;
		t->rv = ingest_part_of(rd, st->rv, p);
		v = &t->rv->v;
		v->counts.frames++;
	}
	if (p->version) {
		flow_lookup_of(&v->flows, p, &t->lookup);
		flowtab_prefetch_bucket(&v->flows, &t->lookup);
	}
	return true;
}

/* Returns the pair of the frame's MACs, NULL without both. */
static struct mac_pair *ingest_note_macs(
	struct vantage *v, const struct packet *p, struct observation *o)
{
	struct mac_pair *pair = NULL;

	if (p->link.has_src_mac && p->link.has_dst_mac) {
		pair = activity_pair(&v->activity, &v->macs, p->link.src_mac, p->link.dst_mac);
		o->src_mac = pair->src_index;
		o->dst_mac = pair->dst_index;
	} else {
		o->src_mac = p->link.has_src_mac ? macs_index(&v->macs, p->link.src_mac) : MAC_NONE;
		o->dst_mac = p->link.has_dst_mac ? macs_index(&v->macs, p->link.dst_mac) : MAC_NONE;
	}
	return pair;
}

static FLATTEN void ingest_frame(struct host_reading *rd, const struct taken *t)
{
	const struct packet *p = &t->packet;
	struct vantage *v = &t->rv->v;
	struct observation o = {.vantage = v,
		.frame = t->frame,
		.packet = p,
		.lookup = &t->lookup,
		.ordinal = t->ordinal};
	int disposition;

	if (v->kind == VANTAGE_KERNEL) {
		kernel_drops_add(&v->kernel_drops, &o);
		ingest_account(rd, CAPTURE_KERNEL_DROP, t->frame);
		return;
	}
	activity_add(&v->activity, t->frame->time_ns, t->frame->wire_len, p->link.direction,
		ingest_note_macs(v, p, &o));
	v->foreign_seen |= p->link.other_host;
	if (p->version)
		v->counts.ip_frames++;
	else
		v->counts.non_ip_frames++;
	disposition = ingest_dispose(rd, t->rv, &o);
	if (disposition != HELD_BY_FLOW)
		ingest_account(rd, disposition, t->frame);
}

/* Each step brings near what the next one reads. */
static void ingest_group(struct host_reading *rd, uint32_t count)
{
	struct taken *group = rd->group;

	for (uint32_t i = 0; i < count; i++)
		if (group[i].packet.version)
			flowtab_prefetch_flow(&group[i].rv->v.flows, &group[i].lookup);
	for (uint32_t i = 0; i < count; i++)
		if (group[i].packet.version)
			flow_vantage_prefetch_slot(group[i].lookup.guess);
	for (uint32_t i = 0; i < count; i++)
		ingest_frame(rd, &group[i]);
}

static int64_t ingest_add_known(int64_t sum, int64_t v)
{
	if (v < 0)
		return sum;
	return (sum < 0 ? 0 : sum) + v;
}

/* Told at the end, or by the frames that followed the drops; where both speak, the larger one. */
static int64_t ingest_dropped_by_kernel(const struct capfile_interface *iface)
{
	if (iface->dropped_between > 0 && iface->dropped_between > iface->dropped_kernel)
		return iface->dropped_between;
	return iface->dropped_kernel;
}

/* The capture ran at least this long, even where no frame says so. */
static void ingest_keep_running_time(struct vantage *v, const struct capfile_interface *iface)
{
	if (iface->start_ns != INT64_MIN &&
		(v->span.start_ns == INT64_MIN || iface->start_ns < v->span.start_ns))
		v->span.start_ns = ingest_sane_time(iface->start_ns);
	if (iface->end_ns > v->span.end_ns)
		v->span.end_ns = ingest_sane_time(iface->end_ns);
}

static void ingest_keep_interface_row(
	struct capture *c, const struct capfile_interface *iface, uint32_t index, uint32_t place)
{
	MEM_RESERVE(c->interfaces, c->interface_count, c->interface_cap);
	c->interfaces[c->interface_count++] = (struct capture_interface_row){.interface = index,
		.vantage = place,
		.link_type = iface->link_type,
		.snaplen = iface->snaplen,
		.dropped_kernel = ingest_dropped_by_kernel(iface),
		.dropped_interface = iface->dropped_interface,
		.name = iface->name ? mem_strdup(iface->name) : NULL,
		.filter = iface->filter ? mem_strdup(iface->filter) : NULL};
}

static void ingest_keep_interface_rows(struct host_reading *rd, const struct capfile_info *info)
{
	struct capture *c = rd->capture;

	for (uint32_t i = 0; i < info->interface_count; i++) {
		const struct capfile_interface *iface = &info->interfaces[i];
		struct reading_vantage *whole = rd->interfaces[i].rv;

		ingest_keep_interface_row(c, iface, i, whole->place);
		for (uint32_t k = whole->place + 1; k < rd->count; k++)
			if (rd->vantages[k]->whole == whole &&
				rd->vantages[k]->last_capture == rd->capture_index)
				ingest_keep_interface_row(c, iface, i, k);
		ingest_keep_running_time(&whole->v, iface);
		if (whole->v.kind == VANTAGE_KERNEL)
			continue; /* what is lost there is a word of the kernel's, no packet */
		c->dropped_kernel =
			ingest_add_known(c->dropped_kernel, ingest_dropped_by_kernel(iface));
		c->dropped_interface =
			ingest_add_known(c->dropped_interface, iface->dropped_interface);
	}
}

static void ingest_keep_facts(struct host_reading *rd, const struct capfile_info *info)
{
	struct host *h = rd->host;

	for (uint32_t i = 0; i < info->fact_count; i++) {
		MEM_RESERVE(h->facts, h->fact_count, h->fact_cap);
		h->facts[h->fact_count++] = (struct host_fact_row){.at_ns = info->facts[i].time_ns,
			.key = mem_strdup(info->facts[i].key),
			.value = mem_strdup(info->facts[i].value)};
	}
}

static void ingest_keep_drops(struct host_reading *rd, const struct capfile_info *info)
{
	for (uint32_t i = 0; i < info->drop_count; i++) {
		const struct capfile_drop *d = &info->drops[i];

		if (d->interface >= rd->interface_count)
			continue;
		spans_add(&rd->interfaces[d->interface].rv->v.drops,
			(struct capture_span){.from_ns = ingest_sane_time(d->from_ns),
				.to_ns = ingest_sane_time(d->to_ns),
				.frames = d->frames,
				.source = "capture"});
	}
}

static void ingest_finish_capture(struct host_reading *rd, const struct capfile_info *info)
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
	ingest_keep_interface_rows(rd, info);
	ingest_keep_facts(rd, info);
	ingest_keep_drops(rd, info);
}

static void ingest_forget_interfaces(struct host_reading *rd)
{
	free(rd->interfaces);
	rd->interfaces = NULL;
	rd->interface_count = 0;
}

/* Takes the frames that lie in memory together, at most a group. 0, negative with err set, or
 * CAPFILE_END. */
static int ingest_read_group(struct host_reading *rd, struct capfile *cf, struct error *err)
{
	uint32_t count, taken = 0;
	int r = capfile_next(cf, &rd->frames[0]);

	if (r)
		return r;
	count = 1 + capfile_frames_at_hand(cf, &rd->frames[1], GROUP - 1);
	for (uint32_t i = 0; i < count && r == 0; i++) {
		if (rd->frames[i].interface >= rd->interface_count)
			r = ingest_learn_interfaces(rd, capfile_info(cf), err);
		if (r == 0)
			taken += ingest_take_frame(rd, &rd->frames[i], &rd->group[taken]);
	}
	assert(taken <= count && count <= GROUP);
	ingest_group(rd, taken);
	return r;
}

static int ingest_read_frames(struct host_reading *rd, struct capfile *cf, struct error *err)
{
	const struct capfile_info *info = capfile_info(cf);
	uint64_t told = 0;
	int r;

	do {
		r = ingest_read_group(rd, cf, err);
		if (info->bytes != told && rd->options->progress) {
			*rd->options->progress += info->bytes - told;
			told = info->bytes;
		}
	} while (r == 0);
	return r < 0 ? r : ingest_learn_interfaces(rd, info, err);
}

static void ingest_give_up_fragments(struct host_reading *rd)
{
	struct capture_account *a = &rd->capture->account[PACKET_FRAGMENT];
	uint64_t frames, bytes;

	fragments_flush(rd->fragments, &frames, &bytes);
	a->frames += frames;
	a->bytes += bytes;
}

static int ingest_read_capture(struct host_reading *rd, uint32_t index, struct error *err)
{
	struct capfile_options options = {.sha256 = rd->options->sha256};
	struct capfile *cf = rd->data->captures[index].open;
	int r = 0;

	rd->capture_index = index;
	rd->capture = &rd->data->captures[index];
	rd->capture->open = NULL;
	if (!cf)
		r = capfile_open(&cf, rd->capture->path, &options, err);
	if (r)
		return r < 0 ? r : -EINVAL;
	fileindex_start(&rd->host->frames, index);
	r = ingest_read_frames(rd, cf, err);
	ingest_give_up_fragments(rd);
	if (r == 0)
		ingest_finish_capture(rd, capfile_info(cf));
	ingest_forget_interfaces(rd);
	(void)capfile_close(cf);
	return r;
}

/* A pcapng may end before it describes an interface; its host was watched from somewhere all the
 * same. */
static void ingest_need_vantage(struct host_reading *rd)
{
	const struct capfile_interface unknown = {.received = -1,
		.dropped_interface = -1,
		.filter_accepted = -1,
		.dropped_kernel = -1,
		.delivered = -1,
		.start_ns = INT64_MIN,
		.end_ns = INT64_MIN};

	if (!rd->count && rd->host->capture_count)
		(void)ingest_vantage_for(rd, &unknown, 0);
}

/* What went missing here was not lost by the capture, so no frames are counted. */
static void ingest_finish_room(struct vantage *v)
{
	if (!v->no_room.source)
		return;
	v->no_room.to_ns = v->span.last_ns > v->no_room.to_ns ? v->span.last_ns : v->no_room.to_ns;
	spans_add(&v->drops, v->no_room);
}

struct host_reading *ingest_host(struct dataset *data, uint32_t host,
	const struct ingest_options *options, int *ret_result, struct error *err)
{
	struct host_reading *rd = mem_zalloc(sizeof(*rd));
	int r = 0;

	rd->data = data;
	rd->host = &data->hosts[host];
	rd->options = options;
	rd->host->flow_room = options->flow_limit / data->host_count;
	rd->limit = VANTAGES_LEAST + VANTAGES_SHARED / data->host_count;
	macs_table_init(&rd->host->macs);
	rd->fragments = fragments_new();
	for (uint32_t i = 0; i < rd->host->capture_count && r == 0; i++)
		r = ingest_read_capture(rd, rd->host->captures[i], err);
	ingest_need_vantage(rd);
	assert(rd->count || !rd->host->capture_count);
	for (uint32_t i = 0; i < rd->count; i++) {
		ingest_finish_room(&rd->vantages[i]->v);
		ingest_part_finish(rd->vantages[i]);
		activity_finish(&rd->vantages[i]->v.activity);
		summary_make(&rd->vantages[i]->v);
		copies_mark_pairs(&rd->vantages[i]->v);
		free(rd->vantages[i]->v.recent);
		rd->vantages[i]->v.recent = NULL;
	}
	rd->fragments = fragments_free(rd->fragments);
	*ret_result = r;
	return rd;
}

/* Host-relative vantage numbers become places in net->vantages. */
static void ingest_renumber(struct host_reading *rd, uint32_t first)
{
	struct host *h = rd->host;

	for (uint32_t i = 0; i < h->file_frames_count; i++)
		h->file_frames[i].vantage += first;
	for (uint32_t c = 0; c < h->capture_count; c++) {
		struct capture *cap = &rd->data->captures[h->captures[c]];

		for (uint32_t i = 0; i < cap->interface_count; i++) {
			assert(cap->interfaces[i].vantage < rd->count);
			cap->interfaces[i].vantage += first;
		}
	}
}

static void ingest_name_vantage(
	const struct host *h, struct vantage *v, uint32_t place, uint32_t places)
{
	if (v->kind == VANTAGE_KERNEL)
		v->name = mem_printf("%s:%s", h->name, CAPFILE_KERNEL_DROPS);
	else if (places == 1)
		v->name = mem_strdup(h->name);
	else if (v->part && v->interface)
		v->name = mem_printf("%s:%s:%s", h->name, v->interface, v->part);
	else if (v->part)
		v->name = mem_printf("%s:%s", h->name, v->part);
	else if (v->interface)
		v->name = mem_printf("%s:%s", h->name, v->interface);
	else
		v->name = mem_printf("%s#%u", h->name, place + 1);
}

/* Without what the kernel says. */
static uint32_t ingest_places(const struct host_reading *rd)
{
	uint32_t places = 0;

	for (uint32_t i = 0; i < rd->count; i++)
		places += rd->vantages[i]->v.kind != VANTAGE_KERNEL;
	return places;
}

void ingest_gather(struct dataset *data, struct host_reading **readings)
{
	uint32_t total = 0;

	for (uint32_t h = 0; h < data->host_count; h++)
		total += readings[h]->count;
	data->vantages = mem_array(total, sizeof(*data->vantages));
	for (uint32_t h = 0; h < data->host_count; h++) {
		struct host_reading *rd = readings[h];
		struct host *host = rd->host;
		uint32_t places = ingest_places(rd);

		ingest_renumber(rd, data->vantage_count);
		host->vantage_count = rd->count;
		host->vantages = mem_array(rd->count, sizeof(*host->vantages));
		for (uint32_t i = 0; i < rd->count; i++) {
			struct vantage *v = &data->vantages[data->vantage_count];

			assert(data->vantage_count < total);
			*v = rd->vantages[i]->v;
			v->host = h;
			v->id = data->vantage_count + 1;
			ingest_name_vantage(host, v, i, places);
			host->vantages[i] = data->vantage_count++;
			free(rd->vantages[i]);
		}
		free(rd->vantages);
		free(rd);
		readings[h] = NULL;
	}
}
