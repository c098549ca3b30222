/*
 * request: one HTTP request and what is known of it so far. It answers nothing and opens nothing:
 * send.h answers, upload.h receives.
 */
#pragma once

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "serve/http.h"
#include "serve/slow_client.h"

enum kind { KIND_PLAIN, KIND_FORM, KIND_PATCH, KIND_BODY };

/* One request; lives from its first header to its completion. */
struct request {
	struct http *http;
	struct server *server;
	struct MHD_Connection *connection;
	const char *method, *url;
	enum kind kind;
	int status; /* of a failure found on the way; 0: none */
	char error[512];
	char id[INCIDENT_ID_SIZE];
	unsigned number; /* of the file that is received */
	int fd;
	int64_t at, size; /* where the next byte goes; where the file ends */
	struct MHD_PostProcessor *form;
	unsigned files;
	struct slow_client_rate rate;
	bool begun, keep; /* keep: the incident stays when the connection breaks */
	char *body;
	size_t body_length;
};

/* Notes the first failure; the answer is sent when the body has been read. Returns MHD_YES. */
enum MHD_Result request_fail(struct request *r, int status, const char *text);

const char *request_header(const struct request *r, const char *name); /* NULL: not there */
int64_t request_number(
	const struct request *r, const char *name); /* of a header; -1: none, or no number */

/* /incidents/ID or /incidents/ID/REST: fills id, *ret_rest is REST ("" without). */
bool request_incident(struct request *r, const char **ret_rest);
bool request_file(struct request *r, const char *rest); /* files/capture-N: fills number */

/* The file of that number in what is known of an incident; NULL: none. */
const json_t *request_file_of(const json_t *meta, unsigned number);
