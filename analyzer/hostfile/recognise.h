/*
 * recognise: what a file of a host is, by its first bytes. Its name is a hint for files whose
 * content says nothing of what it is (a copy of /proc/sys/kernel/osrelease).
 */
#pragma once

#include <stddef.h>

#include "hostfile/collection.h"
#include "hostfile/reader.h"

/* A file's beginning. */
struct hostfile_head {
	const char *name;    /* path in the archive or folder; "" when it says nothing */
	const char *command; /* that printed it, as its head says; NULL: not said */
	const char *bytes; /* ended by a NUL, which is not counted; there may be others before it */
	size_t size;
};

struct hostfile_kind {
	const char *name; /* as in host_file.kind */
	bool (*recognise)(const struct hostfile_head *head);
	void (*parse)(struct reader *r, struct collection *c); /* reads to the end, or stops */
};

/* NULL: none. The first kind of the table that knows it. */
const struct hostfile_kind *recognise_kind(const struct hostfile_head *head);

/* The nth kind of the table, from 0; NULL behind the last. Every kind takes any bytes. */
const struct hostfile_kind *recognise_nth(size_t n);
