/*
 * trim: how much of a frame to keep without payload: up to the end of the TCP or UDP header, inside
 * VXLAN, Geneve, GRE, IP in IP and GTP-U of the inner one. Of what is encrypted (WireGuard, DTLS,
 * ESP) and of RoCE 16 bytes: the number that tells packets apart stands there in clear. What
 * ICMP errors quote is cut likewise. Other messages of ICMP and other protocols (ARP, VRRP ...) are
 * kept up to the snap length.
 */
#pragma once

#include <stdint.h>

/* A datagram's payload that is cut. TCP's is told by its numbers. at: NULL: none. */
struct trim_payload {
	const uint8_t *at;
	uint32_t length;
};

/* link_type as in pcapng (1 Ethernet, 113 SLL, 276 SLL2, 12/101 raw). Returns at most cap_len. */
uint32_t trim_frame(uint16_t link_type, const uint8_t *data, uint32_t cap_len,
	struct trim_payload *ret_payload);

/* The same, for data that starts with an IPv4 or IPv6 header. */
uint32_t trim_ip(const uint8_t *data, uint32_t cap_len, struct trim_payload *ret_payload);
