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
#include "join/pair.h"
#include "join/position.h"
#include "judge/judge.h"
#include "read/filter.h"
#include "join/order.h"
#include "run/confinement.h"
#include "run/flow_logs.h"
#include "run/host_files.h"
#include "run/memory.h"
#include "run/plan.h"
#include "run/progress.h"
#include "run/since.h"
#include "record/captures.h"
#include "record/clock_rows.h"
#include "record/facts.h"
#include "record/observations.h"
#include "record/holes.h"
#include "record/portreuse.h"
#include "record/synstamps.h"
#include "record/flowrows.h"
#include "record/flow_writer.h"
#include "record/silences.h"
#include "record/survey.h"
#include "store/settings.h"
#include "survey/stated.h"
#include "survey/stated_scope.h"
#include "survey/two_hosts.h"

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
};

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
	memory_make_room(&r->data, memory_limit(r->o->memory));
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

/* Outside of a transaction; 0: it leaves one open, which analyze_store() commits. */
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

static int analyze_store(struct analysis *r, struct error *err)
{
	int result = db_run(r->db, "database", schema_statement_begin, err);

	if (result)
		return result;
	analyze_store_analysis(r);
	captures_store(r->db, &r->data, &r->join);
	survey_store(r->db, &r->data, &r->owners, &r->ordering);
	result = db_run(r->db, "database", schema_statement_commit, err);
	if (result == 0)
		result = analyze_store_flows(r, err);
	if (result)
		return result;
	clock_rows_store(r->db, &r->clocks);
	observations_store(r->db, &r->data, &r->all, r->ordering.row);
	silences_store(r->db, &r->data, &r->all, r->ordering.row);
	holes_store(r->db, &r->data, r->ordering.row);
	portreuse_store(r->db, &r->data, r->ordering.row);
	synstamps_store(r->db, &r->data);
	result = host_files_store(r->db, &r->plan, &r->data, &r->o->logs, err);
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

static int analyze_store_flow_logs(struct analysis *r, struct error *err)
{
	if (!analyze_has_flow_logs(&r->plan))
		return 0;
	progress_stage(r->progress, "reading flow logs");
	return flow_logs_store(r->db, &r->plan, r->o, r->threads, err);
}

static int analyze_judge(struct analysis *r, struct error *err)
{
	int result;

	progress_stage(r->progress, "judging");
	result = db_run(r->db, "indexes", schema_indexes, err);
	if (result == 0)
		result = judge_run(r->db, r->o->rules_dir, err);
	if (result == 0)
		result = flow_logs_keep_cited(r->db, &r->plan, r->o, r->threads, err);
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
	uint64_t memory = memory_limit(o->memory);
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
	r->data.budget = arena_budget_new(memory_of_records(memory), dirname(folder));
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
		.flow_limit = memory_flows(memory)};
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
		result = flow_logs_keep_cited(r->db, &r->plan, r->o, r->threads, err);
	if (result == 0)
		return db_run(r->db, "database", schema_statement_commit, err);
	/* The first failure is told. */
	(void)sqlite3_exec(r->db->handle, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

/* Flow logs are added to what is there; a killed run leaves a database that the next one completes.
 */
static int analyze_add_to_database(struct analysis *r, struct error *err)
{
	int result = db_open_writable(r->db, r->o->output, err);

	if (result == 0)
		result = since_refuse_new(r->db, &r->plan, err);
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
		result = flow_logs_check_keep(&r.plan, o, err);
	if (result == 0)
		result = o->since_last && access(o->output, F_OK) == 0
				 ? analyze_add_to_database(&r, err)
				 : analyze_make_database(&r, err);
	analyze_release(&r);
	return result;
}
