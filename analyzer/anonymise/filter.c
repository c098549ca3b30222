#include "anonymise/filter.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

#define WORD_MAX 64

/* Words of pcap-filter(7) that name nobody. */
static bool filter_is_keyword(const char *word)
{
	static const char *const keywords[] = {"and", "or", "not", "host", "net", "src", "dst",
		"port", "portrange", "ether", "ip", "ip6", "arp", "rarp", "tcp", "udp", "icmp",
		"icmp6", "sctp", "vlan", "mpls", "proto", "less", "greater", "broadcast",
		"multicast", "inbound", "outbound", "vrrp", "mask", "len", "tcp-syn", "tcp-ack",
		"tcp-fin", "tcp-rst", "tcp-push", "tcp-urg", "tcpflags", "pppoes", "geneve"};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (strcmp(word, keywords[i]) == 0)
			return true;
	return false;
}

static bool filter_is_number(const char *word)
{
	size_t digits = strspn(word, "0123456789");

	if (word[0] == '0' && word[1] == 'x')
		digits = 2 + strspn(word + 2, "0123456789abcdefABCDEF");
	return digits && !word[digits] && digits <= 5;
}

/* An address or a MAC, also a network with its prefix length: "10.0.0.0/8". */
static bool filter_add_address(struct disguise *d, struct strbuf *out, char *word)
{
	char *slash = strchr(word, '/'), text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	unsigned m[6];
	int family = strchr(word, ':') ? AF_INET6 : AF_INET, end = 0;

	if (sscanf(word, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5],
		    &end) == 6 &&
		!word[end]) {
		for (int i = 0; i < 6; i++)
			bytes[i] = (uint8_t)m[i];
		disguise_mac(d, bytes);
		strbuf_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2],
			bytes[3], bytes[4], bytes[5]);
		return true;
	}
	if (slash)
		*slash = 0;
	if (inet_pton(family, word, bytes) != 1 || (slash && !filter_is_number(slash + 1)))
		return false;
	family == AF_INET ? disguise_ipv4(d, bytes) : disguise_ipv6(d, bytes);
	if (slash) { /* a network has no host bits; those that were permuted go */
		int prefix = atoi(slash + 1), all = family == AF_INET ? 32 : 128;

		for (int n = prefix; n < all; n++)
			bytes[n / 8] &= (uint8_t) ~(0x80 >> (n % 8));
	}
	strbuf_adds(out, inet_ntop(family, bytes, text, sizeof(text)));
	if (slash)
		strbuf_printf(out, "/%s", slash + 1);
	return true;
}

char *filter_rewrite(struct disguise *d, const char *text)
{
	CLEANUP_STRBUF struct strbuf out = STRBUF_INIT;

	while (*text) {
		size_t n = strcspn(text, " \t()!&|=<>[]+-*");
		char word[WORD_MAX];

		if (*text == '-' || !n) {
			strbuf_addc(&out, *text++);
			continue;
		}
		if (strncmp(text, "tcp-", 4) == 0 || strncmp(text, "icmp-", 5) == 0)
			n = strcspn(text, " \t()!&|=<>[]+*");
		if (n >= sizeof(word))
			return NULL;
		memcpy(word, text, n);
		word[n] = 0;
		if (filter_is_keyword(word) || filter_is_number(word) || strspn(word, ":,") == n)
			strbuf_adds(&out, word);
		else if (!filter_add_address(d, &out, word))
			return NULL;
		text += n;
	}
	return strbuf_steal(&out);
}
