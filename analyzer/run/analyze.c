#include "run/analyze.h"

#include <assert.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "base/parallel.h"
#include "base/strbuf.h"
#include "join/pair.h"
#include "join/position.h"
#include "judge/judge.h"
#include "read/filter.h"
#include "read/source.h"
#include "join/order.h"
#include "run/confinement.h"
#include "run/plan.h"
#include "run/progress.h"
#include "record/facts.h"
#include "record/holes.h"
#include "record/portreuse.h"
#include "record/synstamps.h"
#include "flowlog/ingest.h"
#include "flowlog/inventory.h"
#include "hostfile/hostfile.h"
#include "record/flowrows.h"
#include "record/flows.h"
#include "record/hostfacts.h"
#include "record/silences.h"
#include "record/survey.h"
#include "store/settings.h"
#include "survey/stated.h"
#include "survey/stated_scope.h"
#include "survey/two_hosts.h"

/* Of --memory, what the packets' records may take; flow tables, SQLite and the rest share the
 * remainder. */
#define RECORDS_SHARE 0.6
/*
 * What a flow of one vantage point takes at most beside its records, which can go to the spill
 * file: its place in the tables, its addresses, pairs and services here, in the join and in the
 * sums, each while it doubles (measured: a flood of SYNs, each from another address).
 */
#define FLOW_COST 600
/* The share of --memory for it. */
#define FLOWS_SHARE 0.5
/* What pairing, sums and indexes take for each flow of each vantage point, and SQLite's cache
 * (measured). */
#define JOIN_COST 200
#define JOIN_FIXED (32 << 20)

struct analysis {
	const struct analyze_options *o;
	struct db *db;
	struct plan plan;
	struct dataset data;
	struct filter *filter;
	struct ingest_options ingest;
	struct host_reading **readings;
	int *results;
	struct error *errors;
	struct flows all;
	struct owners owners;
	struct clocks clocks;
	struct idle idle;
	struct join join;
	struct ordering ordering;
	_Atomic uint64_t bytes_read;
	struct progress *progress;
	unsigned threads;
	/* settings that are used before judging */
	struct {
		double delay_max_s, packets_per_flow, events_max, packets_max;
	} limits;
	uint32_t last_host_file; /* last row of host_file */
};

static uint64_t analyze_memory_limit(const struct analyze_options *o)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	if (o->memory)
		return o->memory;
	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : UINT64_C(2) << 30;
}

static unsigned analyze_thread_count(const struct analyze_options *o)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (o->threads)
		return o->threads;
	return n > 0 ? (unsigned)n : 1;
}

static void analyze_read_host(void *context, unsigned thread, uint32_t begin, uint32_t end)
{
	struct analysis *r = context;

	(void)thread;
	for (uint32_t h = begin; h < end; h++)
		r->readings[h] =
			ingest_host(&r->data, h, &r->ingest, &r->results[h], &r->errors[h]);
}

/* The join needs memory of its own for each flow: the records make room. */
static void analyze_make_room(struct analysis *r)
{
	uint64_t memory = analyze_memory_limit(r->o), need = JOIN_FIXED;

	for (uint32_t i = 0; i < r->data.vantage_count; i++)
		need += (uint64_t)r->data.vantages[i].flows.count * JOIN_COST;
	arena_budget_lower(r->data.budget, memory > need ? memory - need : 0);
	for (uint32_t h = 0; h < r->data.host_count; h++)
		arena_fit(&r->data.hosts[h].arena);
}

static int analyze_read_all(struct analysis *r, struct error *err)
{
	uint32_t n = r->data.host_count;
	int result = 0;

	assert(r->threads > 0);
	r->readings = mem_array(n + 1, sizeof(struct host_reading *));
	r->results = mem_array(n + 1, sizeof(*r->results));
	r->errors = mem_array(n + 1, sizeof(*r->errors));
	parallel_run(r->threads < n ? r->threads : n, n, 1, analyze_read_host, r);
	for (uint32_t h = 0; h < n && result == 0; h++) {
		result = r->results[h];
		if (result)
			*err = r->errors[h];
	}
	gather_vantages(&r->data, r->readings);
	analyze_make_room(r);
	if (result == 0)
		result = arena_budget_failed(r->data.budget, err);
	return result;
}

