#include "report/ladder.h"

#include <math.h>
#include <string.h>

#include "base/nsec.h"

#define GUTTER 92.0   /* left column: times */
#define MARGIN 58.0   /* beyond the outer life lines: frame numbers, retransmission bows */
#define LANE 310.0    /* between two life lines */
#define NAME_CHARS 26 /* of a point's name */
#define SLANT 12.0    /* fall of an arrow whose arrival was not recorded */

static const char *const fate_class[] = {
	[LADDER_DELIVERED] = "ok",
	[LADDER_LOST] = "lost",
	[LADDER_MISADDRESSED] = "misaddressed",
	[LADDER_CAPTURE_MISSED] = "missed",
	[LADDER_UNJUDGED] = "unjudged",
	[LADDER_INJECTED] = "injected",
	[LADDER_SENDER_MISSED] = "missed",
};

static const char *const fate_words[] = {
	[LADDER_DELIVERED] = "arrived",
	[LADDER_LOST] = "lost",
	[LADDER_MISADDRESSED] = "sent to the wrong MAC",
	[LADDER_CAPTURE_MISSED] = "arrived, not captured",
	[LADDER_UNJUDGED] = "unknown",
	[LADDER_INJECTED] = "never sent by the peer",
	[LADDER_SENDER_MISSED] = "sent, not captured",
};

_Static_assert(sizeof(fate_class) == sizeof(fate_words) &&
		       sizeof(fate_class) / sizeof(fate_class[0]) == LADDER_SENDER_MISSED + 1,
	"a class and a word for each fate");

static double draw_x_of(unsigned point)
{
	return GUTTER + MARGIN + point * LANE;
}

/* A long name of the last point needs more room than its frame numbers do. */
static double draw_width_of(const struct ladder *l)
{
	size_t n = strlen(l->point[l->points - 1].name);

	return draw_x_of(l->points - 1) +
	       fmax(MARGIN, 5 + 4.2 * (double)(n > NAME_CHARS ? NAME_CHARS : n));
}

static const char *draw_n1(struct html *h, double v)
{
	return html_fmt(h, "%.1f", v);
}

static void draw_line(struct html *h, const char *class, double x1, double y1, double x2, double y2)
{
	html_void(h, "line", "class", class, "x1", draw_n1(h, x1), "y1", draw_n1(h, y1), "x2",
		draw_n1(h, x2), "y2", draw_n1(h, y2), NULL);
}

static void draw_text(
	struct html *h, const char *class, const char *anchor, double x, double y, const char *s)
{
	html_element(h, "text", s, "class", class, "text-anchor", anchor, "x", draw_n1(h, x), "y",
		draw_n1(h, y), NULL);
}

static void draw_arrow_head(struct html *h, double x1, double y1, double x2, double y2)
{
	double a = atan2(y2 - y1, x2 - x1);

	html_void(h, "path", "class", "head", "d",
		html_fmt(h, "M%.1f %.1fL%.1f %.1fL%.1f %.1fZ", x2, y2, x2 - 9 * cos(a - 0.38),
			y2 - 9 * sin(a - 0.38), x2 - 9 * cos(a + 0.38), y2 - 9 * sin(a + 0.38)),
		NULL);
}

static void draw_cross(struct html *h, double x, double y)
{
	html_void(h, "path", "class", "cross", "d",
		html_fmt(h, "M%.1f %.1fl10 10m0-10l-10 10", x - 5, y - 5), NULL);
}

/* The points a message passes, in order of travel. */
static unsigned draw_at_step(const struct ladder *l, const struct ladder_message *m, unsigned step)
{
	return m->to_server ? step : l->points - 1 - step;
}

static bool draw_ends_on_the_way(const struct ladder_message *m)
{
	return m->fate == LADDER_LOST || m->fate == LADDER_MISADDRESSED ||
	       m->fate == LADDER_UNJUDGED;
}

