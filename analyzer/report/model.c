#include "report/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NOTES_MAX 200

/* Reads columns in order, so that a query and its reader stand side by side. */
struct row {
	sqlite3_stmt *stmt;
	int column;
};

static char *model_next_text(struct row *row)
{
	const char *t = (const char *)sqlite3_column_text(row->stmt, row->column++);

	return t ? mem_strdup(t) : NULL;
}

static int64_t model_next_int(struct row *row)
{
	int column = row->column++;

	if (sqlite3_column_type(row->stmt, column) == SQLITE_NULL)
		return DB_NONE;
	return sqlite3_column_int64(row->stmt, column);
}

static double model_next_real(struct row *row)
{
	return sqlite3_column_double(row->stmt, row->column++);
}

static void model_read_counts(struct report *r, struct row *row)
{
	int64_t *const into[] = {&r->counts.critical, &r->counts.warning, &r->counts.notice,
		&r->counts.flows, &r->counts.tcp_flows, &r->counts.frames, &r->counts.accounted,
		&r->counts.vantages, &r->counts.log_records, &r->counts.log_files};

	for (size_t i = 0; i < sizeof(into) / sizeof(into[0]); i++)
		*into[i] = model_next_int(row);
}

static void model_read_finding(struct report *r, struct row *row)
{
	struct report_finding *f;

	MEM_RESERVE(r->findings, r->finding_count, r->finding_cap);
	f = &r->findings[r->finding_count++];
	*f = (struct report_finding){.story_id = model_next_int(row)};
	f->role = model_next_text(row);
	f->depth = model_next_int(row);
	f->id = model_next_int(row);
	f->kind = model_next_text(row);
	f->severity = model_next_text(row);
	f->confidence = model_next_real(row);
	f->host = model_next_text(row);
	f->from = model_next_text(row);
	f->to = model_next_text(row);
	f->src_ip = model_next_text(row);
	f->dst_ip = model_next_text(row);
	f->first_ns = model_next_int(row);
	f->last_ns = model_next_int(row);
	f->count = model_next_int(row);
	f->total = model_next_int(row);
	f->summary = model_next_text(row);
	f->remedy = model_next_text(row);
	f->cause_id = model_next_int(row);
	f->detail = model_next_text(row);
	f->times = model_next_text(row);
}

/* Findings and their proof both come in order of id. */
static void model_read_proof(struct report *r, struct row *row)
{
	int64_t id = model_next_int(row);
	struct report_finding *f;
	struct report_proof *p;

	while (r->proof_at < r->finding_count && r->findings[r->proof_at].id < id)
		r->proof_at++;
	if (r->proof_at == r->finding_count || r->findings[r->proof_at].id != id)
		return;
	f = &r->findings[r->proof_at];
	f->proofs = mem_grow(f->proofs, (size_t)f->proof_count + 1, sizeof(*f->proofs));
	p = &f->proofs[f->proof_count++];
	*p = (struct report_proof){.path = model_next_text(row)};
	p->number = model_next_int(row);
	p->is_log = model_next_int(row) == 1;
	p->flow_id = model_next_int(row);
	p->note = model_next_text(row);
}

static void model_read_vantage(struct report *r, struct row *row)
{
	struct report_vantage *v;

	r->vantages = mem_grow(r->vantages, (size_t)r->vantage_count + 1, sizeof(*r->vantages));
	v = &r->vantages[r->vantage_count++];
	row->column = 1; /* id is for people */
	*v = (struct report_vantage){.host = model_next_text(row)};
	v->name = model_next_text(row);
	v->kind = model_next_text(row);
	v->interface = model_next_text(row);
	v->mac = model_next_text(row);
	v->trust = model_next_text(row);
	v->reasons = model_next_text(row);
	v->first_ns = model_next_int(row);
	v->last_ns = model_next_int(row);
	v->frames = model_next_int(row);
	v->files = model_next_int(row);
	v->path = model_next_text(row);
	v->tcp_missed = model_next_int(row);
	v->duplicates = model_next_int(row);
}

