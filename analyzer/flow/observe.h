/* observe: what is noted of frames beside their flow: activity, MACs, ARP, VRRP, ICMP errors, netfilter logs. */
#pragma once

#include "flow/vantage.h"
#include "read/capfile.h"

struct observation {
	struct vantage *vantage;
	const struct frame *frame;
	const struct packet *packet;
	uint32_t ordinal;	   /* the frame's, in its host */
	uint16_t src_mac, dst_mac; /* indexes */
};

/* Seconds in which anything passed; direction: enum packet_direction (unknown counts as received). */
void observe_activity(struct vantage *v, const struct frame *frame, uint8_t direction);

/* Called for frames of the dispositions their names say. */
void observe_neighbor(const struct observation *o);
void observe_vrrp(const struct observation *o);
void observe_icmp(const struct observation *o);
void observe_netfilter(const struct observation *o, uint32_t flow, bool from_b);

/* Counts a frame of a flow's side under its MACs; a change of MACs closes the run. */
void observe_macs(const struct observation *o, struct flow *f, bool from_b);

/* An address speaks from a MAC: a frame from it, or a claim. */
void observe_binding(struct vantage *v, const uint8_t ip[16], uint16_t mac);

/* Takes the run of a side into mac_use; for every flow once at the end. */
void observe_close_run(struct vantage *v, struct flow *f, bool from_b);
