/* untakens: the rows of flow_untaken. */
#pragma once

#include "join/join.h"
#include "store/db.h"

struct untakens {
	struct untaken_list list; /* flow: its row in flow */
	uint64_t
		*taken_wrong; /* by vantage: segments of other flows that were taken all the same */
	uint64_t total;
};

void untakens_init(struct untakens *u, const struct dataset *data);
void untakens_release(struct untakens *u);

void untakens_add(struct untakens *u, uint32_t row, const struct untaken *untaken);

/* In a transaction, after the join. */
void untakens_store(const struct untakens *u, const struct dataset *data, struct db *db);
