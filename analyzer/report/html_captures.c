/* The inputs: quality of the captures, files, flow logs, clocks, thresholds. */
#include "report/html_page.h"

#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "report/query.h"
#include "report/words.h"

static void captures_more(struct page *p, int64_t total, int64_t shown, const char *table)
{
	CLEANUP_FREE char *command = NULL;

	if (total <= shown)
		return;
	command = mem_printf("bothends query %s \"SELECT * FROM %s\"", p->argument, table);
	html_element(&p->h, "p",
		html_fmt(&p->h, "%s more. All of them:", html_grouped(p, total - shown)), "class",
		"note", NULL);
	html_copy(p, command);
}

/* Ends a table, and says how to get the rows that it lacks. */
static void captures_more_after(struct page *p, int64_t total, int64_t shown, const char *table)
{
	html_table_end(p);
	captures_more(p, total, shown, table);
}

static void captures_trust_cell(struct page *p, const char *trust)
{
	const char *class = strcmp(trust, "sound") == 0	  ? "trust sound"
			    : strcmp(trust, "unfit") == 0 ? "trust unfit"
							  : "trust care";

	html_begin(&p->h, "td", NULL);
	html_element(&p->h, "span", report_trust_word(trust), "class", class, NULL);
	html_end(&p->h, "td");
}

static void captures_vantage_row(struct page *p, const struct report_vantage *v)
{
	html_begin(&p->h, "tr", NULL);
	html_cell(p, v->name);
	html_cell(p, v->kind);
	html_cell(p, v->interface);
	html_element(&p->h, "td", v->mac, "class", "address", NULL);
	captures_trust_cell(p, v->trust);
	html_element(&p->h, "td", v->reasons, "class", "sentence", NULL);
	html_number(p, v->tcp_missed);
	html_number(p, v->duplicates);
	html_time_cell(p, v->first_ns);
	html_time_cell(p, v->last_ns);
	html_end(&p->h, "tr");
}

/* 0: unfit, 1: anything between, 2: sound. */
static int captures_trust_rank(const char *trust)
{
	return strcmp(trust, "unfit") == 0 ? 0 : strcmp(trust, "sound") == 0 ? 2 : 1;
}

/* The least trusted first, so that the limit never hides them. */
static void captures_trust(struct page *p)
{
	static const char *const columns[] = {"vantage point", "kind", "interface", "MAC",
		"quality", "reason", "#missed by the capture", "#recorded twice", "first (UTC)",
		"last (UTC)", NULL};
	const struct report *r = &p->report;
	int shown = 0;

	html_table_begin(p, "Capture quality by vantage point; times on its own clock", columns);
	for (int rank = 0; rank <= 2; rank++)
		for (int i = 0; i < r->vantage_count && shown < PAGE_VANTAGES; i++)
			if (captures_trust_rank(r->vantages[i].trust) == rank) {
				captures_vantage_row(p, &r->vantages[i]);
				shown++;
			}
	captures_more_after(p, r->vantage_count, shown, "vantage");
}

static void captures_file_row(struct page *p, const struct report_file *f)
{
	html_begin(&p->h, "tr", NULL);
	html_path_cell(p, f->path);
	html_cell(p, f->vantage);
	html_element(&p->h, "td",
		strcmp(f->compression, "none") == 0
			? f->format
			: html_fmt(&p->h, "%.20s, %.20s", f->format, f->compression),
		NULL);
	html_number(p, f->records);
	html_element(&p->h, "td", f->account, "class", "sentence", NULL);
	html_number(p, f->bytes);
	html_number(p, f->dropped_kernel);
	html_number(p, f->dropped_interface);
	html_number(p, f->snaplen);
	html_cell(p, f->filter);
	html_element(
		&p->h, "td", f->damaged, "class", f->damaged ? "sentence damaged" : NULL, NULL);
	html_time_cell(p, f->first_ns);
	html_time_cell(p, f->last_ns);
	html_element(&p->h, "td", f->hash, "class", "hash", NULL);
	html_end(&p->h, "tr");
}

static void captures_log_row(struct page *p, const struct report_file *f)
{
	html_begin(&p->h, "tr", NULL);
	html_path_cell(p, f->path);
	html_cell(p, f->format);
	html_number(p, f->records);
	html_element(&p->h, "td", f->account, "class", "sentence", NULL);
	html_number(p, f->bytes);
	html_cell(p, f->damaged);
	html_element(&p->h, "td", f->hash, "class", "hash", NULL);
	html_end(&p->h, "tr");
}

/* Damaged files first, so that the limit never hides them. */
static int captures_rows(
	struct page *p, const char *kind, void (*row)(struct page *, const struct report_file *))
{
	int shown = 0;

