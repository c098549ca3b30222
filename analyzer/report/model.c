#include "report/model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/query.h"
#include "report/verdict.h"

#define NOTES_MAX 200

/* Reads columns in order, so that a query and its reader stand side by side. */
struct row {
	const struct query *query;
	int column;
};

static char *model_next_text(struct row *row)
{
	const char *t = query_text(row->query, row->column++);

	return t ? mem_strdup(t) : NULL;
}

static int64_t model_next_int(struct row *row)
{
	return query_int(row->query, row->column++);
}

static double model_next_real(struct row *row)
{
	return query_real(row->query, row->column++);
}

static enum report_role model_next_role(struct row *row)
{
	const char *t = query_text(row->query, row->column++);

	return strcmp(t, "head") == 0	   ? ROLE_HEAD
	       : strcmp(t, "because") == 0 ? ROLE_BECAUSE
					   : ROLE_ALSO;
}

static void model_read_counts(struct report *r, struct row *row)
{
	struct report_counts *c = &r->counts;
	int64_t *const into[] = {&c->critical, &c->warning, &c->notice, &c->flows, &c->tcp_flows,
		&c->hosts, &c->captures, &c->frames, &c->accounted, &c->log_files, &c->log_records,
		&c->unanswered, &c->first_ns, &c->last_ns};

	for (size_t i = 0; i < sizeof(into) / sizeof(into[0]); i++)
		*into[i] = model_next_int(row);
}

static void model_read_finding(struct report *r, struct row *row)
{
	struct report_finding *f;

	MEM_RESERVE(r->findings, r->finding_count, r->loading.finding_cap);
	f = &r->findings[r->finding_count++];
	*f = (struct report_finding){.story_id = model_next_int(row)};
	f->role = model_next_role(row);
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
	f->news = model_next_text(row);
	f->runs = model_next_int(row);
}

