/*
 * payload_hash: what is kept of a datagram's payload that is cut: hashes of its beginning and of
 * all of it under a key that the agents of an incident share. They tell datagrams apart and find
 * them again at the other end. Without a key all agents use the same one, which is no secret: then
 * whoever has the file can check what he guesses.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "siphash.h"

#define PAYLOAD_HASH_HEAD                                                                          \
	16 /* bytes that a record merged by offload has in common with its first                   \
	      datagram */

struct payload_key {
	uint8_t bytes[SIPHASH_KEY]; /* zeros: the one that is no secret */
	uint32_t check;		    /* tells keys apart, and nothing of them */
};

struct payload_hash {
	uint32_t key; /* payload_key.check */
	uint32_t head, whole;
};

/* "payload-hash KEY HEAD WHOLE", 8 hex digits each: a packet's comment, which other tools keep. */
#define PAYLOAD_HASH_TEXT "payload-hash "
#define PAYLOAD_HASH_LENGTH (sizeof(PAYLOAD_HASH_TEXT) - 1 + 3 * 8 + 2)

void payload_key_public(struct payload_key *ret);

/* From a file that others may not read, of 32 hex digits. */
int payload_key_read(struct payload_key *ret, const char *path, struct error *err);

struct payload_hash payload_hash_of(
	const struct payload_key *key, const uint8_t *payload, uint32_t length);

/* Writes PAYLOAD_HASH_LENGTH bytes, without NUL. */
void payload_hash_text(char *at, const struct payload_hash *h);
