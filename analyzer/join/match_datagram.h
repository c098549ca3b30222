/*
 * match_datagram: which sent datagram is which arrival. No sequence number says so: IP
 * identifications do where they count up and pass, payload does where it was captured, else length,
 * order and time. Each round takes what is left as a whole, by index, so that no burst of losses
 * puts it out of step for good.
 */
#pragma once

#include "join/match.h"

/* Fills states and matches of m->sent and m->received, all open before; learns m->traits.use_id. */
void match_datagrams(struct matcher *m);
