#include "store/flowrows.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"

/* Addresses of one batch are often the same. */
#define ADDRESSES 16

/* What the rows of a conversation at two places take. */
#define USUAL_SIZE 512

struct flow_rows {
	struct flow_summary *summaries; /* of the places from first on */
	uint32_t first;
	uint8_t *bytes; /* records: two sizes, serial types, values */
	size_t used, cap, read;
	/* While they are made: */
	struct bulk_row row;
	struct address_text {
		uint8_t ip[16];
		uint8_t size; /* 0: free */
		char text[IP_TEXT_SIZE];
	} addresses[ADDRESSES];
};

struct record_sizes {
	uint16_t types, body;
};

/* The most any member saw of each side. */
struct most {
	struct flow_side side[2]; /* C2S, S2C */
};

static void take_most(struct flow_side *into, const struct flow_side *from)
{
	into->packets = from->packets > into->packets ? from->packets : into->packets;
	into->syns = from->syns > into->syns ? from->syns : into->syns;
	into->fins = from->fins > into->fins ? from->fins : into->fins;
	into->rsts = from->rsts > into->rsts ? from->rsts : into->rsts;
}

static const char *outcome(uint8_t protocol, const struct most *s)
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
	return c->fins && v->fins ? "closed" : "established";
}

struct flow_summary flowrows_summary(const struct join *j, const struct conversation *c)
{
	const struct member *near = &j->all->members[c->first_member];
	uint8_t protocol = member_flow(j->net, near)->key.protocol;
	struct flow_summary s = {.first_ns = INT64_MAX, .last_ns = INT64_MIN, .tcp = protocol == 6};
	struct most most = {0};

	memcpy(s.client, member_ip(j->net, near, true), 16);
	memcpy(s.server, member_ip(j->net, near, false), 16);
	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = j->all->members[i].next) {
		const struct member *m = &j->all->members[i];
		const struct flow *f = member_flow(j->net, m);
		int64_t first = clocks_to_reference(j->clocks, m->vantage, f->first_ns);
		int64_t last = clocks_to_reference(j->clocks, m->vantage, f->last_ns);

		s.first_ns = first < s.first_ns ? first : s.first_ns;
		s.last_ns = last > s.last_ns ? last : s.last_ns;
		for (int d = 0; d < 2; d++) {
			const struct flow_side *side = member_side(j->net, m, (enum direction)d);

			take_most(&most.side[d], side);
			if (side->has_isn && !s.has_isn[d]) {
				s.has_isn[d] = true;
				s.isn[d] = side->isn - m->delta[d];
			}
		}
	}
	s.outcome = outcome(protocol, &most);
	return s;
}

static struct bulk_row *begin_row(struct flow_rows *r)
{
	r->row.types = r->row.types_start;
	r->row.body = r->row.body_start;
	return &r->row;
}

static void end_row(struct flow_rows *r)
{
	struct record_sizes sizes = {.types = (uint16_t)(r->row.types - r->row.types_start),
		.body = (uint16_t)(r->row.body - r->row.body_start)};
	size_t size = sizeof(sizes) + sizes.types + sizes.body;

	if (r->cap - r->used < size) {
		r->cap = 2 * r->cap + size;
		r->bytes = mem_realloc(r->bytes, r->cap);
	}
	memcpy(r->bytes + r->used, &sizes, sizeof(sizes));
	memcpy(r->bytes + r->used + sizeof(sizes), r->row.types_start, sizes.types);
	memcpy(r->bytes + r->used + sizeof(sizes) + sizes.types, r->row.body_start, sizes.body);
	r->used += size;
}

static void put_ip(struct flow_rows *r, const uint8_t ip[16])
{
	struct address_text *a = &r->addresses[(ip[15] ^ ip[14]) % ADDRESSES];

	if (!a->size || memcmp(a->ip, ip, 16) != 0) {
		memcpy(a->ip, ip, 16);
		a->size = (uint8_t)strlen(ip_text(ip, a->text));
	}
	bulk_text(&r->row, a->text, a->size);
}

static void put_ends(struct flow_rows *r, const struct network *net, const struct member *m)
{
	for (int client = 1; client >= 0; client--) {
		put_ip(r, member_ip(net, m, client));
		bulk_int(&r->row, member_port(net, m, client));
	}
}

/* Columns in the order of the schema: rows have no other way to name them. */
static void add_flow(struct flow_rows *r, const struct join *j, const struct conversation *c, const struct flow_summary *sum)
{
	const struct member *near = &j->all->members[c->first_member];
	struct bulk_row *row = begin_row(r);
	char text[PROTOCOL_TEXT_SIZE];

	bulk_null(row); /* rowids count up from 1, as flows do */
	bulk_word(row, protocol_text(member_flow(j->net, near)->key.protocol, text));
	put_ends(r, j->net, near);
	for (int d = 0; d < 2; d++)
		bulk_int_or_null(row, sum->has_isn[d] ? (int64_t)sum->isn[d] : DB_NONE);
	bulk_int(row, sum->first_ns);
	bulk_int(row, sum->last_ns);
	bulk_word(row, sum->outcome);
	bulk_int(row, c->client_known);
	bulk_word(row, pairing_name((enum pairing_evidence)c->pairing));
	end_row(r);
}

