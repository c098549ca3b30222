/*
 * vrrp: advertisements.
 *
 *  v2 (RFC 3768 5.1)   0 version 4, type 4   1 VRID   2 priority   3 count   4 auth type
 *                      5 interval in s   6 checksum 2   8 addresses 4 each   then auth data 8
 *  v3 (RFC 9568 5.1)   0 version 4, type 4   1 VRID   2 priority   3 count
 *                      4 reserved 4, interval in cs 12   6 checksum 2   8 addresses 4 or 16 each
 */
#include "decode/vrrp.h"

#include "base/nsec.h"
#include "decode/layer.h"

#define VRRP_PROTOCOL 112
#define VRRP_HDR_LEN 8
#define VRRP_AUTH_LEN 8
#define VRRP_ADVERTISEMENT 1
#define NSEC_PER_CENTISECOND (10 * NSEC_PER_MSEC)

/* One's-complement sums are the same in either byte order, so words are added as they lie. */
static uint64_t vrrp_sum_words(uint64_t sum, const uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size; i += 2)
		sum += le16(bytes + i);
	return i < size ? sum + bytes[i] : sum;
}

static bool vrrp_sum_is_right(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* The pseudo-headers of RFC 8200 8.1 and, over IPv4, RFC 9293: equal but for the addresses. */
static uint64_t vrrp_sum_pseudo(
	const uint8_t *src, const uint8_t *dst, size_t address_len, size_t length)
{
	uint8_t tail[8] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8),
		(uint8_t)length, 0, 0, 0, VRRP_PROTOCOL};

	return vrrp_sum_words(
		vrrp_sum_words(vrrp_sum_words(0, src, address_len), dst, address_len), tail, 8);
}

/*
 * v3 over IPv4 is in use both ways: RFC 9568 5.2.8 sums the message alone, keepalived adds a
 * pseudo-header, and old ones put the group there even when they send to one peer. When a message
 * fits more than one, which takes a pseudo-header that sums to zero, the RFC's is said.
 */
static enum vrrp_checksum vrrp_checksum_of(
	const struct packet *p, const uint8_t *message, size_t length, uint8_t version)
{
	static const uint8_t group[4] = {224, 0, 0, 18};
	uint64_t sum = vrrp_sum_words(0, message, length);

	if (p->version == 4 && vrrp_sum_is_right(sum))
		return VRRP_CHECKSUM_MESSAGE;
	if (version == 2)
		return VRRP_CHECKSUM_BAD;
	if (p->version == 6)
		return vrrp_sum_is_right(sum + vrrp_sum_pseudo(p->src, p->dst, 16, length))
			       ? VRRP_CHECKSUM_PSEUDO
			       : VRRP_CHECKSUM_BAD;
	if (vrrp_sum_is_right(sum + vrrp_sum_pseudo(p->src + 12, p->dst + 12, 4, length)) ||
		vrrp_sum_is_right(sum + vrrp_sum_pseudo(p->src + 12, group, 4, length)))
		return VRRP_CHECKSUM_PSEUDO;
	return VRRP_CHECKSUM_BAD;
}

/*
 * Over the whole message; if that is wrong and the message is longer than its fields (newer
 * keepalived appends an authenticator), over the fields.
 */
static void vrrp_take_checksum(const struct packet *p, size_t expected, struct vrrp_message *m)
{
	if (p->body.cap < p->body.len) {
		m->checksum = VRRP_CHECKSUM_UNKNOWN;
		return;
	}
	m->checksum = vrrp_checksum_of(p, p->body.at, p->body.len, m->version);
	if (m->checksum == VRRP_CHECKSUM_BAD && expected < p->body.len)
		m->checksum = vrrp_checksum_of(p, p->body.at, expected, m->version);
}

static void vrrp_take_addresses(struct cursor *c, size_t size, struct vrrp_message *m)
{
	const uint8_t *a;

	m->address_kept = 0;
	for (unsigned i = 0; i < m->address_count && (a = cur_take(c, size)); i++) {
		if (m->address_kept == VRRP_ADDRESS_MAX)
			continue; /* the authentication data follows the last of them */
		if (size == 4)
			layer_map_v4(m->addresses[m->address_kept++], a);
		else
			memcpy(m->addresses[m->address_kept++], a, 16);
	}
}

static void vrrp_take_authentication(struct cursor *c, struct vrrp_message *m)
{
	const uint8_t *auth = cur_take(c, VRRP_AUTH_LEN);

	m->has_auth_data = auth != NULL;
	if (auth)
		memcpy(m->auth_data, auth, VRRP_AUTH_LEN);
}

bool vrrp_decode(const struct packet *p, struct vrrp_message *ret_message)
{
	struct vrrp_message *m = ret_message;
	struct cursor c;
	const uint8_t *h;
	size_t address_size, expected;

	if (p->disposition != PACKET_VRRP)
		return false;
	c = cur_of(p->body.at, p->body.cap);
	h = cur_take(&c, VRRP_HDR_LEN);
	if (!h || (h[0] >> 4 != 2 && h[0] >> 4 != 3) || (h[0] & 0xf) != VRRP_ADVERTISEMENT)
		return false;
	m->version = h[0] >> 4;
	m->vrid = h[1];
	m->priority = h[2];
	m->address_count = h[3];
	m->has_auth_data = false;
	m->auth_type = m->version == 2 ? h[4] : 0;
	m->interval_ns = m->version == 2 ? h[5] * NSEC_PER_SEC
					 : (be16(h + 4) & 0xfff) * NSEC_PER_CENTISECOND;
	address_size = m->version == 3 && p->version == 6 ? 16 : 4;
	expected = VRRP_HDR_LEN + m->address_count * address_size;
	vrrp_take_addresses(&c, address_size, m);
	if (m->version == 2) {
		expected += VRRP_AUTH_LEN;
		vrrp_take_authentication(&c, m);
	}
	vrrp_take_checksum(p, expected, m);
	return true;
}
