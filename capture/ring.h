/*
 * ring: the capture files in the output folder, oldest first, and which of them must go. Names are
 * HOST-NUMBER-TIME.pcapng with a sidecar HOST-NUMBER-TIME.facts.jsonl; numbers only grow, so names
 * sort by time even when the clock was set back. Files that a mark kept end in .kept.pcapng and
 * are never removed here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define RING_NAME_SIZE 256
#define RING_SUFFIX ".pcapng"
#define RING_SIDECAR ".facts.jsonl"
#define RING_KEPT ".kept"

struct ring_limits {
	uint64_t size;	    /* bytes of all files that are not kept, sidecars too; 0: no limit */
	uint64_t count;	    /* captures that are not kept; 0: no limit */
	int64_t age_ns;	    /* since a file's last byte; 0: no limit */
	uint64_t kept_size; /* bytes of kept files; 0: no limit */
};

struct ring_file {
	char stem[RING_NAME_SIZE]; /* without suffix; with ".kept" where it is */
	uint64_t number;
	uint64_t size;	/* with the sidecar */
	int64_t end_ns; /* when it was last written */
	bool kept;
};

struct ring {
	int dir_fd; /* borrowed */
	struct ring_limits limits;
	struct ring_file *files; /* by number */
	size_t count, cap;
	uint64_t removed; /* files that were removed to keep the limits */
};

/* Reads the folder. */
int ring_load(struct ring *r, int dir_fd, const struct ring_limits *limits, struct error *err);
void ring_release(struct ring *r);

/* The stem for the next file: number is one above the highest there. Returns the number. */
uint64_t ring_next_stem(
	const struct ring *r, const char *host, int64_t now_ns, char stem[RING_NAME_SIZE]);

/* A file is there now (size 0), or its size and end changed. */
void ring_note(struct ring *r, const char *stem, uint64_t number, uint64_t size, int64_t end_ns);

/* Removes the oldest files until the limits hold; never the file called active (NULL: none). */
void ring_prune(struct ring *r, const char *active, int64_t now_ns);

enum ring_result {
	RING_NO_ROOM = 1, /* ring_keep: the limit of kept files would be passed; the rest stays in
			     the ring */
};

/*
 * Keeps the files that ended at or after from_ns (but not active): renames them out of the ring's
 * reach. *ret_files and *ret_bytes: how much was kept now.
 */
int ring_keep(struct ring *r, const char *active, int64_t from_ns, size_t *ret_files,
	uint64_t *ret_bytes, struct error *err);

/* Bytes of the files in the ring, or of those kept. */
uint64_t ring_bytes(const struct ring *r, bool kept);
