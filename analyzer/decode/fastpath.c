/*
 * fastpath: one look at what nearly every frame of a capture is, Ethernet with IPv4 and TCP,
 * without tags, tunnels, fragments or anything cut. It takes a third of the time of the steps of
 * link.c, ip.c and tcp.c, and what it fills in is what they would (tests hold one against the
 * other). All else is left to them.
 */
#include "decode/checksum.h"
#include "decode/layer.h"
#include "decode/tcpopt.h"
#include "read/capfile.h"

#define ETHERNET_LEN 14
#define IP_LEN 20
#define TCP_LEN 20
#define IP_AT ETHERNET_LEN
#define TCP_AT (IP_AT + IP_LEN)
#define VERSION_4_WORDS_5 0x45
#define DONT_FRAGMENT 0x4000
#define FRAGMENT_BITS 0x3fff /* more fragments, offset */

static inline void fastpath_take_link(struct packet *p, const uint8_t *d)
{
	memcpy(p->link.dst_mac, d, 6);
	memcpy(p->link.src_mac, d + 6, 6);
	p->link.has_dst_mac = true;
	p->link.has_src_mac = true;
	p->link.ethertype = ETHERTYPE_IPV4;
	p->link.vlan_count = 0;
	p->link.ifindex = 0;
	p->nflog.hook = PACKET_NO_HOOK;
	p->outer.tunnel = TUNNEL_NONE;
	p->outer.depth = 0;
}

static inline void fastpath_take_ip(struct packet *p, const uint8_t *h)
{
	p->version = 4;
	layer_map_v4(p->src, h + 12);
	layer_map_v4(p->dst, h + 16);
	p->ttl = h[8];
	p->tos = h[1];
	p->protocol = IPPROTO_TCP;
	p->ip_id = be16(h + 4);
	p->flow_label = 0;
	p->dont_fragment = be16(h + 6) & DONT_FRAGMENT;
	p->frag.more = false;
	p->frag.any = false;
	p->frag.offset = 0;
	p->ip_checksum_bad = ipv4_checksum_is_bad(h, IP_LEN);
}

static inline void fastpath_take_tcp(struct packet *p, const uint8_t *h, uint32_t header)
{
	p->src_port = be16(h);
	p->dst_port = be16(h + 2);
	p->tcp.seq = be32(h + 4);
	p->tcp.ack = be32(h + 8);
	p->tcp.flags = h[13];
	p->tcp.window = be16(h + 14);
	p->tcp.urgent = be16(h + 18);
	tcpopt_decode(h + TCP_LEN, header - TCP_LEN, header - TCP_LEN, p);
}

bool fastpath_decode(const struct frame *f, struct packet *p)
{
	uint32_t wire = f->wire_len > f->cap_len ? f->wire_len : f->cap_len, total, left, header;
	const uint8_t *d = f->data;

	if (f->cap_len < TCP_AT + TCP_LEN || be16(d + 12) != ETHERTYPE_IPV4 ||
		d[IP_AT] != VERSION_4_WORDS_5 || be16(d + IP_AT + 6) & FRAGMENT_BITS ||
		d[IP_AT + 9] != IPPROTO_TCP)
		return false;
	total = be16(d + IP_AT + 2);
	header = (d[TCP_AT + 12] >> 4) * 4u;
	left = f->cap_len - IP_AT < total ? f->cap_len - IP_AT : total;
	if (total > wire - IP_AT || header < TCP_LEN || IP_LEN + header > left)
		return false;
	fastpath_take_link(p, d);
	fastpath_take_ip(p, d + IP_AT);
	fastpath_take_tcp(p, d + TCP_AT, header);
	p->payload = d + TCP_AT + header;
	p->payload_cap = left - IP_LEN - header;
	p->payload_len = total - IP_LEN - header;
	p->checksum = checksum_of_tcp(p, d + TCP_AT, header);
	p->disposition = PACKET_TCP;
	return true;
}