static void model_read_file(struct report *r, struct row *row)
{
	struct report_file *f;

	r->files = mem_grow(r->files, (size_t)r->file_count + 1, sizeof(*r->files));
	f = &r->files[r->file_count++];
	*f = (struct report_file){.kind = model_next_text(row)};
	f->path = model_next_text(row);
	f->format = model_next_text(row);
	f->records = model_next_int(row);
	f->bytes = model_next_int(row);
	f->first_ns = model_next_int(row);
	f->last_ns = model_next_int(row);
	f->dropped_kernel = model_next_int(row);
	f->dropped_interface = model_next_int(row);
	f->damaged = model_next_text(row);
	f->hash = model_next_text(row);
	f->sha256 = model_next_text(row);
}

static void model_read_account(struct report *r, struct row *row)
{
	struct report_account *a;

	r->accounts = mem_grow(r->accounts, (size_t)r->account_count + 1, sizeof(*r->accounts));
	a = &r->accounts[r->account_count++];
	*a = (struct report_account){.what = model_next_text(row)};
	a->disposition = model_next_text(row);
	a->n = model_next_int(row);
}

static void model_read_clock(struct report *r, struct row *row)
{
	struct report_clock *c;

	r->clocks = mem_grow(r->clocks, (size_t)r->clock_count + 1, sizeof(*r->clocks));
	c = &r->clocks[r->clock_count++];
	*c = (struct report_clock){.name = model_next_text(row)};
	c->reference = model_next_text(row);
	c->offset_ns = model_next_int(row);
	c->low_ns = model_next_int(row);
	c->high_ns = model_next_int(row);
	c->skew_ppm = model_next_real(row);
	c->method = model_next_text(row);
	c->samples = model_next_int(row);
	c->pieces = model_next_int(row);
}

static void model_read_leg(struct report *r, struct row *row)
{
	struct report_leg *l;

	r->legs = mem_grow(r->legs, (size_t)r->leg_count + 1, sizeof(*r->legs));
	l = &r->legs[r->leg_count++];
	*l = (struct report_leg){.from = model_next_text(row)};
	l->to = model_next_text(row);
	l->sent = model_next_int(row);
	l->delivered = model_next_int(row);
	l->misaddressed = model_next_int(row);
	l->lost = model_next_int(row);
	l->capture_missed = model_next_int(row);
	l->unjudged = model_next_int(row);
}

static void model_read_note(struct report *r, struct row *row)
{
	r->notes = mem_grow(r->notes, (size_t)r->note_count + 1, sizeof(*r->notes));
	r->notes[r->note_count++] = model_next_text(row);
}

/* parameter (may be NULL) is bound to value. */
static int model_each(struct report *r, struct db *db, const char *what, const char *sql,
	const char *parameter, int64_t value, void (*read)(struct report *, struct row *),
	struct error *err)
{
	sqlite3_stmt *stmt;
	int step;

	if (sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL) != SQLITE_OK)
		return error_set(err, -EIO, "report: %s: %s", what, sqlite3_errmsg(db->handle));
	if (parameter)
		db_int(stmt, sqlite3_bind_parameter_index(stmt, parameter), value);
	while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct row row = {.stmt = stmt};

		read(r, &row);
	}
	(void)sqlite3_finalize(stmt);
	if (step != SQLITE_DONE)
		return error_set(err, -EIO, "report: %s: %s", what, sqlite3_errmsg(db->handle));
	return 0;
}

int report_load(
	struct report *r, struct db *db, const struct report_options *options, struct error *err)
{
	int64_t limit = options->findings_max ? options->findings_max : -1;
	const struct {
		const char *what, *sql, *parameter;
		int64_t value;
		void (*read)(struct report *, struct row *);
	} parts[] = {
		{"counts", schema_report_counts, NULL, 0, model_read_counts},
		{"findings", schema_report_findings, ":limit", limit, model_read_finding},
		{"evidence", schema_report_evidence, ":limit", limit, model_read_proof},
		{"vantages", schema_report_vantages, NULL, 0, model_read_vantage},
		{"files", schema_report_files, NULL, 0, model_read_file},
		{"accounts", schema_report_accounts, NULL, 0, model_read_account},
		{"clocks", schema_report_clocks, NULL, 0, model_read_clock},
		{"legs", schema_report_legs, NULL, 0, model_read_leg},
		{"notes", schema_report_notes, ":limit", NOTES_MAX, model_read_note},
	};
	int result = 0;

