/* The map: vantage points as they stand between client and server, and what the legs lost. */
#include "report/html_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/query.h"
#include "report/words.h"

#define NODES_MAX 40
#define BOX_W 150.0
#define BOX_H 46.0
#define COLUMN 330.0
#define ROW 104.0
#define APART 9.0     /* a leg's two directions from the line between the boxes */
#define WORDS_W 172.0 /* of the words on a leg, about, with room beside them */
#define LINE_W 136.0  /* of the words alone */

struct node {
	int64_t vantage, host;
	char *name, *trust;
	double position; /* mean place between client (0) and server */
	unsigned column, row;
};

struct leg {
	int64_t from, to; /* vantages */
	int64_t sent, gone, missed, unjudged;
};

struct point {
	double x, y;
};

struct route {
	struct point from, to, bend; /* bend: where the curve is pulled to */
};

struct map {
	struct node nodes[NODES_MAX];
	unsigned node_count, columns, rows;
	struct leg legs[PAGE_LEGS];
	struct route routes[PAGE_LEGS];
	unsigned leg_count;
	struct point words[PAGE_LEGS]; /* where the words of each leg stand */
	unsigned words_count;
	bool left_out; /* there are more legs */
};

static struct node *map_node_of(struct map *m, int64_t vantage)
{
	for (unsigned i = 0; i < m->node_count; i++)
		if (m->nodes[i].vantage == vantage)
			return &m->nodes[i];
	return NULL;
}

static struct node *map_add_node(struct map *m, int64_t vantage, int64_t host, const char *name)
{
	struct node *n = map_node_of(m, vantage);

	if (n || m->node_count == NODES_MAX)
		return n;
	n = &m->nodes[m->node_count++];
	*n = (struct node){.vantage = vantage, .host = host, .name = mem_strdup(name)};
	return n;
}

static void map_take_legs(struct map *m, const struct report *r)
{
	CLEANUP_FREE const struct report_leg **legs = html_legs_by_loss(r);

	m->left_out = r->leg_count > PAGE_LEGS;
	for (int i = 0; i < r->leg_count && m->leg_count < PAGE_LEGS; i++) {
		const struct report_leg *l = legs[i];

		if (!map_add_node(m, l->from_id, l->from_host, l->from) ||
			!map_add_node(m, l->to_id, l->to_host, l->to))
			continue;
		m->legs[m->leg_count++] = (struct leg){
			.from = l->from_id,
			.to = l->to_id,
			.sent = l->sent,
			.gone = l->lost + l->misaddressed,
			.missed = l->capture_missed,
			.unjudged = l->unjudged,
		};
	}
	for (unsigned i = 0; i < m->node_count; i++) {
		const struct report_vantage *v = report_vantage(r, m->nodes[i].vantage);

		m->nodes[i].trust = v ? mem_strdup(v->trust) : NULL;
	}
}

static int map_load_positions(struct map *m, struct page *p)
{
	struct query r;
	int result = query_open(&r, p->db, p->err, Q_POSITIONS, NULL);

	if (result)
		return result;
	while (query_next(&r)) {
		struct node *n = map_node_of(m, query_int(&r, 0));

		if (n)
			n->position = query_real(&r, 1);
	}
	return query_close(&r, p->err);
}

static int map_by_position(const void *pa, const void *pb)
{
	const struct node *a = pa, *b = pb;

	if (a->position != b->position)
		return a->position < b->position ? -1 : 1;
	return a->vantage < b->vantage ? -1 : a->vantage > b->vantage;
}

static bool map_joined(const struct map *m, int64_t a, int64_t b)
{
	for (unsigned i = 0; i < m->leg_count; i++)
		if ((m->legs[i].from == a && m->legs[i].to == b) ||
			(m->legs[i].from == b && m->legs[i].to == a))
			return true;
	return false;
}

/*
 * Columns from the client's side to the server's: a node stands one column behind the furthest
 * neighbour before it. In a column nodes stand in the same order.
 */
