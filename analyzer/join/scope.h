/* scope: do the filter and direction of a vantage point's capture cover a flow, or one direction of
 * it? */
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
 * Does what the user says of a vantage point's capture leave out a packet of direction d, which
 * another place saw as s? m: the flow as the vantage point itself saw it, where it did: addresses
 * may be translated on the way.
 */
bool scope_leaves_out(const struct dataset *data, uint32_t vantage, const struct member *m,
	enum direction d, const struct segment *s);

/*
 * If a capture has one direction of a flow and no packet of the other, which provably passed, it
 * records one direction only (one-sided mirror, asymmetric route, tcpdump -Q). Some packets missing
 * is an overrun; all missing is scope. scope_lacks_sending(): the sender's capture has nothing to
 * judge. scope_lacks_arrivals(): the same at the receiver; call it when the proofs are gathered.
 */
bool scope_lacks_sending(const struct path *path);
bool scope_lacks_arrivals(const struct path *path);
