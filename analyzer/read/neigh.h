/*
 * neigh: a host's neighbour table as printed by `ip neigh` or `ip -j neigh`, with or without -s.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct neigh_entry {
	char ip[46];	    /* canonical text */
	char mac[60];	    /* lower-case colon hex; "" unresolved */
	char state[16];	    /* REACHABLE, STALE ...; NONE when none stands there */
	char interface[16]; /* "" when not said (a listing of one device) */
	int64_t used_s, confirmed_s, updated_s; /* seconds ago; -1 when not said (without -s) */
};

typedef void neigh_sink(void *context, const struct neigh_entry *entry);

struct neigh_count {
	uint64_t entries;   /* given to the sink */
	uint64_t left_out;  /* proxy entries: not neighbours */
	uint64_t malformed; /* lines or objects that are none */
};

/* Whether a file that begins with these bytes is such a listing. An empty table cannot be told. */
bool neigh_recognise(const char *bytes, size_t size);

/* The whole listing; what is no entry is counted and skipped. */
void neigh_parse(
	const char *bytes, size_t size, neigh_sink *sink, void *context, struct neigh_count *count);
