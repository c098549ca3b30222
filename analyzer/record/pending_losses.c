#include "record/pending_losses.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "decode/packet.h"

/* A proven miss makes absences this near to it (either way) worthless as evidence. */
#define DOUBT_SECONDS 5
#define MISSED_LIMIT 4000000

struct missed_key {
	int64_t second;
	uint32_t vantage, unused;
};

_Static_assert(sizeof(struct missed_key) == 16, "hashed as bytes: no padding");

void pending_losses_init(struct pending_losses *p, const struct dataset *data)
{
	*p = (struct pending_losses){.data = data};
	hashmap_init(
		&p->misses.by_second, sizeof(struct missed_key), sizeof(uint64_t), MISSED_LIMIT);
	p->misses.by_vantage = mem_array(data->vantage_count + 1, sizeof(*p->misses.by_vantage));
}

void pending_losses_release(struct pending_losses *p)
{
	hashmap_release(&p->misses.by_second);
	free(p->misses.by_vantage);
	free(p->list);
	free(p->waiting);
	*p = (struct pending_losses){0};
}

/* at_ns: that vantage point's clock; INT64_MIN: not known, so that no second becomes doubtful. */
static void pending_losses_note_miss(
	struct proven_misses *m, uint32_t vantage, int64_t at_ns, uint32_t segments)
{
	struct missed_key key = {.vantage = vantage, .second = at_ns / NSEC_PER_SEC};
	uint64_t *n;
	bool fresh;

	m->by_vantage[vantage] += segments;
	if (at_ns == INT64_MIN)
		return;
	n = hashmap_at(&m->by_second, &key, &fresh);
	if (n)
		*n += segments;
}

/* The receiver's time of a missing segment; without a clock the sender's, which is better than
 * none. */
static int64_t pending_losses_time(const struct event *e)
{
	if (e->judged_ns != INT64_MIN && e->judged_ns)
		return e->judged_ns;
	return e->sent ? e->sent->time_ns : e->received ? e->received->time_ns : 0;
}

static void pending_losses_note_misses(struct proven_misses *m, const struct event *e)
{
	if (e->kind == EVENT_CAPTURE_MISSED && e->while_running)
		pending_losses_note_miss(m, e->to, pending_losses_time(e), e->segments);
	/* What a place in the middle lacks though its neighbours have it was noted with the path
	 * before it. */
	if (e->kind == EVENT_SENDER_MISSED && e->while_running && e->proof)
		pending_losses_note_miss(m, e->from, e->sender_ns, e->segments);
	if (e->kind == EVENT_BOTH_MISSED && e->while_running)
		pending_losses_note_miss(m, e->to, e->judged_ns, e->segments);
	if (e->kind == EVENT_BOTH_MISSED && e->sender_running)
		pending_losses_note_miss(m, e->from, e->sender_ns, e->segments);
}

void pending_losses_add(struct pending_losses *p, uint64_t event_row, uint32_t flow_row,
	uint32_t leg, const struct event *e)
{
	pending_losses_note_misses(&p->misses, e);
	if (!e->pending)
		return;
	MEM_RESERVE(p->list, p->count, p->cap);
	p->list[p->count++] = (struct pending){.event_row = event_row,
		.flow = flow_row,
		.leg = (uint8_t)leg,
		.direction = e->direction,
		.waiting = p->waiting_count,
		.vantage = e->to,
		.segments = e->segments,
		.bytes = e->length,
		.syn = e->flags & TCP_SYN,
		.at_ns = pending_losses_time(e),
		.from = e->from,
		.sent = e->sent};
}

void pending_losses_wait(struct pending_losses *p, const struct totals_loss *loss, uint32_t flow)
{
	MEM_RESERVE(p->waiting, p->waiting_count, p->waiting_cap);
	p->waiting[p->waiting_count++] = (struct waiting_loss){.loss = *loss, .flow = flow};
}

static bool pending_losses_is_doubtful(const struct pending_losses *l, const struct pending *p)
{
	if (!l->misses.by_vantage[p->vantage])
		return false;
	/* Misses all over a capture (more than one in ten thousand) make every absence doubtful. */
	if (l->misses.by_vantage[p->vantage] * 10000 > l->data->vantages[p->vantage].counts.frames)
		return true;
	for (int64_t d = -DOUBT_SECONDS; d <= DOUBT_SECONDS; d++) {
		struct missed_key key = {
			.vantage = p->vantage, .second = p->at_ns / NSEC_PER_SEC + d};

		if (hashmap_get(&l->misses.by_second, &key))
			return true;
	}
	return false;
}

static sqlite3_stmt *pending_losses_prepare(struct db *db, const char *sql)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL) != SQLITE_OK) {
		(void)fprintf(stderr, "bug: %s: %s\n", sql, sqlite3_errmsg(db->handle));
		abort();
	}
	return s;
}

/* From lost to unjudged: as unjudge_path.sql does with the row. */
static void pending_losses_unjudge(struct waiting_loss *p, const struct pending *e)
{
	uint32_t syn = e->syn ? e->segments : 0;

	assert(p->loss.segments >= e->segments && p->loss.syn_segments >= syn &&
		p->loss.bytes >= e->bytes);
	p->loss.segments -= e->segments;
	p->loss.syn_segments -= syn;
	p->loss.bytes -= e->bytes;
	p->unjudged += e->segments;
	p->unjudged_syn += syn;
}

static void pending_losses_unjudge_path(struct db *db, sqlite3_stmt *path, const struct pending *p)
{
	db_int(path, 1, p->flow);
	db_int(path, 2, p->segments);
	db_int(path, 3, p->bytes);
	db_int(path, 4, p->syn ? p->segments : 0);
	db_int(path, 5, p->leg);
	db_text(path, 6, direction_name((enum direction)p->direction));
	db_step(db, path);
}

static void pending_losses_store_misses(const struct pending_losses *l, struct db *db)
{
	sqlite3_stmt *missed = pending_losses_prepare(db, schema_statement_vantage_missed);

	for (uint32_t i = 0; i < l->data->vantage_count; i++) {
		db_int(missed, 1, l->data->vantages[i].id);
		db_int(missed, 2, (int64_t)l->misses.by_vantage[i]);
		db_step(db, missed);
	}
	(void)sqlite3_finalize(missed);
}

void pending_losses_settle(struct pending_losses *l, struct losstraits *traits, struct db *db)
{
	sqlite3_stmt *event = pending_losses_prepare(db, schema_statement_unjudge_event);
	sqlite3_stmt *path = pending_losses_prepare(db, schema_statement_unjudge_path);

	for (uint32_t i = 0; i < l->count; i++) {
		const struct pending *p = &l->list[i];

		if (!pending_losses_is_doubtful(l, p))
			continue;
		assert(p->waiting < l->waiting_count);
		pending_losses_unjudge(&l->waiting[p->waiting], p);
		losstraits_unjudge(traits, l->waiting[p->waiting].flow, p->from, p->vantage,
			p->sent, p->segments);
		pending_losses_unjudge_path(db, path, p);
		if (!p->event_row)
			continue;
		db_int(event, 1, (int64_t)p->event_row);
		db_step(db, event);
	}
	(void)sqlite3_finalize(event);
	(void)sqlite3_finalize(path);
	pending_losses_store_misses(l, db);
}
