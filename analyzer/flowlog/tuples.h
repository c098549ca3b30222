/*
 * tuples: what of every flow record the joins need, 72 bytes each, in buckets by pair of
 * addresses, so that everything between two addresses, at whatever ENI, is together. Beyond a
 * memory limit buckets go to one temporary file that has no name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TUPLE_BUCKETS 512

enum tuple_bits {
	TUPLE_REJECTED = 1,
	TUPLE_INGRESS = 2, /* neither of these two: not known before the own address is */
	TUPLE_EGRESS = 4,
	TUPLE_BEGINS = 8,	 /* no counts by design */
	TUPLE_CLIENT_KNOWN = 16, /* the cloud says who the client is ... */
	TUPLE_FROM_SERVER = 32,	 /* ... and this is the server's */
	TUPLE_SAMPLED = 64,
	TUPLE_PORTS = 128, /* has ports */
};

struct tuple {
	uint8_t src[16],
		dst[16]; /* of the packets (pkt-*) where recorded; IPv4 as ::ffff:a.b.c.d */
	uint64_t bytes : 44;
	uint64_t more : 20;	 /* records that it stands for, beyond one */
	uint32_t start_s, end_s; /* window, rounded outwards */
	uint32_t packets;
	uint32_t vantage;
	uint32_t file, line; /* line 0: beyond 2^32 */
	uint16_t src_port, dst_port;
	uint8_t protocol;
	uint8_t flags; /* TUPLE_NO_FLAGS: not recorded */
	uint8_t bits;
	uint8_t protocol_none : 1;
	uint8_t carried : 1; /* of an earlier run: its minutes are counted */
};
#define TUPLE_NO_FLAGS 0xff
#define TUPLE_BYTES_MAX ((UINT64_C(1) << 44) - 1)
#define TUPLE_MORE_MAX ((1u << 20) - 1)

struct flowlog_tuples;

/* memory: bytes that may be held before records go to a temporary file in folder (NULL: TMPDIR). */
struct flowlog_tuples *flowlog_tuples_new(uint64_t memory, const char *folder);
struct flowlog_tuples *flowlog_tuples_free(
	struct flowlog_tuples *t); /* NULL is fine; returns NULL */

/* Adds one; a failure to write is kept and told by flowlog_tuples_failed(). */
void flowlog_tuples_add(struct flowlog_tuples *t, const struct tuple *tuple);
int flowlog_tuples_failed(const struct flowlog_tuples *t, struct error *err);

uint64_t flowlog_tuples_count(const struct flowlog_tuples *t);

/* In how many parts a bucket has to be taken so that none is much above max records. */
unsigned flowlog_tuples_parts(const struct flowlog_tuples *t, unsigned bucket, size_t max);

/*
 * The records of one part of a bucket in the order they were added; a conversation is never cut.
 * They are the caller's to free. 0, or negative with err set. May run in several threads.
 */
int flowlog_tuples_load(const struct flowlog_tuples *t, unsigned bucket, unsigned part,
	unsigned parts, struct tuple **ret_tuples, size_t *ret_n, struct error *err);
