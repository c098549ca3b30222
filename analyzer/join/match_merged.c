#include "join/match_merged.h"

#include <stdlib.h>

#include "base/mem.h"

/* Open records from one that both places hold the beginning of to the next such one. */
struct stretch {
	const uint32_t *sent, *received; /* indexes of transmissions */
	uint32_t sent_count, received_count;
	int64_t sent_bytes, received_bytes;
};

/* Records that begin alike: places in the lists of open ones. */
struct beginning {
	uint32_t sent, received;
};

struct merging {
	struct matcher *m;
	uint32_t *sent, *received; /* open, in order */
	uint32_t sent_count, received_count;
	struct beginning *beginnings;
	uint32_t count;
	bool common;   /* some records begin alike, whether others do so too or not */
	uint32_t size; /* payload of a datagram on the wire; 0: not known */
	int64_t end;   /* offsets that are taken */
};

static uint32_t *merged_collect(const struct half_flow *l, uint32_t *ret_count)
{
	uint32_t *list = mem_array(l->count, sizeof(*list)), n = 0;

	for (uint32_t i = 0; i < l->count; i++)
		if (l->transmissions[i].state == TRANSMISSION_OPEN &&
			l->transmissions[i].seg->length)
			list[n++] = i;
	*ret_count = n;
	return list;
}

/* A record and its first datagram have the head of the content in common, and the identification.
 */
static void merged_index(struct matcher *m, struct keyed_list *keyed, const struct half_flow *l,
	const uint32_t *list, uint32_t count)
{
	keyed->count = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct segment *s = l->transmissions[list[i]].seg;
		uint64_t head = s->hash & SEGMENT_HASH_HEAD;

		if (!head && !m->traits.use_id)
			continue;
		MEM_RESERVE(keyed->rows, keyed->count, keyed->cap);
		keyed->rows[keyed->count++] = (struct keyed){
			.key = m->traits.use_id ? (uint64_t)s->ip_id << 16 | head : head, .at = i};
	}
}

static int merged_by_key(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

static int merged_by_place(const void *x, const void *y)
{
	const struct beginning *a = x, *b = y;

	return (a->sent > b->sent) - (a->sent < b->sent);
}

static bool merged_is_unique(const struct keyed_list *l, uint32_t at)
{
	return (!at || l->rows[at - 1].key != l->rows[at].key) &&
	       (at + 1 == l->count || l->rows[at + 1].key != l->rows[at].key);
}

/* Those that only one record at each place begins like, in the order of both. */
static void merged_find_beginnings(struct merging *g)
{
	const struct keyed_list *s = &g->m->keyed_sent, *r = &g->m->keyed_received;
	uint32_t n = 0, kept = 0;

	merged_index(g->m, &g->m->keyed_sent, g->m->sent, g->sent, g->sent_count);
	merged_index(g->m, &g->m->keyed_received, g->m->received, g->received, g->received_count);
	if (!s->count || !r->count)
		return;
	qsort(s->rows, s->count, sizeof(*s->rows), merged_by_key);
	qsort(r->rows, r->count, sizeof(*r->rows), merged_by_key);
	g->beginnings = mem_array(s->count + 1, sizeof(*g->beginnings));
	for (uint32_t i = 0, k = 0; i < s->count && k < r->count;) {
		uint64_t a = s->rows[i].key, b = r->rows[k].key;

		g->common |= a == b;
		if (a == b && merged_is_unique(s, i) && merged_is_unique(r, k))
			g->beginnings[n++] = (struct beginning){
				.sent = s->rows[i].at, .received = r->rows[k].at};
		i += a <= b;
		k += b <= a;
	}
	qsort(g->beginnings, n, sizeof(*g->beginnings), merged_by_place);
	for (uint32_t i = 0; i < n; i++)
		if (!kept || g->beginnings[i].received > g->beginnings[kept - 1].received)
			g->beginnings[kept++] = g->beginnings[i];
	g->count = kept;
}

static int64_t merged_sum(const struct half_flow *l, const uint32_t *list, uint32_t count)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += l->transmissions[list[i]].seg->length;
	return sum;
}

static struct stretch merged_between(
	const struct merging *g, struct beginning from, struct beginning to)
{
	struct stretch s = {.sent = g->sent + from.sent,
		.received = g->received + from.received,
		.sent_count = to.sent - from.sent,
		.received_count = to.received - from.received};

	s.sent_bytes = merged_sum(g->m->sent, s.sent, s.sent_count);
	s.received_bytes = merged_sum(g->m->received, s.received, s.received_count);
	return s;
}

