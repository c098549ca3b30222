#include "report/html_page.h"

#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "report/ladder.h"
#include "report/query.h"
#include "report/story.h"
#include "report/words.h"

static const char *stories_confidence_words(struct page *p, double c)
{
	const char *words = c >= 0.995 ? "proven"
			    : c >= 0.9 ? "very likely"
			    : c >= 0.7 ? "likely"
				       : "possible";

	return c >= 0.995 ? words : html_fmt(&p->h, "%s (%.0f %%)", words, c * 100);
}

static void stories_pair(struct page *p, const struct report_finding *f)
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

static void stories_tag_line(struct page *p, const struct report_finding *f)
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
static void stories_share(struct page *p, const struct report_finding *f)
{
	struct html *h = &p->h;
	double part;

	if (f->count == DB_NONE || f->total == DB_NONE || f->total <= 0 || f->count > f->total)
		return;
	part = (double)f->count / (double)f->total;
	html_begin(h, "p", "class", "share", NULL);
	html_begin(h, "svg", "viewBox", "0 0 200 8", "width", "200", "height", "8", "aria-hidden",
		"true", NULL);
	html_void(h, "rect", "class", "whole", "width", "200", "height", "8", "rx", "4", NULL);
	html_void(h, "rect", "class", "part", "width",
		html_fmt(h, "%.1f", part * 200 < 3 ? 3 : part * 200), "height", "8", "rx", "4",
		NULL);
	html_end(h, "svg");
	html_begin(h, "span", NULL);
	html_element(h, "b", html_grouped(p, f->count), NULL);
	html_textf(h, " of %s", html_grouped(p, f->total));
	html_element(h, "span", html_fmt(h, part < 0.1 ? "%.2f %%" : "%.0f %%", part * 100),
		"class", "rate", NULL);
	html_end(h, "span");
	html_end(h, "p");
}

static void stories_when(struct page *p, const struct report_finding *f)
{
	if (!f->times)
		return;
	html_element(&p->h, "dt", "When", NULL);
	html_begin(&p->h, "dd", NULL);
	html_sentence(p, f->times);
	html_end(&p->h, "dd");
}

static void stories_causes(struct page *p, const struct report_story *s)
{
	for (int i = 1; i < s->count; i++) {
		const struct report_finding *c = &s->findings[i];

		if (c->role != ROLE_BECAUSE)
			continue;
		html_element(&p->h, "dt", c->depth > 1 ? "Caused by" : "Because", NULL);
		html_begin(&p->h, "dd", "class", "cause", "id",
			html_fmt(&p->h, "finding-%lld", (long long)c->id), NULL);
		html_element(&p->h, "code", c->kind, "class", "kind", NULL);
		html_text(&p->h, " ");
		html_text(&p->h, c->summary);
		html_end(&p->h, "dd");
	}
}

/* Prose as it is, commands with a button that copies them. */
static void stories_remedy_text(struct page *p, const char *remedy)
{
	struct remedy_part part;

	html_begin(&p->h, "dd", "class", "remedy", NULL);
	while (story_next_part(&remedy, &part)) {
		CLEANUP_FREE char *text = mem_strndup(part.text, part.length);

		if (part.is_command)
			html_copy(p, text);
		else
			html_text(&p->h, text);
	}
	html_end(&p->h, "dd");
}

static void stories_remedies(struct page *p, const struct report_story *s)
{
	bool said = false;

	for (int i = 0; i < s->count; i++) {
		if (!story_advises(s, i))
			continue;
		html_element(&p->h, "dt", said ? "And" : "Fix", NULL);
		stories_remedy_text(p, s->findings[i].remedy);
		said = true;
	}
}

static void stories_proof_item(struct page *p, const struct report_proof *e)
{
	struct html *h = &p->h;

	html_begin(h, "li", NULL);
	if (e->path) {
		html_element(h, "span", report_basename(e->path), "class", "file", "title", e->path,
			NULL);
		if (e->number != DB_NONE)
			html_textf(
				h, " %s %lld", e->is_log ? "line" : "frame", (long long)e->number);
	} else if (e->flow_id != DB_NONE) {
		html_textf(h, "flow %lld", (long long)e->flow_id);
	}
	html_element(h, "span", e->note, "class", "says", NULL);
	html_end(h, "li");
}

