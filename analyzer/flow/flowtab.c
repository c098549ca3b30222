#include "flow/flowtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "base/prefetch.h"
#include "decode/packet.h"

void flowtab_init(struct flowtab *t, struct arena *arena, uint32_t *room)
{
	*t = (struct flowtab){
		.arena = arena, .room = room, .bucket_mask = 255, .seed = hash_seed()};
	t->buckets = mem_array((size_t)t->bucket_mask + 1, sizeof(*t->buckets));
}

void flowtab_release(struct flowtab *t)
{
	free(t->pages);
	free(t->buckets);
	free(t->silent);
	*t = (struct flowtab){0};
}

/* A key is five words; put together in registers, they are not read before they are written. */
struct key_words {
	uint64_t a[2], b[2], rest;
};
_Static_assert(sizeof(struct key_words) == sizeof(struct flow_key), "the same bytes");

/* Word by word: copied in larger pieces, the copy would wait until the words before it have reached
 * the cache. */
static inline void flowtab_put_words(struct flow_key *key, const struct key_words *k)
{
	memcpy(key->a, &k->a[0], 8);
	memcpy(key->a + 8, &k->a[1], 8);
	memcpy(key->b, &k->b[0], 8);
	memcpy(key->b + 8, &k->b[1], 8);
	memcpy(&key->a_port, &k->rest, 8);
}

/* The multiplications of the addresses' words do not wait for each other. */
static inline uint32_t flowtab_key_hash(struct hash_seed seed, const struct key_words *k)
{
	uint64_t low = hash_fold(k->a[1] ^ seed.first, k->b[1] ^ seed.second);
	uint64_t high = hash_fold(k->a[0] ^ seed.second, k->b[0] ^ seed.first);

	return (uint32_t)(hash_fold(low ^ high ^ seed.first, k->rest ^ seed.second) >> 32);
}

/* x where which is 0, y where it is all ones: which way a packet goes is a coin toss, and a branch
 * costs more than this. */
static inline uint64_t flowtab_pick(uint64_t which, uint64_t x, uint64_t y)
{
	return x ^ ((x ^ y) & which);
}

static inline bool flowtab_sent_by_b(
	const uint64_t src[2], const uint64_t dst[2], uint64_t src_port, uint64_t dst_port)
{
	bool high_above = src[0] > dst[0], high_equal = src[0] == dst[0];
	bool low_above = src[1] > dst[1], low_equal = src[1] == dst[1];

	return high_above | (high_equal & (low_above | (low_equal & (src_port > dst_port))));
}

/* With both high words known to be 0 the compiler leaves out what follows from them: half of the
 * work for IPv4. */
static inline __attribute__((always_inline)) void look_up(struct hash_seed seed,
	const struct packet *p, uint64_t src_high, uint64_t dst_high, struct flow_lookup *ret)
{
	const uint64_t src[2] = {src_high, le64(p->src + 8)}, dst[2] = {dst_high, le64(p->dst + 8)};
	bool from_b = flowtab_sent_by_b(src, dst, p->src_port, p->dst_port);
	uint64_t which = (uint64_t)0 - from_b;
	uint64_t src_port = p->src_port, dst_port = p->dst_port;
	const struct key_words words = {
		.a = {flowtab_pick(which, src[0], dst[0]), flowtab_pick(which, src[1], dst[1])},
		.b = {flowtab_pick(which, dst[0], src[0]), flowtab_pick(which, dst[1], src[1])},
		.rest = flowtab_pick(which, src_port, dst_port) |
			flowtab_pick(which, dst_port, src_port) << 16 |
			(uint64_t)p->protocol << 32};

	flowtab_put_words(&ret->key, &words);
	ret->guess = NULL;
	ret->hash = flowtab_key_hash(seed, &words);
	ret->from_b = from_b;
}

void flow_lookup_of(const struct flowtab *t, const struct packet *p, struct flow_lookup *ret)
{
	if (p->version == 4)
		look_up(t->seed, p, 0, 0, ret);
	else
		look_up(t->seed, p, le64(p->src), le64(p->dst), ret);
}

static void flowtab_grow_buckets(struct flowtab *t)
{
	uint32_t mask = t->bucket_mask * 2 + 1;
	uint64_t *buckets = mem_array((size_t)mask + 1, sizeof(*buckets));

	for (uint32_t i = 0; i <= t->bucket_mask; i++) {
		uint64_t entry = t->buckets[i];
		uint32_t at = (uint32_t)(entry >> 32) & mask;

		if (!entry)
			continue;
		while (buckets[at])
			at = (at + 1) & mask;
		buckets[at] = entry;
	}
	free(t->buckets);
	t->buckets = buckets;
	t->bucket_mask = mask;
}

static struct flow_vantage *flowtab_new_flow(
	struct flowtab *t, const struct flow_key *key, uint32_t hash)
{
	uint32_t page = t->count >> FLOWTAB_PAGE_BITS;
	struct flow_vantage *f;

	if (!*t->room)
		return NULL;
	--*t->room;
	if (!(t->count & ((1U << FLOWTAB_PAGE_BITS) - 1))) {
		if (page == t->page_cap) {
			t->page_cap = t->page_cap ? 2 * t->page_cap : 64;
			t->pages = mem_grow(t->pages, t->page_cap, sizeof(*t->pages));
		}
		t->pages[page] =
			arena_alloc(t->arena, sizeof(struct flow_vantage) << FLOWTAB_PAGE_BITS);
	}
	f = flowtab_at(t, t->count);
	prefetch_to_write(f + 2, sizeof(*f)); /* where one of the next flows will be */
	*f = (struct flow_vantage){.key = *key,
		.index = t->count++,
		.older = FLOW_NONE,
		.hash = hash,
		.flow = FLOW_NONE,
		.address = {ADDRESS_NONE, ADDRESS_NONE}};
	f->side[0].wscale = f->side[1].wscale = 255;
	return f;
}

