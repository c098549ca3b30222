#include "flow/copies.h"

#include <string.h>

#include <xxhash.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "flow/observation.h"

/* Two records of one packet that the capture itself made are this close. */
#define COPY_SPAN_NS NSEC_PER_MSEC
/* Sets of two: more packets than a fast link brings in the time between a packet and its copy. */
#define SET_BITS 9
#define WAYS 2
/* Ways that one packet looks: more than two places seldom share a vantage point. */
#define VIEWS 3
/* A capture that records everything twice: of its packets so many, and this share, are pairs. */
#define PAIRS_LEAST 3
#define PAIRS_SHARE 0.4
/* Records between the two of a pair, at most. */
#define PAIR_REACH 64

struct recent_packet {
	struct segment *segment; /* the newest record that was kept; NULL: free */
	uint32_t flow;		 /* index in the table of flows */
	uint32_t view[VIEWS];
	uint16_t tag; /* of what the packet says */
	/* how often it was recorded in that view; 0: no such view yet; none at all: once, in the
	 * view that segment itself tells */
	uint8_t records[VIEWS];
	uint8_t last; /* the view of its newest record, kept or not */
};
_Static_assert(sizeof(struct recent_packet) == 32, "two make a line of the cache");

struct recent_packets {
	struct recent_packet sets[1 << SET_BITS][WAYS];
};

/* Bits that two records of one packet may differ in, and those that tell what options it has. */
#define COPY_BITS (SEGMENT_DUPLICATE | SEGMENT_OUT | SEGMENT_IN)
#define OPTION_BITS (SEGMENT_TIMESTAMP | SEGMENT_SACK | SEGMENT_OPTIONS_CUT)

/* Of options that the snap length cut in one of them nothing is known. */
static bool copies_same_options(const struct segment *a, const struct segment *b)
{
	if ((a->bits | b->bits) & SEGMENT_OPTIONS_CUT)
		return true;
	return !((a->bits ^ b->bits) & OPTION_BITS) && a->tsval == b->tsval &&
	       a->tsecr == b->tsecr &&
	       (!(a->bits & SEGMENT_SACK) || memcmp(a + 1, b + 1, sizeof(*a)) == 0);
}

/* Nothing that both records hold differs. What a tunnel puts in front of a packet leaves less of it
 * within the snap length. */
static bool copies_same_packet(const struct segment *a, const struct segment *b)
{
	return a->seq == b->seq && a->ack == b->ack && a->length == b->length &&
	       a->flags == b->flags && a->window == b->window && a->ip_id == b->ip_id &&
	       !((a->bits ^ b->bits) & ~(COPY_BITS | OPTION_BITS)) &&
	       !segment_payload_differs(a, b) && copies_same_options(a, b);
}

/* A datagram of which headers alone were captured, and no ID, is like all others of its flow that
 * are as long. */
static bool copies_has_identity(const struct segment *s, const struct packet *p)
{
	return p->disposition == PACKET_TCP || p->disposition == PACKET_ICMP || s->ip_id || s->hash;
}

/* Interface, VLAN and tunnel. */
static uint32_t copies_link_of(const struct packet *p)
{
	uint64_t link = p->link.ifindex;

	if (p->link.vlan_count)
		link += ((uint64_t)p->link.vlan_id << 8 | p->link.vlan_count) << 32;
	link *= UINT64_C(0x9e3779b97f4a7c15);
	if (p->outer.depth)
		link += ((uint64_t)p->outer.tunnel_id << 16 | (uint64_t)p->outer.tunnel << 8 |
				p->outer.depth) *
			UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(link >> 32);
}

/*
 * From where the capture looked at the packet, as far as its segment tells. Of what nothing
 * identifies, direction, hops and tunnels alone tell that it was forwarded; other MACs or another
 * interface may as well be the other way of a bond.
 */
static uint32_t copies_plain_view(
	const struct segment *s, uint16_t src_mac, uint16_t dst_mac, bool has_identity)
{
	uint32_t view =
		(uint32_t)s->ttl << 2 | (s->bits & (SEGMENT_OUT | SEGMENT_IN)) / SEGMENT_OUT;

	return has_identity ? view + ((src_mac * 4093U + dst_mac) << 10) : view;
}

/* Most packets have no interface, VLAN or tunnel: for them the segment tells all. */
static inline bool copies_has_link(const struct packet *p)
{
	return p->link.ifindex | p->link.vlan_count | p->outer.depth;
}