/* Joined with itself a capture would seem to have lost nothing. */
static int analyze_refuse_copies(const struct dataset *data, struct error *err)
{
	for (uint32_t i = 0; i < data->capture_count; i++) {
		const struct capture *a = &data->captures[i];

		for (uint32_t k = 0; k < i && a->frames; k++) {
			const struct capture *b = &data->captures[k];

			if (memcmp(a->hash, b->hash, sizeof(a->hash)) == 0 && a->bytes == b->bytes)
				return error_set(err, -EEXIST,
					"'%s' and '%s' are identical; give the capture of the "
					"other end",
					b->path, a->path);
		}
	}
	return 0;
}

/* As one host it would seem to have sent what it received. */
static int analyze_refuse_two_hosts(const struct dataset *data, struct error *err)
{
	struct fileindex_place a, b;
	struct two_hosts t;

	if (!two_hosts_find(data, &t))
		return 0;
	a = facts_place(data, t.vantage[0], t.frame[0]);
	b = facts_place(data, t.vantage[1], t.frame[1]);
	return error_set(err, -EINVAL,
		"'%s' is given for two hosts: each received frames that the other sent "
		"('%s' frame %u, '%s' frame %u); give each a NAME of its own",
		data->hosts[data->vantages[t.vantage[0]].host].name,
		data->captures[a.file - 1].path, a.number, data->captures[b.file - 1].path,
		b.number);
}

static void analyze_relate(struct analysis *r)
{
	progress_stage(r->progress, "pairing flows");
	pair_flows(&r->data, r->threads, &r->all);
	owners_infer(&r->data, &r->all, &r->owners);
	position_members(&r->data, &r->owners, r->threads, &r->all);
	progress_stage(r->progress, "relating clocks");
	clocks_make(&r->data, &r->all, r->threads,
		(int64_t)(r->limits.delay_max_s * (double)NSEC_PER_SEC), &r->clocks);
	idle_learn(&r->data, &r->clocks, &r->idle);
	order_and_account(&r->data, &r->all, &r->clocks, r->threads, &r->ordering);
	r->join = (struct join){.data = &r->data,
		.all = &r->all,
		.owners = &r->owners,
		.clocks = &r->clocks,
		.idle = &r->idle,
		.order = r->ordering.order,
		.options = {.threads = r->threads,
			.packets = r->o->packets,
			.packets_per_flow = (uint32_t)r->limits.packets_per_flow,
			.filter = r->o->filter}};
	join_judge_duplicates(&r->join);
}

static void analyze_insert_analysis(struct db *db, const char *key, const char *value)
{
	sqlite3_stmt *s = db_insert(db, TABLE_ANALYSIS);

	db_text(s, 1, key);
	db_text(s, 2, value);
	db_step(db, s);
}

static void analyze_store_analysis(const struct analysis *r)
{
	char text[NSEC_TEXT_SIZE];

	analyze_insert_analysis(r->db, "version", r->o->version);
	analyze_insert_analysis(r->db, "filter", r->o->filter);
	analyze_insert_analysis(r->db, "from",
		r->o->from_ns == INT64_MIN ? NULL : nsec_format(r->o->from_ns, text));
	analyze_insert_analysis(
		r->db, "to", r->o->to_ns == INT64_MAX ? NULL : nsec_format(r->o->to_ns, text));
	(void)snprintf(text, sizeof(text), "%u", r->plan.skipped);
	analyze_insert_analysis(r->db, "skipped_files", text);
}

/* What was read back from the spill file is not needed again soon. */
#define BATCHES_BETWEEN_DROPS 32