static void map_place(struct map *m)
{
	unsigned used[NODES_MAX] = {0};

	qsort(m->nodes, m->node_count, sizeof(*m->nodes), map_by_position);
	for (unsigned i = 0; i < m->node_count; i++) {
		struct node *n = &m->nodes[i];

		for (unsigned j = 0; j < i; j++)
			if (map_joined(m, n->vantage, m->nodes[j].vantage) &&
				m->nodes[j].column + 1 > n->column)
				n->column = m->nodes[j].column + 1;
		n->column =
			n->column > 3 ? 3 : n->column; /* a wider map would not be read on paper */
		n->row = used[n->column]++;
		if (used[n->column] > m->rows)
			m->rows = used[n->column];
		if (n->column + 1 > m->columns)
			m->columns = n->column + 1;
	}
	/* Shorter columns stand in the middle of the longest one's height: rows in half steps. */
	for (unsigned i = 0; i < m->node_count; i++)
		m->nodes[i].row = 2 * m->nodes[i].row + (m->rows - used[m->nodes[i].column]);
}

static double map_node_x(const struct node *n)
{
	return 12 + n->column * COLUMN;
}

static double map_node_y(const struct node *n)
{
	return n->row * ROW / 2;
}

static const char *map_leg_class(const struct leg *l)
{
	double rate = l->sent ? (double)l->gone / (double)l->sent : 0;

	return l->gone == 0 ? "leg ok" : rate < 0.01 ? "leg some" : "leg bad";
}

static struct point map_middle(const struct node *n)
{
	return (struct point){map_node_x(n) + BOX_W / 2, map_node_y(n) + BOX_H / 2};
}

/* A leg is a curve through a point beside the middle of its ends (a straight one: bend 0). */
static struct point map_on_route(const struct route *r, double t)
{
	double u = 1 - t;

	return (struct point){u * u * r->from.x + 2 * u * t * r->bend.x + t * t * r->to.x,
		u * u * r->from.y + 2 * u * t * r->bend.y + t * t * r->to.y};
}

static bool map_in_box(const struct node *n, struct point p, double margin)
{
	return p.x > map_node_x(n) - margin && p.x < map_node_x(n) + BOX_W + margin &&
	       p.y > map_node_y(n) - margin && p.y < map_node_y(n) + BOX_H + margin;
}

/* How much of the way lies in, or close to, the box of a third vantage point. */
static unsigned map_hits(const struct map *m, const struct leg *l, const struct route *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->node_count; i++)
		for (unsigned k = 1; k < 40; k++)
			n += m->nodes[i].vantage != l->from && m->nodes[i].vantage != l->to &&
			     map_in_box(&m->nodes[i], map_on_route(r, k / 40.0), 24);
	return n;
}

/* From side to side, or from bottom to top in one column; the two directions of a pair run side by
 * side. */
static struct route map_route_with(const struct map *m, const struct leg *l, double bend)
{
	const struct node *a = map_node_of((struct map *)m, l->from),
			  *b = map_node_of((struct map *)m, l->to);
	bool forward = a->column < b->column || (a->column == b->column && a->row < b->row),
	     upright = a->column == b->column;
	const struct node *first = forward ? a : b, *last = forward ? b : a;
	struct point p = map_middle(first), q = map_middle(last);
	double shift = forward ? -APART : APART;
	struct route r;

	if (upright) {
		p = (struct point){p.x - 2 * shift, p.y + BOX_H / 2};
		q = (struct point){q.x - 2 * shift, q.y - BOX_H / 2};
		r = (struct route){p, q, {(p.x + q.x) / 2 + bend, (p.y + q.y) / 2}};
	} else {
		p = (struct point){p.x + BOX_W / 2, p.y + shift};
		q = (struct point){q.x - BOX_W / 2, q.y + shift};
		r = (struct route){p, q, {(p.x + q.x) / 2, (p.y + q.y) / 2 + bend}};
	}
	return forward ? r : (struct route){q, p, r.bend};
}

/* The straightest way that no box of another vantage point stands in; both directions take the
 * same. */
static struct route map_route_of(const struct map *m, const struct leg *l)
{
	static const double bends[] = {0, -110, 110, -170, 170, -240, 240, -320, 320};
	struct leg there = *l, back = {.from = l->to, .to = l->from};
	unsigned least = UINT32_MAX;
	double best = 0;

	for (size_t i = 0; i < sizeof(bends) / sizeof(bends[0]) && least; i++) {
		struct route r = map_route_with(m, &there, bends[i]),
			     s = map_route_with(m, &back, bends[i]);
		unsigned n = map_hits(m, &there, &r) + map_hits(m, &back, &s);

		if (n < least) {
			least = n;
			best = bends[i];
		}
	}
	return map_route_with(m, l, best);
}

/* How much of the lines runs through words that stand there. */
static unsigned map_crossings(const struct map *m, struct point at)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->leg_count; i++)
		for (unsigned k = 0; k <= 60; k++) {
			struct point p = map_on_route(&m->routes[i], k / 60.0);

			n += fabs(p.x - at.x) < LINE_W / 2 && p.y > at.y - 12 && p.y < at.y + 4;
		}
	return n;
}

