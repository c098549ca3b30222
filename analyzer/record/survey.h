/* survey: what each capture is and could have seen, as rows of identity_claim, vantage_order and
 * coverage. */
#pragma once

#include "join/order.h"
#include "join/owner.h"
#include "store/db.h"

/* Before the join; hosts and vantage points must be in their tables. */
void survey_store(struct db *db, const struct dataset *data, const struct owners *owners,
	const struct ordering *ordering);
