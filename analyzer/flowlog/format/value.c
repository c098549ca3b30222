#include "flowlog/format/value.h"

#include <arpa/inet.h>

#include "base/nsec.h"

/* Four numbers up to 255 without leading zeros, and nothing else. */
static bool value_ipv4(const char *text, size_t n, uint8_t ret[4])
{
	const char *p = text, *end = text + n;

	for (int i = 0; i < 4; i++) {
		unsigned v, digit;

		if (i && (p == end || *p++ != '.'))
			return false;
		if (p == end || (v = (unsigned char)*p - (unsigned)'0') > 9)
			return false;
		p++;
		while (p < end && (digit = (unsigned char)*p - (unsigned)'0') <= 9) {
			if (!v || (v = v * 10 + digit) > 255)
				return false;
			p++;
		}
		ret[i] = (uint8_t)v;
	}
	return p == end;
}

bool value_ip(const char *text, size_t n, char buffer[VALUE_IP_TEXT], struct flowlog_ip *ret_ip)
{
	struct in6_addr v6;
	uint8_t v4[4];

	if (n <= 15 && value_ipv4(text, n, v4)) {
		*ret_ip =
			(struct flowlog_ip){.text = {text, n}, .bytes = {[10] = 0xff, [11] = 0xff}};
		memcpy(ret_ip->bytes + 12, v4, 4);
		return true;
	}
	if (n >= VALUE_IP_TEXT || n < 2 || !memchr(text, ':', n))
		return false;
	memcpy(buffer, text, n);
	buffer[n] = 0;
	if (inet_pton(AF_INET6, buffer, &v6) != 1)
		return false;
	(void)inet_ntop(AF_INET6, &v6, buffer,
		VALUE_IP_TEXT); /* the buffer is larger than INET6_ADDRSTRLEN */
	memcpy(ret_ip->bytes, &v6, 16);
	ret_ip->text = (struct flowlog_text){buffer, strlen(buffer)};
	return true;
}

bool value_time(int64_t number, int64_t *ret_ns)
{
	if (number < 0 || number > VALUE_MAX_MILLISECONDS)
		return false;
	*ret_ns = number > VALUE_MAX_SECONDS ? number * NSEC_PER_MSEC : number * NSEC_PER_SEC;
	return true;
}

bool value_rfc3339(const char *text, size_t n, int64_t *ret_ns)
{
	char buffer[64];

	if (!n || n >= sizeof(buffer))
		return false;
	memcpy(buffer, text, n);
	buffer[n] = 0;
	return nsec_parse(buffer, ret_ns);
}
