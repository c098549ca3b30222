#include "serve/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "assets.h"
#include "base/mem.h"
#include "serve/analysis.h"
#include "serve/patience.h"
#include "serve_assets.h"

#define BODY_MAX 65536 /* of a query */
#define WAIT_MAX 600

struct http {
	struct MHD_Daemon *daemon;
	struct patience *patience;
	struct server *server;
};

enum kind { KIND_PLAIN, KIND_FORM, KIND_PATCH, KIND_BODY };

/* One request; lives from its first header to its completion. */
struct request {
	struct http *http;
	struct server *server;
	struct MHD_Connection *connection;
	const char *method, *url;
	enum kind kind;
	int status;	  /* of a failure found on the way; 0: none */
	char error[512];
	char id[DEPOT_ID_SIZE];
	unsigned number;  /* of the file that is received */
	int fd;
	int64_t at, size; /* where the next byte goes; where the file ends */
	struct MHD_PostProcessor *form;
	unsigned files;
	struct pace pace;
	bool begun, keep; /* keep: the incident stays when the connection breaks */
	char *body;
	size_t body_length;
};

static enum MHD_Result fail(struct request *r, int status, const char *text)
{
	if (r->status == 0) {
		r->status = status;
		(void)snprintf(r->error, sizeof(r->error), "%s", text);
	}
	return MHD_YES;
}

static const char *header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

static void add_headers(struct MHD_Response *response, const char *type)
{
	(void)MHD_add_response_header(response, "Content-Type", type);
	(void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	(void)MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	(void)MHD_add_response_header(response, "Cache-Control", "no-store");
	(void)MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
	(void)MHD_add_response_header(response, "Tus-Resumable", "1.0.0");
}

static enum MHD_Result send_response(struct request *r, int status, struct MHD_Response *response)
{
	enum MHD_Result result = MHD_queue_response(r->connection, (unsigned)status, response);

	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_json(struct request *r, int status, json_t *value, const char *location)
{
	char *text = json_dumps(value, JSON_INDENT(2));
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);

	json_decref(value);
	add_headers(response, "application/json; charset=utf-8");
	if (location)
		(void)MHD_add_response_header(response, "Location", location);
	if (status == 401)
		(void)MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	return send_response(r, status, response);
}

static enum MHD_Result send_error(struct request *r, int status, const char *text)
{
	json_t *s = json_string(text);

	return send_json(r, status, json_pack("{s:o}", "error", s ? s : json_string("not understood")), NULL);
}

static enum MHD_Result send_empty(struct request *r, int status, int64_t offset, int64_t length, const char *location)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	char number[32];

	add_headers(response, "text/plain");
	(void)snprintf(number, sizeof(number), "%lld", (long long)offset);
	if (offset >= 0)
		(void)MHD_add_response_header(response, "Upload-Offset", number);
	(void)snprintf(number, sizeof(number), "%lld", (long long)length);
	if (length >= 0)
		(void)MHD_add_response_header(response, "Upload-Length", number);
	if (location)
		(void)MHD_add_response_header(response, "Location", location);
	return send_response(r, status, response);
}

static int status_of(int depot)
{
	return depot == DEPOT_NONE ? 404 : depot == DEPOT_LIMIT ? 413 : depot == DEPOT_STATE ? 409 : 507;
}

/* ---- who may ---- */

static bool same_token(const char *a, const char *b)
{
	unsigned char x[32], y[32], different = 0;
	unsigned n = 32;

	/* Digests are compared, so that time tells nothing of length or place. */
	if (!EVP_Digest(a, strlen(a), x, &n, EVP_sha256(), NULL) || !EVP_Digest(b, strlen(b), y, &n, EVP_sha256(), NULL))
		return false;
	for (int i = 0; i < 32; i++)
		different |= x[i] ^ y[i];
	return different == 0;
}

static bool has_token(const struct request *r)
{
	const char *given = header(r, "Authorization");

	if (given && strncasecmp(given, "Bearer ", 7) == 0)
		return same_token(given + 7, r->server->token);
	given = MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, "bothends");
	return given && same_token(given, r->server->token);
}

static bool loopback_name(const char *host)
{
	size_t n = host ? strcspn(host, ":") : 0;

	if (!host)
		return false;
	if (strncmp(host, "[::1]", 5) == 0)
		return host[5] == '\0' || host[5] == ':';
	return (n == 9 && strncasecmp(host, "localhost", 9) == 0) || (n <= 15 && n >= 9 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == n);
}

