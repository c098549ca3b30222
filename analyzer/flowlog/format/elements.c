#include "flowlog/format/elements.h"

#include <string.h>

#define JUNK_MAX (1u << 20)

void elements_init(struct elements *e, struct source *s, struct flowlog_sink *sink)
{
	*e = (struct elements){.source = s, .sink = sink};
}

/* The byte at an offset of the window, or -1 at the end of the content or of what may be buffered.
 */
static int elements_byte_at(struct elements *e, size_t offset)
{
	if (offset >= e->source->window.left &&
		(offset >= ELEMENTS_MAX || source_need(e->source, offset + 1) <= offset))
		return -1;
	return e->source->window.at[offset];
}

static bool elements_is_space(int c)
{
	/* 0x1e: the separator of RFC 7464. */
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0x1e;
}

static size_t elements_skip_space(struct elements *e, size_t at)
{
	while (elements_is_space(elements_byte_at(e, at)))
		at++;
	return at;
}

/* From an opening quote to behind the closing one; 0: the string does not end (on its line). */
static size_t elements_skip_string(struct elements *e, size_t at)
{
	for (at++;; at++) {
		int c = elements_byte_at(e, at);

		if (c < 0 || c == '\n')
			return 0;
		if (c == '\\')
			at++;
		else if (c == '"')
			return at + 1;
	}
}

static bool elements_string_is(struct elements *e, size_t at, size_t end, const char *text)
{
	size_t n = strlen(text);

	return end - at == n + 2 && !memcmp(e->source->window.at + at + 1, text, n);
}

static bool elements_holds(struct elements *e, size_t at, size_t end)
{
	return elements_string_is(e, at, end, "records") ||
	       elements_string_is(e, at, end, "events") ||
	       elements_string_is(e, at, end, "logEvents");
}

/* Keeps the value when it is a string that says something about the elements. */
static void elements_keep_string(struct elements *e, size_t key, size_t key_end, size_t value)
{
	bool type = elements_string_is(e, key, key_end, "messageType");
	size_t end, size = type ? sizeof(e->message_type) : sizeof(e->stream);
	char *to = type ? e->message_type : e->stream;

	if (!type && !elements_string_is(e, key, key_end, "logStream"))
		return;
	end = elements_skip_string(e, value);
	if (!end || end - value - 2 >= size)
		return;
	memcpy(to, e->source->window.at + value + 1, end - value - 2);
	to[end - value - 2] = 0;
}

enum frame_result { FRAME_WHOLE, FRAME_AROUND, FRAME_BROKEN };

/*
 * From an opening brace: to behind the closing one (FRAME_WHOLE), or to behind the bracket that
 * opens an array of elements in it (FRAME_AROUND). FRAME_BROKEN: *ret_at is where to go on: the
 * next line that begins with a brace, the end, or the limit.
 */
static enum frame_result elements_frame_object(struct elements *e, size_t at, size_t *ret_at)
{
	size_t key = 0, key_end = 0;
	int depth = 0;

	for (;;) {
		int c = elements_byte_at(e, at);

		*ret_at = at;
		if (c < 0)
			return FRAME_BROKEN;
		if (c == '"') {
			size_t end = elements_skip_string(e, at);

			if (!end)
				break;
			if (depth == 1) {
				key = at;
				key_end = end;
			}
			at = end;
			continue;
		}
		at++;
		if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (--depth == 0) {
				*ret_at = at;
				return FRAME_WHOLE;
			}
		} else if (c == ':' && depth == 1) {
			size_t value = elements_skip_space(e, at);
			int first = elements_byte_at(e, value);

			if (first == '"') {
				elements_keep_string(e, key, key_end, value);
			} else if (first == '[' && elements_holds(e, key, key_end)) {
				*ret_at = value + 1;
				return FRAME_AROUND;
			}
		} else if (c == '\n' && elements_byte_at(e, at) == '{') {
			*ret_at = at;
			return FRAME_BROKEN;
		}
	}
	while (elements_byte_at(e, at) >= 0 &&
		!(elements_byte_at(e, at) == '\n' && elements_byte_at(e, at + 1) == '{'))
		at++;
	*ret_at = elements_byte_at(e, at) >= 0 ? at + 1 : at;
	return FRAME_BROKEN;
}

static void elements_broken(struct elements *e, size_t n)
{
	struct cursor *w = &e->source->window;

	flowlog_malformed(e->sink, ++e->number,
		n >= ELEMENTS_MAX ? "an object larger than 16 MiB"
				  : "a JSON object that does not end",
		w->at, n < 64 ? n : 64);
	(void)cur_take(w, n <= w->left ? n : w->left);
}

/* Goes on behind an object that was too large to hold: at the next line that begins with a brace.
 */
