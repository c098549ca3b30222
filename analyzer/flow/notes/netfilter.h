/* netfilter: how often each flow was logged by a netfilter rule, by hook and log prefix. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/hashmap.h"

struct observation;

struct netfilter_key {
	uint32_t flow; /* index, FLOW_NONE: not part of one */
	uint8_t from_b, hook;
	char prefix[66];
};

struct netfilter_use {
	uint64_t packets;
	int64_t first_ns, last_ns;
	uint32_t first_frame;
};

struct netfilter_notes {
	struct hashmap use; /* struct netfilter_key -> struct netfilter_use */
};

void netfilter_init(struct netfilter_notes *n);
void netfilter_release(struct netfilter_notes *n);
void netfilter_add(
	struct netfilter_notes *n, const struct observation *o, uint32_t flow, bool from_b);
