/*
 * request: one HTTP request and what has been parsed of it. It sends nothing and opens nothing:
 * reply.h answers, upload.h receives the body.
 */
#pragma once

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "serve/http.h"
#include "serve/slow_client.h"

enum kind { KIND_PLAIN, KIND_FORM, KIND_PATCH, KIND_BODY };

/* Lives from the first header to the completion of the response. */
struct request {
	struct http *http;
	struct server *server;
	struct MHD_Connection *connection;
	const char *method, *url;
	enum kind kind;
	int status;	 /* of the first failure; 0: none */
	char error[512]; /* and its text */
	char id[INCIDENT_ID_SIZE];
	unsigned number; /* of the file being received */
	int fd;
	int64_t at, size; /* write position; end of the file */
	struct MHD_PostProcessor *form;
	unsigned files;
	struct slow_client_rate rate;
	bool begun, keep; /* keep: the incident stays if the connection breaks */
	char *body;
	size_t body_length;
};

/* Records the first failure; it is sent after the body has been read. Returns MHD_YES. */
enum MHD_Result request_fail(struct request *r, int status, const char *text);

/* A header's value, NULL if missing; as a number, -1 if missing or not a number. */
const char *request_header(const struct request *r, const char *name);
int64_t request_number(const struct request *r, const char *name);

/* /incidents/ID or /incidents/ID/REST: sets id; *ret_rest is REST, or "". */
bool request_incident(struct request *r, const char **ret_rest);
/* files/capture-N: sets number. */
bool request_file(struct request *r, const char *rest);

/* The entry of file number N in an incident's metadata; NULL: none. */
const json_t *request_file_of(const json_t *meta, unsigned number);
