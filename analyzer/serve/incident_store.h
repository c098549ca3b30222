/*
 * incident_store: the incidents on disk. A folder for each, named by 128 random bits; in it
 * meta.json, the captures as capture-1, capture-2 ..., and what the analysis makes. Names that
 * clients give are words in meta.json and never part of a path. Every function may be called from
 * any thread.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define INCIDENT_ID_SIZE 27   /* 26 letters and digits, NUL */
#define INCIDENT_NAME_MAX 200 /* bytes kept of a file's name */

struct incident_store {
	char *path;
	uint64_t upload_max; /* bytes of one incident's captures */
	unsigned files_max, incidents_max;
	unsigned resume_hours;
};

enum incident_store_result {
	INCIDENT_STORE_OK = 0,
	INCIDENT_STORE_NONE = 1,  /* no such thing */
	INCIDENT_STORE_LIMIT = 2, /* above a limit; err says which */
	INCIDENT_STORE_FULL = 3,  /* no room on the disk */
	INCIDENT_STORE_STATE = 4, /* not now: it is being analyzed, or is done */
};

/* Makes the folder, takes up what an earlier run left: analyses that were cut off have failed. */
int incident_store_open(struct incident_store *d, struct error *err);

bool incident_store_id_valid(const char *id);
bool incident_store_host_valid(const char *host);
char *incident_store_folder(
	const struct incident_store *d, const char *id); /* freed by the caller */
char *incident_store_file(const struct incident_store *d, const char *id, const char *name);

int incident_store_new(struct incident_store *d, char ret_id[INCIDENT_ID_SIZE], struct error *err);
int incident_store_delete(struct incident_store *d, const char *id);

/* A new capture of size bytes (-1: not known yet); *ret_number counts from 1. */
int incident_store_add_file(struct incident_store *d, const char *id, const char *host,
	const char *name, int64_t size, unsigned *ret_number, struct error *err);
int incident_store_set_size(
	struct incident_store *d, const char *id, unsigned number, int64_t size);
int incident_store_remove_file(
	struct incident_store *d, const char *id, unsigned number, struct error *err);

/* What is known of an incident, with what was received so far; NULL: no such thing. */
json_t *incident_store_get(struct incident_store *d, const char *id);
json_t *incident_store_list(struct incident_store *d); /* newest first */

/* Moves from one state to another; INCIDENT_STORE_STATE when it was in another. error NULL: none.
 */
int incident_store_move(struct incident_store *d, const char *id, const char *from, const char *to,
	const char *error);

/* Removes what an analysis that failed had made: all but the captures and what is known of them. */
void incident_store_tidy(const struct incident_store *d, const char *id);

/* Deletes uploads that nobody touched for resume_hours. */
void incident_store_expire(struct incident_store *d);
