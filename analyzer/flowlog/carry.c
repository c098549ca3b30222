#include "flowlog/carry.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "flowlog/session.h"

/* Records before this are beyond what any request that is still open is compared with. */
#define LOOK_BACK_S 1800
/* A window touches so many minutes at most. */
#define WINDOW_MINUTES 16
/* SQLite takes a gigabyte. */
#define PART_BYTES (UINT64_C(1) << 28)

struct header {
	uint64_t layout; /* of all that is here: another program's is not read */
	int64_t record_id, end_s, edge_s, clock_s;
	uint64_t left_out[5];
};

/* What sums of an interface's records rest on. */
struct premise {
	uint8_t own[2][16];
	uint8_t own_known[2], transit, sampled;
	uint32_t interval_s;
	uint32_t source[INTERFACE_SOURCES], left_out[INTERFACE_SOURCES];
};

struct flowlog_carry {
	struct flowlog *f;
	bool there; /* of an earlier run, and it holds */
	struct header header;
	struct flowlog_interface *interfaces; /* for the next run, without names */
	struct premise *premises;	      /* of the last run */
	size_t premise_count;
	struct sums known;
	struct carried buckets[TUPLE_BUCKETS];
};

static uint64_t carry_layout(void)
{
	const size_t sizes[] = {1, sizeof(struct tuple), sizeof(struct pair),
		sizeof(struct request), sizeof(struct window), sizeof(struct loss),
		sizeof(struct delivery), sizeof(struct source_sum), sizeof(struct known),
		sizeof(struct premise), sizeof(struct flowlog_interface),
		sizeof(struct flowlog_drops), OUTCOMES, sizeof(struct flowlog_skip_span),
		sizeof(struct flowlog_presence)};

	return XXH3_64bits(sizes, sizeof(sizes));
}

struct flowlog_carry *flowlog_carry_new(struct flowlog *f)
{
	struct flowlog_carry *c = mem_zalloc(sizeof(*c));

	c->f = f;
	sums_init(&c->known, sizeof(uint64_t), sizeof(struct known), SIZE_MAX);
	return c;
}

struct flowlog_carry *flowlog_carry_free(struct flowlog_carry *c)
{
	if (!c)
		return NULL;
	for (unsigned i = 0; i < TUPLE_BUCKETS; i++)
		free(c->buckets[i].list);
	sums_release(&c->known);
	free(c->interfaces);
	free(c->premises);
	free(c);
	return NULL;
}

/* Entries of a name, of so many bytes each, to be freed; none: *ret_n is 0. */
static int carry_read(struct flowlog_carry *c, const char *name, size_t size, void **ret,
	size_t *ret_n, struct error *err)
{
	sqlite3_stmt *s = flowlog_prepare(c->f, schema_statement_flowlog_carry, err);
	size_t bytes = 0;

	*ret = NULL;
	*ret_n = 0;
	if (!s)
		return -EIO;
	db_text(s, 1, name);
	while (sqlite3_step(s) == SQLITE_ROW) {
		size_t n = (size_t)sqlite3_column_bytes(s, 0);

		if (!n)
			continue;
		*ret = mem_grow(*ret, bytes + n, 1);
		memcpy((char *)*ret + bytes, sqlite3_column_blob(s, 0), n);
		bytes += n;
	}
	(void)sqlite3_finalize(s);
	if (bytes % size == 0) {
		*ret_n = bytes / size;
		return 0;
	}
	free(*ret);
	*ret = NULL;
	return error_set(err, -EINVAL, "the database is damaged: flow_log_carry '%s'", name);
}

static void carry_write(struct flowlog_carry *c, const char *name, const void *data, size_t bytes)
{
	struct db *db = c->f->db;
	sqlite3_stmt *s = db_insert(db, TABLE_FLOW_LOG_CARRY);

	for (uint64_t at = 0; at < bytes; at += PART_BYTES) {
		uint64_t n = bytes - at < PART_BYTES ? bytes - at : PART_BYTES;

		db_text(s, 1, name);
		(void)sqlite3_bind_blob64(s, 2, (const char *)data + at, n, SQLITE_STATIC);
		db_step(db, s);
	}
}

