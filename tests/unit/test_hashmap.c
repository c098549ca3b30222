/* Maps, sets and lists under keys: what is added is found, in order of arrival, whatever its hash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hashset.h"
#include "join/keymap.h"

#define KEYS 5000

/* Keys of every size, the ith of which differs from the others in its last bytes. */
static void make_key(uint8_t *key, size_t size, uint32_t i)
{
	memset(key, 0xa5, size);
	memcpy(key + size - sizeof(i), &i, sizeof(i));
}

static void finds_what_was_added(void **state)
{
	static const size_t sizes[] = {4, 6, 8, 13, 16, 20, 24, 40, 44, 48};

	(void)state;
	for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
		struct hashmap map;
		uint8_t key[48];
		bool is_new;

		hashmap_init(&map, sizes[n], sizeof(uint64_t), UINT32_MAX);
		for (uint32_t i = 0; i < 2 * KEYS; i++) {
			uint64_t *value;

			make_key(key, sizes[n], i % KEYS);
			value = hashmap_at(&map, key, &is_new);
			assert_int_equal(is_new, i < KEYS);
			assert_int_equal(*value, i < KEYS ? 0 : i % KEYS + 1);
			*value = i % KEYS + 1;
		}
		assert_int_equal(map.count, KEYS);
		for (uint32_t i = 0; i < KEYS; i++) {
			const uint64_t *value;

			make_key(key, sizes[n], i);
			value = hashmap_get(&map, key);
			assert_non_null(value);
			assert_int_equal(hashmap_index(&map, value), i);
			assert_memory_equal(hashmap_key(&map, i), key, sizes[n]);
			make_key(key, sizes[n], i + KEYS);
			assert_null(hashmap_get(&map, key));
		}
		hashmap_release(&map);
	}
}

/* Keys that differ in one bit: none is another. */
static void tells_keys_apart(void **state)
{
	uint8_t key[45] = {0};
	struct hashset set;

	(void)state;
	hashset_init(&set, sizeof(key), UINT32_MAX);
	assert_int_equal(hashset_add(&set, key), HASHSET_NEW);
	for (size_t bit = 0; bit < 8 * sizeof(key); bit++) {
		key[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(hashset_has(&set, key));
		assert_int_equal(hashset_add(&set, key), HASHSET_NEW);
		key[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(hashset_count(&set), 8 * sizeof(key) + 1);
	hashset_release(&set);
}

static void counts_what_does_not_fit(void **state)
{
	struct hashmap map;
	bool is_new;

	(void)state;
	hashmap_init(&map, sizeof(uint32_t), sizeof(uint32_t), 100);
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(hashmap_at(&map, &i, &is_new) != NULL, i < 100);
	assert_int_equal(map.count, 100);
	assert_int_equal(map.refused, 200);
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(hashmap_get(&map, &i) != NULL, i < 100);
	hashmap_clear(&map);
	assert_null(hashmap_get(&map, &(uint32_t){7}));
	assert_non_null(hashmap_at(&map, &(uint32_t){200}, &is_new));
	assert_true(is_new);
	assert_int_equal(hashmap_index(&map, hashmap_get(&map, &(uint32_t){200})), 0);
	hashmap_release(&map);
}

static void a_set_keeps_its_order(void **state)
{
	struct hashset set;

	(void)state;
	hashset_init(&set, sizeof(uint64_t), 2);
	assert_int_equal(hashset_add(&set, &(uint64_t){5}), HASHSET_NEW);
	assert_int_equal(hashset_add(&set, &(uint64_t){3}), HASHSET_NEW);
	assert_int_equal(hashset_add(&set, &(uint64_t){5}), HASHSET_KNOWN);
	assert_int_equal(hashset_add(&set, &(uint64_t){4}), HASHSET_FULL);
	assert_false(hashset_has(&set, &(uint64_t){4}));
	assert_int_equal(*(const uint64_t *)hashset_key(&set, 0), 5);
	assert_int_equal(*(const uint64_t *)hashset_key(&set, 1), 3);
	hashset_release(&set);
}

static void lists_under_a_key_keep_their_order(void **state)
{
	struct keymap map = {0};
	const struct key_entry *e;

	(void)state;
	assert_null(keymap_first(&map, 1));
	for (uint32_t i = 0; i < 3000; i++)
		keymap_put(&map, i % 3, i, 2 * i);
	for (uint64_t key = 0; key < 3; key++) {
		e = keymap_first(&map, key);
		for (uint32_t i = (uint32_t)key; i < 3000; i += 3, e = keymap_next(&map, e)) {
			assert_non_null(e);
			assert_int_equal(e->value, i);
			assert_int_equal(e->extra, 2 * i);
		}
		assert_null(e);
	}
	assert_null(keymap_first(&map, 3));
	keymap_release(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added),
		cmocka_unit_test(tells_keys_apart),
		cmocka_unit_test(counts_what_does_not_fit),
		cmocka_unit_test(a_set_keeps_its_order),
		cmocka_unit_test(lists_under_a_key_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
