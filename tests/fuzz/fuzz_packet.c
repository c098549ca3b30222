/*
 * packet: link type 2, bytes cut off by the snap length 2 (both little endian), then a frame. The
 * text of a packet must not depend on what the struct held before, and nothing may point outside
 * the frame.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "read/capfile.h"

#include "../unit/packet_text.h"

#define INPUT_HDR_LEN 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes from start are captured ones, and reading them is fine. */
static void check_window(
	const struct frame *f, const uint8_t *start, uint32_t captured, uint32_t length)
{
	volatile uint8_t sum = 0;

	assert(captured <= length);
	assert(start >= f->data && start <= f->data + f->cap_len);
	assert(captured <= (size_t)(f->data + f->cap_len - start));
	for (uint32_t i = 0; i < captured; i++)
		sum ^= start[i];
	(void)sum;
}

static void check_packet(const struct frame *f, const struct packet *p)
{
	assert((unsigned)p->disposition < PACKET_DISPOSITIONS);
	assert(p->outer.depth <= 4 && p->outer.tunnel <= TUNNEL_IPIP);
	switch (p->disposition) {
	case PACKET_TCP:
		assert(p->tcp.sack_count <= PACKET_SACK_MAX);
		assert(!(p->tcp.options & TCPOPT_TRUNCATED) == (p->tcp.option_hash != 0));
		__attribute__((fallthrough));
	case PACKET_UDP:
	case PACKET_ICMP:
	case PACKET_IP_OTHER:
	case PACKET_FRAGMENT:
		assert(p->version == 4 || p->version == 6);
		check_window(f, p->payload, p->payload_cap, p->payload_len);
		break;
	case PACKET_ND:
	case PACKET_ARP:
	case PACKET_VRRP:
	case PACKET_CARP:
		check_window(f, p->body.at, p->body.cap, p->body.len);
		break;
	default:
		break;
	}
}

static void decode(const struct frame *f, uint32_t link_type, int fill, struct strbuf *ret_text)
{
	struct packet p;

	memset(&p, fill, sizeof(p));
	assert(packet_decode(f, link_type, &p) == p.disposition);
	check_packet(f, &p);
	packet_text(ret_text, &p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_STRBUF struct strbuf zeros = STRBUF_INIT, ones = STRBUF_INIT, steps = STRBUF_INIT;
	struct packet p = {0};
	struct frame f = {0};

	if (size < INPUT_HDR_LEN)
		return 0;
	f.data = data + INPUT_HDR_LEN;
	f.cap_len = (uint32_t)(size - INPUT_HDR_LEN);
	f.wire_len = f.cap_len + le16(data + 2);
	decode(&f, le16(data), 0, &zeros);
	decode(&f, le16(data), 1, &ones);
	assert(strcmp(zeros.text, ones.text) == 0);
	(void)packet_decode_in_steps(&f, le16(data), &p);
	packet_text(&steps, &p);
	assert(strcmp(zeros.text, steps.text) == 0);
	return 0;
}