/* One leg of an arrow from a recorded point to the next; the far end may not have been recorded. */
static void draw_leg(struct html *h, const struct ladder_message *m, unsigned from, unsigned to,
	double y1, double y2, bool last)
{
	double x1 = draw_x_of(from), x2 = draw_x_of(to), drop = y2 < 0 ? y1 + SLANT : y2;

	if (draw_ends_on_the_way(m) && m->fate_from == from && y2 < 0) {
		double x = x1 + (x2 - x1) * (m->fate == LADDER_MISADDRESSED ? 0.86 : 0.62);

		draw_line(h, "shaft", x1, y1, x, y1 + SLANT * 0.62);
		if (m->fate == LADDER_UNJUDGED)
			draw_text(h, "query", "middle", x + (x2 > x1 ? 9 : -9),
				y1 + SLANT * 0.62 + 4, "?");
		else
			draw_cross(h, x, y1 + SLANT * 0.62);
		return;
	}
	draw_line(h, "shaft", x1, y1, x2, drop);
	if (m->fate == LADDER_CAPTURE_MISSED && y2 < 0)
		html_void(h, "circle", "class", "hollow", "cx", draw_n1(h, x2), "cy",
			draw_n1(h, drop), "r", "4", NULL);
	else if (last)
		draw_arrow_head(h, x1, y1, x2, drop);
}

/* First and last recorded step; false when nothing of it was recorded. */
static bool draw_recorded(const struct ladder *l, const struct ladder_message *m,
	unsigned *ret_first, unsigned *ret_last)
{
	bool any = false;

	for (unsigned s = 0; s < l->points; s++)
		if (m->at_ns[draw_at_step(l, m, s)] != DB_NONE) {
			if (!any)
				*ret_first = s;
			*ret_last = s;
			any = true;
		}
	return any;
}

static void draw_legs(
	const struct ladder *l, const struct ladder_message *m, struct html *h, int layout)
{
	unsigned first = 0, last = 0, s;

	if (!draw_recorded(l, m, &first, &last))
		return;
	/* Seen only where it arrives: the whole way from an end nobody watched, else a stub. */
	if (first > 0) {
		unsigned to = draw_at_step(l, m, first), from = draw_at_step(l, m, first - 1);
		double y = m->y[layout][to];
		double x = draw_x_of(to) +
			   (draw_x_of(from) - draw_x_of(to)) * (l->point[from].ghost ? 1 : 0.3);

		draw_line(h, "shaft", x, y - SLANT * 0.7, draw_x_of(to), y);
		draw_arrow_head(h, x, y - SLANT * 0.7, draw_x_of(to), y);
	}
	for (s = first; s < last;) {
		unsigned next = s + 1;

		while (m->at_ns[draw_at_step(l, m, next)] == DB_NONE)
			next++;
		draw_leg(h, m, draw_at_step(l, m, s), draw_at_step(l, m, next),
			m->y[layout][draw_at_step(l, m, s)], m->y[layout][draw_at_step(l, m, next)],
			next == last && last == l->points - 1);
		s = next;
	}
	/* Beyond the last recorded point: lost, missed by the capture, or nobody watched. */
	if (last + 1 < l->points)
		draw_leg(h, m, draw_at_step(l, m, last), draw_at_step(l, m, last + 1),
			m->y[layout][draw_at_step(l, m, last)], -1, true);
}

/* How far from the life line the bow of a retransmission runs: nested ones stay apart. */
static void draw_bow(
	const struct ladder *l, const struct ladder_message *m, struct html *h, int layout)
{
	const struct ladder_message *e = &l->message[m->retransmission_of];
	unsigned from = 0, last = 0, e_from = 0;
	double x, y1, y2, out;

	if (!draw_recorded(l, m, &from, &last) || !draw_recorded(l, e, &e_from, &last) ||
		from != e_from)
		return;
	from = draw_at_step(l, m, from);
	x = draw_x_of(from);
	y1 = e->y[layout][from];
	y2 = m->y[layout][from];
	out = fmin(30, 12 + (y2 - y1) / 12) * (m->to_server ? -1 : 1);
	html_void(h, "path", "class", "bow", "d",
		html_fmt(h, "M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x, y1, x + out, y1, x + out,
			y2, x, y2),
		NULL);
}

static void draw_words(const struct ladder *l, const struct ladder_message *m, struct html *h,
	int layout, bool crowded)
{
	unsigned first = 0, last = 0, point;
	double x, y, side = m->to_server ? 1 : -1;
	char words[96];

	if (!draw_recorded(l, m, &first, &last))
		return;
	point = draw_at_step(l, m, first);
	x = draw_x_of(point);
	y = m->y[layout][point];
	if (crowded)
		return;
	(void)snprintf(words, sizeof(words), "%s%s%s", m->label,
		m->retransmission_of >= 0 ? " again" : "", m->proves ? ", proof" : "");
	if (first == l->points - 1 && l->points > 1)
		side = -side; /* seen at its arrival only: the words go inside */
	draw_text(h, "label", side > 0 ? "start" : "end", x + 9 * side, y - 4, words);
	for (unsigned s = first; s <= last; s++) {
		unsigned p = draw_at_step(l, m, s);
		bool outer_left = p == 0;

		if (m->frame[p] > 0)
			draw_text(h, "frame", outer_left ? "end" : "start",
				draw_x_of(p) + (outer_left ? -6 : 6),
				m->y[layout][p] + (outer_left || p == l->points - 1 ? 3.5 : 12),
				html_fmt(h, "%lld", (long long)m->frame[p]));
	}
}

