/*
 * hostfacts: puts what an agent, a file of the host or a listing of its neighbour table says about
 * one host into the tables host_fact, nic_counter, kernel_log, service_log, neighbor, host_address
 * and capture_drop. A fact that stands in several places (comment, sidecar, the next file) is
 * stored once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "read/agentfacts.h"
#include "store/db.h"

struct hostfacts;

enum hostfacts_result {
	HOSTFACTS_OK = 0,
	HOSTFACTS_NOT_OURS = 1, /* hostfacts_comment: another comment */
	HOSTFACTS_ABSENT = 2,	/* hostfacts_sidecar: there is no such file */
};

/* The host must be in its table. The caller ends it with hostfacts_finish(). */
struct hostfacts *hostfacts_new(struct db *db, int64_t host_id);

/*
 * A vantage point of the host, before facts are given: counters and drops are filed under it.
 * interface as in the capture (if_name); the first one also takes the counters of the stack.
 */
void hostfacts_vantage(struct hostfacts *hf, const char *interface, int64_t vantage_id);

/* The text of a capture's comment (capfile_fact with key "comment"). */
int hostfacts_comment(struct hostfacts *hf, const char *text);

/* The sidecar of the capture at path, if there is one. Negative: it is there and cannot be read. */
int hostfacts_sidecar(struct hostfacts *hf, const char *capture_path, struct error *err);

/* The content of a sidecar given as an input of its own. */
void hostfacts_sidecar_bytes(struct hostfacts *hf, const char *bytes, size_t size);

/* A listing by `ip neigh`; its time is not known. Returns the number of entries. */
uint64_t hostfacts_neighbors(struct hostfacts *hf, const char *bytes, size_t size);

/* One fact, wherever it came from; hf is the context of an agentfacts_sink. */
void hostfacts_take(void *hf, const struct agent_fact *fact);

/* What was read of a file of a host, for host_file. */
struct hostfacts_file {
	uint32_t id;	  /* the row's, which facts name */
	const char *path; /* ARCHIVE:MEMBER in an archive */
	const char *kind; /* NULL: not understood */
	uint64_t lines, facts, malformed, cut, undated;
	int64_t modified_ns; /* AGENTFACTS_UNDATED: not known */
	const char *damaged; /* NULL: sound */
};
void hostfacts_file(struct hostfacts *hf, const struct hostfacts_file *file);

/* Writes what waited for its other half, and how much was not understood (facts.malformed); then
 * frees. */
void hostfacts_finish(struct hostfacts *hf);
