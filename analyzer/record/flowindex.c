#include "record/flowindex.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"

#define ADDRESS 16
#define BY_FLOW_MAX 48	 /* bytes of an entry by flow, and what writing its last column may touch */
#define COLUMNS_MAX 6	 /* of any entry */
#define SMALL_GROUP 4096 /* entries; below it counting digits does not pay */

/* Either two addresses, or a text with two numbers; unused bytes are 0. */
struct group_key {
	uint8_t bytes[2 * ADDRESS];
	uint32_t from, to;
};

_Static_assert(sizeof(struct group_key) == 40, "hashed as bytes: no padding");

/* A group in the order of the index. */
struct ranked {
	char text[2][IP_TEXT_SIZE];
	uint32_t from, to, group;
};

static void flowindex_groups_init(struct flowindex_groups *g)
{
	hashmap_init(&g->keys, sizeof(struct group_key), sizeof(uint32_t), UINT32_MAX);
}

static void flowindex_groups_release(struct flowindex_groups *g)
{
	hashmap_release(&g->keys);
	free(g->entries);
	free(g->order);
}

int flowindex_init(struct flowindex *x, struct btree_file *f, struct error *err)
{
	const struct {
		const char *name;
		struct btree **tree;
	} all[] = {
		{"path_missed", &x->path_missed},
		{"path_syn_lost", &x->path_syn_lost},
		{"segment_event_by_flow", &x->event},
		{"flow_by_client", &x->by_client.tree},
		{"flow_by_outcome", &x->by_outcome.tree},
		{"flow_by_pairing", &x->by_pairing.tree},
		{"segment_event_by_kind", &x->by_kind.tree},
		{"segment_event_syn", &x->syn.tree},
	};
	int r = 0;

	*x = (struct flowindex){.by_client = {.addresses = true},
		.by_kind = {.ordered = true},
		.syn = {.ordered = true}};
	flowindex_groups_init(&x->by_client);
	flowindex_groups_init(&x->by_outcome);
	flowindex_groups_init(&x->by_pairing);
	flowindex_groups_init(&x->by_kind);
	flowindex_groups_init(&x->syn);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && r == 0; i++)
		r = btree_file_tree(all[i].tree, f, all[i].name, err);
	return r;
}

void flowindex_release(struct flowindex *x)
{
	flowindex_groups_release(&x->by_client);
	flowindex_groups_release(&x->by_outcome);
	flowindex_groups_release(&x->by_pairing);
	flowindex_groups_release(&x->by_kind);
	flowindex_groups_release(&x->syn);
	*x = (struct flowindex){0};
}

static void flowindex_groups_add(
	struct flowindex_groups *g, const struct group_key *key, int64_t row)
{
	/* Neighbours often share their group. */
	bool fresh, same = g->count &&
			   memcmp(key, hashmap_key(&g->keys, g->entries[g->count - 1].group),
				   sizeof(*key)) == 0;
	uint32_t group = same ? g->entries[g->count - 1].group
			      : hashmap_index(&g->keys, hashmap_at(&g->keys, key, &fresh));

	MEM_RESERVE(g->entries, g->count, g->cap);
	g->entries[g->count++] = (struct flowindex_entry){.group = group, .row = (uint32_t)row};
}

static void flowindex_groups_add_text(
	struct flowindex_groups *g, const char *text, uint32_t from, uint32_t to, int64_t row)
{
	struct group_key key = {.from = from, .to = to};

	memcpy(key.bytes, text, strnlen(text, sizeof(key.bytes) - 1));
	flowindex_groups_add(g, &key, row);
}

void flowindex_flow(struct flowindex *x, int64_t flow, const uint8_t client[16],
	const uint8_t server[16], const char *outcome, const char *pairing)
{
	struct group_key key = {0};

	memcpy(key.bytes, client, ADDRESS);
	memcpy(key.bytes + ADDRESS, server, ADDRESS);
	flowindex_groups_add(&x->by_client, &key, flow);
	if (strcmp(outcome, "established") != 0 && strcmp(outcome, "closed") != 0)
		flowindex_groups_add_text(&x->by_outcome, outcome, 0, 0, flow);
	if (strcmp(pairing, "ambiguous") == 0 || strcmp(pairing, "proxy") == 0)
		flowindex_groups_add_text(&x->by_pairing, pairing, 0, 0, flow);
}

/* The columns of a flow's entry before its row's: header, and the flow. columns: of the whole
 * entry. */
static struct row_at flowindex_begin_by_flow(uint8_t *record, uint32_t columns, int64_t flow)
{
	struct row_at at = {.types = record + 1, .body = record + 1 + columns};

