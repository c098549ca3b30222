#include "flow/track.h"

#include <string.h>

#include "base/nsec.h"

/* Two copies of one packet that the capture itself made are this close. */
#define COPY_SPAN_NS NSEC_PER_MSEC

/* Of the first SEGMENT_HASHED payload bytes, or of all of a shorter payload; 0: not all captured. */
static uint32_t payload_hash(const struct packet *p)
{
	uint32_t need = p->payload_len < SEGMENT_HASHED ? p->payload_len : SEGMENT_HASHED;
	uint8_t bytes[SEGMENT_HASHED] = {0};
	uint64_t h;

	if (!need || p->payload_cap < need)
		return 0;
	memcpy(bytes, p->payload, need);
	h = (le64(bytes) ^ need) * UINT64_C(0x9e3779b97f4a7c15);
	h ^= h >> 29;
	h = (h ^ le64(bytes + 8)) * UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	return (uint32_t)h ? (uint32_t)h : 1;
}

static uint16_t saturate(uint16_t v)
{
	return v == UINT16_MAX ? v : (uint16_t)(v + 1);
}

static void note_syn(struct flow_side *side, const struct packet *p)
{
	side->syns = saturate(side->syns);
	if (side->has_isn)
		return;
	side->has_isn = true;
	side->isn = p->seq;
	side->option_hash = p->option_hash;
	side->tcp_options = p->tcp_options;
	side->syn_tsval = p->tcp_options & TCPOPT_HAS_TIMESTAMP ? p->tsval : 0;
	side->mss = p->tcp_options & TCPOPT_HAS_MSS ? p->mss : 0;
	side->wscale = p->tcp_options & TCPOPT_HAS_WSCALE ? p->wscale : 255;
	side->sent_syn_only = !(p->tcp_flags & TCP_ACK);
}

static void note_side(struct flow *f, struct flow_side *side, const struct packet *p, int64_t time_ns)
{
	if (!f->side[0].packets && !f->side[1].packets)
		f->first_ns = f->last_ns = time_ns;
	if (time_ns > f->last_ns)
		f->last_ns = time_ns;
	if (!side->seen) {
		side->seen = true;
		side->ttl = p->ttl;
		side->first_seq = p->disposition == PACKET_TCP ? p->seq : 0;
	}
	side->packets++;
	side->bytes += p->payload_len;
	side->out |= p->direction == PACKET_OUT;
	side->in |= p->direction == PACKET_IN;
	if (p->disposition != PACKET_TCP)
		return;
	if (p->tcp_flags & TCP_ACK && !side->acked) {
		side->acked = true;
		side->first_ack = p->ack;
	}
	if (p->tcp_flags & TCP_SYN)
		note_syn(side, p);
	if (p->tcp_flags & TCP_FIN)
		side->fins = saturate(side->fins);
	if (p->tcp_flags & TCP_RST)
		side->rsts = saturate(side->rsts);
	else if (!p->window && !(p->tcp_flags & TCP_SYN))
		side->zero_windows = saturate(side->zero_windows);
}

static void fill_tcp(struct segment *s, const struct packet *p)
{
	s->seq = p->seq;
	s->ack = p->ack;
	s->window = p->window;
	s->flags = p->tcp_flags;
	if (p->tcp_options & TCPOPT_HAS_TIMESTAMP) {
		s->tsval = p->tsval;
		s->tsecr = p->tsecr;
		s->bits |= SEGMENT_TIMESTAMP;
	}
	if (p->tcp_options & TCPOPT_TRUNCATED)
		s->bits |= SEGMENT_OPTIONS_CUT;
	if (p->tcp_options & TCPOPT_HAS_SACK)
		s->bits |= SEGMENT_SACK;
}

/* Bits that two copies of one packet may differ in. */
#define COPY_BITS (SEGMENT_TWIN | SEGMENT_OUT | SEGMENT_IN)

static bool same_packet(const struct segment *a, const struct segment *b)
{
	return a->seq == b->seq && a->ack == b->ack && a->length == b->length && a->flags == b->flags &&
		a->window == b->window && a->tsval == b->tsval && a->tsecr == b->tsecr &&
		a->ip_id == b->ip_id && a->hash == b->hash && !((a->bits ^ b->bits) & ~COPY_BITS);
}

