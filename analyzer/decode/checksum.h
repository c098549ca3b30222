/* checksum: the Internet checksum (RFC 1071) of TCP and UDP. Private to decode/. */
#pragma once

#include "decode/packet.h"

/*
 * Of the transport header h and its payload, length bytes in all, in the packet whose addresses,
 * version and protocol are set.
 */
enum packet_checksum checksum_of_transport(
	const struct packet *p, const uint8_t *h, uint32_t length);

/* Pure ACKs are not worth the time: nothing follows from a wrong one. */
static inline enum packet_checksum checksum_of_tcp(
	const struct packet *p, const uint8_t *h, uint32_t header)
{
	if (p->payload_cap != p->payload_len || p->frag.any ||
		(!p->payload_len && !(p->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST))))
		return CHECKSUM_UNKNOWN;
	return checksum_of_transport(p, h, header + p->payload_len);
}
