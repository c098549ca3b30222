#include "serve/analysis.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "schema_data.h"
#include "serve/turns.h"

struct job {
	struct server *server;
	char id[INCIDENT_ID_SIZE];
};

static struct turns turns = TURNS_INIT;

#define STATED_MAX 16 /* addresses that are said of one file */

/* Adds --host=HOST=ADDRESS for each address that the client said, and --scope=HOST=EXPRESSION. */
static size_t analysis_add_stated(char **argv, size_t n, const json_t *f)
{
	const char *host = json_string_value(json_object_get(f, "host"));
	const char *addresses = json_string_value(json_object_get(f, "addresses"));
	const char *scope = json_string_value(json_object_get(f, "scope"));
	int count = 0;

	for (const char *at = addresses; host && at && *at && count < STATED_MAX; count++) {
		size_t length;

		at += strspn(at, " ,");
		length = strcspn(at, " ,");
		if (length)
			argv[n++] = mem_printf("--host=%s=%.*s", host, (int)length, at);
		at += length;
	}
	if (host && scope)
		argv[n++] = mem_printf("--scope=%s=%s", host, scope);
	return n;
}

/* HOST=capture-N for each file; without a host name, analyze takes it from the capture. */
static char **analysis_arguments_of(const struct server *s, const json_t *meta)
{
	/* confined_run() has confined it already, more narrowly. */
	static const char *const fixed[] = {"analyze", "-q", "--force", "--confine=no", "--threads",
		"2", "-o", "incident.db", "--memory"};
	const json_t *files = json_object_get(meta, "files"), *f;
	char **argv = mem_array(json_array_size(files) * (STATED_MAX + 2) + 13, sizeof(*argv));
	size_t n = 0, i;

	for (; n < sizeof(fixed) / sizeof(fixed[0]); n++)
		argv[n] = mem_strdup(fixed[n]);
	argv[n++] = mem_strdup(s->memory);
	json_array_foreach(files, i, f) n = analysis_add_stated(argv, n, f);
	argv[n++] = mem_strdup("--");
	json_array_foreach(files, i, f)
	{
		const char *host = json_string_value(json_object_get(f, "host"));

		argv[n++] = mem_printf("%s%s%s", host ? host : "", host ? "=" : "",
			json_string_value(json_object_get(f, "id")));
	}
	return argv;
}

static int analysis_run_all(
	const struct server *s, const char *folder, const char *const *analyze, struct error *err)
{
	const char *const html[] = {
		"report", "--format", "html", "-o", "report.html", "incident.db", NULL};
	const char *const text[] = {"report", "incident.db", NULL};
	const char *const brief[] = {"report", "--format", "brief", "incident.db", NULL};
	const char *const query[] = {"query", "--format", "json", "--", "incident.db",
		schema_report[Q_SERVE_FINDINGS].text, NULL};
	int r = confined_run(folder, analyze, NULL, &s->limits, err);

	if (r == 0)
		r = confined_run(folder, html, NULL, &s->limits, err);
	if (r == 0)
		r = confined_run(folder, text, "report.txt", &s->limits, err);
	if (r == 0)
		r = confined_run(folder, brief, "brief.json", &s->limits, err);
	return r ? r : confined_run(folder, query, "findings.json", &s->limits, err);
}

static void *analysis_work(void *arg)
{
	CLEANUP_FREE struct job *job = arg;
	CLEANUP_FREE char *folder = incident_store_folder(&job->server->incidents, job->id);
	struct error err = ERROR_INIT;
	json_t *meta;
	char **argv;
	int r;

	(void)turns_take(&turns, job->server->analyses_max, 0);
	meta = incident_store_get(&job->server->incidents, job->id);
	argv = analysis_arguments_of(job->server, meta);
	r = analysis_run_all(job->server, folder, (const char *const *)argv, &err);
	for (char **a = argv; *a; a++)
		free(*a);
	free(argv);
	json_decref(meta);
	if (r)
		incident_store_tidy(&job->server->incidents, job->id);
	(void)incident_store_move(&job->server->incidents, job->id, "analyzing",
		r ? "failed" : "done", r ? err.text : NULL);
	turns_give(&turns);
	return NULL;
}

void analysis_start(struct server *server, const char *id)
{
	struct job *job = mem_zalloc(sizeof(*job));
	pthread_attr_t attributes;
	pthread_t thread;

	job->server = server;
	(void)snprintf(job->id, sizeof(job->id), "%s", id);
	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, analysis_work, job) != 0) {
		(void)incident_store_move(&server->incidents, id, "analyzing", "failed",
			"cannot start the analysis: too many threads");
		free(job);
	}
	(void)pthread_attr_destroy(&attributes);
}

static json_t *analysis_load(const struct server *server, const char *id, const char *name)
{
	CLEANUP_FREE char *path = incident_store_file(&server->incidents, id, name);

	return json_load_file(path, 0, NULL);
}

void analysis_tell(const struct server *server, const char *id, json_t *meta)
{
	static const char *const members[] = {
		"verdict", "checked", "not_judged", "notes", "counts"};
	json_t *brief = analysis_load(server, id, "brief.json");
	json_t *findings = analysis_load(server, id, "findings.json");

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		(void)json_object_set(meta, members[i], json_object_get(brief, members[i]));
	json_decref(brief);
	(void)json_object_set_new(meta, "findings", findings ? findings : json_array());
}