static bool carry_fits(struct flowlog_carry *c, const struct header *h, size_t n, size_t interfaces,
	size_t premises)
{
	struct flowlog *f = c->f;

	return n == 1 && h->layout == carry_layout() && interfaces == f->interfaces.count &&
	       premises == interfaces && (f->keep || h->record_id < f->first_record_id);
}

/* What the records so far told of the interfaces; names and numbers are known. */
static void carry_take_interfaces(struct flowlog_carry *c, const struct flowlog_interface *list)
{
	for (size_t k = 0; k < c->f->interfaces.count; k++) {
		struct flowlog_interface *i = &c->f->interfaces.list[k], from = list[k];

		from.name = i->name;
		from.host_name = i->host_name;
		from.vantage_id = i->vantage_id;
		from.hash = i->hash;
		if (from.source_count <= INTERFACE_SOURCES)
			*i = from;
	}
}

int flowlog_carry_open(struct flowlog_carry *c, struct error *err)
{
	void *header = NULL, *interfaces = NULL, *premises = NULL;
	size_t headers = 0, count = 0;
	int r = carry_read(c, "header", sizeof(struct header), &header, &headers, err);

	if (r == 0)
		r = carry_read(c, "interfaces", sizeof(struct flowlog_interface), &interfaces,
			&count, err);
	if (r == 0)
		r = carry_read(
			c, "premises", sizeof(struct premise), &premises, &c->premise_count, err);
	if (r == 0 && carry_fits(c, header, headers, count, c->premise_count)) {
		c->header = *(struct header *)header;
		c->there = true;
		carry_take_interfaces(c, interfaces);
		c->premises = premises;
		premises = NULL;
	}
	free(header);
	free(interfaces);
	free(premises);
	return r;
}

int64_t flowlog_carry_last_record(const struct flowlog_carry *c)
{
	return c && c->there ? c->header.record_id : 0;
}

int64_t flowlog_carry_end_s(const struct flowlog_carry *c)
{
	return c && c->there ? c->header.end_s : 0;
}

int64_t flowlog_carry_settled_s(const struct flowlog_carry *c)
{
	return c && c->there ? c->header.end_s - c->header.edge_s : 0;
}

static int64_t carry_minute_of(int64_t end_s, int64_t edge_s)
{
	return (end_s - edge_s - ANSWER_DELAY_S) / 60 - WINDOW_MINUTES;
}

int64_t flowlog_carry_minutes_ns(const struct flowlog_carry *c)
{
	return c && c->there
		       ? carry_minute_of(c->header.end_s, c->header.edge_s) * 60 * NSEC_PER_SEC
		       : 0;
}

void flowlog_carry_keep_interfaces(struct flowlog_carry *c)
{
	struct flowlog_interfaces *all = &c->f->interfaces;

	c->interfaces = mem_array(all->count + 1, sizeof(*c->interfaces));
	for (size_t k = 0; k < all->count; k++) {
		c->interfaces[k] = all->list[k];
		c->interfaces[k].name = c->interfaces[k].host_name = NULL;
		c->interfaces[k].hash = 0;
	}
}

static struct premise carry_premise_of(const struct flowlog_interface *i)
{
	struct premise p;

	memset(&p, 0, sizeof(p));
	for (int v6 = 0; v6 < 2; v6++) {
		const uint8_t *own = flowlog_interface_own(i, v6);

		p.own_known[v6] = own != NULL;
		if (own)
			memcpy(p.own[v6], own, 16);
	}
	p.transit = i->transit;
	p.sampled = i->sampled;
	p.interval_s = (uint32_t)flowlog_interface_interval_s(i);
	for (unsigned k = 0; k < i->source_count; k++) {
		p.source[k] = i->sources[k].id;
		p.left_out[k] = i->sources[k].left_out;
	}
	return p;
}

