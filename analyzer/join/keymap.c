#include "join/keymap.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

static void keymap_resize(struct keymap *m, uint64_t mask)
{
	struct keymap bigger = {.mask = mask};

	bigger.entries = mem_array(bigger.mask + 1, sizeof(*bigger.entries));
	for (uint64_t i = 0; m->entries && i <= m->mask; i++)
		if (m->entries[i].value)
			keymap_put(&bigger, m->entries[i].key, m->entries[i].value - 1,
				m->entries[i].extra);
	free(m->entries);
	*m = bigger;
}

void keymap_put(struct keymap *m, uint64_t key, uint32_t value, uint32_t extra)
{
	uint64_t at;

	if (!m->entries || m->count > m->mask / 2)
		keymap_resize(m, m->entries ? m->mask * 2 + 1 : 1023);
	assert(value < UINT32_MAX &&
		m->count <= m->mask / 2); /* 0 is a free entry, and there is one */
	for (at = key & m->mask; m->entries[at].value; at = (at + 1) & m->mask)
		;
	m->entries[at] = (struct key_entry){.key = key, .value = value + 1, .extra = extra};
	m->count++;
}

void keymap_release(struct keymap *m)
{
	free(m->entries);
	*m = (struct keymap){0};
}
