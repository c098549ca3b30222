#include "record/flowrows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/cursor.h"
#include "base/mem.h"

/* Addresses of one batch are often the same. */
#define ADDRESSES 16

/* What a row of flow, flow_vantage, path mostly takes, and a little more. */
#define FLOW_SIZE 96
#define FLOW_VANTAGE_SIZE 112
#define PATH_SIZE 96

/* Columns of the tables. */
#define FLOW_COLUMNS 13
#define FLOW_VANTAGE_COLUMNS 27
#define PATH_COLUMNS 37

_Static_assert(1 + PATH_COLUMNS < 0x80, "a header's size takes one byte");

struct flow_rows {
	struct flow_summary *summaries; /* of the places from first on */
	uint32_t first;
	struct btree_cells flows, flow_vantages, paths;
	/* While they are made: */
	struct address_text {
		uint8_t ip[16];
		uint8_t size; /* 0: free */
		char text[IP_TEXT_SIZE];
	} addresses[ADDRESSES];
};

/*
 * A record is its header's size, a serial type for each column, and the values. All types here take
 * one byte (no text is long), so the values' place is known before the first is written.
 */
struct cell {
	struct btree_cells *cells;
	const uint8_t *record;
	uint32_t columns;
};

/* The most any member saw of each side. */
struct most {
	struct flow_side side[2]; /* C2S, S2C */
};

static void flowrows_take_most(struct flow_side *into, const struct flow_side *from)
{
	into->packets = from->packets > into->packets ? from->packets : into->packets;
	into->bytes = from->bytes > into->bytes ? from->bytes : into->bytes;
	into->syns = from->syns > into->syns ? from->syns : into->syns;
	into->fins = from->fins > into->fins ? from->fins : into->fins;
	into->rsts = from->rsts > into->rsts ? from->rsts : into->rsts;
}

/* Data and what it takes to see that it was sent again, twice, or a SYN-ACK that was. */
#define NEVER_TAKEN_PACKETS 4u

/* The client believes to be connected and sends, and all that the server ever sent was its SYN-ACK.
 */
static bool flowrows_is_never_taken(const struct flow_side *c, const struct flow_side *v)
{
	return v->packets == v->syns && c->bytes &&
	       (v->syns > 1 || c->packets >= c->syns + NEVER_TAKEN_PACKETS);
}

static const char *flowrows_outcome(uint8_t protocol, const struct most *s)
{
	const struct flow_side *c = &s->side[C2S], *v = &s->side[S2C];

	if (protocol != 6)
		return "datagram";
	if (c->syns && !v->syns)
		return v->rsts ? "refused" : v->packets ? "midstream" : "unanswered";
	if (!c->syns && !v->syns)
		return c->rsts || v->rsts ? "reset" : "midstream";
	if (c->packets <= c->syns)
		return "half_open";
	if (c->rsts || v->rsts)
		return "reset";
	if (flowrows_is_never_taken(c, v))
		return "half_open";
	return c->fins && v->fins ? "closed" : "established";
}

struct flow_summary flowrows_summary(const struct join *j, const struct flow *c)
{
	const struct member *near = &j->all->members[c->first_member];
	uint8_t protocol = near->flow->key.protocol;
	struct flow_summary s = {.first_ns = INT64_MAX, .last_ns = INT64_MIN, .tcp = protocol == 6};
	struct most most = {0};

	memcpy(s.client, member_ip(near, true), 16);
	memcpy(s.server, member_ip(near, false), 16);
	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = j->all->members[i].next) {
		const struct member *m = &j->all->members[i];
		const struct flow_vantage *f = m->flow;
		int64_t first = clocks_to_reference(j->clocks, m->vantage, f->first_ns);
		int64_t last = clocks_to_reference(j->clocks, m->vantage, f->last_ns);

		s.first_ns = first < s.first_ns ? first : s.first_ns;
		s.last_ns = last > s.last_ns ? last : s.last_ns;
		for (int d = 0; d < 2; d++) {
			const struct flow_side *side = member_side(m, (enum direction)d);

			flowrows_take_most(&most.side[d], side);
			if (side->has_isn && !s.has_isn[d]) {
				s.has_isn[d] = true;
				s.isn[d] = side->isn - m->delta[d];
			}
		}
	}
	s.outcome = flowrows_outcome(protocol, &most);
	return s;
}

/* id: the rowid, or 0. The row is filled by way of *ret_at. */
static struct cell flowrows_begin_cell(
	struct btree_cells *cells, uint32_t columns, int64_t id, struct row_at *ret_at)
{
	uint8_t *record = btree_cells_begin(cells, id);

	record[0] = (uint8_t)(1 + columns);
	*ret_at = (struct row_at){.types = record + 1, .body = record + 1 + columns};
	return (struct cell){.cells = cells, .record = record, .columns = columns};
}