static bool own_origin(const struct request *r)
{
	const char *origin = header(r, "Origin"), *host = header(r, "Host");

	if (!origin)
		return true;
	if (strncmp(origin, "http://", 7) == 0)
		return host && strcasecmp(origin + 7, host) == 0;
	return strncmp(origin, "https://", 8) == 0 && host && strcasecmp(origin + 8, host) == 0;
}

static bool is_public(const struct request *r)
{
	return strcmp(r->method, "GET") == 0 && (strcmp(r->url, "/") == 0 || strncmp(r->url, "/assets/", 8) == 0);
}

/* 0, or the status of a refusal. */
static int check_access(const struct request *r, const char **ret_text)
{
	if (!r->server->token && !loopback_name(header(r, "Host"))) {
		*ret_text = "this server answers to loopback names only; give it --token-file to be reached from elsewhere";
		return 403;
	}
	if (!own_origin(r)) {
		*ret_text = "requests from other pages are refused";
		return 403;
	}
	if (r->server->token && !is_public(r) && !has_token(r)) {
		*ret_text = "token missing or wrong: send Authorization: Bearer TOKEN";
		return 401;
	}
	return 0;
}

/* ---- receiving ---- */

static int open_capture(struct request *r, int flags)
{
	CLEANUP_FREE char *name = mem_printf("capture-%u", r->number), *path = depot_file(&r->server->depot, r->id, name);

	return open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

static bool write_all(struct request *r, const char *data, size_t n)
{
	while (n) {
		ssize_t w = pwrite(r->fd, data, n, r->at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		data += w;
		n -= (size_t)w;
		r->at += w;
	}
	return true;
}

static void close_capture(struct request *r)
{
	if (r->fd < 0)
		return;
	(void)close(r->fd);
	r->fd = -1;
	if (r->kind == KIND_FORM)
		(void)depot_set_size(&r->server->depot, r->id, r->number, r->at);
}

static int begin_field(struct request *r, const char *key, const char *filename)
{
	struct error err = ERROR_INIT;
	int result;

	close_capture(r);
	if (!key || !depot_host_valid(key))
		return fail(r, 400, "a form field is a host's name: 1 to 64 of letters, digits, . _ -"), -1;
	if (!filename)
		return fail(r, 400, "a form field must be a file: curl -F host=@capture.pcapng"), -1;
	result = depot_add_file(&r->server->depot, r->id, key, filename, 0, &r->number, &err);
	if (result)
		return fail(r, status_of(result), err.text), -1;
	r->files++;
	r->at = 0;
	r->fd = open_capture(r, O_CREAT | O_EXCL);
	return r->fd < 0 ? (fail(r, 507, "the disk is full: free some room or delete incidents"), -1) : 0;
}

static enum MHD_Result on_field(void *closure, enum MHD_ValueKind kind, const char *key, const char *filename,
	const char *type, const char *encoding, const char *data, uint64_t offset, size_t size)
{
	struct request *r = closure;

	(void)kind;
	(void)type;
	(void)encoding;
	if (r->status)
		return MHD_NO;
	if (offset == 0 && begin_field(r, key, filename) < 0)
		return MHD_NO;
	r->size += (int64_t)size;
	if ((uint64_t)r->size > r->server->depot.upload_max) {
		(void)fail(r, 413, "more bytes than one incident may have: cut the captures (editcap -s 128), or raise --max-upload");
		return MHD_NO;
	}
	if (!write_all(r, data, size)) {
		(void)fail(r, 507, "the disk is full: free some room or delete incidents");
		return MHD_NO;
	}
	return MHD_YES;
}

static void receive_patch(struct request *r, const char *data, size_t n)
{
	bool beyond = r->at + (int64_t)n > r->size;

	if (beyond)
		n = (size_t)(r->size - r->at);
	if (!write_all(r, data, n))
		(void)fail(r, 507, "the disk is full: free some room or delete incidents");
	if (beyond)
		(void)fail(r, 413, "more bytes than Upload-Length said");
}

static void receive_body(struct request *r, const char *data, size_t n)
{
	if (r->body_length + n > BODY_MAX) {
		(void)fail(r, 413, "a statement of more than 64 KiB");
		return;
	}
	r->body = mem_realloc(r->body, r->body_length + n + 1);
	memcpy(r->body + r->body_length, data, n);
	r->body_length += n;
	r->body[r->body_length] = '\0';
}

static void receive(struct request *r, const char *data, size_t n)
{
	if (r->status)
		return; /* the rest is read and dropped, so that the client gets to read the answer */
	if (r->kind == KIND_FORM && MHD_post_process(r->form, data, n) != MHD_YES)
		(void)fail(r, 400, "the form is not understood");
	else if (r->kind == KIND_PATCH)
		receive_patch(r, data, n);
	else if (r->kind == KIND_BODY)
		receive_body(r, data, n);
}

/* ---- addresses ---- */

static int64_t number_header(const struct request *r, const char *name)
{
	const char *text = header(r, name);
	char *end;
	long long v;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	v = strtoll(text, &end, 10);
	return errno || *end ? -1 : v;
}

/* /incidents/ID or /incidents/ID/REST: fills id, *ret_rest is REST ("" without). */
static bool incident_url(struct request *r, const char **ret_rest)
{
	const char *at = r->url + strlen("/incidents/");
	size_t n;

	if (strncmp(r->url, "/incidents/", strlen("/incidents/")) != 0)
		return false;
	n = strcspn(at, "/");
	if (n != DEPOT_ID_SIZE - 1)
		return false;
	memcpy(r->id, at, n);
	r->id[n] = '\0';
	*ret_rest = at[n] ? at + n + 1 : at + n;
	return depot_id_valid(r->id);
}

/* files/capture-N */
static bool file_url(struct request *r, const char *rest)
{
	char *end;
	unsigned long n;

	if (strncmp(rest, "files/capture-", 14) != 0 || rest[14] < '1' || rest[14] > '9' || strlen(rest + 14) > 6)
		return false;
	n = strtoul(rest + 14, &end, 10);
	r->number = (unsigned)n;
	return *end == '\0';
}

static const json_t *file_in(const json_t *meta, unsigned number)
{
	char name[32];
	const json_t *f;
	size_t i;

	(void)snprintf(name, sizeof(name), "capture-%u", number);
	json_array_foreach(json_object_get(meta, "files"), i, f)
		if (strcmp(json_string_value(json_object_get(f, "id")), name) == 0)
			return f;
	return NULL;
}

static json_t *incident_json(struct request *r)
{
	json_t *meta = depot_get(&r->server->depot, r->id);
	const char *state = json_string_value(json_object_get(meta, "state"));

	if (!meta)
		return NULL;
	(void)json_object_set_new(meta, "url", json_sprintf("/incidents/%s", r->id));
	if (state && strcmp(state, "done") == 0) {
		(void)json_object_set_new(meta, "report", json_sprintf("/incidents/%s/report", r->id));
		(void)json_object_set_new(meta, "database", json_sprintf("/incidents/%s/database", r->id));
		(void)json_object_set_new(meta, "findings", analysis_findings(r->server, r->id));
	}
	return meta;
}

static unsigned wait_seconds(const struct request *r, unsigned normal)
{
	const char *text = MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, "wait");
	unsigned long v = text && *text >= '0' && *text <= '9' ? strtoul(text, NULL, 10) : normal;

	return v > WAIT_MAX ? WAIT_MAX : (unsigned)v;
}

/* The JSON of an incident, when its analysis is done or the patience is over. */
static enum MHD_Result send_incident(struct request *r, int done_status, unsigned wait_s)
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
		return send_error(r, 404, "no such incident");
	state = json_string_value(json_object_get(meta, "state"));
	return send_json(r, state && strcmp(state, "analyzing") == 0 ? 202 : done_status, meta, json_string_value(json_object_get(meta, "url")));
}

