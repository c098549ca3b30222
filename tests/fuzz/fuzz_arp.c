/* arp: an Ethernet frame; what is decoded as a neighbour message must be whole and not stale. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/arp.h"
#include "read/capfile.h"

#define LINK_ETHERNET 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_mac(bool has, const uint8_t mac[6], const uint8_t other[6])
{
	static const uint8_t zeros[6];

	assert(!has || (memcmp(mac, zeros, 6) != 0 && memcmp(mac, other, 6) == 0));
}

/* Both were decoded from the same frame, over different contents. */
static void check_equal(const struct neighbor_message *a, const struct neighbor_message *b)
{
	assert(a->operation == b->operation && a->v6 == b->v6);
	assert(a->has_sender_mac == b->has_sender_mac && a->has_target_mac == b->has_target_mac);
	check_mac(a->has_sender_mac, a->sender_mac, b->sender_mac);
	check_mac(a->has_target_mac, a->target_mac, b->target_mac);
	assert(memcmp(a->sender_ip, b->sender_ip, 16) == 0);
	assert(memcmp(a->target_ip, b->target_ip, 16) == 0);
	assert(a->router == b->router && a->override == b->override);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f = {.data = data, .cap_len = (uint32_t)size, .wire_len = (uint32_t)size};
	struct neighbor_message a, b;
	struct packet p;
	bool decoded;

	memset(&p, 1, sizeof(p));
	memset(&a, 0, sizeof(a));
	memset(&b, 1, sizeof(b));
	(void)packet_decode(&f, LINK_ETHERNET, &p);
	decoded = neighbor_decode(&p, &a);
	assert(neighbor_decode(&p, &b) == decoded);
	if (decoded) {
		check_equal(&a, &b);
		assert(strcmp(neighbor_operation_name(a.operation), "unknown") != 0);
	}
	return 0;
}
