/* utf8: characters of text that may hold anything (RFC 3629: shortest form, no surrogates). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_BAD UINT32_MAX

/*
 * The next character of NUL-terminated text; *ret_size gets its bytes. UTF8_BAD, with size 1, for a
 * byte that is not UTF-8; 0 at the end.
 */
uint32_t utf8_next(const char *text, size_t *ret_size);

/* Whether a terminal or a browser obeys the character instead of showing it: controls, invisible
 * ones. */
bool utf8_is_active(uint32_t c);

/* How many bytes of NUL-terminated text to keep so that at most max remain and none is cut in two.
 */
size_t utf8_cut(const char *text, size_t max);
