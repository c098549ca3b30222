#include "flow/notes/kernel_drops.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "flow/notes/limits.h"
#include "flow/observation.h"
#include "flow/track.h"

void kernel_drops_init(struct kernel_drops *d)
{
	hashmap_init(&d->said, KERNEL_DROP_SAID, 0, NETFILTER_LIMIT);
}

void kernel_drops_release(struct kernel_drops *d)
{
	hashmap_release(&d->said);
	free(d->rows);
}

static bool kernel_drops_has_key(const struct packet *p)
{
	return p->version &&
	       (p->disposition == PACKET_TCP || p->disposition == PACKET_UDP ||
		       p->disposition == PACKET_ICMP || p->disposition == PACKET_IP_OTHER);
}

static uint32_t kernel_drops_said(struct kernel_drops *d, const struct frame *f)
{
	char said[KERNEL_DROP_SAID] = {0};
	bool fresh;

	memcpy(said, f->drop, f->drop_length < sizeof(said) ? f->drop_length : sizeof(said) - 1);
	return hashmap_add(&d->said, said, &fresh);
}

NOINLINE void kernel_drops_add(struct kernel_drops *d, const struct observation *o)
{
	uint32_t said = kernel_drops_said(d, o->frame);
	struct kernel_drop *row;

	if (d->count == NOTE_LIMIT || said == HASHMAP_NONE) {
		d->refused++;
		return;
	}
	MEM_RESERVE(d->rows, d->count, d->cap);
	row = &d->rows[d->count++];
	*row = (struct kernel_drop){.said = said,
		.version = o->packet->version,
		.has_key = kernel_drops_has_key(o->packet)};
	if (!row->has_key) {
		row->segment = (struct segment){.time_ns = o->frame->time_ns, .frame = o->ordinal};
		return;
	}
	row->key = o->lookup->key;
	row->hash = o->lookup->hash;
	track_segment(&row->segment, o, o->lookup->from_b);
	row->segment.bits &= (uint8_t)~SEGMENT_SACK; /* its blocks are not kept here */
}

bool kernel_drops_word(const struct kernel_drops *d, const struct kernel_drop *row,
	const char *name, char ret[KERNEL_DROP_SAID])
{
	const char *at = hashmap_key(&d->said, row->said);
	size_t length = strlen(name), n;

	for (; *at; at += n + (at[n] == ' ')) {
		n = strcspn(at, " ");
		if (n <= length || strncmp(at, name, length) != 0 || at[length] != '=')
			continue;
		memcpy(ret, at + length + 1, n - length - 1);
		ret[n - length - 1] = '\0';
		return true;
	}
	return false;
}
