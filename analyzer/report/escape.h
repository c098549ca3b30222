/*
 * escape: text from captures, file names and flow logs made harmless. Such text may hold terminal
 * escapes, line breaks, bidirectional overrides, or bytes that are not UTF-8; none of that may act
 * on the reader's screen or on the syntax of an output format.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/* Appends text for a terminal: what acts becomes \x1b or \u{202e}, bad bytes become \xff. */
void escape_text(struct strbuf *out, const char *text);

/* Appends text for one line of Markdown: as escape_text, with its markup characters are escaped. */
void escape_markdown(struct strbuf *out, const char *text);

/* Columns that text takes on a terminal. */
int escape_width(const char *text);