bool flowlog_carry_holds(
	const struct flowlog_carry *c, int64_t oldest_s, int64_t edge_s, int64_t clock_s)
{
	const struct flowlog *f = c->f;

	if (oldest_s < c->header.end_s - c->header.edge_s || edge_s != c->header.edge_s ||
		clock_s != c->header.clock_s)
		return false;
	for (size_t k = 0; k < c->premise_count; k++) {
		const struct flowlog_interface *i = &f->interfaces.list[k];
		struct premise now = carry_premise_of(i);

		/* Another flow log of it had no record before. */
		for (unsigned s = 0; s < INTERFACE_SOURCES; s++)
			if (!c->premises[k].source[s] && !c->premises[k].left_out[s])
				now.source[s] = 0, now.left_out[s] = 0;
		if (memcmp(&now, &c->premises[k], sizeof(now)) != 0)
			return false;
	}
	return true;
}

void flowlog_carry_drop(struct flowlog_carry *c)
{
	c->there = false;
}

static int carry_load_tuples(struct flowlog_carry *c, struct error *err)
{
	struct tuple *list;
	size_t n;
	void *data;
	int r = carry_read(c, "records", sizeof(struct tuple), &data, &n, err);

	list = data;
	for (size_t i = 0; i < n; i++)
		flowlog_tuples_add(c->f->tuples, &list[i]);
	free(data);
	return r;
}

static int carry_load_presence(struct flowlog_carry *c, struct error *err)
{
	const struct flowlog_presence *list;
	size_t n;
	void *data;
	int r = carry_read(c, "presence", sizeof(*list), &data, &n, err);

	list = data;
	for (size_t i = 0; i < n; i++)
		flowlog_presence_add(&c->f->presence, &list[i]);
	free(data);
	return r;
}

static int carry_load_drops(struct flowlog_carry *c, struct error *err)
{
	const struct flowlog_drops *list;
	size_t n;
	void *data;
	int r = carry_read(c, "drops", sizeof(*list), &data, &n, err);

	list = data;
	for (size_t i = 0; i < n; i++)
		flowlog_drops_add(&c->f->drops, &list[i]);
	free(data);
	return r;
}

static int carry_load_skips(struct flowlog_carry *c, struct error *err)
{
	struct flowlog *f = c->f;
	const struct flowlog_skip_span *list;
	size_t n;
	void *data;
	int r = carry_read(c, "skips", sizeof(*list), &data, &n, err);

	list = data;
	for (size_t i = 0; i < n; i++) {
		MEM_RESERVE(f->skips.spans, f->skips.count, f->skips.cap);
		f->skips.spans[f->skips.count++] = list[i];
	}
	free(data);
	return r;
}

static int carry_load_known(struct flowlog_carry *c, struct error *err)
{
	const struct known *list;
	size_t n;
	void *data;
	int r = carry_read(c, "known", sizeof(*list), &data, &n, err);

	list = data;
	for (size_t i = 0; i < n; i++)
		known_add(&c->known, &list[i]);
	free(data);
	return r;
}

int flowlog_carry_load(struct flowlog_carry *c, struct error *err)
{
	int r = carry_load_tuples(c, err);

	if (r == 0)
		r = carry_load_presence(c, err);
	if (r == 0)
		r = carry_load_drops(c, err);
	if (r == 0)
		r = carry_load_skips(c, err);
	return r ? r : carry_load_known(c, err);
}

const struct sums *flowlog_carry_known(const struct flowlog_carry *c)
{
	return c && c->there ? &c->known : NULL;
}

struct carried *flowlog_carry_bucket(struct flowlog_carry *c, unsigned bucket)
{
	assert(bucket < TUPLE_BUCKETS);
	return c ? &c->buckets[bucket] : NULL;
}