static bool map_words_fit(const struct map *m, struct point at)
{
	for (unsigned i = 0; i < m->node_count; i++)
		for (int k = -2; k <= 2; k++)
			if (map_in_box(&m->nodes[i],
				    (struct point){at.x + k * WORDS_W / 4, at.y - 4}, 8))
				return false;
	for (unsigned i = 0; i < m->words_count; i++)
		if (fabs(m->words[i].x - at.x) < WORDS_W && fabs(m->words[i].y - at.y) < 15)
			return false;
	return true;
}

/*
 * Words stand beside their line, where they cover neither a box nor other words and the fewest
 * lines run through them, near the middle if that is free.
 */
static void map_place_words(struct map *m, unsigned own)
{
	static const double places[] = {0.5, 0.4, 0.6, 0.32, 0.68, 0.25, 0.75, 0.2, 0.8};
	const struct route *r = &m->routes[own];
	bool upright = fabs(r->to.x - r->from.x) < 40;
	/* Above the line that goes right, below the one that goes left: then a pair's words are
	 * apart. */
	double side =
		r->to.x > r->from.x || (r->to.x == r->from.x && r->to.y > r->from.y) ? -8 : 17;
	/* Then on its other side, and further away; beside a line that goes down, right or left. */
	const double beside[] = {
		side, 9 - side, side < 0 ? side - 14 : side + 14, side < 0 ? 23 - side : -5 - side};
	struct point best = map_on_route(r, 0.5);
	unsigned least = UINT32_MAX;

	best.y += side;
	for (size_t k = 0; k < sizeof(beside) / sizeof(beside[0]) && least; k++)
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && least; i++) {
			struct point at = map_on_route(r, places[i]);
			unsigned n;

			at.y += upright ? 4 : beside[k];
			at.x += !upright ? 0 : beside[k] < 0 ? LINE_W / 2 + 6 : -LINE_W / 2 - 6;
			n = map_words_fit(m, at) ? map_crossings(m, at) : UINT32_MAX;
			if (n < least) {
				least = n;
				best = at;
			}
		}
	m->words[m->words_count++] = best;
}

static void map_leg_words(struct page *p, const struct leg *l, struct point at)
{
	struct html *h = &p->h;
	double rate = l->sent ? 100.0 * (double)l->gone / (double)l->sent : 0;

	html_begin(h, "text", "class", l->gone ? "loss gone" : "loss", "text-anchor", "middle", "x",
		html_fmt(h, "%.1f", at.x), "y", html_fmt(h, "%.1f", at.y), NULL);
	if (l->gone)
		html_textf(h,
			rate < 0.1  ? "%.3f %% lost"
			: rate < 10 ? "%.1f %% lost"
				    : "%.0f %% lost",
			rate);
	else
		html_text(h, "no loss");
	html_element(h, "tspan",
		html_fmt(h, " \xc2\xb7 %s of %s", html_grouped(p, l->gone),
			html_grouped(p, l->sent)),
		"class", "count", NULL);
	html_end(h, "text");
}

static void map_draw_leg(struct page *p, const struct leg *l, const struct route *r)
{
	struct html *h = &p->h;
	struct point tip = r->to;
	double angle = atan2(tip.y - r->bend.y, tip.x - r->bend.x);

	html_begin(h, "g", "class", map_leg_class(l), NULL);
	html_void(h, "path", "class", "way", "d",
		html_fmt(h, "M%.1f %.1fQ%.1f %.1f %.1f %.1f", r->from.x, r->from.y, r->bend.x,
			r->bend.y, tip.x - 7 * cos(angle), tip.y - 7 * sin(angle)),
		NULL);
	html_void(h, "path", "class", "head", "d",
		html_fmt(h, "M%.1f %.1fL%.1f %.1fL%.1f %.1fZ", tip.x, tip.y,
			tip.x - 10 * cos(angle - 0.4), tip.y - 10 * sin(angle - 0.4),
			tip.x - 10 * cos(angle + 0.4), tip.y - 10 * sin(angle + 0.4)),
		NULL);
	html_end(h, "g");
}

