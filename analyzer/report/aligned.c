#include "report/aligned.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "report/answer.h"

int aligned_load(struct aligned *a, struct db *db, struct error *err)
{
	size_t cap = 0;
	struct answer r;
	int result;

	*a = (struct aligned){0};
	result = answer_open(&r, db, err, Q_CLOCKS, NULL);
	if (result)
		return result;
	while (answer_next(&r)) {
		int64_t offset = answer_int(&r, 4);

		/* One bound alone is still better than none. */
		for (int column = 5; offset == DB_NONE && column <= 6; column++)
			offset = answer_int(&r, column);
		MEM_RESERVE(a->pieces, a->count, cap);
		a->pieces[a->count++] = (struct aligned_piece){
			.vantage = answer_int(&r, 0),
			.from_ns = answer_int(&r, 2),
			.to_ns = answer_int(&r, 3),
			.offset_ns = offset == DB_NONE ? 0 : offset,
			.skew_ppm = answer_real(&r, 7),
		};
	}
	return answer_close(&r, err);
}

void aligned_release(struct aligned *a)
{
	free(a->pieces);
	*a = (struct aligned){0};
}

/* The piece that holds at t_ns: the last that began, else the first. */
static const struct aligned_piece *find(const struct aligned *a, int64_t vantage, int64_t t_ns)
{
	const struct aligned_piece *found = NULL;

	for (size_t i = 0; i < a->count; i++) {
		if (a->pieces[i].vantage != vantage)
			continue;
		if (!found || a->pieces[i].from_ns <= t_ns)
			found = &a->pieces[i];
	}
	return found;
}

int64_t aligned_offset(const struct aligned *a, int64_t vantage, int64_t t_ns)
{
	const struct aligned_piece *p = find(a, vantage, t_ns);

	if (!p)
		return 0;
	return p->offset_ns + (int64_t)llround((double)(t_ns - p->from_ns) * p->skew_ppm * 1e-6);
}

int64_t aligned_ns(const struct aligned *a, int64_t vantage, int64_t t_ns)
{
	return t_ns == DB_NONE ? DB_NONE : t_ns - aligned_offset(a, vantage, t_ns);
}