	record[0] = (uint8_t)(1 + columns);
	row_put_int(&at, flow);
	return at;
}

/* The row of path is told by the rest of its key. */
static void flowindex_add_path(struct btree *t, int64_t flow, uint32_t leg, uint8_t direction)
{
	static const char names[2][16] = {[C2S] = "c2s", [S2C] = "s2c"};
	uint8_t record[BY_FLOW_MAX];
	struct row_at at = flowindex_begin_by_flow(record, 3, flow);

	row_put_int(&at, leg);
	assert(direction < sizeof(names) / sizeof(names[0]));
	row_put_short_text(&at, names[direction], 3);
	btree_add_entry(t, record, (uint32_t)(at.body - record));
}

void flowindex_path(struct flowindex *x, int64_t flow, uint32_t leg, const struct path_counts *p)
{
	if (p->capture_missed.segments > 0 || p->sender_missed.segments > 0)
		flowindex_add_path(x->path_missed, flow, leg, p->direction);
	if (p->syn_lost > 0)
		flowindex_add_path(x->path_syn_lost, flow, leg, p->direction);
}

static void flowindex_add_by_flow(struct btree *t, int64_t flow, int64_t row)
{
	uint8_t record[BY_FLOW_MAX];
	struct row_at at = flowindex_begin_by_flow(record, 2, flow);

	row_put_int(&at, row);
	btree_add_entry(t, record, (uint32_t)(at.body - record));
}

static void flowindex_add_ordered(struct flowindex_groups *g, const char *kind, uint32_t from,
	uint32_t to, int64_t row, int64_t sent_ns)
{
	if (g->count == g->order_cap) {
		g->order_cap = g->order_cap ? 2 * g->order_cap : 1024;
		g->order = mem_grow(g->order, g->order_cap, sizeof(*g->order));
	}
	g->order[g->count] = sent_ns;
	flowindex_groups_add_text(g, kind, from, to, row);
}

void flowindex_event(struct flowindex *x, int64_t flow, int64_t row, const char *kind,
	uint32_t from, uint32_t to, int64_t sent_ns, bool syn)
{
	flowindex_add_by_flow(x->event, flow, row);
	flowindex_add_ordered(&x->by_kind, kind, from, to, row, sent_ns);
	if (syn)
		flowindex_add_ordered(&x->syn, kind, from, to, row, sent_ns);
}

static int flowindex_by_columns(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int r = strcmp(x->text[0], y->text[0]);

	if (r == 0)
		r = strcmp(x->text[1], y->text[1]);
	if (r == 0)
		r = (x->from > y->from) - (x->from < y->from);
	return r ? r : (x->to > y->to) - (x->to < y->to);
}

static struct ranked *flowindex_rank_groups(const struct flowindex_groups *g)
{
	struct ranked *list = mem_array(g->keys.count + 1, sizeof(*list));

	for (uint32_t i = 0; i < g->keys.count; i++) {
		const struct group_key *k = hashmap_key(&g->keys, i);

		list[i].group = i;
		list[i].from = k->from;
		list[i].to = k->to;
		if (g->addresses) {
			(void)ip_text(k->bytes, list[i].text[0]);
			(void)ip_text(k->bytes + ADDRESS, list[i].text[1]);
		} else {
			memcpy(list[i].text[0], k->bytes, sizeof(k->bytes));
		}
	}
	qsort(list, g->keys.count, sizeof(*list), flowindex_by_columns);
	return list;
}

/* Where each group's entries begin once they stand by group. */
static uint32_t *flowindex_count_groups(const struct flowindex_groups *g)
{
	uint32_t *start = mem_array(g->keys.count + 2, sizeof(*start));

	for (size_t i = 0; i < g->count; i++)
		start[g->entries[i].group + 1]++;
	for (uint32_t i = 0; i < g->keys.count; i++)
		start[i + 1] += start[i];
	assert(start[g->keys.count] == g->count);
	return start;
}

/* Entry numbers by group, each group in the order in which the entries came. */
static uint32_t *flowindex_by_group(const struct flowindex_groups *g, const uint32_t *start)
{
	uint32_t *list = mem_alloc((g->count + 1) * sizeof(*list));
	uint32_t *at = mem_array(g->keys.count + 1, sizeof(*at));

	memcpy(at, start, g->keys.count * sizeof(*at));
	for (size_t i = 0; i < g->count; i++)
		list[at[g->entries[i].group]++] = (uint32_t)i;
	free(at);
	return list;
}

/* NULL comes first; what follows keeps its order. */
static uint64_t flowindex_order_key(int64_t v)
{
	return v == DB_NONE ? 0 : (uint64_t)v ^ (UINT64_C(1) << 63);
}

