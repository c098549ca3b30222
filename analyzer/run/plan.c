#include "run/plan.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "read/agentfacts.h"
#include "flowlog/format/recognise.h"
#include "hostfile/archive.h"
#include "hostfile/hostfile.h"
#include "read/neigh.h"
#include "read/source.h"
#include "run/names.h"

/* Folders of a path that are told apart by. */
#define FOLDERS_MAX 64

/* NAME=PATH, unless a file of that very name exists or the name would be a path. */
static const char *plan_split_name(const char *input, char **ret_name)
{
	const char *equals = strchr(input, '=');
	struct stat st;

	*ret_name = NULL;
	if (!equals || equals == input || memchr(input, '/', (size_t)(equals - input)) ||
		stat(input, &st) == 0)
		return input;
	*ret_name = mem_strndup(input, (size_t)(equals - input));
	return equals + 1;
}

static void plan_take_host_name(void *context, const struct agent_fact *fact)
{
	char **name = context;

	if (!*name && strcmp(fact->key, "host.name") == 0 && fact->value[0])
		*name = mem_strdup(fact->value);
}

static char *plan_agent_name(const struct capfile_info *info)
{
	struct agentfacts_count count = {0};
	char *name = NULL;

	for (uint32_t i = 0; i < info->fact_count && !name; i++)
		if (strcmp(info->facts[i].key, "comment") == 0)
			(void)agentfacts_comment(info->facts[i].value, strlen(info->facts[i].value),
				plan_take_host_name, &name, &count);
	return name;
}

static void plan_name_by_path(struct plan_input *in)
{
	if (in->name)
		return;
	in->name = names_stem(in->path);
	in->named_by_path = true;
}

static int plan_inspect_capture(struct plan *p, struct plan_input *in, struct capfile *cf)
{
	const struct capfile_info *info = capfile_info(cf);
	in->kind = PLAN_CAPTURE;
	if (!capfile_first_time(cf, &in->first_ns))
		in->first_ns = INT64_MAX;
	in->stored_size = info->stored_size;
	p->total_bytes += info->stored_size;
	if (!in->name)
		in->name = plan_agent_name(info);
	plan_name_by_path(in);
	if (in->regular)
		(void)capfile_close(cf);
	else
		in->open = cf;
	return 0;
}

/* The host that a file of facts names near its beginning, or NULL. */
static char *plan_facts_name(const char *text, size_t n)
{
	struct agentfacts_count count = {0};
	char *name = NULL;

	agentfacts_sidecar(text, n, plan_take_host_name, &name, &count);
	return name;
}

/* Single files of a host belong together; an archive is of one time, as a folder is. */
static void plan_take_host_file(struct plan *p, struct plan_input *in, const char *text, size_t n)
{
	in->kind = PLAN_HOST_FILE;
	if (archive_recognise(text, n))
		in->collection = ++p->collections;
	else if (in->named_file)
		in->collection = 0;
	if (!in->name)
		in->name = hostfile_host_name(in->path, text, n);
}

/* 0, or the positive outcome "of no known kind"; by the first bytes of the content. */
static int plan_inspect_other(struct plan *p, struct plan_input *in, struct source *s)
{
	size_t n = source_need(s, FLOWLOG_RECOGNISE_BYTES);
	const char *text = (const char *)s->window.at;

	n = n < FLOWLOG_RECOGNISE_BYTES ? n : FLOWLOG_RECOGNISE_BYTES;
	if (neigh_recognise(text, n))
		in->kind = PLAN_NEIGHBORS;
	else if (agentfacts_recognise(text, n))
		in->kind = PLAN_AGENT_FACTS;
	else if (hostfile_recognise(in->path, text, n))
		plan_take_host_file(p, in, text, n);
	else if (flowlog_recognise(s->window.at, n) != FLOWLOG_NOT_FLOWLOG ||
		 p->flow_logs_without_header)
		in->kind = PLAN_FLOW_LOG;
	else if (in->named_host && !in->named_file)
		in->kind = PLAN_UNKNOWN;
	else
		return CAPFILE_NOT_CAPTURE;
	if (in->kind == PLAN_AGENT_FACTS && !in->name)
		in->name = plan_facts_name(text, n);
	if (in->kind != PLAN_FLOW_LOG)
		plan_name_by_path(in);
	return 0;
}

