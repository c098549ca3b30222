#include "report/html_report.h"

#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "report/ladder.h"
#include "report/query.h"

static const char *stories_confidence_words(struct page *p, double c)
{
	const char *words = c >= 0.995 ? "proven" : c >= 0.9 ? "very likely" : c >= 0.7 ? "likely" : "possible";

	return c >= 0.995 ? words : html_fmt(&p->h, "%s (%.0f %%)", words, c * 100);
}

static void stories_pair(struct page *p, const struct story_finding *f)
{
	if (f->from && f->to) {
		html_begin(&p->h, "span", "class", "pair", NULL);
		html_element(&p->h, "bdi", f->from, NULL);
		html_text(&p->h, " \xe2\x86\x92 ");
		html_element(&p->h, "bdi", f->to, NULL);
		html_end(&p->h, "span");
	} else if (f->host || f->from || f->to) {
		html_begin(&p->h, "span", "class", "pair", NULL);
		html_element(&p->h, "bdi", f->host ? f->host : f->from ? f->from : f->to, NULL);
		html_end(&p->h, "span");
	}
}

static void stories_tag_line(struct page *p, const struct story_finding *f)
{
	html_begin(&p->h, "p", "class", "tags", NULL);
	html_severity(p, f->severity);
	html_element(&p->h, "code", f->kind, "class", "kind", NULL);
	stories_pair(p, f);
	html_element(&p->h, "span", stories_confidence_words(p, f->confidence), "class",
		"confidence", NULL);
	html_end(&p->h, "p");
}

/* "12 of 12" with a bar, where a part of a whole is meant. */
static void stories_share(struct page *p, const struct story_finding *f)
{
	struct html *h = &p->h;
	double part;

	if (f->count == DB_NONE || f->total == DB_NONE || f->total <= 0 || f->count > f->total)
		return;
	part = (double)f->count / (double)f->total;
	html_begin(h, "p", "class", "share", NULL);
	html_begin(h, "svg", "viewBox", "0 0 200 8", "width", "200", "height", "8", "aria-hidden", "true", NULL);
	html_void(h, "rect", "class", "whole", "width", "200", "height", "8", "rx", "4", NULL);
	html_void(h, "rect", "class", "part", "width", html_fmt(h, "%.1f", part * 200 < 3 ? 3 : part * 200), "height",
		"8", "rx", "4", NULL);
	html_end(h, "svg");
	html_begin(h, "span", NULL);
	html_element(h, "b", html_grouped(p, f->count), NULL);
	html_textf(h, " of %s", html_grouped(p, f->total));
	html_element(h, "span", html_fmt(h, part < 0.1 ? "%.2f %%" : "%.0f %%", part * 100), "class", "rate", NULL);
	html_end(h, "span");
	html_end(h, "p");
}

static void stories_when(struct page *p, const struct story_finding *f)
{
	char from[NSEC_TEXT_SIZE], span[NSEC_TEXT_SIZE];

	if (f->first_ns == DB_NONE)
		return;
	(void)nsec_format(f->first_ns, from);
	html_element(&p->h, "dt", "When", NULL);
	html_begin(&p->h, "dd", NULL);
	html_begin(&p->h, "time", "datetime", from, NULL);
	html_textf(&p->h, "%.10s %.12s UTC", from, from + 11);
	html_end(&p->h, "time");
	if (f->last_ns != DB_NONE && f->last_ns > f->first_ns)
		html_textf(&p->h, ", for %s", nsec_span(f->last_ns - f->first_ns, span));
	html_end(&p->h, "dd");
}

static void stories_cause(struct page *p, const struct story_finding *f)
{
	/* A chain of causes is short; the limit is for a database that was tampered with. */
	for (int depth = 0; depth < 5; depth++) {
		const struct story_finding *c = story_find(&p->stories, f->cause_id);

		if (!c)
			return;
		html_element(&p->h, "dt", depth ? "Which because" : "Because", NULL);
		html_begin(&p->h, "dd", "class", "cause", "id", html_fmt(&p->h, "finding-%lld", (long long)c->id), NULL);
		html_element(&p->h, "code", c->kind, "class", "kind", NULL);
		html_textf(&p->h, " ");
		html_text(&p->h, c->summary);
		html_end(&p->h, "dd");
		f = c;
	}
}

