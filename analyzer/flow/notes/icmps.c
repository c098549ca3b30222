#include "flow/notes/icmps.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/notes/limits.h"
#include "flow/observation.h"

void icmps_release(struct icmp_notes *n)
{
	free(n->rows);
}

/* RFC 4443 2.1: errors have types below 128. RFC 792: unreachable, redirect, time exceeded,
 * parameter problem. */
static bool icmps_is_error(const struct packet *p)
{
	if (p->version == 6)
		return p->icmp.type < 128;
	return p->icmp.type == 3 || p->icmp.type == 5 || p->icmp.type == 11 || p->icmp.type == 12;
}

void icmps_add(struct icmp_notes *n, const struct observation *o)
{
	const struct packet *p = o->packet;
	struct icmp_row row = {.at_ns = o->frame->time_ns,
		.frame = o->ordinal,
		.version = p->version,
		.type = p->icmp.type,
		.code = p->icmp.code,
		.rest = p->icmp.rest,
		.has_quote = p->icmp.has_quote};

	if (!icmps_is_error(p))
		return;
	if (n->count == NOTE_LIMIT) {
		n->refused++;
		return;
	}
	memcpy(row.src, p->src, 16);
	memcpy(row.dst, p->dst, 16);
	if (p->icmp.has_quote)
		row.quote = p->icmp.quote;
	MEM_RESERVE(n->rows, n->count, n->cap);
	n->rows[n->count++] = row;
}
