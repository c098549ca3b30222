#include "flow/track.h"

#include <string.h>

#include <xxhash.h>

#include "base/compiler.h"
#include "flow/copies.h"

/* A half of segment.hash: 0 is kept for what was not captured. */
static inline uint32_t track_half_hash(uint64_t h)
{
	return (uint16_t)h ? (uint16_t)h : 1;
}

static inline uint32_t track_hash_head(const uint8_t bytes[SEGMENT_HEAD], uint32_t length)
{
	uint64_t h = (le64(bytes) ^ length) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 29;
	h = (h ^ le64(bytes + 8)) * UINT64_C(0xd6e8feb86659fd93);
	return track_half_hash(h >> 32);
}

static uint32_t track_payload_hash(const struct packet *p)
{
	uint8_t bytes[SEGMENT_HEAD] = {0};
	uint32_t body = p->payload_len < SEGMENT_BODY ? p->payload_len : SEGMENT_BODY, h;

	if (!p->payload_cap ||
		p->payload_cap < (p->payload_len < SEGMENT_HEAD ? p->payload_len : SEGMENT_HEAD))
		return 0;
	if (p->payload_len >= SEGMENT_HEAD) {
		h = track_hash_head(p->payload, SEGMENT_HEAD);
	} else {
		memcpy(bytes, p->payload, p->payload_len);
		h = track_hash_head(bytes, p->payload_len);
	}
	return p->payload_cap < body
		       ? h
		       : h | track_half_hash(XXH3_64bits(p->payload, body) >> 48) << 16;
}

static uint16_t track_saturate(uint16_t v)
{
	return v == UINT16_MAX ? v : (uint16_t)(v + 1);
}

static NOINLINE void track_note_syn(struct flow_side *side, const struct packet *p)
{
	side->syns = track_saturate(side->syns);
	if (side->has_isn)
		return;
	side->has_isn = true;
	side->isn = p->tcp.seq;
	side->option_hash = p->tcp.option_hash;
	side->tcp_options = p->tcp.options;
	side->syn_tsval = p->tcp.options & TCPOPT_HAS_TIMESTAMP ? p->tcp.tsval : 0;
	side->mss = p->tcp.options & TCPOPT_HAS_MSS ? p->tcp.mss : 0;
	side->wscale = p->tcp.options & TCPOPT_HAS_WSCALE ? p->tcp.wscale : 255;
	side->sent_syn_only = !(p->tcp.flags & TCP_ACK);
}

static void track_note_first(struct flow_side *side, const struct packet *p)
{
	side->seen = true;
	side->ttl = p->ttl;
	side->first_seq = p->disposition == PACKET_TCP ? p->tcp.seq : 0;
}

static void track_note_flags(struct flow_side *side, const struct packet *p)
{
	if (p->tcp.flags & TCP_ACK && !side->acked) {
		side->acked = true;
		side->first_ack = p->tcp.ack;
	}
	if (p->tcp.flags & TCP_SYN)
		track_note_syn(side, p);
	if (p->tcp.flags & TCP_FIN)
		side->fins = track_saturate(side->fins);
	if (p->tcp.flags & TCP_RST)
		side->rsts = track_saturate(side->rsts);
	else if (!p->tcp.window && !(p->tcp.flags & TCP_SYN))
		side->zero_windows = track_saturate(side->zero_windows);
}

static void track_note_side(
	struct flow_vantage *f, struct flow_side *side, const struct packet *p, int64_t time_ns)
{
	if (!f->newest)
		f->first_ns = f->last_ns = time_ns;
	if (time_ns > f->last_ns) {
		f->was_silent |= time_ns - f->last_ns >= FLOW_SILENCE_NS;
		f->last_ns = time_ns;
	}
	if (!side->seen)
		track_note_first(side, p);
	side->packets++;
	side->bytes += p->payload_len;
	side->directions |= p->link.direction;
	side->wrong_checksum |= p->checksum == CHECKSUM_WRONG ||
				(p->outer.depth && p->outer.checksum == CHECKSUM_WRONG);
	/* Most segments have nothing of this. */
	if (p->disposition == PACKET_TCP &&
		(!side->acked || !p->tcp.window || p->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST)))
		track_note_flags(side, p);
}

/* An ACK without blocks closes what those before it told, unless it repeats their number (a FIN,
 * say, may leave them out). */
