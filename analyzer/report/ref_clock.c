#include "report/ref_clock.h"

#include <stdlib.h>

#include "base/mem.h"
#include "report/query.h"
#include "store/ref_ns.h"

static char *ref_clock_copy(const struct query *q, int column)
{
	const char *text = query_text(q, column);

	return mem_strdup(text ? text : "");
}

static void ref_clock_add(struct ref_clock *c, const struct query *q)
{
	MEM_RESERVE(c->pieces, c->count, c->cap);
	c->pieces[c->count++] = (struct ref_clock_piece){
		.vantage = query_int(q, 0),
		.reference = query_int(q, 1),
		.from_ns = query_int(q, 2),
		.to_ns = query_int(q, 3),
		.offset_ns = query_int(q, 4),
		.low_ns = query_int(q, 5),
		.high_ns = query_int(q, 6),
		.skew_ppm = query_real(q, 7),
		.samples = query_int(q, 8),
		.method = ref_clock_copy(q, 9),
		.name = ref_clock_copy(q, 10),
		.reference_name = ref_clock_copy(q, 11),
	};
}

int ref_clock_load(struct ref_clock *c, struct db *db, struct error *err)
{
	struct query q;
	int result;

	*c = (struct ref_clock){0};
	result = query_open(&q, db, err, Q_CLOCKS, NULL);
	if (result)
		return result;
	while (query_next(&q))
		ref_clock_add(c, &q);
	return query_close(&q, err);
}

void ref_clock_release(struct ref_clock *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->pieces[i].method);
		free(c->pieces[i].name);
		free(c->pieces[i].reference_name);
	}
	free(c->pieces);
	*c = (struct ref_clock){0};
}

/* The piece that holds at t_ns: the last that began, else the first. */
static const struct ref_clock_piece *ref_clock_find(
	const struct ref_clock *c, int64_t vantage, int64_t t_ns)
{
	const struct ref_clock_piece *found = NULL;

	for (size_t i = 0; i < c->count; i++) {
		if (c->pieces[i].vantage != vantage)
			continue;
		if (!found || c->pieces[i].from_ns <= t_ns)
			found = &c->pieces[i];
	}
	return found;
}

bool ref_clock_knows(const struct ref_clock *c, int64_t vantage)
{
	return ref_clock_find(c, vantage, INT64_MAX) != NULL;
}

/* One bound alone is still better than none. */
static int64_t ref_clock_best(const struct ref_clock_piece *p)
{
	if (p->offset_ns != DB_NONE)
		return p->offset_ns;
	if (p->low_ns != DB_NONE)
		return p->low_ns;
	return p->high_ns != DB_NONE ? p->high_ns : 0;
}

int64_t ref_clock_ns(const struct ref_clock *c, int64_t vantage, int64_t t_ns)
{
	const struct ref_clock_piece *p = ref_clock_find(c, vantage, t_ns);

	if (t_ns == DB_NONE || !p)
		return t_ns;
	return ref_ns_apply(t_ns, p->from_ns, (double)ref_clock_best(p), p->skew_ppm);
}
