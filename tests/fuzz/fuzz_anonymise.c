/*
 * anonymise: inputs as those of packet. Rewriting stays within the frame, gives the same twice, and
 * what was a segment or a datagram outside of tunnels is one with the same numbers after.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "anonymise/rewrite.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "decode/packet.h"
#include "read/capfile.h"

#define INPUT_HDR_LEN 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_numbers(const struct packet *was, const struct packet *is)
{
	if (was->outer.depth || (was->disposition != PACKET_TCP && was->disposition != PACKET_UDP))
		return;
	assert(is->disposition == was->disposition);
	assert(is->src_port == was->src_port && is->dst_port == was->dst_port);
	assert(is->payload_len == was->payload_len && is->payload_cap == was->payload_cap);
	assert(is->ttl == was->ttl && is->ip_id == was->ip_id);
	if (was->disposition == PACKET_TCP)
		assert(is->tcp.seq == was->tcp.seq && is->tcp.ack == was->tcp.ack &&
			is->tcp.flags == was->tcp.flags);
}

/* In memory of exactly that size, so that a sanitizer sees a byte too many. */
static uint8_t *rewritten(struct disguise *d, uint32_t link_type, const uint8_t *bytes, size_t size)
{
	uint8_t *copy = mem_alloc(size ? size : 1), *scratch = mem_alloc(size ? size : 1);

	memcpy(copy, bytes, size);
	rewrite_frame(d, link_type, copy, scratch, size);
	free(scratch);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t link_type, cut;
	struct error err = {0};
	struct packet was, is;
	struct disguise *d;
	struct frame frame;
	uint8_t *once, *twice;

	if (size < INPUT_HDR_LEN || !rewrite_knows_link(le16(data)))
		return 0;
	link_type = le16(data);
	cut = le16(data + 2);
	data += INPUT_HDR_LEN;
	size -= INPUT_HDR_LEN;
	d = disguise_new("sixteen bytes...", 16, &err);
	assert(d);
	once = rewritten(d, link_type, data, size);
	twice = rewritten(d, link_type, data, size);
	assert(memcmp(once, twice, size) == 0);
	frame = (struct frame){
		.data = data, .cap_len = (uint32_t)size, .wire_len = (uint32_t)size + cut};
	(void)packet_decode(&frame, link_type, &was);
	frame.data = once;
	(void)packet_decode(&frame, link_type, &is);
	check_numbers(&was, &is);
	free(once);
	free(twice);
	disguise_free(d);
	return 0;
}