	for (int damaged = 1; damaged >= 0; damaged--)
		for (int i = 0; i < p->report.file_count && shown < PAGE_FILES; i++) {
			const struct report_file *f = &p->report.files[i];

			if (strcmp(f->kind, kind) != 0 || (f->damaged != NULL) != damaged)
				continue;
			row(p, f);
			shown++;
		}
	return shown;
}

static void captures_files(struct page *p)
{
	static const char *const columns[] = {"capture", "vantage point", "format", "#frames",
		"frames by disposition", "#bytes", "#dropped by kernel", "#dropped by interface",
		"#snap length", "filter", "damage", "first (UTC)", "last (UTC)", "XXH3-128", NULL};

	if (p->report.counts.captures == 0)
		return;
	html_table_begin(p, "Captures; the dispositions add up to the frames", columns);
	captures_more_after(p, p->report.counts.captures,
		captures_rows(p, "capture", captures_file_row), "capture_file");
}

static void captures_logs(struct page *p)
{
	static const char *const columns[] = {"flow log", "format", "#records",
		"lines by disposition", "#bytes", "damage", "XXH3-128", NULL};

	if (p->report.counts.log_files == 0)
		return;
	html_table_begin(p, "Flow logs; the dispositions add up to the lines", columns);
	captures_more_after(p, p->report.counts.log_files,
		captures_rows(p, "flowlog", captures_log_row), "log_file");
}

static void captures_span_cell(struct page *p, int64_t ns)
{
	char buf[NSEC_TEXT_SIZE];

	if (ns == DB_NONE)
		html_element(&p->h, "td", "unknown", "class", "n", NULL);
	else
		html_element(&p->h, "td",
			html_fmt(&p->h, "%s%s",
				ns > 0	 ? "+"
				: ns < 0 ? "\xe2\x88\x92"
					 : "",
				nsec_span(ns < 0 ? -ns : ns, buf)),
			"class", "n", "data-sort", html_fmt(&p->h, "%lld", (long long)ns), NULL);
}

static void captures_clock_row(struct page *p, const struct ref_clock_piece *c)
{
	html_begin(&p->h, "tr", NULL);
	html_cell(p, c->name);
	html_cell(p, c->reference_name);
	captures_span_cell(p, c->offset_ns);
	captures_span_cell(p, c->low_ns);
	captures_span_cell(p, c->high_ns);
	html_element(&p->h, "td", html_fmt(&p->h, "%.2f", c->skew_ppm), "class", "n", NULL);
	html_cell(p, c->method);
	html_number(p, c->samples);
	html_time_cell(p, c->from_ns);
	html_time_cell(p, c->to_ns);
	html_end(&p->h, "tr");
}

static void captures_clocks(struct page *p)
{
	static const char *const columns[] = {"clock", "reference", "#offset", "#lower bound",
		"#upper bound", "#drift (ppm)", "method", "#samples", "from (UTC)", "to (UTC)",
		NULL};
	const struct ref_clock *c = &p->report.ref_clock;
	int shown = 0;

	if (!p->report.clock_count)
		return;
	html_section(p, "clocks", "Clocks");
	html_table_begin(p, "Offset of each clock from the reference clock, with bounds", columns);
	for (size_t i = 0; i < c->count && shown < PAGE_VANTAGES; i++)
		if (c->pieces[i].vantage != c->pieces[i].reference) {
			captures_clock_row(p, &c->pieces[i]);
			shown++;
		}
	html_table_end(p);
	html_end(&p->h, "section");
}

static int captures_pairs(
	struct page *p, enum report_query query, const char *caption, const char *const *columns)
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
	static const char *const limits[] = {"table", "rows kept", "rows in total", NULL};
	static const char *const settings[] = {"threshold", "value", "meaning", NULL};
	int result;

	html_section(p, "run", "Analysis");
	result = captures_pairs(p, Q_LIMITS, "Incomplete tables (row limit reached)", limits);
	html_begin(&p->h, "details", "class", "plain", NULL);
	html_element(&p->h, "summary", "Run and thresholds", NULL);
	if (result == 0)
		result = captures_pairs(p, Q_ANALYSIS, "Run", run);
	if (result == 0)
		result = captures_pairs(p, Q_SETTINGS, "Thresholds", settings);
	html_end(&p->h, "details");
	html_end(&p->h, "section");
	return result;
}

int html_captures(struct page *p)
{
	html_section(p, "captures", "Inputs");
	captures_trust(p);
	captures_files(p);
	captures_logs(p);
	html_end(&p->h, "section");
	captures_clocks(p);
	return captures_how(p);
}
