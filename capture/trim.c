#include "trim.h"

#include "base/cursor.h"

/* Each function takes from the cursor what is kept: what is left then is payload. */

#define DEPTH_MAX 4 /* tunnels in each other, as the analyzer decodes them */
#define COUNTER 16  /* bytes of what is encrypted: a counter stands there in clear */

enum {
	ETHER_IPV4 = 0x0800,
	ETHER_ARP = 0x0806,
	ETHER_VLAN = 0x8100,
	ETHER_IPV6 = 0x86dd,
	ETHER_QINQ = 0x88a8,
	ETHER_BRIDGED = 0x6558, /* an Ethernet frame in GRE or Geneve */
};
enum {
	IP_ICMP = 1,
	IP_IPV4 = 4,
	IP_TCP = 6,
	IP_UDP = 17,
	IP_IPV6 = 41,
	IP_GRE = 47,
	IP_ESP = 50,
	IP6_HOP = 0,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_ICMP = 58,
	IP6_NONE = 59,
	IP6_DESTINATION = 60,
};
enum {
	PORT_GTPU = 2152,
	PORT_VXLAN = 4789,
	PORT_ROCE = 4791,
	PORT_GENEVE = 6081,
	PORT_VXLAN_LINUX = 8472, /* what Linux takes unless told */
};

struct trim {
	int depth; /* of tunnels */
	struct trim_payload *payload;
};

static bool trim_take_ip(struct cursor *c, struct trim *t);

static void trim_take_at_most(struct cursor *c, size_t n)
{
	(void)cur_take(c, n < c->left ? n : c->left);
}

static void trim_take_all(struct cursor *c)
{
	(void)cur_take(c, c->left);
}

/* What an ethertype announces; false: no protocol whose header is known. */
static bool trim_take_ethertype(struct cursor *c, uint16_t type, struct trim *t)
{
	const uint8_t *tag;

	while (type == ETHER_VLAN || type == ETHER_QINQ) {
		tag = cur_take(c, 4);
		if (!tag)
			return false;
		type = be16(tag + 2);
	}
	if (type == ETHER_ARP)
		trim_take_all(c);
	else if (type == ETHER_IPV4 || type == ETHER_IPV6)
		return trim_take_ip(c, t);
	return type == ETHER_ARP;
}

/* What a tunnel carries: an Ethernet frame or an IP packet. Takes nothing and returns false where
 * it is neither. */
static bool trim_take_inner(struct cursor *c, uint16_t type, struct trim *t)
{
	struct cursor inner = *c;
	const uint8_t *h;
	bool known;

	if (t->depth == DEPTH_MAX)
		return false;
	if (type == ETHER_BRIDGED) {
		h = cur_take(&inner, 14);
		if (!h)
			return false;
		type = be16(h + 12);
	}
	t->depth++;
	known = trim_take_ethertype(&inner, type, t);
	t->depth--;
	if (known)
		*c = inner;
	return known;
}

/* By its version. */
static uint16_t trim_ip_type(const struct cursor *c)
{
	const uint8_t *h = cur_peek(c, 1);

	return h && h[0] >> 4 == 4 ? ETHER_IPV4 : h && h[0] >> 4 == 6 ? ETHER_IPV6 : 0;
}

/* RFC 7348: flags, reserved, VNI, reserved. */
static bool trim_take_vxlan(struct cursor *c, struct trim *t)
{
	const uint8_t *h = cur_take(c, 8);

	return h && h[0] & 0x08 && trim_take_inner(c, ETHER_BRIDGED, t);
}

/* RFC 8926: version and option words, flags, ethertype, VNI, reserved. */
static bool trim_take_geneve(struct cursor *c, struct trim *t)
{
	const uint8_t *h = cur_take(c, 8);

	return h && h[0] >> 6 == 0 && cur_take(c, (h[0] & 0x3fU) * 4) &&
	       trim_take_inner(c, be16(h + 2), t);
}

