#include "report/ladder.h"

#include <assert.h>
#include <stdlib.h>

#define TOP 54.0      /* room for the names */
#define SLOT 21.0     /* between two sightings, by order */
#define GAP_SLOT 20.0 /* room for the words of a silence */
#define TAIL 26.0
#define GAP_NS (250 * INT64_C(1000000))

struct sighting {
	unsigned message, point;
	int64_t at_ns;
	unsigned step; /* how many points the message had passed: breaks ties */
};

static int layout_by_time(const void *pa, const void *pb)
{
	const struct sighting *a = pa, *b = pb;

	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	if (a->message != b->message)
		return a->message < b->message ? -1 : 1;
	return a->step < b->step ? -1 : a->step > b->step;
}

/*
 * The sightings of one message in the order of travel. The clock interval may put an arrival a
 * little before the departure; cause comes before effect all the same.
 */
static unsigned layout_collect(const struct ladder *l, unsigned index, struct sighting *to)
{
	const struct ladder_message *m = &l->message[index];
	int64_t last = INT64_MIN;
	unsigned n = 0;

	for (unsigned step = 0; step < l->points; step++) {
		unsigned point = m->to_server ? step : l->points - 1 - step;

		if (m->at_ns[point] == DB_NONE)
			continue;
		last = m->at_ns[point] > last ? m->at_ns[point] : last + 1;
		to[n++] = (struct sighting){
			.message = index, .point = point, .at_ns = last, .step = step};
	}
	return n;
}

static void layout_leave_room(struct ladder *l, double *y, int64_t span_ns, unsigned folded)
{
	if (l->gaps == sizeof(l->gap) / sizeof(l->gap[0]))
		return;
	l->gap[l->gaps++] =
		(struct ladder_gap){.y = *y + SLOT + 4, .span_ns = span_ns, .folded = folded};
	*y += GAP_SLOT;
}

static void layout_by_order(struct ladder *l, const struct sighting *s, unsigned n)
{
	double y = TOP;
	int64_t folded_ns = 0;

	for (unsigned i = 0; i < n; i++) {
		struct ladder_message *m = &l->message[s[i].message];
		int64_t silence = i ? s[i].at_ns - s[i - 1].at_ns - folded_ns : 0;

		if (silence >= GAP_NS)
			layout_leave_room(l, &y, silence, 0);
		y += SLOT;
		m->y[LADDER_BY_ORDER][s[i].point] = y;
		folded_ns = 0;
		if (m->folded && (i + 1 == n || s[i + 1].message != s[i].message)) {
			layout_leave_room(l, &y, m->folded_ns, m->folded);
			folded_ns = m->folded_ns;
		}
	}
	l->height[LADDER_BY_ORDER] = y + TAIL;
}

static void layout_to_scale(struct ladder *l, const struct sighting *s, unsigned n)
{
	double span = n ? (double)(s[n - 1].at_ns - s[0].at_ns) : 0;
	double room = n * SLOT < 300 ? 300 : n * SLOT > 900 ? 900 : n * SLOT;

	for (unsigned i = 0; i < n; i++)
		l->message[s[i].message].y[LADDER_TO_SCALE][s[i].point] =
			TOP + SLOT +
			(span > 0 ? room * (double)(s[i].at_ns - s[0].at_ns) / span : 0);
	l->height[LADDER_TO_SCALE] = TOP + SLOT + room + TAIL;
}

void ladder_layout(struct ladder *l)
{
	struct sighting sightings[LADDER_MESSAGES * LADDER_POINTS];
	unsigned n = 0;

	assert(l->points <= LADDER_POINTS && l->messages <= LADDER_MESSAGES);
	l->gaps = 0;
	for (unsigned i = 0; i < l->messages; i++) {
		for (unsigned p = 0; p < LADDER_POINTS; p++)
			l->message[i].y[0][p] = l->message[i].y[1][p] = -1;
		n += layout_collect(l, i, sightings + n);
	}
	assert(n <= sizeof(sightings) / sizeof(sightings[0]));
	if (n)
		qsort(sightings, n, sizeof(*sightings), layout_by_time);
	layout_by_order(l, sightings, n);
	layout_to_scale(l, sightings, n);
}
