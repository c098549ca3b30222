#include "serve/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/reply.h"

#define BODY_MAX 65536 /* of a query */

static int upload_open_capture(struct request *r, int flags)
{
	CLEANUP_FREE char *name = mem_printf("capture-%u", r->number),
			  *path = incident_store_file(&r->server->incidents, r->id, name);

	return open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

static bool upload_write_all(struct request *r, const char *data, size_t n)
{
	while (n) {
		ssize_t w = pwrite(r->fd, data, n, r->at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		data += w;
		n -= (size_t)w;
		r->at += w;
	}
	return true;
}

static void upload_close_capture(struct request *r)
{
	if (r->fd < 0)
		return;
	(void)close(r->fd);
	r->fd = -1;
	if (r->kind == KIND_FORM)
		(void)incident_store_set_size(&r->server->incidents, r->id, r->number, r->at);
}

static int upload_begin_field(struct request *r, const char *key, const char *filename)
{
	struct error err = ERROR_INIT;
	int result;

	upload_close_capture(r);
	if (!key || !incident_store_host_valid(key))
		return request_fail(r, 400,
			       "a field name must be a host name: 1 to 64 letters, digits, . _ -"),
		       -1;
	if (!filename)
		return request_fail(
			       r, 400, "a form field must be a file: curl -F host=@capture.pcapng"),
		       -1;
	result = incident_store_add_file(
		&r->server->incidents, r->id, key, filename, 0, &r->number, &err);
	if (result)
		return request_fail(r, reply_status(result), err.text), -1;
	r->files++;
	r->at = 0;
	r->fd = upload_open_capture(r, O_CREAT | O_EXCL);
	return r->fd < 0
		       ? (request_fail(r, 507, "the disk is full: free space or delete incidents"),
				 -1)
		       : 0;
}

static enum MHD_Result upload_on_field(void *closure, enum MHD_ValueKind kind, const char *key,
	const char *filename, const char *type, const char *encoding, const char *data,
	uint64_t offset, size_t size)
{
	struct request *r = closure;

	(void)kind;
	(void)type;
	(void)encoding;
	if (r->status)
		return MHD_NO;
	if (offset == 0 && upload_begin_field(r, key, filename) < 0)
		return MHD_NO;
	r->size += (int64_t)size;
	if ((uint64_t)r->size > r->server->incidents.upload_max) {
		(void)request_fail(r, 413,
			"too large for one incident: truncate packets (editcap -s 128) "
			"or raise --max-upload");
		return MHD_NO;
	}
	if (!upload_write_all(r, data, size)) {
		(void)request_fail(r, 507, "the disk is full: free space or delete incidents");
		return MHD_NO;
	}
	return MHD_YES;
}

static void upload_receive_patch(struct request *r, const char *data, size_t n)
{
	bool beyond = r->at + (int64_t)n > r->size;

	if (beyond)
		n = (size_t)(r->size - r->at);
	if (!upload_write_all(r, data, n))
		(void)request_fail(r, 507, "the disk is full: free space or delete incidents");
	if (beyond)
		(void)request_fail(r, 413, "body longer than Upload-Length");
}

static void upload_receive_body(struct request *r, const char *data, size_t n)
{
	if (r->body_length + n > BODY_MAX) {
		(void)request_fail(r, 413, "the SQL statement is longer than 64 KiB");
		return;
	}
	r->body = mem_realloc(r->body, r->body_length + n + 1);
	memcpy(r->body + r->body_length, data, n);
	r->body_length += n;
	r->body[r->body_length] = '\0';
}

void upload_receive(struct request *r, const char *data, size_t n)
{
	if (r->status)
		return; /* the rest is read and dropped, so that the client gets to read the answer
			 */
	if (r->kind == KIND_FORM && MHD_post_process(r->form, data, n) != MHD_YES)
		(void)request_fail(r, 400, "invalid multipart form");
	else if (r->kind == KIND_PATCH)
		upload_receive_patch(r, data, n);
	else if (r->kind == KIND_BODY)
		upload_receive_body(r, data, n);
}

void upload_begin_form(struct request *r)
{
	struct error err = ERROR_INIT;
	int64_t length = request_number(r, "Content-Length");
	int result;

	r->kind = KIND_FORM;
	if (length > 0 && (uint64_t)length > r->server->incidents.upload_max + (1 << 20)) {
		(void)request_fail(r, 413,
			"too large for one incident: truncate packets (editcap -s 128) "
			"or raise --max-upload");
		return;
	}
	r->form = MHD_create_post_processor(r->connection, 65536, upload_on_field, r);
	if (!r->form) {
		(void)request_fail(r, 400, "send a form: curl -F worker=@a.pcapng -F db=@b.pcapng");
		return;
	}
	result = incident_store_new(&r->server->incidents, r->id, &err);
	if (result)
		(void)request_fail(r, result < 0 ? 500 : reply_status(result), err.text);
	else
		r->begun = true;
}

void upload_end_form(struct request *r)
{
	upload_close_capture(r);
	(void)MHD_destroy_post_processor(r->form);
	r->form = NULL;
	if (r->status == 0 && r->files == 0)
		(void)request_fail(
			r, 400, "no file in the form: curl -F worker=@a.pcapng -F db=@b.pcapng");
}

void upload_begin_patch(struct request *r)
{
	json_t *meta = incident_store_get(&r->server->incidents, r->id);
	const json_t *f = meta ? request_file_of(meta, r->number) : NULL;
	const char *type = request_header(r, "Content-Type");
	int64_t offset = request_number(r, "Upload-Offset");
	struct stat st;

	r->kind = KIND_PATCH;
	if (!f)
		(void)request_fail(r, 404, "no such file");
	else if (strcmp(json_string_value(json_object_get(meta, "state")), "uploading") != 0)
		(void)request_fail(r, 409, "the analysis has already started");
	else if (!type || strcmp(type, "application/offset+octet-stream") != 0)
		(void)request_fail(r, 400, "Content-Type must be application/offset+octet-stream");
	r->size = f ? json_integer_value(json_object_get(f, "size")) : 0;
	json_decref(meta);
	if (r->status)
		return;
	r->fd = upload_open_capture(r, 0);
	if (r->fd < 0)
		(void)request_fail(r, 404, "no such file");
	else if (flock(r->fd, LOCK_EX | LOCK_NB) < 0)
		(void)request_fail(r, 423, "another request is uploading this file");
	else if (fstat(r->fd, &st) < 0 || offset != st.st_size)
		(void)request_fail(
			r, 409, "Upload-Offset is not the current end of the file: ask with HEAD");
	r->at = offset;
}

static char *upload_metadata(const char *all, const char *key, size_t max)
{
	size_t n = strlen(key);

	for (const char *at = all; at && *at;) {
		at += strspn(at, " ,");
		if (strncmp(at, key, n) == 0 && at[n] == ' ') {
			size_t length = strcspn(at + n + 1, ", ");
			char *out = mem_zalloc(length + 4);
			int got = length && length < max && length % 4 == 0
					  ? EVP_DecodeBlock((unsigned char *)out,
						    (const unsigned char *)at + n + 1, (int)length)
					  : -1;

			if (got < 0) {
				free(out);
				return NULL;
			}
			out[got] = '\0';
			return out;
		}
		at += strcspn(at, ",");
	}
	return NULL;
}

enum MHD_Result upload_create(struct request *r)
{
	CLEANUP_FREE char *host =
		upload_metadata(request_header(r, "Upload-Metadata"), "host", 200);
	CLEANUP_FREE char *name =
		upload_metadata(request_header(r, "Upload-Metadata"), "filename", 2000);
	CLEANUP_FREE char *addresses =
		upload_metadata(request_header(r, "Upload-Metadata"), "addresses", 2000);
	CLEANUP_FREE char *scope =
		upload_metadata(request_header(r, "Upload-Metadata"), "scope", 2000);
	int64_t size = request_number(r, "Upload-Length");
	struct error err = ERROR_INIT;
	int result;

	if (size < 0)
		return reply_error(r, 411, "Upload-Length is missing");
	if (host && !incident_store_host_valid(host))
		return reply_error(r, 400,
			"host must be 1 to 64 letters, digits, . _ -, starting with a letter or "
			"digit");
	if (!host && (addresses || scope))
		return reply_error(r, 400, "addresses and scope are said of a host: send host too");
	if ((addresses && strlen(addresses) > INCIDENT_NAME_MAX) ||
		(scope && strlen(scope) > INCIDENT_NAME_MAX))
		return reply_error(r, 400, "addresses and scope have at most 200 bytes each");
	result = incident_store_add_file(&r->server->incidents, r->id, host,
		name ? name : "capture", size, &r->number, &err);
	if (result)
		return reply_error(r, reply_status(result), err.text);
	if ((addresses || scope) && incident_store_set_stated(&r->server->incidents, r->id,
					    r->number, addresses, scope) != 0)
		return reply_error(r, 507, "the disk is full: free space or delete incidents");
	r->fd = upload_open_capture(r, O_CREAT | O_EXCL);
	if (r->fd < 0)
		return reply_error(r, 507, "the disk is full: free space or delete incidents");
	(void)close(r->fd);
	r->fd = -1;
	{
		CLEANUP_FREE char *location =
			mem_printf("/incidents/%s/files/capture-%u", r->id, r->number);

		return reply_empty(r, 201, 0, -1, location);
	}
}

enum MHD_Result upload_offset(struct request *r)
{
	json_t *meta = incident_store_get(&r->server->incidents, r->id);
	const json_t *f = meta ? request_file_of(meta, r->number) : NULL;
	enum MHD_Result sent =
		f ? reply_empty(r, 200, json_integer_value(json_object_get(f, "received")),
			    json_integer_value(json_object_get(f, "size")), NULL)
		  : reply_error(r, 404, "no such file");

	json_decref(meta);
	return sent;
}

void upload_release(struct request *r)
{
	if (r->form)
		(void)MHD_destroy_post_processor(r->form);
	if (r->fd >= 0)
		(void)close(r->fd);
	/* A form that broke off, or was refused, leaves nothing. What tus received stays. */
	if (r->kind == KIND_FORM && r->begun && !r->keep)
		(void)incident_store_delete(&r->server->incidents, r->id);
}
