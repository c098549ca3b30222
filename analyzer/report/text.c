/* text: the report for a terminal. The verdict, what it leaves open, the other stories, the inputs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "report/escape.h"
#include "report/report.h"
#include "report/story.h"
#include "report/words.h"

#define LABEL_WIDTH 10 /* severity, and the labels below it */
#define SLUG_WIDTH 14  /* at least */
#define PROOF_FRAMES 3
#define PROOF_FILES 4
#define SUMMARY_MIN 24 /* columns below which a hanging indent no longer helps */

struct page {
	FILE *out;
	const struct report_options *options;
	int slug_width;
	struct strbuf line; /* the line that is being made, escaped */
};

static void text_colour(struct page *p, const char *code)
{
	if (p->options->colour)
		(void)fprintf(p->out, "\033[%sm", code);
}

static const char *text_severity_colour(const char *severity)
{
	return strcmp(severity, "critical") == 0  ? "1;31"
	       : strcmp(severity, "warning") == 0 ? "1;33"
						  : "1;36";
}

/* Anything but the three words is not ours: a database may come from a stranger. */
static const char *text_severity_word(const char *severity)
{
	return strcmp(severity, "critical") == 0  ? "CRITICAL"
	       : strcmp(severity, "warning") == 0 ? "WARNING"
	       : strcmp(severity, "notice") == 0  ? "NOTICE"
						  : "?";
}

static void text_spaces(struct page *p, int n)
{
	(void)fprintf(p->out, "%*s", n > 0 ? n : 0, "");
}

/* In escaped text, which holds no control character: a blank at which no line is broken. */
#define KEPT_BLANK '\x01'

/* Blanks of a command, which is copied in one piece. */
static void text_keep_blanks(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] == ' ')
			text[i] = KEPT_BLANK;
}

static void text_put_word(struct page *p, const char *word)
{
	for (; *word; word++)
		(void)fputc(*word == KEPT_BLANK ? ' ' : *word, p->out);
}

/* What stands on one line: up to a blank, a number with its unit. */
static size_t text_word_length(const char *text)
{
	size_t n = strcspn(text, " ");

	while (n && text[n] == ' ' && text[n - 1] >= '0' && text[n - 1] <= '9' &&
		report_unit_at(text + n + 1))
		n += 1 + strcspn(text + n + 1, " ");
	return n;
}

/*
 * Writes escaped text that begins at column at, and goes on at column indent where it does not fit.
 * A word that is longer than a line stands alone and sticks out: a command to copy must stay whole.
 */
static void text_put_wrapped(struct page *p, const char *text, int at, int indent)
{
	int width = p->options->width, gap = 0;

	while (*text) {
		size_t n = text_word_length(text);
		CLEANUP_FREE char *word = mem_strndup(text, n);
		int columns = escape_width(word);

		if (gap && width && at + gap + columns > width) {
			(void)fputc('\n', p->out);
			at = indent;
			text_spaces(p, indent);
		} else {
			text_spaces(p, gap);
			at += gap;
		}
		text_put_word(p, word);
		at += columns;
		text += n;
		gap = (int)strspn(text, " ");
		text += gap;
	}
	(void)fputc('\n', p->out);
}

/* Stored text escaped; valid until the next call. */
static const char *text_escaped(struct page *p, const char *text)
{
	strbuf_reset(&p->line);
	escape_text(&p->line, text);
	return p->line.text ? p->line.text : "";
}

/* Where text below a finding begins: behind the slugs, or nearer on a narrow terminal. */
static int text_column(const struct page *p)
{
	int column = LABEL_WIDTH + p->slug_width, width = p->options->width;

	return !width || width - column >= SUMMARY_MIN ? column : LABEL_WIDTH;
}

static char *text_ends_of(const struct report_finding *f)
{
	if (f->from && f->to)
		return mem_printf("%s -> %s", f->from, f->to);
	if (f->from || f->host || f->to)
		return mem_strdup(f->from ? f->from : f->host ? f->host : f->to);
	return mem_strdup("");
}

