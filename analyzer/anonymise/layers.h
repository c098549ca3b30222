/* layers: what the parts of rewrite share: a frame as it was, as it becomes, and how far it is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "anonymise/disguise.h"
#include "base/cursor.h"

#define LAYERS_DEPTH_MAX 6 /* packets within packets; deeper ones are payload */

struct rewriting {
	struct disguise *d;
	const uint8_t *old; /* the frame as captured */
	uint8_t *new;	    /* the same bytes, being changed */
	unsigned depth;
};

/* Bytes from at to end of the frame: a header and all that it carries, as far as captured. */
struct extent {
	size_t at, end;
};

static inline size_t extent_left(struct extent x)
{
	return x.end - x.at;
}

/* The first n bytes belong to a header. False: fewer were captured. */
static inline bool extent_skip(struct extent *x, size_t n)
{
	if (extent_left(*x) < n)
		return false;
	x->at += n;
	return true;
}

/* No more than n bytes; what follows (padding, a trailer) becomes 0. */
static inline void extent_limit(struct rewriting *r, struct extent *x, size_t n)
{
	if (n >= extent_left(*x))
		return;
	memset(r->new + x->at + n, 0, extent_left(*x) - n);
	x->end = x->at + n;
}

static inline void layers_payload(struct rewriting *r, struct extent x)
{
	disguise_payload(r->d, r->new + x.at, extent_left(x));
}

static inline void layers_zero(struct rewriting *r, struct extent x)
{
	memset(r->new + x.at, 0, extent_left(x));
}

/* What an EtherType says follows. */
void layers_ethertype(struct rewriting *r, uint16_t type, struct extent x);
void layers_ethernet(struct rewriting *r, struct extent x);
void layers_ip(struct rewriting *r, unsigned version, struct extent x);

/* A transport's message behind IP addresses of that size; src and dst: their places in the frame.
 */
struct carrier {
	unsigned version;
	size_t src, dst;
	size_t length; /* of the message as the IP header says */
};
void layers_transport(
	struct rewriting *r, uint8_t protocol, const struct carrier *ip, struct extent x);
void layers_icmp(struct rewriting *r, struct extent x);
void layers_icmp6(struct rewriting *r, struct extent x);

/* Makes a checksum at the place fit again, as far as it did: old and new bytes of x, and of the
 * addresses where ip is not NULL (then a sum of the pseudo-header alone is kept as one). */
void layers_checksum(struct rewriting *r, size_t place, struct extent x, const struct carrier *ip,
	uint8_t protocol);

/* Whether the bytes, a checksum among them, sum up without a pseudo-header. */
bool layers_sum_is_right(const uint8_t *frame, struct extent x);
