/*
 * join: every flow's paths judged, on several threads, the results handed over in the
 * order of the flows whatever the number of threads.
 */
#pragma once

#include "join/path.h"
#include "join/outage.h"
#include "join/idle.h"
#include "join/owner.h"
#include "join/scope.h"
#include "join/untaken.h"

struct zero_window_row {
	uint32_t vantage;
	uint8_t direction;
	int64_t from_ns, to_ns;
	uint32_t probes;
	const struct segment *first;
};

/* Frames from one address to another in one quiet second. A batch may have several rows of one key.
 */
struct peer_key {
	int64_t second_ns; /* that vantage's clock */
	uint8_t src[16], dst[16];
	uint32_t vantage, unused;
};

_Static_assert(sizeof(struct peer_key) == 48, "hashed as bytes: no padding");

struct peer_second {
	struct peer_key key;
	uint64_t frames;
};

/* A frame that gets a row of its own. */
struct packet_pick {
	uint32_t vantage, flow;
	/* the segment's, which is in no cache any more when rows are put in order */
	uint32_t frame;
	bool is_example; /* example of a flow without events */
	const struct segment *segment;
};

#define RECENT_SECONDS_BITS 5

/* The results of consecutive flows. */
struct join_batch {
	uint32_t begin, end; /* places in order[] */
	struct path_result {
		uint32_t flow;
		/* between its places leg and leg + 1, counted from the client's side; of what goes
		 * to a group: from its sender to each other place */
		uint32_t leg;
		struct path_counts counts;
		uint32_t event_end; /* its events are those up to here from the path before */
	} * paths;
	uint32_t path_count, path_cap;
	struct event_list events;
	struct outage_list outages;
	struct untaken_list untaken;
	struct zero_window_row *windows;
	uint32_t *window_flow;
	uint32_t window_count, window_cap, window_flow_cap;
	struct peer_second *seconds;
	uint32_t second_count, second_cap;
	uint32_t recent_seconds[1 << RECENT_SECONDS_BITS]; /* rows of seconds by their key's hash, +
							      1 */
	struct packet_pick *packets;
	uint32_t packet_count, packet_cap;
	uint32_t *copies_skipped; /* by vantage: duplicates that a capture made itself */
	void *prepared;		  /* by join_prepare; freed with free_prepared */
	void (*free_prepared)(void *prepared);
};

enum packet_choice { PACKETS_NONE, PACKETS_EVENTS, PACKETS_ALL };

struct join_options {
	unsigned threads;
	enum packet_choice packets;
	uint32_t packets_per_flow;
	const char *filter; /* that frames had to pass to be read; NULL: none */
};

struct join {
	struct dataset *data;
	struct flows *all;
	const struct owners *owners;
	const struct clocks *clocks;
	const struct idle *idle;
	const uint32_t *order; /* flows in the order of output */
	struct join_options options;
	bool *duplicates_by_capture; /* by vantage: its duplicates are its own doing */
};

/* Called for each batch by the thread that joined it, to do what needs no order. */
typedef void join_prepare(const struct join *j, struct join_batch *batch);

/* Called for each batch, in order, by one thread at a time; a non-zero return stops the join. */
typedef int join_sink(void *context, struct join_batch *batch);

int join_run(struct join *j, join_prepare *prepare, join_sink *sink, void *context);

/* Decides for each vantage point whether its capture made the duplicates; sets
 * j->duplicates_by_capture. */
void join_judge_duplicates(struct join *j);
