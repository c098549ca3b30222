/*
 * recorder: writes packets and facts to the files of the ring. Every packet it receives is counted
 * as written, or as dropped with a reason. No allocation per packet.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "comments.h"
#include "fact.h"
#include "options.h"
#include "outfile.h"
#include "ring.h"
#include "source.h"

struct recorder {
	const struct options *options;
	int dir_fd;		/* borrowed */
	struct facts *facts;	/* borrowed */
	struct source *sources; /* borrowed */
	uint32_t source_count;
	const char *host_name;
	struct ring ring;
	struct outfile capture, sidecar;
	char stem[RING_NAME_SIZE], previous[RING_NAME_SIZE + 16];
	uint64_t number;
	int64_t file_start_ns, run_start_ns;
	struct comments comments; /* facts for the next statistics block */
	struct strbuf json, block;

	bool suspended;
	const char *suspend_reason;
	int64_t suspended_from_ns, suspended_total_ns;
	uint64_t suspended_records; /* dropped since then */
	uint64_t facts_lost;	    /* bytes of sidecar lines dropped for lack of space */
	uint64_t files, marks;
};

/*
 * Repairs the last file if a crash damaged it, and starts the first file. Sources and facts are
 * open; privileges have been dropped.
 */
int recorder_open(struct recorder *r, const struct options *o, int dir_fd, struct facts *facts,
	struct source *sources, uint32_t source_count, struct error *err);
void recorder_release(struct recorder *r);

/* A source_sink; arg is the recorder. */
void recorder_packet(void *arg, struct source *s, const struct record *p);

/* Every flush interval: records facts and drops, writes buffers, rotates files by size and age. */
int recorder_flush(struct recorder *r, int64_t now_ns, struct error *err);
/* Every facts interval: writes statistics blocks with the facts since the last ones. */
void recorder_statistics(struct recorder *r, int64_t now_ns);

/* Closes this file and starts the next. Postponed while the disk is full. */
int recorder_rotate(struct recorder *r, const char *reason, struct error *err);
/* Closes the last file. */
void recorder_close(struct recorder *r, const char *reason);

enum recorder_result {
	RECORDER_NOT_KEPT = 1, /* recorder_mark: err says why; the recording goes on */
};

/* Records text and saves the last minutes permanently; appends one line to reply if it did.
 * Negative: there is no file to write to any more. */
int recorder_mark(struct recorder *r, const char *text, struct strbuf *reply, struct error *err);
