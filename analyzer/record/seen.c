#include "record/seen.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

/* The slot of a key, or the empty one where it belongs. Key 0 marks an empty slot. */
static struct seen_slot *seen_slot_of(struct seen_slot *slots, size_t cap, uint64_t key)
{
	size_t i = (size_t)key & (cap - 1);

	assert(cap && !(cap & (cap - 1)));
	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

static void seen_grow(struct seen *s)
{
	size_t cap = s->cap ? 2 * s->cap : 256;
	struct seen_slot *slots = mem_array(cap, sizeof(*slots));

	for (size_t i = 0; i < s->cap; i++)
		if (s->slots[i].key)
			*seen_slot_of(slots, cap, s->slots[i].key) = s->slots[i];
	free(s->slots);
	s->slots = slots;
	s->cap = cap;
}

bool seen_change(struct seen *s, uint64_t key, uint64_t value)
{
	struct seen_slot *slot;

	key = key ? key : 1;
	if (2 * (s->count + 1) > s->cap)
		seen_grow(s);
	assert(s->count < s->cap);
	slot = seen_slot_of(s->slots, s->cap, key);
	if (slot->key && slot->value == value)
		return false;
	if (!slot->key)
		s->count++;
	*slot = (struct seen_slot){key, value};
	return true;
}

void seen_release(struct seen *s)
{
	free(s->slots);
	*s = (struct seen){0};
}
