/* What the verdicts rest on: trust, files, frame accounts, flow logs, clocks, thresholds. */
#include "report/html_report.h"

#include <sqlite3.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "report/query.h"

static void captures_more(struct page *p, int64_t total, int64_t shown, const char *table)
{
	CLEANUP_FREE char *command = NULL;

	if (total <= shown)
		return;
	command = mem_printf("bothends query %s \"SELECT * FROM %s\"", p->argument, table);
	html_element(&p->h, "p", html_fmt(&p->h, "%s more. All of them:", html_grouped(p, total - shown)), "class", "note",
		NULL);
	html_copy(p, command);
}

/* The strings of a JSON array, one list item each; text that is no such array is shown as it is. */
static int captures_reasons(struct page *p, const char *json)
{
	sqlite3_stmt *s = NULL;

	if (!json || strcmp(json, "[]") == 0) {
		html_cell(p, "");
		return 0;
	}
	html_begin(&p->h, "td", "class", "sentence", NULL);
	if (sqlite3_prepare_v2(p->db->handle, schema_html[Q_JSON_ITEMS].text, -1, &s, NULL) == SQLITE_OK) {
		(void)sqlite3_bind_text(s, 1, json, -1, SQLITE_STATIC);
		html_begin(&p->h, "ul", NULL);
		while (sqlite3_step(s) == SQLITE_ROW)
			html_element(&p->h, "li", (const char *)sqlite3_column_text(s, 0), NULL);
		html_end(&p->h, "ul");
	}
	(void)sqlite3_finalize(s);
	html_end(&p->h, "td");
	return 0;
}

static int captures_trust(struct page *p)
{
	static const char *const columns[] = {"vantage point", "kind", "interface", "MAC", "trust", "why", "#missed by the capture",
		"#recorded twice", "first (UTC)", "last (UTC)", NULL};
	struct query r;
	int64_t shown = 0;
	int result =
		query_open(&r, p->db, p->err, Q_VANTAGES, ":limit", (int64_t)PAGE_VANTAGES, NULL);

	if (result)
		return result;
	html_table_begin(p, "Trust in each vantage point; its times on its own clock", columns);
	for (; query_next(&r); shown++) {
		const char *t = query_text(&r, 6);

		html_begin(&p->h, "tr", NULL);
		html_cell(p, query_text(&r, 1));
		html_cell(p, query_text(&r, 3));
		html_cell(p, query_text(&r, 4));
		html_element(&p->h, "td", query_text(&r, 5), "class", "address", NULL);
		html_begin(&p->h, "td", NULL);
		html_element(&p->h, "span", t, "class",
			strcmp(t, "sound") == 0 ? "trust sound" : strcmp(t, "unfit") == 0 ? "trust unfit" : "trust care", NULL);
		html_end(&p->h, "td");
		(void)captures_reasons(p, query_text(&r, 7));
		html_number(p, query_int(&r, 10));
		html_number(p, query_int(&r, 11));
		html_time_cell(p, query_int(&r, 8));
		html_time_cell(p, query_int(&r, 9));
		html_end(&p->h, "tr");
	}
	html_table_end(p);
	captures_more(p, p->vantages, shown, "vantage");
	return query_close(&r, p->err);
}

/* The dispositions of one file's frames; they sum to its frames. */
static int captures_accounts(struct page *p, int64_t file)
{
	struct query r;
	int result = query_open(&r, p->db, p->err, Q_ACCOUNTS, ":file", file, NULL);
	bool any = false;

	if (result)
		return result;
	html_begin(&p->h, "td", "class", "sentence", NULL);
	for (; query_next(&r); any = true)
		html_textf(&p->h, "%s%s %s", any ? ", " : "", query_text(&r, 0),
			html_grouped(p, query_int(&r, 1)));
	html_end(&p->h, "td");
	return query_close(&r, p->err);
}

static int captures_file_row(struct page *p, const struct query *r)
{
	int result;

	html_begin(&p->h, "tr", NULL);
	html_path_cell(p, query_text(r, 1));
	html_cell(p, query_text(r, 2));
	html_element(&p->h, "td",
		strcmp(query_text(r, 4), "none") == 0
			? query_text(r, 3)
			: html_fmt(&p->h, "%.20s, %.20s", query_text(r, 3), query_text(r, 4)),
		NULL);
	html_number(p, query_int(r, 6));
	result = captures_accounts(p, query_int(r, 0));
	html_number(p, query_int(r, 7));
	html_number(p, query_int(r, 10));
	html_number(p, query_int(r, 11));
	html_number(p, query_int(r, 5));
	html_cell(p, query_text(r, 14));
	html_element(&p->h, "td", query_text(r, 12), "class",
		query_text(r, 12) ? "sentence damaged" : NULL, NULL);
	html_time_cell(p, query_int(r, 8));
	html_time_cell(p, query_int(r, 9));
	html_element(&p->h, "td", query_text(r, 13), "class", "hash", NULL);
	html_end(&p->h, "tr");
	return result;
}

static int captures_files(struct page *p)
{
	static const char *const columns[] = {"capture", "vantage point", "format", "#frames", "what became of them", "#bytes",
		"#dropped by kernel", "#dropped by interface", "#snap length", "filter", "damage", "first (UTC)", "last (UTC)",
		"XXH3-128", NULL};
	struct query r;
	int64_t shown = 0;
	int result;

	if (p->captures == 0)
		return 0;
	result = query_open(&r, p->db, p->err, Q_FILES, ":limit", (int64_t)PAGE_FILES, NULL);
	if (result)
		return result;
	html_table_begin(p, "Captures, and an account of every frame", columns);
	for (; result == 0 && query_next(&r); shown++)
		result = captures_file_row(p, &r);
	html_table_end(p);
	captures_more(p, p->captures, shown, "capture_file");
	return result ? result : query_close(&r, p->err);
}

