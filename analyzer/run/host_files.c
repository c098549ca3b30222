#include "run/host_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "hostfile/hostfile.h"
#include "read/agentfacts.h"
#include "read/source.h"
#include "record/hostfacts.h"

struct host_files {
	struct db *db;
	const struct plan *plan;
	const struct dataset *data;
	const struct collection_options *options;
	uint32_t last_row; /* of host_file */
};

/* The content, decompressed. A file that was there when the run was planned and is not any more is
 * empty. */
static char *host_files_read_whole(const char *path, size_t *ret_size)
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
static bool host_files_is_beside(const struct host_files *f, const struct host *h, const char *path)
{
	for (uint32_t k = 0; k < h->capture_count; k++) {
		char *sidecar CLEANUP_FREE =
			agentfacts_sidecar_path(f->data->captures[h->captures[k]].path);

		if (strcmp(sidecar, path) == 0)
			return true;
	}
	return false;
}

/* Listings and sidecars that were given as inputs of their own. */
static void host_files_store_listings(
	const struct host_files *f, const struct host *h, struct hostfacts *hf)
{
	for (uint32_t i = 0; i < f->plan->count; i++) {
		const struct plan_input *in = &f->plan->inputs[i];
		char *text CLEANUP_FREE = NULL;
		size_t size;

		if (!in->name || strcmp(in->name, h->name) != 0 ||
			(in->kind != PLAN_NEIGHBORS && in->kind != PLAN_AGENT_FACTS) ||
			(in->kind == PLAN_AGENT_FACTS && host_files_is_beside(f, h, in->path)))
			continue;
		text = host_files_read_whole(in->path, &size);
		if (in->kind == PLAN_NEIGHBORS)
			(void)hostfacts_neighbors(hf, text, size);
		else
			hostfacts_sidecar_bytes(hf, text, size);
	}
}

/* A file of hostfile/, as its row wants it. */
static void host_files_store_row(struct hostfacts *hf, const struct collection_file *f)
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

static bool host_files_is_collected(
	const struct plan_input *in, const struct host *h, uint32_t collection)
{
	return (in->kind == PLAN_HOST_FILE || in->kind == PLAN_UNKNOWN) &&
	       in->collection == collection && strcmp(in->name, h->name) == 0;
}

/* What was collected in one folder, or in single files: facts, and a row for each file. */
static int host_files_store_collection(struct host_files *f, const struct host *h,
	uint32_t collection, struct hostfacts *hf, struct error *err)
{
	struct collection c;
	int result = 0;

	collection_init(&c, f->options);
	for (uint32_t i = 0; i < f->plan->count && result == 0; i++) {
		const struct plan_input *in = &f->plan->inputs[i];

		if (host_files_is_collected(in, h, collection))
			result = hostfile_read(&c, in->path, in->path, &f->last_row, err);
	}
	if (result == 0)
		hostfile_finish(&c, hostfacts_take, hf);
	for (size_t i = 0; i < c.file_count; i++)
		host_files_store_row(hf, c.files[i]);
	collection_release(&c);
	return result;
}

static int host_files_store_collections(
	struct host_files *f, const struct host *h, struct hostfacts *hf, struct error *err)
{
	int result = 0;

	for (uint32_t i = 0; i <= f->plan->collections && result == 0; i++)
		result = host_files_store_collection(f, h, i, hf, err);
	return result;
}

static int host_files_store_host(struct host_files *f, const struct host *h, struct error *err)
{
	struct hostfacts *hf = hostfacts_new(f->db, h->id);
	int result = 0;

	for (uint32_t k = 0; k < h->vantage_count; k++) {
		const struct vantage *v = &f->data->vantages[h->vantages[k]];

		hostfacts_vantage(hf, v->interface, v->id);
	}
	for (uint32_t k = 0; k < h->fact_count; k++)
		if (strcmp(h->facts[k].key, "comment") == 0)
			(void)hostfacts_comment(hf, h->facts[k].value);
	for (uint32_t k = 0; k < h->capture_count && result >= 0; k++)
		result = hostfacts_sidecar(hf, f->data->captures[h->captures[k]].path, err);
	host_files_store_listings(f, h, hf);
	if (result >= 0)
		result = host_files_store_collections(f, h, hf, err);
	hostfacts_finish(hf);
	return result < 0 ? result : 0;
}

int host_files_store(struct db *db, const struct plan *plan, const struct dataset *data,
	const struct collection_options *options, struct error *err)
{
	struct host_files f = {.db = db, .plan = plan, .data = data, .options = options};
	int result = 0;

	for (uint32_t i = 0; i < data->host_count && result == 0; i++)
		result = host_files_store_host(&f, &data->hosts[i], err);
	return result;
}
