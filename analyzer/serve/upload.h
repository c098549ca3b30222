/*
 * upload: writes request bodies to disk as they arrive; nothing is buffered in memory. A form that
 * breaks off or is refused leaves nothing behind; data received by the resumable protocol (tus)
 * stays.
 */
#pragma once

#include "serve/request.h"

/* The headers are complete: prepares for the body. Failures are recorded in r. */
void upload_begin_form(struct request *r);
void upload_begin_patch(struct request *r);

/* The next n bytes of the body. After a failure they are discarded, so that the client can send
 * the rest and read the answer. */
void upload_receive(struct request *r, const char *data, size_t n);

void upload_end_form(struct request *r);

/* The request has ended, in whatever way. */
void upload_release(struct request *r);

/* tus: creates a file; reports how much of a file has been received. */
enum MHD_Result upload_create(struct request *r);
enum MHD_Result upload_offset(struct request *r);
