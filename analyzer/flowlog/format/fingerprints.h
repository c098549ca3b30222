/*
 * fingerprints: entries that a cloud delivers more than once (GCP's addenda, Azure's growing
 * blobs), told by a 64-bit fingerprint of what identifies them. Two different ones meet once in
 * about 10^19 / n.
 */
#pragma once

#include "base/hashset.h"

#define FINGERPRINTS_MAX                                                                           \
	(16u << 20) /* fingerprints; beyond it nothing more is remembered, which full says */

/* Zeroed is empty. */
struct fingerprints {
	struct hashset set; /* once begun */
	uint32_t kept;	    /* of its first */
	bool begun, full;
};

/* Remembers; false: it was there. */
bool fingerprints_add(struct fingerprints *s, uint64_t fingerprint);

/* Those added since fingerprints_kept(): how many, and the ith. */
uint32_t fingerprints_fresh(const struct fingerprints *s);
uint64_t fingerprints_fresh_at(const struct fingerprints *s, uint32_t i);

/* The fresh ones were stored: they are fresh no more. */
void fingerprints_kept(struct fingerprints *s);
void fingerprints_release(struct fingerprints *s);
