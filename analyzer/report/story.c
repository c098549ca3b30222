#include "report/story.h"

#include <stdlib.h>

#include "base/mem.h"
#include "report/query.h"

static char *copy(const struct query *r, int column)
{
	const char *s = query_text(r, column);

	return s ? mem_strdup(s) : NULL;
}

static void read_finding(const struct query *r, struct story_finding *f)
{
	*f = (struct story_finding){
		.id = query_int(r, 0),
		.kind = copy(r, 1),
		.severity = copy(r, 2),
		.confidence = query_real(r, 3),
		.cause_id = query_int(r, 4),
		.host_low = query_int(r, 5),
		.host_high = query_int(r, 6),
		.summary = copy(r, 7),
		.remedy = copy(r, 8),
		.host = copy(r, 9),
		.from = copy(r, 10),
		.to = copy(r, 11),
		.src_ip = copy(r, 12),
		.dst_ip = copy(r, 13),
		.first_ns = query_int(r, 14),
		.last_ns = query_int(r, 15),
		.count = query_int(r, 16),
		.total = query_int(r, 17),
		.detail = copy(r, 18),
	};
}

/* Union by the smaller index, so that a story is named by its most important finding. */
static size_t root(struct story_list *s, size_t i)
{
	while (s->findings[i].group != i)
		i = s->findings[i].group = s->findings[s->findings[i].group].group;
	return i;
}

static void unite(struct story_list *s, size_t a, size_t b)
{
	a = root(s, a);
	b = root(s, b);
	if (a < b)
		s->findings[b].group = a;
	else
		s->findings[a].group = b;
}

static int by_pair(const void *pa, const void *pb)
{
	const struct story_finding *a = *(struct story_finding *const *)pa, *b = *(struct story_finding *const *)pb;

	if (a->host_low != b->host_low)
		return a->host_low < b->host_low ? -1 : 1;
	if (a->host_high != b->host_high)
		return a->host_high < b->host_high ? -1 : 1;
	return a->id < b->id ? -1 : 1;
}

static void unite_pairs(struct story_list *s)
{
	CLEANUP_FREE struct story_finding **sorted = mem_array(s->count, sizeof(*sorted));

	for (size_t i = 0; i < s->count; i++)
		sorted[i] = &s->findings[i];
	qsort(sorted, s->count, sizeof(*sorted), by_pair);
	for (size_t i = 1; i < s->count; i++)
		if (sorted[i]->host_low > 0 && sorted[i]->host_low == sorted[i - 1]->host_low &&
			sorted[i]->host_high == sorted[i - 1]->host_high)
			unite(s, (size_t)(sorted[i - 1] - s->findings), (size_t)(sorted[i] - s->findings));
}

static void group(struct story_list *s)
{
	for (size_t i = 0; i < s->count; i++)
		s->findings[i].group = i;
	for (size_t i = 0; i < s->count; i++) {
		const struct story_finding *cause = story_find(s, s->findings[i].cause_id);

		if (cause)
			unite(s, i, (size_t)(cause - s->findings));
	}
	if (s->count)
		unite_pairs(s);
	for (size_t i = 0; i < s->count; i++)
		s->findings[i].group = root(s, i);
}

int story_load(struct story_list *s, struct db *db, struct error *err)
{
	size_t cap = 0;
	struct query r;
	int result;

	*s = (struct story_list){0};
	result = query_open(&r, db, err, Q_FINDINGS, ":limit", (int64_t)STORY_FINDINGS_MAX, NULL);
	if (result)
		return result;
	while (query_next(&r)) {
		MEM_RESERVE(s->findings, s->count, cap);
		read_finding(&r, &s->findings[s->count++]);
	}
	result = query_close(&r, err);
	if (result == 0)
		group(s);
	return result;
}

void story_release(struct story_list *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct story_finding *f = &s->findings[i];

		free(f->kind);
		free(f->severity);
		free(f->summary);
		free(f->remedy);
		free(f->host);
		free(f->from);
		free(f->to);
		free(f->src_ip);
		free(f->dst_ip);
		free(f->detail);
	}
	free(s->findings);
	*s = (struct story_list){0};
}

static int by_id(const void *key, const void *element)
{
	int64_t id = *(const int64_t *)key, other = ((const struct story_finding *)element)->id;

	return id < other ? -1 : id > other;
}

const struct story_finding *story_find(const struct story_list *s, int64_t id)
{
	return s->count ? bsearch(&id, s->findings, s->count, sizeof(*s->findings), by_id) : NULL;
}

const struct story_finding *story_headline(const struct story_list *s, size_t group)
{
	return &s->findings[group];
}