static enum MHD_Result analyze(struct request *r, int done_status, unsigned normal_wait)
{
	json_t *meta = depot_get(&r->server->depot, r->id);
	const json_t *f;
	size_t i;
	int result;

	json_array_foreach(json_object_get(meta, "files"), i, f)
		if (json_integer_value(json_object_get(f, "size")) != json_integer_value(json_object_get(f, "received"))) {
			json_decref(meta);
			return send_error(r, 409, "a file is not complete: send the rest, or delete it");
		}
	i = json_array_size(json_object_get(meta, "files"));
	json_decref(meta);
	if (meta && i == 0)
		return send_error(r, 409, "no file was sent");
	result = depot_move(&r->server->depot, r->id, "uploading", "analyzing", NULL);
	if (result == 0)
		analysis_start(r->server, r->id);
	else if (result != DEPOT_STATE)
		return send_error(r, status_of(result), result == DEPOT_NONE ? "no such incident" : "the disk is full");
	return send_incident(r, done_status, wait_seconds(r, normal_wait));
}

static enum MHD_Result send_file(struct request *r, const char *name, const char *type, const char *download, const char *policy)
{
	CLEANUP_FREE char *path = depot_file(&r->server->depot, r->id, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct MHD_Response *response;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		if (fd >= 0)
			(void)close(fd);
		return send_error(r, 404, "not there: the analysis is not done, or failed");
	}
	response = MHD_create_response_from_fd64((uint64_t)st.st_size, fd);
	add_headers(response, type);
	if (download) {
		CLEANUP_FREE char *value = mem_printf("attachment; filename=\"%s\"", download);

		(void)MHD_add_response_header(response, "Content-Disposition", value);
	}
	(void)MHD_add_response_header(response, "Content-Security-Policy", policy ? policy : "default-src 'none'");
	return send_response(r, 200, response);
}

