#include "flow/ingest.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "flow/capture_rows.h"
#include "flow/copies.h"
#include "flow/interfaces.h"
#include "flow/parts.h"
#include "flow/summary.h"
#include "flow/track.h"
#include "read/filter.h"

/* The most vantage points of one host: VANTAGES_LEAST and its share of VANTAGES_SHARED, which all
 * hosts divide between them. The work and memory of the join grow with the pairs of vantage points.
 */
#define VANTAGES_LEAST 32
#define VANTAGES_SHARED 1024

/* The filter program of the stated scope for a link type; NULL where the expression cannot be
 * compiled for that link type. */
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
			.rv = interfaces_vantage(rd, iface, rd->interface_count)};
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

/* The flow continues in another file: its frames and bytes of the last file are put aside, for that
 * file's account. */
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

/* Besides its flow, an ICMP or VRRP packet has a message, which is noted. */
static NOINLINE void ingest_note_message(struct vantage *v, const struct observation *o)
{
	if (o->packet->disposition == PACKET_ICMP)
		icmps_add(&v->icmps, o);
	else if (o->packet->disposition == PACKET_VRRP)
		vrrps_add(&v->vrrps, o);
}

/* A frame found no room in the flow table: from here on the record of the vantage point is
 * incomplete. */
static NOINLINE int ingest_refuse_flow(struct vantage *v, int64_t time_ns)
{
	struct capture_span *s = &v->unrecorded.no_room;

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

static void ingest_note_time(struct host_reading *rd, struct vantage *v, struct frame *f)
{
	struct capture *c = rd->capture;

	if (!f->has_time)
		f->time_ns = rd->last_ns;
	f->time_ns = reading_sane_time(f->time_ns);
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
		f->time_ns = reading_sane_time(p->nflog.time_ns);
	if (p->link.ifindex | p->outer.depth && v->kind == VANTAGE_NIC) {
		v->counts.frames--;
		t->rv = parts_vantage(rd, st->rv, p);
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

/* Each loop prefetches the memory that the next one reads. */
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

static void ingest_forget_interfaces(struct host_reading *rd)
{
	free(rd->interfaces);
	rd->interfaces = NULL;
	rd->interface_count = 0;
}

/* Takes the frames that the reader holds in memory at the same time, at most a group. 0, negative
 * with err set, or CAPFILE_END. */
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
		capture_rows_keep(rd, capfile_info(cf));
	ingest_forget_interfaces(rd);
	(void)capfile_close(cf);
	return r;
}

/* Frames that found no room in the flow table are in the capture: the span is noted as one of
 * drops, but with no count of dropped frames. */
static void ingest_finish_room(struct vantage *v)
{
	if (!v->unrecorded.no_room.source)
		return;
	v->unrecorded.no_room.to_ns = v->span.last_ns > v->unrecorded.no_room.to_ns
					      ? v->span.last_ns
					      : v->unrecorded.no_room.to_ns;
	spans_add(&v->unrecorded.drops, v->unrecorded.no_room);
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
	interfaces_need_vantage(rd);
	assert(rd->count || !rd->host->capture_count);
	for (uint32_t i = 0; i < rd->count; i++) {
		ingest_finish_room(&rd->vantages[i]->v);
		parts_finish(rd->vantages[i]);
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
