/* Time lines: the series go into the page as JSON, the plotting library draws them. */
#include "report/html_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "report/query.h"
#include "report/chart.h"

#define ADVERTS_MAX 20000
#define WINDOWS_MAX 20000 /* of flow-log records */

static void timelines_chart_freep(struct chart **c)
{
	chart_free(*c);
}
#define CLEANUP_CHART __attribute__((cleanup(timelines_chart_freep)))

static const char *timelines_name_of(const struct page *p, int64_t vantage)
{
	const struct report_vantage *v = report_vantage(&p->report, vantage);

	return v ? v->name : "?";
}

static const char *timelines_two_names(
	char buf[128], const struct page *p, int64_t from, int64_t to)
{
	char a[60], b[60];

	(void)snprintf(buf, 128, "%s \xe2\x86\x92 %s",
		html_shorten(a, sizeof(a), timelines_name_of(p, from), 40),
		html_shorten(b, sizeof(b), timelines_name_of(p, to), 40));
	return buf;
}

static int timelines_fill_loss(struct chart *c, struct page *p, int64_t bucket_ns)
{
	struct query r;
	int result = query_open(&r, p->db, p->err, Q_SERIES_LOSS, ":bucket", bucket_ns, NULL);
	char name[128];

	if (result)
		return result;
	while (query_next(&r))
		chart_point(c, timelines_two_names(name, p, query_int(&r, 0), query_int(&r, 1)),
			ref_clock_ns(&p->report.ref_clock, query_int(&r, 0), query_int(&r, 4)),
			(double)query_int(&r, 3));
	return query_close(&r, p->err);
}

static int timelines_fill_delay(struct chart *c, struct page *p, int64_t bucket_ns)
{
	int64_t stride = 1 + p->report.counts.flows / 500000;
	struct query r;
	int result = query_open(
		&r, p->db, p->err, Q_SERIES_DELAY, ":bucket", bucket_ns, ":stride", stride, NULL);
	char name[128];

	if (result)
		return result;
	while (query_next(&r))
		chart_point(c, timelines_two_names(name, p, query_int(&r, 0), query_int(&r, 1)),
			query_int(&r, 6), (double)query_int(&r, 4) / 1e6);
	return query_close(&r, p->err);
}

static void timelines_ran(
	struct chart *c, const struct page *p, const char *series, const struct report_vantage *v)
{
	if (v)
		chart_ran(c, series, ref_clock_ns(&p->report.ref_clock, v->id, v->first_ns),
			ref_clock_ns(&p->report.ref_clock, v->id, v->last_ns));
}

/*
 * Counts of whole seconds of each vantage point's own clock. A second goes to the bucket that it
 * fills most of: cut off at its first instant, two would meet in one bucket and leave the next
 * empty.
 */
static int timelines_fill_activity(struct chart *c, struct page *p, int64_t bucket_ns)
{
	struct query r;
	int result = query_open(&r, p->db, p->err, Q_SERIES_ACTIVITY, ":bucket", bucket_ns, NULL);
	char name[160];

	if (result)
		return result;
	while (query_next(&r)) {
		const struct report_vantage *v = report_vantage(&p->report, query_int(&r, 0));
		const char *vantage = timelines_name_of(p, query_int(&r, 0));
		int64_t at = ref_clock_ns(&p->report.ref_clock, query_int(&r, 0),
				     query_int(&r, 4) * bucket_ns) +
			     bucket_ns / 2;
		bool directed = query_int(&r, 5) > 0;

		/* Most captures do not say which way a frame went; then there is one count. */
		(void)snprintf(name, sizeof(name), "%s%s", vantage, directed ? " received" : "");
		chart_point(c, name, at, (double)query_int(&r, 2));
		timelines_ran(c, p, name, v);
		(void)snprintf(name, sizeof(name), "%s sent", vantage);
		if (directed)
			chart_point(c, name, at, (double)query_int(&r, 3));
		timelines_ran(c, p, name, v);
	}
	return query_close(&r, p->err);
}

/* Silence after which other routers take the master for gone (RFC 5798 section 6.1: three intervals
 * and a skew). */
static int64_t timelines_master_down_ns(int64_t interval_ns, int64_t priority)
{
	return 3 * interval_ns + interval_ns / 256 * (256 - priority);
}