static int flowindex_by_order(const void *a, const void *b, void *groups)
{
	const struct flowindex_groups *g = groups;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	uint64_t x = flowindex_order_key(g->order[i]), y = flowindex_order_key(g->order[k]);

	return x != y ? (x > y) - (x < y) : (i > k) - (i < k);
}

/* Sorts the entries of a group by their own column, the least significant 16 bits first; equal ones
 * stay in order. */
static void flowindex_sort_group(
	struct flowindex_groups *g, uint32_t *list, uint32_t *scratch, uint32_t n)
{
	uint64_t differ = 0;

	if (n < SMALL_GROUP) {
		qsort_r(list, n, sizeof(*list), flowindex_by_order, g);
		return;
	}
	for (uint32_t i = 1; i < n; i++)
		differ |= flowindex_order_key(g->order[list[i]]) ^
			  flowindex_order_key(g->order[list[0]]);
	for (int shift = 0; shift < 64; shift += 16) {
		static const uint32_t digits = 1 << 16;
		uint32_t *at;

		if (!(differ >> shift & (digits - 1)))
			continue;
		at = mem_array(digits + 1, sizeof(*at));
		for (uint32_t i = 0; i < n; i++)
			at[(flowindex_order_key(g->order[list[i]]) >> shift & (digits - 1)) + 1]++;
		for (uint32_t i = 0; i < digits; i++)
			at[i + 1] += at[i];
		for (uint32_t i = 0; i < n; i++)
			scratch[at[flowindex_order_key(g->order[list[i]]) >> shift &
				   (digits - 1)]++] = list[i];
		memcpy(list, scratch, n * sizeof(*list));
		free(at);
	}
}

/* The columns before the last, or the last two of an ordered index: the same for all of a group. */
static struct row_at flowindex_put_key(
	const struct flowindex_groups *g, const struct ranked *k, uint8_t *record)
{
	uint32_t columns = (g->addresses ? 2 : 1) + (g->ordered ? 3 : 0) + 1;
	struct row_at at = {.types = record + 1, .body = record + 1 + columns};

	assert(columns <= COLUMNS_MAX);
	record[0] = (uint8_t)(1 + columns);
	row_put_short_text(&at, k->text[0], strlen(k->text[0]));
	if (g->addresses)
		row_put_short_text(&at, k->text[1], strlen(k->text[1]));
	if (g->ordered) {
		row_put_int(&at, k->from);
		row_put_int(&at, k->to);
	}
	return at;
}

static void flowindex_write_group(
	const struct flowindex_groups *g, const struct ranked *k, const uint32_t *list, uint32_t n)
{
	uint8_t record[1 + COLUMNS_MAX * 9 + 2 * IP_TEXT_SIZE + 16];
	const struct row_at key = flowindex_put_key(g, k, record);

	for (uint32_t i = 0; i < n; i++) {
		struct row_at at = key;

		if (g->ordered)
			row_put_int_or_null(&at, g->order[list[i]]);
		row_put_int(&at, g->entries[list[i]].row);
		assert((size_t)(at.body - record) <= sizeof(record));
		btree_add_entry(g->tree, record, (uint32_t)(at.body - record));
	}
}

static void flowindex_groups_write(struct flowindex_groups *g)
{
	struct ranked *groups = flowindex_rank_groups(g);
	uint32_t *start = flowindex_count_groups(g), *list = flowindex_by_group(g, start);
	uint32_t *scratch = g->ordered ? mem_alloc((g->count + 1) * sizeof(*scratch)) : NULL;

	for (uint32_t i = 0; i < g->keys.count; i++) {
		uint32_t from = start[groups[i].group], n = start[groups[i].group + 1] - from;

		if (g->ordered)
			flowindex_sort_group(g, list + from, scratch, n);
		flowindex_write_group(g, &groups[i], list + from, n);
	}
	free(scratch);
	free(list);
	free(start);
	free(groups);
}

void flowindex_finish(struct flowindex *x)
{
	struct flowindex_groups *kept[] = {
		&x->by_client, &x->by_outcome, &x->by_pairing, &x->by_kind, &x->syn};
	struct btree *by_flow[] = {x->path_missed, x->path_syn_lost, x->event};

	for (size_t i = 0; i < sizeof(by_flow) / sizeof(by_flow[0]); i++)
		btree_finish(by_flow[i]);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (kept[i]->tree)
			flowindex_groups_write(kept[i]);
		btree_finish(kept[i]->tree);
		kept[i]->tree = NULL;
	}
	x->path_missed = x->path_syn_lost = x->event = NULL;
}