static void stories_remedy_text(struct page *p, const char *remedy)
{
	html_begin(&p->h, "dd", "class", "remedy", NULL);
	for (const char *line = remedy; *line;) {
		size_t n = strcspn(line, "\n");
		CLEANUP_FREE char *one = mem_strndup(line, n);

		if (n)
			html_copy(p, one);
		line += n + (line[n] == '\n');
	}
	html_end(&p->h, "dd");
}

/* What to do about the cause comes before what to do about its effect. */
static void stories_remedies(struct page *p, const struct story_finding *f)
{
	const char *said = NULL;
	const struct story_finding *c = f;

	for (int depth = 0; depth < 5 && story_find(&p->stories, c->cause_id); depth++)
		c = story_find(&p->stories, c->cause_id);
	for (int i = 0; i < 2; i++) {
		const char *remedy = i == 0 ? c->remedy : f->remedy;

		if (!remedy || !*remedy || (said && strcmp(said, remedy) == 0))
			continue;
		html_element(&p->h, "dt", said ? "And" : "Do", NULL);
		stories_remedy_text(p, remedy);
		said = remedy;
	}
}

static const char *stories_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void stories_evidence_item(struct page *p, const struct query *r)
{
	struct html *h = &p->h;
	const char *path = query_text(r, 0) ? query_text(r, 0) : query_text(r, 2);
	int64_t number = query_text(r, 0) ? query_int(r, 1) : query_int(r, 3);

	html_begin(h, "li", NULL);
	if (path) {
		html_element(
			h, "span", stories_basename(path), "class", "file", "title", path, NULL);
		if (number != DB_NONE)
			html_textf(h, " %s %lld", query_text(r, 0) ? "frame" : "line",
				(long long)number);
	} else if (query_int(r, 4) != DB_NONE) {
		html_textf(h, "flow %lld", (long long)query_int(r, 4));
	}
	html_element(h, "span", query_text(r, 5), "class", "says", NULL);
	html_end(h, "li");
}

static int stories_proof(struct page *p, const struct story_finding *f)
{
	struct html *h = &p->h;
	struct query r;
	int64_t total = 0, shown = 0;
	bool frames = false;
	int result = query_one(p->db, p->err, Q_EVIDENCE_COUNT, ":finding", f->id, &total);

	if (result || total == 0)
		return result;
	result = query_open(&r, p->db, p->err, Q_EVIDENCE, ":finding", f->id, ":limit",
		(int64_t)PAGE_EVIDENCE, NULL);
	if (result)
		return result;
	html_element(h, "dt", "Proof", NULL);
	html_begin(h, "dd", NULL);
	html_begin(h, "ul", "class", "proof", NULL);
	while (query_next(&r)) {
		stories_evidence_item(p, &r);
		frames = frames || query_int(&r, 1) != DB_NONE;
		shown++;
	}
	html_end(h, "ul");
	if (total > shown)
		html_element(h, "p", html_fmt(h, "and %lld more", (long long)(total - shown)), "class", "note", NULL);
	/* Lines of a log and counters cannot be extracted. */
	if (frames) {
		CLEANUP_FREE char *command = mem_printf("bothends extract %s %lld", p->argument, (long long)f->id);

		html_copy(p, command);
	}
	html_end(h, "dd");
	return query_close(&r, p->err);
}

static int stories_ladder(struct page *p, const struct story_finding *f)
{
	CLEANUP_FREE struct ladder *l = NULL;
	int64_t flow = DB_NONE;
	bool any = false;
	int result = query_one(p->db, p->err, Q_PROOF_FLOW, ":finding", f->id, &flow);

	if (result || flow == DB_NONE)
		return result;
	l = mem_zalloc(sizeof(*l));
	result = ladder_load(l, p->db, &p->clocks, flow, &any, p->err);
	if (result || !any)
		return result;
	ladder_layout(l);
	ladder_draw(l, &p->h, f->id);
	return 0;
}

