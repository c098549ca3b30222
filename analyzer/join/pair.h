/*
 * pair: finds the same flow at several vantage points: by evidence, not by 5-tuple alone
 * (NAT rewrites addresses and ports, firewalls rewrite sequence numbers, 5-tuples are reused).
 */
#pragma once

#include "join/flow.h"

/*
 * Pairs the flows of all NIC and netfilter vantage points. Rounds, strongest evidence first: both
 * initial sequence numbers; one of them; addresses with fitting sequence numbers; content. In each
 * round a candidate must be the single best one, else the flow stays alone and is marked ambiguous:
 * a wrong pairing invents loss, a missing one only loses information.
 */
void pair_flows(struct dataset *data, unsigned threads, struct flows *ret);
void flows_release(struct flows *c);
