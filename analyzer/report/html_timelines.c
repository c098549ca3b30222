/* Time lines: the series go into the page as JSON, the plotting library draws them. */
#include "report/html_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "report/answer.h"

#define BUCKETS 600	 /* about as many as there are pixels */
#define SERIES_MAX 12	 /* in one chart: more cannot be told apart */
#define POINTS_MAX 40000 /* of one chart */
#define ADVERTS_MAX 20000

struct series {
	char name[128];
	int64_t *x; /* nanoseconds, reference clock */
	double *y;
	size_t count, cap_x, cap_y;
	double sum, peak;
	int64_t peak_at;
};

struct chart {
	const char *id, *title, *unit;
	bool zero_filled; /* nothing recorded means 0, not unknown */
	int64_t bucket_ns;
	struct series series[SERIES_MAX];
	unsigned count, left_out;
	char last_left_out[128];
	size_t points;
};

static void chart_release(struct chart *c)
{
	for (unsigned i = 0; i < c->count; i++) {
		free(c->series[i].x);
		free(c->series[i].y);
	}
	free(c);
}

static void chart_freep(struct chart **c)
{
	chart_release(*c);
}
#define CLEANUP_CHART __attribute__((cleanup(chart_freep)))

static struct series *series_of(struct chart *c, const char *name)
{
	for (unsigned i = 0; i < c->count; i++)
		if (strcmp(c->series[i].name, name) == 0)
			return &c->series[i];
	if (c->count == SERIES_MAX) {
		if (strcmp(c->last_left_out, name) != 0)
			c->left_out++;
		(void)snprintf(c->last_left_out, sizeof(c->last_left_out), "%s", name);
		return NULL;
	}
	(void)snprintf(c->series[c->count].name, sizeof(c->series[0].name), "%s", name);
	return &c->series[c->count++];
}

static void add_point(struct chart *c, const char *name, int64_t x, double y)
{
	struct series *s = series_of(c, name);

	if (!s || x == DB_NONE || c->points >= POINTS_MAX)
		return;
	/* Rows of one bucket of the file's clock can meet in one bucket of the reference clock. */
	if (c->zero_filled) {
		x -= ((x % c->bucket_ns) + c->bucket_ns) % c->bucket_ns;
		if (s->count && s->x[s->count - 1] == x) {
			s->y[s->count - 1] += y;
			y = s->y[s->count - 1];
			goto peak;
		}
	}
	MEM_RESERVE(s->x, s->count, s->cap_x);
	MEM_RESERVE(s->y, s->count, s->cap_y);
	s->x[s->count] = x;
	s->y[s->count++] = y;
	c->points++;
peak:
	if (s->count == 1 || y > s->peak) {
		s->peak = y;
		s->peak_at = x;
	}
}

static struct chart *new_chart(const char *id, const char *title, const char *unit, bool zero_filled, int64_t bucket_ns)
{
	struct chart *c = mem_zalloc(sizeof(*c));

	c->id = id;
	c->title = title;
	c->unit = unit;
	c->zero_filled = zero_filled;
	c->bucket_ns = bucket_ns;
	return c;
}

/* The smallest round step that cuts the span into at most BUCKETS. */
static int64_t bucket_for(const struct page *p, int64_t least_ns)
{
	static const int64_t steps[] = {1000000, 10000000, 100000000, 1000000000, 5000000000, 10000000000,
		60000000000, 300000000000, 900000000000, 3600000000000, 21600000000000, 86400000000000};
	int64_t span = p->last_ns - p->first_ns;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i] >= least_ns && span / steps[i] <= BUCKETS)
			return steps[i];
	return steps[sizeof(steps) / sizeof(steps[0]) - 1] * (1 + span / BUCKETS / steps[11]);
}

