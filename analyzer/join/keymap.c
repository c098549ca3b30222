#include "join/keymap.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

/* Indexes of entries. */
struct key_chain {
	uint32_t first, last;
};

void keymap_put(struct keymap *m, uint64_t key, uint32_t value, uint32_t extra)
{
	struct key_chain *chain;
	bool is_new;

	if (!m->count)
		hashmap_init(&m->chains, sizeof(key), sizeof(*chain), UINT32_MAX);
	assert(m->count < KEYMAP_END);
	MEM_RESERVE(m->entries, m->count, m->cap);
	m->entries[m->count] =
		(struct key_entry){.value = value, .extra = extra, .next = KEYMAP_END};
	chain = hashmap_at(&m->chains, &key, &is_new);
	if (is_new)
		chain->first = m->count;
	else
		m->entries[chain->last].next = m->count;
	chain->last = m->count++;
}

const struct key_entry *keymap_first(const struct keymap *m, uint64_t key)
{
	const struct key_chain *chain = m->count ? hashmap_get(&m->chains, &key) : NULL;

	assert(!chain || chain->first <= chain->last);
	return chain ? &m->entries[chain->first] : NULL;
}

void keymap_release(struct keymap *m)
{
	if (m->count)
		hashmap_release(&m->chains);
	free(m->entries);
	*m = (struct keymap){0};
}
