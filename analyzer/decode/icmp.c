/*
 * icmp: ICMP (RFC 792) and ICMPv6 (RFC 4443): type 1, code 1, checksum 2, rest of the header 4,
 * then data; in an error that is the start of the packet it is about.
 */
#include "decode/layer.h"

#define ICMP_HDR_LEN 8

enum icmp_type {
	ICMP_UNREACHABLE = 3,
	ICMP_SOURCE_QUENCH = 4,
	ICMP_REDIRECT = 5,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER_PROBLEM = 12,
	ICMP_ECHO_REPLY = 0,
	ICMP_ECHO = 8,
	ICMP_TIMESTAMP = 13,
	ICMP_TIMESTAMP_REPLY = 14,
};

enum icmp6_type {
	ICMP6_UNREACHABLE = 1,
	ICMP6_PARAMETER_PROBLEM = 4, /* 2 and 3 are errors too */
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ND_ROUTER_SOLICITATION = 133,
	ND_REDIRECT = 137, /* the ones between are ND's too */
};

#define IPV4_HDR_LEN 20
#define IPV6_HDR_LEN 40
#define EXTENSION_MIN_LEN 8

static bool icmp_is_error(uint8_t type)
{
	return type == ICMP_UNREACHABLE || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER_PROBLEM;
}

static bool icmp_has_identifier(uint8_t type)
{
	return type == ICMP_ECHO || type == ICMP_ECHO_REPLY || type == ICMP_TIMESTAMP ||
	       type == ICMP_TIMESTAMP_REPLY;
}

static bool icmp_has_identifier6(uint8_t type)
{
	return type == ICMP6_ECHO || type == ICMP6_ECHO_REPLY;
}

/*
 * The quoted transport header, of which an error carries at least 8 bytes (RFC 792). false when
 * those that name the flow are not all there.
 */
static bool icmp_quote_transport(struct cursor *c, struct packet_quote *q)
{
	const uint8_t *h;

	switch (q->protocol) {
	case IPPROTO_TCP:
		h = cur_take(c, 8);
		if (!h)
			return false;
		q->seq = be32(h + 4);
		break;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		h = cur_take(c, 4);
		if (!h)
			return false;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		h = cur_take(c, ICMP_HDR_LEN);
		if (!h)
			return false;
		if (q->version == 4 ? icmp_has_identifier(h[0]) : icmp_has_identifier6(h[0]))
			q->src_port = q->dst_port = be16(h + 4);
		return true;
	default:
		return true;
	}
	q->src_port = be16(h);
	q->dst_port = be16(h + 2);
	return true;
}

static bool icmp_quote_v4(struct cursor *c, struct packet_quote *q)
{
	const uint8_t *h = cur_peek(c, IPV4_HDR_LEN);
	uint32_t header;

	if (!h)
		return false;
	header = (h[0] & 0xf) * 4u;
	if (h[0] >> 4 != 4 || header < IPV4_HDR_LEN || !cur_take(c, header))
		return false;
	q->version = 4;
	q->protocol = h[9];
	q->ttl = h[8];
	layer_map_v4(q->src, h + 12);
	layer_map_v4(q->dst, h + 16);
	q->ip_id = be16(h + 4);
	q->total_len = be16(h + 2);
	/* A fragment that is not the first has no ports. */
	return (be16(h + 6) & 0x1fff) != 0 || icmp_quote_transport(c, q);
}

/* Passes extension headers; *ret_later: a fragment without the transport header. */
static bool icmp_quote_extensions(struct cursor *c, struct packet_quote *q, bool *ret_later)
{
	*ret_later = false;
	for (;;) {
		const uint8_t *h;
		size_t length;

		switch (q->protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_FRAGMENT:
			break;
		default:
			return true;
		}
		h = cur_peek(c, EXTENSION_MIN_LEN);
		if (!h)
			return false;
		length = q->protocol == IPPROTO_FRAGMENT ? EXTENSION_MIN_LEN : (h[1] + 1u) * 8;
		if (!cur_take(c, length))
			return false;
		if (q->protocol == IPPROTO_FRAGMENT && (be16(h + 2) & 0xfff8))
			*ret_later = true;
		q->protocol = h[0];
		if (*ret_later)
			return true;
	}
}

static bool icmp_quote_v6(struct cursor *c, struct packet_quote *q)
{
	const uint8_t *h = cur_take(c, IPV6_HDR_LEN);
	uint32_t total;
	bool later;

	if (!h || h[0] >> 4 != 6)
		return false;
	total = be16(h + 4) + (uint32_t)IPV6_HDR_LEN;
	q->version = 6;
	q->protocol = h[6];
	q->ttl = h[7];
	memcpy(q->src, h + 8, 16);
	memcpy(q->dst, h + 24, 16);
	q->ip_id = 0;
	q->total_len = total > UINT16_MAX ? UINT16_MAX : (uint16_t)total;
	return icmp_quote_extensions(c, q, &later) && (later || icmp_quote_transport(c, q));
}

/* The quote is read from what was captured of it; what the error itself cut off is cut off. */
static void icmp_take_quote(struct layer *l, bool v6)
{
	struct packet_quote *q = &l->p->icmp.quote;
	struct cursor c = l->c;

	q->src_port = 0;
	q->dst_port = 0;
	q->seq = 0;
	l->p->icmp.has_quote = v6 ? icmp_quote_v6(&c, q) : icmp_quote_v4(&c, q);
}

/* The header's fields; false when it is not whole. */
static bool icmp_take_header(struct layer *l)
{
	const uint8_t *h = layer_take(l, ICMP_HDR_LEN);
	struct packet *p = l->p;

	if (!h)
		return false;
	p->icmp.type = h[0];
	p->icmp.code = h[1];
	p->icmp.checksum = be16(h + 2);
	p->icmp.rest = be32(h + 4);
	p->src_port = 0;
	p->dst_port = 0;
	p->icmp.has_quote = false;
	layer_payload(l);
	return true;
}

static void icmp_take_identifier(struct packet *p)
{
	p->src_port = p->dst_port = (uint16_t)(p->icmp.rest >> 16);
}

enum packet_disposition icmp_decode(struct layer *l)
{
	if (!icmp_take_header(l))
		return layer_short(l, ICMP_HDR_LEN);
	if (icmp_has_identifier(l->p->icmp.type))
		icmp_take_identifier(l->p);
	else if (icmp_is_error(l->p->icmp.type))
		icmp_take_quote(l, false);
	return PACKET_ICMP;
}

enum packet_disposition icmp6_decode(struct layer *l)
{
	struct layer message = *l;
	uint8_t type;

	if (!icmp_take_header(l))
		return layer_short(l, ICMP_HDR_LEN);
	type = l->p->icmp.type;
	if (type >= ND_ROUTER_SOLICITATION && type <= ND_REDIRECT) {
		layer_message(&message);
		return PACKET_ND;
	}
	if (icmp_has_identifier6(type))
		icmp_take_identifier(l->p);
	else if (type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER_PROBLEM)
		icmp_take_quote(l, true);
	return PACKET_ICMP;
}
