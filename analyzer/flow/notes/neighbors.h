/* neighbors: ARP and neighbour-discovery messages that a vantage point saw. */
#pragma once

#include "decode/arp.h"
#include "flow/notes/addresses.h"

struct observation;

struct neighbor_row {
	int64_t at_ns;
	uint32_t frame;			     /* ordinal */
	uint16_t ethernet_src, ethernet_dst; /* MAC indexes */
	/* ARP: below the least length on a wire, so it came from none; padded to it. Neither:
	 * longer by nature. */
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
