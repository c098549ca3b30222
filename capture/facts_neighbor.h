/* One neighbour entry, wherever it was read from; its words as in docs/facts.md. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct neighbor {
	char ip[64], dev[64], mac[64];		   /* mac "": none */
	uint16_t state;				   /* NUD_ bits */
	uint8_t flags;				   /* NTF_ bits */
	int64_t confirmed_ms, used_ms, updated_ms; /* ages; -1: not known */
	int64_t probes;				   /* -1: not known */
};

const char *neighbor_state(uint16_t state);
/* identity: without ages. Each buffer takes 512 bytes. */
void neighbor_words(const struct neighbor *n, char *identity, char *words, size_t size);
