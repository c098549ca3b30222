/* vrrp: bytes cut off by the snap length 1, then an IP packet. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/vrrp.h"
#include "read/capfile.h"

#define LINK_RAW 101

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_equal(const struct vrrp_message *a, const struct vrrp_message *b)
{
	assert(a->version == b->version && a->vrid == b->vrid && a->priority == b->priority);
	assert(a->auth_type == b->auth_type && a->has_auth_data == b->has_auth_data);
	assert(!a->has_auth_data || memcmp(a->auth_data, b->auth_data, 8) == 0);
	assert(a->interval_ns == b->interval_ns && a->checksum == b->checksum);
	assert(a->address_count == b->address_count && a->address_kept == b->address_kept);
	assert(memcmp(a->addresses, b->addresses, a->address_kept * sizeof(a->addresses[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vrrp_message a, b;
	struct frame f = {0};
	struct packet p;
	bool decoded;

	if (size < 1)
		return 0;
	f.data = data + 1;
	f.cap_len = (uint32_t)(size - 1);
	f.wire_len = f.cap_len + data[0];
	memset(&p, 1, sizeof(p));
	memset(&a, 0, sizeof(a));
	memset(&b, 1, sizeof(b));
	(void)packet_decode(&f, LINK_RAW, &p);
	decoded = vrrp_decode(&p, &a);
	assert(vrrp_decode(&p, &b) == decoded);
	if (!decoded)
		return 0;
	assert(a.version == 2 || a.version == 3);
	assert(a.address_kept <= VRRP_ADDRESS_MAX && a.address_kept <= a.address_count);
	assert((a.checksum == VRRP_CHECKSUM_UNKNOWN) == (p.body.cap < p.body.len));
	check_equal(&a, &b);
	return 0;
}