/* Findings and their proof both come in order of id. */
static void model_read_proof(struct report *r, struct row *row)
{
	int64_t id = model_next_int(row);
	struct report_finding *f;
	struct report_proof *p;

	while (r->loading.proof_at < r->finding_count && r->findings[r->loading.proof_at].id < id)
		r->loading.proof_at++;
	if (r->loading.proof_at == r->finding_count || r->findings[r->loading.proof_at].id != id)
		return;
	f = &r->findings[r->loading.proof_at];
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
	*v = (struct report_vantage){.id = model_next_int(row)};
	v->host = model_next_text(row);
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
	f->compression = model_next_text(row);
	f->records = model_next_int(row);
	f->bytes = model_next_int(row);
	f->first_ns = model_next_int(row);
	f->last_ns = model_next_int(row);
	f->dropped_kernel = model_next_int(row);
	f->dropped_interface = model_next_int(row);
	f->damaged = model_next_text(row);
	f->hash = model_next_text(row);
	f->sha256 = model_next_text(row);
	f->vantage = model_next_text(row);
	f->snaplen = model_next_int(row);
	f->filter = model_next_text(row);
	f->account = model_next_text(row);
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

static void model_read_leg(struct report *r, struct row *row)
{
	struct report_leg *l;

	r->legs = mem_grow(r->legs, (size_t)r->leg_count + 1, sizeof(*r->legs));
	l = &r->legs[r->leg_count++];
	*l = (struct report_leg){.from_id = model_next_int(row)};
	l->to_id = model_next_int(row);
	l->from = model_next_text(row);
	l->to = model_next_text(row);
	l->from_host = model_next_int(row);
	l->to_host = model_next_int(row);
	l->flows = model_next_int(row);
	l->sent = model_next_int(row);
	l->delivered = model_next_int(row);
	l->misaddressed = model_next_int(row);
	l->lost = model_next_int(row);
	l->capture_missed = model_next_int(row);
	l->unjudged = model_next_int(row);
	l->duplicated = model_next_int(row);
	l->reordered = model_next_int(row);
	l->retransmitted = model_next_int(row);
	l->injected = model_next_int(row);
	l->estimated = model_next_int(row) == 1;
}

static void model_read_run(struct report *r, struct row *row)
{
	struct report_run *run = &r->run;
	CLEANUP_FREE char *key = model_next_text(row);
	char **to = strcmp(key, "filter") == 0 ? &run->filter
		    : strcmp(key, "from") == 0 ? &run->from
		    : strcmp(key, "to") == 0   ? &run->to
					       : NULL;

	if (to)
		*to = model_next_text(row);
}

static void model_read_address(struct report *r, struct row *row)
{
	struct report_address *a;

	r->addresses = mem_grow(r->addresses, (size_t)r->address_count + 1, sizeof(*r->addresses));
	a = &r->addresses[r->address_count++];
	*a = (struct report_address){.vantage_id = model_next_int(row)};
	a->ip = model_next_text(row);
	a->addresses = model_next_int(row);
}

static void model_read_note(struct report *r, struct row *row)
{
	r->notes = mem_grow(r->notes, (size_t)r->note_count + 1, sizeof(*r->notes));
	r->notes[r->note_count++] = model_next_text(row);
	r->open_count += model_next_int(row) == 1;
}

struct part {
	enum report_query query;
	const char *parameter; /* NULL: the query has none */
	int64_t value;
	void (*read)(struct report *, struct row *);
};

static int model_each(struct report *r, struct db *db, const struct part *part, struct error *err)
{
	struct query q;
	int result = part->parameter ? query_open(&q, db, err, part->query, part->parameter,
					       part->value, NULL)
				     : query_open(&q, db, err, part->query, NULL);

	if (result)
		return result;
	while (query_next(&q)) {
		struct row row = {.query = &q};

		part->read(r, &row);
	}
	return query_close(&q, err);
}

/* Findings come by id, and the findings of a story follow each other. */
static void model_group(struct report *r)
{
	struct report_story *s = NULL;

	r->stories = mem_array((size_t)r->finding_count + 1, sizeof(*r->stories));
	for (int i = 0; i < r->finding_count; i++) {
		const struct report_finding *f = &r->findings[i];

		if (!s || s->findings->story_id != f->story_id) {
			s = &r->stories[r->story_count++];
			*s = (struct report_story){.findings = f};
		}
		assert(s->findings + s->count == f); /* those of a story stand together */
		s->count++;
		s->also += f->role == ROLE_ALSO;
	}
}

/* Does a piece say more than another? Both bounds say more than one, and many packets more than
 * few. */
static bool model_says_more(const struct ref_clock_piece *a, const struct ref_clock_piece *b)
{
	if ((a->offset_ns == DB_NONE) != (b->offset_ns == DB_NONE))
		return b->offset_ns == DB_NONE;
	return a->samples > b->samples;
}

/* The best piece of each clock that is measured against another. */
static void model_list_clocks(struct report *r)
{
	struct report_clock *c = NULL;

	r->clocks = mem_array(r->ref_clock.count + 1, sizeof(*r->clocks));
	for (size_t i = 0; i < r->ref_clock.count; i++) {
		const struct ref_clock_piece *p = &r->ref_clock.pieces[i];

		if (p->vantage == p->reference)
			continue;
		if (!c || c->best->vantage != p->vantage) {
			c = &r->clocks[r->clock_count++];
			*c = (struct report_clock){.best = p};
		}
		if (model_says_more(p, c->best))
			c->best = p;
		c->pieces++;
	}
}

/* The last finding of the stories that begin up to story_max; 0: none. */
static int64_t model_last_finding(const struct report *r, int64_t story_max)
{
	for (int i = r->finding_count - 1; i >= 0; i--)
		if (r->findings[i].story_id <= story_max)
			return r->findings[i].id;
	return 0;
}

int report_load(struct report *r, struct db *db, int64_t findings_max, int64_t proofs_max,
	struct error *err)
{
	const struct part findings = {
		Q_FINDINGS, ":limit", findings_max ? findings_max : -1, model_read_finding};
	struct part parts[] = {
		{Q_EVIDENCE, ":limit", -1, model_read_proof},
		{Q_COUNTS, NULL, 0, model_read_counts},
		{Q_VANTAGES, NULL, 0, model_read_vantage},
		{Q_FILES, NULL, 0, model_read_file},
		{Q_ACCOUNTS, NULL, 0, model_read_account},
		{Q_LEGS, NULL, 0, model_read_leg},
		{Q_ANALYSIS, NULL, 0, model_read_run},
		{Q_ADDRESSES, NULL, 0, model_read_address},
		{Q_NOTES, ":limit", NOTES_MAX, model_read_note},
	};
	int result;

	*r = (struct report){0};
	result = ref_clock_load(&r->ref_clock, db, err);
	if (result == 0)
		result = model_each(r, db, &findings, err);
	if (proofs_max)
		parts[0].value = model_last_finding(r, proofs_max);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && result == 0; i++)
		result = model_each(r, db, &parts[i], err);
	if (result)
		return result;
	model_group(r);
	model_list_clocks(r);
	report_set_verdict(r);
	return 0;
}

int64_t report_all_findings(const struct report *r)
{
	return r->counts.critical + r->counts.warning + r->counts.notice;
}

static int model_by_id(const void *key, const void *element)
{
	int64_t id = *(const int64_t *)key, other = ((const struct report_vantage *)element)->id;

	return id < other ? -1 : id > other;
}

const struct report_vantage *report_vantage(const struct report *r, int64_t id)
{
	return r->vantage_count ? bsearch(&id, r->vantages, (size_t)r->vantage_count,
					  sizeof(*r->vantages), model_by_id)
				: NULL;
}

static void model_free_finding(struct report_finding *f)
{
	char *texts[] = {f->kind, f->severity, f->host, f->from, f->to, f->src_ip, f->dst_ip,
		f->summary, f->remedy, f->detail, f->times, f->news};

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
	char *texts[] = {f->kind, f->path, f->format, f->compression, f->damaged, f->hash,
		f->sha256, f->vantage, f->filter, f->account};

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
	for (int i = 0; i < r->leg_count; i++) {
		free(r->legs[i].from);
		free(r->legs[i].to);
	}
	for (int i = 0; i < r->address_count; i++)
		free(r->addresses[i].ip);
	for (int i = 0; i < r->note_count; i++)
		free(r->notes[i]);
	free(r->run.filter);
	free(r->run.from);
	free(r->run.to);
	ref_clock_release(&r->ref_clock);
	free(r->verdict);
	free(r->checked);
	free(r->findings);
	free(r->stories);
	free(r->vantages);
	free(r->files);
	free(r->accounts);
	free(r->clocks);
	free(r->legs);
	free(r->addresses);
	free(r->notes);
	*r = (struct report){0};
}