static void plan_identify(struct plan_input *in)
{
	bool is_stdin = strcmp(in->path, "-") == 0;
	struct stat st;

	if (is_stdin ? fstat(STDIN_FILENO, &st) < 0 : stat(in->path, &st) < 0)
		return;
	in->regular = !is_stdin && S_ISREG(st.st_mode);
	in->device = st.st_dev;
	in->inode = st.st_ino;
}

static const struct plan_input *plan_given_already(
	const struct plan *p, const struct plan_input *in)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (in->inode && p->inputs[i].inode == in->inode &&
			p->inputs[i].device == in->device)
			return &p->inputs[i];
	return NULL;
}

/* 1 when both files hold the same bytes; 0, or negative with err set. */
static int plan_same_bytes(const char *a, const char *b, struct error *err)
{
	const char *const paths[2] = {a, b};
	uint64_t hash[2][2];
	char sha256[65];

	for (int i = 0; i < 2; i++) {
		struct source *s = NULL;
		int r = source_open(&s, paths[i], false, err);

		if (r)
			return r;
		source_finish(s, hash[i], sha256);
		(void)source_close(s);
	}
	return memcmp(hash[0], hash[1], sizeof(hash[0])) == 0;
}

/*
 * Joined with itself a capture would seem to have lost nothing. The same length and the same time
 * of the first frame are rare enough to read both files for it. Captures without a frame may well
 * be equal.
 */
static int plan_find_copy(const struct plan *p, const struct plan_input *in,
	const struct plan_input **ret, struct error *err)
{
	for (uint32_t i = 0; i < p->count && in->kind == PLAN_CAPTURE && in->regular; i++) {
		const struct plan_input *other = &p->inputs[i];
		int r;

		if (other->kind != PLAN_CAPTURE || !other->regular || in->first_ns == INT64_MAX ||
			in->first_ns != other->first_ns || in->stored_size != other->stored_size)
			continue;
		r = plan_same_bytes(in->path, other->path, err);
		if (r < 0)
			return r;
		if (r) {
			*ret = other;
			return 0;
		}
	}
	return 0;
}

static int plan_refuse_copy(
	const struct plan_input *in, const struct plan_input *before, struct error *err)
{
	return error_set(err, -EEXIST,
		"'%s' and '%s' are identical; give the capture of the other end", before->path,
		in->path);
}

static int plan_refuse_twice(
	const struct plan_input *in, const struct plan_input *before, struct error *err)
{
	return error_set(err, -EEXIST, "'%s' is given twice (also as '%s'); give each capture once",
		in->path, before->path);
}

static int plan_inspect(struct plan *p, struct plan_input *in, struct error *err)
{
	struct capfile *cf = NULL;
	struct source *s = NULL;
	int r = source_open(&s, in->path, false, err);

	if (r)
		return r;
	r = capfile_open_source(&cf, &s, in->path, err);
	if (r == 0)
		return plan_inspect_capture(p, in, cf);
	if (r == CAPFILE_NOT_CAPTURE)
		r = plan_inspect_other(p, in, s);
	(void)source_close(s);
	if (r == 0 && !in->regular)
		return error_set(err, -EINVAL,
			"'%s' is not a capture; only captures can be read from a pipe", in->path);
	return r;
}

