/* value: the numbers, addresses and absent values that flow-log records are made of. */
#pragma once

#include <string.h>

#include "flowlog/format/record.h"

/* The limits of times that are taken for seconds: 2^31 - 1, above which AWS meant milliseconds. */
#define VALUE_MAX_SECONDS INT64_C(2147483647)
#define VALUE_MAX_MILLISECONDS INT64_C(4102444800000) /* the year 2100 */

/* "-", "", "None" and "null" all mean that the value is absent, which is never 0. */
static inline bool value_absent(const char *text, size_t n)
{
	return n == 0 || (n == 1 && text[0] == '-') ||
	       (n == 4 && (!memcmp(text, "None", 4) || !memcmp(text, "null", 4)));
}

/* ".0", ".00": what other exporters leave behind whole numbers. */
static inline bool value_zero_fraction(const char *text, size_t n)
{
	if (n < 2 || text[0] != '.')
		return false;
	for (size_t i = 1; i < n; i++)
		if (text[i] != '0')
			return false;
	return true;
}

/* A whole decimal number of at most 18 digits. */
static inline bool value_number(const char *text, size_t n, int64_t *ret)
{
	int64_t v = 0;

	if (!n || n > 18)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned digit = (unsigned char)text[i] - (unsigned)'0';

		if (digit > 9) {
			if (!i || !value_zero_fraction(text + i, n - i))
				return false;
			break;
		}
		v = v * 10 + (int)digit;
	}
	*ret = v;
	return true;
}

#define VALUE_IP_TEXT 48

/*
 * An IPv4 address in its canonical form (no leading zeros), or an IPv6 address in any. ret_ip's
 * text points into text for the former, and into buffer for the latter.
 */
bool value_ip(const char *text, size_t n, char buffer[VALUE_IP_TEXT], struct flowlog_ip *ret_ip);

static inline bool value_is_ipv4(const struct flowlog_ip *ip)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(ip->bytes, prefix, 12);
}

/* Unix seconds, or milliseconds where the number is too large for seconds. */
bool value_time(int64_t number, int64_t *ret_ns);

/* RFC 3339 text with up to 9 digits of fraction. */
bool value_rfc3339(const char *text, size_t n, int64_t *ret_ns);
