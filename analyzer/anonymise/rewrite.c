#include "anonymise/rewrite.h"

#include "anonymise/layers.h"

#define ETHERNET_LEN 14
#define ARP_LEN 28
#define SLL_LEN 16
#define SLL2_LEN 20

enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_VLAN = 0x8100,
	TYPE_IPV6 = 0x86dd,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MULTICAST = 0x8848,
	TYPE_PPPOE = 0x8864,
	TYPE_QINQ = 0x88a8,
	TYPE_QINQ_OLD = 0x9100,
};

bool rewrite_knows_link(uint32_t link_type)
{
	static const uint32_t known[] = {LINK_NULL, LINK_ETHERNET, LINK_RAW_BSD, LINK_RAW_OPENBSD,
		LINK_RAW, LINK_LOOP, LINK_SLL, LINK_IPV4, LINK_IPV6, LINK_SLL2};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == link_type)
			return true;
	return false;
}

/* RFC 826: hardware 2, protocol 2, lengths 1 each, operation 2, then MAC and IP of both. */
static void rewrite_arp(struct rewriting *r, struct extent x)
{
	const uint8_t *h = r->old + x.at;

	if (extent_left(x) < ARP_LEN || be16(h + 2) != TYPE_IPV4 || h[4] != 6 || h[5] != 4) {
		layers_payload(r, x);
		return;
	}
	extent_limit(r, &x, ARP_LEN);
	disguise_mac(r->d, r->new + x.at + 8);
	disguise_ipv4(r->d, r->new + x.at + 14);
	disguise_mac(r->d, r->new + x.at + 18);
	disguise_ipv4(r->d, r->new + x.at + 24);
}

/* An IP packet by its version. */
static void rewrite_raw(struct rewriting *r, struct extent x)
{
	unsigned version = extent_left(x) ? r->old[x.at] >> 4 : 0;

	if (version == 4 || version == 6)
		layers_ip(r, version, x);
	else
		layers_payload(r, x);
}

static void rewrite_mpls(struct rewriting *r, struct extent x)
{
	bool last = false;

	while (!last && extent_left(x) >= 4) {
		last = r->old[x.at + 2] & 1;
		x.at += 4;
	}
	rewrite_raw(r, x);
}

static void rewrite_pppoe(struct rewriting *r, struct extent x)
{
	uint16_t protocol;

	if (extent_left(x) < 8) {
		layers_payload(r, x);
		return;
	}
	protocol = be16(r->old + x.at + 6);
	x.at += 8;
	if (protocol == 0x21 || protocol == 0x57)
		rewrite_raw(r, x);
	else
		layers_payload(r, x);
}

void layers_ethertype(struct rewriting *r, uint16_t type, struct extent x)
{
	while (type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD) {
		if (extent_left(x) < 4) {
			layers_payload(r, x);
			return;
		}
		type = be16(r->old + x.at + 2);
		x.at += 4;
	}
	switch (type) {
	case TYPE_IPV4:
		layers_ip(r, 4, x);
		return;
	case TYPE_IPV6:
		layers_ip(r, 6, x);
		return;
	case TYPE_ARP:
		rewrite_arp(r, x);
		return;
	case TYPE_MPLS:
	case TYPE_MPLS_MULTICAST:
		rewrite_mpls(r, x);
		return;
	case TYPE_PPPOE:
		rewrite_pppoe(r, x);
		return;
	}
	layers_payload(r, x);
}

/* The MAC of a group follows from its address (RFC 1112 6.4, RFC 2464 7), so it is taken from the
 * new one. */
static void rewrite_group_mac(struct rewriting *r, size_t mac, uint16_t type, struct extent x)
{
	const uint8_t *was = r->old + mac;

	if (type == TYPE_IPV4 && extent_left(x) >= 20 && r->old[x.at + 16] >> 4 == 14 &&
		was[0] == 1 && was[1] == 0 && was[2] == 0x5e) {
		memcpy(r->new + mac, was, 3);
		memcpy(r->new + mac + 3, r->new + x.at + 17, 3);
		r->new[mac + 3] &= 0x7f;
	}
	if (type == TYPE_IPV6 && extent_left(x) >= 40 && r->old[x.at + 24] == 0xff &&
		was[0] == 0x33 && was[1] == 0x33)
		memcpy(r->new + mac + 2, r->new + x.at + 36, 4);
}

void layers_ethernet(struct rewriting *r, struct extent x)
{
	size_t mac = x.at;
	uint16_t type;

	if (!extent_skip(&x, ETHERNET_LEN)) {
		layers_zero(r, x);
		return;
	}
	disguise_mac(r->d, r->new + mac);
	disguise_mac(r->d, r->new + mac + 6);
	type = be16(r->old + mac + 12);
	layers_ethertype(r, type, x);
	while ((type == TYPE_VLAN || type == TYPE_QINQ) && extent_left(x) >= 4) {
		type = be16(r->old + x.at + 2);
		x.at += 4;
	}
	rewrite_group_mac(r, mac, type, x);
}

/* The sender's address of a cooked header: a MAC, or something else, which goes. */
static void rewrite_cooked(struct rewriting *r, size_t at, unsigned size)
{
	memset(r->new + at + 6, 0, 2);
	if (size == 6)
		disguise_mac(r->d, r->new + at);
	else
		memset(r->new + at, 0, 6);
}

static void rewrite_sll(struct rewriting *r, struct extent x)
{
	if (!extent_skip(&x, SLL_LEN)) {
		layers_zero(r, x);
		return;
	}
	rewrite_cooked(r, 6, be16(r->old + 4));
	layers_ethertype(r, be16(r->old + 14), x);
}

static void rewrite_sll2(struct rewriting *r, struct extent x)
{
	if (!extent_skip(&x, SLL2_LEN)) {
		layers_zero(r, x);
		return;
	}
	rewrite_cooked(r, 12, r->old[11]);
	layers_ethertype(r, be16(r->old), x);
}

void rewrite_frame(
	struct disguise *d, uint32_t link_type, uint8_t *bytes, uint8_t *scratch, size_t size)
{
	struct rewriting r = {.d = d, .old = scratch, .new = bytes};
	struct extent x = {0, size};

	memcpy(scratch, bytes, size);
	switch (link_type) {
	case LINK_ETHERNET:
		layers_ethernet(&r, x);
		return;
	case LINK_SLL:
		rewrite_sll(&r, x);
		return;
	case LINK_SLL2:
		rewrite_sll2(&r, x);
		return;
	case LINK_NULL:
	case LINK_LOOP:
		if (!extent_skip(&x, 4)) {
			layers_zero(&r, x);
			return;
		}
		rewrite_raw(&r, x);
		return;
	default:
		rewrite_raw(&r, x);
	}
}
