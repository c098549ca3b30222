/*
 * packed: the content of a member that is itself compressed with gzip (rotated logs), as a stream.
 * Files that are compressed as a whole are read/source's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "hostfile/reader.h"

#define PACKED_INPUT (16u << 10)
#define PACKED_CONTENT_MAX (UINT64_C(4) << 30) /* of one member: a few bytes can claim any length  \
						*/

struct packed {
	struct reader *from;
	z_stream z;
	char input[PACKED_INPUT];
	uint64_t content;
	bool ended;
	const char *failure; /* why it ended early; NULL: it did not */
};

bool packed_recognise(const char *bytes, size_t size);

/* from gives the compressed bytes, and must outlive it. */
void packed_init(struct packed *p, struct reader *from);
void packed_release(struct packed *p);

/* A reader_pull whose from is the packed content. */
size_t packed_pull(void *packed, char *to, size_t size);
