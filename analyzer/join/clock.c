#include "join/clock.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/nsec.h"

#define STRETCH_NS (100 * NSEC_PER_MSEC)
#define STRETCHES_MAX 100000
/* Clocks wander: a straight line is trusted for this long. */
#define PIECE_NS (600 * NSEC_PER_SEC)
/* Stretches that contradict themselves belong to one step back when they are no farther apart. */
#define STEP_BACK_NS (10 * NSEC_PER_SEC)
/* How many stretches behind a conflict are asked whether they agree with it. */
#define WITNESSES 8

void clock_samples_init(struct clock_samples *s)
{
	hashmap_init(&s->stretches, sizeof(int64_t), sizeof(struct clock_sample), UINT32_MAX);
	s->width_ns = STRETCH_NS;
}

void clock_samples_release(struct clock_samples *s)
{
	hashmap_release(&s->stretches);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void merge_sample(struct clock_sample *into, const struct clock_sample *from)
{
	if (from->up_n && (!into->up_n || from->up_z < into->up_z ||
				  (from->up_z == into->up_z && from->up_t < into->up_t))) {
		into->up_z = from->up_z;
		into->up_t = from->up_t;
	}
	if (from->down_n && (!into->down_n || from->down_z > into->down_z ||
				    (from->down_z == into->down_z && from->down_t < into->down_t))) {
		into->down_z = from->down_z;
		into->down_t = from->down_t;
	}
	into->up_n += from->up_n;
	into->down_n += from->down_n;
}

static void put_sample(struct clock_samples *s, int64_t t, const struct clock_sample *sample)
{
	int64_t index = floor_div(t, s->width_ns);
	bool fresh;

	merge_sample(hashmap_at(&s->stretches, &index, &fresh), sample);
}

static void widen(struct clock_samples *s, int64_t width_ns)
{
	struct clock_samples wide;

	clock_samples_init(&wide);
	wide.width_ns = width_ns;
	for (uint32_t i = 0; i < s->stretches.count; i++) {
		const int64_t *index = hashmap_key(&s->stretches, i);

		put_sample(&wide, *index * s->width_ns, hashmap_value(&s->stretches, i));
	}
	clock_samples_release(s);
	*s = wide;
}

void clock_samples_add(struct clock_samples *s, int64_t t_u, int64_t z, bool up)
{
	struct clock_sample sample = {0};

	if (up)
		sample = (struct clock_sample){.up_t = t_u, .up_z = z, .up_n = 1};
	else
		sample = (struct clock_sample){.down_t = t_u, .down_z = z, .down_n = 1};
	put_sample(s, t_u, &sample);
	if (s->stretches.count > STRETCHES_MAX)
		widen(s, s->width_ns * 2);
}

void clock_samples_merge(struct clock_samples *into, const struct clock_samples *from)
{
	if (from->width_ns > into->width_ns)
		widen(into, from->width_ns);
	for (uint32_t i = 0; i < from->stretches.count; i++) {
		const int64_t *index = hashmap_key(&from->stretches, i);

		put_sample(into, *index * from->width_ns, hashmap_value(&from->stretches, i));
		if (into->stretches.count > STRETCHES_MAX)
			widen(into, into->width_ns * 2);
	}
}

/* A bound in fitting: time and value relative to the piece's origin, so that doubles are exact enough. */
struct point {
	double t, z;
};

struct hull {
	struct point *points;
	uint32_t count, cap;
};

/* z2 above (sign > 0) or below the line from a through b at t: only the outer points of a bound matter. */
static double cross(const struct point *a, const struct point *b, const struct point *c)
{
	return (b->t - a->t) * (c->z - a->z) - (b->z - a->z) * (c->t - a->t);
}

/* Lower hull of upper bounds (sign 1), upper hull of lower bounds (sign -1); t does not decrease. */
static void hull_add(struct hull *h, struct point p, double sign)
{
	while (h->count >= 2 &&
		sign * cross(&h->points[h->count - 2], &h->points[h->count - 1], &p) <= 0)
		h->count--;
	MEM_RESERVE(h->points, h->count, h->cap);
	h->points[h->count++] = p;
}

/* Smallest z - slope * t over upper bounds, largest over lower ones: the room at that slope. */
static double hull_edge(const struct hull *h, double slope, double sign)
{
	double best = sign * INFINITY;

	for (uint32_t i = 0; i < h->count; i++) {
		double a = h->points[i].z - slope * h->points[i].t;

		if (sign > 0 ? a < best : a > best)
			best = a;
	}
	return best;
}

struct fit {
	struct hull up, down;
	double slope_max;
	double slope; /* one that fits */
	uint32_t samples;
};

static double room(const struct fit *f, double slope)
{
	return hull_edge(&f->up, slope, 1) - hull_edge(&f->down, slope, -1);
}

/* The slope with the most room: room() is concave, so three-way search finds it. */
static double best_slope(const struct fit *f)
{
	double low = -f->slope_max, high = f->slope_max;

	for (int i = 0; i < 60; i++) {
		double a = low + (high - low) / 3, b = high - (high - low) / 3;

		if (room(f, a) < room(f, b))
			low = a;
		else
			high = b;
	}
	return (low + high) / 2;
}

static bool point_fits(const struct fit *f, struct point p, bool up)
{
	if (up)
		return p.z - f->slope * p.t >= hull_edge(&f->down, f->slope, -1);
	return p.z - f->slope * p.t <= hull_edge(&f->up, f->slope, 1);
}

/* Adds a bound; false (and unchanged but for the hull's shape being copied back) when no line fits any more. */
static bool fit_add(struct fit *f, struct point p, bool up)
{
	struct hull *h = up ? &f->up : &f->down;
	struct hull before = {.count = h->count};
	double slope;

	if (point_fits(f, p, up)) {
		hull_add(h, p, up ? 1 : -1);
		return true;
	}
	before.points = mem_array(h->count + 1, sizeof(*before.points));
	for (uint32_t i = 0; i < h->count; i++)
		before.points[i] = h->points[i];
	hull_add(h, p, up ? 1 : -1);
	slope = best_slope(f);
	if (room(f, slope) >= 0) {
		f->slope = slope;
		free(before.points);
		return true;
	}
	for (uint32_t i = 0; i < before.count; i++)
		h->points[i] = before.points[i];
	h->count = before.count;
	free(before.points);
	return false;
}

/* The slopes at which a line still fits: from the best one outwards by halving. */
static double slope_limit(const struct fit *f, double best, double edge)
{
	double in = best, out = edge;

	if (room(f, edge) >= 0)
		return edge;
	for (int i = 0; i < 50; i++) {
		double middle = (in + out) / 2;

		if (room(f, middle) >= 0)
			in = middle;
		else
			out = middle;
	}
	return in;
}

/* Extreme value at t of any line that fits; sign 1 the highest, -1 the lowest. */
static double extreme_at(const struct fit *f, double t, double from, double to, double sign)
{
	const struct hull *h = sign > 0 ? &f->up : &f->down;

	/* Highest: concave in the slope, maximise; lowest: convex, minimise. */
	for (int i = 0; i < 60; i++) {
		double a = from + (to - from) / 3, b = to - (to - from) / 3;
		double va = sign * (hull_edge(h, a, sign) + a * t), vb = sign * (hull_edge(h, b, sign) + b * t);

		if (va < vb)
			from = a;
		else
			to = b;
	}
	return hull_edge(h, from, sign) + from * t;
}

/* One pair of parallel lines that holds every feasible line between its ends. */
static void bound_piece(const struct fit *f, double length, struct clock_piece *piece)
{
	bool both = f->up.count && f->down.count;
	double best = both ? best_slope(f) : 0;
	double from = both ? slope_limit(f, best, -f->slope_max) : 0;
	double to = both ? slope_limit(f, best, f->slope_max) : 0;

	piece->slope = (from + to) / 2;
	piece->has_high = f->up.count > 0;
	piece->has_low = f->down.count > 0;
	if (!both) {
		piece->high = hull_edge(&f->up, 0, 1);
		piece->low = hull_edge(&f->down, 0, -1);
		return;
	}
	piece->high = fmax(extreme_at(f, 0, from, to, 1), extreme_at(f, length, from, to, 1) - piece->slope * length);
	piece->low = fmin(extreme_at(f, 0, from, to, -1), extreme_at(f, length, from, to, -1) - piece->slope * length);
}

struct fitting {
	const struct clock_sample *samples; /* by time */
	uint32_t count;
	struct clock_model *model;
	double slope_max, quantum;
	struct fit fit;
	int64_t origin_t, origin_z, last_t;
	bool open, step_before;
};

static int by_time(const void *a, const void *b)
{
	const struct clock_sample *x = a, *y = b;
	int64_t tx = x->up_n ? x->up_t : x->down_t, ty = y->up_n ? y->up_t : y->down_t;

	return (tx > ty) - (tx < ty);
}

static void close_piece(struct fitting *g)
{
	struct clock_model *m = g->model;
	struct clock_piece piece = {.from_ns = g->origin_t, .to_ns = g->last_t, .step_before = g->step_before,
		.samples = g->fit.samples};

	if (!g->open)
		return;
	bound_piece(&g->fit, (double)(g->last_t - g->origin_t), &piece);
	piece.high += (double)g->origin_z + g->quantum;
	piece.low += (double)g->origin_z - g->quantum;
	MEM_RESERVE(m->pieces, m->count, m->cap);
	m->pieces[m->count++] = piece;
	m->stepped |= piece.step_before;
	free(g->fit.up.points);
	free(g->fit.down.points);
	g->fit = (struct fit){.slope_max = g->slope_max};
	g->open = false;
	g->step_before = false;
}

static void open_piece(struct fitting *g, int64_t t, int64_t z)
{
	g->fit = (struct fit){.slope_max = g->slope_max};
	g->origin_t = g->last_t = t;
	g->origin_z = z;
	g->open = true;
}

static struct point relative(const struct fitting *g, int64_t t, int64_t z)
{
	return (struct point){.t = (double)(t - g->origin_t), .z = (double)(z - g->origin_z)};
}

/*
 * Do the samples behind a conflict side with it? One that stands alone is a wrong pairing; several
 * mean that the clock stepped.
 */
static bool witnesses_agree(const struct fitting *g, uint32_t at, bool up)
{
	uint32_t asked = 0, agree = 0;

	for (uint32_t i = at + 1; i < g->count && asked < WITNESSES; i++) {
		const struct clock_sample *s = &g->samples[i];

		if (up ? !s->up_n : !s->down_n)
			continue;
		asked++;
		agree += !point_fits(&g->fit,
			up ? relative(g, s->up_t, s->up_z) : relative(g, s->down_t, s->down_z), up);
	}
	return asked && agree * 2 > asked;
}

/*
 * Where the old piece ends for certain: at the last bound of the other kind that the new offset
 * contradicts. Bounds of the same kind after the step are merely loose for the old offset.
 */
static int64_t certain_end(const struct fitting *g, uint32_t at, bool up, int64_t z)
{
	int64_t end = g->origin_t;

	for (uint32_t i = at + 1; i--;) {
		const struct clock_sample *s = &g->samples[i];
		int64_t t = up ? s->down_t : s->up_t;
		bool any = up ? s->down_n : s->up_n;

		if (!any || t > g->last_t)
			continue;
		if (t < g->origin_t)
			break;
		if (up ? s->down_z > z : s->up_z < z) {
			end = t;
			break;
		}
	}
	return end;
}

static void add_bound(struct fitting *g, uint32_t at, bool up)
{
	const struct clock_sample *s = &g->samples[at];
	int64_t t = up ? s->up_t : s->down_t, z = up ? s->up_z : s->down_z;

	if (g->open && t - g->origin_t > PIECE_NS)
		close_piece(g);
	if (!g->open)
		open_piece(g, t, z);
	if (!fit_add(&g->fit, relative(g, t, z), up)) {
		if (!witnesses_agree(g, at, up)) {
			g->model->outliers++;
			return;
		}
		g->last_t = certain_end(g, at, up, z);
		close_piece(g);
		g->step_before = true;
		open_piece(g, t, z);
		(void)fit_add(&g->fit, relative(g, t, z), up);
	}
	g->fit.samples += up ? s->up_n : s->down_n;
	if (t > g->last_t)
		g->last_t = t;
}

/* Both bounds of one stretch, further apart the wrong way than any drift in it. */
static bool contradicts_itself(const struct clock_sample *s, double tolerance)
{
	return s->up_n && s->down_n && (double)(s->down_z - s->up_z) > tolerance;
}

/*
 * When u's clock steps back it shows a time twice, and stretches there mix what held before with
 * what holds after: they say nothing. So do those between two of them that have one bound only.
 * Returns how many are left.
 */
static uint32_t drop_contradictions(struct clock_sample *samples, uint32_t count, double tolerance)
{
	uint32_t kept = 0, single = 0; /* single: how many of the last kept ones have one bound only */
	int64_t last = INT64_MIN;

	for (uint32_t i = 0; i < count; i++) {
		int64_t t = samples[i].up_n ? samples[i].up_t : samples[i].down_t;

		if (contradicts_itself(&samples[i], tolerance)) {
			if (last != INT64_MIN && t - last < STEP_BACK_NS)
				kept -= single;
			last = t;
			single = 0;
			continue;
		}
		if (samples[i].up_n && samples[i].down_n) {
			last = INT64_MIN;
			single = 0;
		} else if (last != INT64_MIN) {
			single++;
		}
		samples[kept++] = samples[i];
	}
	return kept;
}

void clock_fit(const struct clock_samples *s, double skew_max, int64_t quantum_ns, struct clock_model *ret)
{
	struct clock_sample *samples = mem_array(s->stretches.count + 1, sizeof(*samples));
	struct fitting g = {.samples = samples, .count = s->stretches.count, .model = ret,
		.slope_max = skew_max, .quantum = (double)quantum_ns};

	*ret = (struct clock_model){0};
	for (uint32_t i = 0; i < s->stretches.count; i++)
		samples[i] = *(const struct clock_sample *)hashmap_value(&s->stretches, i);
	qsort(samples, g.count, sizeof(*samples), by_time);
	g.count = drop_contradictions(samples, g.count, skew_max * (double)s->width_ns + (double)quantum_ns);
	for (uint32_t i = 0; i < g.count; i++) {
		bool up_first = !samples[i].down_n || samples[i].up_t <= samples[i].down_t;

		for (int k = 0; k < 2; k++) {
			bool up = (k == 0) == up_first;

			if (up ? samples[i].up_n : samples[i].down_n)
				add_bound(&g, i, up);
		}
	}
	close_piece(&g);
	free(samples);
}

void clock_model_release(struct clock_model *m)
{
	free(m->pieces);
	*m = (struct clock_model){0};
}

/* As floor() and ceil(), which are calls; values are far below 2^63. */
static inline int64_t round_down(double v)
{
	int64_t whole = (int64_t)v;

	return whole - ((double)whole > v);
}

static inline int64_t round_up(double v)
{
	int64_t whole = (int64_t)v;

	return whole + ((double)whole < v);
}

struct clock_bounds piece_bounds(const struct clock_piece *p, int64_t t)
{
	double moved = p->slope * (double)(t - p->from_ns);

	return (struct clock_bounds){.has_low = p->has_low, .has_high = p->has_high,
		.low = p->has_low ? round_down(p->low + moved) : 0,
		.high = p->has_high ? round_up(p->high + moved) : 0};
}

struct clock_bounds clock_at(const struct clock_model *m, int64_t t_u)
{
	uint32_t low = 0, high = m->count;
	struct clock_bounds a, b;

	if (!m->count)
		return (struct clock_bounds){0};
	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (m->pieces[middle].from_ns <= t_u)
			low = middle;
		else
			high = middle;
	}
	a = piece_bounds(&m->pieces[low], t_u);
	if (t_u <= m->pieces[low].to_ns || low + 1 == m->count)
		return a;
	/* Between two pieces: nothing says where the one ends, so both may hold. */
	b = piece_bounds(&m->pieces[low + 1], t_u);
	a.has_low &= b.has_low;
	a.has_high &= b.has_high;
	a.low = a.low < b.low ? a.low : b.low;
	a.high = a.high > b.high ? a.high : b.high;
	return a;
}