static int captures_logs(struct page *p)
{
	static const char *const columns[] = {"flow log", "format", "#records", "what became of its lines", "#bytes", "damage", "XXH3-128", NULL};
	struct query r;
	int64_t shown = 0;
	int result;

	if (p->logs == 0)
		return 0;
	result = query_open(&r, p->db, p->err, Q_LOGS, ":limit", (int64_t)PAGE_FILES, NULL);
	if (result)
		return result;
	html_table_begin(p, "Flow logs, and an account of every line", columns);
	for (; query_next(&r); shown++) {
		html_begin(&p->h, "tr", NULL);
		html_path_cell(p, query_text(&r, 0));
		html_cell(p, query_text(&r, 1));
		html_number(p, query_int(&r, 2));
		html_element(&p->h, "td", query_text(&r, 6), "class", "sentence", NULL);
		html_number(p, query_int(&r, 3));
		html_cell(p, query_text(&r, 5));
		html_element(&p->h, "td", query_text(&r, 4), "class", "hash", NULL);
		html_end(&p->h, "tr");
	}
	html_table_end(p);
	captures_more(p, p->logs, shown, "log_file");
	return query_close(&r, p->err);
}

static void captures_span_cell(struct page *p, int64_t ns)
{
	char buf[NSEC_TEXT_SIZE];

	if (ns == DB_NONE)
		html_element(&p->h, "td", "unknown", "class", "n", NULL);
	else
		html_element(&p->h, "td", html_fmt(&p->h, "%s%s", ns > 0 ? "+" : ns < 0 ? "\xe2\x88\x92" : "",
				nsec_span(ns < 0 ? -ns : ns, buf)),
			"class", "n", "data-sort", html_fmt(&p->h, "%lld", (long long)ns), NULL);
}

static int captures_clocks(struct page *p)
{
	static const char *const columns[] = {"clock", "against", "#offset", "#at least", "#at most", "#drift (ppm)", "by", "#samples",
		"from (UTC)", "to (UTC)", NULL};
	struct query r;
	int64_t shown = 0;
	int result = query_open(&r, p->db, p->err, Q_CLOCKS, NULL);

	if (result)
		return result;
	while (query_next(&r)) {
		if (query_int(&r, 0) == query_int(&r, 1) || shown >= PAGE_VANTAGES)
			continue;
		if (shown++ == 0) {
			html_section(p, "clocks", "Clocks");
			html_table_begin(p, "No clock is trusted: how far each is from the reference, as an interval", columns);
		}
		html_begin(&p->h, "tr", NULL);
		html_cell(p, query_text(&r, 10));
		html_cell(p, query_text(&r, 11));
		for (int column = 4; column <= 6; column++)
			captures_span_cell(p, query_int(&r, column));
		html_element(&p->h, "td", html_fmt(&p->h, "%.2f", query_real(&r, 7)), "class", "n",
			NULL);
		html_cell(p, query_text(&r, 8));
		html_number(p, query_int(&r, 9));
		html_time_cell(p, query_int(&r, 2));
		html_time_cell(p, query_int(&r, 3));
		html_end(&p->h, "tr");
	}
	if (shown) {
		html_table_end(p);
		html_end(&p->h, "section");
	}
	return query_close(&r, p->err);
}

static int captures_pairs(
	struct page *p, enum html_query query, const char *caption, const char *const *columns)
{
	struct query r;
	bool any = false;
	int result = query_open(&r, p->db, p->err, query, NULL), width = 0;

	if (result)
		return result;
	while (columns[width])
		width++;
	for (; query_next(&r); any = true) {
		if (!any)
			html_table_begin(p, caption, columns);
		html_begin(&p->h, "tr", NULL);
		for (int i = 0; i < width; i++)
			html_element(&p->h, "td", query_text(&r, i), "class",
				i == width - 1 ? "sentence" : NULL, NULL);
		html_end(&p->h, "tr");
	}
	if (any)
		html_table_end(p);
	return query_close(&r, p->err);
}

static int captures_how(struct page *p)
{
	static const char *const run[] = {"what", "value", NULL};
	static const char *const limits[] = {"table", "rows kept", "rows there were", NULL};
	static const char *const settings[] = {"threshold", "value", "meaning", NULL};
	int result;

	html_section(p, "run", "How this was made");
	result =
		captures_pairs(p, Q_LIMITS, "Cut at a limit: do not count on these tables", limits);
	html_begin(&p->h, "details", "class", "plain", NULL);
	html_element(&p->h, "summary", "The run and its thresholds", NULL);
	if (result == 0)
		result = captures_pairs(p, Q_ANALYSIS, "The run", run);
	if (result == 0)
		result = captures_pairs(p, Q_SETTINGS, "Thresholds in force", settings);
	html_end(&p->h, "details");
	html_end(&p->h, "section");
	return result;
}

int html_captures(struct page *p)
{
	int result;

	html_section(p, "captures", "What this rests on");
	result = captures_trust(p);
	if (result == 0)
		result = captures_files(p);
	if (result == 0)
		result = captures_logs(p);
	html_end(&p->h, "section");
	if (result == 0)
		result = captures_clocks(p);
	return result ? result : captures_how(p);
}
