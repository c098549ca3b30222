#include "record/clock_rows.h"

static const char *clock_rows_method(
	const struct clocks *c, uint32_t v, const struct clock_piece *p)
{
	if (!clocks_pair(c, v, c->reference)->model.count)
		return c->data->vantages[v].host == c->data->vantages[c->reference].host
			       ? "same host"
			       : "through another";
	if (p->has_low && p->has_high)
		return "both directions";
	return p->has_high ? "forward only" : "backward only";
}

/* as: whose row it becomes. */
static void clock_rows_insert_piece(
	struct db *db, const struct clocks *c, uint32_t as, uint32_t v, const struct clock_piece *p)
{
	sqlite3_stmt *s = db_insert(db, TABLE_CLOCK);
	bool both = p->has_low && p->has_high;
	const struct dataset *data = c->data;

	db_int(s, 1, data->vantages[as].id);
	db_int(s, 2, data->vantages[c->reference].id);
	db_int(s, 3, p->from_ns);
	db_int(s, 4, p->to_ns);
	db_int_or_null(s, 5, both ? (int64_t)((p->low + p->high) / 2) : DB_NONE);
	db_int_or_null(s, 6, p->has_low ? (int64_t)p->low : DB_NONE);
	db_int_or_null(s, 7, p->has_high ? (int64_t)p->high : DB_NONE);
	db_real(s, 8, p->slope * 1e6);
	db_text(s, 9, clock_rows_method(c, v, p));
	db_int(s, 10, p->samples);
	db_step(db, s);
}

/* What a kernel says is stamped by its host's clock, which packets at an interface tell. */
static uint32_t clock_rows_of(const struct dataset *data, uint32_t v)
{
	const struct host *h = &data->hosts[data->vantages[v].host];

	for (uint32_t i = 0; i < h->vantage_count && data->vantages[v].kind == VANTAGE_KERNEL; i++)
		if (data->vantages[h->vantages[i]].kind == VANTAGE_NIC)
			return h->vantages[i];
	return v;
}

void clock_rows_store(struct db *db, const struct clocks *c)
{
	for (uint32_t v = 0; v < c->n; v++) {
		const struct vantage *seen = &c->data->vantages[v];
		uint32_t clock = clock_rows_of(c->data, v);
		sqlite3_stmt *s = db_insert(db, TABLE_CLOCK);

		for (uint32_t i = 0; i < c->to_reference[clock].count; i++)
			clock_rows_insert_piece(db, c, v, clock, &c->to_reference[clock].pieces[i]);
		if (v != c->reference || seen->span.first_ns > seen->span.last_ns)
			continue;
		db_int(s, 1, seen->id);
		db_int(s, 2, seen->id);
		db_int(s, 3, seen->span.first_ns);
		db_int(s, 4, seen->span.last_ns);
		for (int k = 5; k <= 7; k++)
			db_int(s, k, 0);
		db_real(s, 8, 0);
		db_text(s, 9, "reference");
		db_int(s, 10, 0);
		db_step(db, s);
	}
}
