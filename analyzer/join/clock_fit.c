#include "join/clock.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/nsec.h"

/* Clocks wander: a straight line is trusted for this long. */
#define FIT_PIECE_NS (600 * NSEC_PER_SEC)
/* What contradicts less than this is noise of the stamps; and the least step that is told
 * (clock_step_min_ms). */
#define FIT_STEP_NS NSEC_PER_MSEC
/* How many bounds on either side of a conflict are asked which of them agree. */
#define FIT_WITNESSES 8
/* Where packets went one way only, a shift of their delay by so much may be a step. */
#define FIT_SHIFT_ONE_WAY_NS (20 * NSEC_PER_MSEC)
/* Neighbours so near to each other that only jitter sets them apart: what hardly a clock drifts
 * faster than. */
#define FIT_NEAR_NS (100 * NSEC_PER_MSEC)
#define FIT_SKEW_USUAL 50e-6
/* A line that misses its bounds by less is the right one, and the stamps have more noise than was
 * seen before. */
#define FIT_NOISE_MAX_NS (50 * NSEC_PER_USEC)
/* A rate that is known to no better than this is not known. */
#define FIT_RATE_KNOWN 200e-6

struct fit_bound {
	int64_t t, z; /* u's steady time; t_v - t_u */
	int64_t shift_u, shift_v;
	uint32_t packets;
	bool up;       /* an upper bound */
	bool firm;     /* its stretch has both bounds, and they agree: not one wrong packet */
	bool shifted;  /* from here on delays of all directions are others, by one amount */
	bool left_out; /* it says nothing */
};

/* A bound in a piece: relative to the piece's origin, so that doubles are exact enough. */
struct fit_point {
	double t, z;
};

struct fit_hull {
	struct fit_point *points;
	uint32_t count, cap;
};

struct fit {
	struct fit_bound *bounds;
	uint32_t count;
	struct clock_model *model;
	double give;	/* bounds give way by noise and resolution */
	double missing; /* how much more they would have to; 0: the fit is good */
	/* The open piece. */
	bool open, step_before, continues;
	uint32_t first; /* index of its first bound */
	int64_t origin_t, origin_z, last_t;
	uint32_t packets;
	struct fit_hull up, down;
	double slope; /* one that fits */
};

/* By how much an upper and a lower bound contradict each other, if the clocks drift apart by so
 * much. */
static double fit_conflict(const struct fit_bound *a, const struct fit_bound *b, double skew)
{
	double z = (double)(a->up ? b->z - a->z : a->z - b->z);

	return z - skew * fabs((double)(a->t - b->t));
}

static bool fit_contradicts(const struct fit_bound *a, const struct fit_bound *b)
{
	return fit_conflict(a, b, CLOCK_SKEW_MAX) >= (double)FIT_STEP_NS;
}

/* A stretch whose own bounds are apart by a step mixes what held before with what holds after it.
 */
static bool fit_mixes(const struct clock_sample *s, int64_t width_ns)
{
	return s->up_n && s->down_n &&
	       (double)(s->down.z - s->up.z) >
		       (double)FIT_STEP_NS + CLOCK_SKEW_MAX * (double)width_ns;
}

static void fit_add_bound(struct fit *f, const struct clock_sample *s, bool up)
{
	const struct clock_point *p = up ? &s->up : &s->down;

	f->bounds[f->count++] = (struct fit_bound){.t = clock_point_steady(s, up),
		.z = p->z,
		.shift_u = s->shift_u,
		.shift_v = s->shift_v,
		.packets = up ? s->up_n : s->down_n,
		.up = up,
		.firm = s->up_n && s->down_n};
}

static void fit_collect(struct fit *f, const struct clock_samples *samples)
{
	struct clock_sample *list;
	uint32_t n = clock_samples_sorted(samples, &list);

	f->bounds = mem_array(2 * (size_t)n + 1, sizeof(*f->bounds));
	for (uint32_t i = 0; i < n; i++) {
		bool up_first = !list[i].down_n || (list[i].up_n && list[i].up.t <= list[i].down.t);

		if (fit_mixes(&list[i], samples->width_ns)) {
			f->model->outliers += 2;
			continue;
		}
		fit_add_bound(f, &list[i], up_first);
		if (list[i].up_n && list[i].down_n)
			fit_add_bound(f, &list[i], !up_first);
	}
	free(list);
}

static bool fit_turned(const struct fit_bound *a, const struct fit_bound *b)
{
	return a->shift_u != b->shift_u || a->shift_v != b->shift_v;
}

/* The most by which near neighbours contradict each other, short of a step: jitter, for no clock
 * drifts so fast. */
