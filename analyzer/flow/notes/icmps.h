/* icmps: ICMP and ICMPv6 errors that a vantage point saw, with what they quote. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"

struct observation;

struct icmp_row {
	int64_t at_ns;
	uint32_t frame;
	uint8_t version, type, code;
	uint32_t rest;
	uint8_t src[16], dst[16];
	bool has_quote;
	struct packet_quote quote;
};

struct icmp_notes {
	struct icmp_row *rows;
	uint32_t count, cap;
	uint64_t refused; /* beyond NOTE_LIMIT */
};

void icmps_release(struct icmp_notes *n);

/* Notes an ICMP packet if it is an error. */
void icmps_add(struct icmp_notes *n, const struct observation *o);