/* The report is made from strangers' captures: it runs in an origin of its own, and only our scripts. */
static enum MHD_Result send_report(struct request *r)
{
	CLEANUP_FREE char *policy = mem_printf(
		"default-src 'none'; style-src 'unsafe-inline'; script-src %s %s; base-uri 'none'; form-action 'none'; sandbox allow-scripts",
		asset_dygraphs_csp, asset_report_js_csp);

	return send_file(r, "report.html", "text/html; charset=utf-8", NULL, policy);
}

static enum MHD_Result send_evidence(struct request *r, const char *number)
{
	CLEANUP_FREE char *name = NULL, *folder = depot_folder(&r->server->depot, r->id);
	const char *argv[12] = {"extract", "--source", ".", "--source-only", "--force", "-o"};
	struct error err = ERROR_INIT;
	int result;

	if (strspn(number, "0123456789") != strlen(number) || !*number || strlen(number) > 9)
		return send_error(r, 404, "no such finding");
	name = mem_printf("finding-%s.pcapng", number);
	argv[6] = name;
	argv[7] = "incident.db";
	argv[8] = number;
	result = confined_run(folder, argv, NULL, &r->server->limits, &err);
	if (result)
		return send_error(r, result < 0 ? 500 : 409, err.text);
	return send_file(r, name, "application/vnd.tcpdump.pcap", name, NULL);
}

static enum MHD_Result send_query(struct request *r)
{
	const struct confined_limits limits = {.memory = 512 << 20, .file = 16 << 20, .cpu_s = 20, .wall_s = 30};
	CLEANUP_FREE char *folder = depot_folder(&r->server->depot, r->id);
	const char *const argv[] = {"query", "--format", "json", "--", "incident.db", r->body, NULL};
	char out[64];
	struct error err = ERROR_INIT;
	enum MHD_Result sent;
	int result;

	if (!r->body || !*r->body || strlen(r->body) != r->body_length)
		return send_error(r, 400, "the body is one SQL statement");
	(void)snprintf(out, sizeof(out), "query-%llx", (unsigned long long)(uintptr_t)r);
	result = confined_run(folder, argv, out, &limits, &err);
	sent = result ? send_error(r, result < 0 ? 500 : 400, err.text) : send_file(r, out, "application/json", NULL, NULL);
	{
		CLEANUP_FREE char *path = depot_file(&r->server->depot, r->id, out);

		(void)unlink(path);
	}
	return sent;
}

static enum MHD_Result send_asset(struct request *r, const char *text, const char *type)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

	add_headers(response, type);
	(void)MHD_add_response_header(response, "Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
	return send_response(r, 200, response);
}

/* ---- tus ---- */

