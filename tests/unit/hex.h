/* hex: test input as text: "45 00 003c"; blanks are skipped. */
#pragma once

#include <assert.h>
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>

static inline unsigned hex_digit(char c)
{
	assert(isxdigit((unsigned char)c));
	return isdigit((unsigned char)c) ? (unsigned)(c - '0')
					 : (unsigned)(tolower((unsigned char)c) - 'a' + 10);
}

/* The number of bytes written; text that is no hex or does not fit ends the test. */
static inline size_t hex_bytes(const char *text, uint8_t *ret_bytes, size_t room)
{
	size_t n = 0;

	while (*text) {
		if (isspace((unsigned char)*text)) {
			text++;
			continue;
		}
		assert(n < room && text[1]);
		ret_bytes[n++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
		text += 2;
	}
	return n;
}
