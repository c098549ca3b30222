#include "serve/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum MHD_Result request_fail(struct request *r, int status, const char *text)
{
	if (r->status == 0) {
		r->status = status;
		(void)snprintf(r->error, sizeof(r->error), "%s", text);
	}
	return MHD_YES;
}

const char *request_header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

int64_t request_number(const struct request *r, const char *name)
{
	const char *text = request_header(r, name);
	char *end;
	long long v;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	v = strtoll(text, &end, 10);
	return errno || *end ? -1 : v;
}

bool request_incident(struct request *r, const char **ret_rest)
{
	const char *at = r->url + strlen("/incidents/");
	size_t n;

	if (strncmp(r->url, "/incidents/", strlen("/incidents/")) != 0)
		return false;
	n = strcspn(at, "/");
	if (n != INCIDENT_ID_SIZE - 1)
		return false;
	memcpy(r->id, at, n);
	r->id[n] = '\0';
	*ret_rest = at[n] ? at + n + 1 : at + n;
	return incident_store_id_valid(r->id);
}

bool request_file(struct request *r, const char *rest)
{
	char *end;
	unsigned long n;

	if (strncmp(rest, "files/capture-", 14) != 0 || rest[14] < '1' || rest[14] > '9' ||
		strlen(rest + 14) > 6)
		return false;
	n = strtoul(rest + 14, &end, 10);
	r->number = (unsigned)n;
	return *end == '\0';
}

const json_t *request_file_of(const json_t *meta, unsigned number)
{
	char name[32];
	const json_t *f;
	size_t i;

	(void)snprintf(name, sizeof(name), "capture-%u", number);
	json_array_foreach(json_object_get(meta, "files"), i,
		f) if (strcmp(json_string_value(json_object_get(f, "id")), name) == 0) return f;
	return NULL;
}