static struct stretch merged_stretch(const struct merging *g, uint32_t at)
{
	struct beginning end = {g->sent_count, g->received_count};

	return merged_between(
		g, g->beginnings[at], at + 1 == g->count ? end : g->beginnings[at + 1]);
}

/* Datagrams of one size, the last may be shorter: what one record is made of. 0: they are not. */
static uint32_t merged_size_of(const struct half_flow *l, const uint32_t *list, uint32_t count)
{
	uint32_t size = l->transmissions[list[0]].seg->length;

	for (uint32_t i = 1; i < count; i++) {
		uint32_t length = l->transmissions[list[i]].seg->length;

		if (length > size || (length < size && i + 1 < count))
			return 0;
	}
	return size;
}

/* One record here that is several there, to the byte, shows that offload was at work, and on what
 * size. */
static void merged_learn_size(struct merging *g)
{
	for (uint32_t i = 0; i < g->count; i++) {
		struct stretch s = merged_stretch(g, i);
		uint32_t size = 0;

		if (s.sent_bytes != s.received_bytes)
			continue;
		if (s.sent_count == 1 && s.received_count > 1)
			size = merged_size_of(g->m->received, s.received, s.received_count);
		else if (s.received_count == 1 && s.sent_count > 1)
			size = merged_size_of(g->m->sent, s.sent, s.sent_count);
		if (size && (!g->size || size < g->size))
			g->size = size;
	}
}

/* Gives sent records their offsets; returns where the stretch ends. */
static int64_t merged_place_sent(struct merging *g, const struct stretch *s)
{
	int64_t end = g->end;

	for (uint32_t i = 0; i < s->sent_count; i++) {
		struct transmission *it = &g->m->sent->transmissions[s->sent[i]];

		it->off = end;
		it->span = it->seg->length;
		end += it->span;
	}
	return end;
}

/*
 * Where an arrival's bytes were sent: behind the last one's, or further on if its identification
 * says so (each datagram of a record counts it up).
 */
static int64_t merged_offset(
	const struct merging *g, const struct stretch *s, const struct segment *got, int64_t low)
{
	for (uint32_t i = 0; g->m->traits.use_id && i < s->sent_count; i++) {
		const struct transmission *it = &g->m->sent->transmissions[s->sent[i]];
		int64_t behind = (int64_t)(uint16_t)(got->ip_id - it->seg->ip_id) * g->size;

		if (behind < it->span && it->off + behind >= low)
			return it->off + behind;
	}
	return low;
}

/* False where arrivals do not fit into what was sent. */
static bool merged_place_received(struct merging *g, const struct stretch *s, int64_t end)
{
	int64_t low = g->end;
	bool whole = s->sent_bytes == s->received_bytes;

	for (uint32_t k = 0; k < s->received_count; k++) {
		struct transmission *got = &g->m->received->transmissions[s->received[k]];

		got->off = whole ? low : merged_offset(g, s, got->seg, low);
		got->span = got->seg->length;
		low = got->off + got->span;
	}
	return low <= end;
}

static void merged_forget(struct half_flow *l, const uint32_t *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		l->transmissions[list[i]].off = l->transmissions[list[i]].span = 0;
}

static void merged_pair(struct matcher *m, uint32_t i, uint32_t k)
{
	struct transmission *sent = &m->sent->transmissions[i],
			    *got = &m->received->transmissions[k];

	m->open_sent -= sent->match == TRANSMISSION_NONE;
	m->open_received -= got->match == TRANSMISSION_NONE;
	sent->match = k;
	got->match = i;
	got->state = TRANSMISSION_WHOLE;
}

/* The parts of a sent record that the arrivals from *at on cover; *at: the first that may cover the
 * next one. */
static void merged_cover(struct merging *g, const struct stretch *s, uint32_t sent, uint32_t *at)
{
	struct transmission *it = &g->m->sent->transmissions[sent];
	int64_t low = it->off, end = it->off + it->span;
	bool is_whole = true;

	while (*at < s->received_count && low < end) {
		const struct transmission *got = &g->m->received->transmissions[s->received[*at]];
		int64_t until = got->off + got->span;

		if (got->off >= end)
			break;
		if (got->off > low) {
			matcher_miss(g->m, sent, low, got->off);
			is_whole = false;
		}
		merged_pair(g->m, sent, s->received[*at]);
		low = until < end ? until : end;
		*at += until <= end;
	}
	/* Of what arrived in no part all is open. */
	if (it->match == TRANSMISSION_NONE)
		return;
	it->state = is_whole && low == end ? TRANSMISSION_WHOLE : TRANSMISSION_PARTLY;
	if (low < end)
		matcher_miss(g->m, sent, low, end);
}

