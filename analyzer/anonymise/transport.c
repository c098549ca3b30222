/* transport: TCP, UDP, VRRP, tunnels, and what is none of them. */
#include "anonymise/layers.h"

#define TCP_LEN 20
#define UDP_LEN 8
#define VRRP_LEN 8
#define VXLAN_LEN 8
#define GENEVE_LEN 8
#define AH_LEN 12

enum {
	ICMP = 1,
	IPIP = 4,
	TCP = 6,
	UDP = 17,
	IPV6 = 41,
	GRE = 47,
	AH = 51,
	ICMP6 = 58,
	VRRP = 112
};
enum { PORT_VXLAN = 4789, PORT_VXLAN_OLD = 8472, PORT_GENEVE = 6081 };
enum { TYPE_TEB = 0x6558, TYPE_ERSPAN2 = 0x88be };

/* Options with numbers stay; others (an MPTCP address, a cookie, a signature) keep kind and length.
 */
static bool transport_has_numbers(uint8_t kind)
{
	enum { MSS = 2, WINDOW_SCALE, SACK_PERMITTED, SACK, TIME_STAMPS = 8 };

	return (kind >= MSS && kind <= SACK) || kind == TIME_STAMPS;
}

/* One that the capture or the header cuts short ends the list, and is still cut after. */
static void transport_tcp_options(struct rewriting *r, struct extent x)
{
	enum { END, NOP };

	while (x.at < x.end) {
		uint8_t kind = r->old[x.at];
		size_t length = kind == NOP ? 1 : extent_left(x) >= 2 ? r->old[x.at + 1] : 2;
		struct extent body = {x.at + 2, x.at + length};

		if (kind == END || (kind != NOP && length < 2)) {
			layers_zero(r, (struct extent){x.at + (kind == END ? 1 : 2), x.end});
			return;
		}
		if (body.end > x.end)
			body.end = x.end;
		if (body.at < body.end && kind != NOP && !transport_has_numbers(kind))
			layers_payload(r, body);
		x.at = length > extent_left(x) ? x.end : x.at + length;
	}
}

static void transport_tcp(struct rewriting *r, const struct carrier *ip, struct extent x)
{
	struct extent all = x, options;
	size_t header;

	if (!extent_skip(&x, TCP_LEN))
		return;
	header = (r->old[all.at + 12] >> 4) * 4u;
	options = (struct extent){x.at, all.at + header < x.at ? x.at : all.at + header};
	if (options.end > x.end)
		options.end = x.end;
	transport_tcp_options(r, options);
	layers_payload(r, (struct extent){options.end, x.end});
	layers_checksum(r, all.at + 16, all, ip, TCP);
}

static bool transport_vxlan(struct rewriting *r, struct extent x)
{
	const uint8_t *h = r->old + x.at;

	if (extent_left(x) < VXLAN_LEN + 14 || h[0] != 8 || h[1] || h[2] || h[3] || h[7])
		return false;
	x.at += VXLAN_LEN;
	layers_ethernet(r, x);
	return true;
}

static bool transport_geneve(struct rewriting *r, struct extent x)
{
	const uint8_t *h = r->old + x.at;
	size_t options = extent_left(x) ? (h[0] & 0x3f) * 4u : 0;

	if (extent_left(x) < GENEVE_LEN + options + 14 || h[0] >> 6 || h[1] & 0x3f || h[7] ||
		be16(h + 2) != TYPE_TEB)
		return false;
	layers_zero(r, (struct extent){x.at + GENEVE_LEN, x.at + GENEVE_LEN + options});
	x.at += GENEVE_LEN + options;
	layers_ethernet(r, x);
	return true;
}

static void transport_udp(struct rewriting *r, const struct carrier *ip, struct extent x)
{
	struct extent all = x;
	uint16_t port;
	bool tunnel = false;

	if (!extent_skip(&x, UDP_LEN))
		return;
	port = be16(r->old + all.at + 2);
	if (r->depth < LAYERS_DEPTH_MAX && (port == PORT_VXLAN || port == PORT_VXLAN_OLD))
		tunnel = transport_vxlan(r, x);
	if (r->depth < LAYERS_DEPTH_MAX && port == PORT_GENEVE)
		tunnel = transport_geneve(r, x);
	if (!tunnel)
		layers_payload(r, x);
	layers_checksum(r, all.at + 6, all, ip, UDP);
}

