#include "report/html_page.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "report/query.h"

static const char *tables_dash(const char *s)
{
	return s ? s : "";
}

static void tables_finding_row(struct page *p, const struct report_finding *f)
{
	struct html *h = &p->h;
	static const char order[] = {'2', '1', '0'};
	int rank = f->severity[0] == 'c' ? 2 : f->severity[0] == 'w' ? 1 : 0;

	html_begin(h, "tr", NULL);
	html_element(h, "td", html_fmt(h, "%lld", (long long)f->id), "class", "n", NULL);
	html_begin(h, "td", "data-sort", html_fmt(h, "%c", order[2 - rank]), NULL);
	html_severity(p, f->severity);
	html_end(h, "td");
	html_begin(h, "td", NULL);
	html_element(h, "code", f->kind, NULL);
	html_end(h, "td");
	html_element(h, "td", f->summary, "class", "sentence", NULL);
	html_cell(p, tables_dash(f->from ? f->from : f->host));
	html_cell(p, tables_dash(f->to));
	html_number(p, f->count);
	html_number(p, f->total);
	html_time_cell(p, f->first_ns);
	html_end(h, "tr");
}

static void tables_findings(struct page *p)
{
	static const char *const columns[] = {"#id", "severity", "kind", "finding", "from", "to",
		"#count", "#of", "first (UTC)", NULL};
	const struct report *r = &p->report;
	int64_t more = report_all_findings(r) - r->finding_count;

	if (r->finding_count == 0)
		return;
	html_section(p, "findings", "All findings");
	html_table_begin(p, "Findings", columns);
	for (int i = 0; i < r->finding_count; i++)
		tables_finding_row(p, &r->findings[i]);
	html_table_end(p);
	if (more > 0) {
		CLEANUP_FREE char *command =
			mem_printf("bothends query %s --saved findings", p->argument);

		html_element(&p->h, "p",
			html_fmt(&p->h, "%s more. All of them:", html_grouped(p, more)), "class",
			"note", NULL);
		html_copy(p, command);
	}
	html_end(&p->h, "section");
}

static void tables_delay_cell(struct page *p, int64_t ns)
{
	char buf[NSEC_TEXT_SIZE];

	/* Below zero: within what the clocks' interval leaves open. */
	if (ns == DB_NONE)
		html_cell(p, "");
	else
		html_element(&p->h, "td",
			html_fmt(&p->h, "%s%s", ns < 0 ? "\xe2\x88\x92" : "",
				nsec_span(ns < 0 ? -ns : ns, buf)),
			"class", "n", "data-sort", html_fmt(&p->h, "%lld", (long long)ns), NULL);
}

/* What only a walk over all paths tells of a leg. */
struct leg_delay {
	int64_t from, to, least_ns, most_ns;
};

struct leg_delays {
	struct leg_delay *list;
	size_t count, cap;
};

static int tables_load_delays(struct leg_delays *d, struct page *p)
{
	struct query q;
	int result = query_open(&q, p->db, p->err, Q_LEG_DELAYS, NULL);

	if (result)
		return result;
	while (query_next(&q)) {
		MEM_RESERVE(d->list, d->count, d->cap);
		d->list[d->count++] = (struct leg_delay){.from = query_int(&q, 0),
			.to = query_int(&q, 1),
			.least_ns = query_int(&q, 2),
			.most_ns = query_int(&q, 3)};
	}
	return query_close(&q, p->err);
}

static struct leg_delay tables_delay_of(const struct leg_delays *d, const struct report_leg *l)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->list[i].from == l->from_id && d->list[i].to == l->to_id)
			return d->list[i];
	return (struct leg_delay){.least_ns = DB_NONE, .most_ns = DB_NONE};
}

static void tables_leg_row(struct page *p, const struct report_leg *l, const struct leg_delay *d)
{
	const int64_t numbers[] = {l->flows, l->sent, l->delivered, l->lost, l->misaddressed,
		l->capture_missed, l->unjudged, l->retransmitted, l->reordered, l->duplicated,
		l->injected};

	html_begin(&p->h, "tr", NULL);
	html_cell(p, l->from);
	html_cell(p, l->to);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		html_number(p, numbers[i]);
	tables_delay_cell(p, d->least_ns);
	tables_delay_cell(p, d->most_ns);
	html_end(&p->h, "tr");
}

