#include "join/peer_seconds.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "base/nsec.h"

static bool peer_seconds_same(const struct peer_key *a, const struct peer_key *b)
{
	return a->second_ns == b->second_ns && le64(a->src + 8) == le64(b->src + 8) &&
	       le64(a->dst + 8) == le64(b->dst + 8) && le64(a->src) == le64(b->src) &&
	       le64(a->dst) == le64(b->dst) && a->vantage == b->vantage;
}

/* Conversations of one time are often between the same addresses; a row that was forgotten is begun
 * again. */
static void peer_seconds_add(struct join_batch *b, const struct peer_key *key, uint32_t frames)
{
	uint64_t mixed = (le64(key->src + 8) ^ le64(key->dst + 8) * 3 ^ (uint64_t)key->second_ns ^
				 key->vantage) *
			 UINT64_C(0x9e3779b97f4a7c15);
	uint32_t *recent = &b->recent_seconds[mixed >> (64 - RECENT_SECONDS_BITS)];

	if (*recent && peer_seconds_same(&b->seconds[*recent - 1].key, key)) {
		b->seconds[*recent - 1].frames += frames;
		return;
	}
	MEM_RESERVE(b->seconds, b->second_count, b->second_cap);
	b->seconds[b->second_count++] = (struct peer_second){.key = *key, .frames = frames};
	*recent = b->second_count;
}

/* Counts the frames of one half-flow in the quiet seconds. */
static void peer_seconds_of_half(
	const struct flow_join *f, struct join_batch *b, uint32_t place, enum direction d)
{
	const struct half_flow *l = &f->sent[place][d];
	const struct member *m = &f->places[place].member;
	struct peer_key key = {.vantage = m->vantage};

	memcpy(key.src, member_ip(m, d == C2S), 16);
	memcpy(key.dst, member_ip(m, d != C2S), 16);
	for (uint32_t i = 0, next; i < l->count; i = next) {
		int64_t t = l->transmissions[i].seg->time_ns;

		key.second_ns = t - t % NSEC_PER_SEC;
		for (next = i + 1; next < l->count &&
				   (uint64_t)(l->transmissions[next].seg->time_ns - key.second_ns) <
					   NSEC_PER_SEC;
			next++)
			;
		if (idle_at(f->join->idle, m->vantage, t))
			peer_seconds_add(b, &key, next - i);
	}
}

void peer_seconds_count(const struct flow_join *f, struct join_batch *b)
{
	if (!f->join->idle->count)
		return;
	for (uint32_t i = 0; i < f->place_count; i++)
		for (int d = 0; d < 2; d++)
			if (!f->places[i].absent)
				peer_seconds_of_half(f, b, i, (enum direction)d);
}
