/* json: the report for machines. docs/report.schema.json is the contract: members are added, never
 * renamed. */
#include <string.h>

#include "base/nsec.h"
#include "base/strbuf.h"
#include "report/inert.h"
#include "report/model.h"

#define JSON_VERSION 1

/* Members of one object: commas and line breaks take care of themselves. */
struct writer {
	struct strbuf text;
	int depth;
	bool first;
};

static void next(struct writer *w)
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

static void key(struct writer *w, const char *name)
{
	next(w);
	if (name) {
		inert_json(&w->text, name);
		strbuf_adds(&w->text, ": ");
	}
}

static void begin(struct writer *w, const char *name, char bracket)
{
	key(w, name);
	strbuf_addc(&w->text, bracket);
	w->depth++;
	w->first = true;
}

static void end(struct writer *w, char bracket)
{
	w->depth--;
	if (!w->first) {
		w->first = true;
		next(w);
	}
	strbuf_addc(&w->text, bracket);
	w->first = false;
}

static void put_text(struct writer *w, const char *name, const char *value)
{
	key(w, name);
	inert_json(&w->text, value);
}

static void put_int(struct writer *w, const char *name, int64_t value)
{
	key(w, name);
	if (value == DB_NONE)
		strbuf_adds(&w->text, "null");
	else
		strbuf_printf(&w->text, "%lld", (long long)value);
}

static void put_real(struct writer *w, const char *name, double value)
{
	key(w, name);
	strbuf_printf(&w->text, "%.6g", value);
}

/* name as RFC 3339 text, name_ns as the number: 64-bit, so more than some readers' numbers hold. */
static void put_time(struct writer *w, const char *name, int64_t value)
{
	char text[NSEC_TEXT_SIZE], name_ns[32];

	put_text(w, name, value == DB_NONE ? NULL : nsec_format(value, text));
	(void)snprintf(name_ns, sizeof(name_ns), "%s_ns", name);
	put_int(w, name_ns, value);
}

static void put_proof(struct writer *w, const struct report_proof *p)
{
	begin(w, NULL, '{');
	put_text(w, "file", p->path);
	put_int(w, p->is_log ? "line" : "frame", p->number);
	put_int(w, "flow", p->flow_id);
	put_text(w, "note", p->note);
	end(w, '}');
}

static void put_finding(struct writer *w, const struct report_finding *f)
{
	begin(w, NULL, '{');
	put_int(w, "id", f->id);
	put_text(w, "role", f->role);
	put_text(w, "kind", f->kind);
	put_text(w, "severity", f->severity);
	put_real(w, "confidence", f->confidence);
	put_text(w, "summary", f->summary);
	put_text(w, "remedy", f->remedy);
	put_int(w, "cause_id", f->cause_id);
	put_text(w, "host", f->host);
	put_text(w, "from", f->from);
	put_text(w, "to", f->to);
	put_text(w, "src_ip", f->src_ip);
	put_text(w, "dst_ip", f->dst_ip);
	put_time(w, "first", f->first_ns);
	put_time(w, "last", f->last_ns);
	put_int(w, "count", f->count);
	put_int(w, "total", f->total);
	key(w, "detail");
	inert_json_raw(&w->text, f->detail);
	begin(w, "proof", '[');
	for (int i = 0; i < f->proof_count; i++)
		put_proof(w, &f->proofs[i]);
	end(w, ']');
	end(w, '}');
}

static void put_story(struct writer *w, const struct report *r, int first, int count)
{
	begin(w, NULL, '{');
	put_int(w, "id", r->findings[first].id);
	put_text(w, "severity", r->findings[first].severity);
	begin(w, "remedies", '[');
	for (int i = first; i < first + count; i++)
		if (report_advises(r, first, count, i))
			put_text(w, NULL, r->findings[i].remedy);
	end(w, ']');
	begin(w, "findings", '[');
	for (int i = first; i < first + count; i++)
		put_finding(w, &r->findings[i]);
	end(w, ']');
	end(w, '}');
}

static void put_stories(struct writer *w, const struct report *r)
{
	begin(w, "stories", '[');
	for (int i = 0, n; i < r->finding_count; i += n) {
		n = report_story_length(r, i);
		put_story(w, r, i, n);
	}
	end(w, ']');
}

static void put_counts(struct writer *w, const struct report_counts *c)
{
	begin(w, "counts", '{');
	put_int(w, "critical", c->critical);
	put_int(w, "warning", c->warning);
	put_int(w, "notice", c->notice);
	put_int(w, "flows", c->flows);
	put_int(w, "tcp_flows", c->tcp_flows);
	put_int(w, "frames", c->frames);
	put_int(w, "frames_accounted", c->accounted);
	put_int(w, "flow_log_records", c->log_records);
	end(w, '}');
}