/* 3GPP TS 29.281: flags, type, length, endpoint; sequence, N-PDU, next extension; extensions. */
static bool trim_take_gtpu(struct cursor *c, struct trim *t)
{
	const uint8_t *h = cur_take(c, 8), *more;
	uint8_t next = 0;

	if (!h || (h[0] & 0xf0) != 0x30 || h[1] != 255)
		return false;
	if (h[0] & 7) {
		more = cur_take(c, 4);
		if (!more)
			return false;
		next = h[0] & 4 ? more[3] : 0;
	}
	for (int i = 0; next && i < 8; i++) {
		h = cur_peek(c, 1);
		h = h && h[0] ? cur_take(c, h[0] * 4U) : NULL;
		if (!h)
			return false;
		next = h[h[0] * 4 - 1];
	}
	return !next && trim_take_inner(c, trim_ip_type(c), t);
}

/* Data of WireGuard (type 4, a multiple of 16 bytes) and records of DTLS (RFC 9147) tell their
 * number in clear. */
static bool trim_has_counter(const struct cursor *c, uint32_t length)
{
	const uint8_t *h = cur_peek(c, COUNTER);

	if (!h)
		return false;
	if (h[0] == 4 && !h[1] && !h[2] && !h[3])
		return length >= 32 && length % 16 == 0;
	return h[0] >= 20 && h[0] <= 25 && h[1] == 0xfe && (h[2] == 0xfd || h[2] == 0xff);
}

/* All of a datagram's payload, without what Ethernet pads it with; none where it was not captured
 * whole or is a fragment's. */
static void trim_note_payload(const struct cursor *c, uint32_t length, struct trim *t)
{
	const uint8_t *payload = length ? cur_peek(c, length) : NULL;

	if (payload)
		*t->payload = (struct trim_payload){.at = payload, .length = length};
}

static void trim_take_udp(struct cursor *c, struct trim *t)
{
	const uint8_t *h = cur_take(c, 8);
	struct cursor inner = *c;
	uint16_t port = h ? be16(h + 2) : 0;
	bool tunnel = false;

	if (!h) {
		trim_take_all(c);
		return;
	}
	if (port == PORT_VXLAN || port == PORT_VXLAN_LINUX)
		tunnel = trim_take_vxlan(&inner, t);
	else if (port == PORT_GENEVE)
		tunnel = trim_take_geneve(&inner, t);
	else if (port == PORT_GTPU)
		tunnel = trim_take_gtpu(&inner, t);
	if (tunnel)
		*c = inner;
	else if (port == PORT_ROCE || trim_has_counter(c, be16(h + 4) - 8U))
		trim_take_at_most(c, COUNTER);
	else if (be16(h + 4) > 8)
		trim_note_payload(c, be16(h + 4) - 8U, t);
}

static void trim_take_tcp(struct cursor *c)
{
	const uint8_t *h = cur_peek(c, 20);
	size_t length = h ? (h[12] >> 4) * 4U : c->left;

	trim_take_at_most(c, length < 20 ? 20 : length);
}

/* RFC 2784, 2890: flags and version, ethertype, then 4 bytes for each of checksum, key, sequence
 * number. */
static bool trim_take_gre(struct cursor *c, struct trim *t)
{
	const uint8_t *h = cur_take(c, 4);
	uint16_t flags = h ? be16(h) : 0;
	uint32_t more =
		(flags & 0x8000 ? 4U : 0) + (flags & 0x2000 ? 4U : 0) + (flags & 0x1000 ? 4U : 0);

	return h && !(flags & 0x4007) && cur_take(c, more) && trim_take_inner(c, be16(h + 2), t);
}

/* An error quotes a packet up to what would be cut of it: that is not this host's to hash. */
static void trim_take_icmp(struct cursor *c, uint8_t protocol, const struct trim *t)
{
	const uint8_t *h = cur_peek(c, 8);
	uint8_t type = h ? h[0] : 0;
	struct trim_payload quoted;
	struct trim q = {.depth = t->depth, .payload = &quoted};
	bool is_error = protocol == IP6_ICMP ? type >= 1 && type <= 4
					     : (type >= 3 && type <= 5) || type == 11 || type == 12;

	if (!h || !is_error) {
		trim_take_all(c);
		return;
	}
	(void)cur_take(c, 8);
	if (!trim_take_inner(c, trim_ip_type(c), &q))
		trim_take_at_most(c, COUNTER);
}

