#include "record/outages.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "join/segment_walk.h"

/* A flow that is out for longer was out before whatever happened to others. */
#define OUTAGE_LONGEST (900 * NSEC_PER_SEC)
#define ROWS_MAX 1000000
/* Whole seconds before and after. */
#define MARGIN 1

/* A time in which flows of a host were out, reference clock, in seconds; later: of how many flows.
 */
struct span {
	uint32_t host, flows, flow;
	uint8_t sending; /* the host sent what was lost */
	int64_t from, to;
};

struct spans {
	struct span *list;
	uint32_t count, cap;
};

struct watch {
	const struct join *join;
	struct db *db;
	struct spans spans; /* by host and time, no two of a host overlap */
	uint64_t kept, total;
};

void outages_release(struct outages *o)
{
	free(o->list.rows);
	free(o->rows);
	*o = (struct outages){0};
}

void outages_add(struct outages *o, uint32_t row, const struct outage *outage)
{
	MEM_RESERVE(o->list.rows, o->list.count, o->list.cap);
	MEM_RESERVE(o->rows, o->list.count, o->row_cap);
	o->rows[o->list.count] = row;
	o->list.rows[o->list.count++] = *outage;
}

static void outages_insert(const struct outages *o, const struct dataset *data, struct db *db)
{
	for (uint32_t i = 0; i < o->list.count; i++) {
		const struct outage *r = &o->list.rows[i];
		sqlite3_stmt *s = db_insert(db, TABLE_FLOW_OUTAGE);

		db_int(s, 1, o->rows[i]);
		db_text(s, 2, direction_name((enum direction)r->direction));
		db_int(s, 3, data->vantages[r->from].id);
		db_int(s, 4, data->vantages[r->to].id);
		db_int(s, 5, r->first_ns);
		db_int(s, 6, r->last_ns);
		db_int_or_null(s, 7, r->until_ns == INT64_MIN ? DB_NONE : r->until_ns);
		db_int(s, 8, r->lost);
		db_int(s, 9, r->least);
		db_int(s, 10, r->at_first_ns);
		db_int(s, 11, r->at_last_ns);
		db_step(db, s);
	}
}

static int64_t outages_second_of(int64_t at_ns)
{
	return at_ns / NSEC_PER_SEC - (at_ns % NSEC_PER_SEC < 0);
}

static void outages_add_span(struct spans *s, const struct span *span)
{
	MEM_RESERVE(s->list, s->count, s->cap);
	s->list[s->count++] = *span;
}

static int outages_by_host_and_time(const void *x, const void *y)
{
	const struct span *a = x, *b = y;

	if (a->host != b->host)
		return a->host < b->host ? -1 : 1;
	if (a->sending != b->sending)
		return a->sending < b->sending ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (a->flow > b->flow) - (a->flow < b->flow);
}

/* Overlapping spans of a host (sending and receiving apart, or not) become one. */
static void outages_merge(struct spans *s, bool apart)
{
	uint32_t n = 0;

	if (s->count)
		qsort(s->list, s->count, sizeof(*s->list), outages_by_host_and_time);
	for (uint32_t i = 0; i < s->count; i++) {
		struct span *last = n ? &s->list[n - 1] : NULL, *next = &s->list[i];

		if (!last || last->host != next->host ||
			(apart && last->sending != next->sending) || next->from > last->to) {
			s->list[n++] = *next;
			continue;
		}
		assert(last->from <= next->from);
		last->to = next->to > last->to ? next->to : last->to;
		last->flows += next->flow != last->flow ? next->flows : 0;
		last->flow = next->flow;
	}
	s->count = n;
}

/* Where one flow alone is out there is nothing to compare. */
static void outages_drop_single(struct spans *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		if (s->list[i].flows < 2)
			continue;
		s->list[n] = s->list[i];
		s->list[n].from -= MARGIN;
		s->list[n].to += MARGIN;
		s->list[n++].sending = 0;
	}
	s->count = n;
}