static bool stories_is_frame_of(const struct report_proof *e, const char *path)
{
	return e->path && !e->is_log && e->number != DB_NONE && strcmp(e->path, path) == 0;
}

/* Whether an earlier proof names the same frame. */
static bool stories_is_repeated(const struct report_finding *f, int i)
{
	for (int k = 0; k < i; k++)
		if (stories_is_frame_of(&f->proofs[k], f->proofs[i].path) &&
			f->proofs[k].number == f->proofs[i].number)
			return true;
	return false;
}

/* "frame.number in {18, 22, 31}" for the capture of proof number i: Wireshark shows these frames.
 */
static void stories_filter_of(struct page *p, const struct report_finding *f, int i)
{
	const char *path = f->proofs[i].path;
	CLEANUP_STRBUF struct strbuf filter = STRBUF_INIT;

	if (!path || !stories_is_frame_of(&f->proofs[i], path))
		return;
	for (int k = 0; k < i; k++)
		if (stories_is_frame_of(&f->proofs[k], path))
			return; /* an earlier one stands for the file */
	for (int k = i; k < f->proof_count; k++)
		if (stories_is_frame_of(&f->proofs[k], path) && !stories_is_repeated(f, k))
			strbuf_printf(&filter, "%s%lld", filter.length ? ", " : "frame.number in {",
				(long long)f->proofs[k].number);
	strbuf_addc(&filter, '}');
	html_begin(&p->h, "p", "class", "filter-of", NULL);
	html_textf(&p->h, "Wireshark filter for %s: ", report_basename(path));
	html_copy(p, filter.text);
	html_end(&p->h, "p");
}

static void stories_proof(struct page *p, const struct report_finding *f)
{
	struct html *h = &p->h;
	int shown = f->proof_count < PAGE_EVIDENCE ? f->proof_count : PAGE_EVIDENCE;

	if (!shown)
		return;
	html_element(h, "dt", "Proof", NULL);
	html_begin(h, "dd", NULL);
	html_begin(h, "ul", "class", "proof", NULL);
	for (int i = 0; i < shown; i++)
		stories_proof_item(p, &f->proofs[i]);
	html_end(h, "ul");
	if (f->proof_count > shown)
		html_element(h, "p", html_fmt(h, "and %d more", f->proof_count - shown), "class",
			"note", NULL);
	for (int i = 0; i < f->proof_count; i++)
		stories_filter_of(p, f, i);
	if (story_extractable(f)) {
		CLEANUP_FREE char *command =
			mem_printf("bothends extract %s %lld", p->argument, (long long)f->id);

		html_copy(p, command);
	}
	html_end(h, "dd");
}

static int stories_ladder(struct page *p, const struct report_finding *f)
{
	CLEANUP_FREE struct ladder *l = NULL;
	int64_t flow = DB_NONE;
	bool any = false;
	int result;

	if (p->ladders >= PAGE_LADDERS)
		return 0;
	result = query_one(p->db, p->err, Q_PROOF_FLOW, ":finding", f->id, &flow);
	if (result || flow == DB_NONE)
		return result;
	l = mem_zalloc(sizeof(*l));
	result = ladder_load(l, p->db, &p->report.ref_clock, flow, &any, p->err);
	if (result || !any)
		return result;
	ladder_layout(l);
	ladder_draw(l, &p->h, f->id);
	p->ladders++;
	return 0;
}

/* Another effect of the same cause: folded, with its own share, time, proof and ladder. */
static int stories_part(struct page *p, const struct report_finding *f)
{
	int result;

	html_begin(&p->h, "details", "class", html_fmt(&p->h, "part %s", f->severity), "id",
		html_fmt(&p->h, "finding-%lld", (long long)f->id), NULL);
	html_begin(&p->h, "summary", NULL);
	html_severity(p, f->severity);
	html_element(&p->h, "code", f->kind, "class", "kind", NULL);
	stories_pair(p, f);
	html_element(&p->h, "span", f->summary, "class", "sentence", NULL);
	html_end(&p->h, "summary");
	stories_share(p, f);
	html_begin(&p->h, "dl", NULL);
	stories_when(p, f);
	stories_proof(p, f);
	html_end(&p->h, "dl");
	result = stories_ladder(p, f);
	html_end(&p->h, "details");
	return result;
}

