/*
 * fate: what became of a stretch that one capture has and the other lacks: lost, not recorded, or
 * never sent by that host. Every fate names its rule (docs/verdicts.md).
 */
#pragma once

#include "join/path.h"

struct fate {
	enum event_kind kind;
	const char *reason;
	bool pending; /* holds only while the receiving capture proves to be sound around then */
	uint32_t proof_vantage;
	const struct segment *proof; /* NULL: absence */
};

/*
 * About a stretch that was sent and is not on record at the receiver. *ret_ns: when it would have
 * arrived, receiver's clock, where that is known.
 */
struct fate fate_of_missing(
	const struct path *path, const struct gap *r, const struct gap_proof *p, int64_t *ret_ns);

/* About one that arrived and is not on record at the sender. */
struct fate fate_of_extra(const struct path *path, const struct gap *r);

/* Did the receiving (sending) capture run, unfiltered, when this arrived (was sent)? */
bool fate_receiver_ran(const struct path *path, uint32_t sent_index, int64_t *ret_ns);
bool fate_sender_ran(const struct path *path, uint32_t received_index);
