/* scope: would a vantage point's capture have recorded a flow, if it had passed there? */
#pragma once

#include "join/conversation.h"

struct scope {
	struct tally services; /* vantage, server address, port, protocol -> nothing */
	bool *wide;	       /* by vantage: it recorded more than one kind of traffic */
};

void scope_learn(const struct network *net, struct scope *ret);
void scope_release(struct scope *s);

/*
 * True when the vantage recorded this service in another flow, or records so many kinds of
 * traffic that a filter is unlikely; false when it was filtered or nothing speaks for it.
 */
bool scope_holds(const struct scope *s, const struct network *net, uint32_t vantage, const struct member *m);
