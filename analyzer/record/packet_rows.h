/*
 * packet_rows: table packet. Packets that flows with events need, and examples of flows without,
 * wait while flows are loaded; they are written in the order of frames.
 */
#pragma once

#include "base/hashmap.h"
#include "join/join.h"
#include "record/flowrows.h"
#include "store/btree_file.h"

struct packet_rows {
	const struct join *join;
	struct waiting_packet {
		struct packet_pick pick;
		uint32_t row;
	} * list;
	uint64_t count, cap, total, max; /* waiting; that there would be; limit */
	uint64_t example_count;
	/* (server, client, port, outcome) -> flows whose packets are kept */
	struct hashmap examples;
};

void packet_rows_init(struct packet_rows *r, const struct join *j, uint64_t max);
void packet_rows_release(struct packet_rows *r);

/* Of one flow, up to end. */
void packet_rows_add(struct packet_rows *r, uint32_t row, const struct flow *c,
	const struct flow_summary *sum, const struct packet_pick *from,
	const struct packet_pick *end);

/* While file is loaded. The key of packet is the frame, once though picked far apart; flows
 * interleave in a file. */
int packet_rows_store(struct packet_rows *r, struct btree_file *file, struct error *err);
