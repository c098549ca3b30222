#include "hostfile/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 32

/* A program, or a kernel thread in brackets, without path and arguments. */
static const char *process_base(const char *command)
{
	size_t n = strcspn(command, " ");
	const char *base = command;

	for (size_t i = 0; i < n; i++)
		if (command[i] == '/')
			base = command + i + 1;
	return base;
}

static bool process_is(const char *name, const char *program)
{
	size_t n = strlen(program);

	return strncmp(name, program, n) == 0 && (name[n] == '\0' || name[n] == ' ');
}

static bool process_is_qemu(const char *name)
{
	return strncmp(name, "qemu-system", 11) == 0 || process_is(name, "qemu-kvm") ||
	       process_is(name, "kvm");
}

void process_named(struct collection *c, uint64_t line, const char *name)
{
	collection_count(c, line, "comm.vhost", strncmp(name, "vhost-", 6) == 0);
	collection_count(c, line, "comm.qemu", process_is_qemu(name));
	collection_count(c, line, "comm.kthreadd", strcmp(name, "kthreadd") == 0);
}

/* What one listing shows. */
struct process_list {
	uint64_t qemu, vhost, kthreadd, tap_vhost, tap_plain;
	uint64_t line; /* of the last qemu */
};

/*
 * -netdev tap,...,vhost=on serves a guest's interface in the kernel; a tap without it, or with
 * vhost=off, is served by qemu itself. libvirt also writes {"type":"tap","vhost":true,...}.
 */
static void process_take_netdevs(struct process_list *list, const char *arguments)
{
	for (const char *p = strstr(arguments, " -netdev "); p; p = strstr(p + 1, " -netdev ")) {
		const char *device = p + 9;
		size_t n = strcspn(device, " ");
		bool vhost =
			memmem(device, n, "vhost=on", 8) || memmem(device, n, "\"vhost\":true", 12);

		if (strncmp(device, "tap", 3) != 0 && strncmp(device, "{\"type\":\"tap\"", 13) != 0)
			continue;
		if (vhost)
			list->tap_vhost++;
		else
			list->tap_plain++;
	}
}

/* A kernel's thread stands in brackets, unless only names were asked for. */
static void process_take(struct process_list *list, uint64_t line, const char *command)
{
	const char *thread = command + (*command == '[');

	list->vhost += strncmp(thread, "vhost-", 6) == 0;
	list->kthreadd += strncmp(thread, "kthreadd", 8) == 0;
	if (!process_is_qemu(process_base(command)))
		return;
	list->qemu++;
	list->line = line;
	process_take_netdevs(list, command);
}

static void process_keep(
	struct collection *c, const struct process_list *list, const char *name, uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	collection_keep(c, list->line, name, text);
}

/* Of several listings the last whole one holds; one without arguments says nothing of interfaces.
 */
static void process_keep_list(struct collection *c, const struct process_list *list)
{
	struct collection_file *file = c->file;
	bool known;

	if (list->tap_vhost + list->tap_plain) {
		process_keep(c, list, "ps.tap-vhost", list->tap_vhost);
		process_keep(c, list, "ps.tap-plain", list->tap_plain);
	}
	known = collection_kept(c, "ps.qemu", NULL);
	c->file = file;
	if (known && !list->kthreadd)
		return;
	process_keep(c, list, "ps.qemu", list->qemu);
	process_keep(c, list, "ps.vhost", list->vhost);
	process_keep(c, list, "ps.kthreadd", list->kthreadd);
}

static bool process_word(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && strncmp(p, word, n) == 0;
}

/* The number of columns of a header whose last one is the command; 0: it is none. */
static size_t process_columns(const char *line)
{
	bool pid = false, command = false, threads = false;
	size_t columns = 0;

	for (const char *p = line + strspn(line, " \t"); *p && *p != '\n';
		p += strspn(p, " \t\r")) {
		size_t n = strcspn(p, " \t\r\n");

		pid |= process_word(p, n, "PID");
		/* a line for each thread: guests would count many times */
		threads |= process_word(p, n, "LWP") || process_word(p, n, "SPID") ||
			   process_word(p, n, "TID");
		command = process_word(p, n, "COMMAND") || process_word(p, n, "CMD");
		columns++;
		p += n;
	}
	return pid && command && !threads && columns <= COLUMNS_MAX ? columns : 0;
}

bool process_recognise(const struct hostfile_head *head)
{
	return process_columns(head->bytes) > 1;
}

/* What stands behind n words, or NULL. */
static const char *process_behind(const char *line, size_t n)
{
	line += strspn(line, " \t");
	for (; n; n--) {
		line += strcspn(line, " \t");
		line += strspn(line, " \t");
	}
	/* ps -f draws trees */
	line += strspn(line, " \t|\\_");
	return *line ? line : NULL;
}

void process_parse(struct reader *r, struct collection *c)
{
	struct process_list list = {0};
	size_t size, columns;
	const char *command;
	char *line;

	if (!reader_line(r, &line, &size))
		return;
	columns = process_columns(line);
	list.line = r->line;
	while (columns && reader_line(r, &line, &size)) {
		command = process_behind(line, columns - 1);
		if (command)
			process_take(&list, r->line, command);
		else if (*line)
			c->file->malformed++;
	}
	if (columns)
		process_keep_list(c, &list);
}

static uint64_t process_kept(
	struct collection *c, const char *where, const char *what, uint64_t *ret_line)
{
	const char *text;
	char name[32];

	(void)snprintf(name, sizeof(name), "%s.%s", where, what);
	text = collection_kept(c, name, ret_line);
	return text ? strtoull(text, NULL, 10) : 0;
}

static void process_put(struct collection *c, uint64_t line, const char *key, uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	collection_state(c, line, text, "%s", key);
}

/* A listing that shows kernel threads shows them all; of others a zero says nothing. */
void process_finish(struct collection *c)
{
	uint64_t line = 0;
	const char *where = collection_kept(c, "ps.qemu", NULL) ? "ps" : "comm";
	uint64_t vhost = process_kept(c, where, "vhost", NULL);
	uint64_t plain = process_kept(c, "ps", "tap-plain", NULL);
	uint64_t served = process_kept(c, "ps", "tap-vhost", NULL);
	bool whole = process_kept(c, where, "kthreadd", NULL) > 0 ||
		     collection_kept(c, "processes-that-matter", NULL);
	uint64_t qemu = process_kept(c, where, "qemu", &line);

	if (!qemu && !whole)
		return;
	process_put(c, line, "qemu.processes", qemu);
	if (vhost || whole)
		process_put(c, line, "vhost_net.threads", vhost);
	if (served + plain) {
		process_put(c, line, "qemu.taps_with_vhost", served);
		process_put(c, line, "qemu.taps_without_vhost", plain);
	}
}