static void flowrows_end_cell(const struct cell *cell, const struct row_at *at)
{
	uint32_t size = (uint32_t)(at->body - cell->record);

	assert(at->types == cell->record + 1 + cell->columns && size <= BTREE_RECORD_MAX - 16);
	btree_cells_end(cell->cells, size);
}

/* A word of this program's own, of at most 16 letters. */
static inline void flowrows_put_word(struct row_at *at, const char *word)
{
	size_t n = strlen(word);

	assert(n <= 16);
	*at->types++ = (uint8_t)(13 + 2 * n);
	if (n >= 8) {
		memcpy(at->body, word, 8);
		memcpy(at->body + n - 8, word + n - 8, 8);
	} else {
		for (size_t i = 0; i < n; i++)
			at->body[i] = (uint8_t)word[i];
	}
	at->body += n;
}

static inline void flowrows_put_ip(struct flow_rows *r, struct row_at *at, const uint8_t ip[16])
{
	struct address_text *a = &r->addresses[(ip[15] ^ ip[14]) % ADDRESSES];

	if (!a->size || le64(a->ip) != le64(ip) || le64(a->ip + 8) != le64(ip + 8)) {
		memcpy(a->ip, ip, 16);
		a->size = (uint8_t)strlen(ip_text(ip, a->text));
	}
	row_put_short_text(at, a->text, a->size);
}

static inline void flowrows_put_ends(struct flow_rows *r, struct row_at *at, const struct member *m)
{
	for (int client = 1; client >= 0; client--) {
		flowrows_put_ip(r, at, member_ip(m, client));
		row_put_int(at, member_port(m, client));
	}
}

/* Columns in the order of the schema, those of a key first: rows have no other way to name them. */
static void flowrows_add_flow(struct flow_rows *r, const struct join *j, uint32_t number,
	const struct flow *c, const struct flow_summary *sum)
{
	const struct member *near = &j->all->members[c->first_member];
	struct row_at at;
	const struct cell cell = flowrows_begin_cell(&r->flows, FLOW_COLUMNS, number, &at);
	char text[PROTOCOL_TEXT_SIZE];

	row_put_null(&at); /* it is the rowid */
	flowrows_put_word(&at, protocol_text(near->flow->key.protocol, text));
	flowrows_put_ends(r, &at, near);
	for (int d = 0; d < 2; d++)
		row_put_int_or_null(&at, sum->has_isn[d] ? (int64_t)sum->isn[d] : DB_NONE);
	row_put_int(&at, sum->first_ns);
	row_put_int(&at, sum->last_ns);
	flowrows_put_word(&at, sum->outcome);
	row_put_int(&at, c->client_known);
	flowrows_put_word(&at, pairing_name((enum pairing_evidence)c->pairing));
	flowrows_end_cell(&cell, &at);
}

static inline void flowrows_put_sides(
	struct row_at *at, const struct flow_side *c, const struct flow_side *v)
{
	const struct flow_side *side[2] = {c, v};

	for (int d = 0; d < 2; d++)
		row_put_int(at, side[d]->packets);
	for (int d = 0; d < 2; d++)
		row_put_int(at, (int64_t)side[d]->bytes);
	for (int d = 0; d < 2; d++)
		row_put_int(at, side[d]->syns);
	for (int d = 0; d < 2; d++)
		row_put_int(at, side[d]->fins);
	for (int d = 0; d < 2; d++)
		row_put_int(at, side[d]->rsts);
	for (int d = 0; d < 2; d++)
		row_put_int(at, side[d]->zero_windows);
	for (int d = 0; d < 2; d++)
		row_put_int_or_null(at, side[d]->seen ? side[d]->ttl : DB_NONE);
	for (int d = 0; d < 2; d++)
		row_put_int_or_null(at, side[d]->mss ? side[d]->mss : DB_NONE);
}

static void flowrows_add_members(
	struct flow_rows *r, const struct join *j, uint32_t number, const struct flow *c)
{
	uint32_t position = 0;

	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = j->all->members[i].next) {
		const struct member *m = &j->all->members[i];
		const struct flow_vantage *f = m->flow;
		struct row_at at;
		const struct cell cell =
			flowrows_begin_cell(&r->flow_vantages, FLOW_VANTAGE_COLUMNS, 0, &at);

		row_put_int(&at, number);
		row_put_int(&at, position++);
		row_put_int(&at, j->data->vantages[m->vantage].id);
		flowrows_put_ends(r, &at, m);
		row_put_int(&at, m->delta[C2S]);
		row_put_int(&at, m->delta[S2C]);
		row_put_int(&at, f->first_ns);
		row_put_int(&at, f->last_ns);
		flowrows_put_sides(&at, member_side(m, C2S), member_side(m, S2C));
		flowrows_end_cell(&cell, &at);
	}
}

static inline void flowrows_put_zeros(struct row_at *at, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		row_put_int(at, 0);
}

static inline void flowrows_put_of(struct row_at *at, const struct volume *p, bool bytes)
{
	row_put_int(at, (int64_t)(bytes ? p->bytes : p->segments));
}