static void put_sides(struct bulk_row *row, const struct flow_side *c, const struct flow_side *v)
{
	const struct flow_side *side[2] = {c, v};

	for (int d = 0; d < 2; d++)
		bulk_int(row, side[d]->packets);
	for (int d = 0; d < 2; d++)
		bulk_int(row, (int64_t)side[d]->bytes);
	for (int d = 0; d < 2; d++)
		bulk_int(row, side[d]->syns);
	for (int d = 0; d < 2; d++)
		bulk_int(row, side[d]->fins);
	for (int d = 0; d < 2; d++)
		bulk_int(row, side[d]->rsts);
	for (int d = 0; d < 2; d++)
		bulk_int(row, side[d]->zero_windows);
	for (int d = 0; d < 2; d++)
		bulk_int_or_null(row, side[d]->seen ? side[d]->ttl : DB_NONE);
	for (int d = 0; d < 2; d++)
		bulk_int_or_null(row, side[d]->mss ? side[d]->mss : DB_NONE);
}

static void add_members(struct flow_rows *r, const struct join *j, uint32_t number, const struct conversation *c)
{
	uint32_t position = 0;

	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = j->all->members[i].next) {
		const struct member *m = &j->all->members[i];
		const struct flow *f = member_flow(j->net, m);
		struct bulk_row *row = begin_row(r);

		bulk_int(row, number);
		bulk_int(row, j->net->vantages[m->vantage].id);
		bulk_int(row, position++);
		put_ends(r, j->net, m);
		bulk_int(row, m->delta[C2S]);
		bulk_int(row, m->delta[S2C]);
		bulk_int(row, f->first_ns);
		bulk_int(row, f->last_ns);
		put_sides(row, member_side(j->net, m, C2S), member_side(j->net, m, S2C));
		end_row(r);
	}
}

static void add_path(struct flow_rows *r, const struct join *j, uint32_t number, const struct path_counts *p)
{
	const struct tally_pair *pairs[] = {&p->sent, &p->delivered, &p->misaddressed, &p->lost,
		&p->capture_missed, &p->unjudged, &p->received, &p->duplicated, &p->injected,
		&p->sender_missed};
	struct bulk_row *row = begin_row(r);

	bulk_int(row, number);
	bulk_word(row, p->direction == C2S ? "c2s" : "s2c");
	bulk_int(row, j->net->vantages[p->from].id);
	bulk_int(row, j->net->vantages[p->to].id);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		bulk_int(row, (int64_t)pairs[i]->segments);
	bulk_int(row, (int64_t)p->modified);
	bulk_int(row, (int64_t)p->reordered);
	bulk_int(row, (int64_t)p->retransmitted.segments);
	bulk_int(row, (int64_t)p->syn_sent);
	bulk_int(row, (int64_t)p->syn_lost);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		bulk_int(row, (int64_t)pairs[i]->bytes);
	bulk_int(row, (int64_t)p->retransmitted.bytes);
	bulk_int_or_null(row, p->largest_delivered < 0 ? DB_NONE : p->largest_delivered);
	bulk_int_or_null(row, p->smallest_lost < 0 ? DB_NONE : p->smallest_lost);
	bulk_int(row, p->estimated);
	bulk_int_or_null(row, p->owd_min_ns);
	bulk_int_or_null(row, p->owd_median_ns);
	bulk_int_or_null(row, p->owd_max_ns);
	end_row(r);
}

static void free_rows(void *rows)
{
	struct flow_rows *r = rows;

	free(r->summaries);
	free(r->bytes);
	free(r);
}

void flowrows_make(const struct join *j, struct join_batch *b)
{
	struct flow_rows *r = mem_zalloc(sizeof(*r));
	uint32_t path = 0;

	r->first = b->begin;
	r->summaries = mem_array(b->end - b->begin + 1, sizeof(*r->summaries));
	bulk_reserve(&r->row, 4096);
	r->cap = (size_t)(b->end - b->begin) * USUAL_SIZE;
	r->bytes = mem_alloc(r->cap);
	for (uint32_t place = b->begin; place < b->end; place++) {
		uint32_t conversation = j->order[place], number = place + 1;
		const struct conversation *c = &j->all->list[conversation];
		struct flow_summary *sum = &r->summaries[place - b->begin];

		*sum = flowrows_summary(j, c);
		add_flow(r, j, c, sum);
		add_members(r, j, number, c);
		for (; path < b->path_count && b->paths[path].conversation == conversation; path++)
			add_path(r, j, number, &b->paths[path].counts);
	}
	free(r->row.body_start);
	r->row = (struct bulk_row){0};
	b->prepared = r;
	b->free_prepared = free_rows;
}

const struct flow_summary *flowrows_of(const struct join_batch *b, uint32_t place)
{
	const struct flow_rows *r = b->prepared;

	return &r->summaries[place - r->first];
}

int64_t flowrows_next(const struct join_batch *b, struct btree *t)
{
	struct flow_rows *r = b->prepared;
	const uint8_t *types = r->bytes + r->read + sizeof(struct record_sizes);
	struct record_sizes sizes;

	memcpy(&sizes, r->bytes + r->read, sizeof(sizes));
	r->read += sizeof(sizes) + sizes.types + sizes.body;
	return btree_add_row(t, types, sizes.types, types + sizes.types, sizes.body);
}