static double fit_noise(const struct fit *f)
{
	double noise = 0, c;

	for (uint32_t i = 1; i < f->count; i++) {
		const struct fit_bound *a = &f->bounds[i - 1], *b = &f->bounds[i];

		if (a->up == b->up || fit_turned(a, b) || llabs(b->t - a->t) > FIT_NEAR_NS)
			continue;
		c = fit_conflict(a, b, FIT_SKEW_USUAL);
		if (c > noise && c < (double)FIT_STEP_NS)
			noise = c;
	}
	return noise;
}

/* The tightest of a few bounds of one kind on one side of a place, and the next tightest. */
struct fit_window {
	uint32_t count;
	int64_t best, second; /* as upper bounds: lower ones negated */
	int64_t from, to;
};

static void fit_widen(struct fit_window *w, const struct fit_bound *b)
{
	int64_t z = b->up ? b->z : -b->z;

	if (!w->count || z < w->best) {
		w->second = w->count ? w->best : INT64_MAX;
		w->best = z;
	} else if (z < w->second) {
		w->second = z;
	}
	w->from = !w->count || b->t < w->from ? b->t : w->from;
	w->to = !w->count || b->t > w->to ? b->t : w->to;
	w->count++;
}

/* Bounds of one kind from a place on, or before it. */
static struct fit_window fit_window(const struct fit *f, uint32_t at, bool up, bool before)
{
	struct fit_window w = {0};

	for (uint32_t n = 0; w.count < FIT_WITNESSES && n < 4 * FIT_WITNESSES; n++) {
		uint32_t i = before ? at - 1 - n : at + n;

		if (i >= f->count)
			break;
		if (f->bounds[i].up == up)
			fit_widen(&w, &f->bounds[i]);
	}
	return w;
}

/* How far the floor of one direction's delays moved at a place, by more than drift and two bounds
 * each; 0: not. */
static int64_t fit_shift(const struct fit *f, uint32_t at, bool up)
{
	struct fit_window a = fit_window(f, at, up, true), b = fit_window(f, at, up, false);
	int64_t moved = b.best - a.best, size = llabs(moved);

	if (a.count < 3 || b.count < 3)
		return 0;
	if ((double)size < (double)FIT_STEP_NS + CLOCK_SKEW_MAX * (double)(b.to - a.from))
		return 0;
	if (a.second - a.best > size / 10 || b.second - b.best > size / 10)
		return 0;
	return up ? moved : -moved;
}

/*
 * A step moves t_v - t_u of both directions by one amount; a longer way moves that of one, or each
 * the other way. One direction alone cannot tell them apart, and then nothing before says anything
 * of after.
 */
static bool fit_is_shifted(const struct fit *f, uint32_t at, bool one_way)
{
	int64_t up = fit_shift(f, at, true), down = fit_shift(f, at, false);

	if (one_way)
		return llabs(up + down) > FIT_SHIFT_ONE_WAY_NS;
	return up && down && (up > 0) == (down > 0) && llabs(up - down) <= llabs(up) / 10;
}

/* What lies before or behind the shift, for all that is known, is in neither piece. */
static void fit_find_shifts(struct fit *f)
{
	uint32_t ups = 0;
	bool one_way;

	for (uint32_t i = 0; i < f->count; i++)
		ups += f->bounds[i].up;
	one_way = !ups || ups == f->count;
	for (uint32_t i = 1; i < f->count; i++) {
		f->bounds[i].shifted = fit_is_shifted(f, i, one_way);
		if (!f->bounds[i].shifted || !f->bounds[i - 1].shifted)
			continue;
		f->bounds[i - 1].shifted = false;
		f->bounds[i - 1].left_out = true;
	}
}

/* c above (positive) or below the line from a through b. */
static double fit_cross(
	const struct fit_point *a, const struct fit_point *b, const struct fit_point *c)
{
	return (b->t - a->t) * (c->z - a->z) - (b->z - a->z) * (c->t - a->t);
}

/* Lower hull of upper bounds (sign 1), upper hull of lower bounds (sign -1); t does not decrease.
 */
static void fit_hull_add(struct fit_hull *h, struct fit_point p, double sign)
{
	while (h->count >= 2 &&
		sign * fit_cross(&h->points[h->count - 2], &h->points[h->count - 1], &p) <= 0)
		h->count--;
	MEM_RESERVE(h->points, h->count, h->cap);
	h->points[h->count++] = p;
}

