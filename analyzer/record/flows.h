/* flows: writes flows, their paths, events and packets; at the end settles losses that hold only if
 * a capture was sound (flows_settle_pending()). */
#pragma once

#include "join/join.h"
#include "store/btree_file.h"
#include "store/db.h"
#include "record/flowindex.h"
#include "record/losstraits.h"
#include "record/outages.h"
#include "record/untakens.h"
#include "record/totals.h"

/* Rows of a table that stops at a setting. */
struct limited_rows {
	uint64_t count, total, max; /* written; that there would be; limit */
};

/* Segments proven to be missing in a capture. */
struct proven_misses {
	struct hashmap by_second; /* (vantage, second) -> segments */
	uint64_t *by_vantage;
};

struct flow_trees {
	struct btree *flows, *flow_vantages, *paths, *events, *handshake_acks;
};

struct flow_writer {
	struct db *db;
	const struct join *join;
	struct limited_rows event_rows, packet_rows;
	struct btree_file *file; /* while loading, as are the trees */
	struct flow_trees trees;
	struct flowindex indexes;
	struct waiting_packet {
		struct packet_pick pick;
		uint32_t row;
	} * packets;
	uint64_t packet_cap;
	uint64_t example_count;
	/* (server, client, port, outcome) -> flows whose packets are kept */
	struct hashmap examples;
	struct waiting_windows {
		struct waiting_window {
			struct zero_window_row window;
			uint32_t row;
		} * rows;
		uint32_t count, cap;
	} windows;
	/* Events whose verdict waits until all captures have been judged. */
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
	} * pending;
	uint32_t pending_count, pending_cap;
	/* What paths with such events lost: it is added up when those are settled. */
	struct waiting_loss {
		struct totals_loss loss;
		uint32_t flow;
		uint32_t unjudged, unjudged_syn; /* segments that are taken back */
	} * waiting;
	uint32_t waiting_count, waiting_cap;
	struct totals totals;
	struct losstraits traits;
	struct outages outages;
	struct untakens untakens;
	struct hashmap peer_seconds; /* (vantage, from, to, second) -> frames */
	struct proven_misses misses;
};

/* No transaction may be open on db from here to flow_writer_finish(). Negative: err is set. */
int flow_writer_init(struct flow_writer *w, struct db *db, const struct join *j,
	uint64_t events_max, uint64_t packets_max, struct error *err);
void flow_writer_release(struct flow_writer *w);

/* A join_sink: writes one batch. */
int flow_writer_batch(void *writer, struct join_batch *batch);

/* Ends the loading; also after a failure. */
int flow_writer_finish(struct flow_writer *w, struct error *err);

/*
 * In a transaction: settles what waited: where the receiving capture is proven to have missed
 * segments around that time, an absence without other proof says nothing. Then notes limits that
 * were reached.
 */
void flow_writer_settle(struct flow_writer *w);
