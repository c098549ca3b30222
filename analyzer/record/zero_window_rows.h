/* zero_window_rows: table zero_window. Rows wait while the tables of flows are loaded. */
#pragma once

#include "join/join.h"
#include "store/db.h"

struct zero_window_rows {
	struct waiting_window {
		struct zero_window_row window;
		uint32_t flow_row;
	} * list;
	uint32_t count, cap;
};

void zero_window_rows_add(
	struct zero_window_rows *r, uint32_t flow_row, const struct zero_window_row *z);
void zero_window_rows_store(
	const struct zero_window_rows *r, const struct dataset *data, struct db *db);
void zero_window_rows_release(struct zero_window_rows *r);
