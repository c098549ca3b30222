/*
 * stated_scope: what the user says that a host's captures could record (--scope), a pcap-filter(7)
 * expression. Reading holds every frame against it; the join asks it of packets that a capture
 * lacks, rebuilt from what another place has of them.
 */
#pragma once

#include "base/error.h"
#include "flow/dataset.h"

struct stated_scope {
	const char *name, *expression;
};

/* Gives the hosts their scopes before they are read. Negative with err set: no capture is of that
 * host, it has one already, or the expression is a mistake. */
int stated_scope_take(
	struct dataset *data, const struct stated_scope *list, int count, struct error *err);

/* What a vantage point's host is said to record; NULL: nothing is said, or its own frames
 * contradict it. */
const struct filter_program *stated_scope_of(const struct dataset *data, const struct vantage *v);

/* A packet, rebuilt from what is kept of it, with the addresses that it has where it is asked for.
 */
struct stated_packet {
	const uint8_t *src, *dst;
	uint16_t src_port, dst_port;
	uint8_t protocol;
	const struct segment *segment;
};

/* Would the scope let it pass? */
bool stated_scope_admits(const struct filter_program *program, const struct stated_packet *p);
