#include "decode/checksum.h"

#include <string.h>

/* In words of the machine's order: the sum modulo 0xffff does not depend on it (RFC 1071 2). The
 * halves of eight bytes each have a sum, in a loop that the compiler makes wider. */
static uint64_t checksum_add(const uint8_t *at, uint32_t length)
{
	uint64_t low = 0, high = 0;
	uint16_t last;

	for (; length >= 8; at += 8, length -= 8) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		low += word & UINT32_MAX;
		high += word >> 32;
	}
	for (; length >= 2; at += 2, length -= 2) {
		memcpy(&last, at, sizeof(last));
		low += last;
	}
	last = 0;
	if (length)
		memcpy(&last, at, 1);
	return low + high + last;
}

/* Addresses, protocol and length: RFC 9293 3.1, RFC 8200 8.1. Mapped IPv4 addresses have ffff
 * before them, which adds nothing. */
static uint64_t checksum_pseudo_header(const struct packet *p, uint32_t length)
{
	uint8_t rest[8] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8),
		(uint8_t)length, 0, 0, 0, p->protocol};

	return checksum_add(p->src, 16) + checksum_add(p->dst, 16) + checksum_add(rest, 8);
}

enum packet_checksum checksum_of_transport(
	const struct packet *p, const uint8_t *h, uint32_t length)
{
	/* What is not 0 modulo 0xffff has a wrong field; nothing sums up to 0 itself. */
	return (checksum_pseudo_header(p, length) + checksum_add(h, length)) % 0xffff
		       ? CHECKSUM_WRONG
		       : CHECKSUM_RIGHT;
}
