#include "join/running.h"

#include <string.h>

#include "decode/packet.h"

/* When a transmission would have arrived, the receiver's clock. */
struct arrival_window {
	bool known;
	int64_t from, to;
	int64_t shift_ns; /* the receiver's steady time minus its stamps then */
};

struct running running_span(const struct vantage *v)
{
	int64_t shift_ns = steady_behind(&v->steady, v->steady.count);
	int64_t first = v->steady.count ? v->steady.first_ns : v->span.first_ns;
	int64_t last = v->steady.count ? v->steady.high_ns : v->span.last_ns;

	return (struct running){.from = v->span.start_ns != INT64_MIN && v->span.start_ns < first
						? v->span.start_ns
						: first,
		.to = (v->span.end_ns > last ? v->span.end_ns : last) + shift_ns};
}

static struct arrival_window running_arrival_window(
	const struct path *path, const struct segment *sent)
{
	struct clock_bounds b = path_clock_bounds(path, path->in.from, path->in.to, sent);
	int64_t shift_ns =
		steady_at(&path->in.data->vantages[path->in.to].steady, b.there_ns).shift_ns;
	int64_t sent_ns = sent->time_ns;
	int64_t delay_max = path->in.clocks->delay_max_ns;

	if (!clock_bounds_tell(b))
		return (struct arrival_window){0};
	/*
	 * With one bound only: what it lacks is the smallest delay of one direction, which together
	 * with the delay here is one round trip, taken to be below the largest delay that counts.
	 */
	if (!b.has_low)
		b.low = b.high - delay_max;
	if (!b.has_high)
		b.high = b.low;
	return (struct arrival_window){.known = true,
		.from = sent_ns + b.low,
		.to = sent_ns + b.high + delay_max,
		.shift_ns = shift_ns};
}

static bool running_touches(
	const struct capture_span *spans, uint32_t count, int64_t from, int64_t to)
{
	for (uint32_t i = 0; i < count; i++)
		if (spans[i].from_ns <= to && spans[i].to_ns >= from)
			return true;
	return false;
}

bool running_is_answered(const struct path *path)
{
	const struct half_flow *answers = path->in.acks_from;

	for (uint32_t i = 0; i < answers->count && path->in.flow_absent; i++)
		if (!(answers->transmissions[i].seg->flags & TCP_RST))
			return true;
	return false;
}

/* Arrivals before and after it prove the running without any clock. */
const char *running_problem(const struct path *path, uint32_t sent_index, int64_t *ret_ns)
{
	const struct vantage *v = &path->in.data->vantages[path->in.to];
	const struct segment *sent = path->in.sent->transmissions[sent_index].seg;
	struct arrival_window w = running_arrival_window(path, sent);
	struct running ran = running_span(v);
	bool between =
		clocks_is_bracketed(path->in.clocks, path->in.from, path->in.to, sent->frame);
	bool some = path->out.first_whole != TRANSMISSION_NONE;
	bool begun = between || (some && path->out.first_whole < sent_index);
	bool went_on = between || (some && sent_index < path->out.last_whole);

	*ret_ns = w.known ? w.from : INT64_MIN;
	if (w.known &&
		running_touches(v->unrecorded.drops.rows, v->unrecorded.drops.count, w.from, w.to))
		return "capture-drop";
	if (w.known ? running_touches(
			      v->unrecorded.gaps.rows, v->unrecorded.gaps.count, w.from, w.to)
		    : v->unrecorded.gaps.count > 0)
		return "edge";
	if (!w.known && v->unrecorded.drops.count)
		return "capture-drop";
	if (path->in.flow_absent && path->in.scope != SCOPE_SERVICE)
		return path->in.scope == SCOPE_HOST ? "service-absent" : "filter";
	if (running_is_answered(path))
		return "answered";
	if (begun && went_on)
		return NULL;
	if (!w.known)
		return "not-covered";
	if ((!begun && w.from + w.shift_ns < ran.from) || (!went_on && w.to + w.shift_ns > ran.to))
		return "edge";
	return NULL;
}

bool running_receiver(const struct path *path, uint32_t sent_index, int64_t *ret_ns)
{
	const char *why = running_problem(path, sent_index, ret_ns);

	return !why || strcmp(why, "capture-drop") == 0;
}

/* Is one stamp proven to be the earlier one of two at a place, its clock not set back in between?
 */
static bool running_is_earlier(
	const struct path *path, uint32_t vantage, const struct segment *a, const struct segment *b)
{
	const struct steady *clock = &path->in.data->vantages[vantage].steady;

	return a->time_ns <= b->time_ns &&
	       steady_stretch(clock, a->frame).turns == steady_stretch(clock, b->frame).turns;
}

/* The earliest that an arrival may have been sent, receiver's clock. A server speaks after the
 * client's SYN. */
static int64_t running_sent_since(const struct path *path, const struct segment *got)
{
	int64_t since = got->time_ns - path->in.clocks->delay_max_ns;
	const struct segment *question = path->in.direction == S2C && path->in.acks_to->count
						 ? path->in.acks_to->transmissions[0].seg
						 : NULL;

	if (question && (question->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
		shown_is_before(path->in.to_shown, question, got) &&
		running_is_earlier(path, path->in.to, question, got) && question->time_ns > since)
		return question->time_ns;
	return since;
}

/* A matched arrival before it says that the sending capture had begun, one after it that it had not
 * ended; else the clocks must. */
bool running_sender(const struct path *path, uint32_t index, int64_t *ret_ns)
{
	const struct vantage *v = &path->in.data->vantages[path->in.from];
	const struct segment *got = path->in.received->transmissions[index].seg;
	struct clock_bounds b = path_clock_bounds(path, path->in.to, path->in.from, got);
	struct running ran = running_span(v);
	bool begun = index >= path->out.first_arrived, went_on = index < path->out.last_arrived;
	int64_t shift_ns, from, to;

	*ret_ns = INT64_MIN;
	if (!clock_bounds_tell(b))
		return begun && went_on;
	shift_ns = steady_at(&v->steady, b.there_ns).shift_ns;
	from = running_sent_since(path, got) + (b.has_low ? b.low : b.high);
	to = got->time_ns + (b.has_high ? b.high : b.low);
	*ret_ns = to;
	if (running_touches(v->unrecorded.gaps.rows, v->unrecorded.gaps.count, from, to))
		return false;
	return (begun || from + shift_ns >= ran.from) && (went_on || to + shift_ns <= ran.to);
}