/* Smallest z - slope * t over upper bounds, largest over lower ones. */
static double fit_edge(const struct fit_hull *h, double slope, double sign)
{
	double best = sign * INFINITY;

	for (uint32_t i = 0; i < h->count; i++) {
		double a = h->points[i].z - slope * h->points[i].t;

		if (sign > 0 ? a < best : a > best)
			best = a;
	}
	return best;
}

/* How far apart the bounds are at a slope; negative: no such line fits. */
static double fit_room(const struct fit *f, double slope)
{
	return fit_edge(&f->up, slope, 1) - fit_edge(&f->down, slope, -1);
}

/* The slope with the most room, which is concave: three-way search finds it. */
static double fit_best_slope(const struct fit *f)
{
	double low = -CLOCK_SKEW_MAX, high = CLOCK_SKEW_MAX;

	for (int i = 0; i < 60; i++) {
		double a = low + (high - low) / 3, b = high - (high - low) / 3;

		if (fit_room(f, a) < fit_room(f, b))
			low = a;
		else
			high = b;
	}
	return (low + high) / 2;
}

static struct fit_point fit_point(const struct fit *f, const struct fit_bound *b)
{
	return (struct fit_point){.t = (double)(b->t - f->origin_t),
		.z = (double)(b->z - f->origin_z) + (b->up ? f->give : -f->give)};
}

/* With the slope at hand, that is; another one may fit. */
static bool fit_holds(const struct fit *f, const struct fit_bound *b)
{
	struct fit_point p = fit_point(f, b);
	double a = p.z - f->slope * p.t;

	return b->up ? a >= fit_edge(&f->down, f->slope, -1) : a <= fit_edge(&f->up, f->slope, 1);
}

static void fit_put(struct fit *f, const struct fit_bound *b)
{
	fit_hull_add(b->up ? &f->up : &f->down, fit_point(f, b), b->up ? 1 : -1);
}

/* The hulls of the open piece's bounds before end. */
static void fit_rebuild(struct fit *f, uint32_t end)
{
	f->up.count = f->down.count = 0;
	for (uint32_t i = f->first; i < end; i++)
		if (!f->bounds[i].left_out)
			fit_put(f, &f->bounds[i]);
	if (f->up.count && f->down.count)
		f->slope = fit_best_slope(f);
}

/* False, and nothing changed, when no line fits any more; *ret_missing says by how much. */
static bool fit_add(struct fit *f, uint32_t at, double *ret_missing)
{
	const struct fit_bound *b = &f->bounds[at];

	*ret_missing = 0;
	if (fit_holds(f, b)) {
		fit_put(f, b);
		return true;
	}
	fit_put(f, b);
	f->slope = fit_best_slope(f);
	*ret_missing = -fit_room(f, f->slope);
	if (*ret_missing <= 0)
		return true;
	fit_rebuild(f, at);
	return false;
}

/* The farthest slope towards limit at which a line still fits. */
static double fit_slope_limit(const struct fit *f, double best, double limit)
{
	double in = best, out = limit;

	if (fit_room(f, limit) >= 0)
		return limit;
	for (int i = 0; i < 50; i++) {
		double middle = (in + out) / 2;

		if (fit_room(f, middle) >= 0)
			in = middle;
		else
			out = middle;
	}
	return in;
}

/* Extreme value at t of any line that fits; sign 1 the highest (concave in the slope), -1 the
 * lowest. */
static double fit_extreme(const struct fit *f, double t, double from, double to, double sign)
{
	const struct fit_hull *h = sign > 0 ? &f->up : &f->down;

	for (int i = 0; i < 60; i++) {
		double a = from + (to - from) / 3, b = to - (to - from) / 3;

		if (sign * (fit_edge(h, a, sign) + a * t) < sign * (fit_edge(h, b, sign) + b * t))
			from = a;
		else
			to = b;
	}
	return fit_edge(h, from, sign) + from * t;
}

/* The slope to show: the middle of those that fit where that says something, else the least. */
static double fit_shown_slope(double low, double high)
{
	if (high - low <= FIT_RATE_KNOWN)
		return (low + high) / 2;
	return low > 0 ? low : high < 0 ? high : 0;
}

