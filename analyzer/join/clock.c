#include "join/clock.h"

#include <math.h>
#include <stdlib.h>

/* Outside of a piece its rate may change by this much: temperature, and a daemon that corrects the
 * clock. */
#define CLOCK_WANDER 50e-6

void clock_model_release(struct clock_model *m)
{
	free(m->pieces);
	*m = (struct clock_model){0};
}

int64_t clock_bounds_middle(struct clock_bounds b)
{
	if (b.has_low && b.has_high)
		return b.low + (b.high - b.low) / 2;
	return b.has_low ? b.low : b.has_high ? b.high : 0;
}

/* As floor() and ceil(), which are calls; values are far below 2^63. */
static inline int64_t clock_round_down(double v)
{
	int64_t whole = (int64_t)v;

	return whole - ((double)whole > v);
}

static inline int64_t clock_round_up(double v)
{
	int64_t whole = (int64_t)v;

	return whole + ((double)whole < v);
}

/* The line at t, its bounds apart by so much more. */
static struct clock_bounds clock_line(
	const struct clock_piece *p, int64_t t_u, double lower, double higher)
{
	double moved = p->slope * (double)(t_u - p->from_ns);
	struct clock_bounds b = {.has_low = p->has_low,
		.has_high = p->has_high,
		.low = p->has_low ? clock_round_down(p->low + moved - lower) : 0,
		.high = p->has_high ? clock_round_up(p->high + moved + higher) : 0};

	b.there_ns = t_u - p->shift_u + clock_bounds_middle(b) + p->shift_v;
	return b;
}

struct clock_bounds piece_line(const struct clock_piece *p, int64_t t_u)
{
	return clock_line(p, t_u, 0, 0);
}

/* Inside of a piece its lines; outside they part by the rates that it leaves open. */
static struct clock_bounds clock_piece_at(const struct clock_piece *p, int64_t t_u)
{
	double before = (double)(p->from_ns - t_u), behind = (double)(t_u - p->to_ns);
	double slower = p->slope - p->slope_low + CLOCK_WANDER,
	       faster = p->slope_high - p->slope + CLOCK_WANDER;

	if (before > 0)
		return clock_line(p, t_u, before * faster, before * slower);
	if (behind > 0)
		return clock_line(p, t_u, behind * slower, behind * faster);
	return clock_line(p, t_u, 0, 0);
}

static struct clock_bounds clock_unite(struct clock_bounds a, struct clock_bounds b, bool stepped)
{
	a.has_low &= b.has_low;
	a.has_high &= b.has_high;
	a.low = a.low < b.low ? a.low : b.low;
	a.high = a.high > b.high ? a.high : b.high;
	a.turned |= stepped;
	return a;
}

int64_t piece_time_here(const struct clock_piece *p, int64_t t_v)
{
	return p->from_ns +
	       (int64_t)((double)(t_v - piece_line(p, p->from_ns).there_ns) / (1 + p->slope));
}

static struct clock_bounds clock_piece_of(
	const struct clock_model *m, uint32_t i, int64_t t, bool other)
{
	const struct clock_piece *p = &m->pieces[i];
	int64_t t_u = other ? piece_time_here(p, t) : t;
	struct clock_bounds b = clock_piece_at(p, t_u), before;

	if (other)
		b.there_ns = t_u;
	/* What the piece does not bound itself, the one that it continues does. */
	if (!i || !p->continues || (b.has_low && b.has_high))
		return b;
	before = clock_piece_at(&m->pieces[i - 1], t_u);
	if (!b.has_low && before.has_low) {
		b.has_low = true;
		b.low = before.low;
	}
	if (!b.has_high && before.has_high) {
		b.has_high = true;
		b.high = before.high;
	}
	return b;
}

static int64_t clock_begin(const struct clock_piece *p, bool other)
{
	return other ? p->other_from_ns : p->from_ns;
}

static int64_t clock_end(const struct clock_piece *p, bool other)
{
	return other ? p->other_to_ns : p->to_ns;
}

/* From where on a piece holds and the one before it does not; INT64_MAX: not known. */
static int64_t clock_turn(const struct clock_piece *p, bool other)
{
	int64_t turn = other ? p->other_turn_ns : p->turn_ns;

	return turn ? turn : INT64_MAX;
}

static struct clock_bounds clock_of_model(const struct clock_model *m, int64_t t, bool other)
{
	uint32_t low = 0, high = m->count;
	struct clock_bounds b;

	if (!m->count)
		return (struct clock_bounds){0};
	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (clock_begin(&m->pieces[middle], other) <= t)
			low = middle;
		else
			high = middle;
	}
	if (low + 1 < m->count && t > clock_end(&m->pieces[low], other) &&
		t >= clock_turn(&m->pieces[low + 1], other))
		return clock_piece_of(m, low + 1, t, other);
	b = clock_piece_of(m, low, t, other);
	b.beyond = t < clock_begin(&m->pieces[0], other) ||
		   t > clock_end(&m->pieces[m->count - 1], other);
	if (low + 1 < m->count && t > clock_end(&m->pieces[low], other) &&
		clock_turn(&m->pieces[low + 1], other) == INT64_MAX)
		return clock_unite(
			b, clock_piece_of(m, low + 1, t, other), m->pieces[low + 1].step_before);
	if (low && t < clock_end(&m->pieces[low - 1], other))
		return clock_unite(
			b, clock_piece_of(m, low - 1, t, other), m->pieces[low].step_before);
	return b;
}

bool clock_is_one_piece(const struct clock_model *m, int64_t a, int64_t b, bool other)
{
	int64_t first = a < b ? a : b, last = a < b ? b : a;

	for (uint32_t i = 1; i < m->count && m->stepped; i++)
		if (m->pieces[i].step_before && clock_end(&m->pieces[i - 1], other) < last &&
			clock_begin(&m->pieces[i], other) > first)
			return false;
	return true;
}

struct clock_bounds clock_at(const struct clock_model *m, int64_t t_u)
{
	return clock_of_model(m, t_u, false);
}

struct clock_bounds clock_at_other(const struct clock_model *m, int64_t t_v)
{
	return clock_of_model(m, t_v, true);
}
