/*
 * arp: ARP over Ethernet (RFC 826, RFC 5227) and neighbour discovery (RFC 4861 4.3, 4.4).
 *
 *  ARP   0 hardware type   2 protocol type   4 hardware length   5 protocol length   6 operation
 *        8 sender MAC 6   14 sender IP 4   18 target MAC 6   24 target IP 4
 *  ND    0 type   1 code   2 checksum   4 flags of an advertisement   8 target 16
 *        24 options: type 1, length 1 (in 8 bytes), data
 */
#include "decode/arp.h"

#include "decode/layer.h"

#define ARP_LEN 28
#define ARP_REQUEST 1
#define ARP_REPLY 2
#define HARDWARE_ETHERNET 1
#define HARDWARE_IEEE802 6 /* the same layout, some old stacks say so */

#define ND_HDR_LEN 24
#define ND_HOP_LIMIT 255 /* any less came through a router: RFC 4861 7.1 has it discarded */
#define ND_SOLICITATION 135
#define ND_ADVERTISEMENT 136
#define ND_FLAG_ROUTER 0x80
#define ND_FLAG_SOLICITED 0x40
#define ND_FLAG_OVERRIDE 0x20
#define ND_OPTION_SOURCE 1
#define ND_OPTION_TARGET 2

static const uint8_t zeros[16];

const char *neighbor_operation_name(enum neighbor_operation op)
{
	switch (op) {
	case NEIGHBOR_REQUEST:
		return "request";
	case NEIGHBOR_REPLY:
		return "reply";
	case NEIGHBOR_PROBE:
		return "probe";
	case NEIGHBOR_ANNOUNCEMENT:
		return "announcement";
	}
	return "unknown";
}

/* A MAC of zeros stands for "not known" in both protocols. */
static bool arp_take_mac(uint8_t ret_mac[6], const uint8_t *mac)
{
	memcpy(ret_mac, mac, 6);
	return memcmp(mac, zeros, 6) != 0;
}

static void arp_take_v4(uint8_t ret_ip[16], const uint8_t *ip)
{
	if (memcmp(ip, zeros, 4) == 0)
		memset(ret_ip, 0, 16);
	else
		layer_map_v4(ret_ip, ip);
}

/* RFC 5227 1.1: from 0.0.0.0 it is a probe; about the sender's own address, an announcement. */
static enum neighbor_operation arp_operation(const uint8_t *h, unsigned operation)
{
	if (memcmp(h + 14, zeros, 4) == 0)
		return operation == ARP_REPLY ? NEIGHBOR_REPLY : NEIGHBOR_PROBE;
	if (memcmp(h + 14, h + 24, 4) == 0)
		return NEIGHBOR_ANNOUNCEMENT;
	return operation == ARP_REPLY ? NEIGHBOR_REPLY : NEIGHBOR_REQUEST;
}

static bool arp_decode(const struct packet *p, struct neighbor_message *m)
{
	struct cursor c = cur_of(p->body.at, p->body.cap);
	const uint8_t *h = cur_take(&c, ARP_LEN);
	unsigned hardware, operation;

	if (!h)
		return false;
	hardware = be16(h);
	operation = be16(h + 6);
	if ((hardware != HARDWARE_ETHERNET && hardware != HARDWARE_IEEE802) ||
		be16(h + 2) != ETHERTYPE_IPV4 || h[4] != 6 || h[5] != 4 ||
		(operation != ARP_REQUEST && operation != ARP_REPLY))
		return false;
	m->operation = arp_operation(h, operation);
	m->v6 = false;
	m->has_sender_mac = arp_take_mac(m->sender_mac, h + 8);
	m->has_target_mac = arp_take_mac(m->target_mac, h + 18);
	arp_take_v4(m->sender_ip, h + 14);
	arp_take_v4(m->target_ip, h + 24);
	m->router = false;
	m->override = true;
	return true;
}

/*
 * The link-layer address of the given option. false: the options are broken (RFC 4861 4.6: length
 * 0) and the message with them. Options that the capture cut are taken as absent.
 */
static bool arp_nd_options(struct cursor *c, uint8_t wanted, uint8_t ret_mac[6], bool *ret_has)
{
	const uint8_t *h;

	*ret_has = false;
	while ((h = cur_take(c, 8))) {
		if (h[1] == 0)
			return false;
		if (h[0] == wanted && h[1] == 1)
			*ret_has = arp_take_mac(ret_mac, h + 2);
		if (!cur_take(c, (h[1] - 1u) * 8))
			break;
	}
	return true;
}

/* Who has the target? From the unspecified address it is duplicate address detection. */
static bool arp_solicitation_decode(
	const struct packet *p, const uint8_t *h, struct cursor *c, struct neighbor_message *m)
{
	bool probe = memcmp(p->src, zeros, 16) == 0;

	m->operation = probe ? NEIGHBOR_PROBE : NEIGHBOR_REQUEST;
	memcpy(m->sender_ip, p->src, 16);
	memcpy(m->target_ip, h + 8, 16);
	m->has_target_mac = false;
	m->router = false;
	m->override = false;
	return arp_nd_options(c, ND_OPTION_SOURCE, m->sender_mac, &m->has_sender_mac);
}

/*
 * The target is at this MAC. The address claimed is the sender's part of the message, as in ARP;
 * one that nobody asked for is about itself.
 */
static bool arp_advertisement_decode(
	const struct packet *p, const uint8_t *h, struct cursor *c, struct neighbor_message *m)
{
	bool solicited = h[4] & ND_FLAG_SOLICITED;

	m->operation = solicited ? NEIGHBOR_REPLY : NEIGHBOR_ANNOUNCEMENT;
	memcpy(m->sender_ip, h + 8, 16);
	memcpy(m->target_ip, solicited ? p->dst : h + 8, 16);
	m->has_target_mac = false;
	m->router = h[4] & ND_FLAG_ROUTER;
	m->override = h[4] & ND_FLAG_OVERRIDE;
	return arp_nd_options(c, ND_OPTION_TARGET, m->sender_mac, &m->has_sender_mac);
}

static bool arp_nd_decode(const struct packet *p, struct neighbor_message *m)
{
	struct cursor c = cur_of(p->body.at, p->body.cap);
	const uint8_t *h = cur_take(&c, ND_HDR_LEN);

	if (!h || p->ttl != ND_HOP_LIMIT || h[1] != 0)
		return false;
	m->v6 = true;
	if (h[0] == ND_SOLICITATION)
		return arp_solicitation_decode(p, h, &c, m);
	return h[0] == ND_ADVERTISEMENT && arp_advertisement_decode(p, h, &c, m);
}

bool neighbor_decode(const struct packet *p, struct neighbor_message *ret_message)
{
	switch (p->disposition) {
	case PACKET_ARP:
		return arp_decode(p, ret_message);
	case PACKET_ND:
		return arp_nd_decode(p, ret_message);
	default:
		return false;
	}
}