/* Two parallel lines that hold every line that fits between the piece's ends. */
static void fit_bound_piece(const struct fit *f, struct clock_piece *p)
{
	double length = (double)(f->last_t - f->origin_t), at_end;

	p->has_high = f->up.count > 0;
	p->has_low = f->down.count > 0;
	p->slope_low = -CLOCK_SKEW_MAX;
	p->slope_high = CLOCK_SKEW_MAX;
	if (p->has_low && p->has_high) {
		p->slope_low = fit_slope_limit(f, f->slope, -CLOCK_SKEW_MAX);
		p->slope_high = fit_slope_limit(f, f->slope, CLOCK_SKEW_MAX);
	}
	p->slope = fit_shown_slope(p->slope_low, p->slope_high);
	if (p->has_high) {
		at_end = fit_extreme(f, length, p->slope_low, p->slope_high, 1) - p->slope * length;
		p->high = fmax(fit_extreme(f, 0, p->slope_low, p->slope_high, 1), at_end);
	}
	if (p->has_low) {
		at_end =
			fit_extreme(f, length, p->slope_low, p->slope_high, -1) - p->slope * length;
		p->low = fmin(fit_extreme(f, 0, p->slope_low, p->slope_high, -1), at_end);
	}
}

struct fit_extent {
	int64_t from, to;
};

static void fit_extend(struct fit_extent *x, int64_t t, bool from, bool to)
{
	if (from && t < x->from)
		x->from = t;
	if (to && t > x->to)
		x->to = t;
}

/*
 * From when to when the open piece holds for certain, by u's time and by v's. A packet says that
 * both clocks were what they are in the piece when it arrived; when it was sent, the other end may
 * not have stepped yet. Likewise it says so of its sending, and by its arrival the sender may have
 * stepped.
 */
static void fit_note_extent(
	const struct fit *f, uint32_t end, bool step_behind, struct clock_piece *p)
{
	struct fit_extent here = {INT64_MAX, INT64_MIN}, there = here, all_there = here;

	for (uint32_t i = f->first; i < end; i++) {
		const struct fit_bound *b = &f->bounds[i];
		int64_t t_v = b->t - b->shift_u + b->z + b->shift_v;

		if (b->left_out || b->t > f->last_t)
			continue;
		fit_extend(&here, b->t, !f->step_before || !b->up, !step_behind || b->up);
		fit_extend(&there, t_v, !f->step_before || b->up, !step_behind || !b->up);
		fit_extend(&all_there, t_v, true, true);
	}
	/* Packets of one direction alone: then nothing better is known. */
	p->from_ns = here.from == INT64_MAX ? f->origin_t : here.from;
	p->to_ns = here.to < p->from_ns ? p->from_ns : here.to;
	p->other_from_ns = there.from == INT64_MAX ? all_there.from : there.from;
	p->other_to_ns = there.to < p->other_from_ns ? p->other_from_ns : there.to;
}

/* All bounds of the open piece were left out: it says nothing of any time. */
static bool fit_is_empty(const struct fit *f)
{
	return !f->up.count && !f->down.count;
}

/* The open piece is done; end: the first bound that is not its own. */
static void fit_close(struct fit *f, uint32_t end, bool step_behind)
{
	struct clock_model *m = f->model;
	const struct fit_bound *first = &f->bounds[f->first];
	struct clock_piece p = {.shift_u = first->shift_u,
		.shift_v = first->shift_v,
		.step_before = f->step_before,
		.continues = f->continues,
		.samples = f->packets};
	double moved;

	if (!f->open)
		return;
	f->open = false;
	if (fit_is_empty(f))
		return;
	fit_bound_piece(f, &p);
	fit_note_extent(f, end, step_behind, &p);
	assert(p.from_ns <= p.to_ns && p.slope_low <= p.slope && p.slope <= p.slope_high);
	moved = p.slope * (double)(p.from_ns - f->origin_t);
	p.high += (double)f->origin_z + moved;
	p.low += (double)f->origin_z + moved;
	/* Packets overtake each other; the order of the pieces is that of u's time. */
	if (m->count && p.other_from_ns < m->pieces[m->count - 1].other_from_ns)
		p.other_from_ns = m->pieces[m->count - 1].other_from_ns;
	if (p.other_to_ns < p.other_from_ns)
		p.other_to_ns = p.other_from_ns;
	MEM_RESERVE(m->pieces, m->count, m->cap);
	m->pieces[m->count++] = p;
	m->stepped |= p.step_before;
}

static void fit_open(struct fit *f, uint32_t at, bool step_before, bool continues)
{
	f->first = at;
	f->origin_t = f->last_t = f->bounds[at].t;
	f->origin_z = f->bounds[at].z;
	f->packets = 0;
	f->up.count = f->down.count = 0;
	f->slope = 0;
	f->step_before = step_before;
	f->continues = continues;
	f->open = true;
}

/* What stands against a bound that does not fit: the open piece's last bounds of the other kind. */
struct fit_opposition {
	uint32_t asked, against;
	uint32_t last; /* index of the last one against it */
};

