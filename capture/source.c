#include "source.h"

#include "trim.h"

#include <stddef.h>

void source_close(struct source *s)
{
	if (s->ops && s->impl)
		s->ops->close(s);
	s->impl = NULL;
	s->fd = -1;
}

void source_cut(const struct source *s, uint32_t limit, struct record *r, struct payload_hash *hash)
{
	struct trim_payload payload = {0};

	if (!s->settings.payload)
		r->cap_len = trim_frame(s->link_type, r->data, r->cap_len, &payload);
	if (r->cap_len > limit)
		r->cap_len = limit;
	if (!payload.at || !s->settings.hashes)
		return;
	*hash = payload_hash_of(&s->settings.key, payload.at, payload.length);
	r->hash = hash;
}
