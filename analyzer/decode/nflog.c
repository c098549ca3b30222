/*
 * nflog: family 1, version 1, group 2 (big endian), then attributes: length 2 and type 2 in the
 * byte order of the host that captured, value (big endian inside), each aligned to 4 bytes.
 * linux/netfilter/nfnetlink_log.h; https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html
 */
#include "decode/nflog.h"

#include "base/nsec.h"

#define NFLOG_HDR_LEN 4
#define ATTRIBUTE_HDR_LEN 4
#define ATTRIBUTE_TYPE 0x3fff /* without the nested and byte order bits */
#define ATTRIBUTE_TYPE_MAX 64 /* far above those in use; tells the byte order */

enum nflog_attribute {
	NFLOG_PACKET_HDR = 1, /* ethertype 2, hook 1, pad 1 */
	NFLOG_MARK = 2,
	NFLOG_TIMESTAMP = 3, /* seconds 8, microseconds 8 */
	NFLOG_IFINDEX_IN = 4,
	NFLOG_IFINDEX_OUT = 5,
	NFLOG_HWADDR = 8, /* length 2, pad 2, address 8: the sender's, on input only */
	NFLOG_PAYLOAD = 9,
	NFLOG_PREFIX = 10,
	NFLOG_UID = 11,
	NFLOG_SEQ = 12,
	NFLOG_HWTYPE = 15,
	NFLOG_HWHEADER = 16,
};

enum nflog_hook { HOOK_PREROUTING, HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT, HOOK_POSTROUTING };

/* Values of the family field; others (inet, netdev, bridge) leave the kind to the ethertype. */
enum nflog_family { FAMILY_IPV4 = 2, FAMILY_ARP = 3, FAMILY_IPV6 = 10 };

#define HWTYPE_ETHERNET 1
#define ETHERNET_HDR_LEN 14

/* What the attributes say beyond the packet's own fields. */
struct nflog {
	uint16_t ethertype, hwtype;
	uint32_t ifindex_in, ifindex_out;
	struct cursor hwheader;
	struct layer payload;
	bool has_payload;
};

/*
 * Types are small, so one read in the wrong order is 256 or more. Little endian wins where both
 * could be meant, which takes a type of 0 (there is none).
 */
static bool nflog_is_big_endian(const struct cursor *c)
{
	const uint8_t *h = cur_peek(c, ATTRIBUTE_HDR_LEN);

	return h && (le16(h + 2) & ATTRIBUTE_TYPE) > ATTRIBUTE_TYPE_MAX &&
	       (be16(h + 2) & ATTRIBUTE_TYPE) <= ATTRIBUTE_TYPE_MAX;
}

/*
 * Takes the next attribute; *ret_value may hold fewer captured bytes than it has on the wire, and
 * is then the last. PACKET_DISPOSITIONS where that went well, else the disposition.
 */
static enum packet_disposition nflog_attribute_next(
	struct layer *l, bool big_endian, unsigned *ret_type, struct layer *ret_value)
{
	const uint8_t *h = layer_take(l, ATTRIBUTE_HDR_LEN);
	size_t length, padded;

	if (!h)
		return layer_short(l, ATTRIBUTE_HDR_LEN);
	length = big_endian ? be16(h) : le16(h);
	if (length < ATTRIBUTE_HDR_LEN || length - ATTRIBUTE_HDR_LEN > l->wire)
		return PACKET_MALFORMED;
	length -= ATTRIBUTE_HDR_LEN;
	*ret_type = (big_endian ? be16(h + 2) : le16(h + 2)) & ATTRIBUTE_TYPE;
	*ret_value = *l;
	layer_limit(ret_value, (uint32_t)length);
	/* The padding of the last attribute may be left out. */
	padded = (length + 3) & ~(size_t)3;
	if (!layer_take(l, padded)) {
		l->c.left = 0;
		l->wire = 0;
	}
	return PACKET_DISPOSITIONS;
}

static void nflog_set_prefix(struct packet *p, const struct cursor *value)
{
	size_t n = value->left < sizeof(p->nflog.prefix) - 1 ? value->left
							     : sizeof(p->nflog.prefix) - 1;

	n = strnlen((const char *)value->at, n);
	memcpy(p->nflog.prefix, value->at, n);
	p->nflog.prefix[n] = '\0';
}

static void nflog_set_time(struct packet *p, const struct cursor *value)
{
	const uint8_t *h = cur_peek(value, 16);

	if (!h)
		return;
	/* Outside what an int64_t of nanoseconds holds it is not a time. */
	if (be64(h) < INT64_MAX / NSEC_PER_SEC - 1 && be64(h + 8) < 1000000)
		p->nflog.time_ns =
			(int64_t)be64(h) * NSEC_PER_SEC + (int64_t)be64(h + 8) * NSEC_PER_USEC;
}

static void nflog_set_sender(struct packet *p, const struct cursor *value)
{
	const uint8_t *h = cur_peek(value, 4 + 6);

	if (!h || be16(h) != 6)
		return;
	memcpy(p->link.src_mac, h + 4, 6);
	p->link.has_src_mac = true;
}