static bool flowtab_contradicts_syn(
	const struct flow_vantage *f, const struct packet *p, bool from_b)
{
	const struct flow_side *side = &f->side[from_b], *peer = &f->side[!from_b];

	if (side->has_isn)
		return side->isn != p->tcp.seq;
	/* The capture lacks an earlier copy of this SYN, but has what came of it. */
	if ((side->seen && side->first_seq == p->tcp.seq + 1) ||
		(peer->acked && peer->first_ack == p->tcp.seq + 1))
		return false;
	/* Data without a SYN was seen before: a stream from before the capture, and now a new one.
	 */
	if (side->seen)
		return true;
	/* Only the peer was seen: its SYN makes this a simultaneous open, anything else an older
	 * stream. */
	return peer->seen && !peer->sent_syn_only;
}

/* True when a SYN cannot belong to the flow that has its 5-tuple. */
static inline bool flowtab_new_incarnation(
	const struct flow_vantage *f, const struct packet *p, bool from_b)
{
	return p->protocol == 6 && (p->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	       flowtab_contradicts_syn(f, p, from_b);
}

static inline bool flowtab_is_key(const struct flow_key *x, const struct flow_key *y)
{
	const uint8_t *a = (const uint8_t *)x, *b = (const uint8_t *)y;

	return !((le64(a) ^ le64(b)) | (le64(a + 8) ^ le64(b + 8)) | (le64(a + 16) ^ le64(b + 16)) |
		 (le64(a + 24) ^ le64(b + 24)) | (le64(a + 32) ^ le64(b + 32)));
}

struct flow_vantage *flowtab_same_key(const struct flowtab *t, const struct flow_vantage *other)
{
	for (uint32_t at = other->hash & t->bucket_mask; t->buckets[at];
		at = (at + 1) & t->bucket_mask) {
		struct flow_vantage *f;

		if ((uint32_t)(t->buckets[at] >> 32) != other->hash)
			continue;
		f = flowtab_at(t, (uint32_t)t->buckets[at] - 1);
		if (flowtab_is_key(&f->key, &other->key))
			return f;
	}
	return NULL;
}

static NOINLINE struct flow_vantage *flowtab_find_or_start(
	struct flowtab *t, const struct packet *p, const struct flow_lookup *look)
{
	uint32_t hash = look->hash, at, index;
	struct flow_vantage *f, *newer;

	for (at = hash & t->bucket_mask; t->buckets[at]; at = (at + 1) & t->bucket_mask) {
		if ((uint32_t)(t->buckets[at] >> 32) != hash)
			continue;
		index = (uint32_t)t->buckets[at] - 1;
		f = flowtab_at(t, index);
		if (!flowtab_is_key(&f->key, &look->key))
			continue;
		if (!flowtab_new_incarnation(f, p, look->from_b))
			return f;
		newer = flowtab_new_flow(t, &look->key, hash);
		if (!newer)
			return NULL;
		newer->older = index;
		f->has_newer = true;
		t->buckets[at] = (uint64_t)hash << 32 | t->count;
		return newer;
	}
	f = flowtab_new_flow(t, &look->key, hash);
	if (!f)
		return NULL;
	t->buckets[at] = (uint64_t)hash << 32 | t->count;
	/* Hashes stand in the buckets: a longer way past others costs less than a table twice as
	 * large. */
	if (t->count > t->bucket_mask / 4 * 3)
		flowtab_grow_buckets(t);
	return f;
}

struct flow_vantage *flowtab_find(
	struct flowtab *t, const struct packet *p, const struct flow_lookup *look)
{
	struct flow_vantage *f = look->guess;

	/* It was looked up some packets ago; a flow that was started since is the newer one. */
	if (f && !f->has_newer && flowtab_is_key(&f->key, &look->key) &&
		!flowtab_new_incarnation(f, p, look->from_b))
		return f;
	return flowtab_find_or_start(t, p, look);
}

void flowtab_prefetch_flow(const struct flowtab *t, struct flow_lookup *look)
{
	uint32_t at = look->hash & t->bucket_mask;

	look->guess = NULL;
	while (t->buckets[at] && (uint32_t)(t->buckets[at] >> 32) != look->hash)
		at = (at + 1) & t->bucket_mask;
	if (!t->buckets[at])
		return;
	look->guess = flowtab_at(t, (uint32_t)t->buckets[at] - 1);
	prefetch_to_write(look->guess, sizeof(struct flow_vantage));
}

/*
 * Chunks grow with the flow, by a sixteenth of what it has: of a flow of 150 segments 4 bytes a
 * segment go into headers and what is left over, and large flows still stay in few pieces.
 */
static NOINLINE struct segment *flowtab_new_chunk(struct flowtab *t, struct flow_vantage *f)
{
	uint32_t cap = f->slots / 16, least = f->slots < 12 ? 4 : 8;
	struct segment_chunk *c;

	cap = cap < least ? least : cap > 256 ? 256 : cap;
	c = arena_alloc(t->arena, sizeof(*c) + cap * sizeof(struct segment));
	prefetch_to_write(t->arena->at + 256, 256); /* where one of the next chunks will be */
	c->next = NULL;
	c->cap = cap;
	c->used = 0;
	if (f->tail)
		f->tail->next = c;
	else
		f->head = c;
	f->tail = c;
	return c->slots;
}

struct segment *flow_vantage_reserve(struct flowtab *t, struct flow_vantage *f, unsigned n)
{
	struct segment_chunk *c = f->tail;

	if (c && c->cap - c->used >= n)
		return &c->slots[c->used];
	return flowtab_new_chunk(t, f);
}
