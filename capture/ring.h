/*
 * ring: the capture files in the output folder, oldest first, and which of them to remove. Names
 * are HOST-NUMBER-TIME.pcapng, with a sidecar HOST-NUMBER-TIME.facts.jsonl. Numbers only increase,
 * so names sort by age even if the clock was set back. Files saved by a mark end in .kept.pcapng
 * and are never removed here.
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
	uint64_t size;	    /* bytes of all files not kept, with sidecars; 0: no limit */
	uint64_t count;	    /* captures not kept; 0: no limit */
	int64_t age_ns;	    /* since the last write to a file; 0: no limit */
	uint64_t kept_size; /* bytes of kept files; 0: no limit */
};

struct ring_file {
	char stem[RING_NAME_SIZE]; /* name without suffix, but with ".kept" */
	uint64_t number;
	uint64_t size;	/* with the sidecar */
	int64_t end_ns; /* time of the last write */
	bool kept;
};

struct ring {
	int dir_fd; /* borrowed */
	struct ring_limits limits;
	struct ring_file *files; /* by number */
	size_t count, cap;
	uint64_t removed; /* files removed because of the limits */
};

/* Reads the folder. */
int ring_load(struct ring *r, int dir_fd, const struct ring_limits *limits, struct error *err);
void ring_release(struct ring *r);

/* The stem for the next file; its number, one above the highest so far, is returned. */
uint64_t ring_next_stem(
	const struct ring *r, const char *host, int64_t now_ns, char stem[RING_NAME_SIZE]);

/* Adds a new file (size 0), or updates its size and end. */
void ring_note(struct ring *r, const char *stem, uint64_t number, uint64_t size, int64_t end_ns);

/* Removes the oldest files until the limits are met; never the file active (NULL: none). */
void ring_prune(struct ring *r, const char *active, int64_t now_ns);

enum ring_result {
	RING_NO_ROOM = 1, /* ring_keep: kept_size is reached; older files stay in the ring */
};

/*
 * Keeps the files that ended at or after from_ns (but not active): renames them to .kept, newest
 * first. *ret_files and *ret_bytes: how much was kept by this call.
 */
int ring_keep(struct ring *r, const char *active, int64_t from_ns, size_t *ret_files,
	uint64_t *ret_bytes, struct error *err);

/* Total size of the files in the ring, or of the kept files. */
uint64_t ring_bytes(const struct ring *r, bool kept);
