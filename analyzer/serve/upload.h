/*
 * upload: bodies on their way to the disk. Nothing is held in memory; a form that breaks off or is
 * refused leaves nothing, what the resumable protocol (tus) received stays.
 */
#pragma once

#include "serve/request.h"

/* Headers are here: what the body will be taken for. Failures are noted in r. */
void upload_begin_form(struct request *r);
void upload_begin_patch(struct request *r);

/* The next n bytes of the body. After a failure they are dropped, so that the client gets to read
 * the answer. */
void upload_receive(struct request *r, const char *data, size_t n);

void upload_end_form(struct request *r);

/* When the request is over, however it ended. */
void upload_release(struct request *r);

/* tus: a new file; where an earlier upload of a file ended. */
enum MHD_Result upload_create(struct request *r);
enum MHD_Result upload_offset(struct request *r);
