#include "record/kernel_drops.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "join/segment_walk.h"
#include "record/facts.h"

#define NONE UINT32_MAX
#define AHEAD 64 /* equal packets that are compared with one another */

/* The kernel stamps a drop after the interface has stamped the packet, up to the noise of both. */
#define STAMP_NOISE_NS NSEC_PER_MSEC

/* What is found out about a row. */
struct found {
	uint32_t row;
	uint32_t vantage, member; /* where its conversation was found; NONE: nowhere */
	uint32_t flow;
	uint32_t next; /* in the group, with the same identity, by time */
	const struct segment *seen, *sent;
	uint32_t seen_vantage, sent_vantage;
	uint32_t sent_count; /* packets there that it may be */
};

/* What a packet keeps on its way, with numbers as at the conversation's first member. */
struct identity {
	uint32_t seq, length, tsval;
	uint16_t ip_id;
	uint8_t flags, direction;
};
_Static_assert(sizeof(struct identity) == 16, "hashed as bytes: no padding");

struct matching {
	const struct dataset *data;
	const struct flows *all;
	const struct kernel_drops *drops;
	uint32_t host;
	struct found *found;
	struct hashmap first; /* struct identity -> index of the first found of the group + 1 */
};

/* at: index of a found + 1, as in the chains. */
static const struct segment *kernel_drops_of(const struct matching *m, uint32_t at)
{
	return &m->drops->rows[m->found[at - 1].row].segment;
}

static struct identity kernel_drops_identity(const struct member *m, const struct segment *s)
{
	enum direction d = segment_direction(m, s);

	return (struct identity){.seq = s->seq - m->delta[d],
		.length = s->length,
		.tsval = s->tsval,
		.ip_id = s->bits & SEGMENT_NO_ID ? 0 : s->ip_id,
		.flags = s->flags,
		.direction = (uint8_t)d};
}

/* Does nothing but its length tell it from others? */
static bool kernel_drops_is_faceless(const struct segment *s)
{
	return s->bits & SEGMENT_NO_ID && !s->hash && !s->flags && !s->seq;
}

/* Of the conversations with a row's 5-tuple the one that ran then, or the newest one before. */
static struct flow_vantage *kernel_drops_flow_at(
	const struct vantage *v, const struct kernel_drop *row)
{
	const struct flow_vantage probe = {.key = row->key, .hash = row->hash};
	struct flow_vantage *f = flowtab_same_key(&v->flows, &probe);

	while (f && f->older != FLOW_NONE && f->first_ns > row->segment.time_ns + STAMP_NOISE_NS)
		f = flowtab_at(&v->flows, f->older);
	return f;
}

static void kernel_drops_set_flow(
	const struct matching *m, struct found *x, uint32_t vantage, const struct flow_vantage *f)
{
	uint32_t i = m->all->list[f->flow].first_member;

	while (m->all->members[i].vantage != vantage)
		i = m->all->members[i].next;
	x->vantage = vantage;
	x->member = i;
	x->flow = f->flow;
}

/* At an interface of its own host, else where one conversation alone has its 5-tuple. */
static void kernel_drops_find_flow(const struct matching *m, struct found *x)
{
	const struct kernel_drop *row = &m->drops->rows[x->row];

	for (int own = 1; own >= 0 && row->has_key; own--)
		for (uint32_t i = 0; i < m->data->vantage_count; i++) {
			const struct vantage *v = &m->data->vantages[i];
			const struct flow_vantage *f;

			if (v->kind != VANTAGE_NIC || (v->host == m->host) != own)
				continue;
			f = kernel_drops_flow_at(v, row);
			if (f && f->flow != FLOW_NONE &&
				(own || (f->older == FLOW_NONE && !f->has_newer))) {
				kernel_drops_set_flow(m, x, i, f);
				return;
			}
		}
}

static int kernel_drops_compare(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->flow != y->flow)
		return x->flow < y->flow ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* Chains those of a group that say the same, in the order in which the kernel dropped them. */
static void kernel_drops_chain(struct matching *m, uint32_t begin, uint32_t end)
{
	hashmap_clear(&m->first);
	for (uint32_t i = end; i-- > begin;) {
		struct found *x = &m->found[i];
		struct identity id = kernel_drops_identity(
			&m->all->members[x->member], &m->drops->rows[x->row].segment);
		bool fresh;
		uint32_t *first = hashmap_at(&m->first, &id, &fresh);

		x->next = *first;
		*first = i + 1;
	}
}