int64_t clock_bounds_middle(struct clock_bounds b)
{
	if (b.has_low && b.has_high)
		return b.low + (b.high - b.low) / 2;
	return b.has_low ? b.low : b.has_high ? b.high : 0;
}

/* May v have shown t while piece i held, or between it and its neighbours? */
static bool may_hold(const struct clock_model *m, uint32_t i, int64_t t_v)
{
	const struct clock_piece *p = &m->pieces[i];

	if (i && p->has_low && t_v - m->pieces[i - 1].to_ns < piece_bounds(p, m->pieces[i - 1].to_ns).low)
		return false;
	return i + 1 == m->count || !p->has_high ||
		t_v - m->pieces[i + 1].from_ns <= piece_bounds(p, m->pieces[i + 1].from_ns).high;
}

static struct clock_bounds unite(struct clock_bounds a, struct clock_bounds b)
{
	return (struct clock_bounds){.has_low = a.has_low && b.has_low, .has_high = a.has_high && b.has_high,
		.low = a.low < b.low ? a.low : b.low, .high = a.high > b.high ? a.high : b.high};
}

struct clock_bounds clock_at_other(const struct clock_model *m, int64_t t_v)
{
	struct clock_bounds b = clock_at(m, m->count ? m->pieces[0].from_ns : t_v), all = {0};
	bool any = false;

	for (uint32_t i = 0; m->stepped && i < m->count; i++) {
		if (!may_hold(m, i, t_v))
			continue;
		b = piece_bounds(&m->pieces[i], m->pieces[i].from_ns);
		b = piece_bounds(&m->pieces[i], t_v - clock_bounds_middle(b));
		all = any ? unite(all, b) : b;
		any = true;
	}
	if (any)
		return all;
	/* v's t is u's t plus the offset at that time; two steps settle it, and where the clocks hardly drift, one. */
	for (int i = 0; i < 3; i++) {
		int64_t middle = clock_bounds_middle(b);

		b = clock_at(m, t_v - middle);
		if (clock_bounds_middle(b) == middle)
			break;
	}
	return b;
}
