/*
 * depot: the incidents on disk. A folder for each, named by 128 random bits; in it meta.json, the
 * captures as capture-1, capture-2 ..., and what the analysis makes. Names that clients give are
 * words in meta.json and never part of a path. Every function may be called from any thread.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define DEPOT_ID_SIZE 27   /* 26 letters and digits, NUL */
#define DEPOT_NAME_MAX 200 /* bytes kept of a file's name */

struct depot {
	char *path;
	uint64_t upload_max; /* bytes of one incident's captures */
	unsigned files_max, incidents_max;
	unsigned resume_hours;
};

enum depot_result {
	DEPOT_OK = 0,
	DEPOT_NONE = 1,	  /* no such thing */
	DEPOT_LIMIT = 2,  /* above a limit; err says which */
	DEPOT_FULL = 3,	  /* no room on the disk */
	DEPOT_STATE = 4,  /* not now: it is being analyzed, or is done */
};

/* Makes the folder, takes up what an earlier run left: analyses that were cut off have failed. */
int depot_open(struct depot *d, struct error *err);

bool depot_id_valid(const char *id);
bool depot_host_valid(const char *host);
char *depot_folder(const struct depot *d, const char *id); /* freed by the caller */
char *depot_file(const struct depot *d, const char *id, const char *name);

int depot_new(struct depot *d, char ret_id[DEPOT_ID_SIZE], struct error *err);
int depot_delete(struct depot *d, const char *id);

/* A new capture of size bytes (-1: not known yet); *ret_number counts from 1. */
int depot_add_file(struct depot *d, const char *id, const char *host, const char *name, int64_t size,
	unsigned *ret_number, struct error *err);
int depot_set_size(struct depot *d, const char *id, unsigned number, int64_t size);
int depot_remove_file(struct depot *d, const char *id, unsigned number, struct error *err);

/* What is known of an incident, with what was received so far; NULL: no such thing. */
json_t *depot_get(struct depot *d, const char *id);
json_t *depot_list(struct depot *d); /* newest first */

/* Moves from one state to another; DEPOT_STATE when it was in another. error NULL: none. */
int depot_move(struct depot *d, const char *id, const char *from, const char *to, const char *error);

/* Removes what an analysis that failed had made: all but the captures and what is known of them. */
void depot_tidy(const struct depot *d, const char *id);

/* Deletes uploads that nobody touched for resume_hours. */
void depot_expire(struct depot *d);
