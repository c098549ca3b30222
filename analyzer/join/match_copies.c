#include "join/match_copies.h"

#include <assert.h>
#include <stdlib.h>

#include "base/nsec.h"
#include "join/match_time.h"

/* Copies of one segment stand this near to each other in their half-flow; matched segments that
 * tell the delay too. */
#define COPIES_AROUND 48
#define COPIES_MAX (4 * COPIES_AROUND)
/* Queues hold a packet up by less than this: Linux sends nothing again earlier. */
#define APART_NS (200 * NSEC_PER_MSEC)
/* A delay is what the way takes now for this long. */
#define DELAY_HOLDS_NS (60 * NSEC_PER_SEC)

/* Equal segments at both places. */
struct copies {
	struct keyed sent[COPIES_MAX], received[COPIES_MAX];
	uint32_t sent_count, received_count;
};

static bool copies_has(const struct keyed *list, uint32_t n, uint32_t at)
{
	while (n--)
		if (list[n].at == at)
			return true;
	return false;
}

static void copies_add(struct keyed *list, uint32_t *n, uint32_t at)
{
	if (*n < COPIES_MAX && !copies_has(list, *n, at))
		list[(*n)++] = (struct keyed){.at = at};
}

/* Those of one half-flow around a place that are the same as a record of the sender's. */
static void copies_collect(struct matcher *m, const struct transmission *sent,
	const struct half_flow *l, uint32_t around, struct keyed *list, uint32_t *n)
{
	uint32_t low = around > COPIES_AROUND ? around - COPIES_AROUND : 0;
	uint32_t end = around + COPIES_AROUND < l->count ? around + COPIES_AROUND : l->count;

	for (uint32_t i = low; i < end; i++)
		if (l->transmissions[i].state != TRANSMISSION_PARTLY &&
			matcher_same(m, sent, &l->transmissions[i]))
			copies_add(list, n, i);
}

static int copies_by_place(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;

	return (a->at > b->at) - (a->at < b->at);
}

/* An arrival that is the mate of a copy farther away stays with it. */
static void copies_drop_others_mates(const struct matcher *m, struct copies *c)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->received_count; i++) {
		uint32_t mate = m->received->transmissions[c->received[i].at].match;

		if (mate == TRANSMISSION_NONE || copies_has(c->sent, c->sent_count, mate))
			c->received[kept++] = c->received[i];
	}
	c->received_count = kept;
}

/* Copies of a sent segment here and there; there is where their mates are. */
static void copies_around(struct matcher *m, uint32_t sent, struct copies *c)
{
	const struct transmission *it = &m->sent->transmissions[sent];

	c->sent_count = c->received_count = 0;
	copies_collect(m, it, m->sent, sent, c->sent, &c->sent_count);
	for (uint32_t i = 0; i < c->sent_count; i++) {
		uint32_t mate = m->sent->transmissions[c->sent[i].at].match;

		if (mate == TRANSMISSION_NONE)
			continue;
		if (!c->received_count)
			copies_collect(m, it, m->received, mate, c->received, &c->received_count);
		copies_add(c->received, &c->received_count, mate);
	}
	copies_drop_others_mates(m, c);
	qsort(c->received, c->received_count, sizeof(*c->received), copies_by_place);
}

static bool match_copies_clock_delay(
	struct matcher *m, const struct transmission *sent, int64_t *ret)
{
	struct clock_memo *clocks = m->causality.clocks;
	struct clock_bounds b;

	if (!clocks)
		return false;
	b = clock_memo_between(clocks, m->causality.from, m->causality.to,
		clocks_time(clocks->clocks, m->causality.from, sent->seg));
	*ret = b.high;
	return b.has_low && b.has_high;
}

static bool match_copies_clocks_held(
	const struct matcher *m, const struct transmission *a, const struct transmission *b)
{
	const struct causality *c = &m->causality;

	return !c->clocks || clocks_held(c->clocks->clocks, c->from, c->to, a->seg, b->seg);
}

/* What segments took around then that are no copies of this one; else what the clocks say: the
 * least of other flows. */
static bool copies_delay(struct matcher *m, const struct copies *c, int64_t *ret)
{
	const struct transmission *sent = m->sent->transmissions, *first = &sent[c->sent[0].at];
	uint32_t low = c->sent[0].at > COPIES_AROUND ? c->sent[0].at - COPIES_AROUND : 0;
	uint32_t end = c->sent[c->sent_count - 1].at + COPIES_AROUND;

	for (uint32_t i = low; i < end && i < m->sent->count; i++) {
		if (sent[i].state != TRANSMISSION_WHOLE || !sent[i].seg->length ||
			matcher_same(m, first, &sent[i]) ||
			llabs(sent[i].seg->time_ns - first->seg->time_ns) > DELAY_HOLDS_NS ||
			!match_copies_clocks_held(m, first, &sent[i]))
			continue;
		*ret = m->received->transmissions[sent[i].match].seg->time_ns -
		       sent[i].seg->time_ns;
		return true;
	}
	/* The first may have been sent before anything relates the clocks. */
	return match_copies_clock_delay(m, &sent[c->sent[c->sent_count - 1].at], ret) ||
	       match_copies_clock_delay(m, first, ret);
}

/* Sent so near to each other that any of two may be it? Then time tells nothing. */
static bool copies_are_apart(const struct matcher *m, const struct copies *c)
{
	const struct transmission *sent = m->sent->transmissions,
				  *received = m->received->transmissions;

	for (uint32_t i = 1; i < c->sent_count; i++)
		if (sent[c->sent[i].at].seg->time_ns - sent[c->sent[i - 1].at].seg->time_ns <
			APART_NS)
			return false;
	for (uint32_t i = 1; i < c->received_count; i++)
		if (received[c->received[i].at].seg->time_ns -
				received[c->received[i - 1].at].seg->time_ns <
			APART_NS)
			return false;
	return true;
}

static void copies_choose(struct matcher *m, uint32_t sent)
{
	struct copies c;
	struct group g;
	int64_t delay;

	copies_around(m, sent, &c);
	if (!c.received_count || c.sent_count == c.received_count || !copies_are_apart(m, &c) ||
		!copies_delay(m, &c, &delay))
		return;
	for (uint32_t i = 0; i < c.sent_count; i++) {
		struct transmission *it = &m->sent->transmissions[c.sent[i].at];

		if (it->match != TRANSMISSION_NONE &&
			copies_has(c.received, c.received_count, it->match))
			matcher_part(m, c.sent[i].at);
		it->by_time = true;
	}
	for (uint32_t i = 0; i < c.received_count; i++) {
		struct transmission *got = &m->received->transmissions[c.received[i].at];

		assert(got->state == TRANSMISSION_OPEN);
		got->by_time = true;
	}
	g = (struct group){.sent = c.sent,
		.received = c.received,
		.sent_count = c.sent_count,
		.received_count = c.received_count};
	match_in_time(m, &g, delay);
}

void match_copies(struct matcher *m)
{
	for (uint32_t i = 0; m->open_sent && i < m->sent->count; i++)
		if (m->sent->transmissions[i].state == TRANSMISSION_OPEN &&
			!m->sent->transmissions[i].by_time)
			copies_choose(m, i);
}
