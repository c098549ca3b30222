/* jsontext: text as a JSON string. */
#pragma once

#include "base/strbuf.h"

/* Adds the text in quotes; what is not ASCII or not printable becomes \u00xx of its byte. */
void json_text_add(struct strbuf *sb, const char *text, size_t n);
