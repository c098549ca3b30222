/* ip: IPv4 and IPv6 headers, their options and extension headers. */
#include "anonymise/layers.h"

#define IPV4_LEN 20
#define IPV6_LEN 40

enum { HOP_BY_HOP = 0, TCP = 6, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60 };
enum { PAD1 = 0, PADN = 1, JUMBO = 0xc2 };

/* Not whole in the capture: what there is of it goes. */
static void ip_cut(struct rewriting *r, struct extent x)
{
	layers_payload(r, x);
}

static void ip_v4(struct rewriting *r, struct extent x)
{
	const uint8_t *h = r->old + x.at;
	struct extent all = x, header, rest;
	struct carrier ip = {.version = 4, .src = x.at + 12, .dst = x.at + 16};
	size_t size, total;

	if (extent_left(x) < IPV4_LEN || h[0] >> 4 != 4 || (h[0] & 15) < 5) {
		ip_cut(r, x);
		return;
	}
	size = (h[0] & 15) * 4u;
	total = be16(h + 2);
	if (total >= size)
		extent_limit(r, &all, total);
	disguise_ipv4(r->d, r->new + ip.src);
	disguise_ipv4(r->d, r->new + ip.dst);
	header = (struct extent){all.at, all.at + size < all.end ? all.at + size : all.end};
	/* Options may hold addresses: they become "no operation". */
	memset(r->new + all.at + IPV4_LEN, 1, extent_left(header) - IPV4_LEN);
	layers_checksum(r, all.at + 10, header, NULL, 0);
	rest = (struct extent){header.end, all.end};
	ip.length = total >= size ? total - size : extent_left(rest);
	if (be16(h + 6) & 0x1fff)
		layers_payload(r, rest);
	else
		layers_transport(r, h[9], &ip, rest);
}

/* Options: kind 1, length 1, data. Padding and a jumbo length stay; of others only the size. */
static void ip_options(struct rewriting *r, struct extent x)
{
	while (x.at < x.end) {
		uint8_t kind = r->old[x.at];
		size_t length = kind == PAD1	      ? 1
				: extent_left(x) >= 2 ? r->old[x.at + 1] + 2u
						      : x.end + 1;

		if (length > extent_left(x)) {
			layers_zero(r, x);
			return;
		}
		if (kind != PAD1 && kind != JUMBO) {
			r->new[x.at] = PADN;
			layers_zero(r, (struct extent){x.at + 2, x.at + length});
		}
		x.at += length;
	}
}

/* Extension headers up to the transport; false: the packet's own bytes end before, or a later
 * fragment's follow. */
static bool ip_extensions(struct rewriting *r, struct extent *x, uint8_t *protocol)
{
	while (*protocol == HOP_BY_HOP || *protocol == ROUTING || *protocol == FRAGMENT ||
		*protocol == DESTINATION) {
		const uint8_t *h = r->old + x->at;
		struct extent body = *x;
		size_t length;

		if (extent_left(*x) < 8)
			return false;
		length = *protocol == FRAGMENT ? 8 : (h[1] + 1u) * 8;
		if (!extent_skip(x, length))
			return false;
		body = (struct extent){body.at + 2, x->at};
		if (*protocol == ROUTING) /* addresses of the way; segments left stay */
			layers_zero(r, (struct extent){body.at + 2, body.end});
		else if (*protocol != FRAGMENT)
			ip_options(r, body);
		else if (be16(h + 2) & 0xfff8)
			return false;
		*protocol = h[0];
	}
	return true;
}

static void ip_v6(struct rewriting *r, struct extent x)
{
	const uint8_t *h = r->old + x.at;
	struct carrier ip = {.version = 6, .src = x.at + 8, .dst = x.at + 24};
	size_t length, start = x.at + IPV6_LEN;
	uint8_t protocol;

	if (extent_left(x) < IPV6_LEN || h[0] >> 4 != 6) {
		ip_cut(r, x);
		return;
	}
	length = be16(h + 4);
	protocol = h[6];
	if (length) /* 0: a jumbo or super packet */
		extent_limit(r, &x, IPV6_LEN + length);
	disguise_ipv6(r->d, r->new + ip.src);
	disguise_ipv6(r->d, r->new + ip.dst);
	x.at = start;
	if (!ip_extensions(r, &x, &protocol)) {
		layers_payload(r, x);
		return;
	}
	ip.length = length ? length - (x.at - start) : extent_left(x);
	layers_transport(r, protocol, &ip, x);
}

void layers_ip(struct rewriting *r, unsigned version, struct extent x)
{
	if (r->depth >= LAYERS_DEPTH_MAX) {
		layers_payload(r, x);
		return;
	}
	r->depth++;
	if (version == 4)
		ip_v4(r, x);
	else
		ip_v6(r, x);
	r->depth--;
}
