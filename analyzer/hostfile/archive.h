/*
 * archive: the members of a tar archive (ustar, with the long names of GNU and pax) one after the
 * other, from a stream. Nothing is written to a disk: a member is bytes and a name, and a name is
 * only a hint. Links are passed over, and so are names that lead out of the archive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostfile/reader.h"

#define ARCHIVE_BLOCK 512
#define ARCHIVE_NAME_MAX 1024
#define ARCHIVE_MEMBERS_MAX 1000000u
#define ARCHIVE_BYTES_MAX                                                                          \
	(UINT64_C(64) << 30) /* of content: compressed data may claim any length */

struct archive {
	reader_pull *pull;
	void *from;
	uint64_t left;	  /* of the member, not read yet */
	uint64_t padding; /* behind it */
	uint64_t bytes;	  /* read so far */
	char name[ARCHIVE_NAME_MAX];
	int64_t modified_ns; /* of the member */
	uint32_t members;    /* regular files */
	uint32_t links;	     /* passed over */
	uint32_t outside;    /* names with .. in them: passed over */
	uint32_t special;    /* devices, and types that are not known: passed over */
	const char *failure; /* why it ended early; NULL: it did not */
};

/* Whether content that begins with these bytes is a tar archive; n of ARCHIVE_BLOCK are needed. */
bool archive_recognise(const char *bytes, size_t n);

/* from must outlive it; nothing is to be released. */
void archive_init(struct archive *a, reader_pull *pull, void *from);

/* Moves to the next regular file, whose name and time are then set. false: there is none. */
bool archive_next(struct archive *a);

/* A reader_pull whose from is the archive: the bytes of its current member. */
size_t archive_pull(void *archive, char *to, size_t size);