static char *metadata(const char *all, const char *key, size_t max)
{
	size_t n = strlen(key);

	for (const char *at = all; at && *at;) {
		at += strspn(at, " ,");
		if (strncmp(at, key, n) == 0 && at[n] == ' ') {
			size_t length = strcspn(at + n + 1, ", ");
			char *out = mem_zalloc(length + 4);
			int got = length && length < max && length % 4 == 0
				? EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)at + n + 1, (int)length) : -1;

			if (got < 0) {
				free(out);
				return NULL;
			}
			out[got] = '\0';
			return out;
		}
		at += strcspn(at, ",");
	}
	return NULL;
}

static enum MHD_Result tus_create(struct request *r)
{
	CLEANUP_FREE char *host = metadata(header(r, "Upload-Metadata"), "host", 200);
	CLEANUP_FREE char *name = metadata(header(r, "Upload-Metadata"), "filename", 2000);
	int64_t size = number_header(r, "Upload-Length");
	struct error err = ERROR_INIT;
	int result;

	if (size < 0)
		return send_error(r, 411, "Upload-Length is missing");
	if (host && !depot_host_valid(host))
		return send_error(r, 400, "host: 1 to 64 of letters, digits, . _ -, the first a letter or digit");
	result = depot_add_file(&r->server->depot, r->id, host, name ? name : "capture", size, &r->number, &err);
	if (result)
		return send_error(r, status_of(result), err.text);
	r->fd = open_capture(r, O_CREAT | O_EXCL);
	if (r->fd < 0)
		return send_error(r, 507, "the disk is full: free some room or delete incidents");
	(void)close(r->fd);
	r->fd = -1;
	{
		CLEANUP_FREE char *location = mem_printf("/incidents/%s/files/capture-%u", r->id, r->number);

		return send_empty(r, 201, 0, -1, location);
	}
}

static enum MHD_Result tus_head(struct request *r)
{
	json_t *meta = depot_get(&r->server->depot, r->id);
	const json_t *f = meta ? file_in(meta, r->number) : NULL;
	enum MHD_Result sent = f ? send_empty(r, 200, json_integer_value(json_object_get(f, "received")),
					   json_integer_value(json_object_get(f, "size")), NULL)
				 : send_error(r, 404, "no such file");

	json_decref(meta);
	return sent;
}

static void begin_patch(struct request *r)
{
	json_t *meta = depot_get(&r->server->depot, r->id);
	const json_t *f = meta ? file_in(meta, r->number) : NULL;
	const char *type = header(r, "Content-Type");
	int64_t offset = number_header(r, "Upload-Offset");
	struct stat st;

	r->kind = KIND_PATCH;
	if (!f)
		(void)fail(r, 404, "no such file");
	else if (strcmp(json_string_value(json_object_get(meta, "state")), "uploading") != 0)
		(void)fail(r, 409, "the analysis has begun");
	else if (!type || strcmp(type, "application/offset+octet-stream") != 0)
		(void)fail(r, 400, "Content-Type must be application/offset+octet-stream");
	r->size = f ? json_integer_value(json_object_get(f, "size")) : 0;
	json_decref(meta);
	if (r->status)
		return;
	r->fd = open_capture(r, 0);
	if (r->fd < 0)
		(void)fail(r, 404, "no such file");
	else if (flock(r->fd, LOCK_EX | LOCK_NB) < 0)
		(void)fail(r, 423, "another request is sending this file");
	else if (fstat(r->fd, &st) < 0 || offset != st.st_size)
		(void)fail(r, 409, "Upload-Offset is not where the file ends; HEAD tells");
	r->at = offset;
}

static void begin_form(struct request *r)
{
	struct error err = ERROR_INIT;
	int64_t length = number_header(r, "Content-Length");
	int result;

	r->kind = KIND_FORM;
	if (length > 0 && (uint64_t)length > r->server->depot.upload_max + (1 << 20)) {
		(void)fail(r, 413, "more bytes than one incident may have: cut the captures (editcap -s 128), or raise --max-upload");
		return;
	}
	r->form = MHD_create_post_processor(r->connection, 65536, on_field, r);
	if (!r->form) {
		(void)fail(r, 400, "send a form: curl -F worker=@a.pcapng -F db=@b.pcapng");
		return;
	}
	result = depot_new(&r->server->depot, r->id, &err);
	if (result)
		(void)fail(r, result < 0 ? 500 : status_of(result), err.text);
	else
		r->begun = true;
}

