/* md: the report for tickets, as GitHub and GitLab show Markdown. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "base/strbuf.h"
#include "report/escape.h"
#include "report/report.h"
#include "report/story.h"
#include "report/words.h"

#define PROOFS_SHOWN 10

/* Formatted plain text of ours with stored text in %s places must go through here piece by piece.
 */
static void md_put_text(struct strbuf *out, const char *stored)
{
	escape_markdown(out, stored ? stored : "");
}

/* Code shows text as it is, so that it can be copied; backticks inside ask for a longer fence. */
static void md_put_code(struct strbuf *out, const char *stored)
{
	CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
	const char *fence = "`";

	escape_text(&text, stored);
	if (text.text && strstr(text.text, "``"))
		fence = "```";
	else if (text.text && strchr(text.text, '`'))
		fence = "``";
	strbuf_printf(
		out, fence[1] ? "%s %s %s" : "%s%s%s", fence, text.text ? text.text : "", fence);
}

static void md_put_remedy(struct strbuf *out, const char *remedy)
{
	struct remedy_part part;

	while (story_next_part(&remedy, &part)) {
		CLEANUP_FREE char *text = mem_strndup(part.text, part.length);

		if (part.is_command)
			md_put_code(out, text);
		else
			md_put_text(out, text);
	}
}

static void md_put_ends(struct strbuf *out, const struct report_finding *f)
{
	if (f->from && f->to) {
		md_put_text(out, f->from);
		strbuf_adds(out, " → ");
		md_put_text(out, f->to);
		strbuf_adds(out, ": ");
	} else if (f->from || f->host || f->to) {
		md_put_text(out, f->from ? f->from : f->host ? f->host : f->to);
		strbuf_adds(out, ": ");
	}
}

static void md_put_finding(struct strbuf *out, const char *label, const struct report_finding *f)
{
	strbuf_printf(out, "- **%s ", label);
	md_put_text(out, f->kind);
	strbuf_adds(out, "**: ");
	if (f->role == ROLE_ALSO)
		md_put_ends(out, f);
	md_put_text(out, f->summary);
	strbuf_addc(out, '\n');
}

static void md_put_proofs(struct strbuf *out, const struct report_finding *f, const char *database)
{
	int shown = f->proof_count < PROOFS_SHOWN ? f->proof_count : PROOFS_SHOWN;

	if (!shown)
		return;
	strbuf_adds(out, "\n| file | frame | shows |\n| --- | ---: | --- |\n");
	for (int i = 0; i < shown; i++) {
		const struct report_proof *p = &f->proofs[i];

		strbuf_adds(out, "| ");
		md_put_text(out, p->path ? report_basename(p->path) : "");
		strbuf_adds(out, " | ");
		if (p->number != DB_NONE)
			strbuf_printf(
				out, "%s%lld", p->is_log ? "line " : "", (long long)p->number);
		strbuf_adds(out, " | ");
		md_put_text(out, p->note);
		strbuf_adds(out, " |\n");
	}
	if (!database || !story_extractable(f)) {
		if (f->proof_count > shown)
			strbuf_printf(out, "\n%d of %d\n", shown, f->proof_count);
	} else {
		CLEANUP_STRBUF struct strbuf command = STRBUF_INIT;

		strbuf_adds(&command, "bothends extract ");
		report_shell_word(&command, database);
		strbuf_printf(&command, " %lld", (long long)f->id);
		strbuf_printf(out, "\n%d of %d; all frames as a capture: ", shown, f->proof_count);
		md_put_code(out, command.text);
		strbuf_addc(out, '\n');
	}
}

static void md_put_parts(struct strbuf *out, const struct report_story *s)
{
	for (int i = 1; i < s->count && !story_is_beyond(s, i); i++)
		md_put_finding(out, s->findings[i].role == ROLE_BECAUSE ? "because" : "also",
			&s->findings[i]);
	if (s->also > REPORT_ALSO)
		strbuf_printf(out, "- and %d more like these\n", s->also - REPORT_ALSO);
	for (int i = 0; i < s->count; i++)
		if (story_advises(s, i)) {
			strbuf_adds(out, "- **fix**: ");
			md_put_remedy(out, s->findings[i].remedy);
			strbuf_addc(out, '\n');
		}
}

static void md_put_story(
	struct strbuf *out, const struct report_story *s, const struct report_options *options)
{
	const struct report_finding *f = s->findings;

	strbuf_adds(out, f->news ? "### " : "## ");
	md_put_text(out, f->severity);
	strbuf_adds(out, ": ");
	md_put_text(out, f->kind);
	strbuf_adds(out, "\n\n");
	md_put_ends(out, f);
	strbuf_adds(out, "**");
	md_put_text(out, f->summary);
	strbuf_adds(out, "**\n\n");
	md_put_parts(out, s);
	if (f->times) {
		strbuf_adds(out, "- **when**: ");
		md_put_text(out, f->times);
		strbuf_addc(out, '\n');
	}
	strbuf_printf(out, "- **confidence**: %.0f %%\n", f->confidence * 100);
	md_put_proofs(out, f, options->database);
	strbuf_addc(out, '\n');
}

