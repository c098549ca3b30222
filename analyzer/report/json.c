/* json: the report for machines. docs/report.schema.json is the contract: members are added, never
 * renamed. */
#include <string.h>

#include "base/jsonout.h"
#include "base/nsec.h"
#include "report/report.h"
#include "report/story.h"

#define JSON_VERSION 1

/* DB_NONE is null. */
static void json_put_int(struct jsonout *w, const char *name, int64_t value)
{
	if (value == DB_NONE)
		jsonout_put_text(w, name, NULL);
	else
		jsonout_put_int(w, name, value);
}

/* name as RFC 3339 text, name_ns as the number: 64-bit, so more than some readers' numbers hold. */
static void json_put_time(struct jsonout *w, const char *name, int64_t value)
{
	char text[NSEC_TEXT_SIZE], name_ns[32];

	jsonout_put_text(w, name, value == DB_NONE ? NULL : nsec_format(value, text));
	(void)snprintf(name_ns, sizeof(name_ns), "%s_ns", name);
	json_put_int(w, name_ns, value);
}

static void json_put_proof(struct jsonout *w, const struct report_proof *p)
{
	jsonout_begin(w, NULL, '{');
	jsonout_put_text(w, "file", p->path);
	json_put_int(w, p->is_log ? "line" : "frame", p->number);
	json_put_int(w, "flow", p->flow_id);
	jsonout_put_text(w, "note", p->note);
	jsonout_end(w, '}');
}

/* All but the object's end, its evidence and its detail. */
static void json_put_claim(struct jsonout *w, const struct report_finding *f)
{
	jsonout_begin(w, NULL, '{');
	json_put_int(w, "id", f->id);
	jsonout_put_text(w, "role", story_role_name(f->role));
	jsonout_put_text(w, "kind", f->kind);
	jsonout_put_text(w, "severity", f->severity);
	jsonout_put_real(w, "confidence", f->confidence);
	jsonout_put_text(w, "summary", f->summary);
	jsonout_put_text(w, "remedy", f->remedy);
	json_put_int(w, "cause_id", f->cause_id);
	jsonout_put_text(w, "host", f->host);
	jsonout_put_text(w, "from", f->from);
	jsonout_put_text(w, "to", f->to);
	jsonout_put_text(w, "src_ip", f->src_ip);
	jsonout_put_text(w, "dst_ip", f->dst_ip);
	json_put_time(w, "first", f->first_ns);
	json_put_time(w, "last", f->last_ns);
	json_put_int(w, "count", f->count);
	json_put_int(w, "total", f->total);
	if (f->news) {
		jsonout_put_text(w, "news", f->news);
		json_put_int(w, "runs", f->runs);
	}
}

static void json_put_finding(struct jsonout *w, const struct report_finding *f)
{
	json_put_claim(w, f);
	jsonout_put_raw(w, "detail", f->detail);
	jsonout_begin(w, "proof", '[');
	for (int i = 0; i < f->proof_count; i++)
		json_put_proof(w, &f->proofs[i]);
	jsonout_end(w, ']');
	jsonout_end(w, '}');
}

static void json_put_brief_finding(struct jsonout *w, const struct report_finding *f)
{
	json_put_claim(w, f);
	jsonout_end(w, '}');
}

typedef void json_finding(struct jsonout *, const struct report_finding *);

static void json_put_story(struct jsonout *w, const struct report_story *s, json_finding *finding)
{
	jsonout_begin(w, NULL, '{');
	json_put_int(w, "id", s->findings->id);
	jsonout_put_text(w, "severity", s->findings->severity);
	jsonout_begin(w, "remedies", '[');
	for (int i = 0; i < s->count; i++)
		if (story_advises(s, i))
			jsonout_put_text(w, NULL, s->findings[i].remedy);
	jsonout_end(w, ']');
	jsonout_begin(w, "findings", '[');
	for (int i = 0; i < s->count; i++)
		finding(w, &s->findings[i]);
	jsonout_end(w, ']');
	jsonout_end(w, '}');
}

static void json_put_stories(struct jsonout *w, const struct report *r, json_finding *finding)
{
	jsonout_begin(w, "stories", '[');
	for (int i = 0; i < r->story_count; i++)
		json_put_story(w, &r->stories[i], finding);
	jsonout_end(w, ']');
}

static void json_put_counts(struct jsonout *w, const struct report_counts *c)
{
	jsonout_begin(w, "counts", '{');
	json_put_int(w, "critical", c->critical);
	json_put_int(w, "warning", c->warning);
	json_put_int(w, "notice", c->notice);
	json_put_int(w, "flows", c->flows);
	json_put_int(w, "tcp_flows", c->tcp_flows);
	json_put_int(w, "frames", c->frames);
	json_put_int(w, "frames_accounted", c->accounted);
	json_put_int(w, "flow_log_records", c->log_records);
	jsonout_end(w, '}');
}

static void json_put_vantage(struct jsonout *w, const struct report_vantage *v)
{
	jsonout_begin(w, NULL, '{');
	jsonout_put_text(w, "name", v->name);
	jsonout_put_text(w, "host", v->host);
	jsonout_put_text(w, "kind", v->kind);
	jsonout_put_text(w, "interface", v->interface);
	jsonout_put_text(w, "mac", v->mac);
	jsonout_put_text(w, "trust", v->trust);
	jsonout_put_text(w, "trust_reasons", v->reasons);
	json_put_int(w, "frames", v->frames);
	json_put_time(w, "first", v->first_ns);
	json_put_time(w, "last", v->last_ns);
	jsonout_end(w, '}');
}

