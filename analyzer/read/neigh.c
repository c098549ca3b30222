#include "read/neigh.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 1024
#define AGE_MAX_S 4000000000 /* the kernel counts in 32 bits */

static const char *const states[] = {"INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED",
	"NOARP", "PERMANENT", "NONE"};

static const struct neigh_entry empty_entry = {
	.state = "NONE", .used_s = -1, .confirmed_s = -1, .updated_s = -1};

static bool neigh_canonical_ip(const char *text, char ret_ip[46])
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return inet_ntop(AF_INET, bytes, ret_ip, 46) != NULL;
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return inet_ntop(AF_INET6, bytes, ret_ip, 46) != NULL;
	return false;
}

/* Pairs of hex digits between colons: 6 bytes on Ethernet, up to 20 elsewhere. */
static bool neigh_canonical_mac(const char *text, char ret_mac[60])
{
	size_t n = strlen(text);

	if (n < 2 || n >= 60 || n % 3 != 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool colon = i % 3 == 2;

		if (colon ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return false;
		ret_mac[i] = (char)tolower((unsigned char)text[i]);
	}
	ret_mac[n] = '\0';
	return true;
}

static bool neigh_set_state(struct neigh_entry *e, const char *text)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(text, states[i]) == 0) {
			(void)snprintf(e->state, sizeof(e->state), "%s", states[i]);
			return true;
		}
	return false;
}

/* "used 1/61/1probes": three ages, with no blank before the next word in some versions of ip. */
static bool neigh_set_ages(struct neigh_entry *e, const char *text)
{
	long long used, confirmed, updated;

	if (sscanf(text, "%10lld/%10lld/%10lld", &used, &confirmed, &updated) != 3 || used < 0 ||
		confirmed < 0 || updated < 0)
		return false;
	e->used_s = used;
	e->confirmed_s = confirmed;
	e->updated_s = updated;
	return true;
}

/* One line of text. 1: an entry, 0: a proxy entry, -1: neither. line is a copy of ours. */
static int neigh_text_entry(char *line, struct neigh_entry *e)
{
	char *save = NULL, *word = strtok_r(line, " \t\r", &save), *value;
	bool stated = false, proxy = false;

	*e = empty_entry;
	if (!word || !neigh_canonical_ip(word, e->ip))
		return -1;
	while ((word = strtok_r(NULL, " \t\r", &save))) {
		bool takes = strcmp(word, "dev") == 0 || strcmp(word, "lladdr") == 0 ||
			     strcmp(word, "used") == 0 || strcmp(word, "ref") == 0;

		value = takes ? strtok_r(NULL, " \t\r", &save) : NULL;
		if (takes && !value)
			return -1;
		if (strcmp(word, "dev") == 0) {
			if (strlen(value) >= sizeof(e->interface))
				return -1;
			(void)snprintf(e->interface, sizeof(e->interface), "%s", value);
		} else if (strcmp(word, "lladdr") == 0) {
			if (!neigh_canonical_mac(value, e->mac))
				return -1;
		} else if (strcmp(word, "used") == 0) {
			if (!neigh_set_ages(e, value))
				return -1;
		} else if (strcmp(word, "proxy") == 0) {
			proxy = true;
		} else if (neigh_set_state(e, word)) {
			stated = true;
		}
		/* Other words (router, extern_learn, offload, probes, protocol ...) say nothing we
		 * use. */
	}
	if (proxy)
		return 0;
	return stated ? 1 : -1;
}

static bool neigh_next_line(
	const char **p, const char *end, char line[LINE_MAX_BYTES], bool *ret_fits)
{
	const char *newline;
	size_t n;

	if (*p >= end)
		return false;
	newline = memchr(*p, '\n', (size_t)(end - *p));
	n = (size_t)((newline ? newline : end) - *p);
	*ret_fits = n < LINE_MAX_BYTES && !memchr(*p, '\0', n);
	if (*ret_fits) {
		memcpy(line, *p, n);
		line[n] = '\0';
	}
	*p = newline ? newline + 1 : end;
	return true;
}

static bool neigh_blank(const char *line)
{
	return line[strspn(line, " \t\r")] == '\0';
}

