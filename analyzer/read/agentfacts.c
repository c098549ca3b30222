#include "read/agentfacts.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char first_line[] = "bothends-facts 1 at_ns=";

static int agentfacts_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* A decimal number of at most size bytes, followed by until (or the end); NULL: it is none. */
static const char *agentfacts_take_number(
	const char *p, const char *end, char until, int64_t *ret_number)
{
	bool negative = p < end && *p == '-';
	const char *digits = negative ? p + 1 : p;
	uint64_t v = 0;

	for (p = digits; p < end && *p >= '0' && *p <= '9'; p++) {
		if (v > (INT64_MAX - 9) / 10)
			return NULL;
		v = v * 10 + (uint64_t)(*p - '0');
	}
	if (p == digits || (p < end && *p != until))
		return NULL;
	*ret_number = negative ? -(int64_t)v : (int64_t)v;
	return p;
}

/*
 * Undoes \\ and \n in place. \xHH stays as it stands: it speaks of a byte that is no text. A NUL
 * cannot come about; raw ones were cut when the comment was read.
 */
static void agentfacts_unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && (s[1] == '\\' || s[1] == 'n'))
			*to++ = *++s == 'n' ? '\n' : '\\';
		else
			*to++ = *s;
	}
	*to = '\0';
}

/* line is a copy of ours, without its newline. */
static bool agentfacts_comment_line(char *line, int64_t at_ns, agentfacts_sink *sink, void *context)
{
	struct agent_fact f = {.at_ns = at_ns};
	char *value;

	if (*line == '@') {
		const char *end = line + strlen(line),
			   *p = agentfacts_take_number(line + 1, end, ' ', &f.at_ns);

		if (!p || p == end)
			return false;
		line += p + 1 - line;
	}
	value = strchr(line, '=');
	if (!value || value == line)
		return false;
	*value++ = '\0';
	agentfacts_unescape(value);
	f.key = line;
	f.value = value;
	sink(context, &f);
	return true;
}

int agentfacts_comment(const char *text, size_t size, agentfacts_sink *sink, void *context,
	struct agentfacts_count *count)
{
	const size_t prefix = sizeof(first_line) - 1;
	const char *end = text + size, *p, *newline;
	int64_t at_ns;

	if (size < prefix || memcmp(text, first_line, prefix) != 0)
		return AGENTFACTS_NOT_OURS;
	newline = memchr(text, '\n', size);
	p = newline ? newline : end;
	/* Other words may follow the time one day. */
	if (!agentfacts_take_number(text + prefix, p, ' ', &at_ns))
		return AGENTFACTS_NOT_OURS;
	for (p = newline ? newline + 1 : end; p < end; p = newline + 1) {
		CLEANUP_FREE char *line = NULL;

		newline = memchr(p, '\n', (size_t)(end - p));
		if (!newline)
			newline = end;
		if (newline == p)
			continue;
		line = mem_strndup(p, (size_t)(newline - p));
		if (agentfacts_comment_line(line, at_ns, sink, context))
			count->facts++;
		else
			count->malformed++;
	}
	return AGENTFACTS_OK;
}

static bool agentfacts_sidecar_line(
	const char *line, size_t size, agentfacts_sink *sink, void *context)
{
	json_t *root = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	json_t *at = json_object_get(root, "at_ns"), *key = json_object_get(root, "key");
	json_t *value = json_object_get(root, "value");
	bool good = json_is_integer(at) && json_is_string(key) && json_is_string(value) &&
		    *json_string_value(key);

	if (good) {
		struct agent_fact f = {.at_ns = json_integer_value(at),
			.key = json_string_value(key),
			.value = json_string_value(value)};

		sink(context, &f);
	}
	json_decref(root);
	return good;
}

void agentfacts_sidecar(const char *bytes, size_t size, agentfacts_sink *sink, void *context,
	struct agentfacts_count *count)
{
	const char *end = bytes + size, *newline;

	for (const char *p = bytes; p < end; p = newline + 1) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (!newline) {
			count->torn++;
			return;
		}
		if (newline == p)
			continue;
		if (agentfacts_sidecar_line(p, (size_t)(newline - p), sink, context))
			count->facts++;
		else
			count->malformed++;
	}
}

static void agentfacts_note_one(void *context, const struct agent_fact *fact)
{
	(void)fact;
	*(bool *)context = true;
}

bool agentfacts_recognise(const char *bytes, size_t size)
{
	const char *newline = size ? memchr(bytes, '\n', size) : NULL;
	bool seen = false;

	return newline && *bytes == '{' &&
	       agentfacts_sidecar_line(
		       bytes, (size_t)(newline - bytes), agentfacts_note_one, &seen) &&
	       seen;
}

bool agentfacts_word(const char *value, const char *name, bool to_end, char *ret_text, size_t size)
{
	size_t length = strlen(name);

	for (const char *p = value; *p;) {
		size_t word = strcspn(p, " ");

		if (word > length && memcmp(p, name, length) == 0 && p[length] == '=') {
			const char *text = p + length + 1;
			size_t n = to_end ? strlen(text) : word - length - 1;

			if (n >= size)
				return false;
			memcpy(ret_text, text, n);
			ret_text[n] = '\0';
			return true;
		}
		p += word;
		p += strspn(p, " ");
	}
	return false;
}

bool agentfacts_number(const char *value, const char *name, int64_t *ret_number)
{
	char text[24];

	return agentfacts_word(value, name, false, text, sizeof(text)) &&
	       agentfacts_take_number(text, text + strlen(text), '\0', ret_number);
}

bool agentfacts_key_part(const char *key, unsigned part, char *ret_text, size_t size)
{
	size_t n = 0;

	for (; part; part--) {
		key = strchr(key, '.');
		if (!key)
			return false;
		key++;
	}
	for (; *key && *key != '.'; key++) {
		int high, low;
		char c = *key;

		if (c == '%' && (high = agentfacts_hex_value(key[1])) >= 0 &&
			(low = agentfacts_hex_value(key[2])) >= 0) {
			c = (char)(high << 4 | low);
			key += 2;
		}
		if (n + 1 >= size || !c)
			return false;
		ret_text[n++] = c;
	}
	if (!size)
		return false;
	ret_text[n] = '\0';
	return n > 0;
}

static bool agentfacts_cut_suffix(char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	if (n <= m || strcmp(path + n - m, suffix) != 0)
		return false;
	path[n - m] = '\0';
	return true;
}

char *agentfacts_sidecar_path(const char *capture_path)
{
	CLEANUP_FREE char *stem = mem_strdup(capture_path);

	(void)(agentfacts_cut_suffix(stem, ".gz") || agentfacts_cut_suffix(stem, ".zst"));
	(void)(agentfacts_cut_suffix(stem, ".pcapng") || agentfacts_cut_suffix(stem, ".pcap"));
	return mem_printf("%s.facts.jsonl", stem);
}
