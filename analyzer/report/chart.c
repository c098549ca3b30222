#include "report/chart.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"

#define WORDS_SPANS 8 /* of one lane that are told */

struct series {
	char name[128];
	int64_t *x; /* nanoseconds, reference clock; of lanes: from, to, from, to ... */
	double *y;  /* of lanes: unused */
	size_t count, cap_x, cap_y;
	double peak;
	int64_t peak_at;
	int64_t from_ns, to_ns; /* when it was recorded; DB_NONE: all the time of the page */
};

struct chart {
	const char *id, *title, *unit;
	enum chart_shape shape;
	int64_t bucket_ns;
	struct series series[CHART_SERIES];
	unsigned count, left_out;
	char last_left_out[128];
	size_t points;
};

struct chart *chart_new(const char *id, const char *title, const char *unit, enum chart_shape shape,
	int64_t bucket_ns)
{
	struct chart *c = mem_zalloc(sizeof(*c));

	c->id = id;
	c->title = title;
	c->unit = unit;
	c->shape = shape;
	c->bucket_ns = bucket_ns;
	return c;
}

void chart_free(struct chart *c)
{
	for (unsigned i = 0; c && i < c->count; i++) {
		free(c->series[i].x);
		free(c->series[i].y);
	}
	free(c);
}

bool chart_empty(const struct chart *c)
{
	return c->count == 0;
}

size_t chart_most(const struct chart *c)
{
	size_t most = 0;

	for (unsigned i = 0; i < c->count; i++)
		most = c->series[i].count > most ? c->series[i].count : most;
	return most;
}

static struct series *chart_series_of(struct chart *c, const char *name)
{
	for (unsigned i = 0; i < c->count; i++)
		if (strcmp(c->series[i].name, name) == 0)
			return &c->series[i];
	if (c->count == CHART_SERIES) {
		if (strcmp(c->last_left_out, name) != 0)
			c->left_out++;
		(void)snprintf(c->last_left_out, sizeof(c->last_left_out), "%s", name);
		return NULL;
	}
	(void)snprintf(c->series[c->count].name, sizeof(c->series[0].name), "%s", name);
	c->series[c->count].from_ns = c->series[c->count].to_ns = DB_NONE;
	return &c->series[c->count++];
}

static void chart_append(struct chart *c, struct series *s, int64_t x, double y)
{
	MEM_RESERVE(s->x, s->count, s->cap_x);
	MEM_RESERVE(s->y, s->count, s->cap_y);
	s->x[s->count] = x;
	s->y[s->count++] = y;
	c->points++;
}

void chart_point(struct chart *c, const char *series, int64_t at_ns, double value)
{
	struct series *s = chart_series_of(c, series);

	if (!s || at_ns == DB_NONE || c->points >= CHART_POINTS)
		return;
	if (c->shape == CHART_COUNTS)
		at_ns -= ((at_ns % c->bucket_ns) + c->bucket_ns) % c->bucket_ns;
	/* Rows of two buckets of a file's clock can meet in one bucket of the reference clock. */
	if (c->shape == CHART_COUNTS && s->count && s->x[s->count - 1] == at_ns)
		value = s->y[s->count - 1] += value;
	else
		chart_append(c, s, at_ns, value);
	if (s->count == 1 || value > s->peak) {
		s->peak = value;
		s->peak_at = at_ns;
	}
}

void chart_ran(struct chart *c, const char *series, int64_t from_ns, int64_t to_ns)
{
	for (unsigned i = 0; i < c->count; i++)
		if (strcmp(c->series[i].name, series) == 0) {
			c->series[i].from_ns = from_ns;
			c->series[i].to_ns = to_ns;
		}
}

void chart_span(
	struct chart *c, const char *series, int64_t from_ns, int64_t to_ns, int64_t slack_ns)
{
	struct series *s = chart_series_of(c, series);

	if (!s || from_ns == DB_NONE || c->points >= CHART_POINTS)
		return;
	if (s->count && from_ns - s->x[s->count - 1] <= slack_ns) {
		if (to_ns > s->x[s->count - 1])
			s->x[s->count - 1] = to_ns;
		return;
	}
	chart_append(c, s, from_ns, 0);
	chart_append(c, s, to_ns, 0);
}

int64_t chart_bucket(const struct page *p, int64_t least_ns)
{
	static const int64_t steps[] = {1000000, 10000000, 100000000, 1000000000, 5000000000,
		10000000000, 60000000000, 300000000000, 900000000000, 3600000000000, 21600000000000,
		86400000000000};
	int64_t span = p->last_ns - p->first_ns;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i] >= least_ns && span / steps[i] <= CHART_BUCKETS)
			return steps[i];
	return steps[sizeof(steps) / sizeof(steps[0]) - 1] * (1 + span / CHART_BUCKETS / steps[11]);
}

