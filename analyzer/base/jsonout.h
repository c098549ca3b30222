/*
 * jsonout: JSON text (RFC 8259). One place escapes strings; a writer takes care of commas, line
 * breaks and indentation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/* Appends text as a string in quotes. Characters that act unseen become \uXXXX, bad bytes U+FFFD.
 * NULL: null. */
void jsonout_string(struct strbuf *out, const char *text);

/* The same for text whose bad bytes must not be lost: they become the text \xNN. Only ASCII
 * controls are escaped. */
void jsonout_string_marked(struct strbuf *out, const char *text);

/* Appends bytes of no known encoding as a string: those beyond ASCII become \u00NN. */
void jsonout_bytes(struct strbuf *out, const char *bytes, size_t n);

/* Appends JSON that is valid but may hold raw bad bytes or active characters inside strings. */
void jsonout_raw(struct strbuf *out, const char *json);

/* A document that is being written. Start with {.first = true}; names are NULL inside an array. */
struct jsonout {
	struct strbuf text;
	int depth;
	bool first;
};

/* bracket: '{' or '[', and what closes it. A value of NULL is null. */
void jsonout_begin(struct jsonout *w, const char *name, char bracket);
void jsonout_end(struct jsonout *w, char bracket);
void jsonout_put_text(struct jsonout *w, const char *name, const char *value);
void jsonout_put_int(struct jsonout *w, const char *name, int64_t value);
void jsonout_put_real(struct jsonout *w, const char *name, double value);
void jsonout_put_raw(struct jsonout *w, const char *name, const char *json);
