/* http: the upload server: accepts connections and routes requests. Addresses: docs/serve.md. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "serve/confined.h"
#include "serve/incident_store.h"

struct server {
	struct incident_store incidents;
	struct sockaddr_storage listen; /* IPv4 or IPv6 */
	const char *token;		/* NULL: none; then only loopback may connect */
	struct confined_limits limits;	/* of one analysis */
	unsigned analyses_max;		/* at the same time */
	unsigned idle_s; /* close a connection that is silent or too slow this long */
	char memory[32]; /* --memory of an analysis */
};

struct http;

/* Serves until http_stop(). *ret_port: the port in use (listen may have port 0). */
int http_start(
	struct http **ret_http, struct server *server, unsigned *ret_port, struct error *err);
void http_stop(struct http *http);
