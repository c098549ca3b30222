/*
 * tcpopt: RFC 9293 3.2: kind 1, then length 1 (counting both) and data, but for kinds 0 and 1.
 *
 *  kind                   length        data
 *   2 maximum segment      4            size 2
 *   3 window scale         3            shift 1                          RFC 7323
 *   4 SACK permitted       2                                             RFC 2018
 *   5 SACK                 2 + 8 n      n <= 4 times left 4, right 4     RFC 2018
 *   8 timestamps          10            value 4, echo reply 4            RFC 7323
 *  30 multipath TCP       >= 3          subtype 4 bits ...               RFC 8684
 *  34 fast open            2, 6..18     cookie                           RFC 7413
 */
#include "decode/tcpopt.h"

#include "base/cursor.h"
#include "base/compiler.h"

enum tcp_option {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_WSCALE = 3,
	OPTION_SACK_PERMITTED = 4,
	OPTION_SACK = 5,
	OPTION_TIMESTAMP = 8,
	OPTION_MPTCP = 30,
	OPTION_FAST_OPEN = 34,
};

/* NOP, NOP, time stamps of length 10: what almost every segment carries. */
#define NOP_NOP_TIMESTAMP 0x0101080au
#define NOP_NOP_TIMESTAMP_LEN 12

/* FNV-1a over kind and length of each option, NOP and END with length 1. */
#define HASH_BASIS 0x811c9dc5u
#define HASH_PRIME 0x01000193u

static inline uint32_t tcpopt_hash_byte(uint32_t hash, uint8_t byte)
{
	return (hash ^ byte) * HASH_PRIME;
}

static inline uint32_t tcpopt_hash_option(uint32_t hash, uint8_t kind, uint8_t length)
{
	return tcpopt_hash_byte(tcpopt_hash_byte(hash, kind), length);
}

/* What Linux puts on a SYN: segment size, SACK permitted, time stamps, NOP, window scale. */
#define SYN_MSS 0x0204u
#define SYN_SACK_PERMITTED_TIMESTAMP 0x0402080au
#define SYN_NOP_WSCALE 0x010303u
#define SYN_LEN 20

/* The hash of the usual layout, which the compiler folds to a constant. */
static inline uint32_t tcpopt_fastpath_hash(void)
{
	uint32_t hash = tcpopt_hash_option(HASH_BASIS, OPTION_NOP, 1);

	hash = tcpopt_hash_option(hash, OPTION_NOP, 1);
	return tcpopt_hash_option(hash, OPTION_TIMESTAMP, 10);
}

static inline uint32_t tcpopt_fastpath_syn_hash(void)
{
	uint32_t hash = tcpopt_hash_option(HASH_BASIS, OPTION_MSS, 4);

	hash = tcpopt_hash_option(hash, OPTION_SACK_PERMITTED, 2);
	hash = tcpopt_hash_option(hash, OPTION_TIMESTAMP, 10);
	hash = tcpopt_hash_option(hash, OPTION_NOP, 1);
	return tcpopt_hash_option(hash, OPTION_WSCALE, 3);
}

/* The options of nearly every SYN; false: others. */
static bool tcpopt_take_fastpath_syn(struct packet *p, const uint8_t *o)
{
	if (be16(o) != SYN_MSS || be32(o + 4) != SYN_SACK_PERMITTED_TIMESTAMP ||
		be32(o + 16) >> 8 != SYN_NOP_WSCALE)
		return false;
	p->tcp.options = TCPOPT_HAS_MSS | TCPOPT_HAS_SACK_PERMITTED | TCPOPT_HAS_TIMESTAMP |
			 TCPOPT_HAS_WSCALE;
	p->tcp.mss = be16(o + 2);
	p->tcp.tsval = be32(o + 8);
	p->tcp.tsecr = be32(o + 12);
	p->tcp.wscale = o[19];
	p->tcp.option_hash = tcpopt_fastpath_syn_hash();
	return true;
}

static bool tcpopt_take_sack(struct packet *p, const uint8_t *data, uint32_t size)
{
	uint32_t count = size / 8;

	if (size % 8 || count == 0 || count > PACKET_SACK_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		p->tcp.sack[i][0] = be32(data + i * 8);
		p->tcp.sack[i][1] = be32(data + i * 8 + 4);
	}
	p->tcp.sack_count = (uint8_t)count;
	p->tcp.options |= TCPOPT_HAS_SACK;
	return true;
}