static void tables_write_legs(struct page *p, const struct leg_delays *delays)
{
	static const char *const columns[] = {"from", "to", "#flows", "#sent", "#delivered",
		"#lost", "#wrong MAC", "#capture missed", "#unjudged", "#retransmitted",
		"#reordered", "#duplicated", "#injected", "#min delay", "#max delay", NULL};
	CLEANUP_FREE const struct report_leg **legs = html_legs_by_loss(&p->report);
	bool estimated = false;

	html_section(p, "legs", "Legs");
	html_table_begin(p,
		"Packets by leg: sent = delivered + lost + wrong MAC + capture missed + unjudged",
		columns);
	for (int i = 0; i < p->report.leg_count && i < PAGE_LEG_ROWS; i++) {
		struct leg_delay d = tables_delay_of(delays, legs[i]);

		tables_leg_row(p, legs[i], &d);
		estimated |= legs[i]->estimated;
	}
	html_table_end(p);
	if (estimated)
		html_element(&p->h, "p",
			"Offload merged some records: packet counts are estimated from the "
			"segment size, bytes are exact.",
			"class", "note", NULL);
	html_end(&p->h, "section");
}

static int tables_legs(struct page *p)
{
	struct leg_delays delays = {0};
	int result;

	if (!p->report.leg_count)
		return 0;
	result = tables_load_delays(&delays, p);
	if (result == 0)
		tables_write_legs(p, &delays);
	free(delays.list);
	return result;
}

static void tables_flow_row(struct page *p, const struct query *r)
{
	struct html *h = &p->h;

	html_begin(h, "tr", NULL);
	html_element(h, "td", html_fmt(h, "%lld", (long long)query_int(r, 0)), "class", "n", NULL);
	html_cell(p, query_text(r, 1));
	for (int end = 0; end < 2; end++) {
		CLEANUP_FREE char *text =
			mem_printf("%s %lld", tables_dash(query_text(r, 2 + 2 * end)),
				(long long)query_int(r, 3 + 2 * end));

		html_element(h, "td", text, "class", "address", NULL);
	}
	html_cell(p, query_text(r, 6));
	html_time_cell(p, query_int(r, 7));
	html_cell(p, query_text(r, 10));
	html_cell(p, query_text(r, 11));
	for (int column = 12; column <= 16; column++)
		html_number(p, query_int(r, column));
	tables_delay_cell(p, query_int(r, 17));
	html_end(h, "tr");
}

static int tables_flows(struct page *p)
{
	static const char *const columns[] = {"#flow", "protocol", "client", "server", "outcome",
		"first (UTC)", "from", "to", "#sent", "#lost", "#capture missed", "#unjudged",
		"#retransmitted", "#median delay", NULL};
	struct query r;
	int64_t lossy = 0, shown = 0;
	int result = query_one(p->db, p->err, Q_LOSSY_PATHS, NULL, 0, &lossy);

	if (result || lossy == 0)
		return result;
	result = query_open(&r, p->db, p->err, Q_WORST_FLOWS, ":limit", (int64_t)PAGE_FLOWS, NULL);
	if (result)
		return result;
	html_section(p, "flows", "Flows with most loss");
	html_table_begin(p, "Flows with loss, worst first", columns);
	for (; query_next(&r); shown++)
		tables_flow_row(p, &r);
	html_table_end(p);
	if (lossy > shown) {
		CLEANUP_FREE char *command = mem_printf("bothends query %s \"SELECT * FROM path "
							"WHERE lost > 0 ORDER BY lost DESC\"",
			p->argument);

		html_element(&p->h, "p",
			html_fmt(&p->h, "%s more of %s flows with loss. All of them:",
				html_grouped(p, lossy - shown),
				html_grouped(p, p->report.counts.flows)),
			"class", "note", NULL);
		html_copy(p, command);
	}
	html_end(&p->h, "section");
	return query_close(&r, p->err);
}

int html_tables(struct page *p)
{
	int result;

	tables_findings(p);
	result = tables_legs(p);
	return result ? result : tables_flows(p);
}