static inline bool flowrows_lacks_any(const struct path_counts *p)
{
	return p->misaddressed.segments | p->lost.segments | p->capture_missed.segments |
	       p->unjudged.segments;
}

static inline bool flowrows_has_extra(const struct path_counts *p)
{
	return p->duplicated.segments | p->injected.segments | p->sender_missed.segments;
}

/* Segments or bytes of all fates; on most paths all that was sent came, and nothing else. */
static inline __attribute__((always_inline)) void put_fates(
	struct row_at *at, const struct path_counts *p, bool bytes)
{
	flowrows_put_of(at, &p->sent, bytes);
	flowrows_put_of(at, &p->delivered, bytes);
	if (flowrows_lacks_any(p)) {
		flowrows_put_of(at, &p->misaddressed, bytes);
		flowrows_put_of(at, &p->lost, bytes);
		flowrows_put_of(at, &p->capture_missed, bytes);
		flowrows_put_of(at, &p->unjudged, bytes);
	} else {
		flowrows_put_zeros(at, 4);
	}
	flowrows_put_of(at, &p->received, bytes);
	if (flowrows_has_extra(p)) {
		flowrows_put_of(at, &p->duplicated, bytes);
		flowrows_put_of(at, &p->injected, bytes);
		flowrows_put_of(at, &p->sender_missed, bytes);
	} else {
		flowrows_put_zeros(at, 3);
	}
}

static void flowrows_add_path(struct flow_rows *r, const struct join *j, uint32_t number,
	uint32_t leg, const struct path_counts *p)
{
	struct row_at at;
	const struct cell cell = flowrows_begin_cell(&r->paths, PATH_COLUMNS, 0, &at);

	row_put_int(&at, number);
	row_put_int(&at, leg);
	flowrows_put_word(&at, direction_name((enum direction)p->direction));
	row_put_int(&at, j->data->vantages[p->from].id);
	row_put_int(&at, j->data->vantages[p->to].id);
	put_fates(&at, p, false);
	row_put_int(&at, (int64_t)p->modified);
	row_put_int(&at, (int64_t)p->reordered);
	row_put_int(&at, (int64_t)p->retransmitted.segments);
	row_put_int(&at, (int64_t)p->syn_sent);
	row_put_int(&at, (int64_t)p->syn_lost);
	put_fates(&at, p, true);
	row_put_int(&at, (int64_t)p->retransmitted.bytes);
	row_put_int_or_null(&at, p->largest_delivered < 0 ? DB_NONE : p->largest_delivered);
	row_put_int_or_null(&at, p->smallest_lost < 0 ? DB_NONE : p->smallest_lost);
	row_put_int(&at, p->estimated);
	row_put_int_or_null(&at, p->owd_min_ns);
	row_put_int_or_null(&at, p->owd_median_ns);
	row_put_int_or_null(&at, p->owd_max_ns);
	flowrows_end_cell(&cell, &at);
}

static void flowrows_free_rows(void *rows)
{
	struct flow_rows *r = rows;

	free(r->summaries);
	btree_cells_release(&r->flows);
	btree_cells_release(&r->flow_vantages);
	btree_cells_release(&r->paths);
	free(r);
}

void flowrows_make(const struct join *j, struct join_batch *b)
{
	struct flow_rows *r = mem_zalloc(sizeof(*r));
	uint32_t path = 0, count = b->end - b->begin + 1;

	r->first = b->begin;
	r->summaries = mem_array(count, sizeof(*r->summaries));
	btree_cells_init(&r->flows, count, FLOW_SIZE);
	btree_cells_init(&r->flow_vantages, 2 * count, FLOW_VANTAGE_SIZE);
	btree_cells_init(&r->paths, b->path_count + 1, PATH_SIZE);
	for (uint32_t place = b->begin; place < b->end; place++) {
		uint32_t flow = j->order[place], number = place + 1;
		const struct flow *c = &j->all->list[flow];
		struct flow_summary *sum = &r->summaries[place - b->begin];

		*sum = flowrows_summary(j, c);
		flowrows_add_flow(r, j, number, c, sum);
		flowrows_add_members(r, j, number, c);
		for (; path < b->path_count && b->paths[path].flow == flow; path++)
			flowrows_add_path(r, j, number, b->paths[path].leg, &b->paths[path].counts);
	}
	assert(path == b->path_count);
	b->prepared = r;
	b->free_prepared = flowrows_free_rows;
}

const struct flow_summary *flowrows_of(const struct join_batch *b, uint32_t place)
{
	const struct flow_rows *r = b->prepared;

	return &r->summaries[place - r->first];
}

void flowrows_write(const struct join_batch *b, struct btree *flows, struct btree *flow_vantages,
	struct btree *paths)
{
	const struct flow_rows *r = b->prepared;

	btree_add_cells(flows, &r->flows);
	btree_add_cells(flow_vantages, &r->flow_vantages);
	btree_add_cells(paths, &r->paths);
}
