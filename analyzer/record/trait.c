#include "record/trait.h"

#include <assert.h>
#include <string.h>

#include "base/address.h"
#include "base/nsec.h"
#include "base/seq.h"
#include "decode/packet.h"

/* More than this between two packets of a direction begins a new burst. */
#define BURST_NS (10 * NSEC_PER_SEC / 1000)
#define AT_ONCE_NS (NSEC_PER_SEC / 1000)
/* Beyond what a connection is known to have sent its numbers may still lie. */
#define NUMBERS_SLACK 65536
#define MSS_ETHERNET 1460
#define TIMESTAMP_BYTES 12

#define MOMENTS 1024
/* One bucket for each length up to here; for each EXACT of them beyond. */
#define SIZES_EXACT 2048
#define SIZE_STEP 64
#define LOG_STEP_BITS 3
#define LOG_STEPS (1 << LOG_STEP_BITS)
#define PORT_STEP 64

static const struct {
	const char *name;
	uint32_t buckets;
} traits[TRAITS] = {
	[TRAIT_MOMENT] = {"moment", MOMENTS},
	[TRAIT_SIZE] = {"size", SIZES_EXACT + (65536 - SIZES_EXACT) / SIZE_STEP + 1},
	[TRAIT_FLAGS] = {"flags", 8},
	[TRAIT_DSCP] = {"dscp", 64},
	[TRAIT_ECN] = {"ecn", 4},
	[TRAIT_TTL] = {"ttl", 256},
	[TRAIT_NUMBERS] = {"numbers", 2},
	[TRAIT_SILENCE] = {"silence", 64 * LOG_STEPS},
	[TRAIT_GAP] = {"gap", 64 * LOG_STEPS},
	[TRAIT_PLACE] = {"place", 32 * LOG_STEPS},
	[TRAIT_BURST] = {"burst", 32 * LOG_STEPS},
	[TRAIT_REPEATED] = {"repeated", 2},
	[TRAIT_OPENING] = {"opening", 3},
	[TRAIT_SOURCE] = {"source", 0},
	[TRAIT_DESTINATION] = {"destination", 0},
	[TRAIT_SERVER_PORT] = {"server-port", 65536},
	[TRAIT_REUSED] = {"reused", 64 * LOG_STEPS},
	[TRAIT_CLIENT_PORT] = {"client-port", 65536 / PORT_STEP},
	[TRAIT_CLIENT_PORT_MOD_2] = {"client-port-mod-2", 2},
	[TRAIT_CLIENT_PORT_MOD_4] = {"client-port-mod-4", 4},
	[TRAIT_CLIENT_PORT_MOD_8] = {"client-port-mod-8", 8},
	[TRAIT_XOR_MOD_2] = {"xor-mod-2", 2},
	[TRAIT_XOR_MOD_3] = {"xor-mod-3", 3},
	[TRAIT_XOR_MOD_4] = {"xor-mod-4", 4},
	[TRAIT_XOR_MOD_8] = {"xor-mod-8", 8},
};

enum flags_class {
	FLAGS_SYN,
	FLAGS_SYN_ACK,
	FLAGS_RST,
	FLAGS_FIN,
	FLAGS_PAYLOAD,
	FLAGS_PURE_ACK,
	FLAGS_SYN_ECN,
	FLAGS_OTHER
};

static const char *const flags_labels[] = {"SYN", "SYN-ACK", "RST", "FIN", "payload",
	"ACK without payload", "SYN that asks for ECN", "other flags"};

/* How a packet opens its conversation: what translators are known to lose. */
enum opening_class { OPENING_NONE, OPENING_SECOND, OPENING_SYN };

static const char *const opening_labels[] = {
	"later packet", "second of two datagrams that open a conversation", "first SYN"};

const char *trait_name(enum trait t)
{
	return traits[t].name;
}

uint32_t trait_buckets(enum trait t)
{
	return traits[t].buckets;
}

bool trait_is_ordered(enum trait t)
{
	switch (t) {
	case TRAIT_MOMENT:
	case TRAIT_SIZE:
	case TRAIT_TTL:
	case TRAIT_SILENCE:
	case TRAIT_GAP:
	case TRAIT_PLACE:
	case TRAIT_BURST:
	case TRAIT_REUSED:
	case TRAIT_CLIENT_PORT:
		return true;
	default:
		return false;
	}
}

const char *trait_label(enum trait t, uint32_t bucket)
{
	if (t == TRAIT_OPENING)
		return opening_labels[bucket];
	return t == TRAIT_FLAGS ? flags_labels[bucket] : NULL;
}

