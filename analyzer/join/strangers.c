#include "join/strangers.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "join/segment_walk.h"

/* How many datagrams of a flow's direction are compared with those of another, and how many agree
 * not by chance. */
#define COMPARED_MAX 4096
#define COMMON_NEEDED 3

/* By what datagrams of two places are compared. */
enum likeness { LIKE_WHOLE, LIKE_CONTENT, LIKE_ID, LIKE_HEAD };

/* More payload than an Ethernet frame carries: offload merged datagrams. */
#define MERGED_LEAST 1473

/* False where a record lacks it. */
static bool strangers_key(const struct segment *s, enum likeness how, uint32_t mask, uint64_t *ret)
{
	uint64_t content = (uint64_t)s->length << 32 | (how == LIKE_ID ? 0 : s->hash & mask);

	*ret = s->hash & mask & SEGMENT_HASH_HEAD;
	if (how == LIKE_HEAD)
		return *ret;
	/* 48 bits of it and an ID side by side: lengths of datagrams take 16. */
	*ret = content << 16 | (how == LIKE_CONTENT ? 0 : s->ip_id);
	return how == LIKE_ID ? s->ip_id != 0 : (s->hash & mask) != 0;
}

static int strangers_by_value(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

struct comparison {
	uint32_t common, most; /* most: that could have been in common */
};

/* A payload that was captured in part is compared by its head. *ret_key: of the hashes. */
static uint32_t strangers_mask_of(const struct member *m, enum direction d, uint32_t *ret_key)
{
	struct segment_walk walk = walk_direction(m, d);
	uint32_t mask = UINT32_MAX;
	const struct segment *s;

	*ret_key = 0;
	for (uint32_t n = 0; n < COMPARED_MAX && (s = walk_next(&walk)); n++) {
		if (s->hash && !(s->hash >> 16))
			mask = SEGMENT_HASH_HEAD;
		*ret_key = *ret_key ? *ret_key : segment_hash_key(s);
	}
	return mask;
}

/* Hashes under different keys, or payload on one side alone, say nothing: 0. */
static uint32_t strangers_mask(const struct member *a, const struct member *b, enum direction d)
{
	uint32_t key_a, key_b, mask = strangers_mask_of(a, d, &key_a);

	mask &= strangers_mask_of(b, d, &key_b);
	return key_a == key_b ? mask : 0;
}

static uint32_t strangers_sorted(
	const struct member *m, enum direction d, enum likeness how, uint32_t mask, uint64_t *ret)
{
	struct segment_walk walk = walk_direction(m, d);
	const struct segment *s;
	uint32_t n = 0;

	while (n < COMPARED_MAX && (s = walk_next(&walk)))
		n += strangers_key(s, how, mask, &ret[n]);
	qsort(ret, n, sizeof(*ret), strangers_by_value);
	return n;
}

/* Datagrams of a direction that both members hold; what one holds many times counts as often as the
 * other holds it. */
static struct comparison strangers_compare(
	const struct member *a, const struct member *b, enum direction d, enum likeness how)
{
	uint32_t mask = strangers_mask(a, b, d), i = 0, k = 0;
	uint64_t *x = mem_array(2 * COMPARED_MAX, sizeof(*x)), *y = x + COMPARED_MAX;
	uint32_t nx = strangers_sorted(a, d, how, mask, x),
		 ny = strangers_sorted(b, d, how, mask, y);
	struct comparison c = {.most = nx < ny ? nx : ny};

	while (i < nx && k < ny) {
		int order = (x[i] > y[k]) - (x[i] < y[k]);

		c.common += !order;
		i += order <= 0;
		k += order >= 0;
	}
	assert(c.common <= c.most);
	free(x);
	return c;
}

/* The first that each holds, mostly. */
static bool strangers_begin_alike(const struct member *a, const struct member *b, enum direction d)
{
	struct segment_walk at = walk_direction(a, d), there = walk_direction(b, d);
	const struct segment *x = walk_next(&at), *y = walk_next(&there);
	uint64_t key_x, key_y;

	return x && y && strangers_key(x, LIKE_WHOLE, SEGMENT_HASH_HEAD, &key_x) &&
	       strangers_key(y, LIKE_WHOLE, SEGMENT_HASH_HEAD, &key_y) && key_x == key_y;
}

static bool strangers_mostly_common(struct comparison c)
{
	return c.common >= COMMON_NEEDED || c.common * 2 > c.most;
}

static bool strangers_merge(const struct member *m, enum direction d)
{
	struct segment_walk walk = walk_direction(m, d);
	const struct segment *s;

	for (uint32_t n = 0; n < COMPARED_MAX && (s = walk_next(&walk)); n++)
		if (s->length >= MERGED_LEAST)
			return true;
	return false;
}

/*
 * Members of one 5-tuple that hold datagrams of one direction, and not one in common, are two
 * conversations: of an address that moved, of anycast, of a hash that chose another server. Equal
 * contents under other identifications are said twice now and then; what was rewritten on the way
 * keeps its identifications.
 */
uint32_t strangers_in_common(const struct member *a, const struct member *b)
{
	uint32_t common = 0;
	bool comparable = false;

	if (strangers_begin_alike(a, b, C2S) || strangers_begin_alike(a, b, S2C))
		return UINT32_MAX;
	for (int d = 0; d < 2; d++) {
		struct comparison whole = strangers_compare(a, b, (enum direction)d, LIKE_WHOLE),
				  part;

		common += whole.common;
		comparable |= whole.most > 0;
		if (whole.common || !whole.most)
			continue;
		part = strangers_compare(a, b, (enum direction)d, LIKE_CONTENT);
		if (!strangers_mostly_common(part))
			part = strangers_compare(a, b, (enum direction)d, LIKE_ID);
		/* A record that offload merged begins like the first datagram of it. */
		if (!strangers_mostly_common(part) &&
			(strangers_merge(a, (enum direction)d) ||
				strangers_merge(b, (enum direction)d)))
			part = strangers_compare(a, b, (enum direction)d, LIKE_HEAD);
		if (strangers_mostly_common(part))
			common += part.common;
	}
	return comparable ? common : 1;
}
