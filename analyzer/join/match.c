#include "join/match.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "decode/packet.h"
#include "join/match_copies.h"
#include "join/match_datagram.h"

/* How far the exact match looks ahead before it leaves a segment to the sorted one. */
#define LOOK_AHEAD 48
/* Segments that are tried to learn what identifies a transmission. */
#define LEARN 96
#define ACTIVE_MAX 64

/* ECN bits of the flags change on the way by design (RFC 3168). */
#define FLAGS_KEPT (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG)

/* Of two segments with SACK. */
static bool match_same_sack(const struct segment *a, const struct segment *b)
{
	const struct segment_sack *x = segment_sack(a), *y = segment_sack(b);

	return x->count == y->count && memcmp(x->edge, y->edge, sizeof(x->edge)) == 0;
}

/* Strict: all that a sender varies; relaxed: what identifies it when boxes on the way rewrite the
 * rest. */
enum strictness { STRICT, RELAXED };

static bool match_same_tcp(const struct matcher *m, const struct transmission *a,
	const struct transmission *b, enum strictness how)
{
	const struct segment *x = a->seg, *y = b->seg;
	uint8_t both = x->bits & y->bits, any = x->bits | y->bits;

	if (a->off != b->off || (a->ack != b->ack && !(how == RELAXED && x->flags & TCP_RST)))
		return false;
	if (x->length != y->length || (x->flags ^ y->flags) & FLAGS_KEPT)
		return false;
	if (m->traits.use_timestamp && both & SEGMENT_TIMESTAMP && x->tsval != y->tsval)
		return false;
	if (m->traits.use_id && !(any & SEGMENT_NO_ID) && x->ip_id != y->ip_id)
		return false;
	if (how == RELAXED || x->length)
		return true;
	return x->window == y->window && x->tsecr == y->tsecr &&
	       (!(both & SEGMENT_SACK) || m->sent->ack_delta != m->received->ack_delta ||
		       match_same_sack(x, y));
}

static bool match_same_datagram(
	const struct matcher *m, const struct transmission *a, const struct transmission *b)
{
	const struct segment *x = a->seg, *y = b->seg;

	if (x->length != y->length || x->seq != y->seq || segment_payload_differs(x, y))
		return false;
	return !m->traits.use_id || ((x->bits | y->bits) & SEGMENT_NO_ID) || x->ip_id == y->ip_id;
}

static bool match_same(const struct matcher *m, const struct transmission *a,
	const struct transmission *b, enum strictness how)
{
	return m->traits.tcp ? match_same_tcp(m, a, b, how) : match_same_datagram(m, a, b);
}

bool matcher_same(const struct matcher *m, const struct transmission *sent,
	const struct transmission *received)
{
	return match_same(m, sent, received, STRICT);
}

#define CAUSALITY_STRETCH_NS (10 * NSEC_PER_MSEC)

static NOINLINE void match_refresh_bound(struct causality *c, int64_t t)
{
	struct clock_bounds b = clock_memo_between(c->clocks, c->from, c->to, t);

	/* Clocks that step may have done so where no packet shows it. */
	c->ahead = b.has_low && !(b.beyond && c->clocks->clocks->stepped) ? b.low : INT64_MIN;
	c->since = t;
	c->until = t + CAUSALITY_STRETCH_NS;
}

static inline bool match_bound_allows(
	struct causality *c, const struct transmission *sent, const struct transmission *received)
{
	int64_t t;

	if (!c->clocks)
		return true;
	t = steady_time(c->steady, sent->seg->frame, sent->seg->time_ns);
	if (t < c->since || t > c->until)
		match_refresh_bound(c, t);
	/* The bound moves with the skew within the stretches, here and of the memo: 15 us at most
	 * (1000 ppm). */
	return c->ahead == INT64_MIN ||
	       received->seg->time_ns - sent->seg->time_ns >= c->ahead - 15 * NSEC_PER_USEC;
}

