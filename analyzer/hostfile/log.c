#include "hostfile/log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROGRAM_SIZE 64
#define LINES_LOOKED_AT 20

/* One line, taken apart; the texts are parts of it. */
struct log_entry {
	struct stamp at;
	int level;		    /* -1: not said */
	char program[PROGRAM_SIZE]; /* without path and process ID; "": the kernel's own log */
	const char *message;
};

/* "<4>" in front: facility times 8 and level. */
static const char *log_priority(const char *p, int *ret_level)
{
	char *end;
	long v;

	if (*p != '<' || !isdigit((unsigned char)p[1]))
		return p;
	v = strtol(p + 1, &end, 10);
	if (*end != '>' || v > 191)
		return p;
	*ret_level = (int)(v & 7);
	return end + 1;
}

/* "kern  :warn  : " in front, of dmesg -x. */
static const char *log_decoded(const char *p, int *ret_level)
{
	static const char *const names[] = {
		"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"};
	size_t facility = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789"), blanks, n;
	const char *level;

	if (!facility || facility > 8)
		return p;
	blanks = strspn(p + facility, " ");
	level = p + facility + blanks + 1;
	if (p[facility + blanks] != ':')
		return p;
	n = strspn(level, "abcdefghijklmnopqrstuvwxyz");
	for (int i = 0; i < 8; i++)
		if (strlen(names[i]) == n && strncmp(level, names[i], n) == 0) {
			level += n + strspn(level + n, " ");
			*ret_level = i;
			return *level == ':' ? level + 1 + strspn(level + 1, " ") : p;
		}
	return p;
}

/* "/usr/sbin/keepalived[123]:" to "keepalived"; NULL: no program stands here. */
static const char *log_tag(const char *p, char program[PROGRAM_SIZE])
{
	size_t n = strcspn(p, "[: "), from = 0;
	const char *end = p + n;

	if (!n)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (p[i] == '/')
			from = i + 1;
	if (n - from == 0 || n - from >= PROGRAM_SIZE)
		return NULL;
	if (*end == '[') {
		end = strchr(end, ']');
		if (!end)
			return NULL;
		end++;
	}
	if (*end != ':')
		return NULL;
	memcpy(program, p + from, n - from);
	program[n - from] = '\0';
	return end + 1 + strspn(end + 1, " ");
}

/* "1 2026-11-28T10:00:00Z host program 123 ID [data] message" (RFC 5424), after the priority. */
static bool log_rfc5424(const char *p, struct log_entry *e)
{
	size_t n;

	if (p[0] != '1' || p[1] != ' ' || !(n = stamp_take(p + 2, &e->at)))
		return false;
	p += 2 + n;
	p += strcspn(p, " ");
	p += *p == ' ';
	n = strcspn(p, " ");
	if (!n || n >= PROGRAM_SIZE)
		return false;
	memcpy(e->program, p, n);
	e->program[n] = '\0';
	for (int i = 0; i < 3; i++) {
		p += strcspn(p, " ");
		p += *p == ' ';
	}
	if (*p == '[') {
		while (*p == '[' && strchr(p, ']'))
			p = strchr(p, ']') + 1;
		p += *p == ' ';
	} else if (p[0] == '-' && (p[1] == ' ' || !p[1])) {
		p += p[1] ? 2 : 1;
	}
	e->message = strncmp(p, "\xef\xbb\xbf", 3) == 0 ? p + 3 : p;
	return true;
}

/* "host program[123]: message" behind a time. */
static bool log_host_and_program(const char *p, struct log_entry *e)
{
	size_t n = strcspn(p, " ");
	const char *message;

	if (!n || p[n] != ' ')
		return false;
	message = log_tag(p + n + 1, e->program);
	if (!message)
		return false;
	e->message = message;
	return true;
}

/* Behind a time of dmesg "e1000e eth0: text" is the kernel's, "web kernel: text" the journal's.
 */
static bool log_is_journal(const char *p, const struct log_entry *e)
{
	const char *bracket = strchr(p, '[');

	return strcmp(e->program, "kernel") == 0 || (bracket && bracket < e->message);
}

