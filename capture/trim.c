#include "trim.h"

#include "base/cursor.h"

enum { ETHER_VLAN = 0x8100, ETHER_QINQ = 0x88a8, ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86dd };
enum {
	IP_TCP = 6,
	IP_UDP = 17,
	IP6_HOP = 0,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_DESTINATION = 60
};

/* c is at the transport header: the length of that header, or of all the rest. */
static uint32_t trim_transport_header(const struct cursor *c, uint8_t protocol)
{
	uint32_t length;

	if (protocol == IP_UDP)
		return c->left < 8 ? (uint32_t)c->left : 8;
	if (protocol != IP_TCP || c->left < 20)
		return (uint32_t)c->left;
	length = (uint32_t)(c->at[12] >> 4) * 4;
	if (length < 20)
		length = 20;
	return c->left < length ? (uint32_t)c->left : length;
}

static uint32_t trim_ipv4(struct cursor *c)
{
	const uint8_t *h = cur_peek(c, 20);
	uint32_t length;

	if (!h)
		return (uint32_t)c->left;
	length = (uint32_t)(h[0] & 15) * 4;
	if (length < 20 || !cur_take(c, length))
		return (uint32_t)c->left;
	/* Later fragments are all payload. */
	if ((h[9] == IP_TCP || h[9] == IP_UDP) && be16(h + 6) & 0x1fff)
		return length;
	return length + trim_transport_header(c, h[9]);
}

/* RFC 8200: skips extension headers, at most eight. */
static uint32_t trim_ipv6(struct cursor *c)
{
	const uint8_t *begin = c->at, *h = cur_take(c, 40), *e;
	uint8_t next = h ? h[6] : 59;
	int i;

	if (!h)
		return (uint32_t)c->left;
	for (i = 0; i < 8; i++) {
		if (next == IP6_FRAGMENT) {
			e = cur_take(c, 8);
			if (e && be16(e + 2) & 0xfff8)
				return (uint32_t)(c->at - begin);
		} else if (next == IP6_HOP || next == IP6_ROUTING || next == IP6_DESTINATION) {
			e = cur_peek(c, 8);
			e = e ? cur_take(c, 8U + e[1] * 8U) : NULL;
		} else {
			break;
		}
		if (!e)
			return (uint32_t)(c->at - begin) + (uint32_t)c->left;
		next = e[0];
	}
	return (uint32_t)(c->at - begin) + trim_transport_header(c, next);
}

uint32_t trim_ip(const uint8_t *data, uint32_t cap_len)
{
	struct cursor c = cur_of(data, cap_len);

	if (!cap_len)
		return 0;
	return data[0] >> 4 == 4 ? trim_ipv4(&c) : data[0] >> 4 == 6 ? trim_ipv6(&c) : cap_len;
}

static uint32_t trim_ethertype(struct cursor *c, const uint8_t *begin, uint16_t type)
{
	uint32_t all = (uint32_t)(c->at - begin) + (uint32_t)c->left;
	const uint8_t *tag;

	while (type == ETHER_VLAN || type == ETHER_QINQ) {
		tag = cur_take(c, 4);
		if (!tag)
			return all;
		type = be16(tag + 2);
	}
	if (type != ETHER_IPV4 && type != ETHER_IPV6)
		return all;
	return (uint32_t)(c->at - begin) + trim_ip(c->at, (uint32_t)c->left);
}

uint32_t trim_frame(uint16_t link_type, const uint8_t *data, uint32_t cap_len)
{
	struct cursor c = cur_of(data, cap_len);
	const uint8_t *h;

	switch (link_type) {
	case 1:
		h = cur_take(&c, 14);
		return h ? trim_ethertype(&c, data, be16(h + 12)) : cap_len;
	case 113:
		h = cur_take(&c, 16);
		return h ? trim_ethertype(&c, data, be16(h + 14)) : cap_len;
	case 276:
		h = cur_take(&c, 20);
		return h ? trim_ethertype(&c, data, be16(h)) : cap_len;
	case 12:
	case 101:
		return trim_ip(data, cap_len);
	default:
		return cap_len;
	}
}
