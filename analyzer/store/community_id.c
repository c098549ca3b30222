#include "store/community_id.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE (2 + 28 + 1) /* "1:", base64 of 20 bytes, the end */

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58, SCTP = 132 };

struct endpoint {
	uint8_t ip[16];
	uint16_t port;
};

static int community_id_protocol(const char *text)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {{"tcp", TCP}, {"udp", UDP}, {"icmp", ICMP}, {"icmp6", ICMP6}, {"sctp", SCTP}};
	char *end;
	long n;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i].name) == 0)
			return names[i].number;
	n = strtol(text, &end, 10);
	return end != text && !*end && n >= 0 && n <= 255 ? (int)n : -1;
}

/* The message that answers this one, or is answered by it; -1: neither. */
static int community_id_counterpart(int protocol, int type)
{
	static const struct {
		uint8_t protocol, a, b;
	} pairs[] = {
		{ICMP, 0, 8},	   /* echo (RFC 792) */
		{ICMP, 9, 10},	   /* router discovery (RFC 1256) */
		{ICMP, 13, 14},	   /* time stamps (RFC 792) */
		{ICMP, 15, 16},	   /* information (RFC 792) */
		{ICMP, 17, 18},	   /* address masks (RFC 950) */
		{ICMP6, 128, 129}, /* echo (RFC 4443) */
		{ICMP6, 130, 131}, /* multicast listeners (RFC 2710) */
		{ICMP6, 133, 134}, /* routers (RFC 4861) */
		{ICMP6, 135, 136}, /* neighbours (RFC 4861) */
		{ICMP6, 139, 140}, /* node information (RFC 4620) */
		{ICMP6, 144, 145}, /* home agents (RFC 6275) */
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pairs[i].protocol == protocol && (pairs[i].a == type || pairs[i].b == type))
			return pairs[i].a == type ? pairs[i].b : pairs[i].a;
	return -1;
}

/* A port, or 0 where the protocol has none. */
static bool community_id_port(sqlite3_value *value, uint16_t *ret)
{
	int64_t v = sqlite3_value_int64(value);

	*ret = (uint16_t)v;
	return sqlite3_value_type(value) != SQLITE_NULL && v >= 0 && v <= UINT16_MAX;
}

static bool community_id_has_ports(int protocol)
{
	return protocol == TCP || protocol == UDP || protocol == SCTP || protocol == ICMP ||
	       protocol == ICMP6;
}

/* The smaller endpoint comes first, so that both directions are one; a message without an answer
 * has one direction only. */
static bool community_id_swapped(
	int protocol, const struct endpoint *src, struct endpoint *dst, size_t ip_size)
{
	int order = memcmp(src->ip, dst->ip, ip_size);

	if (protocol == ICMP || protocol == ICMP6) {
		int answer = community_id_counterpart(protocol, src->port);

		if (answer < 0)
			return false;
		dst->port = (uint16_t)answer;
	}
	return order > 0 || (order == 0 && src->port > dst->port);
}

static size_t community_id_put(uint8_t *out, const void *bytes, size_t n)
{
	memcpy(out, bytes, n);
	return n;
}

static void community_id_text(
	int protocol, struct endpoint src, struct endpoint dst, size_t ip_size, char ret[TEXT_SIZE])
{
	bool swapped = community_id_swapped(protocol, &src, &dst, ip_size);
	const struct endpoint *low = swapped ? &dst : &src, *high = swapped ? &src : &dst;
	uint8_t input[2 + 32 + 2 + 4] = {0},
				   digest[SHA_DIGEST_LENGTH]; /* begins with the seed, 0 */
	size_t n = 2;

	n += community_id_put(input + n, low->ip, ip_size);
	n += community_id_put(input + n, high->ip, ip_size);
	input[n] = (uint8_t)protocol;
	n += 2; /* and a byte of padding */
	if (community_id_has_ports(protocol)) {
		n += community_id_put(input + n, &(uint16_t){htons(low->port)}, 2);
		n += community_id_put(input + n, &(uint16_t){htons(high->port)}, 2);
	}
	(void)SHA1(input, n, digest);
	memcpy(ret, "1:", 2);
	(void)EVP_EncodeBlock((uint8_t *)ret + 2, digest, sizeof(digest));
}

void community_id_sql(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *name = (const char *)sqlite3_value_text(argv[0]);
	const char *from = (const char *)sqlite3_value_text(argv[1]);
	const char *to = (const char *)sqlite3_value_text(argv[2]);
	struct endpoint src = {0}, dst = {0};
	int protocol, family;
	char text[TEXT_SIZE];

	(void)argc;
	if (!name || !from || !to)
		return;
	protocol = community_id_protocol(name);
	family = strchr(from, ':') ? AF_INET6 : AF_INET;
	if (protocol < 0 || inet_pton(family, from, src.ip) != 1 ||
		inet_pton(family, to, dst.ip) != 1)
		return;
	if (community_id_has_ports(protocol) &&
		(!community_id_port(argv[3], &src.port) || !community_id_port(argv[4], &dst.port)))
		return;
	community_id_text(protocol, src, dst, family == AF_INET6 ? 16 : 4, text);
	sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}