/* Headers are here, the body is not: what it will be taken for. */
static void begin(struct request *r)
{
	const char *rest = "", *refusal = NULL, *version = header(r, "Tus-Resumable");
	int status = check_access(r, &refusal);

	if (status) {
		(void)fail(r, status, refusal);
		return;
	}
	if (strcmp(r->method, "POST") == 0 && strcmp(r->url, "/") == 0) {
		begin_form(r);
		return;
	}
	if (!incident_url(r, &rest))
		return;
	if (strncmp(rest, "files", 5) == 0 && version && strcmp(version, "1.0.0") != 0)
		(void)fail(r, 412, "this server speaks tus 1.0.0");
	else if (strcmp(r->method, "PATCH") == 0 && file_url(r, rest))
		begin_patch(r);
	else if (strcmp(r->method, "POST") == 0 && strcmp(rest, "query") == 0)
		r->kind = KIND_BODY;
}

static enum MHD_Result finish_form(struct request *r)
{
	close_capture(r);
	(void)MHD_destroy_post_processor(r->form);
	r->form = NULL;
	if (r->status == 0 && r->files == 0)
		(void)fail(r, 400, "no file in the form: curl -F worker=@a.pcapng -F db=@b.pcapng");
	if (r->status)
		return send_error(r, r->status, r->error);
	r->keep = true;
	return analyze(r, 201, 60);
}

static enum MHD_Result delete_incident(struct request *r)
{
	int result = depot_delete(&r->server->depot, r->id);

	if (result == DEPOT_STATE)
		return send_error(r, 409, "it is being analyzed: wait until that is done");
	return result ? send_error(r, 404, "no such incident") : send_empty(r, 204, -1, -1, NULL);
}

static enum MHD_Result delete_file(struct request *r)
{
	struct error err = ERROR_INIT;
	int result = depot_remove_file(&r->server->depot, r->id, r->number, &err);

	return result ? send_error(r, status_of(result), err.text) : send_empty(r, 204, -1, -1, NULL);
}

static enum MHD_Result answer_incident(struct request *r, const char *rest)
{
	bool get = strcmp(r->method, "GET") == 0, post = strcmp(r->method, "POST") == 0, del = strcmp(r->method, "DELETE") == 0;
	const char *accept = header(r, "Accept");
	json_t *meta = depot_get(&r->server->depot, r->id);

	json_decref(meta);
	if (!meta)
		return send_error(r, 404, "no such incident");
	if (!*rest && get)
		return accept && strstr(accept, "text/html") ? send_asset(r, asset_serve_html, "text/html; charset=utf-8")
							     : send_incident(r, 200, 0);
	if (!*rest && del)
		return delete_incident(r);
	if (strcmp(rest, "files") == 0 && post)
		return tus_create(r);
	if (file_url(r, rest) && strcmp(r->method, "HEAD") == 0)
		return tus_head(r);
	if (file_url(r, rest) && del)
		return delete_file(r);
	if (strcmp(rest, "analyze") == 0 && post)
		return analyze(r, 200, 0);
	if (strcmp(rest, "report") == 0 && get)
		return send_report(r);
	if (strcmp(rest, "database") == 0 && get)
		return send_file(r, "incident.db", "application/vnd.sqlite3", "incident.db", NULL);
	if (strncmp(rest, "evidence/", 9) == 0 && get)
		return send_evidence(r, rest + 9);
	if (strcmp(rest, "query") == 0 && post)
		return send_query(r);
	return send_error(r, 404, "no such address; docs/serve.md lists them");
}

static enum MHD_Result login(struct request *r)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	CLEANUP_FREE char *cookie = mem_printf("bothends=%s; HttpOnly; SameSite=Strict; Path=/", r->server->token ? r->server->token : "");

	add_headers(response, "text/plain");
	if (r->server->token)
		(void)MHD_add_response_header(response, "Set-Cookie", cookie);
	return send_response(r, 204, response);
}

static enum MHD_Result new_incident(struct request *r)
{
	CLEANUP_FREE char *location = NULL;
	struct error err = ERROR_INIT;
	int result;

	depot_expire(&r->server->depot);
	result = depot_new(&r->server->depot, r->id, &err);
	if (result)
		return send_error(r, result < 0 ? 500 : status_of(result), err.text);
	location = mem_printf("/incidents/%s", r->id);
	return send_json(r, 201, incident_json(r), location);
}