/* LOG_STEPS buckets for each doubling; small numbers have one each. */
static uint32_t trait_log_bucket(int64_t value)
{
	uint64_t v = value < 0 ? 0 : (uint64_t)value;
	uint32_t bits, doublings;

	if (v < 2 * LOG_STEPS)
		return (uint32_t)v;
	bits = 64 - (uint32_t)__builtin_clzll(v);
	doublings = bits - LOG_STEP_BITS - 1;
	assert(v >> doublings >= LOG_STEPS && v >> doublings < 2 * LOG_STEPS);
	return doublings * LOG_STEPS + (uint32_t)(v >> doublings);
}

uint32_t trait_bucket(enum trait t, int64_t value)
{
	switch (t) {
	case TRAIT_SIZE:
		return value < SIZES_EXACT
			       ? (uint32_t)value
			       : SIZES_EXACT + (uint32_t)(value - SIZES_EXACT) / SIZE_STEP;
	case TRAIT_SILENCE:
	case TRAIT_GAP:
	case TRAIT_PLACE:
	case TRAIT_BURST:
	case TRAIT_REUSED:
		return trait_log_bucket(value);
	case TRAIT_CLIENT_PORT:
		return (uint32_t)value / PORT_STEP;
	default:
		return (uint32_t)value;
	}
}

static uint32_t trait_segment_size(const struct member *m)
{
	uint32_t mss = 0;

	for (int i = 0; i < 2; i++)
		if (m->flow->side[i].mss && (!mss || m->flow->side[i].mss < mss))
			mss = m->flow->side[i].mss;
	return mss > TIMESTAMP_BYTES ? mss : MSS_ETHERNET;
}

void trait_walk_begin(
	struct trait_walk *w, const struct member *m, enum direction d, const struct vantage *v)
{
	const struct flow_vantage *f = m->flow;

	*w = (struct trait_walk){.member = m,
		.direction = d,
		.older = f->older == FLOW_NONE ? NULL : flowtab_at(&v->flows, f->older),
		.tcp = f->key.protocol == 6,
		.segment_size = trait_segment_size(m),
		.since_ns = v->span.first_ns,
		.span_ns = v->span.last_ns - v->span.first_ns + 1,
		.last_ns = TRAIT_NONE,
		.last_own_ns = TRAIT_NONE,
		.silence_ns = 0};
}

static uint32_t trait_wire_payload(const struct trait_walk *w, const struct segment *s)
{
	return s->bits & SEGMENT_TIMESTAMP ? w->segment_size - TIMESTAMP_BYTES : w->segment_size;
}

uint32_t trait_segments(const struct trait_walk *w, const struct segment *s)
{
	uint32_t full = trait_wire_payload(w, s);

	return w->tcp && s->length > full ? (s->length + full - 1) / full : 1;
}

/* IP length on the wire; of a merged record that of its full segments. */
static int64_t trait_size(const struct trait_walk *w, const struct segment *s)
{
	uint32_t ip = s->bits & SEGMENT_NO_ID ? 40 : 20, full = trait_wire_payload(w, s);

	if (!w->tcp)
		return ip + 8 + s->length;
	return ip + 20 + (s->bits & SEGMENT_TIMESTAMP ? TIMESTAMP_BYTES : 0) +
	       (s->length < full ? s->length : full);
}

static int64_t trait_flags(const struct segment *s)
{
	if (s->flags & TCP_RST)
		return FLAGS_RST;
	if (s->flags & TCP_SYN)
		return s->flags & TCP_ACK					 ? FLAGS_SYN_ACK
		       : (s->flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR) ? FLAGS_SYN_ECN
										 : FLAGS_SYN;
	if (s->flags & TCP_FIN)
		return FLAGS_FIN;
	if (s->length)
		return FLAGS_PAYLOAD;
	return (s->flags & TCP_ACK) != 0 ? FLAGS_PURE_ACK : FLAGS_OTHER;
}

/* Do its numbers continue the connection that used the addresses and ports before, not this one? */
static bool trait_is_of_older(const struct trait_walk *w, const struct segment *s)
{
	uint8_t side = s->bits & SEGMENT_FROM_B ? 1 : 0;
	const struct flow_side *own = &w->member->flow->side[side], *old;
	uint32_t room;

	if (!w->older || s->flags & TCP_SYN)
		return false;
	old = &w->older->side[side];
	room = (uint32_t)old->bytes + NUMBERS_SLACK;
	return old->seen && s->seq - (old->has_isn ? old->isn : old->first_seq) < room &&
	       (!own->has_isn || s->seq - own->isn >= (uint32_t)own->bytes + NUMBERS_SLACK);
}

static bool trait_is_repeated(struct trait_walk *w, const struct segment *s)
{
	uint32_t span = s->length + ((s->flags & TCP_SYN) != 0) + ((s->flags & TCP_FIN) != 0);
	bool first = !w->sent, repeated;

	if (!w->tcp || !span || s->flags & TCP_RST)
		return false;
	repeated = !first && seq_leq(s->seq + span, w->end);
	if (first || seq_lt(w->end, s->seq + span))
		w->end = s->seq + span;
	return repeated;
}