struct sink {
	struct flow_writer writer;
	struct dataset *data;
	uint32_t batches;
};

static int analyze_take_batch(void *context, struct join_batch *batch)
{
	struct sink *s = context;

	if (++s->batches % BATCHES_BETWEEN_DROPS == 0)
		for (uint32_t i = 0; i < s->data->host_count; i++)
			arena_drop_spilled(&s->data->hosts[i].arena);
	return flow_writer_batch(&s->writer, batch);
}

static int analyze_store_flows(struct analysis *r, struct error *err)
{
	struct sink sink = {.data = &r->data};
	struct flow_writer *w = &sink.writer;
	int result, finished;

	progress_stage(r->progress, "joining and storing");
	result = flow_writer_init(w, r->db, &r->join, (uint64_t)r->limits.events_max,
		(uint64_t)r->limits.packets_max, err);
	if (result == 0)
		result = join_run(&r->join, flowrows_make, analyze_take_batch, &sink);
	finished = flow_writer_finish(w, err);
	result = result ? result : finished;
	if (result == 0)
		result = db_run(r->db, "database", schema_statement_begin, err);
	if (result == 0)
		flow_writer_settle(w);
	flow_writer_release(w);
	result = db_failed(r->db, err) ? -EIO : result;
	return result ? result : arena_budget_failed(r->data.budget, err);
}

/* A listing's whole text; these are small files. */
#define LISTING_MAX (64 << 20)

/* The content, decompressed. A file that was there when the run was planned and is not any more is
 * empty. */
static char *analyze_read_whole(const char *path, size_t *ret_size)
{
	struct strbuf text = STRBUF_INIT;
	struct source *s = NULL;
	struct error unused;
	size_t n;

	if (source_open(&s, path, false, &unused) == 0)
		while ((n = source_need(s, 1)) > 0)
			strbuf_add(&text, (const char *)cur_take(&s->window, n), n);
	(void)source_close(s);
	*ret_size = text.length;
	return strbuf_steal(&text);
}

/* A sidecar is read with its capture, also where a folder holds both. */
static bool analyze_is_beside(const struct analysis *r, const struct host *h, const char *path)
{
	for (uint32_t k = 0; k < h->capture_count; k++) {
		char *sidecar CLEANUP_FREE =
			agentfacts_sidecar_path(r->data.captures[h->captures[k]].path);

		if (strcmp(sidecar, path) == 0)
			return true;
	}
	return false;
}

/* Listings and sidecars that were given as inputs of their own. */
static void analyze_store_listings(
	const struct analysis *r, const struct host *h, struct hostfacts *hf)
{
	for (uint32_t i = 0; i < r->plan.count; i++) {
		const struct plan_input *in = &r->plan.inputs[i];
		char *text CLEANUP_FREE = NULL;
		size_t size;

		if (!in->name || strcmp(in->name, h->name) != 0 ||
			(in->kind != PLAN_NEIGHBORS && in->kind != PLAN_AGENT_FACTS) ||
			(in->kind == PLAN_AGENT_FACTS && analyze_is_beside(r, h, in->path)))
			continue;
		text = analyze_read_whole(in->path, &size);
		if (in->kind == PLAN_NEIGHBORS)
			(void)hostfacts_neighbors(hf, text, size);
		else
			hostfacts_sidecar_bytes(hf, text, size);
	}
}

/* A file of hostfile/, as its row wants it. */
static void analyze_store_hostfile(struct hostfacts *hf, const struct collection_file *f)
{
	struct hostfacts_file row = {.id = f->id,
		.path = f->path,
		.kind = f->kind,
		.lines = f->lines,
		.facts = f->facts,
		.malformed = f->malformed,
		.cut = f->cut,
		.undated = f->undated,
		.modified_ns = f->modified_ns,
		.damaged = f->damaged};

	hostfacts_file(hf, &row);
}