bool match_is_causal(
	struct matcher *m, const struct transmission *sent, const struct transmission *received)
{
	return match_bound_allows(&m->causality, sent, received);
}

/* As match_is_causal(), for a pair that is the same otherwise. */
static bool match_fits_clock(
	struct matcher *m, const struct transmission *sent, const struct transmission *received)
{
	bool fits = match_bound_allows(&m->causality, sent, received);

	m->refused |= !fits;
	return fits;
}

void matcher_pair(struct matcher *m, uint32_t i, uint32_t k)
{
	m->sent->transmissions[i].state = m->received->transmissions[k].state = TRANSMISSION_WHOLE;
	m->sent->transmissions[i].match = k;
	m->received->transmissions[k].match = i;
	m->open_sent--;
	m->open_received--;
}

void matcher_part(struct matcher *m, uint32_t i)
{
	struct transmission *sent = &m->sent->transmissions[i],
			    *received = &m->received->transmissions[sent->match];

	assert(sent->state == TRANSMISSION_WHOLE && received->match == i);
	sent->state = received->state = TRANSMISSION_OPEN;
	sent->match = received->match = TRANSMISSION_NONE;
	m->open_sent++;
	m->open_received++;
}

/* The first open sent transmission from begin on that the arrival is a copy of; end when there is
 * none. */
static uint32_t match_find_sent(
	struct matcher *m, uint32_t begin, uint32_t end, const struct transmission *received)
{
	const struct transmission *sent = m->sent->transmissions;
	uint32_t at = begin;

	while (at < end && (sent[at].off != received->off || sent[at].ack != received->ack ||
				   sent[at].state != TRANSMISSION_OPEN ||
				   !match_same(m, &sent[at], received, STRICT) ||
				   !match_fits_clock(m, &sent[at], received)))
		at++;
	return at;
}

/*
 * Both half-flows in their order: what was lost is skipped at the sender, what comes out of nowhere
 * at the receiver; what was overtaken is found behind. The earliest of several equal sent copies
 * wins, which errs towards the later one being lost; only where nothing tells them apart, and then
 * they are marked ambiguous.
 */
static void match_in_order(struct matcher *m)
{
	uint32_t i = 0, n = m->sent->count;

	for (uint32_t k = 0; k < m->received->count; k++) {
		const struct transmission *received = &m->received->transmissions[k];
		uint32_t end = i + LOOK_AHEAD < n ? i + LOOK_AHEAD : n,
			 at = match_find_sent(m, i, end, received);

		if (at < end) {
			matcher_pair(m, at, k);
			i = at + 1;
			continue;
		}
		at = match_find_sent(m, i > LOOK_AHEAD ? i - LOOK_AHEAD : 0, i, received);
		if (at < i)
			matcher_pair(m, at, k);
	}
}

struct learned {
	uint32_t tried, matched, id_equal, id_varied;
};

/* A sent transmission with the arrival's own ID, that is the same otherwise: within sight of a
 * place, ahead or behind. */
static uint32_t match_find_id(
	const struct matcher *m, uint32_t around, const struct transmission *received)
{
	uint32_t low = around > LOOK_AHEAD ? around - LOOK_AHEAD : 0;
	uint32_t end = around + LOOK_AHEAD < m->sent->count ? around + LOOK_AHEAD : m->sent->count;

	for (uint32_t i = low; i < end; i++)
		if (m->sent->transmissions[i].seg->ip_id == received->seg->ip_id &&
			match_same(m, &m->sent->transmissions[i], received, STRICT))
			return i;
	return TRANSMISSION_NONE;
}

/* Matches the first segments without regard to ID (and time stamp), to see whether those would
 * agree. */
static struct learned match_learn(struct matcher *m)
{
	uint32_t i = 0, n = m->sent->count < LEARN ? m->sent->count : LEARN;
	uint32_t last = m->received->count < LEARN ? m->received->count : LEARN;
	struct learned l = {0};
	uint16_t last_id = 0;