static void neigh_parse_text(
	const char *bytes, size_t size, neigh_sink *sink, void *context, struct neigh_count *count)
{
	const char *p = bytes, *end = bytes + size;
	char line[LINE_MAX_BYTES];
	bool fits;

	while (neigh_next_line(&p, end, line, &fits)) {
		struct neigh_entry e;
		int kind;

		if (fits && neigh_blank(line))
			continue;
		kind = fits ? neigh_text_entry(line, &e) : -1;
		if (kind > 0) {
			count->entries++;
			sink(context, &e);
		} else if (kind == 0) {
			count->left_out++;
		} else {
			count->malformed++;
		}
	}
}

static int64_t neigh_json_age(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	return json_is_integer(v) && json_integer_value(v) >= 0 &&
			       json_integer_value(v) <= AGE_MAX_S
		       ? json_integer_value(v)
		       : -1;
}

static int neigh_json_entry(const json_t *object, struct neigh_entry *e)
{
	const char *ip = json_string_value(json_object_get(object, "dst"));
	const char *mac = json_string_value(json_object_get(object, "lladdr"));
	const char *dev = json_string_value(json_object_get(object, "dev"));
	const json_t *state = json_object_get(object, "state");
	const char *word =
		json_string_value(json_is_array(state) ? json_array_get(state, 0) : state);

	*e = empty_entry;
	if (!ip || !neigh_canonical_ip(ip, e->ip))
		return -1;
	if (json_object_get(object, "proxy"))
		return 0;
	if ((mac && !neigh_canonical_mac(mac, e->mac)) ||
		(dev && strlen(dev) >= sizeof(e->interface)) || !word || !neigh_set_state(e, word))
		return -1;
	(void)snprintf(e->interface, sizeof(e->interface), "%s", dev ? dev : "");
	e->used_s = neigh_json_age(object, "used");
	e->confirmed_s = neigh_json_age(object, "confirmed");
	e->updated_s = neigh_json_age(object, "updated");
	return 1;
}

static void neigh_parse_json(
	const char *bytes, size_t size, neigh_sink *sink, void *context, struct neigh_count *count)
{
	json_t *root = json_loadb(bytes, size, 0, NULL);

	if (!json_is_array(root))
		count->malformed++;
	for (size_t i = 0; i < json_array_size(root); i++) {
		struct neigh_entry e;
		int kind = neigh_json_entry(json_array_get(root, i), &e);

		if (kind > 0) {
			count->entries++;
			sink(context, &e);
		} else if (kind == 0) {
			count->left_out++;
		} else if (json_object_size(json_array_get(root, i))) {
			/* ip prints empty objects for entries that its filter left out */
			count->malformed++;
		}
	}
	json_decref(root);
}

/* The first byte that is not blank; size when there is none. */
static size_t neigh_first_byte(const char *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && isspace((unsigned char)bytes[i]))
		i++;
	return i;
}

/* "[ {" and then "dst" as the first key of the first object that has one. */
static bool neigh_json_begins(const char *p, const char *end)
{
	static const char key[] = "\"dst\"";

	p++;
	for (;;) {
		p += neigh_first_byte(p, (size_t)(end - p));
		if (p >= end || *p++ != '{')
			return false;
		p += neigh_first_byte(p, (size_t)(end - p));
		if (p >= end || *p != '}')
			break;
		p++;
		p += neigh_first_byte(p, (size_t)(end - p));
		if (p >= end || *p++ != ',')
			return false;
	}
	return (size_t)(end - p) >= sizeof(key) - 1 && memcmp(p, key, sizeof(key) - 1) == 0;
}

bool neigh_recognise(const char *bytes, size_t size)
{
	size_t i = neigh_first_byte(bytes, size);
	const char *p = bytes + i, *end = bytes + size;
	char line[LINE_MAX_BYTES];
	struct neigh_entry e;
	bool fits;

	if (i < size && *p == '[')
		return neigh_json_begins(p, end);
	return neigh_next_line(&p, end, line, &fits) && fits && neigh_text_entry(line, &e) >= 0;
}

void neigh_parse(
	const char *bytes, size_t size, neigh_sink *sink, void *context, struct neigh_count *count)
{
	size_t i = neigh_first_byte(bytes, size);

	if (i < size && bytes[i] == '[')
		neigh_parse_json(bytes + i, size - i, sink, context, count);
	else
		neigh_parse_text(bytes, size, sink, context, count);
}