static void text_put_slug(struct page *p, const char *kind)
{
	const char *shown = text_escaped(p, kind);

	text_colour(p, "1");
	(void)fputs(shown, p->out);
	text_colour(p, "0");
	text_spaces(p, p->slug_width - escape_width(shown));
}

/* "CRITICAL  synack-lost   db -> worker   12 of 12 SYN-ACKs ..." */
static void text_put_head(struct page *p, const struct report_finding *f)
{
	CLEANUP_FREE char *ends = text_ends_of(f);
	CLEANUP_STRBUF struct strbuf rest = STRBUF_INIT;
	int column;

	text_colour(p, text_severity_colour(f->severity));
	(void)fprintf(p->out, "%-*s", LABEL_WIDTH, text_severity_word(f->severity));
	text_colour(p, "0");
	text_put_slug(p, f->kind);
	if (*ends) {
		escape_text(&rest, ends);
		text_colour(p, "1");
		(void)fputs(rest.text, p->out);
		text_colour(p, "0");
	}
	column = LABEL_WIDTH + p->slug_width + (rest.text ? escape_width(rest.text) + 3 : 0);
	if (p->options->width && p->options->width - column < SUMMARY_MIN) {
		(void)fputc('\n', p->out);
		column = text_column(p);
		text_spaces(p, column);
	} else if (rest.text) {
		text_spaces(p, 3);
	}
	text_put_wrapped(p, text_escaped(p, f->summary), column, text_column(p));
}

static void text_put_label(struct page *p, const char *label)
{
	text_colour(p, "2");
	(void)fprintf(p->out, "  %-*s", LABEL_WIDTH - 2, label);
	text_colour(p, "0");
}

static void text_put_because(
	struct page *p, const char *label, const struct report_finding *f, bool ends_too)
{
	CLEANUP_FREE char *ends = text_ends_of(f);
	CLEANUP_FREE char *text =
		ends_too && *ends ? mem_printf("%s   %s", ends, f->summary) : NULL;

	text_put_label(p, label);
	text_put_slug(p, f->kind);
	text_put_wrapped(p, text_escaped(p, text ? text : f->summary), LABEL_WIDTH + p->slug_width,
		text_column(p));
}

/* The line that was made, below a label. */
static void text_put_line(struct page *p, const char *label)
{
	int column = text_column(p), end = 2 + (int)strlen(label);
	int at = column > end ? column : end + 1;

	text_put_label(p, label);
	text_spaces(p, at - (end > LABEL_WIDTH ? end : LABEL_WIDTH));
	text_put_wrapped(p, p->line.text ? p->line.text : "", at, column);
}

static void text_put_plain(struct page *p, const char *label, const char *text)
{
	(void)text_escaped(p, text);
	text_put_line(p, label);
}

/* Adds to the line that is being made. */
static void text_add_command(struct page *p, const char *command)
{
	size_t before = p->line.length;

	escape_text(&p->line, command);
	if (p->line.length > before)
		text_keep_blanks(p->line.text + before, p->line.length - before);
}

/*
 * Prose wraps; a command stays on one line, so that it can be copied. One that ends the remedy
 * stands bare, one amid prose between backticks: else nobody sees where it ends.
 */
static void text_put_fix(struct page *p, const char *remedy)
{
	struct remedy_part part;

	strbuf_reset(&p->line);
	while (story_next_part(&remedy, &part)) {
		CLEANUP_FREE char *text = mem_strndup(part.text, part.length);
		const char *mark = part.is_command && *remedy ? "`" : "";

		strbuf_adds(&p->line, mark);
		if (part.is_command)
			text_add_command(p, text);
		else
			escape_text(&p->line, text);
		strbuf_adds(&p->line, mark);
	}
	text_put_line(p, "fix");
}

static bool text_is_of_file(const struct report_finding *f, int k, const char *path)
{
	return f->proofs[k].path && f->proofs[k].number != DB_NONE &&
	       strcmp(f->proofs[k].path, path) == 0;
}