static bool tcpopt_take_timestamp(struct packet *p, const uint8_t *data, uint32_t size)
{
	if (size != 8)
		return false;
	p->tcp.tsval = be32(data);
	p->tcp.tsecr = be32(data + 4);
	p->tcp.options |= TCPOPT_HAS_TIMESTAMP;
	return true;
}

static bool tcpopt_take_mss(struct packet *p, const uint8_t *data, uint32_t size)
{
	if (size != 2)
		return false;
	p->tcp.mss = be16(data);
	p->tcp.options |= TCPOPT_HAS_MSS;
	return true;
}

static bool tcpopt_take_wscale(struct packet *p, const uint8_t *data, uint32_t size)
{
	if (size != 1)
		return false;
	p->tcp.wscale = data[0];
	p->tcp.options |= TCPOPT_HAS_WSCALE;
	return true;
}

/* One whole option; false when its length is not one that its kind may have. */
static bool tcpopt_take_option(struct packet *p, uint8_t kind, const uint8_t *data, uint32_t size)
{
	switch (kind) {
	case OPTION_MSS:
		return tcpopt_take_mss(p, data, size);
	case OPTION_WSCALE:
		return tcpopt_take_wscale(p, data, size);
	case OPTION_SACK_PERMITTED:
		if (size == 0)
			p->tcp.options |= TCPOPT_HAS_SACK_PERMITTED;
		return size == 0;
	case OPTION_SACK:
		return tcpopt_take_sack(p, data, size);
	case OPTION_TIMESTAMP:
		return tcpopt_take_timestamp(p, data, size);
	case OPTION_MPTCP:
		p->tcp.options |= TCPOPT_HAS_MPTCP;
		return size >= 1;
	case OPTION_FAST_OPEN:
		p->tcp.options |= TCPOPT_HAS_FAST_OPEN;
		return size == 0 || (size >= 4 && size <= 16 && size % 2 == 0);
	}
	return true;
}

/* A SACK option that the capture cut keeps the blocks that are whole: each stands for itself. */
static void tcpopt_take_cut_sack(struct packet *p, const struct cursor *c, uint32_t size)
{
	uint32_t whole = (uint32_t)c->left / 8 * 8;

	if (size % 8 == 0 && size / 8 <= PACKET_SACK_MAX && whole && whole < size)
		(void)tcpopt_take_sack(p, c->at, whole);
}

/*
 * Walks the options. missing is how many bytes of them the capture lacks: running out is the
 * sender's fault only when none is.
 */
static NOINLINE void tcpopt_walk(struct cursor *c, uint32_t missing, struct packet *p)
{
	uint32_t hash = HASH_BASIS;
	const uint8_t *h;

	while ((h = cur_take(c, 1))) {
		uint8_t kind = h[0];
		uint32_t size;

		if (kind <= OPTION_NOP) {
			hash = tcpopt_hash_option(hash, kind, 1);
			if (kind == OPTION_END)
				break;
			continue;
		}
		h = cur_take(c, 1);
		if (!h || h[0] < 2 || h[0] - 2u > c->left + missing) {
			p->tcp.options_bad = h || !missing;
			break;
		}
		size = h[0] - 2u;
		if (size > c->left) {
			if (kind == OPTION_SACK)
				tcpopt_take_cut_sack(p, c, size);
			break;
		}
		hash = tcpopt_hash_option(hash, kind, h[0]);
		if (!tcpopt_take_option(p, kind, cur_take(c, size), size))
			p->tcp.options_bad = true;
	}
	p->tcp.option_hash = missing ? 0 : hash;
}

void tcpopt_decode(const uint8_t *options, uint32_t captured, uint32_t length, struct packet *p)
{
	struct cursor c = cur_of(options, captured);

	p->tcp.sack_count = 0;
	p->tcp.options_bad = false;
	if (captured == NOP_NOP_TIMESTAMP_LEN && length == NOP_NOP_TIMESTAMP_LEN &&
		be32(options) == NOP_NOP_TIMESTAMP) {
		p->tcp.options = TCPOPT_HAS_TIMESTAMP;
		p->tcp.tsval = be32(options + 4);
		p->tcp.tsecr = be32(options + 8);
		p->tcp.option_hash = tcpopt_fastpath_hash();
		return;
	}
	if (captured == SYN_LEN && length == SYN_LEN && tcpopt_take_fastpath_syn(p, options))
		return;
	p->tcp.options = captured < length ? TCPOPT_TRUNCATED : 0;
	tcpopt_walk(&c, length - captured, p);
}
