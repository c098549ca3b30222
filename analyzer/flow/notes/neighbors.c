#include "flow/notes/neighbors.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "flow/notes/limits.h"
#include "flow/observation.h"

/* IEEE 802.3 4.2.3.3, without the checksum. The sender's tap stands before the padding. */
#define ETHERNET_LEAST 60

/* No host repeats a request this soon: the capture recorded it twice. */
#define REQUEST_COPY_NS NSEC_PER_MSEC
/* Rows that may stand between the two. */
#define ROWS_BETWEEN 8

static bool neighbors_is_same_request(const struct neighbor_row *a, const struct neighbor_row *b)
{
	const struct neighbor_message *x = &a->message, *y = &b->message;

	return x->operation == NEIGHBOR_REQUEST && y->operation == NEIGHBOR_REQUEST &&
	       a->ethernet_src == b->ethernet_src && a->ethernet_dst == b->ethernet_dst &&
	       a->is_short == b->is_short &&
	       memcmp(x->sender_mac, y->sender_mac, sizeof(x->sender_mac)) == 0 &&
	       memcmp(x->sender_ip, y->sender_ip, sizeof(x->sender_ip)) == 0 &&
	       memcmp(x->target_ip, y->target_ip, sizeof(x->target_ip)) == 0;
}

static bool neighbors_is_recorded_again(
	const struct neighbor_notes *n, const struct neighbor_row *row)
{
	for (uint32_t i = n->count, back = 0; i && back < ROWS_BETWEEN; back++) {
		const struct neighbor_row *before = &n->rows[--i];

		if (row->at_ns - before->at_ns < REQUEST_COPY_NS &&
			neighbors_is_same_request(before, row))
			return true;
	}
	return false;
}

void neighbors_release(struct neighbor_notes *n)
{
	free(n->rows);
}

void neighbors_add(struct neighbor_notes *n, const struct observation *o)
{
	struct vantage *v = o->vantage;
	struct neighbor_row row = {.at_ns = o->frame->time_ns,
		.frame = o->ordinal,
		.ethernet_src = o->src_mac,
		.ethernet_dst = o->dst_mac,
		.is_short = o->frame->wire_len < ETHERNET_LEAST,
		.is_padded = !o->packet->version && o->frame->wire_len >= ETHERNET_LEAST};

	if (!neighbor_decode(o->packet, &row.message))
		return;
	if (row.message.has_sender_mac && row.message.operation != NEIGHBOR_PROBE)
		addresses_bind_ip(&v->addresses, row.message.sender_ip,
			macs_index(&v->macs, row.message.sender_mac));
	if (neighbors_is_recorded_again(n, &row))
		return;
	if (n->count == NOTE_LIMIT) {
		n->refused++;
		return;
	}
	MEM_RESERVE(n->rows, n->count, n->cap);
	n->rows[n->count++] = row;
}