/* The kernel's own time within a line of syslog: "kernel: [12.3] message", "kernel: message". */
static void log_strip_uptime(struct log_entry *e)
{
	struct stamp uptime;
	size_t n = *e->message == '[' ? stamp_take(e->message, &uptime) : 0;

	if (n && uptime.kind == STAMP_UPTIME) {
		e->message += n;
		e->at.has_uptime = true;
		e->at.uptime_ns = uptime.ns;
	}
}

static bool log_entry(const char *line, struct log_entry *e)
{
	const char *p;
	bool dmesg;
	size_t n;

	*e = (struct log_entry){.level = -1};
	p = log_decoded(log_priority(line, &e->level), &e->level);
	if (log_rfc5424(p, e))
		return true;
	n = stamp_take(p, &e->at);
	if (!n)
		return false;
	dmesg = *p == '[' || strchr(e->at.written, ',');
	if (log_host_and_program(p + n, e) && (!dmesg || log_is_journal(p + n, e))) {
		if (strcmp(e->program, "kernel") == 0)
			log_strip_uptime(e);
		return true;
	}
	e->program[0] = '\0';
	/* dmesg: a time and the kernel's message
	 */
	e->message = p + n;
	(void)snprintf(e->program, sizeof(e->program), "kernel");
	return dmesg;
}

/* Lines that journalctl and logrotate put between. */
static bool log_is_remark(const char *line)
{
	return strncmp(line, "-- ", 3) == 0 || !*line;
}

bool log_recognise(const struct hostfile_head *head)
{
	const char *p = head->bytes;
	char line[512];
	int good = 0, bad = 0;

	for (int i = 0; i < LINES_LOOKED_AT && *p; i++) {
		size_t n = strcspn(p, "\n");
		struct log_entry e;

		(void)snprintf(line, sizeof(line), "%.*s", (int)(n < 511 ? n : 511), p);
		line[strcspn(line, "\r")] = '\0';
		if (!log_is_remark(line))
			*(log_entry(line, &e) ? &good : &bad) += 1;
		p += n + (p[n] == '\n');
	}
	return good > 2 * bad || (!bad && strncmp(head->bytes, "-- No entries --", 16) == 0);
}

static const char *log_service_of(const char *program)
{
	if (strncasecmp(program, "keepalived", 10) == 0)
		return "keepalived";
	return strcmp(program, "haproxy") == 0 ? "haproxy" : NULL;
}

void log_program(struct kernel *k, uint64_t line, const struct stamp *at, int level,
	const char *program, const char *message)
{
	const char *service = log_service_of(program);

	if (strcmp(program, "kernel") == 0)
		kernel_line(k, line, at, level, message);
	else if (service && level >= 0)
		collection_event(k->c, line, at, "service.log", "service=%s level=%d message=%s",
			service, level, message);
	else if (service)
		collection_event(
			k->c, line, at, "service.log", "service=%s message=%s", service, message);
}

void log_parse(struct reader *r, struct collection *c)
{
	struct kernel k;
	char *line;
	size_t size;

	kernel_init(&k, c);
	while (reader_line(r, &line, &size)) {
		struct log_entry e;

		if (log_is_remark(line))
			continue;
		if (!log_entry(line, &e)) {
			c->file->malformed++;
			continue;
		}
		collection_log_line(c, &e.at);
		log_program(&k, r->line, &e.at, e.level, e.program, e.message);
	}
	kernel_finish(&k);
}

/* A console shows what others print between the kernel's lines, and colours. */
static const char *log_console_line(const char *line)
{
	while (*line == '\x1b' && line[1] == '[')
		line += 2 + strspn(line + 2, "0123456789;") +
			(line[2 + strspn(line + 2, "0123456789;")] != 0);
	return line + strspn(line, " \t");
}

bool log_console_recognise(const struct hostfile_head *head)
{
	return strstr(head->bytes, "[    0.000000] ") != NULL;
}

void log_console_parse(struct reader *r, struct collection *c)
{
	struct kernel k;
	char *line;
	size_t size;

	kernel_init(&k, c);
	while (reader_line(r, &line, &size)) {
		const char *p = log_console_line(line);
		struct stamp at;
		size_t n = *p == '[' ? stamp_take(p, &at) : 0;

		if (!n || at.kind != STAMP_UPTIME)
			continue;
		collection_log_line(c, &at);
		kernel_line(&k, r->line, &at, -1, p + n);
	}
	kernel_finish(&k);
}
