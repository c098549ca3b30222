/* tables CASE N: fills a table with N keys that a capture may bring. For run.py, which counts the
 * instructions. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hashset.h"
#include "join/keymap.h"

/* Flows that all have one initial sequence number. */
static void tables_equal_keys(uint32_t n)
{
	struct keymap map = {0};
	uint32_t found = 0;

	for (uint32_t i = 0; i < n; i++)
		keymap_put(&map, keymap_mix(12345, 1), i, 0);
	for (const struct key_entry *e = keymap_first(&map, keymap_mix(12345, 1)); e;
		e = keymap_next(&map, e))
		found++;
	assert(found == n);
	keymap_release(&map);
}

/* Keys that lie in one bucket of a table without a seed: equal but for the bits it leaves out. */
static void tables_far_keys(uint32_t n)
{
	struct hashset set;

	hashset_init(&set, sizeof(uint64_t), UINT32_MAX);
	for (uint64_t i = 0; i < n; i++)
		(void)hashset_add(&set, &(uint64_t){i << 40});
	assert(hashset_count(&set) == n);
	hashset_release(&set);
}

static void tables_counting_keys(uint32_t n)
{
	struct hashmap map;
	uint32_t key[10] = {0};
	bool is_new;

	hashmap_init(&map, sizeof(key), sizeof(uint32_t), UINT32_MAX);
	for (key[9] = 0; key[9] < n; key[9]++)
		(void)hashmap_add(&map, key, &is_new);
	assert(map.count == n);
	hashmap_release(&map);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fill)(uint32_t n);
	} cases[] = {
		{"equal-keys", tables_equal_keys},
		{"far-keys", tables_far_keys},
		{"counting-keys", tables_counting_keys},
	};

	for (size_t i = 0; argc == 3 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(argv[1], cases[i].name) == 0) {
			cases[i].fill((uint32_t)strtoul(argv[2], NULL, 10));
			return 0;
		}
	(void)fprintf(stderr, "tables CASE N\n");
	return 2;
}
