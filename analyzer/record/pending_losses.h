/*
 * pending_losses: losses that hold only if the receiving capture is sound. They wait until all
 * paths have shown what each capture missed.
 */
#pragma once

#include "base/hashmap.h"
#include "join/join.h"
#include "record/losstraits.h"
#include "record/totals.h"
#include "store/db.h"

/* Segments proven to be missing in a capture. */
struct proven_misses {
	struct hashmap by_second; /* (vantage, second) -> segments */
	uint64_t *by_vantage;
};

struct pending_losses {
	const struct dataset *data;
	struct proven_misses misses;
	/* Events whose verdict waits. */
	struct pending {
		uint64_t event_row; /* 0: beyond the limit */
		uint32_t waiting;   /* index of its path there */
		uint32_t flow;	    /* of its path */
		uint32_t vantage, segments, bytes;
		uint8_t leg, direction; /* of its path */
		bool syn;
		int64_t at_ns;
		uint32_t from; /* and what was sent there */
		const struct segment *sent;
	} * list;
	uint32_t count, cap;
	/* What paths with such events lost: it is added up when those are settled. */
	struct waiting_loss {
		struct totals_loss loss;
		uint32_t flow;
		uint32_t unjudged, unjudged_syn; /* segments that are taken back */
	} * waiting;
	uint32_t waiting_count, waiting_cap;
};

void pending_losses_init(struct pending_losses *p, const struct dataset *data);
void pending_losses_release(struct pending_losses *p);

/*
 * Takes what an event proves a capture to have missed, and the event itself if its verdict waits.
 * event_row 0: it has none. flow_row and leg: of its path, which pending_losses_wait() ends.
 */
void pending_losses_add(struct pending_losses *p, uint64_t event_row, uint32_t flow_row,
	uint32_t leg, const struct event *e);

/* The path of the events just added, if one of them waits. */
void pending_losses_wait(struct pending_losses *p, const struct totals_loss *loss, uint32_t flow);

/*
 * In a transaction, when all events were added: where the receiving capture is proven to have
 * missed segments around that time, an absence without other proof says nothing, so events, paths,
 * traits and what waits become unjudged. Then stores what each capture missed.
 */
void pending_losses_settle(struct pending_losses *p, struct losstraits *traits, struct db *db);