static void map_draw_node(struct page *p, const struct node *n)
{
	struct html *h = &p->h;
	const char *trust = n->trust ? n->trust : "sound";
	bool unfit = strcmp(trust, "unfit") == 0, care = strcmp(trust, "with care") == 0;
	char shown[128];

	/* Long names are cut to the box; the whole name is in the title. */
	(void)html_shorten(shown, sizeof(shown), n->name, 15);
	html_begin(h, "g", "class", unfit ? "node unfit" : care ? "node care" : "node sound", NULL);
	html_element(h, "title", n->name, NULL);
	html_void(h, "rect", "x", html_fmt(h, "%.1f", map_node_x(n)), "y",
		html_fmt(h, "%.1f", map_node_y(n)), "width", html_fmt(h, "%.0f", BOX_W), "height",
		html_fmt(h, "%.0f", BOX_H), "rx", "8", NULL);
	html_element(h, "text", shown, "class", "name", "text-anchor", "middle", "x",
		html_fmt(h, "%.1f", map_node_x(n) + BOX_W / 2), "y",
		html_fmt(h, "%.1f", map_node_y(n) + 20), NULL);
	html_element(h, "text",
		html_fmt(h, "capture %s",
			report_trust_word(unfit	 ? "unfit"
					  : care ? "with care"
						 : "sound")),
		"class", "trust", "text-anchor", "middle", "x",
		html_fmt(h, "%.1f", map_node_x(n) + BOX_W / 2), "y",
		html_fmt(h, "%.1f", map_node_y(n) + 36), NULL);
	html_end(h, "g");
}

/* What the drawing reaches above the first row and below the last. */
static void map_extent(const struct map *m, double *ret_top, double *ret_bottom)
{
	*ret_top = 0;
	*ret_bottom = (m->rows - 1) * ROW + BOX_H;
	for (unsigned i = 0; i < m->leg_count; i++) {
		double y = map_on_route(&m->routes[i], 0.5).y;

		*ret_top = fmin(*ret_top, y - 24);
		*ret_bottom = fmax(*ret_bottom, y + 24);
	}
}

/* Boxes, and the words beside lines that go down. */
static void map_breadth(const struct map *m, double *ret_left, double *ret_right)
{
	*ret_left = 0;
	*ret_right = 24 + (m->columns - 1) * COLUMN + BOX_W;
	for (unsigned i = 0; i < m->words_count; i++) {
		*ret_left = fmin(*ret_left, m->words[i].x - LINE_W / 2);
		*ret_right = fmax(*ret_right, m->words[i].x + LINE_W / 2);
	}
}

static void map_draw(struct map *m, struct page *p)
{
	struct html *h = &p->h;
	double left, right, top, bottom;

	for (unsigned i = 0; i < m->leg_count; i++)
		m->routes[i] = map_route_of(m, &m->legs[i]);
	/* What was lost chooses its place first: legs come worst first. */
	for (unsigned i = 0; i < m->leg_count; i++)
		map_place_words(m, i);
	map_extent(m, &top, &bottom);
	map_breadth(m, &left, &right);
	html_section(p, "map", "Where");
	html_begin(h, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label",
		"Map of vantage points", NULL);
	html_begin(h, "svg", "class", "map", "viewBox",
		html_fmt(h, "%.0f %.0f %.0f %.0f", left, top - 14, right - left, bottom - top + 28),
		"width", html_fmt(h, "%.0f", right - left), "height",
		html_fmt(h, "%.0f", bottom - top + 28), "role", "img", "aria-label",
		"Vantage points and the loss between them; the same numbers are in the table of "
		"legs",
		NULL);
	for (unsigned i = 0; i < m->leg_count; i++)
		map_draw_leg(p, &m->legs[i], &m->routes[i]);
	/* Words above all lines. */
	for (unsigned i = 0; i < m->leg_count; i++)
		map_leg_words(p, &m->legs[i], m->words[i]);
	for (unsigned i = 0; i < m->node_count; i++)
		map_draw_node(p, &m->nodes[i]);
	html_end(h, "svg");
	html_end(h, "div");
	if (m->left_out)
		html_element(h, "p", "Legs that lost less are in the table below.", "class", "note",
			NULL);
	html_end(h, "section");
}

int html_map(struct page *p)
{
	CLEANUP_FREE struct map *m = mem_zalloc(sizeof(*m));
	int result;

	map_take_legs(m, &p->report);
	result = map_load_positions(m, p);
	if (result == 0 && m->leg_count) {
		map_place(m);
		map_draw(m, p);
	}
	for (unsigned i = 0; i < m->node_count; i++) {
		free(m->nodes[i].name);
		free(m->nodes[i].trust);
	}
	return result;
}
