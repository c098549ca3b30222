/*
 * hostfile: reads an input of a host that is neither capture nor flow log: a file, or an archive of
 * files, into a collection.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "hostfile/collection.h"

struct source;

#define HOSTFILE_HEAD READER_HEAD_MAX /* bytes that hostfile_recognise() wants */

/* Whether a file with this name that begins so can be read. bytes need not end with a NUL. */
bool hostfile_recognise(const char *name, const char *bytes, size_t size);

/*
 * Reads the file at path, whose name within its collection is name, and notes it in the collection
 * with its counts, as kind NULL where it was not understood. *last_id is the last row of host_file
 * so far. 0, or negative with err set when it cannot be opened.
 */
int hostfile_read(struct collection *c, const char *path, const char *name, uint32_t *last_id,
	struct error *err);

/* All files of the collection were read: gives its facts. */
void hostfile_finish(struct collection *c, agentfacts_sink *sink, void *context);

/*
 * The host that a file or archive names, by the facts in it; of a file only its first bytes are
 * looked at. NULL: it names none. Freed by the caller.
 */
char *hostfile_host_name(const char *path, const char *bytes, size_t size);
