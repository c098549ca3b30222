/*
 * trim: how much of a frame is kept when payload is not wanted: up to the end of the TCP or UDP
 * header. Everything that isn't TCP or UDP (ARP, ICMP, VRRP ...) is kept, within the snap length.
 */
#pragma once

#include <stdint.h>

/* link_type as in pcapng (1 Ethernet, 113 SLL, 276 SLL2, 12/101 raw). Returns at most cap_len. */
uint32_t trim_frame(uint16_t link_type, const uint8_t *data, uint32_t cap_len);

/* The same from an IPv4 or IPv6 header on. */
uint32_t trim_ip(const uint8_t *data, uint32_t cap_len);
