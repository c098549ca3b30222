/* handshake_acks: table handshake_ack: the lost ACKs that would have completed a handshake. */
#pragma once

#include "join/join.h"
#include "record/flowrows.h"
#include "store/btree.h"

/*
 * Of a lost ACK without payload at the client's first byte that acknowledges the SYN-ACK alone
 * (table handshake_ack) the place that sent it; NULL: it is none. All ACKs of a client that sends
 * nothing stand at its first byte.
 */
const struct member *handshake_acks_sender(const struct join *j, const struct flow *c,
	const struct flow_summary *sum, const struct event *e);

/* The row is that of the event. */
void handshake_acks_insert(struct btree *t, uint64_t event_row, const struct member *from,
	const struct flow_summary *sum);