/* The transport header; all of protocols that carry nobody's data (VRRP, OSPF ...). */
static void trim_take_transport(struct cursor *c, uint8_t protocol, struct trim *t)
{
	struct cursor inner = *c;
	bool tunnel;

	switch (protocol) {
	case IP_TCP:
		trim_take_tcp(c);
		return;
	case IP_UDP:
		trim_take_udp(c, t);
		return;
	case IP_ICMP:
	case IP6_ICMP:
		trim_take_icmp(c, protocol, t);
		return;
	case IP_IPV4:
	case IP_IPV6:
		tunnel = trim_take_inner(&inner, trim_ip_type(c), t);
		break;
	case IP_GRE:
		tunnel = trim_take_gre(&inner, t);
		break;
	case IP_ESP:
		tunnel = false;
		break;
	default:
		trim_take_all(c);
		return;
	}
	if (tunnel)
		*c = inner;
	else
		trim_take_at_most(c, COUNTER);
}

static bool trim_take_ipv4(struct cursor *c, struct trim *t)
{
	const uint8_t *h = cur_peek(c, 20);
	uint32_t length = h ? (h[0] & 15U) * 4 : 0;

	if (!h || h[0] >> 4 != 4 || length < 20 || !cur_take(c, length))
		return false;
	/* Later fragments are all payload. */
	if (!(be16(h + 6) & 0x1fff))
		trim_take_transport(c, h[9], t);
	else if (h[9] != IP_TCP && h[9] != IP_UDP)
		trim_take_at_most(c, COUNTER);
	return true;
}

/* RFC 8200: skips extension headers, at most eight. False: cut inside them. */
static bool trim_skip_extensions(struct cursor *c, uint8_t *next, bool *ret_later)
{
	const uint8_t *e;

	*ret_later = false;
	for (int i = 0; i < 8; i++) {
		if (*next == IP6_FRAGMENT) {
			e = cur_take(c, 8);
			*ret_later = e && be16(e + 2) & 0xfff8;
		} else if (*next == IP6_HOP || *next == IP6_ROUTING || *next == IP6_DESTINATION) {
			e = cur_peek(c, 8);
			e = e ? cur_take(c, 8U + e[1] * 8U) : NULL;
		} else {
			return true;
		}
		if (!e)
			return false;
		*next = e[0];
		if (*ret_later)
			return true;
	}
	return true;
}

static bool trim_take_ipv6(struct cursor *c, struct trim *t)
{
	const uint8_t *h = cur_peek(c, 40);
	uint8_t next = h ? h[6] : IP6_NONE;
	bool later;

	if (!h || h[0] >> 4 != 6 || !cur_take(c, 40))
		return false;
	if (!trim_skip_extensions(c, &next, &later))
		trim_take_all(c);
	else if (!later)
		trim_take_transport(c, next, t);
	return true;
}

static bool trim_take_ip(struct cursor *c, struct trim *t)
{
	const uint8_t *h = cur_peek(c, 1);

	return h && (h[0] >> 4 == 4 ? trim_take_ipv4(c, t) : trim_take_ipv6(c, t));
}

uint32_t trim_ip(const uint8_t *data, uint32_t cap_len, struct trim_payload *ret_payload)
{
	struct cursor c = cur_of(data, cap_len);
	struct trim t = {.payload = ret_payload};

	*ret_payload = (struct trim_payload){0};
	return trim_take_ip(&c, &t) ? cap_len - (uint32_t)c.left : cap_len;
}

uint32_t trim_frame(
	uint16_t link_type, const uint8_t *data, uint32_t cap_len, struct trim_payload *ret_payload)
{
	static const struct {
		uint16_t link_type, header, ethertype;
	} links[] = {{1, 14, 12}, {113, 16, 14}, {276, 20, 0}};
	struct cursor c = cur_of(data, cap_len);
	struct trim t = {.payload = ret_payload};

	*ret_payload = (struct trim_payload){0};
	if (link_type == 12 || link_type == 101)
		return trim_ip(data, cap_len, ret_payload);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		const uint8_t *h;

		if (links[i].link_type != link_type)
			continue;
		h = cur_take(&c, links[i].header);
		return h && trim_take_ethertype(&c, be16(h + links[i].ethertype), &t)
			       ? cap_len - (uint32_t)c.left
			       : cap_len;
	}
	return cap_len;
}