/* Two datagrams of one socket at once, before anything came back, are not tracked one after the
 * other. */
static int64_t trait_opening(const struct trait_walk *w, const struct segment *s)
{
	if (w->tcp)
		return !w->sent && (s->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN ? OPENING_SYN
									       : OPENING_NONE;
	return w->member->flow->key.protocol == 17 && w->sent == 1 &&
			       w->last_ns == w->last_own_ns && s->time_ns - w->last_ns <= AT_ONCE_NS
		       ? OPENING_SECOND
		       : OPENING_NONE;
}

static int64_t trait_since(int64_t at_ns, int64_t before_ns)
{
	return before_ns == TRAIT_NONE ? TRAIT_NONE : at_ns > before_ns ? at_ns - before_ns : 0;
}

static int64_t trait_moment(const struct trait_walk *w, int64_t at_ns)
{
	int64_t at = at_ns - w->since_ns;

	return at < 0 ? 0 : at >= w->span_ns ? w->span_ns - 1 : at;
}

bool trait_walk_take(struct trait_walk *w, const struct segment *s, int64_t values[PACKET_TRAITS])
{
	int64_t gap = trait_since(s->time_ns, w->last_ns);
	bool own = segment_direction(w->member, s) == w->direction;

	values[TRAIT_OPENING] = trait_opening(w, s);
	if (gap > w->silence_ns)
		w->silence_ns = gap;
	w->last_ns = s->time_ns;
	if (!own)
		return false;
	if (trait_since(s->time_ns, w->last_own_ns) > BURST_NS)
		w->in_burst = 0;
	w->last_own_ns = s->time_ns;
	values[TRAIT_MOMENT] = trait_moment(w, s->time_ns);
	values[TRAIT_SIZE] = trait_size(w, s);
	values[TRAIT_FLAGS] = w->tcp ? trait_flags(s) : TRAIT_NONE;
	values[TRAIT_DSCP] = s->tos >> 2;
	values[TRAIT_ECN] = s->tos & 3;
	values[TRAIT_TTL] = s->ttl;
	values[TRAIT_NUMBERS] = w->tcp ? trait_is_of_older(w, s) : TRAIT_NONE;
	values[TRAIT_SILENCE] = w->silence_ns;
	values[TRAIT_GAP] = gap;
	values[TRAIT_REPEATED] = w->tcp ? trait_is_repeated(w, s) : TRAIT_NONE;
	values[TRAIT_PLACE] = ++w->sent;
	values[TRAIT_BURST] = ++w->in_burst;
	return true;
}

static uint32_t trait_address_fold(const uint8_t ip[16])
{
	uint32_t fold = 0;

	for (int i = 0; i < 16; i++)
		fold ^= (uint32_t)ip[i] << 8 * (3 - i % 4);
	return fold;
}

/* What simple devices choose a member of a bundle by (layer 3+4 of Linux bonding, and its kin). */
static uint32_t trait_xor(const struct flow_key *k)
{
	uint32_t x = (uint32_t)(k->a_port ^ k->b_port) ^ trait_address_fold(k->a) ^
		     trait_address_fold(k->b);

	x ^= x >> 16;
	return x ^ x >> 8;
}

static int64_t trait_reused(const struct trait_walk *w)
{
	if (!w->older)
		return TRAIT_NONE;
	return trait_since(w->member->flow->first_ns, w->older->last_ns);
}

void trait_of_flow(const struct trait_walk *w, int64_t values[TRAITS])
{
	const struct flow_key *k = &w->member->flow->key;
	bool ports = k->protocol == 6 || k->protocol == 17;
	int64_t client = ports ? member_port(w->member, true) : TRAIT_NONE;
	uint32_t mixed = trait_xor(k);

	values[TRAIT_SERVER_PORT] = ports ? member_port(w->member, false) : TRAIT_NONE;
	values[TRAIT_REUSED] = trait_reused(w);
	values[TRAIT_CLIENT_PORT] = client;
	values[TRAIT_CLIENT_PORT_MOD_2] = ports ? client % 2 : TRAIT_NONE;
	values[TRAIT_CLIENT_PORT_MOD_4] = ports ? client % 4 : TRAIT_NONE;
	values[TRAIT_CLIENT_PORT_MOD_8] = ports ? client % 8 : TRAIT_NONE;
	values[TRAIT_XOR_MOD_2] = mixed % 2;
	values[TRAIT_XOR_MOD_3] = mixed % 3;
	values[TRAIT_XOR_MOD_4] = mixed % 4;
	values[TRAIT_XOR_MOD_8] = mixed % 8;
}
