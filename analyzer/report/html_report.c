#include "report/html_report.h"

#include <string.h>

#include "assets.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "report/model.h"
#include "report/answer.h"

static int load_totals(struct page *p)
{
	struct answer r;
	int result = answer_open(&r, p->db, p->err, Q_TOTALS, NULL);

	if (result)
		return result;
	if (answer_next(&r)) {
		p->hosts = answer_int(&r, 0);
		p->vantages = answer_int(&r, 1);
		p->captures = answer_int(&r, 2);
		p->frames = answer_int(&r, 3);
		p->logs = answer_int(&r, 4);
		p->records = answer_int(&r, 5);
		p->flows = answer_int(&r, 6) == DB_NONE ? 0 : answer_int(&r, 6);
		p->first_ns = answer_int(&r, 7);
		p->last_ns = answer_int(&r, 8);
		p->findings = answer_int(&r, 9);
		p->critical = answer_int(&r, 10);
		p->warnings = answer_int(&r, 11);
	}
	return answer_close(&r, p->err);
}

static bool has_clock(const struct page *p, int64_t vantage)
{
	for (size_t i = 0; i < p->clocks.count; i++)
		if (p->clocks.pieces[i].vantage == vantage)
			return true;
	return false;
}

/* A clock that nothing ties to the reference may be years off: it widens the span only alone. */
static int load_span(struct page *p)
{
	struct answer r;
	int result = answer_open(&r, p->db, p->err, Q_VANTAGES, ":limit", INT64_C(10000), NULL);
	bool flows = p->first_ns != DB_NONE;

	if (result)
		return result;
	while (answer_next(&r)) {
		int64_t vantage = answer_int(&r, 0), first = answer_int(&r, 8), last = answer_int(&r, 9);

		if (first == DB_NONE || last == DB_NONE || (flows && p->clocks.count && !has_clock(p, vantage)))
			continue;
		first = aligned_ns(&p->clocks, vantage, first);
		last = aligned_ns(&p->clocks, vantage, last);
		if (p->first_ns == DB_NONE || first < p->first_ns)
			p->first_ns = first;
		if (p->last_ns == DB_NONE || last > p->last_ns)
			p->last_ns = last;
	}
	return answer_close(&r, p->err);
}

/*
 * Nothing is fetched, and the only scripts that run are ours, by hash. Styles are let through: the
 * plotting library sets them on its elements, and without images they cannot reach out.
 */
static void policy(struct page *p)
{
	CLEANUP_FREE char *csp = mem_printf("default-src 'none'; style-src 'unsafe-inline'; script-src %s %s; base-uri 'none'; form-action 'none'",
		asset_dygraphs_csp, asset_report_js_csp);

	html_void(&p->h, "meta", "http-equiv", "Content-Security-Policy", "content", csp, NULL);
}

static void head(struct page *p)
{
	struct html *h = &p->h;

	html_begin(h, "html", "lang", "en", NULL);
	html_begin(h, "head", NULL);
	html_void(h, "meta", "charset", "utf-8", NULL);
	policy(p);
	html_void(h, "meta", "name", "viewport", "content", "width=device-width, initial-scale=1", NULL);
	html_void(h, "meta", "name", "color-scheme", "content", "light dark", NULL);
	html_void(h, "meta", "name", "referrer", "content", "no-referrer", NULL);
	html_begin(h, "title", NULL);
	html_textf(h, "bothends: %s", p->database);
	html_end(h, "title");
	html_trusted(h, "style", asset_report_css, NULL);
	html_end(h, "head");
}

static void count_chip(struct page *p, int64_t n, const char *one, const char *many, const char *class)
{
	html_begin(&p->h, "li", "class", n ? class : "none", NULL);
	html_element(&p->h, "b", html_grouped(p, n), NULL);
	html_textf(&p->h, " %s", n == 1 ? one : many);
	html_end(&p->h, "li");
}

static void verdict(struct page *p)
{
	const struct story_finding *f = p->stories.count ? story_headline(&p->stories, 0) : NULL;

	/* A long sentence is read more easily when it is smaller. */
	html_begin(&p->h, "h1", "class", f && strlen(f->summary) > 110 ? "long" : NULL, NULL);
	if (f)
		html_sentence(p, f->summary);
	else
		html_text(&p->h, p->captures || p->logs ? "No fault found" : "Nothing was read");
	html_end(&p->h, "h1");
	if (f && story_find(&p->stories, f->cause_id)) {
		html_begin(&p->h, "p", "class", "lead", NULL);
		html_element(&p->h, "span", "Because", "class", "because", NULL);
		html_text(&p->h, " ");
		html_sentence(p, story_find(&p->stories, f->cause_id)->summary);
		html_end(&p->h, "p");
	}
}