static bool analyze_is_collected(
	const struct plan_input *in, const struct host *h, uint32_t collection)
{
	return (in->kind == PLAN_HOST_FILE || in->kind == PLAN_UNKNOWN) &&
	       in->collection == collection && strcmp(in->name, h->name) == 0;
}

/* What was collected in one folder, or in single files: facts, and a row for each file. */
static int analyze_store_collection(struct analysis *r, const struct host *h, uint32_t collection,
	struct hostfacts *hf, struct error *err)
{
	struct collection c;
	int result = 0;

	collection_init(&c, &r->o->logs);
	for (uint32_t i = 0; i < r->plan.count && result == 0; i++) {
		const struct plan_input *in = &r->plan.inputs[i];

		if (analyze_is_collected(in, h, collection))
			result = hostfile_read(&c, in->path, in->path, &r->last_host_file, err);
	}
	if (result == 0)
		hostfile_finish(&c, hostfacts_take, hf);
	for (size_t i = 0; i < c.file_count; i++)
		analyze_store_hostfile(hf, c.files[i]);
	collection_release(&c);
	return result;
}

static int analyze_store_collections(
	struct analysis *r, const struct host *h, struct hostfacts *hf, struct error *err)
{
	int result = 0;

	for (uint32_t i = 0; i <= r->plan.collections && result == 0; i++)
		result = analyze_store_collection(r, h, i, hf, err);
	return result;
}

static int analyze_store_hostfacts(struct analysis *r, struct error *err)
{
	int result = 0;

	for (uint32_t i = 0; i < r->data.host_count && result >= 0; i++) {
		const struct host *h = &r->data.hosts[i];
		struct hostfacts *hf = hostfacts_new(r->db, h->id);

		for (uint32_t k = 0; k < h->vantage_count; k++) {
			const struct vantage *v = &r->data.vantages[h->vantages[k]];

			hostfacts_vantage(hf, v->interface, v->id);
		}
		for (uint32_t k = 0; k < h->fact_count; k++)
			if (strcmp(h->facts[k].key, "comment") == 0)
				(void)hostfacts_comment(hf, h->facts[k].value);
		for (uint32_t k = 0; k < h->capture_count && result >= 0; k++)
			result = hostfacts_sidecar(hf, r->data.captures[h->captures[k]].path, err);
		analyze_store_listings(r, h, hf);
		if (result >= 0)
			result = analyze_store_collections(r, h, hf, err);
		hostfacts_finish(hf);
	}
	return result < 0 ? result : 0;
}

static int analyze_store(struct analysis *r, struct error *err)
{
	int result = db_run(r->db, "database", schema_statement_begin, err);

	if (result)
		return result;
	analyze_store_analysis(r);
	facts_captures(r->db, &r->data, &r->join);
	survey_store(r->db, &r->data, &r->owners, &r->ordering);
	result = db_run(r->db, "database", schema_statement_commit, err);
	if (result == 0)
		result = analyze_store_flows(r, err);
	if (result)
		return result;
	facts_clocks(r->db, &r->clocks);
	facts_observations(r->db, &r->data, &r->all, r->ordering.row);
	silences_store(r->db, &r->data, &r->all, r->ordering.row);
	holes_store(r->db, &r->data, r->ordering.row);
	portreuse_store(r->db, &r->data, r->ordering.row);
	synstamps_store(r->db, &r->data);
	result = analyze_store_hostfacts(r, err);
	if (result == 0)
		result = db_run(r->db, "survey", schema_statement_survey, err);
	if (result == 0)
		result = db_run(r->db, "trust", schema_statement_trust, err);
	if (result == 0)
		result = db_failed(r->db, err);
	return result ? result : db_run(r->db, "database", schema_statement_commit, err);
}

static bool analyze_has_flow_logs(const struct plan *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (p->inputs[i].kind == PLAN_FLOW_LOG)
			return true;
	return false;
}