static void md_put_nothing_found(struct strbuf *out, const struct report *r)
{
	strbuf_adds(out, "**");
	md_put_text(out, r->verdict);
	strbuf_adds(out, "**");
	if (r->checked) {
		strbuf_adds(out, " Checked: ");
		md_put_text(out, r->checked);
		strbuf_addc(out, '.');
	}
	strbuf_adds(out, "\n\n");
}

static void md_put_notes(struct strbuf *out, const char *title, char *const *notes, int count)
{
	if (count <= 0)
		return;
	strbuf_printf(out, "## %s\n\n", title);
	for (int i = 0; i < count; i++) {
		strbuf_adds(out, "- ");
		md_put_text(out, notes[i]);
		strbuf_addc(out, '\n');
	}
	strbuf_addc(out, '\n');
}

/* Against the run before: what is new, what goes on, what is over. */
static void md_put_news(struct strbuf *out, const struct report *r, int i)
{
	const char *title = report_news_heading(&r->stories[i], i ? &r->stories[i - 1] : NULL);

	if (!title)
		return;
	if (i == 0 && strcmp(r->stories[0].findings->news, "new") != 0)
		strbuf_adds(out, "Nothing new since the last run.\n\n");
	strbuf_printf(out, "## %s\n\n", title);
}

/* As in text: the verdict, what it leaves open, all else. */
static void md_put_stories(
	struct strbuf *out, const struct report *r, const struct report_options *options)
{
	int64_t more = report_all_findings(r) - r->finding_count;
	int top = r->open_count < REPORT_OPEN ? r->open_count : REPORT_OPEN;

	if (!r->story_count)
		md_put_nothing_found(out, r);
	for (int i = 0; i < r->story_count; i++) {
		md_put_news(out, r, i);
		md_put_story(out, &r->stories[i], options);
		if (i == 0)
			md_put_notes(out, "Not judged", r->notes, top);
	}
	if (!r->story_count)
		md_put_notes(out, "Not judged", r->notes, top);
	if (more > 0)
		strbuf_printf(out, "%lld less severe findings are in the database only.\n\n",
			(long long)more);
	md_put_notes(out, "Not judged either", r->notes + top, r->open_count - top);
}

static void md_put_legs(struct strbuf *out, const struct report *r)
{
	if (!r->leg_count)
		return;
	strbuf_adds(out,
		"| from | to | sent | delivered | lost | wrong MAC | not captured | unjudged |\n"
		"| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
	for (int i = 0; i < r->leg_count; i++) {
		const struct report_leg *l = &r->legs[i];

		strbuf_adds(out, "| ");
		md_put_text(out, l->from);
		strbuf_adds(out, " | ");
		md_put_text(out, l->to);
		strbuf_printf(out, " | %lld | %lld | %lld | %lld | %lld | %lld |\n",
			(long long)l->sent, (long long)l->delivered, (long long)l->lost,
			(long long)l->misaddressed, (long long)l->capture_missed,
			(long long)l->unjudged);
	}
	strbuf_addc(out, '\n');
}

static void md_put_inputs(struct strbuf *out, const struct report *r)
{
	strbuf_adds(out, "## Inputs\n\n");
	for (int i = 0; i < r->vantage_count; i++) {
		const struct report_vantage *v = &r->vantages[i];

		strbuf_adds(out, "- **");
		md_put_text(out, v->name);
		if (strcmp(v->kind, "flowlog") == 0)
			strbuf_adds(out, "**: flow log, ");
		else
			strbuf_printf(out, "**: %lld frames in %lld file%s, ", (long long)v->frames,
				(long long)v->files, v->files == 1 ? "" : "s");
		md_put_text(out, report_trust_word(v->trust));
		if (*v->reasons) {
			strbuf_adds(out, " (");
			md_put_text(out, v->reasons);
			strbuf_addc(out, ')');
		}
		strbuf_addc(out, '\n');
	}
	for (int i = 0; i < r->clock_count; i++) {
		CLEANUP_STRBUF struct strbuf words = STRBUF_INIT;

		report_clock_words(&words, &r->clocks[i]);
		strbuf_adds(out, "- ");
		md_put_text(out, words.text);
		strbuf_addc(out, '\n');
	}
	if (r->counts.frames || !r->counts.log_files)
		strbuf_printf(out, "- %lld of %lld frames accounted for\n",
			(long long)r->counts.accounted, (long long)r->counts.frames);
	if (r->counts.log_files)
		strbuf_printf(out, "- %lld flow-log record%s in %lld file%s\n",
			(long long)r->counts.log_records, r->counts.log_records == 1 ? "" : "s",
			(long long)r->counts.log_files, r->counts.log_files == 1 ? "" : "s");
	strbuf_addc(out, '\n');
	md_put_legs(out, r);
}

int report_markdown(
	struct db *db, FILE *out, const struct report_options *options, struct error *err)
{
	CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
	struct report r;
	int result = report_load(&r, db, options->findings_max, options->findings_max, err);

	if (result == 0) {
		strbuf_adds(&text, "# bothends\n\n");
		md_put_stories(&text, &r, options);
		md_put_inputs(&text, &r);
		md_put_notes(&text, "Notes", r.notes + r.open_count, r.note_count - r.open_count);
		(void)fwrite(text.text, 1, text.length, out);
	}
	report_release(&r);
	if (result == 0 && (fflush(out) != 0 || ferror(out)))
		result = error_errno(err, "cannot write the report");
	return result;
}
