/* vrrp: VRRP v2 (RFC 3768) and v3 (RFC 5798, RFC 9568) advertisements. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"

#define VRRP_ADDRESS_MAX 20

/* Which of the conventions in use the checksum follows; they differ for v3 over IPv4. */
enum vrrp_checksum {
	VRRP_CHECKSUM_UNKNOWN, /* not all bytes were captured */
	VRRP_CHECKSUM_MESSAGE, /* message only (v2; v3 by RFC 9568) */
	VRRP_CHECKSUM_PSEUDO,  /* with pseudo-header (v3 IPv6; keepalived v3 IPv4) */
	VRRP_CHECKSUM_BAD,
};

struct vrrp_message {
	uint8_t version, vrid, priority;
	uint8_t auth_type; /* v2 */
	bool has_auth_data;
	uint8_t auth_data[8];
	int64_t interval_ns;
	enum vrrp_checksum checksum;
	uint8_t address_count; /* as said; at most VRRP_ADDRESS_MAX are in addresses */
	uint8_t address_kept;
	uint8_t addresses[VRRP_ADDRESS_MAX][16]; /* v4-mapped */
};

/*
 * Decodes a PACKET_VRRP packet; false when it is none, or no advertisement of version 2 or 3, or
 * fewer bytes than the fixed header were captured.
 */
bool vrrp_decode(const struct packet *p, struct vrrp_message *ret_message);
