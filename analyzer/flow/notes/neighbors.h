/* neighbors: ARP and neighbour-discovery messages that a vantage point saw. */
#pragma once

#include "decode/arp.h"
#include "flow/notes/addresses.h"

struct observation;

struct neighbor_row {
	int64_t at_ns;
	uint32_t frame;			     /* ordinal */
	uint16_t ethernet_src, ethernet_dst; /* MAC indexes */
	/* is_short: below the Ethernet minimum, so captured at its sender before padding.
	 * is_padded: ARP at or above the minimum. Neither: ND. */
	bool is_short, is_padded;
	struct neighbor_message message;
};

struct neighbor_notes {
	struct neighbor_row *rows;
	uint32_t count, cap;
	uint64_t refused; /* beyond NOTE_LIMIT */
};

void neighbors_release(struct neighbor_notes *n);

/* Notes an ARP or ND frame, and the MAC that its sender claims for an address. */
void neighbors_add(struct neighbor_notes *n, const struct observation *o);