	for (uint32_t k = 0; k < last && i < n; k++) {
		uint32_t at = i;

		l.tried++;
		while (at < n && !match_same(m, &m->sent->transmissions[at],
					 &m->received->transmissions[k], STRICT))
			at++;
		if (at == n)
			continue;
		/* Of equal ones the first is not the right one where some were lost or came twice.
		 */
		if (m->sent->transmissions[at].seg->ip_id !=
			m->received->transmissions[k].seg->ip_id) {
			uint32_t exact = match_find_id(m, i, &m->received->transmissions[k]);

			if (exact != TRANSMISSION_NONE && exact < i)
				continue;
			at = exact != TRANSMISSION_NONE ? exact : at;
		}
		const struct segment *x = m->sent->transmissions[at].seg,
				     *y = m->received->transmissions[k].seg;

		l.matched++;
		if (x->ip_id || y->ip_id) {
			l.id_equal += x->ip_id == y->ip_id;
			l.id_varied += x->ip_id != last_id;
			last_id = x->ip_id;
		}
		i = at + 1;
	}
	return l;
}

/*
 * RFC 6864: the ID of an atomic datagram means nothing, but most hosts count it up; where it is
 * seen to vary and to pass, it tells copies apart like nothing else.
 */
static void match_learn_traits(struct matcher *m)
{
	struct learned with, without;

	m->traits.use_id = false;
	m->traits.use_timestamp = m->traits.tcp;
	with = match_learn(m);
	if (m->traits.tcp && with.matched * 2 < with.tried) {
		m->traits.use_timestamp = false;
		without = match_learn(m);
		if (without.matched > with.matched * 2)
			with = without;
		else
			m->traits.use_timestamp = true;
	}
	/* Rewritten IDs agree by chance only; where they pass, copies that were mixed up here
	 * disagree. */
	m->traits.use_id = with.id_equal && with.id_varied && with.id_equal * 2 >= with.id_varied;
}

static void match_reopen(struct half_flow *l)
{
	for (uint32_t i = 0; i < l->count; i++) {
		l->transmissions[i].state = TRANSMISSION_OPEN;
		l->transmissions[i].match = TRANSMISSION_NONE;
	}
}

void matcher_reopen(struct matcher *m)
{
	match_reopen(m->sent);
	match_reopen(m->received);
	m->open_sent = m->sent->count;
	m->open_received = m->received->count;
}

/* Do the IDs of what arrived vary at all? */
static bool match_ids_vary(const struct half_flow *l)
{
	for (uint32_t i = 1; i < l->count; i++)
		if (l->transmissions[i].seg->ip_id != l->transmissions[0].seg->ip_id)
			return true;
	return l->transmissions[0].seg->ip_id;
}

/*
 * Nearly always all that identifies a transmission passes unchanged, and most arrivals match by all
 * of it: then there is nothing to learn. Else it starts anew, with what the first segments teach.
 */
static void match_learn_and(struct matcher *m)
{
	m->traits.use_id = true;
	m->traits.use_timestamp = m->traits.tcp;
	match_in_order(m);
	if (m->open_received <= m->received->count / 2) {
		m->traits.use_id = match_ids_vary(m->received);
		return;
	}
	matcher_reopen(m);
	match_learn_traits(m);
	match_in_order(m);
}

static uint32_t match_collect_open(const struct half_flow *l, uint32_t **list, uint32_t *cap)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		if (l->transmissions[i].state != TRANSMISSION_OPEN)
			continue;
		MEM_RESERVE(*list, n, *cap);
		(*list)[n++] = i;
	}
	return n;
}

