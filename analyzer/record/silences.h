/*
 * silences: TCP flows that were silent for FLOW_SILENCE_NS or more and then not, at each place: the
 * longest silence that they survived, and the one after which the other side was gone.
 */
#pragma once

#include "join/join.h"
#include "store/db.h"

/* Table flow_silence. flow_row: each flow's row, see join/order.h. */
void silences_store(struct db *db, const struct dataset *data, const struct flows *all,
	const uint32_t *flow_row);