/* Adds a record to one that stands for several, if it is like it. */
static bool carry_merge_records(struct tuple *to, const struct tuple *t)
{
	if (to->vantage != t->vantage || to->bits != t->bits || to->flags != t->flags ||
		to->protocol_none != t->protocol_none || to->src_port != t->src_port ||
		memcmp(to->src, t->src, 16) != 0 || memcmp(to->dst, t->dst, 16) != 0 ||
		(uint64_t)to->more + 1 + t->more > TUPLE_MORE_MAX ||
		(uint64_t)to->packets + t->packets > UINT32_MAX ||
		(uint64_t)to->bytes + t->bytes > TUPLE_BYTES_MAX)
		return false;
	if (t->file < to->file || (t->file == to->file && t->line < to->line)) {
		to->file = t->file;
		to->line = t->line;
	}
	to->start_s = least(to->start_s, t->start_s);
	to->end_s = most(to->end_s, t->end_s);
	to->packets += t->packets;
	to->bytes = (to->bytes + t->bytes) & TUPLE_BYTES_MAX;
	to->more = (to->more + 1u + t->more) & TUPLE_MORE_MAX;
	return true;
}

/* Of a conversation that goes on for long the older records become a few. */
void carried_add(
	struct carried *c, struct tuple **list, size_t n, const struct flowlog_facts_input *in)
{
	size_t first = c->count;
	int64_t old_s = in->end_s - in->edge_s - ANSWER_DELAY_S - LOOK_BACK_S;

	for (size_t i = 0; i < n; i++) {
		bool merged = false;

		for (size_t k = first; (int64_t)list[i]->end_s < old_s && k < c->count && !merged;
			k++)
			merged = (int64_t)c->list[k].end_s < old_s &&
				 carry_merge_records(&c->list[k], list[i]);
		if (merged)
			continue;
		MEM_RESERVE(c->list, c->count, c->cap);
		c->list[c->count] = *list[i];
		c->list[c->count++].carried = 1;
	}
}

static int carry_take_totals(struct flowlog_carry *c, struct facts_totals *t, unsigned k,
	const char *name, size_t size, struct error *err)
{
	size_t n;
	void *data;
	int r = carry_read(c, name, size, &data, &n, err);

	for (size_t i = 0; i < n; i++)
		facts_totals_add(t, k, (char *)data + i * size);
	free(data);
	return r;
}

static const struct {
	const char *name;
	size_t size;
} carry_sums[5] = {{"windows", sizeof(struct window)}, {"losses", sizeof(struct loss)},
	{"deliveries", sizeof(struct delivery)}, {"sources", sizeof(struct source_sum)},
	{"requests", sizeof(struct request)}};

int flowlog_carry_take(
	struct flowlog_carry *c, struct facts_totals *t, struct sums *pairs, struct error *err)
{
	size_t n;
	void *data;
	int r = 0;

	if (!c || !c->there)
		return 0;
	for (unsigned k = 0; k < 5 && r == 0; k++) {
		r = carry_take_totals(c, t, k, carry_sums[k].name, carry_sums[k].size, err);
		t->left_out[k] += c->header.left_out[k];
	}
	if (r)
		return r;
	r = carry_read(c, "pairs", sizeof(struct pair), &data, &n, err);
	for (size_t i = 0; i < n; i++)
		pairs_add(pairs, (struct pair *)data + i);
	free(data);
	for (size_t i = 0; i < c->known.count; i++)
		known_add(&t->known, sums_at(&c->known, i));
	return r;
}

/* Minutes that are settled stay as rows; nothing is added to them any more. */
static bool carry_is_over(unsigned k, const void *entry, int64_t first_minute)
{
	if (k == 0)
		return ((const struct window *)entry)->key.minute < first_minute;
	return k == 4 && ((const struct request *)entry)->key.minute != 0 &&
	       ((const struct request *)entry)->key.minute < first_minute;
}

static int carry_by_key(const void *a, const void *b, void *key_size)
{
	return memcmp(a, b, *(const size_t *)key_size);
}

