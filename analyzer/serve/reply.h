/* reply: HTTP responses. Each function queues a complete response and returns what MHD expects. */
#pragma once

#include "serve/request.h"

/* Sets the headers that all responses have. */
void reply_headers(struct MHD_Response *response, const char *type);
enum MHD_Result reply_queue(struct request *r, int status, struct MHD_Response *response);

/* Releases value. location NULL: no Location header. */
enum MHD_Result reply_json(struct request *r, int status, json_t *value, const char *location);
enum MHD_Result reply_error(struct request *r, int status, const char *text);

/* No body. offset, length: Upload-Offset and Upload-Length; negative: left out. */
enum MHD_Result reply_empty(
	struct request *r, int status, int64_t offset, int64_t length, const char *location);

/* A script, style sheet or page compiled into the program. */
enum MHD_Result reply_asset(struct request *r, const char *text, const char *type);

/*
 * A file of the incident. download: the name to save it under (NULL: show it). policy: its content
 * security policy (NULL: allow nothing).
 */
enum MHD_Result reply_file(struct request *r, const char *name, const char *type,
	const char *download, const char *policy);

/* The HTTP status for an enum incident_store_result. */
int reply_status(int stored);
