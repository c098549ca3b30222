#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void strbuf_reserve(struct strbuf *sb, size_t more)
{
	size_t need = sb->length + more + 1;

	if (need <= sb->cap)
		return;
	sb->cap = need > 2 * sb->cap ? need : 2 * sb->cap;
	sb->text = mem_realloc(sb->text, sb->cap);
}

void strbuf_add(struct strbuf *sb, const void *bytes, size_t n)
{
	strbuf_reserve(sb, n);
	memcpy(sb->text + sb->length, bytes, n);
	sb->length += n;
	sb->text[sb->length] = 0;
}

void strbuf_adds(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_addc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_printf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	strbuf_reserve(sb, (size_t)n);
	va_start(ap, fmt);
	(void)vsnprintf(sb->text + sb->length, (size_t)n + 1, fmt, ap);
	va_end(ap);
	sb->length += (size_t)n;
}

void strbuf_reset(struct strbuf *sb)
{
	sb->length = 0;
	if (sb->text)
		sb->text[0] = 0;
}

void strbuf_release(struct strbuf *sb)
{
	free(sb->text);
	*sb = (struct strbuf)STRBUF_INIT;
}

char *strbuf_steal(struct strbuf *sb)
{
	char *text = sb->text ? sb->text : mem_strdup("");

	*sb = (struct strbuf)STRBUF_INIT;
	return text;
}
