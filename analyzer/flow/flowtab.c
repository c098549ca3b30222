#include "flow/flowtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "decode/packet.h"

void flowtab_init(struct flowtab *t, struct arena *arena, uint32_t limit)
{
	*t = (struct flowtab){.arena = arena, .limit = limit, .bucket_mask = 4095};
	t->buckets = mem_array((size_t)t->bucket_mask + 1, sizeof(*t->buckets));
}

void flowtab_release(struct flowtab *t)
{
	free(t->pages);
	free(t->buckets);
	*t = (struct flowtab){0};
}

void flow_key_of(const struct packet *p, struct flow_key *ret_key, bool *ret_from_b)
{
	int order = memcmp(p->src, p->dst, 16);
	bool from_b = order > 0 || (order == 0 && p->src_port > p->dst_port);

	memcpy(ret_key->a, from_b ? p->dst : p->src, 16);
	memcpy(ret_key->b, from_b ? p->src : p->dst, 16);
	ret_key->a_port = from_b ? p->dst_port : p->src_port;
	ret_key->b_port = from_b ? p->src_port : p->dst_port;
	ret_key->protocol = p->protocol;
	memset(ret_key->unused, 0, sizeof(ret_key->unused));
	*ret_from_b = from_b;
}

/* Multiply-and-fold over the key's five words; quality matters little, speed much. */
static uint32_t key_hash(const struct flow_key *k)
{
	const uint8_t *p = (const uint8_t *)k;
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15);

	for (int i = 0; i < 40; i += 8) {
		__uint128_t m = (__uint128_t)(h ^ le64(p + i)) * UINT64_C(0xd6e8feb86659fd93);

		h = (uint64_t)m ^ (uint64_t)(m >> 64);
	}
	return (uint32_t)(h >> 32);
}

static void grow_buckets(struct flowtab *t)
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

static struct flow *new_flow(struct flowtab *t, const struct flow_key *key, uint32_t hash)
{
	uint32_t page = t->count >> FLOWTAB_PAGE_BITS;
	struct flow *f;

	if (t->count == t->limit)
		return NULL;
	if (!(t->count & ((1U << FLOWTAB_PAGE_BITS) - 1))) {
		if (page == t->page_cap) {
			t->page_cap = t->page_cap ? 2 * t->page_cap : 64;
			t->pages = mem_grow(t->pages, t->page_cap, sizeof(*t->pages));
		}
		t->pages[page] = arena_alloc(t->arena, sizeof(struct flow) << FLOWTAB_PAGE_BITS);
	}
	f = flowtab_at(t, t->count);
	*f = (struct flow){.key = *key, .index = t->count++, .older = FLOW_NONE, .hash = hash, .joined = FLOW_NONE};
	f->side[0].wscale = f->side[1].wscale = 255;
	return f;
}

/* True when a SYN cannot belong to the flow that has its 5-tuple. */
static bool new_incarnation(const struct flow *f, const struct packet *p, bool from_b)
{
	const struct flow_side *side = &f->side[from_b], *peer = &f->side[!from_b];

	if (p->protocol != 6 || (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return false;
	if (side->has_isn)
		return side->isn != p->seq;
	/* The capture lacks an earlier copy of this SYN, but has what came of it. */
	if ((side->seen && side->first_seq == p->seq + 1) || (peer->acked && peer->first_ack == p->seq + 1))
		return false;
	/* Data without a SYN was seen before: a stream from before the capture, and now a new one. */
	if (side->seen)
		return true;
	/* Only the peer was seen: its SYN makes this a simultaneous open, anything else an older stream. */
	return peer->seen && !peer->sent_syn_only;
}

struct flow *flowtab_find(struct flowtab *t, const struct packet *p, bool *ret_from_b)
{
	struct flow_key key;
	uint32_t hash, at, index;
	struct flow *f, *newer;

	flow_key_of(p, &key, ret_from_b);
	hash = key_hash(&key);
	for (at = hash & t->bucket_mask; t->buckets[at]; at = (at + 1) & t->bucket_mask) {
		if ((uint32_t)(t->buckets[at] >> 32) != hash)
			continue;
		index = (uint32_t)t->buckets[at] - 1;
		f = flowtab_at(t, index);
		if (memcmp(&f->key, &key, sizeof(key)) != 0)
			continue;
		if (!new_incarnation(f, p, *ret_from_b))
			return f;
		newer = new_flow(t, &key, hash);
		if (!newer)
			return NULL;
		newer->older = index;
		t->buckets[at] = (uint64_t)hash << 32 | t->count;
		return newer;
	}
	f = new_flow(t, &key, hash);
	if (!f)
		return NULL;
	t->buckets[at] = (uint64_t)hash << 32 | t->count;
	if (t->count > t->bucket_mask / 2)
		grow_buckets(t);
	return f;
}

/*
 * Chunks grow with the flow, by an eighth of what it has: what is left over at the end is a
 * twentieth on average, and large flows still stay in few pieces.
 */
struct segment *flow_append(struct flowtab *t, struct flow *f, unsigned n)
{
	struct segment_chunk *c = f->tail;
	uint32_t cap;

	if (c && c->cap - c->used >= n) {
		c->used += n;
		f->slots += n;
		return &c->slots[c->used - n];
	}
	cap = f->slots / 8;
	cap = cap < 4 ? 4 : cap > 256 ? 256 : cap;
	c = arena_alloc(t->arena, sizeof(*c) + cap * sizeof(struct segment));
	c->next = NULL;
	c->cap = cap;
	c->used = n;
	if (f->tail)
		f->tail->next = c;
	else
		f->head = c;
	f->tail = c;
	f->slots += n;
	return c->slots;
}