static struct fit_opposition fit_opposition(const struct fit *f, uint32_t at)
{
	struct fit_opposition o = {0};

	for (uint32_t i = at; i-- > f->first && o.asked < FIT_WITNESSES;) {
		const struct fit_bound *b = &f->bounds[i];

		if (b->left_out || b->up == f->bounds[at].up)
			continue;
		o.asked++;
		if (!fit_contradicts(b, &f->bounds[at]))
			continue;
		if (!o.against++)
			o.last = i;
	}
	return o;
}

/* Do the bounds behind one that does not fit side with it? One that stands alone is a wrong
 * pairing. */
static bool fit_is_witnessed(const struct fit *f, uint32_t at, const struct fit_opposition *o)
{
	uint32_t asked = 0, agree = 0;

	for (uint32_t i = at + 1; i < f->count && asked < FIT_WITNESSES; i++) {
		const struct fit_bound *b = &f->bounds[i];

		if (b->up != f->bounds[at].up || fit_turned(b, &f->bounds[at]))
			continue;
		asked++;
		agree += o->against ? fit_contradicts(&f->bounds[o->last], b) : !fit_holds(f, b);
	}
	return f->bounds[at].firm || (asked && agree * 2 > asked);
}

static void fit_leave_out(struct fit *f, uint32_t i)
{
	f->bounds[i].left_out = true;
	f->model->outliers++;
}

/* A bound that no line of the open piece fits: which side is wrong, or did the clock step? False:
 * it is left out. */
static bool fit_settle(struct fit *f, uint32_t at, double missing)
{
	struct fit_opposition o = fit_opposition(f, at);
	bool witnessed = fit_is_witnessed(f, at, &o);

	/* One against one, or against many: it was the other one. */
	if (o.against == 1 && !f->bounds[o.last].firm && (witnessed || o.asked == 1)) {
		fit_leave_out(f, o.last);
		fit_rebuild(f, at);
		return witnessed && (fit_add(f, at, &missing) || fit_settle(f, at, missing));
	}
	if (!witnessed)
		return false;
	if (!o.against && f->model->noise_ns + missing <= (double)FIT_NOISE_MAX_NS) {
		f->missing = missing;
		return true;
	}
	/* The old offset held for certain at the last bound that the new one contradicts. */
	if (o.against)
		f->last_t = f->bounds[o.last].t;
	fit_close(f, at, o.against > 0);
	fit_open(f, at, o.against > 0, false);
	return fit_add(f, at, &missing);
}

static void fit_take(struct fit *f, uint32_t at)
{
	struct fit_bound *b = &f->bounds[at];
	bool stepped = f->open && (b->shifted || fit_turned(b, &f->bounds[f->first]));
	double missing;

	if (b->left_out)
		return;
	if (f->open && fit_is_empty(f)) {
		fit_open(f, at, f->step_before || stepped, f->continues && !stepped);
	} else if (stepped) {
		fit_close(f, at, true);
		fit_open(f, at, true, false);
	} else if (f->open && b->t - f->origin_t > FIT_PIECE_NS) {
		fit_close(f, at, false);
		fit_open(f, at, false, true);
	} else if (!f->open) {
		fit_open(f, at, false, false);
	}
	if (!fit_add(f, at, &missing) && !fit_settle(f, at, missing)) {
		fit_leave_out(f, at);
		return;
	}
	f->packets += b->packets;
	if (b->t > f->last_t)
		f->last_t = b->t;
}

/* Bounds that give way by the noise seen so far; missing, where it was more. */
static void fit_pieces(struct fit *f, int64_t quantum_ns)
{
	f->give = f->model->noise_ns + (double)quantum_ns;
	f->missing = 0;
	for (uint32_t i = 0; i < f->count && !f->missing; i++)
		fit_take(f, i);
	if (!f->missing)
		fit_close(f, f->count, false);
	f->open = false;
}

void clock_fit(const struct clock_samples *s, int64_t quantum_ns, struct clock_model *ret)
{
	struct fit f = {.model = ret};

	*ret = (struct clock_model){0};
	fit_collect(&f, s);
	fit_find_shifts(&f);
	ret->noise_ns = fit_noise(&f);
	fit_pieces(&f, quantum_ns);
	while (f.missing) {
		ret->count = 0;
		ret->stepped = false;
		ret->noise_ns = fmax(ret->noise_ns + f.missing,
			fmin(2 * ret->noise_ns, (double)FIT_NOISE_MAX_NS));
		fit_pieces(&f, quantum_ns);
	}
	free(f.bounds);
	free(f.up.points);
	free(f.down.points);
}