static void span_line(struct page *p)
{
	char from[NSEC_TEXT_SIZE], to[NSEC_TEXT_SIZE], span[NSEC_TEXT_SIZE];
	bool same_day;

	if (p->first_ns == DB_NONE)
		return;
	(void)nsec_format(p->first_ns, from);
	(void)nsec_format(p->last_ns, to);
	same_day = strncmp(from, to, 10) == 0;
	html_begin(&p->h, "p", "class", "span", NULL);
	html_textf(&p->h, "%.10s %.8s to %.*s%s%.8s UTC (%s)", from, from + 11, same_day ? 0 : 10, to, same_day ? "" : " ",
		to + 11, nsec_span(p->last_ns - p->first_ns, span));
	html_end(&p->h, "p");
}

static void header(struct page *p)
{
	struct html *h = &p->h;

	html_begin(h, "header", "class", "top", NULL);
	html_begin(h, "p", "class", "brand", NULL);
	html_element(h, "b", "bothends", NULL);
	html_element(h, "span", p->database, "class", "file", NULL);
	html_end(h, "p");
	verdict(p);
	html_begin(h, "ul", "class", "chips", "aria-label", "In numbers", NULL);
	count_chip(p, p->critical, "critical", "critical", "critical");
	count_chip(p, p->warnings, "warning", "warnings", "warning");
	count_chip(p, p->findings - p->critical - p->warnings, "notice", "notices", "notice");
	count_chip(p, p->hosts, "host", "hosts", "fact");
	if (p->captures) {
		count_chip(p, p->flows, "flow", "flows", "fact");
		count_chip(p, p->frames, "frame", "frames", "fact");
	}
	if (p->logs)
		count_chip(p, p->records, "flow-log record", "flow-log records", "fact");
	html_end(h, "ul");
	span_line(p);
	html_end(h, "header");
}

/* Links to the sections that there are; main is the text that holds them. */
static void navigation(struct page *p, const char *main)
{
	static const struct {
		const char *id, *words;
	} links[] = {{"stories", "What happened"}, {"map", "Where"}, {"time", "When"}, {"findings", "All findings"},
		{"legs", "Legs"}, {"flows", "Flows"}, {"captures", "What this rests on"}, {"clocks", "Clocks"}};

	html_begin(&p->h, "nav", "aria-label", "Sections", NULL);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (strstr(main, html_fmt(&p->h, "<section id=\"%s\"", links[i].id)))
			html_element(&p->h, "a", links[i].words, "href", html_fmt(&p->h, "#%s", links[i].id), NULL);
	html_end(&p->h, "nav");
}

static int sections(struct page *p)
{
	int result = html_stories(p);

	if (result == 0)
		result = html_map(p);
	if (result == 0)
		result = html_timelines(p);
	if (result == 0)
		result = html_tables(p);
	return result ? result : html_captures(p);
}

/* The sections are written aside first: what links to them stands above. *ret_main is freed by the caller. */
static int write_main(struct page *p, char **ret_main)
{
	FILE *out = p->h.out;
	size_t size = 0;
	int result;

	p->h.out = open_memstream(ret_main, &size);
	if (!p->h.out) {
		p->h.out = out;
		return error_errno(p->err, "cannot write the report");
	}
	result = sections(p);
	if (fclose(p->h.out) != 0 && result == 0)
		result = error_errno(p->err, "cannot write the report");
	p->h.out = out;
	return result;
}

static int write_page(struct page *p)
{
	CLEANUP_FREE char *main = NULL;
	int result = write_main(p, &main);

	if (result)
		return result;

	head(p);
	html_begin(&p->h, "body", NULL);
	html_element(&p->h, "a", "Skip to what happened", "href", "#stories", "class", "skip", NULL);
	header(p);
	navigation(p, main);
	html_trusted(&p->h, "main", main, NULL);
	html_begin(&p->h, "footer", NULL);
	html_text(&p->h, "Made by bothends. This file holds everything it shows and fetches nothing.");
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
	p->findings_max = options->findings_max ? PAGE_FINDINGS : STORY_FINDINGS_MAX;
	result = load_totals(p);
	if (result == 0)
		result = aligned_load(&p->clocks, db, err);
	if (result == 0)
		result = load_span(p);
	if (result == 0)
		result = story_load(&p->stories, db, err);
	if (result == 0) {
		html_init(&p->h, out);
		result = write_page(p);
	}
	if (result == 0 && (fflush(out) != 0 || ferror(out)))
		result = error_errno(err, "cannot write the report");
	story_release(&p->stories);
	aligned_release(&p->clocks);
	return result;
}
