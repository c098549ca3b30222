/*
 * incident_store: incidents on disk. Each is a folder named by a random ID of 26 letters and
 * digits, 5 bits each: 130 bits. It holds the captures as capture-1, capture-2 ..., and the results
 * of the analysis. What the server knows of it stands in ID.json beside the folder, where what runs
 * in the folder cannot write: names given by clients are there and never become part of a path. All
 * functions are thread-safe.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define INCIDENT_ID_SIZE 27   /* 26 letters and digits, NUL */
#define INCIDENT_NAME_MAX 200 /* bytes kept of a client's file name */

struct incident_store {
	char *path;
	uint64_t upload_max; /* total bytes of one incident's captures */
	unsigned files_max, incidents_max;
	unsigned resume_hours;
};

enum incident_store_result {
	INCIDENT_STORE_OK = 0,
	INCIDENT_STORE_NONE = 1,  /* no such incident or file */
	INCIDENT_STORE_LIMIT = 2, /* a limit is exceeded; err says which */
	INCIDENT_STORE_FULL = 3,  /* disk full */
	INCIDENT_STORE_STATE = 4, /* not possible in the incident's state */
};

/* Creates the folder if needed. Analyses interrupted by a restart are marked failed. */
int incident_store_open(struct incident_store *s, struct error *err);

bool incident_store_id_valid(const char *id);
bool incident_store_host_valid(const char *host);

/* Paths; the caller frees them. */
char *incident_store_folder(const struct incident_store *s, const char *id);
char *incident_store_file(const struct incident_store *s, const char *id, const char *name);
char *incident_store_meta(const struct incident_store *s, const char *id);

int incident_store_new(struct incident_store *s, char ret_id[INCIDENT_ID_SIZE], struct error *err);
int incident_store_delete(struct incident_store *s, const char *id);

/* Adds a capture of size bytes (-1: not yet known). *ret_number counts from 1. */
int incident_store_add_file(struct incident_store *s, const char *id, const char *host,
	const char *name, int64_t size, unsigned *ret_number, struct error *err);
/* What the client says of a capture: addresses of its host, separated by blanks, and what it could
 * record (pcap-filter(7)). NULL: nothing. */
int incident_store_set_stated(struct incident_store *s, const char *id, unsigned number,
	const char *addresses, const char *scope);
int incident_store_set_size(
	struct incident_store *s, const char *id, unsigned number, int64_t size);
int incident_store_remove_file(
	struct incident_store *s, const char *id, unsigned number, struct error *err);

/* An incident's metadata with the bytes received so far; NULL: no such incident. */
json_t *incident_store_get(struct incident_store *s, const char *id);
json_t *incident_store_list(struct incident_store *s); /* newest first */

/* Changes the state; INCIDENT_STORE_STATE if it was not from. error NULL: none. */
int incident_store_move(struct incident_store *s, const char *id, const char *from, const char *to,
	const char *error);

/* Deletes the output of a failed analysis: everything but the captures. */
void incident_store_tidy(const struct incident_store *s, const char *id);

/* Deletes unfinished uploads that have not changed for resume_hours, and what has no file after ten
 * minutes. */
void incident_store_expire(struct incident_store *s);
