#include "report/ladder.h"

#include <assert.h>
#include <stdlib.h>

#define TOP 54.0      /* room for the names */
#define SLOT 21.0     /* between two sightings, by order */
#define GAP_SLOT 20.0 /* room for the words of a silence */
#define TAIL 26.0
#define CUT_SLOT 34.0 /* room for a silence that is cut, and its words */
#define CUT 12	      /* a silence so many times as long as the usual one is not drawn to scale */
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

static void layout_leave_room(
	struct ladder *l, int layout, double *y, int64_t span_ns, unsigned folded)
{
	if (l->gaps == sizeof(l->gap) / sizeof(l->gap[0]))
		return;
	l->gap[l->gaps++] = (struct ladder_gap){.layout = layout,
		.y = *y + (layout == LADDER_BY_ORDER ? SLOT + 4 : CUT_SLOT / 2 - 3),
		.span_ns = span_ns,
		.folded = folded};
	*y += layout == LADDER_BY_ORDER ? GAP_SLOT : CUT_SLOT;
}

static void layout_by_order(struct ladder *l, const struct sighting *s, unsigned n)
{
	double y = TOP;
	int64_t folded_ns = 0;

	for (unsigned i = 0; i < n; i++) {
		struct ladder_message *m = &l->message[s[i].message];
		int64_t silence = i ? s[i].at_ns - s[i - 1].at_ns - folded_ns : 0;

		if (silence >= GAP_NS)
			layout_leave_room(l, LADDER_BY_ORDER, &y, silence, 0);
		y += SLOT;
		m->y[LADDER_BY_ORDER][s[i].point] = y;
		folded_ns = 0;
		if (m->folded && (i + 1 == n || s[i + 1].message != s[i].message)) {
			layout_leave_room(l, LADDER_BY_ORDER, &y, m->folded_ns, m->folded);
			folded_ns = m->folded_ns;
		}
	}
	l->height[LADDER_BY_ORDER] = y + TAIL;
}

static int layout_by_length(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Times between sightings beyond which a silence is cut: else microseconds beside minutes would be
 * one line. */
static int64_t layout_longest(const struct sighting *s, unsigned n)
{
	int64_t length[LADDER_MESSAGES * LADDER_POINTS];
	unsigned count = 0;

	for (unsigned i = 1; i < n; i++)
		if (s[i].at_ns > s[i - 1].at_ns)
			length[count++] = s[i].at_ns - s[i - 1].at_ns;
	if (!count)
		return INT64_MAX;
	qsort(length, count, sizeof(*length), layout_by_length);
	return CUT * length[count / 2];
}

/* Time runs evenly, but for silences that are cut; each of those takes the same room and says how
 * long it was. */
static void layout_to_scale(struct ladder *l, const struct sighting *s, unsigned n)
{
	const int64_t longest = layout_longest(s, n);
	double room = n * SLOT < 300   ? 300
		      : n * SLOT > 900 ? 900
				       : n * SLOT,
	       y = TOP + SLOT, shown = 0;

	for (unsigned i = 1; i < n; i++)
		if (s[i].at_ns - s[i - 1].at_ns <= longest)
			shown += (double)(s[i].at_ns - s[i - 1].at_ns);
	for (unsigned i = 0; i < n; i++) {
		int64_t length = i ? s[i].at_ns - s[i - 1].at_ns : 0;

		if (length > longest)
			layout_leave_room(l, LADDER_TO_SCALE, &y, length, 0);
		else if (shown > 0)
			y += room * (double)length / shown;
		l->message[s[i].message].y[LADDER_TO_SCALE][s[i].point] = y;
	}
	l->height[LADDER_TO_SCALE] = y + TAIL;
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