static uint32_t copies_view_of(const struct segment *s, const struct observation *o)
{
	const struct packet *p = o->packet;
	bool has_identity = copies_has_identity(s, p);
	uint32_t view = copies_plain_view(s, o->src_mac, o->dst_mac, has_identity);

	if (!copies_has_link(p))
		return view;
	return view ^ (has_identity ? copies_link_of(p) : (uint32_t)p->outer.depth << 16);
}

/* Of what lies behind the bytes that segment.hash is of; 0 where the snap length cut it. */
static NOINLINE uint64_t copies_hash_rest(const struct packet *p)
{
	return p->payload_cap >= p->payload_len
		       ? XXH3_64bits(p->payload + SEGMENT_BODY, p->payload_len - SEGMENT_BODY)
		       : 0;
}

/*
 * Payload, of which records of one packet may hold less or more, only where nothing else tells
 * datagrams apart. The words of s were just written: read one by one as they were, not in larger
 * pieces, which would wait for the cache. No seed: which packets share a set decides which of them
 * is forgotten, and that must be the same in each run. Sets are small, so that sharing costs no
 * time; that is why this is no base/hashmap.h.
 */
static inline uint64_t copies_hash_packet(
	const struct flow_vantage *f, const struct segment *s, const struct packet *p)
{
	uint64_t numbers = (uint64_t)s->ack << 32 | s->seq;
	uint64_t content = (uint64_t)(s->ip_id ^ s->length) << 32, h;

	if (p->disposition != PACKET_TCP && !s->ip_id) {
		content |= s->hash;
		numbers ^= p->payload_len > SEGMENT_BODY ? copies_hash_rest(p) : 0;
	}
	h = numbers * UINT64_C(0x9e3779b97f4a7c15) + content * UINT64_C(0xd6e8feb86659fd93);
	return (h ^ h >> 32 ^ f->index) * UINT64_C(0xff51afd7ed558ccd);
}

/* Counts a record in its view. True: some other view had more of them, so that it is one of those
 * again. */
static bool copies_count_view(struct recent_packet *e, uint32_t view)
{
	uint8_t most = 0;
	int at = 0;

	for (int i = 0; i < VIEWS; i++)
		most = e->records[i] > most ? e->records[i] : most;
	while (at < VIEWS - 1 && e->records[at] && e->view[at] != view)
		at++;
	if (e->view[at] != view)
		e->records[at] = 0;
	e->view[at] = view;
	e->records[at] += e->records[at] < UINT8_MAX;
	e->last = (uint8_t)at;
	return e->records[at] <= most && e->records[at] < UINT8_MAX;
}

/*
 * Equal in all, and from the same view. Hosts send equal duplicate ACKs, and equal datagrams;
 * without an ID a retransmission is equal too, but something comes in between. Where nothing else
 * tells, copies_mark_pairs() decides when all has been read.
 */
static enum copy copies_twin_or_none(const struct recent_packet *e, const struct flow_vantage *f,
	const struct segment *s, const struct observation *o)
{
	bool stream = o->packet->disposition != PACKET_TCP && o->packet->disposition != PACKET_ICMP;

	if (e->records[e->last] % 2 == 0 && (s->ip_id || !stream))
		o->vantage->counts.pairs++;
	if (!s->ip_id && !(s->length && e->segment == f->newest))
		return COPY_NONE;
	return copies_has_identity(s, o->packet) ? COPY_TWIN : COPY_NONE;
}

/* What the kept record was cut short of, and one slot has room for. */
static void copies_complete(struct segment *kept, const struct segment *s)
{
	kept->hash |= (kept->hash & SEGMENT_HASH_HEAD ? 0 : s->hash & SEGMENT_HASH_HEAD) |
		      (kept->hash >> 16 ? 0 : s->hash & ~SEGMENT_HASH_HEAD);
	if (!(kept->bits & SEGMENT_OPTIONS_CUT) || s->bits & (SEGMENT_OPTIONS_CUT | SEGMENT_SACK))
		return;
	kept->tsval = s->tsval;
	kept->tsecr = s->tsecr;
	kept->bits = (uint8_t)((kept->bits & ~OPTION_BITS) | (s->bits & OPTION_BITS));
}

/* Recorded on its way to several MACs, as a mirror of both sides of a router shows it: none of them
 * tells where it ended. */
static enum copy copies_by_capture(const struct recent_packet *e, const struct segment *s)
{
	if (e->segment->dst_mac != s->dst_mac)
		e->segment->dst_mac = MAC_NONE;
	copies_complete(e->segment, s);
	return COPY_BY_CAPTURE;
}

