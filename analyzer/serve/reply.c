#include "serve/reply.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

void reply_headers(struct MHD_Response *response, const char *type)
{
	(void)MHD_add_response_header(response, "Content-Type", type);
	(void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	(void)MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	(void)MHD_add_response_header(response, "Cache-Control", "no-store");
	(void)MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
	(void)MHD_add_response_header(response, "Tus-Resumable", "1.0.0");
}

enum MHD_Result reply_queue(struct request *r, int status, struct MHD_Response *response)
{
	enum MHD_Result result = MHD_queue_response(r->connection, (unsigned)status, response);

	MHD_destroy_response(response);
	return result;
}

enum MHD_Result reply_json(struct request *r, int status, json_t *value, const char *location)
{
	char *text = json_dumps(value, JSON_INDENT(2));
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);

	reply_headers(response, "application/json; charset=utf-8");
	if (location)
		(void)MHD_add_response_header(response, "Location", location);
	json_decref(value); /* only now: location may be part of it */
	if (status == 401)
		(void)MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	return reply_queue(r, status, response);
}

enum MHD_Result reply_error(struct request *r, int status, const char *text)
{
	json_t *s = json_string(text);

	return reply_json(r, status,
		json_pack("{s:o}", "error", s ? s : json_string("invalid request")), NULL);
}

enum MHD_Result reply_empty(
	struct request *r, int status, int64_t offset, int64_t length, const char *location)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	char number[32];

	reply_headers(response, "text/plain");
	(void)snprintf(number, sizeof(number), "%lld", (long long)offset);
	if (offset >= 0)
		(void)MHD_add_response_header(response, "Upload-Offset", number);
	(void)snprintf(number, sizeof(number), "%lld", (long long)length);
	if (length >= 0)
		(void)MHD_add_response_header(response, "Upload-Length", number);
	if (location)
		(void)MHD_add_response_header(response, "Location", location);
	return reply_queue(r, status, response);
}

enum MHD_Result reply_asset(struct request *r, const char *text, const char *type)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

	reply_headers(response, type);
	(void)MHD_add_response_header(response, "Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
		"img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; "
		"frame-ancestors 'none'");
	return reply_queue(r, 200, response);
}

enum MHD_Result reply_file(struct request *r, const char *name, const char *type,
	const char *download, const char *policy)
{
	CLEANUP_FREE char *path = incident_store_file(&r->server->incidents, r->id, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct MHD_Response *response;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		if (fd >= 0)
			(void)close(fd);
		return reply_error(
			r, 404, "not available: the analysis is still running or has failed");
	}
	response = MHD_create_response_from_fd64((uint64_t)st.st_size, fd);
	reply_headers(response, type);
	if (download) {
		CLEANUP_FREE char *value = mem_printf("attachment; filename=\"%s\"", download);

		(void)MHD_add_response_header(response, "Content-Disposition", value);
	}
	(void)MHD_add_response_header(
		response, "Content-Security-Policy", policy ? policy : "default-src 'none'");
	return reply_queue(r, 200, response);
}

int reply_status(int stored)
{
	return stored == INCIDENT_STORE_NONE	? 404
	       : stored == INCIDENT_STORE_LIMIT ? 413
	       : stored == INCIDENT_STORE_STATE ? 409
						: 507;
}
