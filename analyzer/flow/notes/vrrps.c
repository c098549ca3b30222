#include "flow/notes/vrrps.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/notes/limits.h"
#include "flow/observation.h"

void vrrps_release(struct vrrp_notes *n)
{
	free(n->rows);
}

void vrrps_add(struct vrrp_notes *n, const struct observation *o)
{
	const struct packet *p = o->packet;
	struct vrrp_row row = {.at_ns = o->frame->time_ns,
		.frame = o->ordinal,
		.src_mac = o->src_mac,
		.vlan = p->link.vlan_count ? p->link.vlan_id : -1,
		.ip_id = (uint16_t)p->ip_id,
		.ttl = p->ttl,
		.direction = p->link.direction};

	if (!vrrp_decode(p, &row.message))
		return;
	if (n->count == NOTE_LIMIT) {
		n->refused++;
		return;
	}
	memcpy(row.src, p->src, 16);
	memcpy(row.dst, p->dst, 16);
	MEM_RESERVE(n->rows, n->count, n->cap);
	n->rows[n->count++] = row;
}