static void copies_keep_view(struct recent_packet *e, uint32_t view)
{
	e->view[0] = view; /* what the others say is not read: they have no records */
	e->records[0] = 1;
}

/* Written in place: put together elsewhere and copied, it would wait as above. */
static inline void copies_keep(struct recent_packet *e, const struct flow_vantage *f,
	struct segment *s, uint16_t tag, const struct observation *o)
{
	e->segment = s;
	e->flow = f->index;
	e->tag = tag;
	e->records[0] = e->records[1] = e->records[2] = 0;
	e->last = 0;
	if (copies_has_link(o->packet))
		copies_keep_view(e, copies_view_of(s, o));
}

/* s says the same as the record of e. */
static NOINLINE enum copy copies_again(struct recent_packet *e, const struct flow_vantage *f,
	struct segment *s, const struct observation *o)
{
	enum copy copy;

	if (s->time_ns - e->segment->time_ns > COPY_SPAN_NS ||
		e->segment->time_ns - s->time_ns > COPY_SPAN_NS) {
		copies_keep(e, f, s, e->tag, o);
		return COPY_NONE;
	}
	if (!e->records[0])
		copies_keep_view(
			e, copies_plain_view(e->segment, e->segment->src_mac, e->segment->dst_mac,
				   copies_has_identity(e->segment, o->packet)));
	if (copies_count_view(e, copies_view_of(s, o)))
		return copies_by_capture(e, s);
	copy = copies_twin_or_none(e, f, s, o);
	e->segment = s;
	return copy;
}

enum copy copies_note(struct recent_packets **recent, const struct flow_vantage *f,
	struct segment *s, const struct observation *o)
{
	uint64_t h = copies_hash_packet(f, s, o->packet);
	struct recent_packet *set;

	if (!*recent)
		*recent = mem_zalloc(sizeof(**recent));
	set = (*recent)->sets[h >> (64 - SET_BITS)];
	for (int i = 0; i < WAYS; i++) {
		struct recent_packet *e = &set[i];

		if (e->tag == (uint16_t)h && e->segment && e->flow == f->index &&
			copies_same_packet(e->segment, s))
			return copies_again(e, f, s, o);
	}
	/* The set's older one makes room. */
	set[1] = set[0];
	copies_keep(&set[0], f, s, (uint16_t)h, o);
	return COPY_NONE;
}

/* The records of a flow that came last, and which of them have no second one yet. */
struct pair_search {
	struct segment *last[PAIR_REACH];
	bool single[PAIR_REACH];
	uint32_t count;
};

/* Is s the second record of one that has none yet? */
static bool copies_completes_pair(struct pair_search *p, const struct segment *s)
{
	uint32_t reach = p->count < PAIR_REACH ? p->count : PAIR_REACH;

	for (uint32_t i = 1; i <= reach; i++) {
		uint32_t at = (p->count - i) % PAIR_REACH;

		if (s->time_ns - p->last[at]->time_ns > COPY_SPAN_NS)
			return false;
		if (!p->single[at] || !copies_same_packet(p->last[at], s))
			continue;
		p->single[at] = false;
		return true;
	}
	return false;
}

/* Returns how many it marked that were not marked before. */
static uint64_t copies_mark_flow(struct flow_vantage *f)
{
	struct pair_search p = {.count = 0};
	uint64_t marked = 0;

	for (struct segment_chunk *c = f->head; c; c = c->next) {
		for (struct segment *s = c->slots; s < c->slots + c->used; s += segment_slots(s)) {
			bool second = copies_completes_pair(&p, s);

			marked += second && !(s->bits & SEGMENT_DUPLICATE);
			s->bits |= second ? SEGMENT_DUPLICATE : 0;
			p.last[p.count % PAIR_REACH] = s;
			p.single[p.count++ % PAIR_REACH] = !second;
		}
	}
	return marked;
}

void copies_mark_pairs(struct vantage *v)
{
	uint64_t kept = v->counts.ip_frames - v->counts.duplicates, packets = 0;

	/* Mostly this is enough. */
	if (v->counts.pairs < PAIRS_LEAST || (double)v->counts.pairs < PAIRS_SHARE * (double)kept)
		return;
	for (uint32_t i = 0; i < v->flows.count; i++)
		packets += (uint64_t)flowtab_at(&v->flows, i)->side[0].packets +
			   flowtab_at(&v->flows, i)->side[1].packets;
	if ((double)v->counts.pairs < PAIRS_SHARE * (double)packets)
		return;
	for (uint32_t i = 0; i < v->flows.count; i++)
		v->counts.duplicate_segments += copies_mark_flow(flowtab_at(&v->flows, i));
}
