#include "report/escape.h"

#include <string.h>
#include <wchar.h>

#define BAD UINT32_MAX

uint32_t utf8_next(const char *text, size_t *ret_size)
{
	const uint8_t *p = (const uint8_t *)text;
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size;
	uint32_t c;

	*ret_size = 1;
	if (p[0] < 0x80)
		return p[0];
	size = p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return BAD;
	c = p[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return BAD;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < smallest[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return BAD;
	*ret_size = size;
	return c;
}

int escape_is_active(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} acting[] = {
		{0, 0x1f}, {0x7f, 0x9f}, /* C0, DEL, C1 */
		{0xad, 0xad},		 /* soft hyphen */
		{0x61c, 0x61c},		 /* Arabic letter mark */
		{0x180e, 0x180e},	 /* Mongolian vowel separator */
		{0x200b, 0x200f},	 /* zero width, direction marks */
		{0x2028, 0x202e},	 /* line separators, embeddings, overrides */
		{0x2060, 0x206f},	 /* word joiner, isolates, deprecated format characters */
		{0xfeff, 0xfeff},	 /* byte order mark */
		{0xfff9, 0xfffb},	 /* interlinear annotation */
		{0xe0000, 0xe007f},	 /* tags */
	};

	for (size_t i = 0; i < sizeof(acting) / sizeof(acting[0]); i++)
		if (c >= acting[i].from && c <= acting[i].to)
			return 1;
	return 0;
}

void escape_text(struct strbuf *out, const char *text)
{
	size_t size;

	for (; *text; text += size) {
		uint32_t c = utf8_next(text, &size);

		if (c == BAD)
			strbuf_printf(out, "\\x%02x", (uint8_t)*text);
		else if (escape_is_active(c))
			strbuf_printf(out, c < 0x100 ? "\\x%02x" : "\\u{%04x}", c);
		else
			strbuf_add(out, text, size);
	}
}

/* \uXXXX, as two surrogates above the basic plane (RFC 8259 section 7). */
static void escape_json_code(struct strbuf *out, uint32_t c)
{
	if (c < 0x10000) {
		strbuf_printf(out, "\\u%04x", c);
		return;
	}
	c -= 0x10000;
	strbuf_printf(out, "\\u%04x\\u%04x", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

static void escape_json_character(struct strbuf *out, const char *text, size_t size, uint32_t c)
{
	if (c == BAD)
		strbuf_adds(out, "\\ufffd");
	else if (escape_is_active(c))
		escape_json_code(out, c);
	else
		strbuf_add(out, text, size);
}

void escape_json(struct strbuf *out, const char *text)
{
	size_t size;

	if (!text) {
		strbuf_adds(out, "null");
		return;
	}
	strbuf_addc(out, '"');
	for (; *text; text += size) {
		uint32_t c = utf8_next(text, &size);

		if (c == '"' || c == '\\')
			strbuf_addc(out, '\\');
		escape_json_character(out, text, size, c);
	}
	strbuf_addc(out, '"');
}

void escape_json_raw(struct strbuf *out, const char *json)
{
	size_t size;

	/* Outside of strings valid JSON is ASCII; white space there must not become an escape. */
	for (; *json; json += size) {
		uint32_t c = utf8_next(json, &size);

		if (c == '\n' || c == '\r' || c == '\t')
			strbuf_addc(out, ' ');
		else
			escape_json_character(out, json, size, c);
	}
}

void escape_markdown(struct strbuf *out, const char *text)
{
	CLEANUP_STRBUF struct strbuf plain = STRBUF_INIT;

	escape_text(&plain, text);
	for (const char *p = plain.text ? plain.text : ""; *p; p++) {
		if (*p == '<')
			strbuf_adds(out, "&lt;");
		else if (*p == '>')
			strbuf_adds(out, "&gt;");
		else if (*p == '&')
			strbuf_adds(out, "&amp;");
		else {
			if (strchr("\\`*_[]|#~@", *p))
				strbuf_addc(out, '\\');
			strbuf_addc(out, *p);
		}
	}
}

int escape_width(const char *text)
{
	size_t size;
	int width = 0, w;

	for (; *text; text += size) {
		uint32_t c = utf8_next(text, &size);

		w = c == BAD || c < 0x80 ? 1 : wcwidth((wchar_t)c);
		width += w < 0 ? 1 : w;
	}
	return width;
}