/* Version 0 without routing: flags 2, EtherType 2, then 4 bytes each: checksum, key, sequence. */
static void transport_gre(struct rewriting *r, struct extent x)
{
	uint16_t flags, type;

	if (extent_left(x) < 4) {
		layers_payload(r, x);
		return;
	}
	flags = be16(r->old + x.at);
	type = be16(r->old + x.at + 2);
	x.at += 4;
	if (flags & 0x4fff || !extent_skip(&x, 4u * ((flags >> 15 & 1) + (flags >> 13 & 1) +
							    (flags >> 12 & 1)))) {
		layers_payload(r, x);
		return;
	}
	if (type == TYPE_ERSPAN2 && flags & 0x1000 && !extent_skip(&x, 8)) {
		layers_payload(r, x);
		return;
	}
	if (type == TYPE_TEB || type == TYPE_ERSPAN2)
		layers_ethernet(r, x);
	else
		layers_ethertype(r, type, x);
}

/* Header 8, addresses, and in version 2 a password: that goes. CARP's counter and digest go, too.
 */
static void transport_vrrp(struct rewriting *r, const struct carrier *ip, struct extent x)
{
	struct extent all = x;
	size_t size = ip->version == 4 ? 4 : 16;
	unsigned version, count;

	if (!extent_skip(&x, VRRP_LEN))
		return;
	version = r->old[all.at] >> 4;
	count = r->old[all.at + 3];
	if ((version == 2 && ip->length == VRRP_LEN + 4 * count + 8) ||
		(version == 3 && ip->length >= VRRP_LEN + size * count)) {
		for (; count && extent_left(x) >= size; count--, x.at += size)
			ip->version == 4 ? disguise_ipv4(r->d, r->new + x.at)
					 : disguise_ipv6(r->d, r->new + x.at);
		layers_zero(r, x);
	} else {
		layers_payload(r, x);
	}
	/* Version 3 over IPv4 is in use with and without a pseudo-header. */
	layers_checksum(r, all.at + 6, all,
		ip->version == 4 && layers_sum_is_right(r->old, all) ? NULL : ip, VRRP);
}

/* RFC 4302: next header 1, words minus 2, reserved, SPI, sequence number, a digest of it all. */
static void transport_authentication(struct rewriting *r, const struct carrier *ip, struct extent x)
{
	struct carrier inner = *ip;
	uint8_t next = extent_left(x) ? r->old[x.at] : 0;
	size_t length = extent_left(x) >= 2 ? (r->old[x.at + 1] + 2u) * 4 : 0;

	if (length < AH_LEN || extent_left(x) < length || next == AH) {
		layers_payload(r, x);
		return;
	}
	layers_payload(r, (struct extent){x.at + AH_LEN, x.at + length});
	x.at += length;
	inner.length -= length < inner.length ? length : inner.length;
	layers_transport(r, next, &inner, x);
}

void layers_transport(
	struct rewriting *r, uint8_t protocol, const struct carrier *ip, struct extent x)
{
	struct extent all = x;

	switch (protocol) {
	case TCP:
		transport_tcp(r, ip, x);
		return;
	case UDP:
		transport_udp(r, ip, x);
		return;
	case ICMP:
		layers_icmp(r, x);
		layers_checksum(r, all.at + 2, all, NULL, ICMP);
		return;
	case ICMP6:
		layers_icmp6(r, x);
		layers_checksum(r, all.at + 2, all, ip, ICMP6);
		return;
	case IPIP:
	case IPV6:
		layers_ip(r, protocol == IPIP ? 4 : 6, x);
		return;
	case GRE:
		transport_gre(r, x);
		return;
	case VRRP:
		transport_vrrp(r, ip, x);
		return;
	case AH:
		transport_authentication(r, ip, x);
		return;
	}
	layers_payload(r, x);
}