static void elements_resync(struct elements *e)
{
	struct source *s = e->source;

	e->depth = 0;
	while (source_need(s, 2) >= 2) {
		const uint8_t *nl = memchr(s->window.at, '\n', s->window.left - 1);

		(void)cur_take(
			&s->window, nl ? (size_t)(nl - s->window.at) + 1 : s->window.left - 1);
		if (nl && s->window.at[0] == '{')
			return;
	}
	(void)cur_take(&s->window, s->window.left);
}

static void elements_push(struct elements *e, char kind)
{
	if (e->depth < ELEMENTS_DEPTH)
		e->stack[e->depth] = kind;
	e->depth++; /* deeper ones are counted, so that their ends match */
}

static char elements_innermost(const struct elements *e)
{
	if (!e->depth)
		return 0;
	return e->depth <= ELEMENTS_DEPTH ? e->stack[e->depth - 1] : '[';
}

/* A key and its value in an object around elements; descends where it holds them. */
static bool elements_around_key(struct elements *e)
{
	size_t end = elements_skip_string(e, 0), at, next;

	if (!end)
		return false;
	at = elements_skip_space(e, end);
	if (elements_byte_at(e, at) != ':')
		return false;
	at = elements_skip_space(e, at + 1);
	if (elements_byte_at(e, at) == '[' && elements_holds(e, 0, end)) {
		(void)cur_take(&e->source->window, at + 1);
		elements_push(e, '[');
		return true;
	}
	if (elements_byte_at(e, at) == '{' || elements_byte_at(e, at) == '[') {
		/* Within a value, arrays of elements mean nothing: frame it as an array of one. */
		size_t depth = 0, to = at;

		for (;; to++) {
			int c = elements_byte_at(e, to);

			if (c < 0)
				return false;
			if (c == '"') {
				to = elements_skip_string(e, to);
				if (!to--)
					return false;
			} else if (c == '{' || c == '[') {
				depth++;
			} else if ((c == '}' || c == ']') && --depth == 0) {
				break;
			}
		}
		next = to + 1;
	} else if (elements_byte_at(e, at) == '"') {
		elements_keep_string(e, 0, end, at);
		next = elements_skip_string(e, at);
		if (!next)
			return false;
	} else {
		next = at;
		while (elements_byte_at(e, next) >= 0 && !strchr(",}\n", elements_byte_at(e, next)))
			next++;
	}
	(void)cur_take(&e->source->window, next);
	return true;
}

/* What is neither an object nor a bracket: counted, to the end of its line. */
static void elements_junk(struct elements *e)
{
	struct cursor *w = &e->source->window;
	size_t n = 0;

	while (elements_byte_at(e, n) >= 0 && elements_byte_at(e, n) != '\n' && n < JUNK_MAX)
		n++;
	flowlog_malformed(
		e->sink, ++e->number, "neither an object nor an array", w->at, n < 64 ? n : 64);
	(void)cur_take(w, n < w->left ? n + 1 : n);
	e->depth = 0;
}

/* An object: true when it is an element; else it was descended into, or counted as broken. */
static bool elements_object(struct elements *e, size_t *ret_n)
{
	size_t n;

	if (!e->depth)
		e->message_type[0] = e->stream[0] = 0;
	switch (elements_frame_object(e, 0, &n)) {
	case FRAME_WHOLE:
		*ret_n = n;
		return true;
	case FRAME_AROUND:
		(void)cur_take(&e->source->window, n);
		elements_push(e, '{');
		elements_push(e, '[');
		return false;
	case FRAME_BROKEN:
		elements_broken(e, n);
		if (n >= ELEMENTS_MAX)
			elements_resync(e);
		return false;
	}
	return false;
}

bool elements_next(struct elements *e, const char **ret_text, size_t *ret_n)
{
	struct cursor *w = &e->source->window;

	(void)cur_take(w, e->pending);
	e->pending = 0;
	for (int c; (c = elements_byte_at(e, 0)) >= 0;) {
		bool around = elements_innermost(e) == '{';

		if (elements_is_space(c) || c == ',') {
			(void)cur_take(w, 1);
		} else if (!around && c == '[') {
			(void)cur_take(w, 1);
			elements_push(e, '[');
		} else if (e->depth && c == (around ? '}' : ']')) {
			(void)cur_take(w, 1);
			e->depth--;
		} else if (around && c == '"') {
			if (!elements_around_key(e))
				elements_junk(e);
		} else if (!around && c == '{') {
			if (elements_object(e, &e->pending)) {
				e->number++;
				*ret_text = (const char *)w->at;
				*ret_n = e->pending;
				return true;
			}
		} else {
			elements_junk(e);
		}
	}
	return false;
}
