/* checksum: one's-complement sums (RFC 1071) updated by what changed (RFC 1624). */
#include "anonymise/layers.h"

enum { UDP = 17 };

static uint64_t checksum_words(uint64_t sum, const uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size; i += 2)
		sum += be16(bytes + i);
	return i < size ? sum + ((uint64_t)bytes[i] << 8) : sum;
}

static uint16_t checksum_folded(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint64_t checksum_addresses(const uint8_t *frame, const struct carrier *ip)
{
	size_t size = ip->version == 4 ? 4 : 16;

	return checksum_words(checksum_words(0, frame + ip->src, size), frame + ip->dst, size);
}

static void checksum_put(struct rewriting *r, size_t place, uint16_t v)
{
	r->new[place] = (uint8_t)(v >> 8);
	r->new[place + 1] = (uint8_t)v;
}

/* The NIC would have completed it: the field holds the sum of the pseudo-header. */
static bool checksum_is_partial(
	const struct rewriting *r, uint16_t was, const struct carrier *ip, uint8_t protocol)
{
	return was == checksum_folded(checksum_addresses(r->old, ip) + protocol +
				      (ip->length >> 16) + (ip->length & 0xffff));
}

void layers_checksum(struct rewriting *r, size_t place, struct extent x, const struct carrier *ip,
	uint8_t protocol)
{
	uint16_t was;
	uint64_t sum;

	if (place < x.at || place + 2 > x.end)
		return;
	was = be16(r->old + place);
	checksum_put(r, place, was);
	if (was == 0 && (protocol == UDP || (!ip && !layers_sum_is_right(r->old, x))))
		return; /* none, or left to the NIC */
	if (ip && checksum_is_partial(r, was, ip, protocol)) {
		sum = was + checksum_addresses(r->new, ip) +
		      (uint16_t)~checksum_folded(checksum_addresses(r->old, ip));
		checksum_put(r, place, checksum_folded(sum));
		return;
	}
	sum = (uint16_t)~was +
	      (uint64_t)checksum_folded(checksum_words(0, r->new + x.at, extent_left(x))) +
	      (uint16_t)~checksum_folded(checksum_words(0, r->old + x.at, extent_left(x)));
	if (ip)
		sum += (uint64_t)checksum_folded(checksum_addresses(r->new, ip)) +
		       (uint16_t)~checksum_folded(checksum_addresses(r->old, ip));
	was = (uint16_t)~checksum_folded(sum);
	checksum_put(r, place, was == 0 && protocol == UDP ? 0xffff : was);
}

bool layers_sum_is_right(const uint8_t *frame, struct extent x)
{
	return checksum_folded(checksum_words(0, frame + x.at, extent_left(x))) == 0xffff;
}