static inline void track_note_sack(struct flow_side *side, const struct packet *p, bool sack)
{
	if (sack) {
		side->sack_open = true;
		side->sack_ack = p->tcp.ack;
	} else if (side->sack_open && p->tcp.ack != side->sack_ack &&
		   (p->tcp.flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK) {
		side->sack_open = false;
	}
}

static void track_fill_tcp(struct segment *s, const struct packet *p)
{
	bool timestamp = p->tcp.options & TCPOPT_HAS_TIMESTAMP;

	s->seq = p->tcp.seq;
	s->ack = p->tcp.ack;
	s->window = p->tcp.window;
	s->flags = p->tcp.flags;
	s->tsval = timestamp ? p->tcp.tsval : 0;
	s->tsecr = timestamp ? p->tcp.tsecr : 0;
	s->bits |= (timestamp ? SEGMENT_TIMESTAMP : 0) |
		   (p->tcp.options & TCPOPT_TRUNCATED ? SEGMENT_OPTIONS_CUT : 0) |
		   (p->tcp.options & TCPOPT_HAS_SACK ? SEGMENT_SACK : 0);
}

/* Headers alone were captured, and the agent hashed what it cut. */
static void track_fill_keyed(struct segment *s, const struct frame_hash *h)
{
	s->hash = track_half_hash(h->head) | track_half_hash(h->whole) << 16;
	s->hash_keyed = true;
	s->window = (uint16_t)h->key;
}

/* Errors about packets of one flow differ in their checksum alone, within what is kept of them. */
static void track_fill_icmp(struct segment *s, const struct packet *p)
{
	/* A translator may choose another identifier, which decoding took for the ports. */
	uint32_t kept = p->icmp.rest ^ (uint32_t)p->src_port << 16;
	uint32_t rest = kept * 2654435761U + p->icmp.type, hash = 0;

	s->seq = (uint32_t)p->icmp.type << 16 | (p->icmp.rest & 0xffff);
	s->ack = p->icmp.checksum;
	if (s->hash & SEGMENT_HASH_HEAD || !p->payload_len)
		hash = track_half_hash(s->hash ^ rest);
	if (s->hash >> 16 || !p->payload_len)
		hash |= track_half_hash(s->hash >> 16 ^ rest >> 16) << 16;
	s->hash = hash;
}

void track_segment(struct segment *s, const struct observation *o, bool from_b)
{
	static const uint8_t direction_bits[] = {
		[PACKET_UNKNOWN] = 0, [PACKET_IN] = SEGMENT_IN, [PACKET_OUT] = SEGMENT_OUT};
	const struct packet *p = o->packet;
	bool tunnel = p->outer.depth;

	s->time_ns = o->frame->time_ns;
	s->length = p->payload_len & SEGMENT_LENGTH_MAX;
	s->hash_keyed = false;
	s->checksum = p->checksum;
	s->outer_checksum = tunnel ? p->outer.checksum : CHECKSUM_UNKNOWN;
	s->frame = o->ordinal;
	s->hash = track_payload_hash(p);
	s->ip_id = (uint16_t)p->ip_id;
	s->ttl = p->ttl;
	s->tos = p->tos;
	s->src_mac = tunnel ? MAC_NONE : o->src_mac;
	s->dst_mac = tunnel ? MAC_NONE : o->dst_mac;
	s->bits = (from_b ? SEGMENT_FROM_B : 0) | (p->version == 6 ? SEGMENT_NO_ID : 0) |
		  direction_bits[p->link.direction];
	if (p->disposition == PACKET_TCP) {
		track_fill_tcp(s, p);
		return;
	}
	s->seq = s->ack = s->tsval = s->tsecr = 0;
	s->window = 0;
	s->flags = 0;
	if (p->disposition == PACKET_ICMP)
		track_fill_icmp(s, p);
	else if (o->frame->has_hash && !s->hash && s->length && p->disposition == PACKET_UDP)
		track_fill_keyed(s, &o->frame->hash);
}

static void track_keep_sack(struct segment *s, const struct packet *p)
{
	struct segment_sack *blocks = (struct segment_sack *)(s + 1);

	memset(blocks, 0, sizeof(*blocks));
	blocks->count = p->tcp.sack_count;
	/* What is behind them in the packet is another packet's. */
	memcpy(blocks->edge, p->tcp.sack, p->tcp.sack_count * sizeof(blocks->edge[0]));
}

/* Counts a frame of a flow's side under its MACs: mostly those of the frame before it. */
static inline void track_macs(const struct observation *o, struct flow_vantage *f, bool from_b)
{
	struct flow_side *side = &f->side[from_b];
	struct vantage *v = o->vantage;

	if (side->run.frames && side->run.src_mac == o->src_mac &&
		side->run.dst_mac == o->dst_mac && side->run.epoch == v->addresses.binding_epoch &&
		side->run.binding != MAC_NONE)
		side->run.frames++;
	else
		macs_new_run(&v->macs, &v->addresses, f, from_b,
			&(struct frame_macs){.src = o->src_mac,
				.dst = o->dst_mac,
				.ordinal = o->ordinal,
				.at_ns = o->frame->time_ns});
}

enum track_result track_packet(
	const struct observation *o, struct flow_vantage **ret_flow, bool *ret_from_b)
{
	const struct packet *p = o->packet;
	struct vantage *v = o->vantage;
	bool from_b = o->lookup->from_b,
	     sack = p->disposition == PACKET_TCP && p->tcp.options & TCPOPT_HAS_SACK;
	struct flow_vantage *f = flowtab_find(&v->flows, p, o->lookup);
	struct segment *s;
	enum copy copy;

	if (!f)
		return TRACK_TABLE_FULL;
	s = flow_vantage_reserve(&v->flows, f, sack ? 2 : 1);
	track_segment(s, o, from_b);
	if (sack)
		track_keep_sack(s, p);
	copy = copies_note(&v->recent, f, s, o);
	if (copy == COPY_BY_CAPTURE) {
		v->counts.duplicates++;
		return TRACK_COPY;
	}
	if (copy == COPY_TWIN) {
		v->counts.duplicate_segments++;
		s->bits |= SEGMENT_DUPLICATE;
	}
	track_note_side(f, &f->side[from_b], p, o->frame->time_ns);
	if (p->disposition == PACKET_TCP)
		track_note_sack(&f->side[from_b], p, sack);
	/* In a tunnel the MACs are the outer packet's, the addresses the inner one's. */
	if (!p->outer.depth)
		track_macs(o, f, from_b);
	f->tunnel = p->outer.depth ? p->outer.tunnel : 0;
	flow_vantage_append(f, sack ? 2 : 1);
	*ret_flow = f;
	*ret_from_b = from_b;
	return TRACK_ADDED;
}
