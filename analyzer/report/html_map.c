/* The map: vantage points as they stand between client and server, and what the legs lost. */
#include "report/html_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/answer.h"

#define NODES_MAX 40
#define BOX_W 150.0
#define BOX_H 46.0
#define COLUMN 330.0
#define ROW 104.0

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

struct map {
	struct node nodes[NODES_MAX];
	unsigned node_count, columns, rows;
	struct leg legs[PAGE_LEGS];
	unsigned leg_count;
};

static struct node *node_of(struct map *m, int64_t vantage)
{
	for (unsigned i = 0; i < m->node_count; i++)
		if (m->nodes[i].vantage == vantage)
			return &m->nodes[i];
	return NULL;
}

static struct node *add_node(struct map *m, int64_t vantage, int64_t host, const char *name)
{
	struct node *n = node_of(m, vantage);

	if (n || m->node_count == NODES_MAX)
		return n;
	n = &m->nodes[m->node_count++];
	*n = (struct node){.vantage = vantage, .host = host, .name = mem_strdup(name)};
	return n;
}

static int load_legs(struct map *m, struct page *p)
{
	struct answer r;
	int result = answer_open(&r, p->db, p->err, Q_LEGS, ":limit", (int64_t)PAGE_LEGS, NULL);

	if (result)
		return result;
	while (answer_next(&r)) {
		if (!add_node(m, answer_int(&r, 0), answer_int(&r, 4), answer_text(&r, 2)) ||
			!add_node(m, answer_int(&r, 1), answer_int(&r, 5), answer_text(&r, 3)))
			continue;
		m->legs[m->leg_count++] = (struct leg){
			.from = answer_int(&r, 0),
			.to = answer_int(&r, 1),
			.sent = answer_int(&r, 6),
			.gone = answer_int(&r, 8) + answer_int(&r, 9),
			.missed = answer_int(&r, 10),
			.unjudged = answer_int(&r, 11),
		};
	}
	return answer_close(&r, p->err);
}

static int load_trust(struct map *m, struct page *p)
{
	struct answer r;
	int result = answer_open(&r, p->db, p->err, Q_VANTAGES, ":limit", INT64_C(10000), NULL);

	if (result)
		return result;
	while (answer_next(&r)) {
		struct node *n = node_of(m, answer_int(&r, 0));

		if (n)
			n->trust = mem_strdup(answer_text(&r, 6));
	}
	return answer_close(&r, p->err);
}

static int load_positions(struct map *m, struct page *p)
{
	struct answer r;
	int result = answer_open(&r, p->db, p->err, Q_POSITIONS, NULL);

	if (result)
		return result;
	while (answer_next(&r)) {
		struct node *n = node_of(m, answer_int(&r, 0));

		if (n)
			n->position = answer_real(&r, 1);
	}
	return answer_close(&r, p->err);
}

static int by_position(const void *pa, const void *pb)
{
	const struct node *a = pa, *b = pb;

	if (a->position != b->position)
		return a->position < b->position ? -1 : 1;
	return a->vantage < b->vantage ? -1 : a->vantage > b->vantage;
}

static bool joined(const struct map *m, int64_t a, int64_t b)
{
	for (unsigned i = 0; i < m->leg_count; i++)
		if ((m->legs[i].from == a && m->legs[i].to == b) || (m->legs[i].from == b && m->legs[i].to == a))
			return true;
	return false;
}

/*
 * Columns from the client's side to the server's: a node stands one column behind the furthest
 * neighbour before it. In a column nodes stand in the same order.
 */
