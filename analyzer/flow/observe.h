/* observe: what is noted of frames beside their flow: activity, MACs, ARP, VRRP, ICMP errors, netfilter logs. */
#pragma once

#include "base/nsec.h"
#include "flow/vantage.h"
#include "read/capfile.h"

struct observation {
	struct vantage *vantage;
	const struct frame *frame;
	const struct packet *packet;
	const struct flow_lookup *lookup; /* for what goes into a flow */
	uint32_t ordinal;	   /* the frame's, in its host */
	uint16_t src_mac, dst_mac; /* indexes */
};

/* Begins another second. */
void observe_new_second(struct vantage *v, int64_t time_ns);

/* Puts a pair of MACs into a place that another may have. */
void observe_new_pair(struct vantage *v, const uint8_t src[6], const uint8_t dst[6], struct mac_pair *place);

/* The pair of a frame's MACs. Until the next call. */
static inline struct mac_pair *observe_pair(struct vantage *v, const uint8_t src[6], const uint8_t dst[6])
{
	uint64_t d = (uint64_t)le32(dst) | (uint64_t)le16(dst + 4) << 32 | UINT64_C(1) << 63;
	uint64_t s = (uint64_t)le32(src) | (uint64_t)le16(src + 4) << 32;
	struct mac_pair *pair = &v->mac_pairs[((s >> 40) ^ (s >> 26) ^ (d >> 38)) % MAC_PAIRS];

	if (pair->dst != d || pair->src != s)
		observe_new_pair(v, src, dst, pair);
	return pair;
}

/*
 * Seconds in which anything passed. Where the capture tells no direction, frames count as received, by pair (NULL:
 * not known) until it is known which MAC is the capture's own.
 */
static inline void observe_activity(struct vantage *v, const struct frame *frame, uint8_t direction, struct mac_pair *pair)
{
	if (!v->now || (uint64_t)(frame->time_ns - v->now->second_ns) >= NSEC_PER_SEC)
		observe_new_second(v, frame->time_ns);
	if (direction == PACKET_UNKNOWN && pair) {
		pair->frames++;
		pair->bytes += frame->wire_len;
	} else if (direction == PACKET_OUT) {
		v->now->tx_frames++;
		v->now->tx_bytes += frame->wire_len;
	} else {
		v->now->rx_frames++;
		v->now->rx_bytes += frame->wire_len;
	}
}

/* Once no more frames come: activity is complete. */
void observe_close_activity(struct vantage *v);

/* Once the own MAC is known: what it sent counts as sent, in a capture that told no direction. */
void observe_own_activity(struct vantage *v);

/* Called for frames of the dispositions their names say. */
void observe_neighbor(const struct observation *o);
void observe_vrrp(const struct observation *o);
void observe_icmp(const struct observation *o);
void observe_netfilter(const struct observation *o, uint32_t flow, bool from_b);

/* Counts a frame of a flow's side under its MACs; a change of MACs closes the run. */
void observe_new_run(const struct observation *o, struct flow_vantage *f, bool from_b);

static inline void observe_macs(const struct observation *o, struct flow_vantage *f, bool from_b)
{
	struct flow_side *side = &f->side[from_b];

	if (side->run_frames && side->run_src_mac == o->src_mac && side->run_dst_mac == o->dst_mac &&
		side->run_epoch == o->vantage->binding_epoch && side->run_binding != MAC_NONE)
		side->run_frames++;
	else
		observe_new_run(o, f, from_b);
}

/* An address speaks from a MAC: a frame from it, or a claim. */
void observe_binding(struct vantage *v, const uint8_t ip[16], uint16_t mac);

/* Looks up the addresses of a flow, which stay known. */
void observe_look_up(struct vantage *v, struct flow_vantage *f);

/* A or B of a flow whose addresses were looked up; NULL: the table is full. Until another address is looked up. */
static inline struct address *observe_address(const struct vantage *v, const struct flow_vantage *f, bool b)
{
	return f->address[b] ? hashmap_value(&v->addresses, f->address[b] - 1) : NULL;
}

/* Takes the run of a side into mac_use; for every flow once at the end. */
void observe_close_run(struct vantage *v, struct flow_vantage *f, bool from_b);
