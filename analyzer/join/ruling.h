/*
 * ruling: what decides about a stretch that one capture has and the other lacks: was it lost, or
 * not recorded, or never sent by that host? Every ruling names its rule (docs/verdicts.md).
 */
#pragma once

#include "join/leg.h"

struct ruling {
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
struct ruling rule_missing(const struct leg *l, const struct run *r, const struct run_proof *p, int64_t *ret_ns);

/* About one that arrived and is not on record at the sender. */
struct ruling rule_extra(const struct leg *l, const struct run *r);

/* Did the receiving (sending) capture run, unfiltered, when this arrived (was sent)? */
bool ruling_receiver_ran(const struct leg *l, uint32_t sent_index, int64_t *ret_ns);
bool ruling_sender_ran(const struct leg *l, uint32_t received_index);