static int plan_add_file(struct plan *p, const struct input_file *file, const char *name,
	uint32_t collection, struct error *err)
{
	struct plan_input in = {.path = mem_strdup(file->path),
		.name = name ? mem_strdup(name) : NULL,
		.collection = collection,
		.named_file = file->named,
		.named_host = name != NULL};
	const struct plan_input *before, *copy = NULL;
	int r;

	plan_identify(&in);
	before = plan_given_already(p, &in);
	r = before ? plan_refuse_twice(&in, before, err) : plan_inspect(p, &in, err);
	if (r == 0)
		r = plan_find_copy(p, &in, &copy, err);
	if (copy)
		r = plan_refuse_copy(&in, copy, err);
	if (r == 0) {
		MEM_RESERVE(p->inputs, p->count, p->cap);
		p->inputs[p->count++] = in;
		return 0;
	}
	(void)capfile_close(in.open);
	free(in.path);
	free(in.name);
	if (file->named)
		return r < 0 ? r : -EINVAL;
	p->skipped++;
	return 0;
}

/* Facts beside a capture are of the capture's host, which reads them by itself: not a host of their
 * own. */
static void plan_name_sidecars(struct plan *p)
{
	for (uint32_t i = 0; i < p->count; i++) {
		const struct plan_input *capture = &p->inputs[i];
		char *path CLEANUP_FREE = NULL;

		if (capture->kind != PLAN_CAPTURE)
			continue;
		path = agentfacts_sidecar_path(capture->path);
		for (uint32_t k = 0; k < p->count; k++) {
			struct plan_input *in = &p->inputs[k];

			if (in->kind != PLAN_AGENT_FACTS || in->named_host ||
				strcmp(in->path, path) != 0)
				continue;
			free(in->name);
			in->name = mem_strdup(capture->name);
		}
	}
}

static bool plan_same_folder(const char *a, const char *b)
{
	const char *x = strrchr(a, '/'), *y = strrchr(b, '/');
	size_t n = x ? (size_t)(x - a) : 0;

	return n == (y ? (size_t)(y - b) : 0) && !x == !y && memcmp(a, b, n) == 0;
}

/* A capture of another folder with the same name, which its path alone gave. */
static const struct plan_input *plan_namesake(const struct plan *p, const struct plan_input *in)
{
	for (uint32_t i = 0; i < p->count; i++) {
		const struct plan_input *other = &p->inputs[i];

		if (other->kind == PLAN_CAPTURE && other->named_by_path &&
			strcmp(other->name, in->name) == 0 &&
			!plan_same_folder(other->path, in->path))
			return other;
	}
	return NULL;
}

/* Equal names in different folders: as many folders before each as tell them apart. */
static void plan_tell_apart(struct plan *p)
{
	for (unsigned folders = 1; folders < FOLDERS_MAX; folders++) {
		bool *equal = mem_array(p->count + 1, sizeof(*equal)), any = false;

		for (uint32_t i = 0; i < p->count; i++)
			any |= equal[i] =
				p->inputs[i].named_by_path && plan_namesake(p, &p->inputs[i]);
		for (uint32_t i = 0; i < p->count; i++) {
			if (!equal[i])
				continue;
			free(p->inputs[i].name);
			p->inputs[i].name = names_qualified(p->inputs[i].path, folders);
		}
		free(equal);
		if (!any)
			return;
	}
}

static bool plan_knows_any(const struct plan *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (p->inputs[i].kind != PLAN_UNKNOWN)
			return true;
	return false;
}

int plan_list(struct plan_list *l, char **inputs, int count, struct error *err)
{
	int r = 0;

	*l = (struct plan_list){.arguments = mem_array((size_t)count, sizeof(*l->arguments))};
	for (int i = 0; i < count && r == 0; i++) {
		struct plan_argument *a = &l->arguments[l->count++];

		*a = (struct plan_argument){.text = inputs[i], .files = INPUTS_INIT};
		a->path = plan_split_name(inputs[i], &a->name);
		r = inputs_add(&a->files, a->path, err);
	}
	return r > 0 ? -EINVAL : r;
}

void plan_list_release(struct plan_list *l)
{
	for (int i = 0; i < l->count; i++) {
		free(l->arguments[i].name);
		inputs_release(&l->arguments[i].files);
	}
	free(l->arguments);
	*l = (struct plan_list){0};
}