static int match_compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Orders by what match_same() compares exactly; ties by place, so that copies keep their order. */
static int match_compare_transmissions_at(
	const struct transmission *a, const struct transmission *b, bool tcp)
{
	int r = (a->off > b->off) - (a->off < b->off);

	if (!r)
		r = match_compare_u64(a->seg->length, b->seg->length);
	if (!tcp)
		return r ? r : match_compare_u64(a->seg->hash, b->seg->hash);
	if (!r)
		r = match_compare_u64(a->seg->flags & FLAGS_KEPT, b->seg->flags & FLAGS_KEPT);
	if (!r && !(a->seg->flags & TCP_RST))
		r = match_compare_u64(a->ack, b->ack);
	return r;
}

static int match_by_key(const void *x, const void *y, void *half)
{
	const struct half_flow *l = half;
	uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;
	int r = match_compare_transmissions_at(&l->transmissions[i], &l->transmissions[k], l->tcp);

	return r ? r : match_compare_u64(i, k);
}

/*
 * Does a pair keep the order that the pairs around it have in both files? That is a fact, where
 * times are not: what comes before everything sent around it was sent by another transmission.
 */
static bool match_keeps_order(const struct matcher *m, uint32_t i, uint32_t k)
{
	return (m->mate_before[i] == TRANSMISSION_NONE || m->mate_before[i] < k) &&
	       m->mate_behind[i] > k;
}

/* How many open transmissions of the other half-flow are the same as this one. */
static uint32_t match_count_same(const struct matcher *m, uint32_t transmission, bool is_sent,
	const uint32_t *others, uint32_t count, enum strictness how)
{
	const struct transmission *mine = is_sent ? &m->sent->transmissions[transmission]
						  : &m->received->transmissions[transmission];
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct transmission *other = is_sent ? &m->received->transmissions[others[i]]
							   : &m->sent->transmissions[others[i]];

		n += other->state == TRANSMISSION_OPEN &&
		     (is_sent ? match_same(m, mine, other, how) : match_same(m, other, mine, how));
	}
	return n;
}

/*
 * What the clock refused within a group of equal keys: a clock chooses, so where there is nothing
 * to choose (one sending, one arrival, or as many of the one as of the other) it is not asked.
 */
static void match_refused(struct matcher *m, const uint32_t *sent, uint32_t sent_count,
	const uint32_t *received, uint32_t received_count, enum strictness how)
{
	for (uint32_t k = 0; k < received_count; k++) {
		const struct transmission *got = &m->received->transmissions[received[k]];
		uint32_t i = 0;

		while (i < sent_count &&
			(m->sent->transmissions[sent[i]].state != TRANSMISSION_OPEN ||
				!match_same(m, &m->sent->transmissions[sent[i]], got, how) ||
				!match_keeps_order(m, sent[i], received[k])))
			i++;
		if (i < sent_count &&
			match_count_same(m, received[k], false, sent, sent_count, how) ==
				match_count_same(m, sent[i], true, received, received_count, how))
			matcher_pair(m, sent[i], received[k]);
	}
}

/* Within a group of equal keys: each arrival takes the first sent copy that is the same. */
static void match_group(struct matcher *m, const uint32_t *sent, uint32_t sent_count,
	const uint32_t *received, uint32_t received_count, enum strictness how)
{
	for (uint32_t k = 0; k < received_count; k++) {
		for (uint32_t i = 0; i < sent_count; i++) {
			if (m->sent->transmissions[sent[i]].state == TRANSMISSION_OPEN &&
				match_same(m, &m->sent->transmissions[sent[i]],
					&m->received->transmissions[received[k]], how) &&
				match_fits_clock(m, &m->sent->transmissions[sent[i]],
					&m->received->transmissions[received[k]])) {
				matcher_pair(m, sent[i], received[k]);
				break;
			}
		}
	}
}

