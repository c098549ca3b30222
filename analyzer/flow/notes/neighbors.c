#include "flow/notes/neighbors.h"

#include <stdlib.h>

#include "base/mem.h"
#include "flow/notes/limits.h"
#include "flow/observation.h"

/* IEEE 802.3 4.2.3.3, without the checksum. The sender's tap stands before the padding. */
#define ETHERNET_LEAST 60

void neighbors_release(struct neighbor_notes *n)
{
	free(n->rows);
}

void neighbors_add(struct neighbor_notes *n, const struct observation *o)
{
	struct vantage *v = o->vantage;
	struct neighbor_row row = {.at_ns = o->frame->time_ns, .frame = o->ordinal,
		.ethernet_src = o->src_mac, .ethernet_dst = o->dst_mac,
		.is_short = o->frame->wire_len < ETHERNET_LEAST,
		.is_padded = !o->packet->version && o->frame->wire_len >= ETHERNET_LEAST};

	if (!neighbor_decode(o->packet, &row.message))
		return;
	if (row.message.has_sender_mac && row.message.operation != NEIGHBOR_PROBE)
		addresses_bind_ip(&v->addresses, row.message.sender_ip, macs_index(&v->macs, row.message.sender_mac));
	if (n->count == NOTE_LIMIT) {
		n->refused++;
		return;
	}
	MEM_RESERVE(n->rows, n->count, n->cap);
	n->rows[n->count++] = row;
}
