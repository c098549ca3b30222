/*
 * html: the escaping writer. The only place that emits markup: everybody else names elements and
 * attributes that are constants of this program, and hands over text. Whatever the text holds
 * (markup, quotes, control and bidi characters, broken UTF-8), it stays text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/strbuf.h"

#define HTML_DEPTH 48

struct html {
	FILE *out;
	const char *open[HTML_DEPTH]; /* names of the open elements, outermost first */
	unsigned depth;
	bool in_tag;	      /* the start tag of the innermost element is not closed yet */
	char scratch[16][80]; /* for html_fmt() */
	unsigned next_scratch;
};

void html_init(struct html *h, FILE *out); /* writes the document type */
void html_finish(struct html *h);	   /* ends every open element */

/*
 * Starts an element; pairs of attribute name and value follow, ended by NULL. A pair whose value
 * is NULL is left out, one whose value is "" is written bare. Names are constants of this program.
 */
void html_begin(struct html *h, const char *name, ...) __attribute__((sentinel));
void html_attr(struct html *h, const char *name, const char *value); /* right after html_begin() */
void html_end(struct html *h, const char *name); /* of the innermost element, which must be name */

/* An element without content that has no end tag (meta, input, br ...). */
void html_void(struct html *h, const char *name, ...) __attribute__((sentinel));

/* Begin, text, end. text NULL counts as "". */
void html_element(struct html *h, const char *name, const char *text, ...)
	__attribute__((sentinel));

void html_text(struct html *h, const char *text); /* NULL counts as "" */
void html_textf(struct html *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Short formatted text for attribute values: cut at 79 bytes, valid until 16 further calls. */
const char *html_fmt(struct html *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Name, or its beginning and end with an ellipsis between, so that it has at most most characters.
 * Cut to size. */
const char *html_shorten(char *out, size_t size, const char *name, unsigned most);

/* Content of our own that was made at build time (style sheets, scripts), or by this writer. */
void html_trusted(struct html *h, const char *name, const char *text, ...)
	__attribute__((sentinel));

/* <script type="application/json" id=ID> with JSON made by the functions below. */
void html_json(struct html *h, const char *id, const struct strbuf *json);

/* Text as a JSON string that is safe inside a script element too. NULL gives null. */
void html_json_string(struct strbuf *sb, const char *text);