static void chart_json_points(const struct chart *c, const struct series *s, struct strbuf *sb)
{
	bool lanes = c->shape == CHART_LANES;

	strbuf_adds(sb, "[");
	for (size_t i = 0; i < s->count; i += lanes ? 2 : 1)
		if (lanes)
			strbuf_printf(sb, "%s[%.3f,%.3f]", i ? "," : "", (double)s->x[i] / 1e6,
				(double)s->x[i + 1] / 1e6);
		else
			strbuf_printf(
				sb, "%s[%.3f,%.6g]", i ? "," : "", (double)s->x[i] / 1e6, s->y[i]);
	strbuf_adds(sb, "]");
}

void chart_json(const struct chart *c, const struct page *p, struct strbuf *sb)
{
	static const char *const shapes[] = {"lines", "counts", "lanes"};

	strbuf_printf(sb,
		"{\"id\":\"%s\",\"unit\":\"%s\",\"shape\":\"%s\",\"step\":%.3f,\"from\":%.3f,"
		"\"to\":%.3f,\"series\":[",
		c->id, c->unit, shapes[c->shape], (double)c->bucket_ns / 1e6,
		(double)p->first_ns / 1e6, (double)p->last_ns / 1e6);
	for (unsigned i = 0; i < c->count; i++) {
		strbuf_adds(sb, i ? ",{\"name\":" : "{\"name\":");
		html_json_string(sb, c->series[i].name);
		if (c->series[i].from_ns != DB_NONE && c->series[i].to_ns != DB_NONE)
			strbuf_printf(sb, ",\"from\":%.3f,\"to\":%.3f",
				(double)c->series[i].from_ns / 1e6,
				(double)c->series[i].to_ns / 1e6);
		strbuf_adds(sb, ",\"points\":");
		chart_json_points(c, &c->series[i], sb);
		strbuf_adds(sb, "}");
	}
	strbuf_adds(sb, "]}");
}

static void chart_words_of_span(struct html *h, int64_t from_ns, int64_t to_ns)
{
	char from[NSEC_TEXT_SIZE], to[NSEC_TEXT_SIZE], span[NSEC_TEXT_SIZE];

	(void)nsec_format(from_ns, from);
	(void)nsec_format(to_ns, to);
	if (to_ns > from_ns)
		html_textf(h, "%.10s %.12s to %.12s (%s)", from, from + 11, to + 11,
			nsec_span(to_ns - from_ns, span));
	else
		html_textf(h, "%.10s %.12s", from, from + 11);
}

static void chart_words_of_lane(struct html *h, const struct series *s)
{
	size_t bars = s->count / 2;

	html_text(h, ": ");
	for (size_t i = 0; i < bars && i < WORDS_SPANS; i++) {
		html_text(h, i ? "; " : "");
		chart_words_of_span(h, s->x[2 * i], s->x[2 * i + 1]);
	}
	if (bars > WORDS_SPANS)
		html_textf(h, "; and %zu more", bars - WORDS_SPANS);
}

/* What the drawing says, in words: for screen readers, paper, and browsers without scripts. */
static void chart_words(const struct chart *c, struct html *h)
{
	html_begin(h, "details", "class", "plain", NULL);
	html_element(h, "summary", "In words", NULL);
	html_begin(h, "ul", NULL);
	for (unsigned i = 0; i < c->count; i++) {
		const struct series *s = &c->series[i];
		char at[NSEC_TEXT_SIZE];

		html_begin(h, "li", NULL);
		html_element(h, "b", s->name, NULL);
		if (c->shape == CHART_LANES) {
			chart_words_of_lane(h, s);
		} else {
			(void)nsec_format(s->peak_at, at);
			html_textf(h, ": most %.4g %s at %.10s %.12s UTC", s->peak, c->unit, at,
				at + 11);
		}
		html_end(h, "li");
	}
	html_end(h, "ul");
	html_end(h, "details");
}

void chart_draw(const struct chart *c, struct page *p)
{
	struct html *h = &p->h;
	char span[NSEC_TEXT_SIZE];

	html_begin(h, "figure", "class", "chart", NULL);
	html_begin(h, "figcaption", NULL);
	html_element(h, "b", c->title, NULL);
	if (c->shape == CHART_COUNTS)
		html_element(h, "span",
			html_fmt(h, " %s per %s", c->unit, nsec_span(c->bucket_ns, span)), "class",
			"unit", NULL);
	else if (c->shape == CHART_LINES)
		html_element(h, "span", html_fmt(h, " %s", c->unit), "class", "unit", NULL);
	html_end(h, "figcaption");
	html_element(h, "div", NULL, "class", c->shape == CHART_LANES ? "legend lanes" : "legend",
		"id", html_fmt(h, "legend-%s", c->id), NULL);
	html_element(h, "div", NULL, "class", "plot", "id", html_fmt(h, "plot-%s", c->id), "role",
		"img", "aria-label", html_fmt(h, "%s; in words below", c->title), NULL);
	if (c->left_out)
		html_element(h, "p",
			html_fmt(h, "%u more %s not drawn.", c->left_out,
				c->left_out == 1 ? "is" : "are"),
			"class", "note", NULL);
	chart_words(c, h);
	html_end(h, "figure");
}