static enum MHD_Result answer(struct request *r)
{
	const char *rest = "";
	bool get = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0, post = strcmp(r->method, "POST") == 0;

	if (r->kind == KIND_FORM)
		return finish_form(r);
	if (r->status)
		return send_error(r, r->status, r->error);
	if (r->kind == KIND_PATCH)
		return send_empty(r, 204, r->at, -1, NULL);
	if (incident_url(r, &rest))
		return answer_incident(r, rest);
	if (get && strcmp(r->url, "/") == 0)
		return send_asset(r, asset_serve_html, "text/html; charset=utf-8");
	if (get && strcmp(r->url, "/assets/serve.js") == 0)
		return send_asset(r, asset_serve_js, "text/javascript; charset=utf-8");
	if (get && strcmp(r->url, "/assets/serve.css") == 0)
		return send_asset(r, asset_serve_css, "text/css; charset=utf-8");
	if (get && strcmp(r->url, "/incidents") == 0)
		return send_json(r, 200, depot_list(&r->server->depot), NULL);
	if (post && strcmp(r->url, "/incidents") == 0)
		return new_incident(r);
	if (post && strcmp(r->url, "/login") == 0)
		return login(r);
	return send_error(r, 404, "no such address; docs/serve.md lists them");
}

static struct patience_client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void on_connection(void *closure, struct MHD_Connection *connection, void **client, enum MHD_ConnectionNotificationCode what)
{
	struct http *http = closure;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*client = info ? patience_opened(http->patience, info->connect_fd) : NULL;
	} else {
		patience_closed(http->patience, *client);
		*client = NULL;
	}
}

static enum MHD_Result on_request(void *closure, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *data_size, void **state)
{
	struct request *r = *state;
	struct http *http = closure;

	(void)version;
	if (!r) {
		r = mem_zalloc(sizeof(*r));
		*r = (struct request){.http = http, .server = http->server, .connection = connection, .method = method, .url = url,
			.fd = -1};
		*state = r;
		patience_busy(http->patience, client_of(connection));
		begin(r);
		/* Refused before the body: answered now, and the connection is closed after it. */
		return r->status && r->kind != KIND_FORM ? send_error(r, r->status, r->error) : MHD_YES;
	}
	if (*data_size) {
		/* No answer: it would not read one. What tus received stays, a form leaves nothing. */
		if (pace_too_slow(&r->pace, *data_size, r->server->idle_s))
			return MHD_NO;
		receive(r, data, *data_size);
		*data_size = 0;
		return MHD_YES;
	}
	return answer(r);
}

static void on_completed(void *closure, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode how)
{
	struct request *r = *state;
	struct http *http = closure;

	(void)how;
	patience_waiting(http->patience, client_of(connection));
	if (!r)
		return;
	if (r->form)
		(void)MHD_destroy_post_processor(r->form);
	if (r->fd >= 0)
		(void)close(r->fd);
	/* A form that broke off, or was refused, leaves nothing. What tus received stays. */
	if (r->kind == KIND_FORM && r->begun && !r->keep)
		(void)depot_delete(&r->server->depot, r->id);
	free(r->body);
	free(r);
	*state = NULL;
}

int http_start(struct http **ret_http, struct server *server, unsigned *ret_port, struct error *err)
{
	const unsigned family = server->listen.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0;
	struct http *http = mem_zalloc(sizeof(*http));
	const union MHD_DaemonInfo *info;

	http->server = server;
	http->patience = patience_new(server->idle_s);
	if (http->patience)
		http->daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | family, 0, NULL,
			NULL, on_request, http, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&server->listen,
			MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
			MHD_OPTION_CONNECTION_LIMIT, 64u,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, 24u, MHD_OPTION_CONNECTION_TIMEOUT, server->idle_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)131072, MHD_OPTION_THREAD_STACK_SIZE, (size_t)524288,
		MHD_OPTION_END);
	if (!http->daemon) {
		int r = error_errno(err, "cannot listen");

		patience_free(http->patience);
		free(http);
		return r;
	}
	info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
	*ret_port = info && info->port ? info->port : ntohs(((const struct sockaddr_in *)&server->listen)->sin_port);
	*ret_http = http;
	return 0;
}

void http_stop(struct http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	patience_free(http->patience);
	free(http);
}
