#include "store/ref_ns.h"

#include <stdlib.h>

#include "base/mem.h"
#include "schema_data.h"

int ref_ns_read(sqlite3 *handle, struct ref_ns_model *ret)
{
	sqlite3_stmt *stmt;
	size_t cap = 0;
	int r;

	*ret = (struct ref_ns_model){0};
	r = sqlite3_prepare_v2(handle, schema_statement_clock_pieces, -1, &stmt, NULL);
	if (r != SQLITE_OK)
		return r;
	while ((r = sqlite3_step(stmt)) == SQLITE_ROW) {
		MEM_RESERVE(ret->pieces, ret->count, cap);
		ret->pieces[ret->count++] = (struct ref_ns_piece){
			.vantage = sqlite3_column_int64(stmt, 0),
			.valid_from = sqlite3_column_int64(stmt, 1),
			.from_ns = sqlite3_column_int64(stmt, 2),
			.offset_ns = sqlite3_column_double(stmt, 3),
			.skew_ppm = sqlite3_column_double(stmt, 4),
		};
	}
	(void)sqlite3_finalize(stmt);
	if (r == SQLITE_DONE)
		return SQLITE_OK;
	ref_ns_release(ret);
	return r;
}

void ref_ns_release(struct ref_ns_model *c)
{
	free(c->pieces);
	*c = (struct ref_ns_model){0};
}

/* The last piece of vantage that holds at t_ns; NULL: none. */
static const struct ref_ns_piece *ref_ns_find(
	const struct ref_ns_model *c, int64_t vantage, int64_t t_ns)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct ref_ns_piece *p = &c->pieces[middle];

		if (p->vantage < vantage || (p->vantage == vantage && p->valid_from <= t_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return low && c->pieces[low - 1].vantage == vantage ? &c->pieces[low - 1] : NULL;
}

int64_t ref_ns(const struct ref_ns_model *c, int64_t vantage, int64_t t_ns)
{
	const struct ref_ns_piece *p = ref_ns_find(c, vantage, t_ns);

	return p ? ref_ns_apply(t_ns, p->from_ns, p->offset_ns, p->skew_ppm) : t_ns;
}