static void json_points(struct strbuf *sb, const struct series *s)
{
	strbuf_adds(sb, "[");
	for (size_t i = 0; i < s->count; i++)
		strbuf_printf(sb, "%s[%.3f,%.6g]", i ? "," : "", (double)s->x[i] / 1e6, s->y[i]);
	strbuf_adds(sb, "]");
}

static void json_chart(struct strbuf *sb, const struct page *p, const struct chart *c)
{
	strbuf_printf(sb, "{\"id\":\"%s\",\"unit\":\"%s\",\"zero\":%s,\"step\":%.3f,\"from\":%.3f,\"to\":%.3f,\"series\":[",
		c->id, c->unit, c->zero_filled ? "true" : "false", (double)c->bucket_ns / 1e6,
		(double)p->first_ns / 1e6, (double)p->last_ns / 1e6);
	for (unsigned i = 0; i < c->count; i++) {
		strbuf_adds(sb, i ? ",{\"name\":" : "{\"name\":");
		html_json_string(sb, c->series[i].name);
		strbuf_adds(sb, ",\"points\":");
		json_points(sb, &c->series[i]);
		strbuf_adds(sb, "}");
	}
	strbuf_adds(sb, "]}");
}

/* What the drawing says, in words: for screen readers, paper, and browsers without scripts. */
static void chart_words(struct page *p, const struct chart *c)
{
	struct html *h = &p->h;

	html_begin(h, "details", "class", "plain", NULL);
	html_element(h, "summary", "In words", NULL);
	html_begin(h, "ul", NULL);
	for (unsigned i = 0; i < c->count; i++) {
		const struct series *s = &c->series[i];
		char at[NSEC_TEXT_SIZE];

		(void)nsec_format(s->peak_at, at);
		html_begin(h, "li", NULL);
		html_element(h, "b", s->name, NULL);
		html_textf(h, ": most %.4g %s at %.10s %.12s UTC", s->peak, c->unit, at, at + 11);
		html_end(h, "li");
	}
	html_end(h, "ul");
	html_end(h, "details");
}

static void draw(struct page *p, const struct chart *c)
{
	struct html *h = &p->h;
	char span[NSEC_TEXT_SIZE];

	html_begin(h, "figure", "class", "chart", NULL);
	html_begin(h, "figcaption", NULL);
	html_element(h, "b", c->title, NULL);
	if (c->zero_filled)
		html_element(h, "span", html_fmt(h, " %s per %s", c->unit, nsec_span(c->bucket_ns, span)), "class", "unit", NULL);
	else
		html_element(h, "span", html_fmt(h, " %s", c->unit), "class", "unit", NULL);
	html_end(h, "figcaption");
	html_element(h, "div", NULL, "class", "legend", "id", html_fmt(h, "legend-%s", c->id), NULL);
	html_element(h, "div", NULL, "class", "plot", "id", html_fmt(h, "plot-%s", c->id), "role", "img", "aria-label",
		html_fmt(h, "%s; in words below", c->title), NULL);
	if (c->left_out)
		html_element(h, "p", html_fmt(h, "%u more series are not drawn.", c->left_out), "class", "note", NULL);
	chart_words(p, c);
	html_end(h, "figure");
}

/* ---- what goes into each chart ---- */

struct names {
	char *name[4096];
	int64_t id[4096];
	size_t count;
};

static int load_names(struct names *n, struct page *p)
{
	struct answer r;
	int result = answer_open(&r, p->db, p->err, Q_VANTAGES, ":limit", INT64_C(4096), NULL);

	if (result)
		return result;
	for (; answer_next(&r) && n->count < 4096; n->count++) {
		n->id[n->count] = answer_int(&r, 0);
		n->name[n->count] = mem_strdup(answer_text(&r, 1));
	}
	return answer_close(&r, p->err);
}

static const char *name_of(const struct names *n, int64_t id)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->id[i] == id)
			return n->name[i];
	return "?";
}

static void names_free(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->name[i]);
	free(n);
}

