/* running: was a capture running, unfiltered and complete when a packet passed its place? */
#pragma once

#include "join/path.h"

/* When a capture ran: as it says itself, else from its first frame to its last; steady time
 * (flow/steady.h). */
struct running {
	int64_t from, to;
};

struct running running_span(const struct vantage *v);

/* Bounds on the offset from one end of the path to the other when that one's segment was stamped.
 */
static inline struct clock_bounds path_clock_bounds(
	const struct path *path, uint32_t from, uint32_t to, const struct segment *s)
{
	return clocks_between(path->in.clocks, from, to, clocks_time(path->in.clocks, from, s));
}

/*
 * Why the receiving capture cannot show whether this arrived (a reason of docs/verdicts.md); NULL:
 * it was running, unfiltered and complete when it would have arrived. *ret_ns: the earliest time of
 * that, receiver's clock; INT64_MIN where the clocks do not tell.
 */
const char *running_problem(const struct path *path, uint32_t sent_index, int64_t *ret_ns);

/* Did the receiving capture run when this would have arrived, though it may have dropped frames?
 * *ret_ns as above. */
bool running_receiver(const struct path *path, uint32_t sent_index, int64_t *ret_ns);

/* Did the sending capture run when this arrival was sent? *ret_ns: the latest time of that,
 * sender's clock; INT64_MIN where the clocks do not tell. */
bool running_sender(const struct path *path, uint32_t received_index, int64_t *ret_ns);

/* Does the other direction come from an end whose capture has nothing of the flow? Resets do not
 * count: somebody else may have sent them. */
bool running_is_answered(const struct path *path);
