/*
 * fingerprints: entries that a cloud delivers more than once (GCP's addenda, Azure's growing
 * blobs), told by a 64-bit fingerprint of what identifies them. Two different ones meet once in
 * about 10^19 / n.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FINGERPRINTS_MAX                                                                           \
	(16u << 20) /* fingerprints; beyond it nothing more is remembered, which full says */

struct fingerprints {
	uint64_t *slots;    /* 0: free */
	size_t count, size; /* size is a power of two */
	bool full;
	uint64_t *fresh; /* those added since fingerprints_kept() */
	size_t fresh_count, fresh_cap;
};

/* Remembers; false: it was there. */
bool fingerprints_add(struct fingerprints *s, uint64_t fingerprint);
/* The fresh ones were stored: they are fresh no more. */
void fingerprints_kept(struct fingerprints *s);
void fingerprints_release(struct fingerprints *s);
