/*
 * outage: times in which a flow went on sending in one direction and nothing of it arrived, or
 * nothing of its large segments. A single outage may be chance or a blocked path. Several at once,
 * while other flows go on, mean a receive queue, a transmit queue, or one of several parallel paths
 * (ECMP, bond).
 */
#pragma once

#include "join/path.h"

/* Fewer lost transmissions in a row than these, or a shorter time, are the luck of random loss. */
#define OUTAGE_LOST 3
#define OUTAGE_NS (NSEC_PER_SEC / 2)
/* Payload bytes from which a segment is large. */
#define OUTAGE_LARGE 512

struct outage {
	uint32_t flow, from, to; /* vantage indexes */
	uint8_t direction;
	int64_t first_ns, last_ns;	 /* first and last lost transmission, sender's clock */
	int64_t at_first_ns, at_last_ns; /* the same on the reference clock */
	int64_t until_ns;     /* the next one that arrived, sender's clock; INT64_MIN: none did */
	uint32_t lost, least; /* transmissions; only those of so many bytes of payload count */
};

struct outage_list {
	struct outage *rows;
	uint32_t count, cap;
};

/* Adds the outages of a path that has been judged; its events are those from first_event on. */
void outages_find(
	const struct path *path, uint32_t flow, uint32_t first_event, struct outage_list *ret);
