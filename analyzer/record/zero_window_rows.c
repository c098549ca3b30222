#include "record/zero_window_rows.h"

#include <stdlib.h>

#include "base/mem.h"
#include "record/facts.h"

void zero_window_rows_add(
	struct zero_window_rows *r, uint32_t flow_row, const struct zero_window_row *z)
{
	MEM_RESERVE(r->list, r->count, r->cap);
	r->list[r->count++] = (struct waiting_window){.window = *z, .flow_row = flow_row};
}

static void zero_window_rows_insert(struct db *db, const struct dataset *data, uint32_t flow_row,
	const struct zero_window_row *z)
{
	sqlite3_stmt *s = db_insert(db, TABLE_ZERO_WINDOW);
	struct fileindex_place p;

	db_int(s, 1, flow_row);
	db_int(s, 2, data->vantages[z->vantage].id);
	db_text(s, 3, direction_name((enum direction)z->direction));
	db_int(s, 4, z->from_ns);
	db_int(s, 5, z->to_ns);
	db_int(s, 6, z->probes);
	p = facts_place(data, z->vantage, z->first->frame);
	db_int(s, 7, p.file);
	db_int(s, 8, p.number);
	db_step(db, s);
}

void zero_window_rows_store(
	const struct zero_window_rows *r, const struct dataset *data, struct db *db)
{
	for (uint32_t i = 0; i < r->count; i++)
		zero_window_rows_insert(db, data, r->list[i].flow_row, &r->list[i].window);
}

void zero_window_rows_release(struct zero_window_rows *r)
{
	free(r->list);
	*r = (struct zero_window_rows){0};
}
