/*
 * outages: the rows of flow_outage, and, for the times in which several flows of one host were out
 * at once, what each of its flows sent and received by second (flow_activity): whether the others
 * went on decides what it was.
 */
#pragma once

#include "base/hashmap.h"
#include "join/join.h"
#include "store/db.h"

struct outages {
	struct outage_list list;
	uint32_t *rows; /* by outage: its row in flow */
	uint32_t row_cap;
};

void outages_release(struct outages *o);

void outages_add(struct outages *o, uint32_t row, const struct outage *outage);

/* In a transaction, after the join: writes both tables. *ret_total counts the rows of flow_activity
 * that there would be. */
void outages_store(const struct outages *o, const struct join *j, struct db *db, uint64_t *ret_kept,
	uint64_t *ret_total);
