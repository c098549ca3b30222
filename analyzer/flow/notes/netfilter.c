#include "flow/notes/netfilter.h"

#include <string.h>

#include "base/compiler.h"
#include "flow/notes/limits.h"
#include "flow/observation.h"

_Static_assert(sizeof(struct netfilter_key) == 72, "hashed as bytes: no padding");

void netfilter_init(struct netfilter_notes *n)
{
	hashmap_init(&n->use, sizeof(struct netfilter_key), sizeof(struct netfilter_use),
		NETFILTER_LIMIT);
}

void netfilter_release(struct netfilter_notes *n)
{
	hashmap_release(&n->use);
}

NOINLINE void netfilter_add(
	struct netfilter_notes *n, const struct observation *o, uint32_t flow, bool from_b)
{
	struct netfilter_key key = {.flow = flow, .from_b = from_b, .hook = o->packet->nflog.hook};
	struct netfilter_use *use;
	bool fresh;

	memcpy(key.prefix, o->packet->nflog.prefix,
		strnlen(o->packet->nflog.prefix, sizeof(key.prefix) - 1));
	use = hashmap_at(&n->use, &key, &fresh);
	if (!use)
		return;
	if (fresh) {
		use->first_ns = o->frame->time_ns;
		use->first_frame = o->ordinal;
	}
	use->last_ns = o->frame->time_ns;
	use->packets++;
}