static void draw_message(
	const struct ladder *l, unsigned index, struct html *h, int layout, bool crowded)
{
	const struct ladder_message *m = &l->message[index];

	html_begin(h, "g", "class", html_fmt(h, "msg %s", fate_class[m->fate]), NULL);
	draw_legs(l, m, h, layout);
	if (m->retransmission_of >= 0)
		draw_bow(l, m, h, layout);
	draw_words(l, m, h, layout, crowded);
	html_end(h, "g");
}

static void draw_offset_text(char buf[NSEC_TEXT_SIZE], int64_t span_ns)
{
	char span[NSEC_TEXT_SIZE];

	if (span_ns < 1000)
		(void)snprintf(buf, NSEC_TEXT_SIZE, "0");
	else
		(void)snprintf(buf, NSEC_TEXT_SIZE, "+%s", nsec_span(span_ns, span));
}

static double draw_top_of(
	const struct ladder *l, const struct ladder_message *m, int layout, int64_t *ret_ns)
{
	unsigned first = 0, last = 0;

	if (!draw_recorded(l, m, &first, &last))
		return -1;
	*ret_ns = m->at_ns[draw_at_step(l, m, first)];
	return m->y[layout][draw_at_step(l, m, first)];
}

static void draw_points(const struct ladder *l, struct html *h, int layout)
{
	for (unsigned i = 0; i < l->points; i++) {
		const struct ladder_point *p = &l->point[i];
		const char *address = i == 0 ? p->client : p->server;
		const char *anchor = "middle";
		char name[128];

		html_begin(h, "text", "class", "name", "text-anchor", anchor, "x",
			draw_n1(h, draw_x_of(i)), "y", "16", NULL);
		html_text(h, html_shorten(name, sizeof(name), p->name, NAME_CHARS));
		html_element(h, "title", p->name, NULL);
		html_end(h, "text");
		if (!p->ghost && (i == 0 || i == l->points - 1))
			draw_text(h, "address", anchor, draw_x_of(i), 32, address);
		draw_line(h, p->ghost ? "life ghost" : "life", draw_x_of(i), 42, draw_x_of(i),
			l->height[layout] - 8);
	}
}

static void draw_layout(const struct ladder *l, struct html *h, int layout)
{
	/* Last height used by words on each side: beyond it the next may speak. */
	double spoken[2] = {-100, -100}, timed = -100;

	html_begin(h, "svg", "class", layout == LADDER_BY_ORDER ? "ladder order" : "ladder scale",
		"viewBox", html_fmt(h, "0 0 %.0f %.0f", draw_width_of(l), l->height[layout]),
		"width", draw_n1(h, draw_width_of(l)), "height", draw_n1(h, l->height[layout]),
		"role", "img", "aria-label", l->title, NULL);
	draw_points(l, h, layout);
	for (unsigned i = 0; i < l->gaps; i++) {
		char span[NSEC_TEXT_SIZE];

		if (l->gap[i].layout != layout)
			continue;
		(void)nsec_span(l->gap[i].span_ns, span);
		draw_text(h, "gap", "middle", (draw_x_of(0) + draw_x_of(l->points - 1)) / 2,
			l->gap[i].y,
			l->gap[i].folded
				? html_fmt(h, "\xe2\x8b\xae %u more like this in %s",
					  l->gap[i].folded, span)
				: html_fmt(h,
					  layout == LADDER_BY_ORDER ? "\xe2\x8b\xae %s"
								    : "\xe2\x8b\xae %s, cut",
					  span));
	}
	for (unsigned i = 0; i < l->messages; i++) {
		const struct ladder_message *m = &l->message[i];
		char buf[NSEC_TEXT_SIZE];
		int64_t at = 0;
		double y = draw_top_of(l, m, layout, &at);
		bool crowded = y - spoken[m->to_server] < 13;

		if (!crowded)
			spoken[m->to_server] = y;
		draw_message(l, i, h, layout, crowded);
		if (y - timed >= 13) {
			draw_offset_text(buf, at - l->start_ns);
			draw_text(h, "time", "end", GUTTER - 10, y + 3.5, buf);
			timed = y;
		}
	}
	html_end(h, "svg");
}