enum copy { COPY_NONE, COPY_BY_CAPTURE, COPY_TWIN };

/*
 * Is s a copy of the segment recorded just before it in its flow? Seen again under other MACs,
 * another TTL or on another interface, the capture looked twice at one packet (a bridge, a bond,
 * a router's two sides). Otherwise it is a twin: the network or the capture made it, and the join
 * decides. Equal duplicate ACKs without IP ID are no twins: a host sends those.
 */
static enum copy copy_of(const struct flow *f, const struct segment *s, uint32_t ifindex)
{
	const struct segment *last = f->newest;
	int64_t apart;

	if (!last || !same_packet(last, s))
		return COPY_NONE;
	apart = s->time_ns - last->time_ns;
	if (apart > COPY_SPAN_NS || apart < -COPY_SPAN_NS)
		return COPY_NONE;
	if (last->src_mac != s->src_mac || last->dst_mac != s->dst_mac || last->ttl != s->ttl ||
		f->newest_ifindex != ifindex)
		return COPY_BY_CAPTURE;
	return s->ip_id || s->length ? COPY_TWIN : COPY_NONE;
}

static void build_segment(struct segment *s, const struct observation *o, bool from_b)
{
	const struct packet *p = o->packet;

	*s = (struct segment){.time_ns = o->frame->time_ns, .length = p->payload_len,
		.frame = o->ordinal, .hash = payload_hash(p), .ip_id = (uint16_t)p->ip_id, .ttl = p->ttl,
		.tos = p->tos, .src_mac = o->src_mac, .dst_mac = o->dst_mac,
		.bits = (from_b ? SEGMENT_FROM_B : 0) | (p->version == 6 ? SEGMENT_NO_ID : 0)};
	if (p->tunnel_depth)
		s->src_mac = s->dst_mac = MAC_NONE;
	if (p->direction == PACKET_OUT)
		s->bits |= SEGMENT_OUT;
	else if (p->direction == PACKET_IN)
		s->bits |= SEGMENT_IN;
	if (p->disposition == PACKET_TCP)
		fill_tcp(s, p);
	else if (p->disposition == PACKET_ICMP)
		s->hash ^= p->icmp_rest * 2654435761U + p->icmp_type;
}

static void append_segment(struct flowtab *t, struct flow *f, const struct segment *s, const struct packet *p)
{
	bool sack = s->bits & SEGMENT_SACK;
	struct segment *slot = flow_append(t, f, sack ? 2 : 1);

	*slot = *s;
	f->newest = slot;
	if (sack) {
		struct segment_sack *blocks = (struct segment_sack *)(slot + 1);

		memset(blocks, 0, sizeof(*blocks));
		blocks->count = p->sack_count;
		memcpy(blocks->edge, p->sack, sizeof(blocks->edge));
	}
}

enum track_result track_packet(const struct observation *o, struct flow **ret_flow, bool *ret_from_b)
{
	const struct packet *p = o->packet;
	struct vantage *v = o->vantage;
	struct segment s;
	enum copy copy;
	struct flow *f;
	bool from_b;

	f = flowtab_find(&v->flows, p, &from_b);
	if (!f)
		return TRACK_TABLE_FULL;
	build_segment(&s, o, from_b);
	copy = copy_of(f, &s, p->ifindex);
	if (copy == COPY_BY_CAPTURE) {
		v->duplicates++;
		return TRACK_COPY;
	}
	if (copy == COPY_TWIN) {
		v->twins++;
		s.bits |= SEGMENT_TWIN;
	}
	note_side(f, &f->side[from_b], p, s.time_ns);
	/* In a tunnel the MACs are the outer packet's, the addresses the inner one's. */
	if (!p->tunnel_depth)
		observe_macs(o, f, from_b);
	f->tunnel = p->tunnel_depth ? p->tunnel : 0;
	f->newest_ifindex = p->ifindex;
	append_segment(&v->flows, f, &s, p);
	*ret_flow = f;
	*ret_from_b = from_b;
	return TRACK_ADDED;
}
