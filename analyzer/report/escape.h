/*
 * inert: text from captures, file names and flow logs made harmless. Such text may hold terminal
 * escapes, line breaks, bidirectional overrides, or bytes that are no UTF-8; none of that may act
 * on the reader's screen or on the syntax of an output format.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/*
 * The next character of NUL-terminated text; *ret_size gets its bytes (1 for a byte that is no
 * UTF-8, then UINT32_MAX comes back). 0 at the end. Overlong forms and surrogates are not UTF-8.
 */
uint32_t utf8_next(const char *text, size_t *ret_size);

/* Whether a character would act instead of being shown: controls, bidi controls, invisible ones. */
int escape_is_active(uint32_t c);

/* Appends text for a terminal: what acts becomes \x1b or \u{202e}, bad bytes become \xff. */
void escape_text(struct strbuf *out, const char *text);

/* Appends text as a JSON string with its quotes; bad bytes become U+FFFD. NULL becomes null. */
void escape_json(struct strbuf *out, const char *text);

/* Appends JSON text that is valid but may hold raw bad bytes or acting characters inside strings.
 */
void escape_json_raw(struct strbuf *out, const char *json);

/* Appends text for one line of Markdown: as escape_text, with its markup characters are escaped. */
void escape_markdown(struct strbuf *out, const char *text);

/* Columns that text takes on a terminal. */
int escape_width(const char *text);
