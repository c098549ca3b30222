/*
 * anonymise: a capture as a pcapng file that may be shared. What is kept: times, lengths, order,
 * interfaces and what they dropped, and of frames what rewrite.h says. What is not: host names,
 * comments, the agent's facts, secrets, name resolution.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "anonymise/disguise.h"
#include "base/outfile.h"

struct anonymise_counts {
	uint64_t frames, facts_dropped, filters_dropped;
	char *damaged; /* NULL: it was sound; else why its rest was not read; the caller frees */
};

/* Reads the capture at path ("-": standard input). 0, or negative with err set. */
int anonymise_write(struct disguise *d, const char *path, const char *version, FILE *out,
	struct anonymise_counts *ret_counts, struct error *err);

/* Is that file one that anonymise_write() wrote? */
bool anonymise_is_ours(const struct outfile_ends *ends);