static void outages_find_spans(const struct outages *o, const struct join *j, struct spans *ret)
{
	for (uint32_t i = 0; i < o->list.count; i++) {
		const struct outage *r = &o->list.rows[i];
		struct span span = {.flows = 1,
			.flow = r->flow,
			.from = outages_second_of(r->at_first_ns),
			.to = outages_second_of(r->at_last_ns)};

		if (r->at_last_ns - r->at_first_ns > OUTAGE_LONGEST)
			continue;
		span.host = j->data->vantages[r->to].host;
		outages_add_span(ret, &span);
		span.host = j->data->vantages[r->from].host;
		span.sending = 1;
		outages_add_span(ret, &span);
	}
	outages_merge(ret, true);
	outages_drop_single(ret);
	outages_merge(ret, false);
}

/* Is a host's second one of those that are looked at? */
static bool outages_is_watched(const struct spans *s, uint32_t host, int64_t second)
{
	uint32_t low = 0, high = s->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct span *m = &s->list[middle];

		if (m->host < host || (m->host == host && m->to < second))
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->count && s->list[low].host == host && s->list[low].from <= second;
}

static bool outages_is_host_watched(const struct spans *s, uint32_t host)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->list[i].host == host)
			return true;
	return false;
}

struct flow_second {
	uint32_t row, vantage;
	uint8_t direction;
	int64_t second_ns, at_ns;
	uint32_t frames, largest;
};

static void outages_insert_second(struct watch *w, const struct flow_second *f)
{
	sqlite3_stmt *s;

	if (!f->frames || w->total++ >= ROWS_MAX)
		return;
	w->kept++;
	s = db_insert(w->db, TABLE_FLOW_ACTIVITY);
	db_int(s, 1, f->row);
	db_int(s, 2, w->join->data->vantages[f->vantage].id);
	db_text(s, 3, direction_name((enum direction)f->direction));
	db_int(s, 4, f->second_ns);
	db_int(s, 5, f->frames);
	db_int(s, 6, f->largest);
	db_int(s, 7, f->at_ns);
	db_step(w->db, s);
}

/* One direction of a flow at one place; ends: the hosts at its ends. */
static void outages_note_member(struct watch *w, uint32_t row, const struct member *m,
	enum direction d, const uint32_t ends[2])
{
	struct segment_walk walk = walk_direction(m, d);
	struct flow_second f = {.row = row, .vantage = m->vantage, .direction = (uint8_t)d};
	const struct segment *s;
	int64_t end = INT64_MIN;
	bool watched = false;

	while ((s = walk_next(&walk))) {
		if (s->time_ns >= end || s->time_ns < end - NSEC_PER_SEC) {
			int64_t second;

			outages_insert_second(w, &f);
			f.second_ns = s->time_ns - s->time_ns % NSEC_PER_SEC;
			f.frames = f.largest = 0;
			end = f.second_ns + NSEC_PER_SEC;
			f.at_ns = clocks_segment_to_reference(w->join->clocks, m->vantage, s) -
				  (s->time_ns - f.second_ns);
			second = outages_second_of(f.at_ns + NSEC_PER_SEC / 2);
			watched = outages_is_watched(&w->spans, ends[0], second) ||
				  outages_is_watched(&w->spans, ends[1], second);
		}
		if (!watched)
			continue;
		f.frames++;
		f.largest = s->length > f.largest ? s->length : f.largest;
	}
	outages_insert_second(w, &f);
}

static void outages_note_flow(struct watch *w, uint32_t row, const struct flow *c)
{
	const struct join *j = w->join;

	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = j->all->members[i].next) {
		const struct member *m = &j->all->members[i];
		uint32_t ends[2] = {owner_of(j->owners, member_ip(m, true)),
			owner_of(j->owners, member_ip(m, false))};

		if (j->data->vantages[m->vantage].kind != VANTAGE_NIC ||
			!(outages_is_host_watched(&w->spans, ends[0]) ||
				outages_is_host_watched(&w->spans, ends[1])))
			continue;
		for (int d = 0; d < 2; d++)
			outages_note_member(w, row, m, (enum direction)d, ends);
	}
}

void outages_store(const struct outages *o, const struct join *j, struct db *db, uint64_t *ret_kept,
	uint64_t *ret_total)
{
	struct watch w = {.join = j, .db = db};

	outages_insert(o, j->data, db);
	outages_find_spans(o, j, &w.spans);
	for (uint32_t place = 0; place < j->all->count && w.spans.count; place++)
		outages_note_flow(&w, place + 1, &j->all->list[j->order[place]]);
	free(w.spans.list);
	*ret_kept = w.kept;
	*ret_total = w.total;
}