static int stories_parts(struct page *p, const struct report_story *s)
{
	int result = 0;

	for (int i = 1; i < s->count && !story_is_beyond(s, i) && result == 0; i++)
		if (s->findings[i].role == ROLE_ALSO)
			result = stories_part(p, &s->findings[i]);
	if (s->also > REPORT_ALSO)
		html_element(&p->h, "p",
			html_fmt(&p->h, "and %d more like these, in the table",
				s->also - REPORT_ALSO),
			"class", "note", NULL);
	return result;
}

static int stories_write(struct page *p, const struct report_story *s)
{
	const struct report_finding *f = s->findings;
	int result;

	html_begin(&p->h, "article", "class", html_fmt(&p->h, "story %s", f->severity), "id",
		html_fmt(&p->h, "finding-%lld", (long long)f->id), NULL);
	stories_tag_line(p, f);
	html_begin(&p->h, "h3", NULL);
	html_sentence(p, f->summary);
	html_end(&p->h, "h3");
	stories_share(p, f);
	html_begin(&p->h, "dl", NULL);
	stories_causes(p, s);
	stories_remedies(p, s);
	stories_when(p, f);
	stories_proof(p, f);
	html_end(&p->h, "dl");
	result = stories_ladder(p, f);
	if (result == 0)
		result = stories_parts(p, s);
	html_end(&p->h, "article");
	return result;
}

/* Against the run before: what is new, what goes on, what is over. */
static void stories_news(struct page *p, int i)
{
	const struct report *r = &p->report;
	const char *title = report_news_heading(&r->stories[i], i ? &r->stories[i - 1] : NULL);

	if (!title)
		return;
	if (i == 0 && strcmp(r->stories[0].findings->news, "new") != 0)
		html_element(&p->h, "p", "Nothing new since the last run.", "class", "note", NULL);
	html_element(&p->h, "h3", title, "class", "news", NULL);
}

/* The model may hold more for the table; told are those that text and Markdown tell. */
int html_stories(struct page *p)
{
	const struct report *r = &p->report;
	int told = 0, result = 0;

	if (!r->story_count)
		return 0;
	html_section(p, "stories", "What happened");
	for (; told < r->story_count && r->stories[told].findings->story_id <= REPORT_FINDINGS &&
		result == 0;
		told++) {
		stories_news(p, told);
		result = stories_write(p, &r->stories[told]);
	}
	if (told < r->story_count)
		html_element(&p->h, "p",
			html_fmt(&p->h, "%s less severe stories are in the table of findings only.",
				html_grouped(p, r->story_count - told)),
			"class", "note", NULL);
	html_end(&p->h, "section");
	return result;
}

static void stories_note_list(struct page *p, int from, int to)
{
	html_begin(&p->h, "ul", "class", "notes", NULL);
	for (int i = from; i < to; i++) {
		html_begin(&p->h, "li", NULL);
		html_sentence(p, p->report.notes[i]);
		html_end(&p->h, "li");
	}
	html_end(&p->h, "ul");
}

/* What was not judged and what would settle it, before all else. */
void html_open(struct page *p)
{
	int n = p->report.open_count, shown = n < REPORT_OPEN ? n : REPORT_OPEN;

	if (!n)
		return;
	html_section(p, "open", "Not judged");
	stories_note_list(p, 0, shown);
	if (n > shown) {
		html_begin(&p->h, "details", "class", "part", NULL);
		html_element(&p->h, "summary", html_fmt(&p->h, "%d more", n - shown), NULL);
		stories_note_list(p, shown, n);
		html_end(&p->h, "details");
	}
	html_end(&p->h, "section");
}

void html_notes(struct page *p)
{
	if (p->report.note_count == p->report.open_count)
		return;
	html_section(p, "notes", "Notes");
	stories_note_list(p, p->report.open_count, p->report.note_count);
	html_end(&p->h, "section");
}
