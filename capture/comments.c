#include "comments.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Length of the UTF-8 character at s (RFC 3629: shortest form, no surrogates), or 0. */
static size_t comments_utf8_length(const unsigned char *s)
{
	uint32_t c = s[0], min;
	size_t n, i;

	if (c < 0x80)
		return 1;
	n = c >= 0xf0 && c < 0xf8 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 0;
	if (!n || c >= 0xf8)
		return 0;
	min = n == 2 ? 0x80 : n == 3 ? 0x800 : 0x10000;
	c &= 0x7fU >> n;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fU);
	}
	return c < min || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

void comments_escape(struct strbuf *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	size_t n;

	for (; *s; s += n) {
		n = comments_utf8_length(s);
		if (*s == '\\') {
			strbuf_adds(out, "\\\\");
		} else if (*s == '\n') {
			strbuf_adds(out, "\\n");
		} else if (*s < 0x20 || *s == 0x7f || !n) {
			strbuf_printf(out, "\\x%02x", *s);
			n = 1;
		} else {
			strbuf_add(out, s, n);
		}
	}
}

void comments_quote(struct strbuf *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	size_t n;

	strbuf_addc(out, '"');
	for (; *s; s += n) {
		n = comments_utf8_length(s);
		if (*s == '"' || *s == '\\') {
			strbuf_printf(out, "\\%c", *s);
		} else if (!n) {
			strbuf_printf(out, "\\\\x%02x", *s);
			n = 1;
		} else if (*s < 0x20 || *s == 0x7f) {
			strbuf_printf(out, "\\u%04x", *s);
		} else {
			strbuf_add(out, s, n);
		}
	}
	strbuf_addc(out, '"');
}

void comments_json(struct strbuf *out, int64_t at_ns, const char *key, const char *value)
{
	strbuf_printf(out, "{\"at_ns\":%lld,\"key\":", (long long)at_ns);
	comments_quote(out, key);
	strbuf_adds(out, ",\"value\":");
	comments_quote(out, value);
	strbuf_adds(out, "}\n");
}

const char *comments_word(char *out, size_t size, const char *word)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = (const unsigned char *)word;
	size_t n = 0;

	for (; *s && n + 4 < size; s++) {
		if (isalnum(*s) || strchr("_-:@", *s)) {
			out[n++] = (char)*s;
		} else {
			out[n++] = '%';
			out[n++] = hex[*s >> 4];
			out[n++] = hex[*s & 15];
		}
	}
	out[n] = '\0';
	return out;
}

static void comments_first_line(struct comments *c)
{
	strbuf_printf(&c->text, "bothends-facts 1 at_ns=%lld\n", (long long)c->at_ns);
}

static size_t comments_begun_at(const struct comments *c)
{
	return c->count ? c->ends[c->count - 1].offset : 0;
}

void comments_begin(struct comments *c, int64_t at_ns)
{
	strbuf_reset(&c->text);
	c->count = 0;
	c->at_ns = at_ns;
}

void comments_end(struct comments *c)
{
	if (c->text.length == comments_begun_at(c))
		return;
	MEM_RESERVE(c->ends, c->count, c->cap);
	c->ends[c->count++].offset = c->text.length;
}

void comments_add(struct comments *c, int64_t at_ns, const char *key, const char *value)
{
	/* Escaping makes at most four bytes of one; a fact is never split over two comments. */
	size_t most = strlen(key) + 4 * strlen(value) + 64;

	if (c->text.length - comments_begun_at(c) + most > COMMENT_MAX)
		comments_end(c);
	if (c->text.length == comments_begun_at(c))
		comments_first_line(c);
	if (at_ns != c->at_ns)
		strbuf_printf(&c->text, "@%lld ", (long long)at_ns);
	strbuf_adds(&c->text, key);
	strbuf_addc(&c->text, '=');
	comments_escape(&c->text, value);
	strbuf_addc(&c->text, '\n');
}

const char *comments_get(const struct comments *c, size_t n, size_t *ret_length)
{
	size_t from = n ? c->ends[n - 1].offset : 0;

	*ret_length = c->ends[n].offset - from;
	return c->text.text + from;
}

void comments_release(struct comments *c)
{
	strbuf_release(&c->text);
	free(c->ends);
	*c = (struct comments){0};
}
