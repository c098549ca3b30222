/*
 * disguise: what stands in the place of addresses, MACs, names and payload, by a secret key. The
 * same key gives the same, so that captures of both ends still fit together; without the key
 * nothing leads back.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Beyond so many bytes of a payload nothing tells packets apart: the join hashes no more. */
#define DISGUISE_PAYLOAD 256

#define DISGUISE_KEY_MIN 16

struct disguise;

/* key: any bytes, DISGUISE_KEY_MIN at least. The caller frees. NULL with err set: no cipher. */
struct disguise *disguise_new(const void *key, size_t size, struct error *err);
void disguise_free(struct disguise *d); /* NULL is fine */

/*
 * Permutations: addresses with n leading bits in common have n in common after, so subnets stay
 * subnets. Blocks with a meaning of their own stay: private, link-local, loopback, multicast,
 * unspecified, broadcast. In place, 4 and 16 bytes.
 */
void disguise_ipv4(struct disguise *d, uint8_t *address);
void disguise_ipv6(struct disguise *d, uint8_t *address);

/* In place, 6 bytes. The group and local bits stay; broadcast, zeros, and the prefixes that
 * protocols reserve (VRRP, HSRP, multicast ...) stay; the vendor does not. */
void disguise_mac(struct disguise *d, uint8_t *mac);

/*
 * In place. Each byte depends on all before it and on itself, so payloads that begin alike do so
 * after, however much of them was captured; bytes beyond DISGUISE_PAYLOAD become 0.
 */
void disguise_payload(struct disguise *d, uint8_t *bytes, size_t size);

/* A number for one half of what tells of a payload (read/capfile.h, frame_hash) under a key; which:
 * 0 head, 1 whole. For the key itself, which is 2. */
uint32_t disguise_hash(struct disguise *d, uint8_t which, uint32_t key, uint32_t value);

/* A number for a name. */
uint32_t disguise_name(struct disguise *d, const char *name);