/* Whether an earlier proof names the same frame. */
static bool text_is_repeated(const struct report_finding *f, int i)
{
	for (int k = 0; k < i; k++)
		if (text_is_of_file(f, k, f->proofs[i].path) &&
			f->proofs[k].number == f->proofs[i].number)
			return true;
	return false;
}

/* Adds "db.pcapng frames 18, 22, 31 ..." for the file of proof number i, unless an earlier one has
 * it. */
static bool text_add_file(struct strbuf *out, const struct report_finding *f, int i)
{
	const char *path = f->proofs[i].path;
	CLEANUP_STRBUF struct strbuf numbers = STRBUF_INIT;
	int total = 0;

	if (!path || f->proofs[i].number == DB_NONE)
		return false;
	for (int k = 0; k < f->proof_count; k++) {
		if (!text_is_of_file(f, k, path))
			continue;
		if (k < i)
			return false;
		if (text_is_repeated(f, k) || ++total > PROOF_FRAMES)
			continue;
		strbuf_printf(
			&numbers, "%s %lld", total > 1 ? "," : "", (long long)f->proofs[k].number);
	}
	strbuf_printf(out, "%s%s %s%s%s%s", out->length ? "; " : "", report_basename(path),
		f->proofs[i].is_log ? "line" : "frame", total > 1 ? "s" : "", numbers.text,
		total > PROOF_FRAMES ? " ..." : "");
	return true;
}

static void text_put_proof(struct page *p, const struct report_finding *f)
{
	CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
	int files = 0;

	for (int i = 0; i < f->proof_count && files < PROOF_FILES; i++)
		files += text_add_file(&text, f, i);
	if (!files)
		return;
	(void)text_escaped(p, text.text);
	if (p->options->database && story_extractable(f)) {
		CLEANUP_STRBUF struct strbuf command = STRBUF_INIT;

		strbuf_adds(&command, "bothends extract ");
		report_shell_word(&command, p->options->database);
		strbuf_printf(&command, " %lld", (long long)f->id);
		strbuf_adds(&p->line, "   ");
		text_add_command(p, command.text);
	}
	text_put_line(p, "proof");
}

static void text_put_parts(struct page *p, const struct report_story *s)
{
	char more[48];

	for (int i = 1; i < s->count; i++)
		if (s->findings[i].role == ROLE_BECAUSE)
			text_put_because(p, "because", &s->findings[i], false);
	for (int i = 1; i < s->count && !story_is_beyond(s, i); i++)
		if (s->findings[i].role == ROLE_ALSO)
			text_put_because(p, "also", &s->findings[i], true);
	if (s->also > REPORT_ALSO) {
		(void)snprintf(more, sizeof(more), "and %d more like these", s->also - REPORT_ALSO);
		text_put_plain(p, "", more);
	}
}

static void text_put_story(struct page *p, const struct report_story *s)
{
	const struct report_finding *f = s->findings;
	char confidence[16];

	text_put_head(p, f);
	text_put_parts(p, s);
	if (f->times)
		text_put_plain(p, "when", f->times);
	for (int i = 0; i < s->count; i++)
		if (story_advises(s, i))
			text_put_fix(p, s->findings[i].remedy);
	text_put_proof(p, f);
	if (f->confidence < 0.9) {
		(void)snprintf(confidence, sizeof(confidence), "%.0f %%", f->confidence * 100);
		text_put_plain(p, "confidence", confidence);
	}
	(void)fputc('\n', p->out);
}

static void text_put_nothing_found(struct page *p, const struct report *r)
{
	CLEANUP_FREE char *text = r->checked ? mem_printf("%s Checked: %s.", r->verdict, r->checked)
					     : mem_strdup(r->verdict);

	text_put_wrapped(p, text_escaped(p, text), 0, 0);
	(void)fputc('\n', p->out);
}

static void text_put_section(struct page *p, const char *title)
{
	text_colour(p, "1");
	(void)fprintf(p->out, "%s\n", title);
	text_colour(p, "0");
}

static void text_put_notes(struct page *p, const char *title, char *const *notes, int count)
{
	if (count > 0)
		text_put_section(p, title);
	for (int i = 0; i < count; i++) {
		(void)fputs("  - ", p->out);
		text_put_wrapped(p, text_escaped(p, notes[i]), 4, 4);
	}
}