static void put_vantage(struct writer *w, const struct report_vantage *v)
{
	begin(w, NULL, '{');
	put_text(w, "name", v->name);
	put_text(w, "host", v->host);
	put_text(w, "kind", v->kind);
	put_text(w, "interface", v->interface);
	put_text(w, "mac", v->mac);
	put_text(w, "trust", v->trust);
	put_text(w, "trust_reasons", v->reasons);
	put_int(w, "frames", v->frames);
	put_time(w, "first", v->first_ns);
	put_time(w, "last", v->last_ns);
	end(w, '}');
}

static void put_file(struct writer *w, const struct report_file *f)
{
	begin(w, NULL, '{');
	put_text(w, "kind", f->kind);
	put_text(w, "path", f->path);
	put_text(w, "format", f->format);
	put_int(w, "records", f->records);
	put_int(w, "bytes", f->bytes);
	put_time(w, "first", f->first_ns);
	put_time(w, "last", f->last_ns);
	put_int(w, "dropped_kernel", f->dropped_kernel);
	put_int(w, "dropped_interface", f->dropped_interface);
	put_text(w, "damaged", f->damaged);
	put_text(w, "xxh3_128", f->hash);
	put_text(w, "sha256", f->sha256);
	end(w, '}');
}

static void put_leg(struct writer *w, const struct report_leg *l)
{
	begin(w, NULL, '{');
	put_text(w, "from", l->from);
	put_text(w, "to", l->to);
	put_int(w, "sent", l->sent);
	put_int(w, "delivered", l->delivered);
	put_int(w, "misaddressed", l->misaddressed);
	put_int(w, "lost", l->lost);
	put_int(w, "capture_missed", l->capture_missed);
	put_int(w, "unjudged", l->unjudged);
	end(w, '}');
}

static void put_clock(struct writer *w, const struct report_clock *c)
{
	begin(w, NULL, '{');
	put_text(w, "vantage", c->name);
	put_text(w, "reference", c->reference);
	put_int(w, "offset_ns", c->offset_ns);
	put_int(w, "offset_low_ns", c->low_ns);
	put_int(w, "offset_high_ns", c->high_ns);
	put_real(w, "skew_ppm", c->skew_ppm);
	put_text(w, "method", c->method);
	put_int(w, "pieces", c->pieces);
	end(w, '}');
}

static void put_account(struct writer *w, const struct report_account *a)
{
	begin(w, NULL, '{');
	put_text(w, "what", a->what);
	put_text(w, "disposition", a->disposition);
	put_int(w, "count", a->n);
	end(w, '}');
}

static void put_lists(struct writer *w, const struct report *r)
{
	begin(w, "vantages", '[');
	for (int i = 0; i < r->vantage_count; i++)
		put_vantage(w, &r->vantages[i]);
	end(w, ']');
	begin(w, "files", '[');
	for (int i = 0; i < r->file_count; i++)
		put_file(w, &r->files[i]);
	end(w, ']');
	begin(w, "legs", '[');
	for (int i = 0; i < r->leg_count; i++)
		put_leg(w, &r->legs[i]);
	end(w, ']');
	begin(w, "clocks", '[');
	for (int i = 0; i < r->clock_count; i++)
		put_clock(w, &r->clocks[i]);
	end(w, ']');
	begin(w, "accounts", '[');
	for (int i = 0; i < r->account_count; i++)
		put_account(w, &r->accounts[i]);
	end(w, ']');
	begin(w, "notes", '[');
	for (int i = 0; i < r->note_count; i++)
		put_text(w, NULL, r->notes[i]);
	end(w, ']');
}

int report_json(struct db *db, FILE *out, const struct report_options *options, struct error *err)
{
	struct report_options all = *options;
	struct writer w = {.first = true};
	struct report r;
	int result;

	all.findings_max = 0; /* machines get everything */
	result = report_load(&r, db, &all, err);
	if (result == 0) {
		begin(&w, NULL, '{');
		put_text(&w, "format", "bothends-report");
		put_int(&w, "version", JSON_VERSION);
		put_counts(&w, &r.counts);
		put_stories(&w, &r);
		put_lists(&w, &r);
		end(&w, '}');
		strbuf_addc(&w.text, '\n');
		(void)fwrite(w.text.text, 1, w.text.length, out);
	}
	strbuf_release(&w.text);
	report_release(&r);
	if (result == 0 && (fflush(out) != 0 || ferror(out)))
		result = error_errno(err, "cannot write the report");
	return result;
}
