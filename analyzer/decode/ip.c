/*
 * ip: IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200), to the transport.
 *
 *  IPv4   0 version 4, header words 4   1 TOS   2 total length   4 identification
 *         6 flags 3, fragment offset 13   8 TTL   9 protocol   10 checksum   12 source
 *         16 destination   20 options
 *  IPv6   0 version 4, class 8, flow label 20   4 payload length   6 next header   7 hop limit
 *         8 source   24 destination   40 extension headers
 */
#include "decode/layer.h"

#define IPV4_HDR_LEN 20
#define IPV6_HDR_LEN 40
#define IP_RESERVED_DF 0x4000
#define IP_MORE_FRAGMENTS 0x2000
#define IP_OFFSET 0x1fff

#define PROTOCOL_VRRP 112
#define VRRP_HDR_LEN 8
#define CARP_LEN 36
#define CARP_VERSION_TYPE 0x21
#define CARP_AUTH_LEN 7

/* An IPv6 extension header's first bytes: next header 1, length 1. */
#define EXTENSION_MIN_LEN 8

#define HOP_PAD1 0
#define HOP_JUMBO 0xc2 /* RFC 2675; also the super packets of Linux BIG TCP, inside the host */

/* A packet of a protocol that is not decoded further. */
static enum packet_disposition ip_undecoded(struct layer *l, enum packet_disposition d)
{
	l->p->src_port = 0;
	l->p->dst_port = 0;
	layer_payload(l);
	return d;
}

/*
 * CARP shares protocol 112, the group and the first byte with VRRP v2. Its message is always 36
 * bytes with 7 in the place of VRRP's address count; VRRP v2 with 7 addresses has 44.
 */
static enum packet_disposition ip_vrrp_message(struct layer *l)
{
	const uint8_t *h = cur_peek(&l->c, VRRP_HDR_LEN);

	(void)ip_undecoded(l, PACKET_VRRP);
	if (!h)
		return layer_short(l, VRRP_HDR_LEN);
	layer_message(l);
	if (h[0] == CARP_VERSION_TYPE && h[3] == CARP_AUTH_LEN && l->wire == CARP_LEN)
		return PACKET_CARP;
	return PACKET_VRRP;
}

/* Authentication header (RFC 4302): next header 1, words minus 2, ...; what it protects follows. */
static enum packet_disposition ip_authentication(struct layer *l, uint8_t *ret_next)
{
	const uint8_t *h = cur_peek(&l->c, 2);
	size_t length;

	if (!h)
		return layer_short(l, 2);
	length = (h[1] + 2u) * 4;
	if (!layer_take(l, length))
		return layer_short(l, length);
	*ret_next = h[0];
	return PACKET_DISPOSITIONS;
}

static enum packet_disposition ip_other_protocol(struct layer *l, uint8_t protocol)
{
	(void)ip_undecoded(l, PACKET_IP_OTHER);
	switch (protocol) {
	case IPPROTO_IPIP:
		return ipip_decode(l, ETHERTYPE_IPV4, PACKET_IP_OTHER);
	case IPPROTO_IPV6:
		return ipip_decode(l, ETHERTYPE_IPV6, PACKET_IP_OTHER);
	case IPPROTO_GRE:
		return gre_decode(l, PACKET_IP_OTHER);
	case PROTOCOL_VRRP:
		return ip_vrrp_message(l);
	}
	return PACKET_IP_OTHER;
}

static enum packet_disposition ip_by_protocol(struct layer *l, uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return tcp_decode(l);
	case IPPROTO_UDP:
		return udp_decode(l);
	case IPPROTO_ICMP:
		return l->p->version == 4 ? icmp_decode(l) : ip_undecoded(l, PACKET_IP_OTHER);
	case IPPROTO_ICMPV6:
		return l->p->version == 6 ? icmp6_decode(l) : ip_undecoded(l, PACKET_IP_OTHER);
	}
	return ip_other_protocol(l, protocol);
}

/*
 * A first fragment too small for its transport header is a fragment that cannot be completed, not a
 * contradiction.
 */
static enum packet_disposition ip_first_fragment(struct layer *l, uint8_t protocol)
{
	struct layer whole = *l;
	enum packet_disposition d = ip_by_protocol(l, protocol);

	return d == PACKET_MALFORMED ? ip_undecoded(&whole, PACKET_FRAGMENT) : d;
}

static enum packet_disposition ip_transport(struct layer *l, uint8_t protocol)
{
	struct packet *p = l->p;

	p->protocol = protocol;
	while (__builtin_expect(p->protocol == IPPROTO_AH, 0) && !p->frag.offset) {
		enum packet_disposition d = ip_authentication(l, &p->protocol);

		if (d != PACKET_DISPOSITIONS)
			return d;
	}
	protocol = p->protocol;
	if (__builtin_expect(p->frag.any, 0)) {
		if (p->frag.offset)
			return ip_undecoded(l, PACKET_FRAGMENT);
		return ip_first_fragment(l, protocol);
	}
	return ip_by_protocol(l, protocol);
}

/*
 * The datagram's length. A total length of 0 is a TCP super packet whose length the NIC would have
 * written (segmentation offload, or BIG TCP above 64 KiB): the frame's own length tells.
 */
static uint32_t ip_ipv4_length(const struct layer *l, const uint8_t *h)
{
	uint32_t total = be16(h + 2);

	return total == 0 && h[9] == IPPROTO_TCP ? l->wire : total;
}

enum packet_disposition ipv4_decode(struct layer *l)
{
	const uint8_t *h = cur_peek(&l->c, IPV4_HDR_LEN);
	struct packet *p = l->p;
	uint32_t header, total, fragment;

