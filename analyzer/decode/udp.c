/*
 * udp: RFC 768: source port 2, destination port 2, length 2 (with this header), checksum 2.
 */
#include "decode/checksum.h"
#include "decode/layer.h"

#define UDP_HDR_LEN 8

#define PORT_VXLAN 4789	      /* RFC 7348 */
#define PORT_VXLAN_LINUX 8472 /* what Linux used before, and still does unless told */
#define PORT_GENEVE 6081      /* RFC 8926 */
#define PORT_GTPU 2152	      /* 3GPP TS 29.281 */
#define PORT_TZSP 37008	      /* what mirrors frames to an analyzer */

/*
 * A length of 0 belongs to a jumbogram (RFC 2675 4). The rest of a first fragment is elsewhere.
 * Bytes beyond the length are no contradiction (RFC 9868 puts options there).
 */
static bool udp_length_is_bad(const struct layer *l, uint32_t length)
{
	if (length == 0)
		return l->wire <= UINT16_MAX;
	return length < UDP_HDR_LEN || (length > l->wire && !l->p->frag.any);
}

/* A checksum of 0 is none. What lies beyond the length is not covered. */
static enum packet_checksum udp_checksum(const struct packet *p, const uint8_t *h)
{
	if (p->frag.any || p->udp_length_bad || p->payload_cap != p->payload_len || !be16(h + 6) ||
		!be16(h + 4))
		return CHECKSUM_UNKNOWN;
	return checksum_of_transport(p, h, UDP_HDR_LEN + p->payload_len);
}

enum packet_disposition udp_decode(struct layer *l)
{
	const uint8_t *h = cur_peek(&l->c, UDP_HDR_LEN);
	struct packet *p = l->p;
	uint32_t length;

	if (!h)
		return layer_short(l, UDP_HDR_LEN);
	length = be16(h + 4);
	p->src_port = be16(h);
	p->dst_port = be16(h + 2);
	p->udp_length_bad = udp_length_is_bad(l, length);
	if (length >= UDP_HDR_LEN && length < l->wire)
		layer_limit(l, length);
	(void)layer_take(l, UDP_HDR_LEN);
	layer_payload(l);
	p->checksum = l->wire_unknown ? CHECKSUM_UNKNOWN : udp_checksum(p, h);
	switch (p->dst_port) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return vxlan_decode(l, PACKET_UDP);
	case PORT_GENEVE:
		return geneve_decode(l, PACKET_UDP);
	case PORT_GTPU:
		return gtpu_decode(l, PACKET_UDP);
	case PORT_TZSP:
		return tzsp_decode(l, PACKET_UDP);
	}
	return PACKET_UDP;
}
