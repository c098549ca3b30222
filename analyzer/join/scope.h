/* scope: would a vantage point's capture have recorded a flow, if it had passed there? */
#pragma once

#include "join/flow.h"

/*
 * True when the vantage recorded this service in another flow, or records so many kinds of
 * traffic that a filter is unlikely; false when it was filtered or nothing speaks for it.
 */
bool scope_holds(const struct dataset *data, uint32_t vantage, const struct member *m);