static void draw_switch_button(
	struct html *h, int64_t id, const char *value, const char *words, bool checked)
{
	const char *input = html_fmt(h, "ladder%lld%s", (long long)id, value);

	html_void(h, "input", "type", "radio", "class", html_fmt(h, "pick %s", value), "name",
		html_fmt(h, "ladder%lld", (long long)id), "id", input, checked ? "checked" : NULL,
		"", NULL);
	html_element(h, "label", words, "for", input, NULL);
}

/* When message number i was sent, as the drawing tells it. */
static const char *draw_time_of(const struct ladder *l, int i, char buf[NSEC_TEXT_SIZE])
{
	int64_t at = 0;

	(void)draw_top_of(l, &l->message[i], 0, &at);
	draw_offset_text(buf, at - l->start_ns);
	return buf;
}

/* The same as a table: for screen readers, and to copy from. */
static void draw_table(const struct ladder *l, struct html *h)
{
	char name[128];

	html_begin(h, "details", "class", "plain", NULL);
	html_element(h, "summary", "The same as a table", NULL);
	html_begin(h, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label",
		"Transmissions", NULL);
	html_begin(h, "table", NULL);
	html_begin(h, "thead", NULL);
	html_begin(h, "tr", NULL);
	html_element(h, "th", "time", "scope", "col", NULL);
	html_element(h, "th", "direction", "scope", "col", NULL);
	html_element(h, "th", "segment", "scope", "col", NULL);
	for (unsigned i = 0; i < l->points; i++)
		if (!l->point[i].ghost)
			html_element(h, "th",
				html_fmt(h, "frame at %s",
					html_shorten(name, sizeof(name), l->point[i].name, 40)),
				"scope", "col", NULL);
	html_element(h, "th", "outcome", "scope", "col", NULL);
	html_end(h, "tr");
	html_end(h, "thead");
	html_begin(h, "tbody", NULL);
	for (unsigned i = 0; i < l->messages; i++) {
		const struct ladder_message *m = &l->message[i];
		char buf[NSEC_TEXT_SIZE];
		int64_t at = 0;

		(void)draw_top_of(l, m, 0, &at);
		draw_offset_text(buf, at - l->start_ns);
		html_begin(h, "tr", NULL);
		html_element(h, "td", buf, "class", "n", NULL);
		html_element(h, "td", m->to_server ? "client to server" : "server to client", NULL);
		html_element(h, "td", m->label, NULL);
		for (unsigned p = 0; p < l->points; p++)
			if (!l->point[p].ghost)
				html_element(h, "td",
					m->frame[p] > 0
						? html_fmt(h, "%lld", (long long)m->frame[p])
						: "",
					"class", "n", NULL);
		html_begin(h, "td", NULL);
		html_text(h, fate_words[m->fate]);
		if (m->retransmission_of >= 0)
			html_textf(h, "; the same as the one at %s",
				draw_time_of(l, m->retransmission_of, buf));
		if (m->proves)
			html_textf(h, "; %s", m->proves);
		if (m->folded)
			html_textf(h, "; %u more like this followed", m->folded);
		html_end(h, "td");
		html_end(h, "tr");
	}
	html_end(h, "tbody");
	html_end(h, "table");
	html_end(h, "div");
	html_end(h, "details");
}

void ladder_draw(const struct ladder *l, struct html *h, int64_t id)
{
	html_begin(h, "figure", "class", "ladderbox", NULL);
	html_element(h, "figcaption", l->title, NULL);
	draw_switch_button(h, id, "order", "by order", true);
	draw_switch_button(h, id, "scale", "time to scale", false);
	html_begin(h, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label",
		html_fmt(h, "Ladder diagram, finding %lld", (long long)id), NULL);
	draw_layout(l, h, LADDER_BY_ORDER);
	draw_layout(l, h, LADDER_TO_SCALE);
	html_end(h, "div");
	if (l->left_out)
		html_element(h, "p",
			html_fmt(h, "%u more recorded transmissions of this flow are not drawn.",
				l->left_out),
			"class", "note", NULL);
	draw_table(l, h);
	html_end(h, "figure");
}
