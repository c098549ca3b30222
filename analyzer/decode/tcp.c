/*
 * tcp: RFC 9293 3.1.
 *
 *  0 source port   2 destination port   4 sequence   8 acknowledgment   12 header words 4, reserved
 * 4 13 flags   14 window   16 checksum   18 urgent   20 options
 */
#include "decode/checksum.h"
#include "decode/layer.h"
#include "decode/tcpopt.h"

#define TCP_HDR_LEN 20

enum packet_disposition tcp_decode(struct layer *l)
{
	const uint8_t *h = cur_peek(&l->c, TCP_HDR_LEN);
	struct packet *p = l->p;
	uint32_t header, captured;

	if (!h)
		return layer_short(l, TCP_HDR_LEN);
	header = (h[12] >> 4) * 4u;
	if (header < TCP_HDR_LEN || header > l->wire)
		return PACKET_MALFORMED;
	captured = l->c.left < header ? (uint32_t)l->c.left : header;
	p->src_port = be16(h);
	p->dst_port = be16(h + 2);
	p->tcp.seq = be32(h + 4);
	p->tcp.ack = be32(h + 8);
	p->tcp.flags = h[13];
	p->tcp.window = be16(h + 14);
	p->tcp.urgent = be16(h + 18);
	p->payload = h + captured;
	p->payload_cap = (uint32_t)l->c.left - captured;
	p->payload_len = l->wire - header;
	tcpopt_decode(h + TCP_HDR_LEN, captured - TCP_HDR_LEN, header - TCP_HDR_LEN, p);
	if (captured == header && !l->wire_unknown)
		p->checksum = checksum_of_tcp(p, h, header);
	return PACKET_TCP;
}
