#include "base/jsonout.h"

#include <assert.h>

#include "base/utf8.h"

/* \uXXXX, as two surrogates above the basic plane (RFC 8259 section 7). */
static void jsonout_code(struct strbuf *out, uint32_t c)
{
	if (c < 0x10000) {
		strbuf_printf(out, "\\u%04x", c);
		return;
	}
	c -= 0x10000;
	strbuf_printf(out, "\\u%04x\\u%04x", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

/* A character inside a string: the only place that knows what JSON does not take as it is. */
static void jsonout_char(
	struct strbuf *out, const char *text, size_t size, uint32_t c, bool escaped)
{
	if (escaped) {
		jsonout_code(out, c);
		return;
	}
	if (c == '"' || c == '\\')
		strbuf_addc(out, '\\');
	strbuf_add(out, text, size);
}

void jsonout_string(struct strbuf *out, const char *text)
{
	size_t size;

	if (!text) {
		strbuf_adds(out, "null");
		return;
	}
	strbuf_addc(out, '"');
	for (; *text; text += size) {
		uint32_t c = utf8_next(text, &size);

		if (c == UTF8_BAD)
			jsonout_code(out, 0xfffd);
		else
			jsonout_char(out, text, size, c, utf8_is_active(c));
	}
	strbuf_addc(out, '"');
}

void jsonout_string_marked(struct strbuf *out, const char *text)
{
	size_t size;

	strbuf_addc(out, '"');
	for (; *text; text += size) {
		uint32_t c = utf8_next(text, &size);

		if (c == UTF8_BAD)
			strbuf_printf(out, "\\\\x%02x", (uint8_t)*text);
		else
			jsonout_char(out, text, size, c, c < 0x20 || c == 0x7f);
	}
	strbuf_addc(out, '"');
}

void jsonout_bytes(struct strbuf *out, const char *bytes, size_t n)
{
	strbuf_addc(out, '"');
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)bytes[i];

		jsonout_char(out, bytes + i, 1, c, c < 0x20 || c >= 0x7f);
	}
	strbuf_addc(out, '"');
}

void jsonout_raw(struct strbuf *out, const char *json)
{
	size_t size;

	/* Outside of strings valid JSON is ASCII; white space there must not become an escape. */
	for (; *json; json += size) {
		uint32_t c = utf8_next(json, &size);

		if (c == '\n' || c == '\r' || c == '\t')
			strbuf_addc(out, ' ');
		else if (c == UTF8_BAD)
			jsonout_code(out, 0xfffd);
		else if (utf8_is_active(c))
			jsonout_code(out, c);
		else
			strbuf_add(out, json, size);
	}
}

static void jsonout_next(struct jsonout *w)
{
	if (!w->first)
		strbuf_addc(&w->text, ',');
	if (w->depth) {
		strbuf_addc(&w->text, '\n');
		for (int i = 0; i < w->depth; i++)
			strbuf_adds(&w->text, "  ");
	}
	w->first = false;
}

static void jsonout_name(struct jsonout *w, const char *name)
{
	jsonout_next(w);
	if (name) {
		jsonout_string(&w->text, name);
		strbuf_adds(&w->text, ": ");
	}
}

void jsonout_begin(struct jsonout *w, const char *name, char bracket)
{
	jsonout_name(w, name);
	strbuf_addc(&w->text, bracket);
	w->depth++;
	w->first = true;
}

void jsonout_end(struct jsonout *w, char bracket)
{
	assert(w->depth > 0);
	w->depth--;
	if (!w->first) {
		w->first = true;
		jsonout_next(w);
	}
	strbuf_addc(&w->text, bracket);
	w->first = false;
}

void jsonout_put_text(struct jsonout *w, const char *name, const char *value)
{
	jsonout_name(w, name);
	jsonout_string(&w->text, value);
}

void jsonout_put_int(struct jsonout *w, const char *name, int64_t value)
{
	jsonout_name(w, name);
	strbuf_printf(&w->text, "%lld", (long long)value);
}

void jsonout_put_real(struct jsonout *w, const char *name, double value)
{
	jsonout_name(w, name);
	strbuf_printf(&w->text, "%.6g", value);
}

void jsonout_put_raw(struct jsonout *w, const char *name, const char *json)
{
	jsonout_name(w, name);
	jsonout_raw(&w->text, json);
}
