/*
 * portreuse: connections whose SYN met the remains of the one that used the same addresses and
 * ports before, for table port_reuse. The summary of a flow tells whether there is anything to go
 * through.
 */
#pragma once

#include "store/db.h"
#include "flow/dataset.h"

/* flow_row: the row of each flow. */
void portreuse_store(struct db *db, const struct dataset *data, const uint32_t *flow_row);
