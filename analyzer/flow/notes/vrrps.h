/* vrrps: VRRP advertisements that a vantage point saw. */
#pragma once

#include "decode/vrrp.h"

struct observation;

struct vrrp_row {
	int64_t at_ns;
	uint32_t frame;
	uint16_t src_mac;
	int32_t vlan; /* -1: untagged */
	uint16_t ip_id;
	uint8_t ttl, direction;
	uint8_t src[16], dst[16];
	struct vrrp_message message;
};

struct vrrp_notes {
	struct vrrp_row *rows;
	uint32_t count, cap;
	uint64_t refused; /* beyond NOTE_LIMIT */
};

void vrrps_release(struct vrrp_notes *n);
void vrrps_add(struct vrrp_notes *n, const struct observation *o);