static int analyze_refuse_flow_log(const struct plan_input *in, int outcome, struct error *err)
{
	if (outcome == FLOWLOG_OUTCOME_NEEDS_DUCKDB)
		return -ENOENT;
	return error_set(err, -EINVAL, "cannot use '%s': %s", in->path,
		outcome == FLOWLOG_OUTCOME_EMPTY ? "it is empty"
						 : "it is neither a capture nor a flow log");
}

static int analyze_ingest_flow_logs(const struct analysis *r, struct flowlog *f, struct error *err)
{
	int result = 0;

	for (uint32_t i = 0; i < r->plan.count && result == 0; i++) {
		const struct plan_input *in = &r->plan.inputs[i];
		struct flowlog_counts counts;
		int outcome;

		if (in->kind != PLAN_FLOW_LOG)
			continue;
		outcome = flowlog_ingest(f, in->path, in->name, &counts, err);
		if (outcome < 0)
			result = outcome;
		else if (in->named_file && outcome != FLOWLOG_TAKEN &&
			 outcome != FLOWLOG_OUTCOME_KNOWN)
			result = analyze_refuse_flow_log(in, outcome, err);
	}
	return result ? result : flowlog_finish(f, err);
}

#define KEEP_ALL_BYTES (UINT64_C(512) << 20)

/* Flow logs alone, all in files that can be read again, and too many for a row each. */
static bool analyze_is_large(const struct plan *p)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		const struct plan_input *in = &p->inputs[i];

		if (in->kind != PLAN_FLOW_LOG || !in->regular)
			return false;
		bytes += in->stored_size;
	}
	return bytes > KEEP_ALL_BYTES;
}

/* What packets are held against is each record; and standard input is read once. */
static int analyze_check_keep(const struct analysis *r, struct error *err)
{
	for (uint32_t i = 0; i < r->plan.count && r->o->flow_logs.keep == ANALYZE_KEEP_PROOF; i++)
		if (r->plan.inputs[i].kind != PLAN_FLOW_LOG || !r->plan.inputs[i].regular)
			return error_set(err, -EINVAL,
				"--keep proof is for files of flow logs alone, and '%s' is none: "
				"leave it out",
				r->plan.inputs[i].path);
	return 0;
}

static struct flowlog_options analyze_flow_log_options(const struct analysis *r)
{
	const struct analyze_options *o = r->o;
	bool by_size = o->flow_logs.keep == ANALYZE_KEEP_BY_SIZE && !o->since_last;

	return (struct flowlog_options){.format = o->flow_logs.format,
		.memory = analyze_memory_limit(o) / 2,
		.threads = r->threads,
		.hosts = o->flow_logs.hosts,
		.host_count = (size_t)o->flow_logs.host_count,
		.carry = o->since_last,
		.proof = by_size ? analyze_is_large(&r->plan)
				 : o->flow_logs.keep == ANALYZE_KEEP_PROOF};
}

static int analyze_store_flow_logs(struct analysis *r, struct error *err)
{
	const struct analyze_options *o = r->o;
	struct flowlog_options options = analyze_flow_log_options(r);
	char *folder CLEANUP_FREE = mem_strdup(o->output);
	struct flowlog *f = NULL;
	int result = 0;

	if (!analyze_has_flow_logs(&r->plan))
		return 0;
	progress_stage(r->progress, "reading flow logs");
	options.folder = dirname(folder);
	if (o->flow_logs.name_count)
		result = flowlog_inventory_store(
			r->db, o->flow_logs.names, o->flow_logs.name_count, err);
	if (result == 0)
		result = flowlog_new(&f, r->db, &options, err);
	if (result == 0)
		result = analyze_ingest_flow_logs(r, f, err);
	(void)flowlog_free(f);
	return result;
}

/* Findings are known now: the records that they cite. */
static int analyze_keep_cited(const struct analysis *r, struct error *err)
{
	struct flowlog_options options = analyze_flow_log_options(r);

	return flowlog_keep_cited(r->db, &options, err);
}

