/* clock_rows: writes the pieces of the clock models, table clock. */
#pragma once

#include "join/clocks.h"
#include "store/db.h"

void clock_rows_store(struct db *db, const struct clocks *c);
