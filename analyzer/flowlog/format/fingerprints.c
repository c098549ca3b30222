#include "flowlog/format/fingerprints.h"

#include <stdlib.h>

#include "base/mem.h"

static uint64_t *fingerprints_slot_of(const struct fingerprints *s, uint64_t f)
{
	size_t i = f & (s->size - 1);

	while (s->slots[i] && s->slots[i] != f)
		i = (i + 1) & (s->size - 1);
	return &s->slots[i];
}

static void fingerprints_grow(struct fingerprints *s)
{
	struct fingerprints old = *s;

	s->size = s->size ? 2 * s->size : 1024;
	s->slots = mem_array(s->size, sizeof(*s->slots));
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i])
			*fingerprints_slot_of(s, old.slots[i]) = old.slots[i];
	free(old.slots);
}

bool fingerprints_add(struct fingerprints *s, uint64_t fingerprint)
{
	uint64_t *slot;

	fingerprint += !fingerprint;
	if (2 * (s->count + 1) > s->size && s->count < FINGERPRINTS_MAX)
		fingerprints_grow(s);
	slot = fingerprints_slot_of(s, fingerprint);
	if (*slot)
		return false;
	if (s->count >= FINGERPRINTS_MAX) {
		s->full = true;
		return true;
	}
	*slot = fingerprint;
	s->count++;
	MEM_RESERVE(s->fresh, s->fresh_count, s->fresh_cap);
	s->fresh[s->fresh_count++] = fingerprint;
	return true;
}

void fingerprints_kept(struct fingerprints *s)
{
	s->fresh_count = 0;
}

void fingerprints_release(struct fingerprints *s)
{
	free(s->fresh);
	free(s->slots);
	*s = (struct fingerprints){0};
}
