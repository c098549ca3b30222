#include "report/html_page.h"

#include <string.h>

#include "assets.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "report/report.h"
#include "report/story.h"

/* A clock that nothing ties to the reference may be years off: it widens the span only alone. */
static void page_find_span(struct page *p)
{
	const struct report *r = &p->report;
	bool flows = r->counts.first_ns != DB_NONE;

	p->first_ns = r->counts.first_ns;
	p->last_ns = r->counts.last_ns;
	for (int i = 0; i < r->vantage_count; i++) {
		const struct report_vantage *v = &r->vantages[i];
		int64_t first = ref_clock_ns(&r->ref_clock, v->id, v->first_ns),
			last = ref_clock_ns(&r->ref_clock, v->id, v->last_ns);

		if (first == DB_NONE || last == DB_NONE ||
			(flows && r->ref_clock.count && !ref_clock_knows(&r->ref_clock, v->id)))
			continue;
		if (p->first_ns == DB_NONE || first < p->first_ns)
			p->first_ns = first;
		if (p->last_ns == DB_NONE || last > p->last_ns)
			p->last_ns = last;
	}
}

/*
 * Nothing is fetched, and the only scripts that run are ours, by hash. Styles are let through: the
 * plotting library sets them on its elements, and without images they cannot reach out.
 */
static void page_policy(struct page *p)
{
	CLEANUP_FREE char *csp = mem_printf("default-src 'none'; style-src 'unsafe-inline'; "
					    "script-src %s %s; base-uri 'none'; form-action 'none'",
		asset_dygraphs_csp, asset_report_js_csp);

	html_void(&p->h, "meta", "http-equiv", "Content-Security-Policy", "content", csp, NULL);
}

static void page_head(struct page *p)
{
	struct html *h = &p->h;

	html_begin(h, "html", "lang", "en", NULL);
	html_begin(h, "head", NULL);
	html_void(h, "meta", "charset", "utf-8", NULL);
	page_policy(p);
	html_void(h, "meta", "name", "viewport", "content", "width=device-width, initial-scale=1",
		NULL);
	html_void(h, "meta", "name", "color-scheme", "content", "light dark", NULL);
	html_void(h, "meta", "name", "referrer", "content", "no-referrer", NULL);
	html_begin(h, "title", NULL);
	html_textf(h, "bothends: %s", p->database);
	html_end(h, "title");
	html_trusted(h, "style", asset_report_css, NULL);
	html_end(h, "head");
}

static void page_count_chip(
	struct page *p, int64_t n, const char *one, const char *many, const char *class)
{
	html_begin(&p->h, "li", "class", n ? class : "none", NULL);
	html_element(&p->h, "b", html_grouped(p, n), NULL);
	html_textf(&p->h, " %s", n == 1 ? one : many);
	html_end(&p->h, "li");
}

static void page_lead(struct page *p, const char *label, const char *text)
{
	html_begin(&p->h, "p", "class", "lead", NULL);
	html_element(&p->h, "span", label, "class", "because", NULL);
	html_text(&p->h, " ");
	html_sentence(p, text);
	html_end(&p->h, "p");
}

static void page_verdict(struct page *p)
{
	const struct report *r = &p->report;
	const struct report_finding *cause = r->story_count ? story_cause(&r->stories[0]) : NULL;

	/* A long sentence is read more easily when it is smaller. */
	html_begin(&p->h, "h1", "class", strlen(r->verdict) > 110 ? "long" : NULL, NULL);
	html_sentence(p, r->verdict);
	html_end(&p->h, "h1");
	if (cause)
		page_lead(p, "Because", cause->summary);
	if (r->checked)
		page_lead(p, "Checked:", r->checked);
}

static void page_span_line(struct page *p)
{
	char from[NSEC_TEXT_SIZE], to[NSEC_TEXT_SIZE], span[NSEC_TEXT_SIZE];
	bool same_day;

	if (p->first_ns == DB_NONE)
		return;
	(void)nsec_format(p->first_ns, from);
	(void)nsec_format(p->last_ns, to);
	same_day = strncmp(from, to, 10) == 0;
	html_begin(&p->h, "p", "class", "span", NULL);
	html_textf(&p->h, "%.10s %.8s to %.*s%s%.8s UTC (%s)", from, from + 11, same_day ? 0 : 10,
		to, same_day ? "" : " ", to + 11, nsec_span(p->last_ns - p->first_ns, span));
	html_end(&p->h, "p");
}