/* May s, captured by the same host's clock, be the packet of a drop? */
static bool kernel_drops_fits(const struct segment *drop, const struct segment *s)
{
	int64_t late_ns = drop->time_ns - s->time_ns;

	return late_ns >= -STAMP_NOISE_NS && !segment_payload_differs(drop, s) &&
	       (late_ns <= STAMP_NOISE_NS || !kernel_drops_is_faceless(drop));
}

/* Of equal packets each drop takes the first one that is left, before it. */
static void kernel_drops_take_seen(
	struct matching *m, uint32_t *first, const struct segment *s, uint32_t vantage)
{
	uint32_t ahead = 0;

	/* drops from before this packet, and those that have theirs */
	while (*first && (m->found[*first - 1].seen ||
				 kernel_drops_of(m, *first)->time_ns < s->time_ns - STAMP_NOISE_NS))
		*first = m->found[*first - 1].next;
	for (uint32_t i = *first; i && ahead++ < AHEAD; i = m->found[i - 1].next) {
		struct found *x = &m->found[i - 1];

		if (!x->seen && kernel_drops_fits(kernel_drops_of(m, i), s)) {
			x->seen = s;
			x->seen_vantage = vantage;
			return;
		}
	}
}

/* Of drops that are equal nothing tells which of them a packet elsewhere is. */
static void kernel_drops_take_sent(
	struct matching *m, uint32_t first, const struct segment *s, uint32_t vantage)
{
	struct found *x = NULL;
	uint32_t ahead = 0;

	for (uint32_t i = first; i; i = m->found[i - 1].next) {
		const struct segment *drop = kernel_drops_of(m, i);

		if (ahead++ == AHEAD)
			return;
		if (segment_payload_differs(drop, s) || kernel_drops_is_faceless(drop))
			continue;
		if (x)
			return;
		x = &m->found[i - 1];
	}
	if (!x || (x->sent && x->sent_vantage != vantage))
		return;
	x->sent = s;
	x->sent_vantage = vantage;
	x->sent_count++;
}

/* Holds the segments of a member against the drops of its conversation. */
static void kernel_drops_match_member(struct matching *m, const struct member *member)
{
	bool own = m->data->vantages[member->vantage].host == m->host;
	struct segment_walk w = walk_flow(member);
	const struct segment *s;

	while ((s = walk_any(&w))) {
		struct identity id = kernel_drops_identity(member, s);
		uint32_t *first = hashmap_get(&m->first, &id);

		if (!first || !*first)
			continue;
		if (own)
			kernel_drops_take_seen(m, first, s, member->vantage);
		else
			kernel_drops_take_sent(m, *first, s, member->vantage);
	}
}

static void kernel_drops_match_group(struct matching *m, uint32_t begin, uint32_t end)
{
	const struct flow *flow = &m->all->list[m->found[begin].flow];

	for (uint32_t i = flow->first_member; i != MEMBER_NONE; i = m->all->members[i].next) {
		const struct member *member = &m->all->members[i];

		if (m->data->vantages[member->vantage].kind != VANTAGE_NIC)
			continue;
		kernel_drops_chain(m, begin, end);
		kernel_drops_match_member(m, member);
	}
}

static void kernel_drops_match(struct matching *m)
{
	uint32_t count = m->drops->count, end;

	for (uint32_t i = 0; i < count; i++) {
		m->found[i] = (struct found){
			.row = i, .vantage = NONE, .flow = NONE, .seen_vantage = NONE};
		kernel_drops_find_flow(m, &m->found[i]);
	}
	qsort(m->found, count, sizeof(*m->found), kernel_drops_compare);
	hashmap_init(&m->first, sizeof(struct identity), sizeof(uint32_t), UINT32_MAX);
	for (uint32_t i = 0; i < count && m->found[i].flow != NONE; i = end) {
		for (end = i + 1; end < count && m->found[end].flow == m->found[i].flow; end++)
			;
		kernel_drops_match_group(m, i, end);
	}
	hashmap_release(&m->first);
}

static void kernel_drops_bind_place(sqlite3_stmt *s, int column, const struct dataset *data,
	uint32_t vantage, const struct segment *segment)
{
	db_int_or_null(s, column, segment ? data->vantages[vantage].id : DB_NONE);
	facts_put_frame(s, column + 1, data, vantage, segment ? segment->frame : FRAME_NONE);
}