static const char *two_names(char buf[128], const struct names *n, int64_t from, int64_t to)
{
	(void)snprintf(buf, 128, "%s \xe2\x86\x92 %s", name_of(n, from), name_of(n, to));
	return buf;
}

static int fill_loss(struct chart *c, struct page *p, const struct names *n)
{
	struct answer r;
	int result = answer_open(&r, p->db, p->err, Q_SERIES_LOSS, ":bucket", c->bucket_ns, NULL);
	char name[128];

	if (result)
		return result;
	while (answer_next(&r))
		add_point(c, two_names(name, n, answer_int(&r, 0), answer_int(&r, 1)),
			aligned_ns(&p->clocks, answer_int(&r, 0), answer_int(&r, 4)), (double)answer_int(&r, 3));
	return answer_close(&r, p->err);
}

static int fill_delay(struct chart *c, struct page *p, const struct names *n)
{
	int64_t stride = 1 + p->flows / 500000;
	struct answer r;
	int result = answer_open(&r, p->db, p->err, Q_SERIES_DELAY, ":bucket", c->bucket_ns, ":stride", stride, NULL);
	char name[128];

	if (result)
		return result;
	while (answer_next(&r))
		add_point(c, two_names(name, n, answer_int(&r, 0), answer_int(&r, 1)), answer_int(&r, 6),
			(double)answer_int(&r, 4) / 1e6);
	return answer_close(&r, p->err);
}

static int fill_activity(struct chart *c, struct page *p, const struct names *n)
{
	struct answer r;
	int result = answer_open(&r, p->db, p->err, Q_SERIES_ACTIVITY, ":bucket", c->bucket_ns, NULL);
	char name[128];

	if (result)
		return result;
	while (answer_next(&r)) {
		int64_t at = aligned_ns(&p->clocks, answer_int(&r, 0), answer_int(&r, 4));
		bool has_tx = answer_int(&r, 3) > 0;

		(void)snprintf(name, sizeof(name), "%s received", name_of(n, answer_int(&r, 0)));
		add_point(c, name, at, (double)answer_int(&r, 2));
		(void)snprintf(name, sizeof(name), "%s sent", name_of(n, answer_int(&r, 0)));
		if (has_tx)
			add_point(c, name, at, (double)answer_int(&r, 3));
	}
	return answer_close(&r, p->err);
}

/* How long the previous advertisement of that router was ago, each time one was seen. */
static int fill_vrrp(struct chart *c, struct page *p, const struct names *n)
{
	struct answer r;
	int result = answer_open(&r, p->db, p->err, Q_SERIES_VRRP, ":limit", (int64_t)ADVERTS_MAX, NULL);
	char name[128], previous[128] = "";
	int64_t last = 0;

	if (result)
		return result;
	while (answer_next(&r)) {
		int64_t at = aligned_ns(&p->clocks, answer_int(&r, 0), answer_int(&r, 3));

		(void)snprintf(name, sizeof(name), "%s (VRID %lld) at %s", answer_text(&r, 2), (long long)answer_int(&r, 1),
			name_of(n, answer_int(&r, 0)));
		if (strcmp(name, previous) == 0)
			add_point(c, name, at, (double)(at - last) / 1e9);
		(void)snprintf(previous, sizeof(previous), "%s", name);
		last = at;
	}
	return answer_close(&r, p->err);
}

static int fill_flowlog(struct chart *c, struct page *p, const struct names *n)
{
	struct answer r;
	int result = answer_open(&r, p->db, p->err, Q_SERIES_FLOWLOG, ":bucket", c->bucket_ns, ":limit",
		(int64_t)POINTS_MAX, NULL);
	char name[128];

	(void)n;
	if (result)
		return result;
	while (answer_next(&r)) {
		(void)snprintf(name, sizeof(name), "%s %s", answer_text(&r, 0), answer_text(&r, 1));
		add_point(c, name, answer_int(&r, 4), (double)answer_int(&r, 3));
	}
	return answer_close(&r, p->err);
}