/* The verdict, and beside it, or below where that is too wide, the map. */
static void page_header(struct page *p, const char *map)
{
	const struct report_counts *c = &p->report.counts;
	struct html *h = &p->h;

	html_begin(h, "header", "class", "top", NULL);
	html_begin(h, "div", "class", "said", NULL);
	html_begin(h, "p", "class", "brand", NULL);
	html_element(h, "b", "bothends", NULL);
	html_element(h, "span", p->database, "class", "file", NULL);
	html_end(h, "p");
	page_verdict(p);
	html_begin(h, "ul", "class", "chips", "aria-label", "In numbers", NULL);
	page_count_chip(p, c->critical, "critical", "critical", "critical");
	page_count_chip(p, c->warning, "warning", "warnings", "warning");
	page_count_chip(p, c->notice, "notice", "notices", "notice");
	page_count_chip(p, c->hosts, "host", "hosts", "fact");
	if (c->captures) {
		page_count_chip(p, c->flows, "flow", "flows", "fact");
		page_count_chip(p, c->frames, "frame", "frames", "fact");
	}
	if (c->log_files)
		page_count_chip(p, c->log_records, "flow-log record", "flow-log records", "fact");
	html_end(h, "ul");
	page_span_line(p);
	html_end(h, "div");
	html_trusted(h, "div", map, "class", "where", NULL);
	html_end(h, "header");
}

/* Links to the sections that there are; map and main are the texts that hold them. */
static void page_navigation(struct page *p, const char *map, const char *main)
{
	static const struct {
		const char *id, *words;
	} links[] = {{"map", "Where"}, {"open", "Not judged"}, {"stories", "What happened"},
		{"time", "When"}, {"findings", "All findings"}, {"legs", "Legs"},
		{"flows", "Flows"}, {"captures", "Inputs"}, {"clocks", "Clocks"},
		{"notes", "Notes"}};

	html_begin(&p->h, "nav", "aria-label", "Sections", NULL);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (strstr(strcmp(links[i].id, "map") == 0 ? map : main,
			    html_fmt(&p->h, "<section id=\"%s\"", links[i].id)))
			html_element(&p->h, "a", links[i].words, "href",
				html_fmt(&p->h, "#%s", links[i].id), NULL);
	html_end(&p->h, "nav");
}

static int page_sections(struct page *p)
{
	int result;

	html_open(p);
	result = html_stories(p);
	if (result == 0)
		result = html_timelines(p);
	if (result == 0)
		result = html_tables(p);
	if (result == 0)
		result = html_captures(p);
	html_notes(p);
	return result;
}

/* The sections are written aside first: what links to them stands above. *ret_main is freed by the
 * caller. */
static int page_write_aside(struct page *p, int (*write)(struct page *), char **ret_text)
{
	FILE *out = p->h.out;
	size_t size = 0;
	int result;

	p->h.out = open_memstream(ret_text, &size);
	if (!p->h.out) {
		p->h.out = out;
		return error_errno(p->err, "cannot write the report");
	}
	result = write(p);
	if (fclose(p->h.out) != 0 && result == 0)
		result = error_errno(p->err, "cannot write the report");
	p->h.out = out;
	return result;
}

static int page_write_page(struct page *p)
{
	CLEANUP_FREE char *main = NULL, *map = NULL;
	int result = page_write_aside(p, html_map, &map);

	if (result == 0)
		result = page_write_aside(p, page_sections, &main);
	if (result)
		return result;

	page_head(p);
	html_begin(&p->h, "body", NULL);
	html_element(&p->h, "a", "Skip to the report", "href", "#report", "class", "skip", NULL);
	page_header(p, map);
	page_navigation(p, map, main);
	html_trusted(&p->h, "main", main, "id", "report", NULL);
	html_begin(&p->h, "footer", NULL);
	html_text(&p->h,
		"Made by bothends. This file holds everything it shows and fetches nothing.");
	html_end(&p->h, "footer");
	html_trusted(&p->h, "script", asset_dygraphs, NULL);
	html_trusted(&p->h, "script", asset_report_js, NULL);
	html_finish(&p->h);
	return 0;
}

int report_html(struct db *db, FILE *out, const struct report_options *options, struct error *err)
{
	CLEANUP_FREE struct page *p = mem_zalloc(sizeof(*p));
	CLEANUP_STRBUF struct strbuf word = STRBUF_INIT;
	int result;

	p->db = db;
	p->err = err;
	p->database = report_basename(options->database ? options->database : "incident.db");
	report_shell_word(&word, p->database);
	p->argument = word.text;
	result = report_load(&p->report, db,
		options->findings_max ? PAGE_FINDINGS : PAGE_FINDINGS_ALL, REPORT_FINDINGS, err);
	if (result == 0) {
		page_find_span(p);
		html_init(&p->h, out);
		result = page_write_page(p);
	}
	if (result == 0 && (fflush(out) != 0 || ferror(out)))
		result = error_errno(err, "cannot write the report");
	report_release(&p->report);
	return result;
}