/* Text of a row, which has to stay until the row is written. */
struct row_text {
	char reason[KERNEL_DROP_SAID], function[KERNEL_DROP_SAID], interface[KERNEL_DROP_SAID],
		socket[KERNEL_DROP_SAID], number[KERNEL_DROP_SAID];
	char src[IP_TEXT_SIZE], dst[IP_TEXT_SIZE];
};

static void kernel_drops_bind_said(sqlite3_stmt *s, const struct kernel_drops *drops,
	const struct kernel_drop *row, struct row_text *t)
{
	bool has = kernel_drops_word(drops, row, "reason", t->reason);

	db_text(s, 5, has ? t->reason : "UNKNOWN");
	has = kernel_drops_word(drops, row, "function", t->function);
	db_text(s, 6, has ? t->function : NULL);
	has = kernel_drops_word(drops, row, "interface", t->interface);
	db_text(s, 7, has ? t->interface : NULL);
	has = kernel_drops_word(drops, row, "netns", t->number);
	db_int_or_null(s, 8, has ? (int64_t)strtoul(t->number, NULL, 10) : DB_NONE);
	has = kernel_drops_word(drops, row, "socket", t->socket);
	db_text(s, 9, has ? t->socket : NULL);
	has = kernel_drops_word(drops, row, "segments", t->number);
	db_int(s, 10, has ? (int64_t)strtoul(t->number, NULL, 10) : 1);
}

static void kernel_drops_bind_packet(
	sqlite3_stmt *s, const struct kernel_drop *row, struct row_text *t)
{
	const struct segment *p = &row->segment;
	bool from_b = p->bits & SEGMENT_FROM_B, ports = row->key.a_port || row->key.b_port;

	db_text(s, 11, p->bits & SEGMENT_IN ? "in" : p->bits & SEGMENT_OUT ? "out" : NULL);
	db_int(s, 18, p->length);
	if (!row->has_key) {
		for (int column = 12; column < 18; column++)
			db_null(s, column);
		return;
	}
	db_int(s, 12, row->key.protocol);
	db_text(s, 13, ip_text(from_b ? row->key.b : row->key.a, t->src));
	db_int_or_null(s, 14, ports ? (from_b ? row->key.b_port : row->key.a_port) : DB_NONE);
	db_text(s, 15, ip_text(from_b ? row->key.a : row->key.b, t->dst));
	db_int_or_null(s, 16, ports ? (from_b ? row->key.a_port : row->key.b_port) : DB_NONE);
	db_int_or_null(s, 17, row->key.protocol == 6 ? p->flags : DB_NONE);
}

static void kernel_drops_bind_flow(
	sqlite3_stmt *s, const struct matching *m, const struct found *x, const uint32_t *flow_row)
{
	const struct segment *segment = &m->drops->rows[x->row].segment;
	bool sent = x->sent_count == 1;

	if (x->flow == NONE) {
		db_null(s, 19);
		db_null(s, 20);
	} else {
		db_int(s, 19, flow_row[x->flow]);
		db_text(s, 20,
			segment_direction(&m->all->members[x->member], segment) == C2S ? "c2s"
										       : "s2c");
	}
	kernel_drops_bind_place(s, 21, m->data, x->seen_vantage, x->seen);
	kernel_drops_bind_place(s, 24, m->data, x->sent_vantage, sent ? x->sent : NULL);
}

void kernel_drops_store(struct db *db, const struct dataset *data, const struct flows *all,
	const uint32_t *flow_row, uint32_t vantage)
{
	const struct vantage *v = &data->vantages[vantage];
	struct matching m = {.data = data, .all = all, .drops = &v->kernel_drops, .host = v->host};
	sqlite3_stmt *s;

	if (!m.drops->count)
		return;
	assert(v->kind == VANTAGE_KERNEL);
	m.found = mem_array(m.drops->count, sizeof(*m.found));
	kernel_drops_match(&m);
	s = db_insert(db, TABLE_KERNEL_DROP);
	for (uint32_t i = 0; i < m.drops->count; i++) {
		const struct found *x = &m.found[i];
		const struct kernel_drop *row = &m.drops->rows[x->row];
		struct row_text text;

		db_int(s, 1, v->id);
		db_int(s, 2, row->segment.time_ns);
		facts_put_frame(s, 3, data, vantage, row->segment.frame);
		kernel_drops_bind_said(s, m.drops, row, &text);
		kernel_drops_bind_packet(s, row, &text);
		kernel_drops_bind_flow(s, &m, x, flow_row);
		db_step(db, s);
	}
	free(m.found);
}
