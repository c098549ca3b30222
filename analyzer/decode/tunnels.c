/*
 * tunnels: VXLAN (RFC 7348), Geneve (RFC 8926), GRE (RFC 2784, 2890) with NVGRE (RFC 7637) and
 * ERSPAN (draft-foschiano-erspan), IP in IP (RFC 2003, 4213, 2473), GTP-U (3GPP TS 29.281), and
 * TZSP. Each finds its inner packet and lets tunnels_enter() try it.
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

#define ERSPAN2_HDR_LEN 8
#define ERSPAN3_HDR_LEN 12
#define ERSPAN3_SUBHEADER_LEN 8
#define ERSPAN3_HAS_SUBHEADER 0x01
#define ERSPAN_SESSION 0x03ff
#define ERSPAN3_FRAME_TYPE 0x7c /* of the byte at 10: 0 Ethernet, 2 IP */
#define ERSPAN3_FRAME_IP (2 << 2)

#define GTPU_HDR_LEN 8
#define GTPU_OPTIONS_LEN 4
#define GTPU_VERSION_TYPE 0xf0
#define GTPU_VERSION_1 0x30 /* version 1, GTP and not GTP' */
#define GTPU_OPTIONS 0x07   /* extension headers, sequence number, N-PDU number */
#define GTPU_EXTENDED 0x04
#define GTPU_T_PDU 255
#define GTPU_EXTENSIONS_MAX 8

#define TZSP_HDR_LEN 4
#define TZSP_VERSION 1
#define TZSP_ETHERNET 1
#define TZSP_PADDING 0
#define TZSP_END 1
#define TZSP_TAGS_MAX 32

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
		p->outer.checksum = p->checksum;
	}
	p->checksum = CHECKSUM_UNKNOWN;
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

/* What a user's packet is, by its version; 0: no IP. */
static uint16_t tunnels_ip_type(const struct layer *l)
{
	const uint8_t *h = cur_peek(&l->c, 1);

	return !h ? 0 : h[0] >> 4 == 4 ? ETHERTYPE_IPV4 : h[0] >> 4 == 6 ? ETHERTYPE_IPV6 : 0;
}

/*
 * A mirrored frame. Type I has no header of its own; II: version 4 bits, VLAN 12, priority and
 * flags 6, session 10, reserved and port 4 bytes; III: the same 4 bytes, time stamp 4, group tag 2,
 * frame type and flags 2, and a subheader 8 where a flag says so.
 */
static enum packet_disposition tunnels_erspan(
	struct layer *l, bool third, bool has_header, enum packet_disposition outer)
{
	uint32_t session = 0;
	uint16_t type = ETHERTYPE_TEB;
	const uint8_t *h;

	if (has_header) {
		h = layer_take(l, third ? ERSPAN3_HDR_LEN : ERSPAN2_HDR_LEN);
		if (!h || h[0] >> 4 != (third ? 2 : 1))
			return outer;
		session = be16(h + 2) & ERSPAN_SESSION;
		if (third && (h[10] & ERSPAN3_FRAME_TYPE) == ERSPAN3_FRAME_IP)
			type = 0;
		if (third && (h[11] & ERSPAN3_HAS_SUBHEADER) &&
			!layer_take(l, ERSPAN3_SUBHEADER_LEN))
			return outer;
		type = type ? type : tunnels_ip_type(l);
	}
	return tunnels_enter(l, &(struct tunnel){TUNNEL_ERSPAN, session, type}, outer);
}

/* Words of 4 bytes, the first byte says how many, the last one what follows. */
static bool tunnels_skip_gtpu_extensions(struct layer *l, uint8_t next)
{
	for (int i = 0; next && i < GTPU_EXTENSIONS_MAX; i++) {
		const uint8_t *h = cur_peek(&l->c, 1);
		uint32_t length = h ? h[0] * 4u : 0;

		h = length ? layer_take(l, length) : NULL;
		if (!h)
			return false;
		next = h[length - 1];
	}
	return next == 0;
}

/* Flags 1, message type 1, length 2, tunnel endpoint 4; with any option: sequence 2, N-PDU 1, next
 * extension 1. */
enum packet_disposition gtpu_decode(struct layer *l, enum packet_disposition outer)
{
	const uint8_t *h = layer_take(l, GTPU_HDR_LEN), *options;

	if (!h || (h[0] & GTPU_VERSION_TYPE) != GTPU_VERSION_1 || h[1] != GTPU_T_PDU)
		return outer;
	if (h[0] & GTPU_OPTIONS) {
		options = layer_take(l, GTPU_OPTIONS_LEN);
		if (!options ||
			((h[0] & GTPU_EXTENDED) && !tunnels_skip_gtpu_extensions(l, options[3])))
			return outer;
	}
	return tunnels_enter(
		l, &(struct tunnel){TUNNEL_GTPU, be32(h + 4), tunnels_ip_type(l)}, outer);
}

/* Version 1, type 1, encapsulated protocol 2; then fields of type 1, length 1 and value, up to the
 * one of type 1. */
enum packet_disposition tzsp_decode(struct layer *l, enum packet_disposition outer)
{
	const uint8_t *h = layer_take(l, TZSP_HDR_LEN), *tag;

	if (!h || h[0] != TZSP_VERSION || h[1] > 1 || be16(h + 2) != TZSP_ETHERNET)
		return outer;
	for (int i = 0; i < TZSP_TAGS_MAX && (tag = layer_take(l, 1)); i++) {
		const uint8_t *length;

		if (*tag == TZSP_END)
			return tunnels_enter(
				l, &(struct tunnel){TUNNEL_TZSP, 0, ETHERTYPE_TEB}, outer);
		if (*tag == TZSP_PADDING)
			continue;
		length = layer_take(l, 1);
		if (!length || (*length && !layer_take(l, *length)))
			return outer;
	}
	return outer;
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
	if (ethertype == ETHERTYPE_ERSPAN || ethertype == ETHERTYPE_ERSPAN3)
		return tunnels_erspan(l, ethertype == ETHERTYPE_ERSPAN3,
			ethertype == ETHERTYPE_ERSPAN3 || (flags & GRE_SEQUENCE), outer);
	return tunnels_enter(l, &(struct tunnel){TUNNEL_GRE, id, ethertype}, outer);
}

enum packet_disposition ipip_decode(
	struct layer *l, uint16_t ethertype, enum packet_disposition outer)
{
	return tunnels_enter(l, &(struct tunnel){TUNNEL_IPIP, 0, ethertype}, outer);
}
