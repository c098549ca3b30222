#include "report/ref_clock.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "report/query.h"

int ref_clock_load(struct ref_clock *a, struct db *db, struct error *err)
{
	size_t cap = 0;
	struct query r;
	int result;

	*a = (struct ref_clock){0};
	result = query_open(&r, db, err, Q_CLOCKS, NULL);
	if (result)
		return result;
	while (query_next(&r)) {
		int64_t offset = query_int(&r, 4);

		/* One bound alone is still better than none. */
		for (int column = 5; offset == DB_NONE && column <= 6; column++)
			offset = query_int(&r, column);
		MEM_RESERVE(a->pieces, a->count, cap);
		a->pieces[a->count++] = (struct ref_clock_piece){
			.vantage = query_int(&r, 0),
			.from_ns = query_int(&r, 2),
			.to_ns = query_int(&r, 3),
			.offset_ns = offset == DB_NONE ? 0 : offset,
			.skew_ppm = query_real(&r, 7),
		};
	}
	return query_close(&r, err);
}

void ref_clock_release(struct ref_clock *a)
{
	free(a->pieces);
	*a = (struct ref_clock){0};
}

/* The piece that holds at t_ns: the last that began, else the first. */
static const struct ref_clock_piece *find(const struct ref_clock *a, int64_t vantage, int64_t t_ns)
{
	const struct ref_clock_piece *found = NULL;

	for (size_t i = 0; i < a->count; i++) {
		if (a->pieces[i].vantage != vantage)
			continue;
		if (!found || a->pieces[i].from_ns <= t_ns)
			found = &a->pieces[i];
	}
	return found;
}

int64_t ref_clock_offset(const struct ref_clock *a, int64_t vantage, int64_t t_ns)
{
	const struct ref_clock_piece *p = find(a, vantage, t_ns);

	if (!p)
		return 0;
	return p->offset_ns + (int64_t)llround((double)(t_ns - p->from_ns) * p->skew_ppm * 1e-6);
}

int64_t ref_clock_ns(const struct ref_clock *a, int64_t vantage, int64_t t_ns)
{
	return t_ns == DB_NONE ? DB_NONE : t_ns - ref_clock_offset(a, vantage, t_ns);
}