/* A block of its own, with an empty line behind it. */
static void text_put_open(struct page *p, const char *title, char *const *notes, int count)
{
	text_put_notes(p, title, notes, count);
	if (count > 0)
		(void)fputc('\n', p->out);
}

/* Against the run before: what is new, what goes on, what is over. */
static void text_put_news(struct page *p, const struct report *r, int i)
{
	const char *title = report_news_heading(&r->stories[i], i ? &r->stories[i - 1] : NULL);

	if (!title)
		return;
	if (i == 0 && strcmp(r->stories[0].findings->news, "new") != 0)
		(void)fputs("Nothing new since the last run.\n\n", p->out);
	text_put_section(p, title);
}

/* The first story is the verdict: what was not judged stands before all that is less severe. */
static void text_put_stories(struct page *p, const struct report *r)
{
	int64_t more = report_all_findings(r) - r->finding_count;
	int top = r->open_count < REPORT_OPEN ? r->open_count : REPORT_OPEN;

	if (!r->story_count)
		text_put_nothing_found(p, r);
	for (int i = 0; i < r->story_count; i++) {
		text_put_news(p, r, i);
		text_put_story(p, &r->stories[i]);
		if (i == 0)
			text_put_open(p, "Not judged", r->notes, top);
	}
	if (!r->story_count)
		text_put_open(p, "Not judged", r->notes, top);
	if (more > 0)
		(void)fprintf(p->out,
			"%lld less severe findings are not shown: use --all, or bothends query DB "
			"--saved "
			"findings\n\n",
			(long long)more);
	text_put_open(p, "Not judged either", r->notes + top, r->open_count - top);
}

/* Width of the widest of n names, for a column. */
static int text_widest(
	int n, const char *(*name)(const struct report *, int), const struct report *r)
{
	int w = 0, one;

	for (int i = 0; i < n; i++) {
		CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;

		escape_text(&text, name(r, i));
		one = escape_width(text.text ? text.text : "");
		w = one > w ? one : w;
	}
	return w;
}

static const char *text_vantage_name(const struct report *r, int i)
{
	return r->vantages[i].name;
}

/* Two blanks, name padded to a column, two blanks, then wrapped text; below a name that is too long
 * for that. */
static void text_put_row(struct page *p, const char *name, int name_width, const char *text)
{
	const char *shown = text_escaped(p, name);
	int pad = name_width - escape_width(shown);

	(void)fprintf(p->out, "  %s", shown);
	if (pad < 0) {
		(void)fputc('\n', p->out);
		text_spaces(p, name_width + 4);
	} else {
		text_spaces(p, pad + 2);
	}
	text_put_wrapped(p, text_escaped(p, text), name_width + 4, name_width + 4);
}

static void text_describe_vantage(struct strbuf *out, const struct report_vantage *v)
{
	char from[NSEC_TEXT_SIZE], span[NSEC_TEXT_SIZE];

	if (strcmp(v->kind, "flowlog") == 0)
		strbuf_printf(out, "flow log of %s",
			v->interface ? v->interface : "an unnamed interface");
	else if (v->path && v->files == 1)
		strbuf_adds(out, report_basename(v->path));
	else
		strbuf_printf(out, "%lld files", (long long)v->files);
	if (strcmp(v->kind, "flowlog") != 0)
		strbuf_printf(
			out, ", %lld frame%s", (long long)v->frames, v->frames == 1 ? "" : "s");
	if (v->first_ns != DB_NONE && v->last_ns != DB_NONE) {
		(void)nsec_format(v->first_ns, from);
		(void)snprintf(from + 19, sizeof(from) - 19, "Z"); /* whole seconds do here */
		strbuf_printf(out, ", %s from %s", nsec_span(v->last_ns - v->first_ns, span), from);
	}
	strbuf_printf(out, ": %s", report_trust_word(v->trust));
	if (*v->reasons)
		strbuf_printf(out, " (%s)", v->reasons);
}

