#include "serve/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/auth.h"
#include "serve/incident.h"
#include "serve/reply.h"
#include "serve/upload.h"
#include "serve_assets.h"

struct http {
	struct MHD_Daemon *daemon;
	struct slow_client_watch *slow_clients;
	struct server *server;
};

/* The headers are complete: decides how to treat the body. */
static void http_begin(struct request *r)
{
	const char *rest = "", *refusal = NULL, *version = request_header(r, "Tus-Resumable");
	int status = auth_check(r, &refusal);

	if (status) {
		(void)request_fail(r, status, refusal);
		return;
	}
	if (strcmp(r->method, "POST") == 0 && strcmp(r->url, "/") == 0) {
		upload_begin_form(r);
		return;
	}
	if (!request_incident(r, &rest))
		return;
	if (strncmp(rest, "files", 5) == 0 && version && strcmp(version, "1.0.0") != 0)
		(void)request_fail(r, 412, "this server supports tus 1.0.0");
	else if (strcmp(r->method, "PATCH") == 0 && request_file(r, rest))
		upload_begin_patch(r);
	else if (strcmp(r->method, "POST") == 0 && strcmp(rest, "query") == 0)
		r->kind = KIND_BODY;
}

static enum MHD_Result http_finish_form(struct request *r)
{
	upload_end_form(r);
	if (r->status)
		return reply_error(r, r->status, r->error);
	r->keep = true;
	return incident_analyze(r, 201, 60);
}

static enum MHD_Result http_login(struct request *r)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	CLEANUP_FREE char *cookie = mem_printf("bothends=%s; HttpOnly; SameSite=Strict; Path=/",
		r->server->token ? r->server->token : "");

	reply_headers(response, "text/plain");
	if (r->server->token)
		(void)MHD_add_response_header(response, "Set-Cookie", cookie);
	return reply_queue(r, 204, response);
}

static enum MHD_Result http_answer(struct request *r)
{
	const char *rest = "";
	bool get = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0,
	     post = strcmp(r->method, "POST") == 0;

	if (r->kind == KIND_FORM)
		return http_finish_form(r);
	if (r->status)
		return reply_error(r, r->status, r->error);
	if (r->kind == KIND_PATCH)
		return reply_empty(r, 204, r->at, -1, NULL);
	if (request_incident(r, &rest))
		return incident_answer(r, rest);
	if (get && strcmp(r->url, "/") == 0)
		return reply_asset(r, asset_serve_html, "text/html; charset=utf-8");
	if (get && strcmp(r->url, "/assets/serve.js") == 0)
		return reply_asset(r, asset_serve_js, "text/javascript; charset=utf-8");
	if (get && strcmp(r->url, "/assets/serve.css") == 0)
		return reply_asset(r, asset_serve_css, "text/css; charset=utf-8");
	if (get && strcmp(r->url, "/incidents") == 0)
		return reply_json(r, 200, incident_store_list(&r->server->incidents), NULL);
	if (post && strcmp(r->url, "/incidents") == 0)
		return incident_new(r);
	if (post && strcmp(r->url, "/login") == 0)
		return http_login(r);
	return reply_error(r, 404, "no such address; see docs/serve.md");
}

static struct slow_client *http_client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void http_on_connection(void *closure, struct MHD_Connection *connection, void **client,
	enum MHD_ConnectionNotificationCode what)
{
	struct http *http = closure;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*client = info ? slow_client_opened(http->slow_clients, info->connect_fd) : NULL;
	} else {
		slow_client_closed(http->slow_clients, *client);
		*client = NULL;
	}
}

static enum MHD_Result http_on_request(void *closure, struct MHD_Connection *connection,
	const char *url, const char *method, const char *version, const char *data,
	size_t *data_size, void **state)
{
	struct request *r = *state;
	struct http *http = closure;

	(void)version;
	if (!r) {
		r = mem_zalloc(sizeof(*r));
		*r = (struct request){.http = http,
			.server = http->server,
			.connection = connection,
			.method = method,
			.url = url,
			.fd = -1};
		*state = r;
		slow_client_busy(http->slow_clients, http_client_of(connection));
		http_begin(r);
		/* Refused before the body: answers now; MHD then closes the connection. */
		return r->status && r->kind != KIND_FORM ? reply_error(r, r->status, r->error)
							 : MHD_YES;
	}
	if (*data_size) {
		/* Closes without an answer. Data received by tus stays, a form leaves nothing. */
		if (slow_client_below_rate(&r->rate, *data_size, r->server->idle_s))
			return MHD_NO;
		upload_receive(r, data, *data_size);
		*data_size = 0;
		return MHD_YES;
	}
	return http_answer(r);
}

static void http_on_completed(void *closure, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode how)
{
	struct request *r = *state;
	struct http *http = closure;

	(void)how;
	slow_client_waiting(http->slow_clients, http_client_of(connection));
	if (!r)
		return;
	upload_release(r);
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
	http->slow_clients = slow_client_watch_new(server->idle_s);
	if (http->slow_clients)
		http->daemon = MHD_start_daemon(
			MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | family, 0,
			NULL, NULL, http_on_request, http, MHD_OPTION_SOCK_ADDR,
			(struct sockaddr *)&server->listen, MHD_OPTION_NOTIFY_COMPLETED,
			http_on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, http_on_connection,
			http, MHD_OPTION_CONNECTION_LIMIT, 64u, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
			24u, MHD_OPTION_CONNECTION_TIMEOUT, server->idle_s,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)131072,
			MHD_OPTION_THREAD_STACK_SIZE, (size_t)524288, MHD_OPTION_END);
	if (!http->daemon) {
		int r = error_errno(err, "cannot listen");

		slow_client_watch_free(http->slow_clients);
		free(http);
		return r;
	}
	info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
	*ret_port = info && info->port
			    ? info->port
			    : ntohs(((const struct sockaddr_in *)&server->listen)->sin_port);
	*ret_http = http;
	return 0;
}

void http_stop(struct http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	slow_client_watch_free(http->slow_clients);
	free(http);
}
