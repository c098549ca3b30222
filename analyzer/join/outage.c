#include "join/outage.h"

#include "base/mem.h"
#include "base/nsec.h"

enum fate { FATE_ARRIVED, FATE_LOST, FATE_UNKNOWN };

/* The run of lost transmissions that is being looked at. */
struct silence {
	struct outage row;
	bool passed;  /* smaller ones arrived in the meantime */
	bool passing; /* so, since the last lost one */
};

/*
 * Events come in the order of the transmissions they are about. One of which a part arrived counts
 * as arrived; so does one that the receiving capture only missed. What nothing decides ends no
 * outage and makes none.
 */
static enum fate outage_fate_of(
	const struct path *path, const struct transmission *it, uint32_t *at)
{
	enum fate f = FATE_ARRIVED;

	for (; *at < path->out.events->count && path->out.events->events[*at].sent == it->seg;
		++*at) {
		const struct event *e = &path->out.events->events[*at];

		if (e->length < it->seg->length)
			continue;
		if (e->kind == EVENT_LOST)
			f = FATE_LOST;
		else if (e->kind == EVENT_UNJUDGED)
			f = FATE_UNKNOWN;
	}
	return f;
}

static void outage_close_silence(struct silence *s, int64_t until_ns, struct outage_list *ret)
{
	bool is_large = s->row.least > 0;

	/* Large ones alone: only where small ones passed. Else it is one of all sizes, and has its
	 * row. */
	if (s->row.lost >= OUTAGE_LOST && s->row.at_last_ns - s->row.at_first_ns >= OUTAGE_NS &&
		s->passed == is_large) {
		MEM_RESERVE(ret->rows, ret->count, ret->cap);
		ret->rows[ret->count] = s->row;
		ret->rows[ret->count++].until_ns = until_ns;
	}
	s->row.lost = 0;
	s->passed = s->passing = false;
}

static void outage_look_at(const struct path *path, struct silence *s, const struct segment *seg,
	enum fate f, struct outage_list *ret)
{
	if (f == FATE_UNKNOWN)
		return;
	if (seg->length < s->row.least) {
		s->passing |= f == FATE_ARRIVED && s->row.lost;
		return;
	}
	if (f == FATE_ARRIVED) {
		outage_close_silence(s, seg->time_ns, ret);
		return;
	}
	s->row.last_ns = seg->time_ns;
	s->row.at_last_ns = clocks_segment_to_reference(path->in.clocks, path->in.from, seg);
	if (!s->row.lost) {
		s->row.first_ns = s->row.last_ns;
		s->row.at_first_ns = s->row.at_last_ns;
	}
	s->row.lost++;
	s->passed |= s->passing;
	s->passing = false;
}

void outages_find(
	const struct path *path, uint32_t flow, uint32_t first_event, struct outage_list *ret)
{
	struct outage row = {.flow = flow,
		.from = path->in.from,
		.to = path->in.to,
		.direction = (uint8_t)path->in.direction};
	struct silence all = {.row = row}, large = {.row = row};
	uint32_t at = first_event;

	if (path->out.counts->lost.segments < OUTAGE_LOST || path->in.sender_absent)
		return;
	large.row.least = OUTAGE_LARGE;
	for (uint32_t i = 0; i < path->in.sent->count; i++) {
		const struct transmission *it = &path->in.sent->transmissions[i];
		enum fate f = outage_fate_of(path, it, &at);

		outage_look_at(path, &all, it->seg, f, ret);
		outage_look_at(path, &large, it->seg, f, ret);
	}
	outage_close_silence(&all, INT64_MIN, ret);
	outage_close_silence(&large, INT64_MIN, ret);
}