static void text_put_vantages(struct page *p, const struct report *r)
{
	int width = text_widest(r->vantage_count, text_vantage_name, r);

	if (p->options->width && width > p->options->width / 3)
		width = 4;
	text_put_section(p, "Inputs");
	for (int i = 0; i < r->vantage_count; i++) {
		CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;

		text_describe_vantage(&text, &r->vantages[i]);
		text_put_row(p, r->vantages[i].name, width, text.text);
	}
}

static void text_put_legs(struct page *p, const struct report *r)
{
	for (int i = 0; i < r->leg_count; i++) {
		const struct report_leg *l = &r->legs[i];
		CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
		const struct {
			int64_t n;
			const char *what;
		} parts[] = {
			{l->delivered, "delivered"},
			{l->lost, "lost"},
			{l->misaddressed, "sent to the wrong MAC"},
			{l->capture_missed, "arrived but not captured"},
			{l->unjudged, "unjudged"},
		};

		strbuf_printf(&text, "%s -> %s: %lld packet%s, ", l->from, l->to,
			(long long)l->sent, l->sent == 1 ? "" : "s");
		for (size_t k = 0, shown = 0; k < sizeof(parts) / sizeof(parts[0]); k++)
			if (parts[k].n || k == 0)
				strbuf_printf(&text, "%s%lld %s", shown++ ? ", " : "",
					(long long)parts[k].n, parts[k].what);
		text_spaces(p, 2);
		text_put_wrapped(p, text_escaped(p, text.text), 2, 4);
	}
}

static void text_put_accounts(struct page *p, const struct report *r)
{
	for (int i = 0; i < r->account_count;) {
		const char *what = r->accounts[i].what;
		CLEANUP_STRBUF struct strbuf parts = STRBUF_INIT;
		CLEANUP_FREE char *text = NULL;
		int64_t total = 0;

		for (; i < r->account_count && strcmp(r->accounts[i].what, what) == 0; i++) {
			if (r->accounts[i].n)
				strbuf_printf(&parts, "%s%lld %s", parts.length ? ", " : "",
					(long long)r->accounts[i].n,
					report_disposition_words(r->accounts[i].disposition));
			total += r->accounts[i].n;
		}
		text = mem_printf(
			"%lld %s: %s", (long long)total, what, parts.text ? parts.text : "none");
		text_spaces(p, 2);
		text_put_wrapped(p, text_escaped(p, text), 2, 4);
	}
}

static void text_put_clocks(struct page *p, const struct report *r)
{
	for (int i = 0; i < r->clock_count; i++) {
		CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;

		report_clock_words(&text, &r->clocks[i]);
		text_spaces(p, 2);
		text_put_wrapped(p, text_escaped(p, text.text), 2, 4);
	}
}

static void text_fit_slugs(struct page *p, const struct report *r)
{
	p->slug_width = SLUG_WIDTH;
	for (int i = 0; i < r->finding_count; i++) {
		int n = escape_width(text_escaped(p, r->findings[i].kind)) + 2;

		p->slug_width = n > p->slug_width ? n : p->slug_width;
	}
}

int report_text(struct db *db, FILE *out, const struct report_options *options, struct error *err)
{
	struct page page = {.out = out, .options = options};
	struct report r;
	int result = report_load(&r, db, options->findings_max, options->findings_max, err);

	if (result == 0) {
		text_fit_slugs(&page, &r);
		text_put_stories(&page, &r);
		text_put_vantages(&page, &r);
		text_put_legs(&page, &r);
		text_put_clocks(&page, &r);
		text_put_accounts(&page, &r);
		if (r.note_count > r.open_count)
			(void)fputc('\n', out);
		text_put_notes(&page, "Notes", r.notes + r.open_count, r.note_count - r.open_count);
		if (options->signed_text)
			(void)fputs("\n" REPORT_SIGNATURE, out);
	}
	strbuf_release(&page.line);
	report_release(&r);
	if (result == 0 && (fflush(out) != 0 || ferror(out)))
		result = error_errno(err, "cannot write the report");
	return result;
}