static void place(struct map *m)
{
	unsigned used[NODES_MAX] = {0};

	qsort(m->nodes, m->node_count, sizeof(*m->nodes), by_position);
	for (unsigned i = 0; i < m->node_count; i++) {
		struct node *n = &m->nodes[i];

		for (unsigned j = 0; j < i; j++)
			if (joined(m, n->vantage, m->nodes[j].vantage) && m->nodes[j].column + 1 > n->column)
				n->column = m->nodes[j].column + 1;
		n->column = n->column > 3 ? 3 : n->column; /* a wider map would not be read on paper */
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

static double node_x(const struct node *n)
{
	return 12 + n->column * COLUMN;
}

static double node_y(const struct node *n)
{
	return 14 + n->row * ROW / 2;
}

static const char *leg_class(const struct leg *l)
{
	double rate = l->sent ? (double)l->gone / (double)l->sent : 0;

	return l->gone == 0 ? "leg ok" : rate < 0.01 ? "leg some" : "leg bad";
}

static void leg_words(struct page *p, const struct leg *l, double x, double y)
{
	struct html *h = &p->h;
	double rate = l->sent ? 100.0 * (double)l->gone / (double)l->sent : 0;

	html_begin(h, "text", "class", "loss", "text-anchor", "middle", "x", html_fmt(h, "%.1f", x), "y",
		html_fmt(h, "%.1f", y), NULL);
	if (l->gone)
		html_textf(h, rate < 0.1 ? "%.3f %% lost" : rate < 10 ? "%.1f %% lost" : "%.0f %% lost", rate);
	else
		html_text(h, "no loss");
	html_element(h, "tspan", html_fmt(h, " \xc2\xb7 %s of %s", html_grouped(p, l->gone), html_grouped(p, l->sent)),
		"class", "count", NULL);
	html_end(h, "text");
}

static void draw_leg(struct map *m, struct page *p, const struct leg *l)
{
	struct html *h = &p->h;
	const struct node *a = node_of(m, l->from), *b = node_of(m, l->to);
	bool forward = a->column < b->column || (a->column == b->column && a->row < b->row);
	double side = forward ? -1 : 1, x1, y1 = node_y(a) + BOX_H / 2, x2, y2 = node_y(b) + BOX_H / 2;
	double angle, mx, my, shift = 9 * side;

	if (a->column == b->column) {
		x1 = node_x(a) + BOX_W / 2 - shift * 2;
		x2 = x1;
		y1 += (b->row > a->row ? 1 : -1) * BOX_H / 2;
		y2 -= (b->row > a->row ? 1 : -1) * (BOX_H / 2 + 3);
	} else {
		x1 = node_x(a) + (forward ? BOX_W : 0);
		x2 = node_x(b) + (forward ? -3 : BOX_W + 3);
		y1 += shift;
		y2 += shift;
	}
	angle = atan2(y2 - y1, x2 - x1);
	/* Words of the two directions stand apart: each nearer to its sender where lines slope. */
	mx = x1 + (x2 - x1) * (fabs(y2 - y1) > 20 ? 0.36 : 0.5);
	my = y1 + (y2 - y1) * (fabs(y2 - y1) > 20 ? 0.36 : 0.5);
	html_begin(h, "g", "class", leg_class(l), NULL);
	html_void(h, "line", "x1", html_fmt(h, "%.1f", x1), "y1", html_fmt(h, "%.1f", y1), "x2",
		html_fmt(h, "%.1f", x2 - 7 * cos(angle)), "y2", html_fmt(h, "%.1f", y2 - 7 * sin(angle)), NULL);
	html_void(h, "path", "class", "head", "d",
		html_fmt(h, "M%.1f %.1fL%.1f %.1fL%.1f %.1fZ", x2, y2, x2 - 10 * cos(angle - 0.4),
			y2 - 10 * sin(angle - 0.4), x2 - 10 * cos(angle + 0.4), y2 - 10 * sin(angle + 0.4)), NULL);
	leg_words(p, l, mx, my + (forward ? -8 : 17));
	html_end(h, "g");
}

static void draw_node(struct page *p, const struct node *n)
{
	struct html *h = &p->h;
	const char *trust = n->trust ? n->trust : "sound";
	bool unfit = strcmp(trust, "unfit") == 0, care = strcmp(trust, "with care") == 0;
	char shown[28];

	/* Long names are cut to the box; the whole name is in the title. */
	(void)snprintf(shown, sizeof(shown), "%.*s", 20, n->name);
	html_begin(h, "g", "class", unfit ? "node unfit" : care ? "node care" : "node sound", NULL);
	html_element(h, "title", n->name, NULL);
	html_void(h, "rect", "x", html_fmt(h, "%.1f", node_x(n)), "y", html_fmt(h, "%.1f", node_y(n)), "width",
		html_fmt(h, "%.0f", BOX_W), "height", html_fmt(h, "%.0f", BOX_H), "rx", "8", NULL);
	html_element(h, "text", shown, "class", "name", "text-anchor", "middle", "x",
		html_fmt(h, "%.1f", node_x(n) + BOX_W / 2), "y", html_fmt(h, "%.1f", node_y(n) + 20), NULL);
	html_element(h, "text", html_fmt(h, "capture %s", unfit ? "unfit" : care ? "with care" : "sound"), "class", "trust",
		"text-anchor", "middle", "x", html_fmt(h, "%.1f", node_x(n) + BOX_W / 2), "y",
		html_fmt(h, "%.1f", node_y(n) + 36), NULL);
	html_end(h, "g");
}

static void draw(struct map *m, struct page *p)
{
	struct html *h = &p->h;
	double width = 24 + (m->columns - 1) * COLUMN + BOX_W, height = 28 + (m->rows - 1) * ROW + BOX_H;

	html_section(p, "map", "Where");
	html_begin(h, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", "Map of vantage points", NULL);
	html_begin(h, "svg", "class", "map", "viewBox", html_fmt(h, "0 0 %.0f %.0f", width, height), "width",
		html_fmt(h, "%.0f", width), "height", html_fmt(h, "%.0f", height), "role", "img", "aria-label",
		"Vantage points and the loss between them; the same numbers are in the table of legs", NULL);
	for (unsigned i = 0; i < m->leg_count; i++)
		draw_leg(m, p, &m->legs[i]);
	for (unsigned i = 0; i < m->node_count; i++)
		draw_node(p, &m->nodes[i]);
	html_end(h, "svg");
	html_end(h, "div");
	html_end(h, "section");
}

int html_map(struct page *p)
{
	CLEANUP_FREE struct map *m = mem_zalloc(sizeof(*m));
	int result = load_legs(m, p);

	if (result == 0)
		result = load_trust(m, p);
	if (result == 0)
		result = load_positions(m, p);
	if (result == 0 && m->leg_count) {
		place(m);
		draw(m, p);
	}
	for (unsigned i = 0; i < m->node_count; i++) {
		free(m->nodes[i].name);
		free(m->nodes[i].trust);
	}
	return result;
}
