/* scope: would a vantage point's capture have recorded a flow, or a direction of it, if it had passed there? */
#pragma once

#include "join/path.h"

/*
 * True when the vantage recorded this service in another flow, or records so many kinds of
 * traffic that a filter is unlikely; false when it was filtered or nothing speaks for it.
 */
bool scope_holds(const struct dataset *data, uint32_t vantage, const struct member *m);

/*
 * A capture that shows one direction of a flow and nothing of the other was made so (a one-sided mirror, another
 * way back, tcpdump -Q), where that other direction provably passed: some of many missing is an overrun, all is scope.
 * At the sender: true if the path has no sending to judge. At the receiver: to be asked when the proofs are gathered.
 */
bool scope_lacks_sending(const struct path *path);
bool scope_lacks_arrivals(const struct path *path);
