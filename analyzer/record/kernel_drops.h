/*
 * kernel_drops: the packets that a host's kernel dropped as rows, each joined to its conversation,
 * to its frame at an interface of the same host, and to its frame at another place.
 */
#pragma once

#include "join/flow.h"
#include "store/db.h"

/* Rows of one vantage point; none unless it is of kind kernel. flow_row as for
 * facts_observations(). */
void kernel_drops_store(struct db *db, const struct dataset *data, const struct flows *all,
	const uint32_t *flow_row, uint32_t vantage);
