/* http: the upload page. docs/serve.md has its addresses. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "serve/confined.h"
#include "serve/incident_store.h"

struct server {
	struct incident_store incidents;
	struct sockaddr_storage listen; /* IPv4 or IPv6 */
	const char *token;		/* NULL: loopback only, without one */
	struct confined_limits limits;
	unsigned analyses_max; /* at once */
	unsigned idle_s; /* a client that sends nothing, or no more than a trickle, for so long is
			    cut off */
	char memory[32]; /* --memory of an analysis */
};

struct http;

/* Serves until http_stop(). *ret_port is the one that was taken (listen may say 0). */
int http_start(
	struct http **ret_http, struct server *server, unsigned *ret_port, struct error *err);
void http_stop(struct http *http);