	if (!h)
		return layer_short(l, IPV4_HDR_LEN);
	header = (h[0] & 0xf) * 4u;
	total = ip_ipv4_length(l, h);
	if (h[0] >> 4 != 4 || header < IPV4_HDR_LEN || total < header)
		return PACKET_MALFORMED;
	if (total > l->wire && !l->wire_unknown)
		return PACKET_MALFORMED;
	layer_limit(l, total);
	if (!layer_take(l, header))
		return PACKET_TRUNCATED;

	fragment = be16(h + 6);
	p->version = 4;
	layer_map_v4(p->src, h + 12);
	layer_map_v4(p->dst, h + 16);
	p->ttl = h[8];
	p->tos = h[1];
	p->ip_id = be16(h + 4);
	p->flow_label = 0;
	p->dont_fragment = fragment & IP_RESERVED_DF;
	p->frag.more = fragment & IP_MORE_FRAGMENTS;
	p->frag.any = fragment & (IP_MORE_FRAGMENTS | IP_OFFSET);
	p->frag.offset = (uint16_t)((fragment & IP_OFFSET) * 8);
	p->ip_checksum_bad = ipv4_checksum_is_bad(h, header);
	return ip_transport(l, h[9]);
}

/* The jumbo payload option of a hop-by-hop header; 0: none. */
static uint32_t ip_jumbo_length(const struct layer *l)
{
	struct cursor c = l->c, options;
	const uint8_t *h = cur_take(&c, 2);

	if (!h || !cur_sub(&c, h[1] * 8u + 6u, &options))
		return 0;
	while ((h = cur_take(&options, 1))) {
		uint8_t type = h[0];

		if (type == HOP_PAD1)
			continue;
		h = cur_take(&options, 1);
		if (!h || h[0] > options.left)
			return 0;
		if (type == HOP_JUMBO && h[0] == 4)
			return be32(options.at);
		(void)cur_take(&options, h[0]);
	}
	return 0;
}

/*
 * The length after the fixed header. 0 with something following is a jumbogram (RFC 2675) or a
 * super packet of the sender's offload, which has no option to say its length: the frame's length
 * tells.
 */
static uint32_t ip_ipv6_length(const struct layer *l, const uint8_t *h)
{
	uint32_t length = be16(h + 4), jumbo;

	if (length || h[6] == IPPROTO_NONE)
		return length;
	jumbo = h[6] == IPPROTO_HOPOPTS ? ip_jumbo_length(l) : 0;
	return jumbo > UINT16_MAX ? jumbo : l->wire;
}

/* RFC 8200 4.5: next header 1, reserved 1, offset 13 and M flag, identification 4. */
static enum packet_disposition ip_fragment_header(struct layer *l, uint8_t *ret_next)
{
	const uint8_t *h = layer_take(l, EXTENSION_MIN_LEN);
	struct packet *p = l->p;

	if (!h)
		return layer_short(l, EXTENSION_MIN_LEN);
	p->frag.offset = be16(h + 2) & 0xfff8;
	p->frag.more = h[3] & 1;
	/* An atomic fragment (RFC 6946) is whole. */
	p->frag.any = p->frag.offset || p->frag.more;
	p->ip_id = be32(h + 4);
	*ret_next = h[0];
	return PACKET_DISPOSITIONS;
}

static enum packet_disposition ip_extension_header(struct layer *l, uint8_t *ret_next)
{
	const uint8_t *h = cur_peek(&l->c, EXTENSION_MIN_LEN);
	size_t length;

	if (!h)
		return layer_short(l, EXTENSION_MIN_LEN);
	length = (h[1] + 1u) * 8;
	if (!layer_take(l, length))
		return layer_short(l, length);
	*ret_next = h[0];
	return PACKET_DISPOSITIONS;
}

static bool ip_is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS;
}

/* Walks the extension headers; in a fragment that is not the first, none follow its header. */
static enum packet_disposition ip_ipv6_extensions(struct layer *l, uint8_t next)
{
	struct packet *p = l->p;

	for (;;) {
		enum packet_disposition d;

		p->protocol = next;
		if (p->frag.any && p->frag.offset)
			break;
		if (ip_is_extension(next))
			d = ip_extension_header(l, &next);
		else if (next == IPPROTO_FRAGMENT)
			d = ip_fragment_header(l, &next);
		else
			break;
		if (d == PACKET_MALFORMED && p->frag.any)
			return ip_undecoded(l, PACKET_FRAGMENT);
		if (d != PACKET_DISPOSITIONS)
			return d;
	}
	return ip_transport(l, next);
}

enum packet_disposition ipv6_decode(struct layer *l)
{
	const uint8_t *h = layer_take(l, IPV6_HDR_LEN);
	struct packet *p = l->p;
	uint32_t length;

	if (!h)
		return layer_short(l, IPV6_HDR_LEN);
	length = ip_ipv6_length(l, h);
	if (h[0] >> 4 != 6 || (length > l->wire && !l->wire_unknown))
		return PACKET_MALFORMED;
	layer_limit(l, length);

	p->version = 6;
	memcpy(p->src, h + 8, 16);
	memcpy(p->dst, h + 24, 16);
	p->ttl = h[7];
	p->tos = (uint8_t)(be16(h) >> 4);
	p->ip_id = 0;
	p->flow_label = be32(h) & 0xfffff;
	p->dont_fragment = true;
	p->frag.more = false;
	p->frag.any = false;
	p->frag.offset = 0;
	p->ip_checksum_bad = false;
	return ip_ipv6_extensions(l, h[6]);
}
