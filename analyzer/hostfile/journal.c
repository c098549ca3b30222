#include "hostfile/journal.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "hostfile/log.h"

#define MESSAGE_MAX 8192

/* An entry of the journal, as far as it matters here. */
struct journal_entry {
	int64_t at_us; /* 0: none */
	int level;     /* -1: none */
	char program[64], message[MESSAGE_MAX];
};

static void journal_put(struct kernel *k, uint64_t line, const struct journal_entry *e)
{
	struct stamp at = {.kind = STAMP_ABSOLUTE};

	if (e->at_us <= 0 || e->at_us > INT64_C(4102444800000000) || !e->message[0]) {
		k->c->file->malformed++;
		return;
	}
	at.ns = e->at_us * NSEC_PER_USEC;
	(void)snprintf(at.written, sizeof(at.written), "%lld", (long long)e->at_us);
	log_program(k, line, &at, e->level, e->program, e->message);
}

/* A field by its name; the kernel's entries have no identifier in some versions, but a transport.
 */
static void journal_field(struct journal_entry *e, const char *name, const char *value)
{
	if (strcmp(name, "__REALTIME_TIMESTAMP") == 0)
		e->at_us = strtoll(value, NULL, 10);
	else if (strcmp(name, "PRIORITY") == 0 && isdigit((unsigned char)*value))
		e->level = *value - '0';
	else if (strcmp(name, "SYSLOG_IDENTIFIER") == 0 ||
		 (strcmp(name, "_TRANSPORT") == 0 && strcmp(value, "kernel") == 0))
		(void)snprintf(e->program, sizeof(e->program), "%.63s", value);
	else if (strcmp(name, "MESSAGE") == 0)
		(void)snprintf(e->message, sizeof(e->message), "%.8191s", value);
}

/* Text, or the bytes of what is no UTF-8 as an array of numbers. */
static void journal_json_field(struct journal_entry *e, const char *name, const json_t *value)
{
	char text[MESSAGE_MAX];
	size_t n = 0;

	if (json_is_string(value)) {
		journal_field(e, name, json_string_value(value));
		return;
	}
	for (size_t i = 0; i < json_array_size(value) && n + 1 < sizeof(text); i++) {
		json_int_t byte = json_integer_value(json_array_get(value, i));

		text[n++] = byte > 0 && byte < 256 ? (char)byte : ' ';
	}
	text[n] = '\0';
	if (n)
		journal_field(e, name, text);
}

/* Where the object of a line begins: behind what json-seq and json-sse put in front. */
static const char *journal_object(const char *line)
{
	if (*line == 0x1e)
		line++;
	if (strncmp(line, "data: ", 6) == 0)
		line += 6;
	return *line == '{' ? line : NULL;
}

bool journal_json_recognise(const struct hostfile_head *head)
{
	return journal_object(head->bytes) && strstr(head->bytes, "\"__REALTIME_TIMESTAMP\"");
}

static bool journal_json_line(struct kernel *k, uint64_t number, const char *text)
{
	static const char *const names[] = {
		"__REALTIME_TIMESTAMP", "PRIORITY", "_TRANSPORT", "SYSLOG_IDENTIFIER", "MESSAGE"};
	json_t *root = json_loads(text, JSON_ALLOW_NUL, NULL);
	struct journal_entry e = {.level = -1};

	if (!json_is_object(root)) {
		json_decref(root);
		return false;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		journal_json_field(&e, names[i], json_object_get(root, names[i]));
	json_decref(root);
	journal_put(k, number, &e);
	return true;
}

void journal_json_parse(struct reader *r, struct collection *c)
{
	struct kernel k;
	char *line;
	size_t size;

	kernel_init(&k, c);
	while (reader_line(r, &line, &size)) {
		const char *object = journal_object(line);

		if (!*line)
			continue;
		if (!object || !journal_json_line(&k, r->line, object))
			c->file->malformed++;
	}
	kernel_finish(&k);
}

bool journal_export_recognise(const struct hostfile_head *head)
{
	return strncmp(head->bytes, "__CURSOR=", 9) == 0;
}

/*
 * NAME=VALUE, and an empty line ends the entry. A value that is no text comes as NAME, eight bytes
 * of length and the bytes: of these the first line is taken.
 */
void journal_export_parse(struct reader *r, struct collection *c)
{
	struct journal_entry e = {.level = -1};
	char *line, *equals, binary[64] = "";
	uint64_t began = 1;
	struct kernel k;
	size_t size;

	kernel_init(&k, c);
	while (reader_line(r, &line, &size)) {
		equals = strchr(line, '=');
		if (binary[0]) {
			journal_field(&e, binary, size > 8 ? line + 8 : "");
			binary[0] = '\0';
		} else if (!*line) {
			if (e.at_us)
				journal_put(&k, began, &e);
			e = (struct journal_entry){.level = -1};
			began = r->line + 1;
		} else if (equals) {
			*equals = '\0';
			journal_field(&e, line, equals + 1);
		} else {
			(void)snprintf(binary, sizeof(binary), "%.63s", line);
		}
	}
	if (e.at_us)
		journal_put(&k, began, &e);
	kernel_finish(&k);
}

bool journal_dmesg_recognise(const struct hostfile_head *head)
{
	const char *p = head->bytes + strspn(head->bytes, " \t\r\n{");

	return *head->bytes == '{' && strncmp(p, "\"dmesg\"", 7) == 0;
}

static int journal_level(const json_t *pri)
{
	static const char *const names[] = {
		"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"};

	if (json_is_integer(pri))
		return (int)(json_integer_value(pri) & 7);
	for (int i = 0; i < 8 && json_is_string(pri); i++)
		if (strcmp(json_string_value(pri), names[i]) == 0)
			return i;
	return -1;
}

/* "time" is a number of seconds since the boot, or what --time-format makes of it. */
static bool journal_dmesg_time(const json_t *time, struct stamp *ret)
{
	char text[80];

	if (json_is_number(time))
		(void)snprintf(text, sizeof(text), "[%.6f]", json_number_value(time));
	else if (json_is_string(time) && isupper((unsigned char)*json_string_value(time)))
		(void)snprintf(text, sizeof(text), "[%.70s]", json_string_value(time));
	else
		(void)snprintf(text, sizeof(text), "%.79s",
			json_is_string(time) ? json_string_value(time) : "");
	return stamp_take(text, ret) > 0;
}

void journal_dmesg_parse(struct reader *r, struct collection *c)
{
	size_t size;
	char *text CLEANUP_FREE = reader_whole(r, &size);
	json_t *root = text ? json_loadb(text, size, JSON_ALLOW_NUL, NULL) : NULL;
	const json_t *lines = json_object_get(root, "dmesg");
	struct kernel k;

	kernel_init(&k, c);
	c->file->malformed += !json_is_array(lines);
	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *entry = json_array_get(lines, i);
		const char *message = json_string_value(json_object_get(entry, "msg"));
		struct stamp at;

		if (!message || !journal_dmesg_time(json_object_get(entry, "time"), &at)) {
			c->file->malformed++;
			continue;
		}
		collection_log_line(c, &at);
		kernel_line(&k, i + 1, &at, journal_level(json_object_get(entry, "pri")), message);
	}
	kernel_finish(&k);
	json_decref(root);
}
