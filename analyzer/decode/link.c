/*
 * link: from the link layer to IP or ARP. Link types: https://www.tcpdump.org/linktypes.html;
 * VLAN tags: IEEE 802.1Q. NFLOG has a file of its own.
 */
#include "decode/layer.h"
#include "decode/nflog.h"

#define ETHERNET_HDR_LEN 14
#define VLAN_TAG_LEN 4
#define SLL_HDR_LEN 16
#define SLL2_HDR_LEN 20
#define ETHERTYPE_MIN 0x600 /* below: an IEEE 802.3 length */

#define ARP_FIXED_LEN 8

static inline bool link_is_vlan(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

/* ARP keeps its bytes for arp.c; only the lengths that the header states are checked here. */
static enum packet_disposition link_arp_message(struct layer *l)
{
	const uint8_t *h = cur_peek(&l->c, ARP_FIXED_LEN);
	size_t length;

	if (!h)
		return layer_short(l, ARP_FIXED_LEN);
	length = ARP_FIXED_LEN + 2u * h[4] + 2u * h[5];
	if (l->c.left < length)
		return layer_short(l, length);
	layer_limit(l, (uint32_t)length); /* padding follows */
	layer_message(l);
	return PACKET_ARP;
}

/* Tags repeat; those of an inner frame leave no note, as the link part is the outer frame's. */
static const uint8_t *link_vlan_tag(struct layer *l)
{
	const uint8_t *tag = layer_take(l, VLAN_TAG_LEN);
	struct packet *p = l->p;

	if (!tag || p->outer.depth)
		return tag;
	if (p->link.vlan_count == 0)
		p->link.vlan_id = be16(tag) & 0xfff;
	if (p->link.vlan_count < UINT8_MAX)
		p->link.vlan_count++;
	return tag;
}

enum packet_disposition ethertype_decode(struct layer *l, uint16_t type)
{
	while (link_is_vlan(type)) {
		const uint8_t *tag = link_vlan_tag(l);

		if (!tag)
			return layer_short(l, VLAN_TAG_LEN);
		type = be16(tag + 2);
	}
	if (!l->p->outer.depth)
		l->p->link.ethertype = type >= ETHERTYPE_MIN ? type : 0;
	switch (type) {
	case ETHERTYPE_IPV4:
		return ipv4_decode(l);
	case ETHERTYPE_IPV6:
		return ipv6_decode(l);
	case ETHERTYPE_ARP:
		return link_arp_message(l);
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
		return mpls_decode(l);
	case ETHERTYPE_PPPOE:
		return pppoe_decode(l);
	case ETHERTYPE_MACSEC:
		return macsec_decode(l);
	}
	return PACKET_OTHER_ETHERTYPE;
}

static enum packet_disposition link_ethernet_decode(struct layer *l)
{
	const uint8_t *h = layer_take(l, ETHERNET_HDR_LEN);

	if (!h)
		return layer_short(l, ETHERNET_HDR_LEN);
	memcpy(l->p->link.dst_mac, h, 6);
	memcpy(l->p->link.src_mac, h + 6, 6);
	l->p->link.has_dst_mac = true;
	l->p->link.has_src_mac = true;
	return ethertype_decode(l, be16(h + 12));
}

enum packet_disposition inner_ethernet_decode(struct layer *l)
{
	const uint8_t *h = layer_take(l, ETHERNET_HDR_LEN);

	return h ? ethertype_decode(l, be16(h + 12)) : layer_short(l, ETHERNET_HDR_LEN);
}

/*
 * Packet type, sender's hardware type and address, as both cooked headers have them. Addresses that
 * are no Ethernet MAC (tunnel devices carry IPs, loopback zeros) are left out.
 */
static void link_cooked_sender(struct packet *p, unsigned packet_type, unsigned hatype,
	unsigned halen, const uint8_t *address)
{
	enum { TO_OTHER_HOST = 3, OUTGOING = 4 };
	enum { ARPHRD_ETHERNET = 1, ARPHRD_80211_FIRST = 801, ARPHRD_80211_LAST = 803 };

	if (packet_type <= OUTGOING)
		p->link.direction = packet_type == OUTGOING ? PACKET_OUT : PACKET_IN;
	p->link.other_host = packet_type == TO_OTHER_HOST;
	if (halen == 6 && (hatype == ARPHRD_ETHERNET ||
				  (hatype >= ARPHRD_80211_FIRST && hatype <= ARPHRD_80211_LAST))) {
		memcpy(p->link.src_mac, address, 6);
		p->link.has_src_mac = true;
	}
}

/*
 * LINKTYPE_LINUX_SLL, big endian: packet type 2, hardware type 2, address length 2, address 8,
 * protocol 2.
 */
static enum packet_disposition link_sll_decode(struct layer *l)
{
	const uint8_t *h = layer_take(l, SLL_HDR_LEN);

	if (!h)
		return layer_short(l, SLL_HDR_LEN);
	link_cooked_sender(l->p, be16(h), be16(h + 2), be16(h + 4), h + 6);
	return ethertype_decode(l, be16(h + 14));
}

/*
 * LINKTYPE_LINUX_SLL2, big endian: protocol 2, reserved 2, interface 4, hardware type 2,
 * packet type 1, address length 1, address 8.
 */
static enum packet_disposition link_sll2_decode(struct layer *l)
{
	const uint8_t *h = layer_take(l, SLL2_HDR_LEN);

	if (!h)
		return layer_short(l, SLL2_HDR_LEN);
	l->p->link.ifindex = be32(h + 4);
	link_cooked_sender(l->p, h[10], be16(h + 8), h[11], h + 12);
	return ethertype_decode(l, be16(h));
}

/* A bare IP packet, by its version. */
static enum packet_disposition link_raw_decode(struct layer *l)
{
	const uint8_t *h = cur_peek(&l->c, 1);

	if (!h)
		return layer_short(l, 1);
	switch (h[0] >> 4) {
	case 4:
		return ethertype_decode(l, ETHERTYPE_IPV4);
	case 6:
		return ethertype_decode(l, ETHERTYPE_IPV6);
	}
	return PACKET_MALFORMED;
}

/*
 * A 4-byte address family: in the byte order of the host that wrote the file (NULL) or of the
 * network (LOOP). Both are tried: families are below 256, so the two never mean different things.
 */
static enum packet_disposition link_null_decode(struct layer *l)
{
	const uint8_t *h = layer_take(l, 4);
	uint32_t family;

	if (!h)
		return layer_short(l, 4);
	family = le32(h) < 0x100 ? le32(h) : be32(h);
	switch (family) {
	case 2: /* AF_INET everywhere */
		return ethertype_decode(l, ETHERTYPE_IPV4);
	case 10: /* AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS */
	case 24:
	case 28:
	case 30:
		return ethertype_decode(l, ETHERTYPE_IPV6);
	}
	return PACKET_OTHER_ETHERTYPE;
}

/* A byte before PPP: 0 received, else sent. */
static enum packet_disposition link_ppp_with_direction_decode(struct layer *l)
{
	const uint8_t *h = layer_take(l, 1);

	if (!h)
		return layer_short(l, 1);
	l->p->link.direction = h[0] ? PACKET_OUT : PACKET_IN;
	return ppp_decode(l);
}

/* Cisco's HDLC: address 1, control 1, ethertype 2. PPP in HDLC frames has another address. */
static enum packet_disposition link_hdlc_decode(struct layer *l)
{
	const uint8_t *h = cur_peek(&l->c, 4);

	if (!h)
		return layer_short(l, 4);
	if (be16(h) == 0xff03)
		return ppp_decode(l);
	(void)layer_take(l, 4);
	return ethertype_decode(l, be16(h + 2));
}

enum packet_disposition link_decode(struct layer *l, uint32_t link_type)
{
	if (__builtin_expect(link_type == LINK_ETHERNET, 1))
		return link_ethernet_decode(l);
	switch (link_type) {
	case LINK_SLL:
		return link_sll_decode(l);
	case LINK_SLL2:
		return link_sll2_decode(l);
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
		return link_raw_decode(l);
	case LINK_IPV4:
		return ethertype_decode(l, ETHERTYPE_IPV4);
	case LINK_IPV6:
		return ethertype_decode(l, ETHERTYPE_IPV6);
	case LINK_NULL:
	case LINK_LOOP:
		return link_null_decode(l);
	case LINK_NFLOG:
		return nflog_decode(l);
	case LINK_PPP:
		return ppp_decode(l);
	case LINK_PPP_ETHER:
		return pppoe_decode(l);
	case LINK_PPP_WITH_DIRECTION:
		return link_ppp_with_direction_decode(l);
	case LINK_PPP_HDLC:
	case LINK_C_HDLC:
		return link_hdlc_decode(l);
	}
	return PACKET_UNSUPPORTED_LINK;
}