int plan_make(struct plan *p, const struct plan_list *l, struct error *err)
{
	int r = 0;

	for (int i = 0; i < l->count && r == 0; i++) {
		const struct plan_argument *a = &l->arguments[i];
		uint32_t collection = ++p->collections;

		for (uint32_t k = 0; k < a->files.count && r == 0; k++)
			r = plan_add_file(p, &a->files.files[k], a->name, collection, err);
	}
	if (r == 0)
		plan_tell_apart(p);
	plan_name_sidecars(p);
	if (r > 0)
		r = -EINVAL;
	if (r == 0 && !plan_knows_any(p))
		r = error_set(err, -EINVAL, "no capture, flow log or other known input in '%s'%s",
			l->arguments[0].text, l->count > 1 ? " nor in what else was given" : "");
	return r;
}

int plan_spares_inputs(const struct plan *p, const char *output, struct error *err)
{
	struct stat st;

	if (stat(output, &st) < 0)
		return 0;
	for (uint32_t i = 0; i < p->count; i++)
		if (p->inputs[i].inode == st.st_ino && p->inputs[i].device == st.st_dev)
			return error_set(err, -EEXIST,
				"cannot write '%s': it is one of the inputs; use another --output",
				output);
	return 0;
}

void plan_release(struct plan *p)
{
	for (uint32_t i = 0; i < p->count; i++) {
		free(p->inputs[i].path);
		free(p->inputs[i].name);
		(void)capfile_close(p->inputs[i].open);
	}
	free(p->inputs);
	*p = (struct plan){0};
}

static int plan_by_host_and_time(const void *x, const void *y)
{
	const struct plan_input *a = x, *b = y;
	int r = strcmp(a->name ? a->name : "", b->name ? b->name : "");

	if (!r)
		r = (a->kind > b->kind) - (a->kind < b->kind);
	if (!r)
		r = (a->first_ns > b->first_ns) - (a->first_ns < b->first_ns);
	return r ? r : strcmp(a->path, b->path);
}

static struct host *plan_host_named(struct dataset *data, const char *name)
{
	struct host *h;

	if (data->host_count && strcmp(data->hosts[data->host_count - 1].name, name) == 0)
		return &data->hosts[data->host_count - 1];
	/* Hosts are numbered in the order of their names. */
	assert(!data->host_count || strcmp(data->hosts[data->host_count - 1].name, name) < 0);
	MEM_RESERVE(data->hosts, data->host_count, data->host_cap);
	h = &data->hosts[data->host_count++];
	*h = (struct host){.id = data->host_count, .name = mem_strdup(name)};
	return h;
}

static void plan_add_capture(struct dataset *data, struct host *h, struct plan_input *in)
{
	assert(h->id > 0 && h->id <= data->host_count);
	MEM_RESERVE(data->captures, data->capture_count, data->capture_cap);
	data->captures[data->capture_count] = (struct capture){.id = data->capture_count + 1,
		.host = h->id - 1,
		.path = mem_strdup(in->path),
		.first_ns = INT64_MAX,
		.last_ns = INT64_MIN,
		.dropped_kernel = -1,
		.dropped_interface = -1,
		.order_ns = in->first_ns,
		.open = in->open};
	in->open = NULL;
	MEM_RESERVE(h->captures, h->capture_count, h->capture_cap);
	h->captures[h->capture_count++] = data->capture_count++;
}

void plan_hosts(struct plan *p, struct dataset *data)
{
	qsort(p->inputs, p->count, sizeof(*p->inputs), plan_by_host_and_time);
	for (uint32_t i = 0; i < p->count; i++) {
		struct host *h;

		if (!p->inputs[i].name || p->inputs[i].kind == PLAN_FLOW_LOG)
			continue;
		h = plan_host_named(data, p->inputs[i].name);
		if (p->inputs[i].kind == PLAN_CAPTURE)
			plan_add_capture(data, h, &p->inputs[i]);
	}
	/* Arenas keep addresses of themselves in other structures: only now, when hosts stay put.
	 */
	for (uint32_t i = 0; i < data->host_count; i++) {
		arena_init(&data->hosts[i].arena, data->budget);
		fileindex_init(&data->hosts[i].frames, &data->hosts[i].arena);
	}
}
