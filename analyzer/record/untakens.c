#include "record/untakens.h"

#include <stdlib.h>

#include "base/mem.h"
#include "record/facts.h"

#define ROWS_MAX 1000000

void untakens_init(struct untakens *u, const struct dataset *data)
{
	*u = (struct untakens){
		.taken_wrong = mem_array((size_t)data->vantage_count + 1, sizeof(uint64_t))};
}

void untakens_release(struct untakens *u)
{
	free(u->list.rows);
	free(u->taken_wrong);
	*u = (struct untakens){.taken_wrong = NULL};
}

void untakens_add(struct untakens *u, uint32_t row, const struct untaken *untaken)
{
	u->taken_wrong[untaken->vantage] += untaken->taken_wrong;
	if (!untaken->segments || u->total++ >= ROWS_MAX)
		return;
	MEM_RESERVE(u->list.rows, u->list.count, u->list.cap);
	u->list.rows[u->list.count] = *untaken;
	u->list.rows[u->list.count++].flow = row;
}

void untakens_store(const struct untakens *u, const struct dataset *data, struct db *db)
{
	for (uint32_t i = 0; i < u->list.count; i++) {
		const struct untaken *r = &u->list.rows[i];
		sqlite3_stmt *s = db_insert(db, TABLE_FLOW_UNTAKEN);

		db_int(s, 1, r->flow);
		db_text(s, 2, direction_name((enum direction)r->direction));
		db_int(s, 3, data->vantages[r->vantage].id);
		db_int(s, 4, r->segments);
		db_int(s, 5, r->wrong);
		db_int(s, 6, r->wrong_outer);
		db_int(s, 7, r->asked_again);
		db_int(s, 8, r->unverified);
		db_int(s, 9, r->sent_right);
		db_int(s, 10, (int64_t)u->taken_wrong[r->vantage]);
		db_int(s, 11, r->first_ns);
		db_int(s, 12, r->last_ns);
		facts_put_frame(s, 13, data, r->vantage, r->first->frame);
		db_step(db, s);
	}
	facts_limit_reached(db, "flow_untaken", u->list.count, u->total);
}
