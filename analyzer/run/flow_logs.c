#include "run/flow_logs.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>

#include "base/mem.h"
#include "flowlog/ingest.h"
#include "flowlog/inventory.h"
#include "run/memory.h"

static int flow_logs_refuse(const struct plan_input *in, int outcome, struct error *err)
{
	if (outcome == FLOWLOG_OUTCOME_NEEDS_DUCKDB)
		return -ENOENT;
	return error_set(err, -EINVAL, "cannot use '%s': %s", in->path,
		outcome == FLOWLOG_OUTCOME_EMPTY ? "it is empty"
						 : "it is neither a capture nor a flow log");
}

static int flow_logs_ingest(const struct plan *plan, struct flowlog *f, struct error *err)
{
	int result = 0;

	for (uint32_t i = 0; i < plan->count && result == 0; i++) {
		const struct plan_input *in = &plan->inputs[i];
		struct flowlog_counts counts;
		int outcome;

		if (in->kind != PLAN_FLOW_LOG)
			continue;
		outcome = flowlog_ingest(f, in->path, in->name, &counts, err);
		if (outcome < 0)
			result = outcome;
		else if (in->named_file && outcome != FLOWLOG_TAKEN &&
			 outcome != FLOWLOG_OUTCOME_KNOWN)
			result = flow_logs_refuse(in, outcome, err);
	}
	return result ? result : flowlog_finish(f, err);
}

#define KEEP_ALL_BYTES (UINT64_C(512) << 20)

/* Flow logs alone, all in files that can be read again, and too many for a row each. */
static bool flow_logs_is_large(const struct plan *p)
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

int flow_logs_check_keep(
	const struct plan *plan, const struct analyze_options *o, struct error *err)
{
	for (uint32_t i = 0; i < plan->count && o->flow_logs.keep == ANALYZE_KEEP_PROOF; i++)
		if (plan->inputs[i].kind != PLAN_FLOW_LOG || !plan->inputs[i].regular)
			return error_set(err, -EINVAL,
				"--keep proof is for files of flow logs alone, and '%s' is none: "
				"leave it out",
				plan->inputs[i].path);
	return 0;
}

static struct flowlog_options flow_logs_options(
	const struct plan *plan, const struct analyze_options *o, unsigned threads)
{
	bool by_size = o->flow_logs.keep == ANALYZE_KEEP_BY_SIZE && !o->since_last;

	return (struct flowlog_options){.format = o->flow_logs.format,
		.memory = memory_limit(o->memory) / 2,
		.threads = threads,
		.hosts = o->flow_logs.hosts,
		.host_count = (size_t)o->flow_logs.host_count,
		.carry = o->since_last,
		.proof = by_size ? flow_logs_is_large(plan)
				 : o->flow_logs.keep == ANALYZE_KEEP_PROOF};
}

int flow_logs_store(struct db *db, const struct plan *plan, const struct analyze_options *o,
	unsigned threads, struct error *err)
{
	struct flowlog_options options = flow_logs_options(plan, o, threads);
	char *folder CLEANUP_FREE = mem_strdup(o->output);
	struct flowlog *f = NULL;
	int result = 0;

	options.folder = dirname(folder);
	if (o->flow_logs.name_count)
		result = flowlog_inventory_store(
			db, o->flow_logs.names, o->flow_logs.name_count, err);
	if (result == 0)
		result = flowlog_new(&f, db, &options, err);
	if (result == 0)
		result = flow_logs_ingest(plan, f, err);
	(void)flowlog_free(f);
	return result;
}

int flow_logs_keep_cited(struct db *db, const struct plan *plan, const struct analyze_options *o,
	unsigned threads, struct error *err)
{
	struct flowlog_options options = flow_logs_options(plan, o, threads);

	return flowlog_keep_cited(db, &options, err);
}
