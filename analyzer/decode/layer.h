/*
 * layer: what the steps of decoding hand to each other. Private to decode/; others include
 * packet.h.
 *
 * Each step takes its header from the layer, fills its part of the packet and calls the next step;
 * the disposition comes back up unchanged. Two lengths travel along: what was captured (cursor) and
 * what was on the wire. A header beyond the first is truncated, one beyond the second malformed.
 */
#pragma once

#include <netinet/in.h>

#include "base/cursor.h"
#include "decode/packet.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_TEB 0x6558 /* an Ethernet frame inside (RFC 7637, GRE and Geneve) */
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_MPLS_MULTICAST 0x8848
#define ETHERTYPE_PPPOE 0x8864
#define ETHERTYPE_ERSPAN 0x88be /* type I, and II with a GRE sequence number */
#define ETHERTYPE_MACSEC 0x88e5
#define ETHERTYPE_ERSPAN3 0x22eb

enum link_type {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_BSD = 12, /* DLT_RAW as some writers store it */
	LINK_RAW_OPENBSD = 14,
	LINK_PPP_HDLC = 50,
	LINK_PPP_ETHER = 51, /* from the PPPoE header on */
	LINK_RAW = 101,
	LINK_C_HDLC = 104,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_PPP_WITH_DIRECTION = 204,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_NFLOG = 239,
	LINK_SLL2 = 276,
};

struct layer {
	struct cursor c;   /* captured bytes, cut to what outer lengths allow */
	uint32_t wire;	   /* bytes of this layer on the wire; >= c.left */
	bool wire_unknown; /* wire is only what is here; inner lengths may exceed it (NFLOG,
			      fragments) */
	struct packet *p;
};

/* Why n bytes are not there. */
static inline enum packet_disposition layer_short(const struct layer *l, size_t n)
{
	return n > l->wire && !l->wire_unknown ? PACKET_MALFORMED : PACKET_TRUNCATED;
}

/* The next n captured bytes, or NULL (then layer_short() says why). */
static inline const uint8_t *layer_take(struct layer *l, size_t n)
{
	const uint8_t *h = cur_take(&l->c, n);

	if (h)
		l->wire -= (uint32_t)n;
	return h;
}

/* Cuts the layer to n bytes on the wire, as an inner length field says. */
static inline void layer_limit(struct layer *l, uint32_t n)
{
	cur_limit(&l->c, n);
	l->wire = n;
	l->wire_unknown = false;
}

/* What is left becomes the packet's payload. */
static inline void layer_payload(const struct layer *l)
{
	l->p->payload = l->c.at;
	l->p->payload_cap = (uint32_t)l->c.left;
	l->p->payload_len = l->wire;
}

/* What is left becomes the message that another decoder reads. */
static inline void layer_message(const struct layer *l)
{
	l->p->body.at = l->c.at;
	l->p->body.cap = (uint32_t)l->c.left;
	l->p->body.len = l->wire;
}

/* ::ffff:a.b.c.d from four bytes in network order. */
static inline void layer_map_v4(uint8_t ret_address[16], const uint8_t v4[4])
{
	uint64_t high = 0, low = (uint64_t)le32(v4) << 32 | 0xffff0000u;

	memcpy(ret_address, &high, 8);
	memcpy(ret_address + 8, &low, 8);
}

/*
 * Whether the one's-complement sum of the header is anything but 0xffff. Such a sum is the plain
 * sum modulo 0xffff (RFC 1071 2), in either byte order, and never 0 as the version is in it. A
 * field of 0 is one that the sender left to the NIC, not an error.
 */
static inline bool ipv4_checksum_is_bad(const uint8_t *h, uint32_t length)
{
	uint64_t sum = (uint64_t)le32(h) + le32(h + 4) + le32(h + 8) + le32(h + 12) + le32(h + 16);

	for (uint32_t i = 20; i < length; i += 4)
		sum += le32(h + i);
	return sum % 0xffff != 0 && le16(h + 10) != 0;
}

struct frame;

/* usual.c: a frame of the most common kind, whole: all but what the frame's flags say. False:
 * another kind, nothing set. */
bool fastpath_decode(const struct frame *f, struct packet *p);
/* link.c: the header of a link type; then the rest. */
enum packet_disposition link_decode(struct layer *l, uint32_t link_type);
/* link.c: any VLAN tags, then what the ethertype says. */
enum packet_disposition ethertype_decode(struct layer *l, uint16_t type);
/* link.c: an Ethernet frame inside a tunnel; the packet keeps the outer frame's addresses. */
enum packet_disposition inner_ethernet_decode(struct layer *l);

/* shim.c: between the link and IP. */
enum packet_disposition mpls_decode(struct layer *l);
enum packet_disposition ppp_decode(struct layer *l);
enum packet_disposition pppoe_decode(struct layer *l);
enum packet_disposition macsec_decode(struct layer *l);

/* ip.c */
enum packet_disposition ipv4_decode(struct layer *l);
enum packet_disposition ipv6_decode(struct layer *l);

/* tcp.c, udp.c, icmp.c: from the transport header; the layer is cut to the IP length. */
enum packet_disposition tcp_decode(struct layer *l);
enum packet_disposition udp_decode(struct layer *l);
enum packet_disposition icmp_decode(struct layer *l);
enum packet_disposition icmp6_decode(struct layer *l);

/*
 * tunnels.c: the packet is complete as what it is outside (UDP or IP_OTHER) and the layer stands at
 * the tunnel header. The inner packet's disposition, or the outer one's with the packet as it was
 * when nothing inside could be decoded.
 */
enum packet_disposition vxlan_decode(struct layer *l, enum packet_disposition outer);
enum packet_disposition geneve_decode(struct layer *l, enum packet_disposition outer);
enum packet_disposition gtpu_decode(struct layer *l, enum packet_disposition outer);
enum packet_disposition tzsp_decode(struct layer *l, enum packet_disposition outer);
enum packet_disposition gre_decode(struct layer *l, enum packet_disposition outer);
enum packet_disposition ipip_decode(
	struct layer *l, uint16_t ethertype, enum packet_disposition outer);
