#include "serve/incident.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "assets.h"
#include "base/mem.h"
#include "serve/analysis.h"
#include "serve/reply.h"
#include "serve/turns.h"
#include "serve/upload.h"
#include "serve_assets.h"

#define WAIT_MAX 600

static json_t *incident_json(struct request *r)
{
	json_t *meta = incident_store_get(&r->server->incidents, r->id);
	const char *state = json_string_value(json_object_get(meta, "state"));

	if (!meta)
		return NULL;
	(void)json_object_set_new(meta, "url", json_sprintf("/incidents/%s", r->id));
	if (state && strcmp(state, "done") == 0) {
		(void)json_object_set_new(
			meta, "report", json_sprintf("/incidents/%s/report", r->id));
		(void)json_object_set_new(
			meta, "database", json_sprintf("/incidents/%s/database", r->id));
		analysis_tell(r->server, r->id, meta);
	}
	return meta;
}

static unsigned incident_wait_seconds(const struct request *r, unsigned normal)
{
	const char *text =
		MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, "wait");
	unsigned long v = text && *text >= '0' && *text <= '9' ? strtoul(text, NULL, 10) : normal;

	return v > WAIT_MAX ? WAIT_MAX : (unsigned)v;
}

static bool incident_wants_text(const struct request *r)
{
	const char *accept = request_header(r, "Accept");

	return accept && strstr(accept, "text/plain");
}

/* Sends the incident as JSON, or its verdict as text to whom asks for that, when its analysis is
 * done, or after wait_s. */
static enum MHD_Result incident_send_incident(struct request *r, int done_status, unsigned wait_s)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	json_t *meta = incident_json(r);
	const char *state;

	for (unsigned i = 0; meta && i < wait_s * 10; i++) {
		state = json_string_value(json_object_get(meta, "state"));
		if (!state || strcmp(state, "analyzing") != 0)
			break;
		(void)nanosleep(&pause, NULL);
		json_decref(meta);
		meta = incident_json(r);
	}
	if (!meta)
		return reply_error(r, 404, "no such incident");
	state = json_string_value(json_object_get(meta, "state"));
	if (incident_wants_text(r) && state && strcmp(state, "done") == 0) {
		json_decref(meta);
		return reply_file(r, "report.txt", "text/plain; charset=utf-8", NULL, NULL);
	}
	return reply_json(r, state && strcmp(state, "analyzing") == 0 ? 202 : done_status, meta,
		json_string_value(json_object_get(meta, "url")));
}

enum MHD_Result incident_analyze(struct request *r, int done_status, unsigned default_wait)
{
	json_t *meta = incident_store_get(&r->server->incidents, r->id);
	const json_t *f;
	size_t i;
	int result;

	json_array_foreach(json_object_get(meta, "files"), i,
		f) if (json_integer_value(json_object_get(f, "size")) !=
		       json_integer_value(json_object_get(f, "received")))
	{
		json_decref(meta);
		return reply_error(r, 409, "a file is incomplete: send the rest or delete it");
	}
	i = json_array_size(json_object_get(meta, "files"));
	json_decref(meta);
	if (meta && i == 0)
		return reply_error(r, 409, "no file has been uploaded");
	result = incident_store_move(&r->server->incidents, r->id, "uploading", "analyzing", NULL);
	if (result == 0)
		analysis_start(r->server, r->id);
	else if (result != INCIDENT_STORE_STATE)
		return reply_error(r, reply_status(result),
			result == INCIDENT_STORE_NONE ? "no such incident" : "the disk is full");
	return incident_send_incident(r, done_status, incident_wait_seconds(r, default_wait));
}

/* The report comes from untrusted captures: it runs in its own origin, with our scripts only. */
static enum MHD_Result incident_send_report(struct request *r)
{
	CLEANUP_FREE char *policy =
		mem_printf("default-src 'none'; style-src 'unsafe-inline'; script-src %s %s; "
			   "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox "
			   "allow-scripts",
			asset_dygraphs_csp, asset_report_js_csp);

	return reply_file(r, "report.html", "text/html; charset=utf-8", NULL, policy);
}

/* Queries and evidence at the same time, and how long one waits for its turn. */
#define ASKED_MAX 2
#define ASKED_WAIT_S 30

static struct turns asked = TURNS_INIT;

/* Runs a command that a client waits for. 0, or the status to answer with and err. */
static int incident_run_asked(struct request *r, const char *const *argv, const char *out,
	struct confined_limits limits, int refused, struct error *err)
{
	CLEANUP_FREE char *folder = incident_store_folder(&r->server->incidents, r->id);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	int result;

	limits.client = info ? info->connect_fd : 0;
	if (!turns_take(&asked, ASKED_MAX, ASKED_WAIT_S)) {
		(void)error_set(err, -EBUSY, "the server is busy: try again in a minute");
		return 503;
	}
	result = confined_run(folder, argv, out, &limits, err);
	turns_give(&asked);
	return result < 0 ? 500 : result ? refused : 0;
}

