/* http: the upload page. docs/serve.md has its addresses. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "serve/confined.h"
#include "serve/depot.h"

struct server {
	struct depot depot;
	struct sockaddr_in listen;
	const char *token; /* NULL: loopback only, without one */
	struct confined_limits limits;
	unsigned analyses_max; /* at once */
	unsigned idle_s;       /* a client that sends nothing for so long is cut off */
	char memory[32];       /* --memory of an analysis */
};

struct http;

/* Serves until http_stop(). *ret_port is the one that was taken (listen may say 0). */
int http_start(struct http **ret_http, struct server *server, unsigned *ret_port, struct error *err);
void http_stop(struct http *http);