static uint32_t nflog_value_be32(const struct cursor *value)
{
	const uint8_t *h = cur_peek(value, 4);

	return h ? be32(h) : 0;
}

static void nflog_packet_header(struct packet *p, struct nflog *n, const struct cursor *value)
{
	const uint8_t *h = cur_peek(value, 4);

	if (!h)
		return;
	n->ethertype = be16(h);
	p->nflog.hook = h[2] <= HOOK_POSTROUTING ? h[2] : PACKET_NO_HOOK;
}

static void nflog_attribute_take(
	struct packet *p, struct nflog *n, unsigned type, struct layer *value)
{
	struct cursor *c = &value->c;

	switch (type) {
	case NFLOG_PACKET_HDR:
		nflog_packet_header(p, n, c);
		break;
	case NFLOG_MARK:
		p->nflog.mark = nflog_value_be32(c);
		break;
	case NFLOG_TIMESTAMP:
		nflog_set_time(p, c);
		break;
	case NFLOG_IFINDEX_IN:
		n->ifindex_in = nflog_value_be32(c);
		break;
	case NFLOG_IFINDEX_OUT:
		n->ifindex_out = nflog_value_be32(c);
		break;
	case NFLOG_HWADDR:
		nflog_set_sender(p, c);
		break;
	case NFLOG_PAYLOAD:
		n->payload = *value;
		n->has_payload = true;
		break;
	case NFLOG_PREFIX:
		nflog_set_prefix(p, c);
		break;
	case NFLOG_UID:
		p->nflog.uid = nflog_value_be32(c);
		break;
	case NFLOG_SEQ:
		p->nflog.seq = nflog_value_be32(c);
		p->nflog.has_seq = cur_peek(c, 4) != NULL;
		break;
	case NFLOG_HWTYPE:
		n->hwtype = c->left >= 2 ? be16(c->at) : 0;
		break;
	case NFLOG_HWHEADER:
		n->hwheader = *c;
		break;
	}
}

/* Which way the packet went by its hook, and the interface of that side. */
static void nflog_set_direction(struct packet *p, const struct nflog *n)
{
	switch (p->nflog.hook) {
	case HOOK_PREROUTING:
	case HOOK_INPUT:
		p->link.direction = PACKET_IN;
		break;
	case HOOK_OUTPUT:
	case HOOK_POSTROUTING:
		p->link.direction = PACKET_OUT;
		p->link.ifindex = n->ifindex_out;
		return;
	}
	p->link.ifindex = n->ifindex_in ? n->ifindex_in : n->ifindex_out;
}

/* The link header, which the kernel adds for received packets only. */
static void nflog_set_hwheader(struct packet *p, const struct nflog *n)
{
	if (n->hwtype != HWTYPE_ETHERNET || n->hwheader.left < ETHERNET_HDR_LEN)
		return;
	memcpy(p->link.dst_mac, n->hwheader.at, 6);
	memcpy(p->link.src_mac, n->hwheader.at + 6, 6);
	p->link.has_dst_mac = true;
	p->link.has_src_mac = true;
}

/* The ethertype is absent for packets made on the host: then the family or the IP version tells. */
static uint16_t nflog_payload_type(const struct nflog *n, uint8_t family)
{
	switch (family) {
	case FAMILY_IPV4:
		return ETHERTYPE_IPV4;
	case FAMILY_IPV6:
		return ETHERTYPE_IPV6;
	case FAMILY_ARP:
		return ETHERTYPE_ARP;
	}
	if (n->ethertype || n->payload.c.left == 0)
		return n->ethertype;
	switch (n->payload.c.at[0] >> 4) {
	case 4:
		return ETHERTYPE_IPV4;
	case 6:
		return ETHERTYPE_IPV6;
	}
	return 0;
}

enum packet_disposition nflog_decode(struct layer *l)
{
	const uint8_t *h = layer_take(l, NFLOG_HDR_LEN);
	struct packet *p = l->p;
	struct nflog n = {0};
	bool big_endian;

	p->nflog.prefix[0] = '\0';
	p->nflog.time_ns = INT64_MIN;
	p->nflog.mark = 0;
	p->nflog.uid = PACKET_NO_UID;
	p->nflog.has_seq = false;
	if (!h)
		return layer_short(l, NFLOG_HDR_LEN);
	if (h[1] != 0)
		return PACKET_MALFORMED;
	big_endian = nflog_is_big_endian(&l->c);
	while (l->wire > 0) {
		enum packet_disposition d;
		struct layer value;
		unsigned type;

		d = nflog_attribute_next(l, big_endian, &type, &value);
		if (d == PACKET_TRUNCATED && n.has_payload)
			break;
		if (d != PACKET_DISPOSITIONS)
			return d;
		nflog_attribute_take(p, &n, type, &value);
	}
	nflog_set_direction(p, &n);
	nflog_set_hwheader(p, &n);
	if (!n.has_payload)
		return PACKET_TRUNCATED;
	/* The rule's copy range cuts the payload without saying what was on the wire. */
	n.payload.wire_unknown = true;
	return ethertype_decode(&n.payload, nflog_payload_type(&n, h[0]));
}