/* From where which router was heard as master, and where it fell silent. */
static int timelines_fill_vrrp(struct chart *c, struct page *p, int64_t bucket_ns)
{
	struct query r;
	int result =
		query_open(&r, p->db, p->err, Q_SERIES_VRRP, ":limit", (int64_t)ADVERTS_MAX, NULL);
	char name[160], previous[160] = "";
	int64_t patience = 0;

	(void)bucket_ns;
	if (result)
		return result;
	while (query_next(&r)) {
		int64_t at = ref_clock_ns(&p->report.ref_clock, query_int(&r, 0), query_int(&r, 3)),
			priority = query_int(&r, 4);

		(void)snprintf(name, sizeof(name), "%s is master of VRID %lld, as heard at %s",
			query_text(&r, 2), (long long)query_int(&r, 1),
			timelines_name_of(p, query_int(&r, 0)));
		chart_span(c, name, at, at, strcmp(name, previous) == 0 ? patience : -1);
		(void)snprintf(previous, sizeof(previous), "%s", name);
		/* Priority 0 resigns: what follows is another mastership. */
		patience =
			priority == 0 ? -1 : timelines_master_down_ns(query_int(&r, 5), priority);
	}
	return query_close(&r, p->err);
}

static int timelines_fill_flowlog(struct chart *c, struct page *p, int64_t bucket_ns)
{
	struct query r;
	int result = query_open(&r, p->db, p->err, Q_SERIES_FLOWLOG, ":bucket", bucket_ns, ":limit",
		(int64_t)CHART_POINTS, NULL);
	char name[160];

	if (result)
		return result;
	while (query_next(&r)) {
		const char *direction = query_text(&r, 5);

		(void)snprintf(name, sizeof(name), "%s %s%s%s", query_text(&r, 0),
			query_text(&r, 1), direction ? " " : "", direction ? direction : "");
		chart_point(c, name, query_int(&r, 4), (double)query_int(&r, 3));
	}
	return query_close(&r, p->err);
}

/* Where a log has records at all, and where it says itself that it has gaps. */
static int timelines_fill_log_windows(struct chart *c, struct page *p, int64_t bucket_ns)
{
	struct query r;
	int result = query_open(
		&r, p->db, p->err, Q_SERIES_LOG_WINDOWS, ":limit", (int64_t)WINDOWS_MAX, NULL);
	char name[160];

	(void)bucket_ns;
	if (result)
		return result;
	while (query_next(&r)) {
		(void)snprintf(name, sizeof(name), "%s: %s", query_text(&r, 0), query_text(&r, 1));
		/* Times are whole seconds: one window ends in the second before the next. */
		chart_span(c, name, query_int(&r, 2), query_int(&r, 3), 2 * NSEC_PER_SEC);
	}
	return query_close(&r, p->err);
}

static int timelines_fill_spans(struct chart *c, struct page *p, int64_t bucket_ns)
{
	struct query r;
	int result =
		query_open(&r, p->db, p->err, Q_WINDOWS, ":limit", (int64_t)PAGE_FINDINGS, NULL);
	char name[160];

	(void)bucket_ns;
	if (result)
		return result;
	while (query_next(&r)) {
		(void)snprintf(name, sizeof(name), "%lld %s %s", (long long)query_int(&r, 0),
			query_text(&r, 1), query_text(&r, 2));
		chart_span(c, name, query_int(&r, 3), query_int(&r, 4), -1);
	}
	return query_close(&r, p->err);
}

/* From when to when the first finding lasts: the reader compares that with each chart. */
static void timelines_first_finding(struct page *p)
{
	const struct report *r = &p->report;
	const struct report_finding *f = r->story_count ? r->stories[0].findings : NULL;
	char from[NSEC_TEXT_SIZE], to[NSEC_TEXT_SIZE], span[NSEC_TEXT_SIZE];

	if (!f || f->first_ns == DB_NONE || f->last_ns == DB_NONE)
		return;
	(void)nsec_format(f->first_ns, from);
	(void)nsec_format(f->last_ns, to);
	html_begin(&p->h, "p", "class", "trouble", NULL);
	html_element(&p->h, "b", f->kind, NULL);
	if (f->last_ns > f->first_ns)
		html_textf(&p->h, ": from %.10s %.12s to %s%.12s UTC (%s), between the red lines.",
			from, from + 11,
			strncmp(from, to, 10) == 0 ? "" : html_fmt(&p->h, "%.10s ", to), to + 11,
			nsec_span(f->last_ns - f->first_ns, span));
	else
		html_textf(&p->h, ": at %.10s %.12s UTC.", from, from + 11);
	html_end(&p->h, "p");
}

