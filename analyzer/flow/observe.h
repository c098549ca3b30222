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

/* The row of the second that holds a time; made when new. */
struct activity *observe_second(struct vantage *v, int64_t time_ns);

/* Seconds in which anything passed; direction: enum packet_direction (unknown counts as received). */
static inline void observe_activity(struct vantage *v, const struct frame *frame, uint8_t direction)
{
	struct activity *a = v->now;

	if (!a || (uint64_t)(frame->time_ns - a->second_ns) >= NSEC_PER_SEC)
		a = v->now = observe_second(v, frame->time_ns);
	if (direction == PACKET_OUT) {
		a->tx_frames++;
		a->tx_bytes += frame->wire_len;
	} else {
		a->rx_frames++;
		a->rx_bytes += frame->wire_len;
	}
}

/* Begins another second of a MAC, or another MAC. */
void observe_new_speaker(struct vantage *v, const struct frame *frame, uint16_t mac);

/* Where the capture tells no direction: who sent, for it is known later which MAC is the capture's own. */
static inline void observe_speaker(struct vantage *v, const struct frame *frame, uint16_t mac)
{
	struct spoken *s = &v->speaking[mac & 3];

	if (s->mac == mac && s->frames && (uint64_t)(frame->time_ns - s->second_ns) < NSEC_PER_SEC) {
		s->frames++;
		s->bytes += frame->wire_len;
	} else {
		observe_new_speaker(v, frame, mac);
	}
}

/* Once the own MAC is known: what it sent counts as sent, in a capture that told no direction. */
void observe_own_activity(struct vantage *v);

/* Called for frames of the dispositions their names say. */
void observe_neighbor(const struct observation *o);
void observe_vrrp(const struct observation *o);
void observe_icmp(const struct observation *o);
void observe_netfilter(const struct observation *o, uint32_t flow, bool from_b);

/* Counts a frame of a flow's side under its MACs; a change of MACs closes the run. */
void observe_new_run(const struct observation *o, struct flow *f, bool from_b);

static inline void observe_macs(const struct observation *o, struct flow *f, bool from_b)
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

/* Takes the run of a side into mac_use; for every flow once at the end. */
void observe_close_run(struct vantage *v, struct flow *f, bool from_b);
