#include "comments.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonout.h"
#include "base/mem.h"
#include "base/utf8.h"

void comments_escape(struct strbuf *out, const char *value)
{
	size_t n;

	for (; *value; value += n) {
		uint32_t c = utf8_next(value, &n);

		if (c == '\\')
			strbuf_adds(out, "\\\\");
		else if (c == '\n')
			strbuf_adds(out, "\\n");
		else if (c < 0x20 || c == 0x7f || c == UTF8_BAD)
			strbuf_printf(out, "\\x%02x", (uint8_t)*value);
		else
			strbuf_add(out, value, n);
	}
}

void comments_json(struct strbuf *out, int64_t at_ns, const char *key, const char *value)
{
	strbuf_printf(out, "{\"at_ns\":%lld,\"key\":", (long long)at_ns);
	jsonout_string_marked(out, key);
	strbuf_adds(out, ",\"value\":");
	jsonout_string_marked(out, value);
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
	assert(n < size);
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
	assert(c->text.length > comments_begun_at(c)); /* offsets ascend */
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

	assert(n < c->count && c->ends[n].offset > from);
	*ret_length = c->ends[n].offset - from;
	return c->text.text + from;
}

void comments_release(struct comments *c)
{
	strbuf_release(&c->text);
	free(c->ends);
	*c = (struct comments){0};
}
