/* json: the report for machines. docs/report.schema.json is the contract: members are added, never
 * renamed. */
#include <string.h>

#include "base/nsec.h"
#include "base/strbuf.h"
#include "report/escape.h"
#include "report/report.h"
#include "report/story.h"

#define JSON_VERSION 1

/* Members of one object: commas and line breaks take care of themselves. */
struct writer {
	struct strbuf text;
	int depth;
	bool first;
};

static void json_next(struct writer *w)
{
	if (!w->first)
		strbuf_addc(&w->text, ',');
	if (w->depth) {
		strbuf_addc(&w->text, '\n');
		for (int i = 0; i < w->depth; i++)
			strbuf_adds(&w->text, "  ");
	}
	w->first = false;
}

static void json_key(struct writer *w, const char *name)
{
	json_next(w);
	if (name) {
		escape_json(&w->text, name);
		strbuf_adds(&w->text, ": ");
	}
}

static void json_begin(struct writer *w, const char *name, char bracket)
{
	json_key(w, name);
	strbuf_addc(&w->text, bracket);
	w->depth++;
	w->first = true;
}

static void json_end(struct writer *w, char bracket)
{
	w->depth--;
	if (!w->first) {
		w->first = true;
		json_next(w);
	}
	strbuf_addc(&w->text, bracket);
	w->first = false;
}

static void json_put_text(struct writer *w, const char *name, const char *value)
{
	json_key(w, name);
	escape_json(&w->text, value);
}

static void json_put_int(struct writer *w, const char *name, int64_t value)
{
	json_key(w, name);
	if (value == DB_NONE)
		strbuf_adds(&w->text, "null");
	else
		strbuf_printf(&w->text, "%lld", (long long)value);
}

static void json_put_real(struct writer *w, const char *name, double value)
{
	json_key(w, name);
	strbuf_printf(&w->text, "%.6g", value);
}

/* name as RFC 3339 text, name_ns as the number: 64-bit, so more than some readers' numbers hold. */
static void json_put_time(struct writer *w, const char *name, int64_t value)
{
	char text[NSEC_TEXT_SIZE], name_ns[32];

	json_put_text(w, name, value == DB_NONE ? NULL : nsec_format(value, text));
	(void)snprintf(name_ns, sizeof(name_ns), "%s_ns", name);
	json_put_int(w, name_ns, value);
}

static void json_put_proof(struct writer *w, const struct report_proof *p)
{
	json_begin(w, NULL, '{');
	json_put_text(w, "file", p->path);
	json_put_int(w, p->is_log ? "line" : "frame", p->number);
	json_put_int(w, "flow", p->flow_id);
	json_put_text(w, "note", p->note);
	json_end(w, '}');
}

static void json_put_finding(struct writer *w, const struct report_finding *f)
{
	json_begin(w, NULL, '{');
	json_put_int(w, "id", f->id);
	json_put_text(w, "role", story_role_name(f->role));
	json_put_text(w, "kind", f->kind);
	json_put_text(w, "severity", f->severity);
	json_put_real(w, "confidence", f->confidence);
	json_put_text(w, "summary", f->summary);
	json_put_text(w, "remedy", f->remedy);
	json_put_int(w, "cause_id", f->cause_id);
	json_put_text(w, "host", f->host);
	json_put_text(w, "from", f->from);
	json_put_text(w, "to", f->to);
	json_put_text(w, "src_ip", f->src_ip);
	json_put_text(w, "dst_ip", f->dst_ip);
	json_put_time(w, "first", f->first_ns);
	json_put_time(w, "last", f->last_ns);
	json_put_int(w, "count", f->count);
	json_put_int(w, "total", f->total);
	json_key(w, "detail");
	escape_json_raw(&w->text, f->detail);
	json_begin(w, "proof", '[');
	for (int i = 0; i < f->proof_count; i++)
		json_put_proof(w, &f->proofs[i]);
	json_end(w, ']');
	json_end(w, '}');
}

static void json_put_story(struct writer *w, const struct report_story *s)
{
	json_begin(w, NULL, '{');
	json_put_int(w, "id", s->findings->id);
	json_put_text(w, "severity", s->findings->severity);
	json_begin(w, "remedies", '[');
	for (int i = 0; i < s->count; i++)
		if (story_advises(s, i))
			json_put_text(w, NULL, s->findings[i].remedy);
	json_end(w, ']');
	json_begin(w, "findings", '[');
	for (int i = 0; i < s->count; i++)
		json_put_finding(w, &s->findings[i]);
	json_end(w, ']');
	json_end(w, '}');
}

static void json_put_stories(struct writer *w, const struct report *r)
{
	json_begin(w, "stories", '[');
	for (int i = 0; i < r->story_count; i++)
		json_put_story(w, &r->stories[i]);
	json_end(w, ']');
}

static void json_put_counts(struct writer *w, const struct report_counts *c)
{
	json_begin(w, "counts", '{');
	json_put_int(w, "critical", c->critical);
	json_put_int(w, "warning", c->warning);
	json_put_int(w, "notice", c->notice);
	json_put_int(w, "flows", c->flows);
	json_put_int(w, "tcp_flows", c->tcp_flows);
	json_put_int(w, "frames", c->frames);
	json_put_int(w, "frames_accounted", c->accounted);
	json_put_int(w, "flow_log_records", c->log_records);
	json_end(w, '}');
}

