/*
 * flowindex: the indexes of flow, path and segment_event (schema/flow_indexes.sql),
 * written while their rows are. Those that go by flow are in the order of the rows already; the
 * others are kept as a group and a row each, and put in order at the end.
 */
#pragma once

#include "base/hashmap.h"
#include "join/path.h"
#include "store/btree_file.h"

/* Entries with equal columns but the last: those are a group's key. */
struct flowindex_groups {
	struct btree *tree;
	bool addresses; /* the columns are two addresses, else a text and, where ordered, two
			   numbers */
	bool ordered;	/* entries have a column of their own behind the key */
	struct hashmap keys;
	struct flowindex_entry {
		uint32_t group, row;
	} * entries;
	int64_t *order; /* that column, where ordered: DB_NONE is NULL and comes first */
	size_t count, cap, order_cap;
};

struct flowindex {
	struct btree *path_missed, *path_syn_lost, *event;
	struct flowindex_groups by_client, by_outcome, by_pairing, by_kind, syn;
};

/* The indexes are there and empty. 0, or negative with err set; released in both cases. */
int flowindex_init(struct flowindex *x, struct btree_file *f, struct error *err);
void flowindex_release(struct flowindex *x);

/* Each row when it is written, in the order of rows. flow: its id; row: the rowid. */
void flowindex_flow(struct flowindex *x, int64_t flow, const uint8_t client[16],
	const uint8_t server[16], const char *outcome, const char *pairing);

void flowindex_path(struct flowindex *x, int64_t flow, uint32_t leg, const struct path_counts *p);

/* sent_ns: DB_NONE where it was not captured. from, to: ids of vantage points. */
void flowindex_event(struct flowindex *x, int64_t flow, int64_t row, const char *kind,
	uint32_t from, uint32_t to, int64_t sent_ns, bool syn);

/* Writes what was kept and finishes all. */
void flowindex_finish(struct flowindex *x);