/* What is out of order by more than the look-ahead, and then again with fewer demands. */
static void match_sorted(struct matcher *m, enum strictness how)
{
	const uint32_t *s, *r;
	uint32_t ns, nr;

	if (!m->open_sent || !m->open_received)
		return;
	ns = match_collect_open(m->sent, &m->left_sent, &m->left_sent_cap);
	nr = match_collect_open(m->received, &m->left_received, &m->left_received_cap);
	assert(ns == m->open_sent && nr == m->open_received); /* pairs are one to one */
	s = m->left_sent;
	r = m->left_received;
	qsort_r(m->left_sent, ns, sizeof(*m->left_sent), match_by_key, m->sent);
	qsort_r(m->left_received, nr, sizeof(*m->left_received), match_by_key, m->received);
	for (uint32_t i = 0, k = 0; i < ns && k < nr;) {
		const struct transmission *a = &m->sent->transmissions[s[i]],
					  *b = &m->received->transmissions[r[k]];
		int c = match_compare_transmissions_at(a, b, m->traits.tcp);
		uint32_t ie = i + 1, ke = k + 1;

		if (c) {
			i += c < 0;
			k += c > 0;
			continue;
		}
		while (ie < ns && !match_compare_transmissions_at(
					  a, &m->sent->transmissions[s[ie]], m->traits.tcp))
			ie++;
		while (ke < nr && !match_compare_transmissions_at(
					  b, &m->received->transmissions[r[ke]], m->traits.tcp))
			ke++;
		(m->mate_before ? match_refused : match_group)(
			m, s + i, ie - i, r + k, ke - k, how);
		i = ie;
		k = ke;
	}
}

/* The arrivals of the matched transmissions around each sent one. */
static void match_note_mates_around(struct matcher *m)
{
	uint32_t n = m->sent->count, match = TRANSMISSION_NONE;

	assert(!m->mate_before && !m->mate_behind); /* they are of one pair of half-flows */
	m->mate_before = mem_array(n + 1, sizeof(*m->mate_before));
	m->mate_behind = mem_array(n + 1, sizeof(*m->mate_behind));
	for (uint32_t i = 0; i < n; i++) {
		m->mate_before[i] = match;
		match = m->sent->transmissions[i].match != TRANSMISSION_NONE
				? m->sent->transmissions[i].match
				: match;
	}
	match = TRANSMISSION_NONE;
	for (uint32_t i = n; i--;) {
		m->mate_behind[i] = match;
		match = m->sent->transmissions[i].match != TRANSMISSION_NONE
				? m->sent->transmissions[i].match
				: match;
	}
}

/* A clock never refuses the only one: what it alone kept apart is matched without it. */
static void match_without_clock(struct matcher *m)
{
	if (!m->refused || !m->open_sent || !m->open_received)
		return;
	match_note_mates_around(m);
	match_sorted(m, STRICT);
	match_sorted(m, RELAXED);
	free(m->mate_before);
	free(m->mate_behind);
	m->mate_before = m->mate_behind = NULL;
}

static void match_add_gap(struct gap_list *l, uint32_t transmission, int64_t low, int64_t high)
{
	assert(low <= high);
	/* Elementary intervals come in ascending order: the transmission's last gap is near the
	 * end. */
	for (uint32_t i = l->count; i-- && l->count - i <= ACTIVE_MAX;) {
		if (l->gaps[i].transmission == transmission) {
			if (l->gaps[i].high == low) {
				l->gaps[i].high = high;
				return;
			}
			break;
		}
	}
	MEM_RESERVE(l->gaps, l->count, l->cap);
	l->gaps[l->count++] = (struct gap){.transmission = transmission, .low = low, .high = high};
}

void matcher_miss(struct matcher *m, uint32_t i, int64_t low, int64_t high)
{
	match_add_gap(&m->missing, i, low, high);
}

/* The segments of one record count on from its ID (TSO in Linux); some senders leave it as it is.
 */
