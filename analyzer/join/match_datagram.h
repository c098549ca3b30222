/*
 * match_datagram: which sent datagram is which arrival. Datagrams have no sequence number. They are
 * matched by IP ID if it counts up and is not rewritten, then by payload if captured, else by
 * length, order and time. Each round indexes all that is still unmatched, so that a burst of losses
 * cannot derail the rest.
 */
#pragma once

#include "join/match.h"

/* Fills states and matches of m->sent and m->received, all open before; learns m->traits.use_id. */
void match_datagrams(struct matcher *m);
