#include "report/html.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "base/jsonout.h"
#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Elements in which a line break would change what is shown, or that read best on one line. */
static bool html_starts_line(const char *name)
{
	static const char *const names[] = {"head", "meta", "title", "style", "script", "body",
		"main", "header", "footer", "nav", "section", "article", "div", "h1", "h2", "h3",
		"p", "ul", "li", "table", "thead", "tbody", "tr", "svg", "g", "details", "dl",
		"figure", NULL};

	for (size_t i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void html_close_tag(struct html *h)
{
	if (h->in_tag)
		(void)fputc('>', h->out);
	h->in_tag = false;
}

void html_init(struct html *h, FILE *out)
{
	*h = (struct html){.out = out};
	(void)fputs("<!DOCTYPE html>", out);
}

void html_finish(struct html *h)
{
	while (h->depth)
		html_end(h, h->open[h->depth - 1]);
	(void)fputc('\n', h->out);
}

/*
 * How the character at s is shown where it may not stand as it is; NULL where it may. shown has
 * room for 16 bytes. What acts without being seen (controls, bidi overrides) becomes visible.
 */
static const char *html_replacement_of(const char *s, char *shown, size_t *ret_size)
{
	uint32_t c = utf8_next(s, ret_size);

	if (c == UINT32_MAX)
		return REPLACEMENT;
	if (c == '\n' || c == '\t' || (!utf8_is_active(c) && (c & 0xfffe) != 0xfffe))
		return NULL;
	/* U+2400 and on are the pictures of the controls. */
	if (c < 0x20)
		(void)snprintf(shown, 16, "\xe2\x90%c", (int)(0x80 + c));
	else if (c == 0x7f)
		(void)snprintf(shown, 16, "\xe2\x90\xa1");
	else
		(void)snprintf(shown, 16, "[U+%04X]", c);
	return shown;
}

static void html_put_char(struct html *h, const char *s, size_t n)
{
	switch (*s) {
	case '&':
		(void)fputs("&amp;", h->out);
		break;
	case '<':
		(void)fputs("&lt;", h->out);
		break;
	case '>':
		(void)fputs("&gt;", h->out);
		break;
	case '"':
		(void)fputs("&quot;", h->out);
		break;
	case '\'':
		(void)fputs("&#39;", h->out);
		break;
	default:
		(void)fwrite(s, 1, n, h->out);
	}
}

static void html_put_escaped(struct html *h, const char *s)
{
	size_t n;

	for (; *s; s += n) {
		char shown[16];
		const char *replacement = html_replacement_of(s, shown, &n);

		if (replacement)
			(void)fputs(replacement, h->out);
		else
			html_put_char(h, s, n);
	}
}

void html_attr(struct html *h, const char *name, const char *value)
{
	assert(h->in_tag);
	if (!value)
		return;
	(void)fprintf(h->out, " %s", name);
	if (!*value)
		return;
	(void)fputs("=\"", h->out);
	html_put_escaped(h, value);
	(void)fputc('"', h->out);
}

static void html_put_start(struct html *h, const char *name, va_list attrs)
{
	const char *attr;

	html_close_tag(h);
	if (html_starts_line(name))
		(void)fputc('\n', h->out);
	(void)fprintf(h->out, "<%s", name);
	h->in_tag = true;
	while ((attr = va_arg(attrs, const char *)))
		html_attr(h, attr, va_arg(attrs, const char *));
}

static void html_push(struct html *h, const char *name)
{
	assert(h->depth < HTML_DEPTH);
	h->open[h->depth++] = name;
}

void html_begin(struct html *h, const char *name, ...)
{
	va_list attrs;

	va_start(attrs, name);
	html_put_start(h, name, attrs);
	va_end(attrs);
	html_push(h, name);
}

void html_end(struct html *h, const char *name)
{
	assert(h->depth && strcmp(h->open[h->depth - 1], name) == 0);
	html_close_tag(h);
	(void)fprintf(h->out, "</%s>", name);
	h->depth--;
}

void html_void(struct html *h, const char *name, ...)
{
	va_list attrs;

	va_start(attrs, name);
	html_put_start(h, name, attrs);
	va_end(attrs);
	/* The slash ends an element of a drawing; on those of the page itself it means nothing. */
	(void)fputs(" />", h->out);
	h->in_tag = false;
}

void html_element(struct html *h, const char *name, const char *text, ...)
{
	va_list attrs;

	va_start(attrs, text);
	html_put_start(h, name, attrs);
	va_end(attrs);
	html_push(h, name);
	html_text(h, text);
	html_end(h, name);
}

void html_text(struct html *h, const char *text)
{
	html_close_tag(h);
	html_put_escaped(h, text ? text : "");
}

void html_textf(struct html *h, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	html_text(h, buf);
}

const char *html_fmt(struct html *h, const char *fmt, ...)
{
	char *buf = h->scratch[h->next_scratch++ % 16];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf, sizeof(h->scratch[0]), fmt, ap);
	va_end(ap);
	return buf;
}

const char *html_shorten(char *out, size_t size, const char *name, unsigned most)
{
	unsigned count = 0, at = 0;
	size_t length = 0, n;

	for (const char *s = name; *s; s += n, count++)
		(void)utf8_next(s, &n);
	for (const char *s = name; *s; s += n, at++) {
		bool cut = count > most && at >= most - most / 2 - 1 && at < count - most / 2;

		(void)utf8_next(s, &n);
		if (length + n + 4 > size)
			break;
		if (cut && at == most - most / 2 - 1) {
			memcpy(out + length, "\xe2\x80\xa6", 3);
			length += 3;
		} else if (!cut) {
			memcpy(out + length, s, n);
			length += n;
		}
	}
	assert(length < size);
	out[length] = '\0';
	return out;
}

void html_trusted(struct html *h, const char *name, const char *text, ...)
{
	va_list attrs;

	va_start(attrs, text);
	html_put_start(h, name, attrs);
	va_end(attrs);
	html_push(h, name);
	html_close_tag(h);
	(void)fputs(text, h->out);
	html_end(h, name);
}

void html_json(struct html *h, const char *id, const struct strbuf *json)
{
	html_trusted(h, "script", json->text ? json->text : "null", "type", "application/json",
		"id", id, NULL);
}

void html_json_string(struct strbuf *sb, const char *text)
{
	CLEANUP_STRBUF struct strbuf shown = STRBUF_INIT, plain = STRBUF_INIT;
	size_t n;

	/* A script would turn an escaped bidi override into a real one: what acts is made visible
	 * here. */
	for (const char *s = text; s && *s; s += n) {
		char buf[16];
		const char *replacement = html_replacement_of(s, buf, &n);

		if (replacement)
			strbuf_adds(&shown, replacement);
		else
			strbuf_add(&shown, s, n);
	}
	jsonout_string(&plain, text && !shown.text ? "" : shown.text);
	/* In a script element, "<" could end it or begin a comment. */
	for (size_t i = 0; i < plain.length; i++)
		if (strchr("<>&", plain.text[i]))
			strbuf_printf(sb, "\\u%04x", (unsigned char)plain.text[i]);
		else
			strbuf_addc(sb, plain.text[i]);
}