/* The same spans as bands behind every chart, and as a table. */
static int timelines_windows(struct page *p, struct strbuf *json)
{
	static const char *const columns[] = {
		"#finding", "kind", "where", "from (UTC)", "to (UTC)", "#length", NULL};
	const struct report *report = &p->report;
	int64_t last = 0, head = report->story_count ? report->stories[0].findings->id : 0;
	struct query r;
	bool any = false, bands = false;
	unsigned findings = 0;
	int result =
		query_open(&r, p->db, p->err, Q_WINDOWS, ":limit", (int64_t)PAGE_FINDINGS, NULL);

	strbuf_adds(json, "],\"windows\":[");
	if (result)
		return result;
	while (query_next(&r)) {
		int64_t from = query_int(&r, 3), to = query_int(&r, 4);
		char span[NSEC_TEXT_SIZE];

		if (!any)
			html_table_begin(p, "Time spans of findings", columns);
		findings += query_int(&r, 0) != last;
		last = query_int(&r, 0);
		/* Of the findings that have a lane, lest everything be a band. */
		if (findings <= CHART_SERIES && strcmp(query_text(&r, 5), "notice") != 0) {
			strbuf_printf(json, "%s{\"from\":%.3f,\"to\":%.3f%s}", bands ? "," : "",
				(double)from / 1e6, (double)to / 1e6,
				query_int(&r, 0) == head ? ",\"first\":true" : "");
			bands = true;
		}
		any = true;
		html_begin(&p->h, "tr", NULL);
		html_number(p, query_int(&r, 0));
		html_cell(p, query_text(&r, 1));
		html_cell(p, query_text(&r, 2));
		html_time_cell(p, from);
		html_time_cell(p, to);
		html_element(&p->h, "td", to > from ? nsec_span(to - from, span) : "at once",
			"class", "n", "data-sort", html_fmt(&p->h, "%lld", (long long)(to - from)),
			NULL);
		html_end(&p->h, "tr");
	}
	if (any)
		html_table_end(p);
	return query_close(&r, p->err);
}

static const struct {
	const char *id, *title, *unit;
	enum chart_shape shape;
	int64_t least_bucket_ns;
	int (*fill)(struct chart *, struct page *, int64_t bucket_ns);
} charts[] = {
	{"spans", "Time spans of findings", "", CHART_LANES, 1, timelines_fill_spans},
	{"loss", "Lost packets", "packets", CHART_COUNTS, 1000000, timelines_fill_loss},
	{"delay", "One-way delay by start of flow", "ms", CHART_LINES, 1000000,
		timelines_fill_delay},
	{"activity", "Frames at each vantage point", "frames", CHART_COUNTS, 1000000000,
		timelines_fill_activity},
	{"vrrp", "VRRP masters and gaps in their advertisements", "", CHART_LANES, 1,
		timelines_fill_vrrp},
	{"flowlog", "Flow logs", "packets", CHART_COUNTS, 60000000000, timelines_fill_flowlog},
	{"logwindows", "Windows of the flow logs", "", CHART_LANES, 1, timelines_fill_log_windows},
};

static int timelines_one_chart(struct page *p, size_t i, struct strbuf *json, bool *any)
{
	int64_t bucket_ns = chart_bucket(p, charts[i].least_bucket_ns);
	CLEANUP_CHART struct chart *c = chart_new(
		charts[i].id, charts[i].title, charts[i].unit, charts[i].shape, bucket_ns);
	int result = charts[i].fill(c, p, bucket_ns);

	if (result || chart_empty(c))
		return result;
	/* One or two measurements are no course; the table of legs has them. */
	if (charts[i].shape == CHART_LINES && chart_most(c) < 3)
		return 0;
	if (*any)
		strbuf_addc(json, ',');
	*any = true;
	chart_json(c, p, json);
	chart_draw(c, p);
	return 0;
}

int html_timelines(struct page *p)
{
	CLEANUP_STRBUF struct strbuf json = STRBUF_INIT;
	bool any = false;
	int result = 0;

	if (p->first_ns == DB_NONE)
		return 0;
	html_section(p, "time", "When");
	html_begin(&p->h, "p", "class", "note", NULL);
	html_text(&p->h, "All times UTC, on the reference clock. ");
	html_element(&p->h, "span",
		"Drag to zoom, double-click to reset; all charts share one time axis.", "class",
		"screen", NULL);
	html_end(&p->h, "p");
	timelines_first_finding(p);
	strbuf_adds(&json, "{\"charts\":[");
	for (size_t i = 0; i < sizeof(charts) / sizeof(charts[0]) && result == 0; i++)
		result = timelines_one_chart(p, i, &json, &any);
	if (result == 0)
		result = timelines_windows(p, &json);
	strbuf_adds(&json, "]}");
	if (result == 0)
		html_json(&p->h, "series", &json);
	html_end(&p->h, "section");
	return result;
}