static enum MHD_Result incident_send_evidence(struct request *r, const char *number)
{
	CLEANUP_FREE char *name = NULL;
	const char *argv[12] = {"extract", "--source", ".", "--source-only", "--force", "-o"};
	struct error err = ERROR_INIT;
	int result;

	if (strspn(number, "0123456789") != strlen(number) || !*number || strlen(number) > 9)
		return reply_error(r, 404, "no such finding");
	name = mem_printf("finding-%s.pcapng", number);
	argv[6] = name;
	argv[7] = "incident.db";
	argv[8] = number;
	result = incident_run_asked(r, argv, NULL, r->server->limits, 409, &err);
	if (result)
		return reply_error(r, result, err.text);
	return reply_file(r, name, "application/vnd.tcpdump.pcap", name, NULL);
}

static enum MHD_Result incident_send_query(struct request *r)
{
	const struct confined_limits limits = {
		.memory = 512 << 20, .file = 16 << 20, .cpu_s = 20, .wall_s = 30};
	const char *const argv[] = {
		"query", "--format", "json", "--", "incident.db", r->body, NULL};
	char out[64];
	struct error err = ERROR_INIT;
	enum MHD_Result sent;
	int result;

	if (!r->body || !*r->body || strlen(r->body) != r->body_length)
		return reply_error(r, 400, "the body must be one SQL statement");
	(void)snprintf(out, sizeof(out), "query-%llx", (unsigned long long)(uintptr_t)r);
	result = incident_run_asked(r, argv, out, limits, 400, &err);
	sent = result ? reply_error(r, result, err.text)
		      : reply_file(r, out, "application/json", NULL, NULL);
	{
		CLEANUP_FREE char *path = incident_store_file(&r->server->incidents, r->id, out);

		(void)unlink(path);
	}
	return sent;
}

static enum MHD_Result incident_delete_incident(struct request *r)
{
	int result = incident_store_delete(&r->server->incidents, r->id);

	if (result == INCIDENT_STORE_STATE)
		return reply_error(
			r, 409, "the analysis is still running: try again when it is done");
	return result ? reply_error(r, 404, "no such incident") : reply_empty(r, 204, -1, -1, NULL);
}

static enum MHD_Result incident_delete_file(struct request *r)
{
	struct error err = ERROR_INIT;
	int result = incident_store_remove_file(&r->server->incidents, r->id, r->number, &err);

	return result ? reply_error(r, reply_status(result), err.text)
		      : reply_empty(r, 204, -1, -1, NULL);
}

enum MHD_Result incident_answer(struct request *r, const char *rest)
{
	bool get = strcmp(r->method, "GET") == 0, post = strcmp(r->method, "POST") == 0,
	     del = strcmp(r->method, "DELETE") == 0;
	const char *accept = request_header(r, "Accept");
	json_t *meta = incident_store_get(&r->server->incidents, r->id);

	json_decref(meta);
	if (!meta)
		return reply_error(r, 404, "no such incident");
	if (!*rest && get)
		return accept && strstr(accept, "text/html")
			       ? reply_asset(r, asset_serve_html, "text/html; charset=utf-8")
			       : incident_send_incident(r, 200, 0);
	if (!*rest && del)
		return incident_delete_incident(r);
	if (strcmp(rest, "files") == 0 && post)
		return upload_create(r);
	if (request_file(r, rest) && strcmp(r->method, "HEAD") == 0)
		return upload_offset(r);
	if (request_file(r, rest) && del)
		return incident_delete_file(r);
	if (strcmp(rest, "analyze") == 0 && post)
		return incident_analyze(r, 200, 0);
	if (strcmp(rest, "report") == 0 && get)
		return incident_send_report(r);
	if (strcmp(rest, "database") == 0 && get)
		return reply_file(r, "incident.db", "application/vnd.sqlite3", "incident.db", NULL);
	if (strncmp(rest, "evidence/", 9) == 0 && get)
		return incident_send_evidence(r, rest + 9);
	if (strcmp(rest, "query") == 0 && post)
		return incident_send_query(r);
	return reply_error(r, 404, "no such address; see docs/serve.md");
}

enum MHD_Result incident_new(struct request *r)
{
	CLEANUP_FREE char *location = NULL;
	struct error err = ERROR_INIT;
	int result;

	incident_store_expire(&r->server->incidents);
	result = incident_store_new(&r->server->incidents, r->id, &err);
	if (result)
		return reply_error(r, result < 0 ? 500 : reply_status(result), err.text);
	location = mem_printf("/incidents/%s", r->id);
	return reply_json(r, 201, incident_json(r), location);
}