/* Entries in the order of their keys, so that the same input gives the same file. */
static void carry_leave_sums(struct flowlog_carry *c, const char *name, const struct sums *s,
	unsigned k, int64_t first_minute)
{
	char *copy = mem_array(s->count + 1, s->entry_size);
	size_t n = 0, key_size = s->key_size;

	for (size_t i = 0; i < s->count; i++)
		if (!carry_is_over(k, sums_at(s, i), first_minute))
			memcpy(copy + n++ * s->entry_size, sums_at(s, i), s->entry_size);
	if (n > 1)
		qsort_r(copy, n, s->entry_size, carry_by_key, &key_size);
	carry_write(c, name, copy, n * s->entry_size);
	free(copy);
}

static void carry_leave_pairs(struct flowlog_carry *c, struct facts_totals *t)
{
	struct top *tops[] = {&t->problems, &t->talkers};
	size_t n = 0;
	struct pair *list;

	top_finish(tops[0]);
	top_finish(tops[1]);
	list = mem_array(tops[0]->count + tops[1]->count + 1, sizeof(*list));
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < tops[k]->count; i++)
			memcpy(&list[n++], top_at(tops[k], i), sizeof(*list));
	carry_write(c, "pairs", list, n * sizeof(*list));
	free(list);
}

static int carry_tuple_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct tuple));
}

static void carry_leave_tuples(struct flowlog_carry *c)
{
	struct tuple *all;
	size_t n = 0;

	for (unsigned i = 0; i < TUPLE_BUCKETS; i++)
		n += c->buckets[i].count;
	all = mem_array(n + 1, sizeof(*all));
	n = 0;
	for (unsigned i = 0; i < TUPLE_BUCKETS; i++) {
		struct carried *b = &c->buckets[i];

		if (b->count > 1)
			qsort(b->list, b->count, sizeof(*b->list), carry_tuple_order);
		if (b->count)
			memcpy(all + n, b->list, b->count * sizeof(*all));
		n += b->count;
	}
	carry_write(c, "records", all, n * sizeof(*all));
	free(all);
}

static void carry_leave_premises(struct flowlog_carry *c)
{
	const struct flowlog_interfaces *all = &c->f->interfaces;
	struct premise *list = mem_array(all->count + 1, sizeof(*list));

	for (size_t k = 0; k < all->count; k++)
		list[k] = carry_premise_of(&all->list[k]);
	carry_write(c, "premises", list, all->count * sizeof(*list));
	carry_write(c, "interfaces", c->interfaces, all->count * sizeof(*c->interfaces));
	free(list);
}

int flowlog_carry_leave(struct flowlog_carry *c, struct facts_totals *t,
	const struct flowlog_facts_input *in, struct error *err)
{
	const struct sums *sums[] = {
		&t->windows, &t->losses, &t->deliveries, &t->sources, &t->requests};
	int64_t first_minute = carry_minute_of(in->end_s, in->edge_s);
	struct header h = {.layout = carry_layout(), .edge_s = in->edge_s, .clock_s = in->clock_s};
	int r;

	if (!c)
		return 0;
	r = db_run(c->f->db, "cannot write", schema_statement_flowlog_carry_clear, err);
	if (r)
		return r;
	h.record_id = c->f->next_record_id - 1;
	h.end_s = in->end_s;
	memcpy(h.left_out, t->left_out, sizeof(h.left_out));
	carry_write(c, "header", &h, sizeof(h));
	carry_leave_premises(c);
	carry_leave_tuples(c);
	for (unsigned k = 0; k < 5; k++)
		carry_leave_sums(c, carry_sums[k].name, sums[k], k, first_minute);
	carry_leave_pairs(c, t);
	carry_leave_sums(c, "known", &t->known, 9, 0);
	carry_leave_sums(c, "presence", in->presence, 9, 0);
	carry_leave_sums(c, "drops", &c->f->drops, 9, 0);
	carry_write(c, "skips", in->skips, in->skip_count * sizeof(*in->skips));
	return db_failed(c->f->db, err);
}