/* Spans that findings speak of (dark, gaps, flaps): bands behind every chart, and a table. */
static int windows(struct page *p, struct strbuf *json)
{
	static const char *const columns[] = {"finding", "kind", "where", "from (UTC)", "to (UTC)", "length", NULL};
	struct answer r;
	bool any = false;
	int result = answer_open(&r, p->db, p->err, Q_WINDOWS, ":limit", (int64_t)PAGE_FINDINGS, NULL);

	strbuf_adds(json, "],\"windows\":[");
	if (result)
		return result;
	while (answer_next(&r)) {
		int64_t from = answer_int(&r, 3), to = answer_int(&r, 4);
		char span[NSEC_TEXT_SIZE];

		if (!any)
			html_table_begin(p, "Spans: dark hosts, gaps, flaps, steps", columns);
		strbuf_printf(json, "%s{\"finding\":%lld,\"from\":%.3f,\"to\":%.3f,\"kind\":", any ? "," : "",
			(long long)answer_int(&r, 0), (double)from / 1e6, (double)to / 1e6);
		html_json_string(json, answer_text(&r, 1));
		strbuf_adds(json, "}");
		any = true;
		html_begin(&p->h, "tr", NULL);
		html_number(p, answer_int(&r, 0));
		html_cell(p, answer_text(&r, 1));
		html_cell(p, answer_text(&r, 2));
		html_time_cell(p, from);
		html_time_cell(p, to);
		html_element(&p->h, "td", nsec_span(to - from, span), "class", "n", "data-sort",
			html_fmt(&p->h, "%lld", (long long)(to - from)), NULL);
		html_end(&p->h, "tr");
	}
	if (any)
		html_table_end(p);
	return answer_close(&r, p->err);
}

static const struct {
	const char *id, *title, *unit;
	bool zero_filled;
	int64_t least_bucket_ns;
	int (*fill)(struct chart *, struct page *, const struct names *);
} charts[] = {
	{"loss", "Lost on the way", "segments", true, 1000000, fill_loss},
	{"delay", "One-way delay, by the time the flow began", "ms", false, 1000000, fill_delay},
	{"activity", "Frames at each vantage point", "frames", true, 1000000000, fill_activity},
	{"vrrp", "VRRP: time since the router's previous advertisement", "s", false, 1, fill_vrrp},
	{"flowlog", "Flow logs", "packets", true, 60000000000, fill_flowlog},
};

static int one_chart(struct page *p, const struct names *n, size_t i, struct strbuf *json, bool *any)
{
	CLEANUP_CHART struct chart *c = new_chart(charts[i].id, charts[i].title, charts[i].unit, charts[i].zero_filled,
		bucket_for(p, charts[i].least_bucket_ns));
	int result = charts[i].fill(c, p, n);

	if (result || c->count == 0)
		return result;
	if (*any)
		strbuf_addc(json, ',');
	*any = true;
	json_chart(json, p, c);
	draw(p, c);
	return 0;
}

int html_timelines(struct page *p)
{
	CLEANUP_STRBUF struct strbuf json = STRBUF_INIT;
	struct names *n;
	bool any = false;
	int result;

	if (p->first_ns == DB_NONE)
		return 0;
	n = mem_zalloc(sizeof(*n));
	result = load_names(n, p);
	html_section(p, "time", "When");
	html_element(&p->h, "p",
		"All times UTC, on the reference clock. Drag to zoom, double-click to see everything; all charts move together.",
		"class", "note", NULL);
	strbuf_adds(&json, "{\"charts\":[");
	for (size_t i = 0; i < sizeof(charts) / sizeof(charts[0]) && result == 0; i++)
		result = one_chart(p, n, i, &json, &any);
	if (result == 0)
		result = windows(p, &json);
	strbuf_adds(&json, "]}");
	if (result == 0)
		html_json(&p->h, "series", &json);
	html_end(&p->h, "section");
	names_free(n);
	return result;
}
