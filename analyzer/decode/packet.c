#include "decode/packet.h"

#include "base/compiler.h"
#include "decode/layer.h"
#include "read/capfile.h"

/* epb_flags: bits 0-1 direction, 2-4 how it was received (draft-ietf-opsawg-pcapng 4.3.1). */
#define EPB_DIRECTION 0x3u
#define EPB_RECEPTION 0x1cu
#define EPB_RECEPTION_PROMISCUOUS (4u << 2)

const char *packet_disposition_name(enum packet_disposition d)
{
	static const char *const names[PACKET_DISPOSITIONS] = {
		[PACKET_TCP] = "tcp",
		[PACKET_UDP] = "udp",
		[PACKET_ICMP] = "icmp",
		[PACKET_ND] = "nd",
		[PACKET_ARP] = "arp",
		[PACKET_VRRP] = "vrrp",
		[PACKET_CARP] = "carp",
		[PACKET_IP_OTHER] = "ip_other",
		[PACKET_FRAGMENT] = "fragment",
		[PACKET_OTHER_ETHERTYPE] = "other_ethertype",
		[PACKET_UNSUPPORTED_LINK] = "unsupported_link",
		[PACKET_TRUNCATED] = "truncated",
		[PACKET_MALFORMED] = "malformed",
	};

	return (unsigned)d < PACKET_DISPOSITIONS ? names[d] : "unknown";
}

static inline void packet_take_flags(struct packet *p, uint32_t epb_flags)
{
	uint32_t direction = epb_flags & EPB_DIRECTION;

	p->link.direction = direction == 3 ? PACKET_UNKNOWN : (uint8_t)direction;
	p->link.other_host = (epb_flags & EPB_RECEPTION) == EPB_RECEPTION_PROMISCUOUS;
}

/* The fields that are valid for every disposition; the rest of the struct is left as it is. */
static inline void packet_begin(struct packet *p, uint32_t epb_flags)
{
	packet_take_flags(p, epb_flags);
	p->link.has_src_mac = false;
	p->link.has_dst_mac = false;
	p->link.ethertype = 0;
	p->link.vlan_count = 0;
	p->link.ifindex = 0;
	p->nflog.hook = PACKET_NO_HOOK;
	p->outer.tunnel = TUNNEL_NONE;
	p->outer.depth = 0;
	p->version = 0;
	p->frag.any = false;
	p->checksum = CHECKSUM_UNKNOWN;
}

NOINLINE enum packet_disposition packet_decode_in_steps(
	const struct frame *frame, uint32_t link_type, struct packet *ret_packet)
{
	struct layer l = {
		.c = cur_of(frame->data, frame->cap_len),
		.wire = frame->wire_len > frame->cap_len ? frame->wire_len : frame->cap_len,
		.p = ret_packet,
	};

	packet_begin(ret_packet, frame->epb_flags);
	ret_packet->disposition = link_decode(&l, link_type);
	return ret_packet->disposition;
}

enum packet_disposition packet_decode(
	const struct frame *frame, uint32_t link_type, struct packet *ret_packet)
{
	if (__builtin_expect(link_type == LINK_ETHERNET && fastpath_decode(frame, ret_packet), 1)) {
		packet_take_flags(ret_packet, frame->epb_flags);
		return PACKET_TCP;
	}
	return packet_decode_in_steps(frame, link_type, ret_packet);
}
