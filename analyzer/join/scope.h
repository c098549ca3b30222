/* scope: would a vantage point's capture have recorded a flow, or a direction of it, if it had
 * passed there? */
#pragma once

#include "join/flow.h"

struct path;

enum scope {
	SCOPE_OUT,  /* nothing says that it would have */
	SCOPE_HOST, /* it shows other services of the same two addresses: unless it was filtered by
		       port */
	SCOPE_SERVICE, /* it shows this service, or so many kinds of traffic that a filter is
			  unlikely */
};

/* For packets of direction d of the flow that another vantage point saw as m. */
enum scope scope_of(
	const struct dataset *data, uint32_t vantage, const struct member *m, enum direction d);

/*
 * A capture that shows one direction of a flow and nothing of the other was made so (a one-sided
 * mirror, another way back, tcpdump -Q), where that other direction provably passed: some of many
 * missing is an overrun, all is scope. At the sender: true if the path has no sending to judge. At
 * the receiver: to be asked when the proofs are gathered.
 */
bool scope_lacks_sending(const struct path *path);
bool scope_lacks_arrivals(const struct path *path);
