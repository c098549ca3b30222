/*
 * fate: what became of a sequence range that only one capture has: lost, not recorded, or
 * never sent by that host. Every fate names its rule (docs/verdicts.md).
 */
#pragma once

#include "join/path.h"

struct fate {
	enum event_kind kind;
	const char *reason;
	bool pending; /* as in struct event: may become unjudged later */
	uint32_t proof_vantage;
	const struct segment *proof; /* NULL: absence */
};

/*
 * Of a range that the sender's capture has and the receiver's lacks. *ret_ns: when it would have
 * arrived, receiver's clock, if known.
 */
struct fate fate_of_missing(
	const struct path *path, const struct gap *r, const struct gap_proof *p, int64_t *ret_ns);

/* Of a range that arrived and that the sender's capture lacks. */
struct fate fate_of_extra(const struct path *path, const struct gap *r);
