/* reply: answers. Each takes a whole answer and returns what the HTTP library wants to hear. */
#pragma once

#include "serve/request.h"

void reply_headers(
	struct MHD_Response *response, const char *type); /* those that all answers have */
enum MHD_Result reply_queue(struct request *r, int status, struct MHD_Response *response);

/* value is released. location NULL: none. */
enum MHD_Result reply_json(struct request *r, int status, json_t *value, const char *location);
enum MHD_Result reply_error(struct request *r, int status, const char *text);

/* Without a body; offset and length below 0: none. */
enum MHD_Result reply_empty(
	struct request *r, int status, int64_t offset, int64_t length, const char *location);

/* Of our own, made at build time. */
enum MHD_Result reply_asset(struct request *r, const char *text, const char *type);

/* A file of the incident; download is the name it is saved by, policy its content security policy
 * (NULL: nothing at all). */
enum MHD_Result reply_file(struct request *r, const char *name, const char *type,
	const char *download, const char *policy);

int reply_status(int stored); /* of a result of incident_store.h */
