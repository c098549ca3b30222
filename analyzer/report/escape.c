#include "report/escape.h"

#include <string.h>
#include <wchar.h>

#include "base/utf8.h"

void escape_text(struct strbuf *out, const char *text)
{
	size_t size;

	for (; *text; text += size) {
		uint32_t c = utf8_next(text, &size);

		if (c == UTF8_BAD)
			strbuf_printf(out, "\\x%02x", (uint8_t)*text);
		else if (utf8_is_active(c))
			strbuf_printf(out, c < 0x100 ? "\\x%02x" : "\\u{%04x}", c);
		else
			strbuf_add(out, text, size);
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

		w = c == UTF8_BAD || c < 0x80 ? 1 : wcwidth((wchar_t)c);
		width += w < 0 ? 1 : w;
	}
	return width;
}