	*r = (struct report){0};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && result == 0; i++)
		result = model_each(r, db, parts[i].what, parts[i].sql, parts[i].parameter,
			parts[i].value, parts[i].read, err);
	return result;
}

static void model_free_finding(struct report_finding *f)
{
	char *texts[] = {f->role, f->kind, f->severity, f->host, f->from, f->to, f->src_ip,
		f->dst_ip, f->summary, f->remedy, f->detail, f->times};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	for (int i = 0; i < f->proof_count; i++) {
		free(f->proofs[i].path);
		free(f->proofs[i].note);
	}
	free(f->proofs);
}

static void model_free_vantage(struct report_vantage *v)
{
	char *texts[] = {
		v->host, v->name, v->kind, v->interface, v->mac, v->trust, v->reasons, v->path};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
}

static void model_free_file(struct report_file *f)
{
	char *texts[] = {f->kind, f->path, f->format, f->damaged, f->hash, f->sha256};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
}

void report_release(struct report *r)
{
	for (int i = 0; i < r->finding_count; i++)
		model_free_finding(&r->findings[i]);
	for (int i = 0; i < r->vantage_count; i++)
		model_free_vantage(&r->vantages[i]);
	for (int i = 0; i < r->file_count; i++)
		model_free_file(&r->files[i]);
	for (int i = 0; i < r->account_count; i++) {
		free(r->accounts[i].what);
		free(r->accounts[i].disposition);
	}
	for (int i = 0; i < r->clock_count; i++) {
		free(r->clocks[i].name);
		free(r->clocks[i].reference);
		free(r->clocks[i].method);
	}
	for (int i = 0; i < r->leg_count; i++) {
		free(r->legs[i].from);
		free(r->legs[i].to);
	}
	for (int i = 0; i < r->note_count; i++)
		free(r->notes[i]);
	free(r->findings);
	free(r->vantages);
	free(r->files);
	free(r->accounts);
	free(r->clocks);
	free(r->legs);
	free(r->notes);
	*r = (struct report){0};
}

bool report_extractable(const struct report_finding *f)
{
	for (int i = 0; i < f->proof_count; i++)
		if (f->proofs[i].path && !f->proofs[i].is_log && f->proofs[i].number != DB_NONE)
			return true;
	return false;
}

int report_story_length(const struct report *r, int first)
{
	int n = 1;

	while (first + n < r->finding_count &&
		r->findings[first + n].story_id == r->findings[first].story_id)
		n++;
	return n;
}

int report_also_count(const struct report *r, int first, int count)
{
	int n = 0;

	for (int i = first; i < first + count; i++)
		n += strcmp(r->findings[i].role, "also") == 0;
	return n;
}

bool report_is_beyond(const struct report *r, int first, int i)
{
	return strcmp(r->findings[i].role, "also") == 0 &&
	       report_also_count(r, first, i - first) >= REPORT_ALSO;
}

bool report_advises(const struct report *r, int first, int count, int i)
{
	bool caused = false;

	if (!r->findings[i].remedy || strcmp(r->findings[i].role, "also") == 0)
		return false;
	for (int k = first; k < first + count; k++)
		caused |= r->findings[k].remedy && strcmp(r->findings[k].role, "because") == 0;
	return !caused || i != first;
}

const char *report_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

void report_shell_word(struct strbuf *out, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:@%,=";

	if (*word && word[strspn(word, plain)] == 0) {
		strbuf_adds(out, word);
		return;
	}
	strbuf_addc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_adds(out, "'\\'");
		strbuf_addc(out, *word);
	}
	strbuf_addc(out, '\'');
}