static bool match_ids_agree(const struct matcher *m, const struct transmission *s,
	const struct transmission *r, int64_t low)
{
	uint16_t sent_id = (uint16_t)(s->seg->ip_id + (low - s->off) / m->traits.mss);
	uint16_t got_id = (uint16_t)(r->seg->ip_id + (low - r->off) / m->traits.mss);

	return sent_id == got_id || s->seg->ip_id == r->seg->ip_id;
}

enum fit { FIT_NOT, FIT_MAYBE, FIT_SURE };

/* May an arrival of a byte come from this sent record? */
static enum fit match_range_fits(const struct matcher *m, const struct transmission *s,
	const struct transmission *r, int64_t low)
{
	const struct segment *x = s->seg, *y = r->seg;
	bool stamped = m->traits.use_timestamp && x->bits & y->bits & SEGMENT_TIMESTAMP;
	bool numbered = m->traits.use_id && !((x->bits | y->bits) & SEGMENT_NO_ID);

	if (stamped && x->tsval != y->tsval)
		return FIT_NOT;
	if (!numbered)
		return FIT_MAYBE;
	/* One wire segment on both sides: a retransmission within one tick differs in its ID alone.
	 */
	if (s->off == r->off && x->length == y->length && x->length <= m->traits.mss)
		return x->ip_id == y->ip_id ? FIT_SURE : FIT_NOT;
	if (match_ids_agree(m, s, r, low))
		return FIT_SURE;
	return stamped ? FIT_MAYBE : FIT_NOT;
}

struct active {
	uint32_t transmissions[ACTIVE_MAX];
	bool used[ACTIVE_MAX];
	uint32_t count;
};

static void match_retire(struct active *a, const struct half_flow *l, int64_t low)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->count; i++)
		if (l->transmissions[a->transmissions[i]].off +
				l->transmissions[a->transmissions[i]].span >
			low)
			a->transmissions[n++] = a->transmissions[i];
	a->count = n;
}

/* Keeps the active transmissions in the order of their half-flow, which is time. */
static void match_activate(struct active *a, uint32_t transmission)
{
	uint32_t i = a->count;

	if (a->count == ACTIVE_MAX)
		return;
	for (; i && a->transmissions[i - 1] > transmission; i--)
		a->transmissions[i] = a->transmissions[i - 1];
	a->transmissions[i] = transmission;
	a->count++;
}

/*
 * The sent copy that an arrival comes from: one whose ID agrees before the earliest that may be.
 * The clock chooses; it does not refuse the only one.
 */
static uint32_t match_choose_copy(
	struct matcher *m, const struct active *s, struct transmission *got, int64_t low)
{
	uint32_t chosen = s->count, may = 0, refused = s->count, refusals = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		struct transmission *it = &m->sent->transmissions[s->transmissions[i]];
		enum fit fit = s->used[i] ? FIT_NOT : match_range_fits(m, it, got, low);

		if (fit == FIT_NOT)
			continue;
		if (!match_is_causal(m, it, got)) {
			refused = i;
			refusals++;
			continue;
		}
		if (fit == FIT_SURE)
			return i;
		chosen = chosen == s->count ? i : chosen;
		may++;
	}
	got->ambiguous |= may > 1;
	return !may && refusals == 1 ? refused : chosen;
}

/* One elementary interval: every active transmission covers it wholly. */
static void match_interval(
	struct matcher *m, struct active *s, struct active *r, int64_t low, int64_t high)
{
	memset(s->used, 0, sizeof(s->used));
	for (uint32_t k = 0; k < r->count; k++) {
		struct transmission *got = &m->received->transmissions[r->transmissions[k]];
		uint32_t i = match_choose_copy(m, s, got, low);

		if (i == s->count) {
			match_add_gap(&m->extra, r->transmissions[k], low, high);
			continue;
		}
		s->used[i] = true;
		got->match = s->transmissions[i];
		got->state = TRANSMISSION_PARTLY;
		m->sent->transmissions[s->transmissions[i]].match = r->transmissions[k];
		m->sent->transmissions[s->transmissions[i]].state = TRANSMISSION_PARTLY;
	}
	for (uint32_t i = 0; i < s->count; i++)
		if (!s->used[i])
			match_add_gap(&m->missing, s->transmissions[i], low, high);
}