static int analyze_judge(struct analysis *r, struct error *err)
{
	int result;

	progress_stage(r->progress, "judging");
	result = db_run(r->db, "indexes", schema_indexes, err);
	if (result == 0)
		result = judge_run(r->db, r->o->rules_dir, err);
	if (result == 0)
		result = analyze_keep_cited(r, err);
	return result ? result : db_commit_file(r->db, err);
}

static int analyze_take_settings(struct analysis *r, struct error *err)
{
	const struct {
		const char *key;
		double *value;
	} used[] = {{"delay_max_s", &r->limits.delay_max_s},
		{"packets_per_flow", &r->limits.packets_per_flow},
		{"events_max", &r->limits.events_max}, {"packets_max", &r->limits.packets_max}};
	int result = 0;

	for (int i = 0; i < r->o->setting_count && result == 0; i++)
		result = setting_change(r->db, r->o->settings[i], err);
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]) && result == 0; i++)
		result = setting_value(r->db, used[i].key, used[i].value, err);
	return result;
}

static int analyze_prepare(struct analysis *r, struct error *err)
{
	const struct analyze_options *o = r->o;
	char *folder CLEANUP_FREE = mem_strdup(o->output);
	uint64_t memory = analyze_memory_limit(o);
	double flows = (double)memory * FLOWS_SHARE / FLOW_COST;
	int result;

	result = db_create(r->db, o->output, o->force, err);
	if (result > 0)
		result = -EEXIST;
	if (result == 0)
		result = analyze_take_settings(r, err);
	if (result == 0 && o->filter)
		result = filter_new(&r->filter, o->filter, err);
	if (result)
		return result;
	r->data.budget =
		arena_budget_new((uint64_t)((double)memory * RECORDS_SHARE), dirname(folder));
	plan_hosts(&r->plan, &r->data);
	result = stated_take(&r->data, o->stated.hosts, o->stated.host_count, err);
	if (result == 0)
		result = stated_scope_take(&r->data, o->stated.scopes, o->stated.scope_count, err);
	if (result)
		return result;
	r->ingest = (struct ingest_options){.filter = r->filter,
		.from_ns = o->from_ns,
		.to_ns = o->to_ns,
		.sha256 = o->sha256,
		.progress = &r->bytes_read,
		.flow_limit = flows > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)flows};
	return 0;
}

/* Flow logs and rules need none of what was kept of packets. */
static void analyze_release_records(struct analysis *r)
{
	idle_release(&r->idle);
	clocks_release(&r->clocks);
	owners_release(&r->owners);
	flows_release(&r->all);
	dataset_release(&r->data);
}

static void analyze_release(struct analysis *r)
{
	progress_end(r->progress);
	analyze_release_records(r);
	free(r->join.duplicates_by_capture);
	ordering_release(&r->ordering);
	free(r->readings);
	free(r->results);
	free(r->errors);
	(void)filter_free(r->filter);
	plan_release(&r->plan);
}

static int analyze_refuse_new_capture(struct db *db, const struct plan_input *in, struct error *err)
{
	struct source *s = NULL;
	sqlite3_stmt *stmt;
	uint64_t hash[2];
	char sha256[65], text[40];
	int known = 0, r = source_open(&s, in->path, false, err);

	if (r)
		return r;
	source_finish(s, hash, sha256);
	(void)source_close(s);
	(void)snprintf(text, sizeof(text), "%016llx%016llx", (unsigned long long)hash[0],
		(unsigned long long)hash[1]);
	if (sqlite3_prepare_v2(db->handle, schema_statement_capture_known, -1, &stmt, NULL) ==
		SQLITE_OK) {
		db_text(stmt, 1, text);
		known = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) > 0;
	}
	(void)sqlite3_finalize(stmt);
	if (known)
		return 0;
	return error_set(err, -EINVAL,
		"'%s' is a capture that is not in '%s': --since adds flow logs only; analyze all "
		"captures together, "
		"without --since",
		in->path, db->path);
}

