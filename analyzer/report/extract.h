/*
 * extract: the frames that prove a finding, from the captures they came from, as one pcapng: merged
 * by time on the reference clock, an interface for each vantage point, and a comment on each frame
 * that says what it shows and where it is from. The bytes of a frame are never changed.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/outfile.h"
#include "store/db.h"

struct extract_options {
	int64_t finding;
	const char *source; /* folder to look for captures that are not at their path; NULL: none */
	bool context;	    /* the recorded packets of the flows that prove it as well */
	bool source_only;   /* paths in the database are not opened (it came from a stranger) */
};

enum extract_result {
	EXTRACT_OK = 0,
	EXTRACT_NO_FINDING = 1, /* err has the line */
	EXTRACT_NO_FRAMES = 2,	/* proven by log lines or counters alone; err has the line */
};

/* What was written. */
struct extract_counts {
	uint64_t frames, files;
};

/* Nothing is written unless every frame was found in an original with the right hash. */
int extract_write(struct db *db, FILE *out, const struct extract_options *options,
	struct extract_counts *ret_counts, struct error *err);

/* Is that file one that extract_write() wrote? */
bool extract_is_extract(const struct outfile_ends *ends);
