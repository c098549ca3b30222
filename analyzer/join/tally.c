#include "join/tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

_Static_assert(sizeof(struct order_key) == 16, "hashed as bytes: no padding");

void tally_init(struct tally *t)
{
	*t = (struct tally){0};
	hashmap_init(&t->counts, sizeof(struct order_key), sizeof(uint64_t), UINT32_MAX);
}

void tally_release(struct tally *t)
{
	hashmap_release(&t->counts);
}

static void tally_count(struct hashmap *counts, const struct order_key *key, uint64_t flows)
{
	bool fresh;

	*(uint64_t *)hashmap_at(counts, key, &fresh) += flows;
}

static void tally_end_run(struct tally *t)
{
	if (t->run.flows)
		tally_count(&t->counts, &t->run.key, t->run.flows);
	t->run.flows = 0;
}

void tally_add(struct tally *t, const struct flows *all, const struct member *m)
{
	struct order_key key = {.nearer = m->vantage, .evidence = m->next_by};

	if (m->next == MEMBER_NONE)
		return;
	key.farther = all->members[m->next].vantage;
	if (key.farther == key.nearer)
		return;
	if (memcmp(&key, &t->run.key, sizeof(key)) != 0)
		tally_end_run(t);
	t->run.key = key;
	t->run.flows++;
}

static int tally_by_key(const void *x, const void *y)
{
	const struct order_key *a = &((const struct order_row *)x)->key;
	const struct order_key *b = &((const struct order_row *)y)->key;

	if (a->nearer != b->nearer)
		return a->nearer < b->nearer ? -1 : 1;
	if (a->farther != b->farther)
		return a->farther < b->farther ? -1 : 1;
	return (a->evidence < b->evidence) - (a->evidence > b->evidence);
}

struct order_row *tally_rows(struct tally *list, unsigned threads, uint32_t *ret_count)
{
	struct hashmap *sum = &list[0].counts;
	struct order_row *rows;

	for (unsigned t = 0; t < threads; t++) {
		tally_end_run(&list[t]);
		for (uint32_t i = 0; t && i < list[t].counts.count; i++)
			tally_count(sum, hashmap_key(&list[t].counts, i),
				*(const uint64_t *)hashmap_value(&list[t].counts, i));
	}
	rows = mem_array(sum->count + 1, sizeof(*rows));
	for (uint32_t i = 0; i < sum->count; i++) {
		memcpy(&rows[i].key, hashmap_key(sum, i), sizeof(rows[i].key));
		rows[i].flows = *(const uint64_t *)hashmap_value(sum, i);
	}
	*ret_count = sum->count;
	qsort(rows, sum->count, sizeof(*rows), tally_by_key);
	return rows;
}

const char *order_evidence_name(enum order_evidence e)
{
	static const char *const names[] = {[ORDER_UNKNOWN] = "none",
		[ORDER_COUNTS] = "fewer packets",
		[ORDER_LIKELY] = "delays within the stamps' noise",
		[ORDER_DELAY] = "delays",
		[ORDER_TTL] = "TTL",
		[ORDER_HOOK] = "hook of the host",
		[ORDER_OWNER] = "owns an end"};

	assert(e <= ORDER_OWNER);
	return names[e];
}