/* What is told of every finding: sentence, share, cause, remedy, proof. */
static int stories_body(struct page *p, const struct story_finding *f)
{
	int result;

	stories_share(p, f);
	html_begin(&p->h, "dl", NULL);
	stories_cause(p, f);
	stories_remedies(p, f);
	stories_when(p, f);
	result = stories_proof(p, f);
	html_end(&p->h, "dl");
	return result ? result : stories_ladder(p, f);
}

/* The findings of a story that its headline and its chain of causes have not told. */
static bool stories_told_by(
	const struct page *p, const struct story_finding *headline, const struct story_finding *f)
{
	const struct story_finding *c = headline;

	for (int depth = 0; c && depth < 6; depth++) {
		if (c == f)
			return true;
		c = story_find(&p->stories, c->cause_id);
	}
	return false;
}

static int stories_further(struct page *p, const struct story_finding *headline)
{
	size_t told = 0, group = headline->group;
	int result = 0;

	for (size_t i = group; i < p->stories.count && result == 0; i++) {
		const struct story_finding *f = &p->stories.findings[i];

		if (f->group != group || stories_told_by(p, headline, f))
			continue;
		if (told++ >= PAGE_STORY_PARTS)
			continue;
		html_begin(&p->h, "details", "class", html_fmt(&p->h, "part %s", f->severity), "id",
			html_fmt(&p->h, "finding-%lld", (long long)f->id), NULL);
		html_begin(&p->h, "summary", NULL);
		html_severity(p, f->severity);
		html_element(&p->h, "code", f->kind, "class", "kind", NULL);
		stories_pair(p, f);
		html_element(&p->h, "span", f->summary, "class", "sentence", NULL);
		html_end(&p->h, "summary");
		result = stories_body(p, f);
		html_end(&p->h, "details");
	}
	if (told > PAGE_STORY_PARTS)
		html_element(&p->h, "p",
			html_fmt(&p->h, "%zu more finding%s of this story in the table.", told - PAGE_STORY_PARTS,
				told - PAGE_STORY_PARTS == 1 ? "" : "s"),
			"class", "note", NULL);
	return result;
}

static int stories_write(struct page *p, const struct story_finding *f)
{
	int result;

	html_begin(&p->h, "article", "class", html_fmt(&p->h, "story %s", f->severity), "id",
		html_fmt(&p->h, "finding-%lld", (long long)f->id), NULL);
	stories_tag_line(p, f);
	html_begin(&p->h, "h3", NULL);
	html_sentence(p, f->summary);
	html_end(&p->h, "h3");
	result = stories_body(p, f);
	if (result == 0)
		result = stories_further(p, f);
	html_end(&p->h, "article");
	return result;
}

int html_stories(struct page *p)
{
	size_t told = 0, stories = 0;
	int result = 0;

	html_section(p, "stories", "What happened");
	for (size_t i = 0; i < p->stories.count && result == 0; i++) {
		if (p->stories.findings[i].group != i)
			continue;
		stories++;
		if (told < PAGE_STORIES) {
			told++;
			result = stories_write(p, story_headline(&p->stories, i));
		}
	}
	if (stories == 0)
		html_element(&p->h, "p", "Nothing in these captures speaks of a fault. What they cover, and how far they can be trusted, stands below.",
			"class", "calm", NULL);
	if (stories > told) {
		html_begin(&p->h, "p", "class", "note", NULL);
		html_textf(&p->h, "%s further stories are not told here; the table lists the next findings, and all of them: ",
			html_grouped(p, (int64_t)(stories - told)));
		html_end(&p->h, "p");
		{
			CLEANUP_FREE char *command = mem_printf(
				"bothends query %s \"SELECT id, severity, kind, summary FROM finding\"", p->argument);

			html_copy(p, command);
		}
	}
	html_end(&p->h, "section");
	return result;
}
