/*
 * collection: what people collected on one host at one time: an archive, a folder, or single files.
 * Parsers put facts into it; when all files were read it tells their times, as far as the options
 * or the files themselves say the boot, the year and the zone, and gives the facts to the sink.
 * A time that cannot be told stays AGENTFACTS_UNDATED.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostfile/reader.h"
#include "hostfile/stamp.h"
#include "read/agentfacts.h"

#define COLLECTION_FACTS_MAX 500000u /* further ones are counted */

/* What the user says of logs; the rest is found in the files or stays unknown. */
struct collection_options {
	int year; /* of the last line of logs without a year; 0: not said */
	bool zone_known;
	int64_t zone_ns; /* what the clock on the wall is ahead of UTC */
};

/* One file, while it is read and after. */
struct collection_file {
	uint32_t id;	  /* of host_file */
	char *path;	  /* ARCHIVE:MEMBER in an archive */
	char *name;	  /* hint for its kind: the path in the archive, or the path */
	char *command;	  /* that printed it, as its head says; NULL: not said */
	struct stamp at;  /* when it was printed, as its head says; STAMP_UNSAID: not said */
	const char *kind; /* NULL: not understood */
	int64_t modified_ns;
	uint64_t lines, facts, malformed, cut, undated;
	char *damaged; /* NULL: sound */
	/* of logs without a year: */
	uint32_t boots;	    /* times since a boot that began again so far */
	uint32_t new_years; /* passages from December to January so far */
	struct stamp last;  /* of the last line that has a time */
	size_t first_fact;  /* of this file in the collection's list */
};

struct collection {
	const struct collection_options *options;
	uint32_t *last_id;	      /* last row of host_file */
	struct collection_file *file; /* being read; never NULL while a parser runs */
	struct collection_file **files;
	size_t file_count, file_cap;
	/* evidence of times */
	int64_t boot_ns; /* AGENTFACTS_UNDATED: not known */
	int64_t boot_within_ns;
	int64_t taken_ns; /* when the files were collected */
	bool zone_known;
	int64_t zone_ns;
	struct collection_part *parts; /* of facts that stand in several files */
	size_t part_count, part_cap;
	struct collection_fact *facts;
	size_t fact_count, fact_cap;
	uint64_t omitted; /* facts above the limit */
};

void collection_init(struct collection *c, const struct collection_options *options);
void collection_release(struct collection *c);

/* Begins the next file; path and name are copied. The file is the collection's. */
struct collection_file *collection_begin_file(
	struct collection *c, uint32_t id, const char *path, const char *name);

/* A state that the file being read says in this line (0: none): it held when it was collected. */
void collection_state(struct collection *c, uint64_t line, const char *value, const char *key_fmt,
	...) __attribute__((format(printf, 4, 5)));

/* Something that happened, or was read, at a time. */
void collection_event(struct collection *c, uint64_t line, const struct stamp *at, const char *key,
	const char *value_fmt, ...) __attribute__((format(printf, 5, 6)));

/* A name from the host as part of a key, with %HH for special characters. Returns out. */
const char *collection_word(char *out, size_t size, const char *word);

/* Every line of a log with its time, in order: what is needed to tell its year. */
void collection_log_line(struct collection *c, const struct stamp *at);

/* The time at which the files were collected, as one of them says. */
void collection_taken(struct collection *c, const struct stamp *at);

/* The name of the host's time zone, as one of them says. */
void collection_zone(struct collection *c, const char *name);

/* A part of a fact that stands in several files, or a count; the last value of a name holds. */
void collection_keep(struct collection *c, uint64_t line, const char *name, const char *value);
void collection_count(struct collection *c, uint64_t line, const char *name, uint64_t more);

/* The value that was kept, or NULL; the facts that come next are of its file. ret_line may be NULL.
 */
const char *collection_kept(struct collection *c, const char *name, uint64_t *ret_line);

/* All files were read: gives the facts in the order in which they were put. */
void collection_finish(struct collection *c, agentfacts_sink *sink, void *context);