/* One record at each place, of other lengths: changed on the way, if it is not the first of several
 * datagrams. */
static bool merged_is_fit(const struct merging *g, const struct stretch *s)
{
	uint32_t length = g->m->received->transmissions[s->received[0]].seg->length;

	return s->received_bytes <= s->sent_bytes &&
	       (s->sent_count > 1 || s->received_count > 1 || length % g->size == 0);
}

static void merged_match(struct merging *g, struct stretch s)
{
	uint32_t at = 0;
	int64_t end;

	/* What arrived beyond is not of these records. */
	for (; s.received_bytes > s.sent_bytes && s.received_count > 1; s.received_count--)
		s.received_bytes -=
			g->m->received->transmissions[s.received[s.received_count - 1]].seg->length;
	if (!merged_is_fit(g, &s))
		return;
	end = merged_place_sent(g, &s);
	if (!merged_place_received(g, &s, end)) {
		merged_forget(g->m->sent, s.sent, s.sent_count);
		merged_forget(g->m->received, s.received, s.received_count);
		return;
	}
	for (uint32_t i = 0; i < s.sent_count; i++)
		merged_cover(g, &s, s.sent[i], &at);
	g->end = end;
}

static uint32_t merged_longest(const struct half_flow *l, const uint32_t *list, uint32_t count)
{
	uint32_t longest = 0;

	for (uint32_t i = 0; i < count; i++)
		if (l->transmissions[list[i]].seg->length > longest)
			longest = l->transmissions[list[i]].seg->length;
	return longest;
}

static bool merged_are_longer(
	const struct half_flow *l, const uint32_t *list, uint32_t count, uint32_t length)
{
	for (uint32_t i = 0; i < count; i++)
		if (l->transmissions[list[i]].seg->length <= length)
			return false;
	return true;
}

/* The size of a datagram on the wire, if one side has records of several of the other's datagrams.
 */
static uint32_t merged_size_by_length(const struct merging *g)
{
	uint32_t sent = merged_longest(g->m->sent, g->sent, g->sent_count),
		 received = merged_longest(g->m->received, g->received, g->received_count);

	if (g->sent_count < g->received_count &&
		merged_are_longer(g->m->sent, g->sent, g->sent_count, received))
		return received;
	if (g->received_count < g->sent_count &&
		merged_are_longer(g->m->received, g->received, g->received_count, sent))
		return sent;
	return 0;
}

/* All that is open, as one stretch. */
static void merged_match_all(struct merging *g)
{
	g->size = g->sent_count && g->received_count ? merged_size_by_length(g) : 0;
	if (g->size)
		merged_match(g, merged_between(g, (struct beginning){0},
					(struct beginning){g->sent_count, g->received_count}));
}

/*
 * Before the first beginning that is told from others: its own head may have been another's, too.
 * Only to the byte.
 */
static void merged_match_first(struct merging *g)
{
	struct stretch s = merged_between(g, (struct beginning){0}, g->beginnings[0]);

	if (s.sent_count && s.received_count && s.sent_bytes == s.received_bytes)
		merged_match(g, s);
}

static void merged_match_stretches(struct merging *g)
{
	merged_learn_size(g);
	if (!g->size)
		return;
	merged_match_first(g);
	for (uint32_t i = 0; i < g->count; i++)
		merged_match(g, merged_stretch(g, i));
}

static void merged_begin(struct merging *g)
{
	g->sent = merged_collect(g->m->sent, &g->sent_count);
	g->received = merged_collect(g->m->received, &g->received_count);
	for (uint32_t i = 0; i < g->m->sent->count; i++) {
		const struct transmission *it = &g->m->sent->transmissions[i];

		g->end = it->off + it->span > g->end ? it->off + it->span : g->end;
	}
}

static void merged_end(struct merging *g)
{
	g->m->traits.is_merged |= g->size > 0;
	if (g->size)
		g->m->traits.mss = g->size;
	free(g->sent);
	free(g->received);
	free(g->beginnings);
}

void match_merged_by_length(struct matcher *m)
{
	struct merging g = {.m = m};

	if (!m->open_sent || !m->open_received)
		return;
	merged_begin(&g);
	merged_match_all(&g);
	merged_end(&g);
}

void match_merged(struct matcher *m)
{
	struct merging g = {.m = m};

	if (!m->open_sent || !m->open_received)
		return;
	merged_begin(&g);
	merged_find_beginnings(&g);
	if (g.count)
		merged_match_stretches(&g);
	else if (g.common)
		merged_match_all(&g);
	merged_end(&g);
}
