/* packet_text: a decoded packet as one line of key=value, for tests to compare. */
#pragma once

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "decode/packet.h"

static inline void text_address(struct strbuf *sb, const char *key, const uint8_t a[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];

	if (memcmp(a, mapped, 12) == 0)
		inet_ntop(AF_INET, a + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, a, text, sizeof(text));
	strbuf_printf(sb, " %s=%s", key, text);
}

static inline void text_mac(struct strbuf *sb, const char *key, const uint8_t m[6])
{
	strbuf_printf(
		sb, " %s=%02x:%02x:%02x:%02x:%02x:%02x", key, m[0], m[1], m[2], m[3], m[4], m[5]);
}

static inline void text_link(struct strbuf *sb, const struct packet *p)
{
	if (p->link.has_dst_mac)
		text_mac(sb, "to", p->link.dst_mac);
	if (p->link.has_src_mac)
		text_mac(sb, "from", p->link.src_mac);
	if (p->link.direction)
		strbuf_printf(sb, " dir=%s", p->link.direction == PACKET_IN ? "in" : "out");
	if (p->link.other_host)
		strbuf_adds(sb, " other_host");
	if (p->link.ifindex)
		strbuf_printf(sb, " if=%u", p->link.ifindex);
	if (p->link.vlan_count)
		strbuf_printf(sb, " vlan=%u/%u", p->link.vlan_id, p->link.vlan_count);
	if (p->link.ethertype)
		strbuf_printf(sb, " type=%04x", p->link.ethertype);
}

static inline void text_nflog(struct strbuf *sb, const struct packet *p)
{
	strbuf_printf(
		sb, " hook=%u prefix='%s' mark=%u", p->nflog.hook, p->nflog.prefix, p->nflog.mark);
	if (p->nflog.uid != PACKET_NO_UID)
		strbuf_printf(sb, " uid=%u", p->nflog.uid);
	if (p->nflog.has_seq)
		strbuf_printf(sb, " nflog_seq=%u", p->nflog.seq);
	if (p->nflog.time_ns != INT64_MIN)
		strbuf_printf(sb, " time=%" PRId64, p->nflog.time_ns);
}

static inline void text_ip(struct strbuf *sb, const struct packet *p)
{
	static const char *const tunnels[] = {
		"none", "vxlan", "geneve", "gre", "ipip", "erspan", "gtpu", "tzsp"};

	if (p->outer.depth) {
		strbuf_printf(sb, " tunnel=%s/%u id=%u", tunnels[p->outer.tunnel], p->outer.depth,
			p->outer.tunnel_id);
		text_address(sb, "osrc", p->outer.src);
		text_address(sb, "odst", p->outer.dst);
	}
	if (!p->version)
		return;
	text_address(sb, "src", p->src);
	text_address(sb, "dst", p->dst);
	strbuf_printf(sb, " proto=%u ttl=%u tos=%u ipid=%u", p->protocol, p->ttl, p->tos, p->ip_id);
	if (p->version == 6)
		strbuf_printf(sb, " label=%u", p->flow_label);
	else if (p->dont_fragment)
		strbuf_adds(sb, " df");
	if (p->ip_checksum_bad)
		strbuf_adds(sb, " ipsum=bad");
	if (p->frag.any)
		strbuf_printf(sb, " frag=%u%s", p->frag.offset, p->frag.more ? "+" : "");
}

static inline void text_checksum(struct strbuf *sb, const struct packet *p)
{
	if (p->checksum != CHECKSUM_UNKNOWN)
		strbuf_adds(sb, p->checksum == CHECKSUM_WRONG ? " sum=wrong" : " sum=right");
	if (p->outer.depth && p->outer.checksum == CHECKSUM_WRONG)
		strbuf_adds(sb, " outer_sum=wrong");
}

static inline void text_options(struct strbuf *sb, const struct packet *p)
{
	if (p->tcp.options & TCPOPT_HAS_MSS)
		strbuf_printf(sb, " mss=%u", p->tcp.mss);
	if (p->tcp.options & TCPOPT_HAS_WSCALE)
		strbuf_printf(sb, " wscale=%u", p->tcp.wscale);
	if (p->tcp.options & TCPOPT_HAS_SACK_PERMITTED)
		strbuf_adds(sb, " sackok");
	if (p->tcp.options & TCPOPT_HAS_TIMESTAMP)
		strbuf_printf(sb, " tsval=%u tsecr=%u", p->tcp.tsval, p->tcp.tsecr);
	if (p->tcp.options & TCPOPT_HAS_SACK)
		strbuf_adds(sb, " sack=");
	for (unsigned i = 0; i < p->tcp.sack_count; i++)
		strbuf_printf(sb, "%s%u-%u", i ? "," : "", p->tcp.sack[i][0], p->tcp.sack[i][1]);
	if (p->tcp.options & TCPOPT_HAS_FAST_OPEN)
		strbuf_adds(sb, " tfo");
	if (p->tcp.options & TCPOPT_HAS_MPTCP)
		strbuf_adds(sb, " mptcp");
	if (p->tcp.options & TCPOPT_TRUNCATED)
		strbuf_adds(sb, " opt=cut");
	if (p->tcp.options_bad)
		strbuf_adds(sb, " opt=bad");
}

static inline void text_quote(struct strbuf *sb, const struct packet_quote *q)
{
	text_address(sb, "qsrc", q->src);
	text_address(sb, "qdst", q->dst);
	strbuf_printf(sb, " qproto=%u qttl=%u qports=%u,%u qseq=%u qid=%u qlen=%u", q->protocol,
		q->ttl, q->src_port, q->dst_port, q->seq, q->ip_id, q->total_len);
}

static inline void text_transport(struct strbuf *sb, const struct packet *p)
{
	switch (p->disposition) {
	case PACKET_TCP:
		strbuf_printf(sb, " ports=%u,%u seq=%u ack=%u flags=%02x win=%u", p->src_port,
			p->dst_port, p->tcp.seq, p->tcp.ack, p->tcp.flags, p->tcp.window);
		text_options(sb, p);
		text_checksum(sb, p);
		break;
	case PACKET_UDP:
		strbuf_printf(sb, " ports=%u,%u%s", p->src_port, p->dst_port,
			p->udp_length_bad ? " length=bad" : "");
		text_checksum(sb, p);
		break;
	case PACKET_ICMP:
	case PACKET_ND:
		strbuf_printf(
			sb, " icmp=%u/%u rest=%08x", p->icmp.type, p->icmp.code, p->icmp.rest);
		if (p->src_port)
			strbuf_printf(sb, " ident=%u", p->src_port);
		if (p->icmp.has_quote)
			text_quote(sb, &p->icmp.quote);
		break;
	case PACKET_IP_OTHER:
	case PACKET_FRAGMENT:
	case PACKET_VRRP:
	case PACKET_CARP:
		break;
	default:
		return;
	}
	strbuf_printf(sb, " len=%u cap=%u", p->payload_len, p->payload_cap);
}

/* Only what the disposition makes valid is printed. */
static inline void packet_text(struct strbuf *sb, const struct packet *p)
{
	strbuf_adds(sb, packet_disposition_name(p->disposition));
	text_link(sb, p);
	if (p->nflog.hook != PACKET_NO_HOOK)
		text_nflog(sb, p);
	text_ip(sb, p);
	text_transport(sb, p);
	if (p->disposition == PACKET_ARP || p->disposition == PACKET_ND ||
		p->disposition == PACKET_VRRP || p->disposition == PACKET_CARP)
		strbuf_printf(sb, " message=%u/%u", p->body.cap, p->body.len);
}
