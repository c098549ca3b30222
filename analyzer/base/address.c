#include "base/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool ip_is_v4(const uint8_t ip[16])
{
	return memcmp(ip, mapped, 12) == 0;
}

bool ip_is_link_group(const uint8_t ip[16])
{
	if (memcmp(ip, mapped, 12) == 0)
		return memcmp(ip + 12, "\xe0\0\0", 3) == 0 ||
		       memcmp(ip + 12, "\xff\xff\xff\xff", 4) == 0;
	return ip[0] == 0xff && (ip[1] & 0x0f) == 2;
}

bool ip_is_report_group(const uint8_t ip[16])
{
	static const uint8_t mld[16] = {0xff, 0x02, [15] = 0x16};

	if (memcmp(ip, mapped, 12) == 0)
		return memcmp(ip + 12, "\xe0\0\0\x16", 4) == 0;
	return memcmp(ip, mld, 16) == 0;
}

bool ip_is_unicast(const uint8_t ip[16])
{
	static const uint8_t unspecified[16];

	if (memcmp(ip, mapped, 12) == 0)
		return (ip[12] & 0xf0) != 0xe0 && memcmp(ip + 12, "\xff\xff\xff\xff", 4) != 0 &&
		       memcmp(ip + 12, unspecified, 4) != 0;
	return ip[0] != 0xff && memcmp(ip, unspecified, 16) != 0;
}

bool ip_is_link_local(const uint8_t ip[16])
{
	if (memcmp(ip, mapped, 12) == 0)
		return ip[12] == 169 && ip[13] == 254;
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

static char *address_put_octet(char *p, unsigned v)
{
	assert(v < 256);
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

const char *ip_text(const uint8_t ip[16], char buf[IP_TEXT_SIZE])
{
	char *p = buf;

	if (memcmp(ip, mapped, 12) != 0)
		return inet_ntop(AF_INET6, ip, buf, IP_TEXT_SIZE);
	/* Millions of rows carry one of these; inet_ntop() takes five times as long. */
	for (int i = 12; i < 16; i++) {
		p = address_put_octet(p, ip[i]);
		*p++ = i < 15 ? '.' : 0;
	}
	return buf;
}

const char *mac_text(const uint8_t mac[6], char buf[MAC_TEXT_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	char *p = buf;

	for (int i = 0; i < 6; i++) {
		*p++ = hex[mac[i] >> 4];
		*p++ = hex[mac[i] & 15];
		*p++ = i < 5 ? ':' : 0;
	}
	return buf;
}

const char *protocol_text(int protocol, char buf[PROTOCOL_TEXT_SIZE])
{
	switch (protocol) {
	case -1:
		return NULL;
	case 1:
		return "icmp";
	case 6:
		return "tcp";
	case 17:
		return "udp";
	case 58:
		return "icmp6";
	default:
		(void)snprintf(buf, PROTOCOL_TEXT_SIZE, "%d", protocol);
		return buf;
	}
}

bool ip_parse(const char *text, uint8_t ret[16])
{
	memset(ret, 0, 16);
	if (inet_pton(AF_INET6, text, ret) == 1)
		return true;
	ret[10] = ret[11] = 0xff;
	return inet_pton(AF_INET, text, ret + 12) == 1;
}

static int address_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

bool mac_parse(const char *text, uint8_t ret[6])
{
	if (strlen(text) != MAC_TEXT_SIZE - 1)
		return false;
	for (int i = 0; i < 6; i++) {
		int high = address_digit(text[3 * i]), low = address_digit(text[3 * i + 1]);

		if (high < 0 || low < 0 ||
			(i < 5 && text[3 * i + 2] != ':' && text[3 * i + 2] != '-'))
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