static int match_by_offset(const void *x, const void *y, void *half)
{
	const struct half_flow *l = half;
	uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;

	if (l->transmissions[i].off != l->transmissions[k].off)
		return l->transmissions[i].off < l->transmissions[k].off ? -1 : 1;
	return match_compare_u64(i, k);
}

static int match_compare_cut(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

static uint32_t match_keep_spanning(const struct half_flow *l, uint32_t *list, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++)
		if (l->transmissions[list[i]].span)
			list[kept++] = list[i];
	return kept;
}

static uint32_t match_add_cuts(
	struct matcher *m, uint32_t at, const struct half_flow *l, const uint32_t *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		m->cuts[at++] = l->transmissions[list[i]].off;
		m->cuts[at++] = l->transmissions[list[i]].off + l->transmissions[list[i]].span;
	}
	return at;
}

/* Sweeps sequence space over what is still open in both half-flows. */
static void match_ranges(struct matcher *m)
{
	struct active s, r;
	uint32_t i = 0, k = 0, cuts, ns, nr;

	if (!m->open_sent || !m->open_received)
		return;
	s.count = r.count = 0;
	ns = match_keep_spanning(m->sent, m->left_sent,
		match_collect_open(m->sent, &m->left_sent, &m->left_sent_cap));
	nr = match_keep_spanning(m->received, m->left_received,
		match_collect_open(m->received, &m->left_received, &m->left_received_cap));
	if (!ns || !nr)
		return;
	if (m->cut_cap < 2 * (ns + nr)) {
		m->cut_cap = 2 * (ns + nr);
		m->cuts = mem_grow(m->cuts, m->cut_cap, sizeof(*m->cuts));
	}
	cuts = match_add_cuts(m, match_add_cuts(m, 0, m->sent, m->left_sent, ns), m->received,
		m->left_received, nr);
	qsort(m->cuts, cuts, sizeof(*m->cuts), match_compare_cut);
	qsort_r(m->left_sent, ns, sizeof(*m->left_sent), match_by_offset, m->sent);
	qsort_r(m->left_received, nr, sizeof(*m->left_received), match_by_offset, m->received);
	for (uint32_t c = 0; c + 1 < cuts; c++) {
		int64_t low = m->cuts[c], high = m->cuts[c + 1];

		if (low == high)
			continue;
		match_retire(&s, m->sent, low);
		match_retire(&r, m->received, low);
		for (; i < ns && m->sent->transmissions[m->left_sent[i]].off == low; i++)
			match_activate(&s, m->left_sent[i]);
		for (; k < nr && m->received->transmissions[m->left_received[k]].off == low; k++)
			match_activate(&r, m->left_received[k]);
		if (s.count || r.count)
			match_interval(m, &s, &r, low, high);
	}
}

static int match_by_transmission_index(const void *x, const void *y)
{
	const struct gap *a = x, *b = y;

	if (a->transmission != b->transmission)
		return a->transmission < b->transmission ? -1 : 1;
	return (a->low > b->low) - (a->low < b->low);
}

/* Every transmission that is not whole has its gaps; a transmission without any gap left is whole
 * after all. */
static void match_finish_runs(struct half_flow *l, struct gap_list *list)
{
	uint32_t n = list->count, at = 0;

	if (n > 1)
		qsort(list->gaps, n, sizeof(*list->gaps), match_by_transmission_index);
	for (uint32_t i = 0; i < l->count; i++) {
		struct transmission *it = &l->transmissions[i];

		if (it->state == TRANSMISSION_WHOLE)
			continue;
		while (at < n && list->gaps[at].transmission < i)
			at++;
		if (at < n && list->gaps[at].transmission == i)
			continue;
		if (it->state == TRANSMISSION_PARTLY)
			it->state = TRANSMISSION_WHOLE;
		else
			match_add_gap(list, i, it->off, it->off + it->span);
	}
	if (list->count > 1)
		qsort(list->gaps, list->count, sizeof(*list->gaps), match_by_transmission_index);
}

