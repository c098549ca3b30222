/*
 * tunnels: VXLAN (RFC 7348), Geneve (RFC 8926), GRE (RFC 2784, 2890) with NVGRE (RFC 7637), and IP
 * in IP (RFC 2003, 4213, 2473). Each finds its inner packet and lets tunnels_enter() try it.
 */
#include "decode/layer.h"

/* Deeper than any network nests; a packet that goes on is reported as what it is at this depth. */
#define TUNNEL_DEPTH_MAX 4

#define VXLAN_HDR_LEN 8
#define VXLAN_HAS_VNI 0x08

#define GENEVE_HDR_LEN 8
#define GENEVE_CONTROL 0x80

#define GRE_HDR_LEN 4
#define GRE_CHECKSUM 0x8000
#define GRE_ROUTING 0x4000 /* RFC 1701 source routes: not in use, not decoded */
#define GRE_KEY 0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_VERSION 0x0007

struct tunnel {
	enum packet_tunnel kind;
	uint32_t id;
	uint16_t ethertype; /* of what is inside */
};

static enum packet_disposition tunnels_inner_decode(struct layer *l, uint16_t ethertype)
{
	if (ethertype == ETHERTYPE_TEB)
		return inner_ethernet_decode(l);
	return ethertype_decode(l, ethertype);
}

/* Whether the inner packet says more than the outer one. */
static bool tunnels_is_decoded(enum packet_disposition d)
{
	return d != PACKET_TRUNCATED && d != PACKET_MALFORMED && d != PACKET_OTHER_ETHERTYPE;
}

/*
 * Decodes what the layer stands at over the outer packet, and puts that back when it cannot be: a
 * datagram to a tunnel's port need not be a tunnel, and a cut inner header must not lose the outer
 * packet, which can still be joined.
 */
static enum packet_disposition tunnels_enter(
	struct layer *l, const struct tunnel *t, enum packet_disposition outer)
{
	struct packet *p = l->p, saved;
	enum packet_disposition d;

	if (p->outer.depth == TUNNEL_DEPTH_MAX)
		return outer;
	saved = *p;
	if (p->outer.depth++ == 0) {
		p->outer.tunnel = (uint8_t)t->kind;
		p->outer.tunnel_id = t->id;
		memcpy(p->outer.src, p->src, sizeof(p->outer.src));
		memcpy(p->outer.dst, p->dst, sizeof(p->outer.dst));
	}
	p->version = 0; /* until an inner IP header says otherwise: there may be ARP inside */
	/* Of a fragmented outer packet the rest is elsewhere: the inner one may be longer than
	 * this. */
	l->wire_unknown = p->frag.any;
	d = tunnels_inner_decode(l, t->ethertype);
	if (!tunnels_is_decoded(d)) {
		*p = saved;
		return outer;
	}
	p->frag.any |= saved.frag.any;
	return d;
}

/* Flags 1, reserved 3, VNI 3, reserved 1; an Ethernet frame follows. */
enum packet_disposition vxlan_decode(struct layer *l, enum packet_disposition outer)
{
	const uint8_t *h = layer_take(l, VXLAN_HDR_LEN);

	if (!h || !(h[0] & VXLAN_HAS_VNI))
		return outer;
	return tunnels_enter(
		l, &(struct tunnel){TUNNEL_VXLAN, be32(h + 4) >> 8, ETHERTYPE_TEB}, outer);
}

/* Version 2 bits, option words 6 bits, flags 1, ethertype 2, VNI 3, reserved 1. */
enum packet_disposition geneve_decode(struct layer *l, enum packet_disposition outer)
{
	const uint8_t *h = layer_take(l, GENEVE_HDR_LEN);

	if (!h || h[0] >> 6 != 0 || (h[1] & GENEVE_CONTROL))
		return outer;
	if (!layer_take(l, (h[0] & 0x3f) * 4u))
		return outer;
	return tunnels_enter(
		l, &(struct tunnel){TUNNEL_GENEVE, be32(h + 4) >> 8, be16(h + 2)}, outer);
}

/*
 * Flags and version 2, ethertype 2, then 4 bytes each if flagged: checksum, key, sequence. Version
 * 1 is PPTP (RFC 2637), which carries PPP.
 */
enum packet_disposition gre_decode(struct layer *l, enum packet_disposition outer)
{
	const uint8_t *h = layer_take(l, GRE_HDR_LEN), *key;
	uint16_t flags, ethertype;
	uint32_t id = 0;

	if (!h)
		return outer;
	flags = be16(h);
	ethertype = be16(h + 2);
	if (flags & (GRE_ROUTING | GRE_VERSION))
		return outer;
	if ((flags & GRE_CHECKSUM) && !layer_take(l, 4))
		return outer;
	if (flags & GRE_KEY) {
		key = layer_take(l, 4);
		if (!key)
			return outer;
		id = be32(key);
	}
	if ((flags & GRE_SEQUENCE) && !layer_take(l, 4))
		return outer;
	return tunnels_enter(l, &(struct tunnel){TUNNEL_GRE, id, ethertype}, outer);
}

enum packet_disposition ipip_decode(
	struct layer *l, uint16_t ethertype, enum packet_disposition outer)
{
	return tunnels_enter(l, &(struct tunnel){TUNNEL_IPIP, 0, ethertype}, outer);
}