/* What is told now is held against what the run before told. */
static int analyze_judge_again(struct analysis *r, struct error *err)
{
	int result = db_run(r->db, "database", schema_statement_begin, err);

	if (result == 0)
		result = db_run(r->db, "database", schema_statement_finding_subject, err);
	if (result == 0)
		result = db_run(r->db, "database", schema_statement_finding_remember, err);
	if (result == 0)
		result = judge_run(r->db, r->o->rules_dir, err);
	if (result == 0)
		result = analyze_keep_cited(r, err);
	if (result == 0)
		return db_run(r->db, "database", schema_statement_commit, err);
	/* The first failure is told. */
	(void)sqlite3_exec(r->db->handle, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

static int analyze_refuse_new_host_file(
	struct db *db, const struct plan_input *in, struct error *err)
{
	sqlite3_stmt *stmt;
	int known = 0;

	if (sqlite3_prepare_v2(db->handle, schema_statement_host_file_known, -1, &stmt, NULL) ==
		SQLITE_OK) {
		db_text(stmt, 1, in->path);
		known = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) > 0;
	}
	(void)sqlite3_finalize(stmt);
	if (known)
		return 0;
	return error_set(err, -EINVAL,
		"'%s' is a file of a host that is not in '%s': --since adds flow logs only; "
		"analyze all files together, without --since",
		in->path, db->path);
}

/* Flow logs are added to what is there; a killed run leaves a database that the next one completes.
 */
static int analyze_add_to_database(struct analysis *r, struct error *err)
{
	int result = db_open_writable(r->db, r->o->output, err);

	for (uint32_t i = 0; i < r->plan.count && result == 0; i++)
		if (r->plan.inputs[i].kind == PLAN_CAPTURE)
			result = analyze_refuse_new_capture(r->db, &r->plan.inputs[i], err);
		else if (r->plan.inputs[i].kind == PLAN_HOST_FILE)
			result = analyze_refuse_new_host_file(r->db, &r->plan.inputs[i], err);
	for (int i = 0; i < r->o->setting_count && result == 0; i++)
		result = setting_change(r->db, r->o->settings[i], err);
	if (result == 0)
		result = analyze_store_flow_logs(r, err);
	return result ? result : analyze_judge_again(r, err);
}

static int analyze_make_database(struct analysis *r, struct error *err)
{
	int result = analyze_prepare(r, err);

	if (result)
		return result;
	r->progress =
		progress_begin(r->o->progress, r->o->verbose, r->plan.total_bytes, &r->bytes_read);
	result = analyze_read_all(r, err);
	if (result == 0)
		result = analyze_refuse_copies(&r->data, err);
	if (result == 0)
		result = analyze_refuse_two_hosts(&r->data, err);
	if (result)
		return result;
	analyze_relate(r);
	result = analyze_store(r, err);
	analyze_release_records(r);
	if (result == 0)
		result = analyze_store_flow_logs(r, err);
	return result ? result : analyze_judge(r, err);
}

int analyze_run(const struct analyze_options *o, struct db *db, struct error *err)
{
	struct analysis r = {.o = o, .db = db, .threads = analyze_thread_count(o)};
	struct plan_list inputs;
	int result;

	*db = (struct db){0};
	r.plan.flow_logs_without_header = o->flow_logs.format != NULL;
	result = plan_list(&inputs, o->inputs, o->input_count, err);
	if (result == 0 && o->confine)
		result = confinement_enter(o, &inputs, err);
	if (result == 0)
		result = plan_make(&r.plan, &inputs, err);
	plan_list_release(&inputs);
	if (result == 0)
		result = plan_spares_inputs(&r.plan, o->output, err);
	if (result == 0)
		result = analyze_check_keep(&r, err);
	if (result == 0)
		result = o->since_last && access(o->output, F_OK) == 0
				 ? analyze_add_to_database(&r, err)
				 : analyze_make_database(&r, err);
	analyze_release(&r);
	return result;
}