/* Among copies that nothing tells apart, say so for those that stayed open. */
static void match_mark_ambiguous(struct matcher *m)
{
	struct transmission *transmissions = m->sent->transmissions;

	if (m->traits.use_id)
		return;
	for (uint32_t r = 0; r < m->missing.count; r++) {
		struct transmission *it = &transmissions[m->missing.gaps[r].transmission];

		if (it->by_time ||
			(it->seg->bits & SEGMENT_TIMESTAMP && m->traits.use_timestamp && it->span))
			continue;
		for (uint32_t i = m->missing.gaps[r].transmission, n = 0; i-- && n < LOOK_AHEAD;
			n++)
			if (transmissions[i].off == it->off &&
				transmissions[i].seg->length == it->seg->length &&
				transmissions[i].state == TRANSMISSION_WHOLE &&
				transmissions[i].seg->flags == it->seg->flags &&
				transmissions[i].seg->ack == it->seg->ack)
				it->ambiguous = true;
	}
}

void match_half_flows(struct matcher *m, uint32_t mss)
{
	assert(mss > 0 && m->sent != m->received && m->sent->direction == m->received->direction);
	m->missing.count = m->extra.count = 0;
	m->refused = false;
	/* Where a half-flow is empty nothing is learnt; what the last flow taught is not this
	 * one's. */
	m->traits.use_timestamp = m->traits.tcp;
	m->traits.use_id = true;
	m->traits.is_merged = false;
	m->traits.mss = mss;
	m->open_sent = m->sent->count;
	m->open_received = m->received->count;
	if (m->sent->count && m->received->count && !m->traits.tcp) {
		match_datagrams(m);
	} else if (m->sent->count && m->received->count) {
		match_learn_and(m);
		match_sorted(m, STRICT);
		match_sorted(m, RELAXED);
		match_without_clock(m);
		match_copies(m);
		match_ranges(m);
	}
	match_finish_runs(m->sent, &m->missing);
	match_finish_runs(m->received, &m->extra);
	match_mark_ambiguous(m);
}

void match_at_third(
	struct half_flow *sent, struct half_flow *received, const struct match_traits *traits)
{
	struct matcher m = {.sent = sent, .received = received, .traits = *traits};
	uint32_t ns = match_collect_open(sent, &m.left_sent, &m.left_sent_cap);
	uint32_t nr = match_collect_open(received, &m.left_received, &m.left_received_cap);
	uint32_t from = 0;

	assert(sent->direction == received->direction);
	/* Few are open; those of the receiver that a sender's look-ahead finds, in order. */
	for (uint32_t k = 0; k < nr; k++) {
		struct transmission *b = &received->transmissions[m.left_received[k]];

		for (uint32_t i = from; i < ns && i < from + 4 * LOOK_AHEAD; i++) {
			struct transmission *a = &sent->transmissions[m.left_sent[i]];

			if (a->seen_at_third || !match_same(&m, a, b, STRICT))
				continue;
			a->seen_at_third = b->seen_at_third = true;
			break;
		}
		while (from < ns && sent->transmissions[m.left_sent[from]].seen_at_third)
			from++;
	}
	matcher_release(&m);
}

void matcher_release(struct matcher *m)
{
	free(m->left_sent);
	free(m->left_received);
	free(m->keyed_sent.rows);
	free(m->keyed_received.rows);
	free(m->cuts);
	free(m->missing.gaps);
	free(m->extra.gaps);
	*m = (struct matcher){0};
}