static void json_put_vantage(struct writer *w, const struct report_vantage *v)
{
	json_begin(w, NULL, '{');
	json_put_text(w, "name", v->name);
	json_put_text(w, "host", v->host);
	json_put_text(w, "kind", v->kind);
	json_put_text(w, "interface", v->interface);
	json_put_text(w, "mac", v->mac);
	json_put_text(w, "trust", v->trust);
	json_put_text(w, "trust_reasons", v->reasons);
	json_put_int(w, "frames", v->frames);
	json_put_time(w, "first", v->first_ns);
	json_put_time(w, "last", v->last_ns);
	json_end(w, '}');
}

static void json_put_file(struct writer *w, const struct report_file *f)
{
	json_begin(w, NULL, '{');
	json_put_text(w, "kind", f->kind);
	json_put_text(w, "path", f->path);
	json_put_text(w, "format", f->format);
	json_put_int(w, "records", f->records);
	json_put_int(w, "bytes", f->bytes);
	json_put_time(w, "first", f->first_ns);
	json_put_time(w, "last", f->last_ns);
	json_put_int(w, "dropped_kernel", f->dropped_kernel);
	json_put_int(w, "dropped_interface", f->dropped_interface);
	json_put_text(w, "damaged", f->damaged);
	json_put_text(w, "xxh3_128", f->hash);
	json_put_text(w, "sha256", f->sha256);
	json_end(w, '}');
}

static void json_put_leg(struct writer *w, const struct report_leg *l)
{
	json_begin(w, NULL, '{');
	json_put_text(w, "from", l->from);
	json_put_text(w, "to", l->to);
	json_put_int(w, "sent", l->sent);
	json_put_int(w, "delivered", l->delivered);
	json_put_int(w, "misaddressed", l->misaddressed);
	json_put_int(w, "lost", l->lost);
	json_put_int(w, "capture_missed", l->capture_missed);
	json_put_int(w, "unjudged", l->unjudged);
	json_end(w, '}');
}

static void json_put_clock(struct writer *w, const struct report_clock *c)
{
	const struct ref_clock_piece *p = c->first;

	json_begin(w, NULL, '{');
	json_put_text(w, "vantage", p->name);
	json_put_text(w, "reference", p->reference_name);
	json_put_int(w, "offset_ns", p->offset_ns);
	json_put_int(w, "offset_low_ns", p->low_ns);
	json_put_int(w, "offset_high_ns", p->high_ns);
	json_put_real(w, "skew_ppm", p->skew_ppm);
	json_put_text(w, "method", p->method);
	json_put_int(w, "pieces", c->pieces);
	json_end(w, '}');
}

static void json_put_account(struct writer *w, const struct report_account *a)
{
	json_begin(w, NULL, '{');
	json_put_text(w, "what", a->what);
	json_put_text(w, "disposition", a->disposition);
	json_put_int(w, "count", a->n);
	json_end(w, '}');
}

static void json_put_lists(struct writer *w, const struct report *r)
{
	json_begin(w, "vantages", '[');
	for (int i = 0; i < r->vantage_count; i++)
		json_put_vantage(w, &r->vantages[i]);
	json_end(w, ']');
	json_begin(w, "files", '[');
	for (int i = 0; i < r->file_count; i++)
		json_put_file(w, &r->files[i]);
	json_end(w, ']');
	json_begin(w, "legs", '[');
	for (int i = 0; i < r->leg_count; i++)
		json_put_leg(w, &r->legs[i]);
	json_end(w, ']');
	json_begin(w, "clocks", '[');
	for (int i = 0; i < r->clock_count; i++)
		json_put_clock(w, &r->clocks[i]);
	json_end(w, ']');
	json_begin(w, "accounts", '[');
	for (int i = 0; i < r->account_count; i++)
		json_put_account(w, &r->accounts[i]);
	json_end(w, ']');
	json_begin(w, "notes", '[');
	for (int i = 0; i < r->note_count; i++)
		json_put_text(w, NULL, r->notes[i]);
	json_end(w, ']');
}

int report_json(struct db *db, FILE *out, const struct report_options *options, struct error *err)
{
	struct writer w = {.first = true};
	struct report r;
	int result = report_load(&r, db, 0, 0, err); /* machines get everything */

	(void)options;
	if (result == 0) {
		json_begin(&w, NULL, '{');
		json_put_text(&w, "format", "bothends-report");
		json_put_int(&w, "version", JSON_VERSION);
		json_put_text(&w, "verdict", r.verdict);
		json_put_text(&w, "checked", r.checked);
		json_put_counts(&w, &r.counts);
		json_put_stories(&w, &r);
		json_put_lists(&w, &r);
		json_end(&w, '}');
		strbuf_addc(&w.text, '\n');
		(void)fwrite(w.text.text, 1, w.text.length, out);
	}
	strbuf_release(&w.text);
	report_release(&r);
	if (result == 0 && (fflush(out) != 0 || ferror(out)))
		result = error_errno(err, "cannot write the report");
	return result;
}
