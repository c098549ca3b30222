/*
 * holes: connections that ended while their receiver still asked, by SACK, for bytes that never
 * came though later ones did, for table unfilled_hole; and the largest segment that passed between
 * the same two addresses. It goes only through short flows that hold a SACK.
 */
#pragma once

#include "store/db.h"
#include "flow/dataset.h"

/* flow_row: the row of each flow. */
void holes_store(struct db *db, const struct dataset *data, const uint32_t *flow_row);