static void json_put_file(struct jsonout *w, const struct report_file *f)
{
	jsonout_begin(w, NULL, '{');
	jsonout_put_text(w, "kind", f->kind);
	jsonout_put_text(w, "path", f->path);
	jsonout_put_text(w, "format", f->format);
	json_put_int(w, "records", f->records);
	json_put_int(w, "bytes", f->bytes);
	json_put_time(w, "first", f->first_ns);
	json_put_time(w, "last", f->last_ns);
	json_put_int(w, "dropped_kernel", f->dropped_kernel);
	json_put_int(w, "dropped_interface", f->dropped_interface);
	jsonout_put_text(w, "damaged", f->damaged);
	jsonout_put_text(w, "xxh3_128", f->hash);
	jsonout_put_text(w, "sha256", f->sha256);
	jsonout_end(w, '}');
}

static void json_put_leg(struct jsonout *w, const struct report_leg *l)
{
	jsonout_begin(w, NULL, '{');
	jsonout_put_text(w, "from", l->from);
	jsonout_put_text(w, "to", l->to);
	json_put_int(w, "sent", l->sent);
	json_put_int(w, "delivered", l->delivered);
	json_put_int(w, "misaddressed", l->misaddressed);
	json_put_int(w, "lost", l->lost);
	json_put_int(w, "capture_missed", l->capture_missed);
	json_put_int(w, "unjudged", l->unjudged);
	jsonout_end(w, '}');
}

static void json_put_clock(struct jsonout *w, const struct report_clock *c)
{
	const struct ref_clock_piece *p = c->best;

	jsonout_begin(w, NULL, '{');
	jsonout_put_text(w, "vantage", p->name);
	jsonout_put_text(w, "reference", p->reference_name);
	json_put_int(w, "offset_ns", p->offset_ns);
	json_put_int(w, "offset_low_ns", p->low_ns);
	json_put_int(w, "offset_high_ns", p->high_ns);
	jsonout_put_real(w, "skew_ppm", p->skew_ppm);
	jsonout_put_text(w, "method", p->method);
	json_put_int(w, "pieces", c->pieces);
	jsonout_end(w, '}');
}

static void json_put_account(struct jsonout *w, const struct report_account *a)
{
	jsonout_begin(w, NULL, '{');
	jsonout_put_text(w, "what", a->what);
	jsonout_put_text(w, "disposition", a->disposition);
	json_put_int(w, "count", a->n);
	jsonout_end(w, '}');
}

static void json_put_lists(struct jsonout *w, const struct report *r)
{
	jsonout_begin(w, "vantages", '[');
	for (int i = 0; i < r->vantage_count; i++)
		json_put_vantage(w, &r->vantages[i]);
	jsonout_end(w, ']');
	jsonout_begin(w, "files", '[');
	for (int i = 0; i < r->file_count; i++)
		json_put_file(w, &r->files[i]);
	jsonout_end(w, ']');
	jsonout_begin(w, "legs", '[');
	for (int i = 0; i < r->leg_count; i++)
		json_put_leg(w, &r->legs[i]);
	jsonout_end(w, ']');
	jsonout_begin(w, "clocks", '[');
	for (int i = 0; i < r->clock_count; i++)
		json_put_clock(w, &r->clocks[i]);
	jsonout_end(w, ']');
	jsonout_begin(w, "accounts", '[');
	for (int i = 0; i < r->account_count; i++)
		json_put_account(w, &r->accounts[i]);
	jsonout_end(w, ']');
}

static void json_put_texts(struct jsonout *w, const char *name, char *const *texts, int count)
{
	jsonout_begin(w, name, '[');
	for (int i = 0; i < count; i++)
		jsonout_put_text(w, NULL, texts[i]);
	jsonout_end(w, ']');
}

static void json_put_notes(struct jsonout *w, const struct report *r)
{
	json_put_texts(w, "not_judged", r->notes, r->open_count);
	json_put_texts(w, "notes", r->notes, r->note_count);
}

static void json_begin(struct jsonout *w, const char *format, const struct report *r)
{
	jsonout_begin(w, NULL, '{');
	jsonout_put_text(w, "format", format);
	json_put_int(w, "version", JSON_VERSION);
	jsonout_put_text(w, "verdict", r->verdict);
	jsonout_put_text(w, "checked", r->checked);
	json_put_counts(w, &r->counts);
}

static int json_write(struct jsonout *w, FILE *out, struct error *err)
{
	jsonout_end(w, '}');
	strbuf_addc(&w->text, '\n');
	(void)fwrite(w->text.text, 1, w->text.length, out);
	return fflush(out) != 0 || ferror(out) ? error_errno(err, "cannot write the report") : 0;
}

int report_json(struct db *db, FILE *out, const struct report_options *options, struct error *err)
{
	struct jsonout w = {.first = true};
	struct report r;
	int result = report_load(&r, db, 0, 0, err); /* machines get everything */

	(void)options;
	if (result == 0) {
		json_begin(&w, "bothends-report", &r);
		json_put_stories(&w, &r, json_put_finding);
		json_put_lists(&w, &r);
		json_put_notes(&w, &r);
		result = json_write(&w, out, err);
	}
	strbuf_release(&w.text);
	report_release(&r);
	return result;
}

int report_brief(struct db *db, FILE *out, const struct report_options *options, struct error *err)
{
	struct jsonout w = {.first = true};
	struct report r;
	int result = report_load(&r, db, options->findings_max, 1, err);

	if (result == 0) {
		json_begin(&w, "bothends-brief", &r);
		json_put_notes(&w, &r);
		json_put_stories(&w, &r, json_put_brief_finding);
		result = json_write(&w, out, err);
	}
	strbuf_release(&w.text);
	report_release(&r);
	return result;
}
