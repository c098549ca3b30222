/* flow_writer: writes flows, their paths, events and packets as the join makes them, batch by
 * batch; at the end what had to wait for all of them. */
#pragma once

#include "join/join.h"
#include "store/btree_file.h"
#include "store/db.h"
#include "record/flowindex.h"
#include "record/losstraits.h"
#include "record/outages.h"
#include "record/packet_rows.h"
#include "record/pending_losses.h"
#include "record/untakens.h"
#include "record/totals.h"
#include "record/zero_window_rows.h"

/* Rows of a table that stops at a setting. */
struct limited_rows {
	uint64_t count, total, max; /* written; that there would be; limit */
};

struct flow_trees {
	struct btree *flows, *flow_vantages, *paths, *events, *handshake_acks;
};

struct flow_writer {
	struct db *db;
	const struct join *join;
	struct limited_rows event_rows;
	struct btree_file *file; /* while loading, as are the trees */
	struct flow_trees trees;
	struct flowindex indexes;
	struct packet_rows packets;
	struct zero_window_rows windows;
	struct pending_losses pending;
	struct totals totals;
	struct losstraits traits;
	struct outages outages;
	struct untakens untakens;
	struct hashmap peer_seconds; /* (vantage, from, to, second) -> frames */
};

/* No transaction may be open on db from here to flow_writer_finish(). Negative: err is set. */
int flow_writer_init(struct flow_writer *w, struct db *db, const struct join *j,
	uint64_t events_max, uint64_t packets_max, struct error *err);
void flow_writer_release(struct flow_writer *w);

/* A join_sink: writes one batch. */
int flow_writer_batch(void *writer, struct join_batch *batch);

/* Ends the loading; also after a failure. */
int flow_writer_finish(struct flow_writer *w, struct error *err);

/* In a transaction: settles pending losses, writes what waited for it, and notes limits that were
 * reached. */
void flow_writer_settle(struct flow_writer *w);
