/* One neighbour entry, from netlink or a saved table. Its words are those of docs/facts.md. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct neighbor {
	char ip[64], dev[64], mac[64];		   /* mac "": none */
	uint16_t state;				   /* NUD_ bits */
	uint8_t flags;				   /* NTF_ bits */
	int64_t confirmed_ms, used_ms, updated_ms; /* ages; -1: unknown */
	int64_t probes;				   /* -1: unknown */
};

const char *neighbor_state(uint16_t state);
/* identity: the words without ages. Both buffers hold 512 bytes. */
void neighbor_words(const struct neighbor *n, char *identity, char *words, size_t size);
