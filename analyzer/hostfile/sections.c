#include "hostfile/sections.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

#define COMMAND_SIZE 256

/* The section that is being gathered. */
struct section {
	char command[COMMAND_SIZE]; /* or the path of a file; "": none yet */
	struct strbuf text;
	uint64_t above; /* lines of the whole above it */
	uint32_t count; /* sections so far */
	bool too_long;	/* the rest of it is passed over */
};

/* A text as a reader_pull. */
struct section_text {
	const char *at;
	size_t left;
};

static size_t sections_pull(void *from, char *to, size_t size)
{
	struct section_text *t = from;
	size_t n = t->left < size ? t->left : size;

	memcpy(to, t->at, n);
	t->at += n;
	t->left -= n;
	return n;
}

/* What stands for the file's name: the file that cat prints, else the command. */
static const char *sections_name(const char *command)
{
	const char *cat = strstr(command, "cat /");

	return cat && (cat == command || cat[-1] == '/') ? cat + 4 : command;
}

static void sections_read(struct collection *c, const struct section *s)
{
	struct hostfile_head head = {
		.name = sections_name(s->command), .bytes = s->text.text, .size = s->text.length};
	const struct hostfile_kind *kind = recognise_kind(&head);
	struct collection_file *whole = c->file;
	struct section_text text = {s->text.text, s->text.length};
	char *path CLEANUP_FREE = mem_printf("%s: %s", whole->path, s->command);
	struct reader r;

	if (!kind || !c->last_id)
		return;
	(void)collection_begin_file(c, ++*c->last_id, path, head.name);
	c->file->kind = kind->name;
	c->file->modified_ns = whole->modified_ns;
	reader_init(&r, sections_pull, &text);
	r.line = s->above;
	kind->parse(&r, c);
	c->file->lines = r.line - s->above;
	c->file->cut = r.cut + s->too_long;
	reader_release(&r);
	c->file = whole;
}

static void sections_end(struct collection *c, struct section *s)
{
	if (s->command[0] && s->text.length && s->count++ < SECTIONS_MAX)
		sections_read(c, s);
	strbuf_reset(&s->text);
	s->command[0] = '\0';
	s->too_long = false;
}

static void sections_begin(
	struct collection *c, struct section *s, uint64_t line, const char *command, size_t n)
{
	sections_end(c, s);
	n = n < COMMAND_SIZE - 1 ? n : COMMAND_SIZE - 1;
	while (n && isspace((unsigned char)command[n - 1]))
		n--;
	(void)snprintf(s->command, sizeof(s->command), "%.*s", (int)n, command);
	s->above = line;
}

static void sections_add(struct section *s, const char *line, size_t size)
{
	if (!s->command[0])
		return;
	if (s->text.length + size + 1 > READER_WHOLE_MAX) {
		s->too_long = true;
		return;
	}
	strbuf_add(&s->text, line, size);
	strbuf_addc(&s->text, '\n');
}

/* "#==[ Command ]======================================#" */
static bool sections_is_rule(const char *line)
{
	return strncmp(line, "#==[ ", 5) == 0;
}

bool sections_support_recognise(const struct hostfile_head *head)
{
	return sections_is_rule(head->bytes) || strstr(head->bytes, "\n#==[ ") != NULL;
}

/* "/var/log/messages - Last 500 Lines": the length of the path. */
static size_t sections_support_name(const char *text)
{
	const char *last = strstr(text, " - Last ");

	return last ? (size_t)(last - text) : strlen(text);
}

void sections_support_parse(struct reader *r, struct collection *c)
{
	struct section s = {.text = STRBUF_INIT};
	bool rule = false;
	char *line;
	size_t size;

	while (reader_line(r, &line, &size)) {
		if (sections_is_rule(line))
			sections_end(c, &s);
		else if (rule && line[0] == '#' && line[1] == ' ')
			sections_begin(c, &s, r->line, line + 2, sections_support_name(line + 2));
		else
			sections_add(&s, line, size);
		rule = sections_is_rule(line);
	}
	sections_end(c, &s);
	strbuf_release(&s.text);
}

/* Commands by which a prompt is told from other lines that begin with # or $. */
static bool sections_is_command(const char *text)
{
	static const char *const names[] = {"ip", "ethtool", "dmesg", "cat", "ps", "uname", "lsmod",
		"modinfo", "arp", "sysctl", "grep", "journalctl", "date", "dmidecode",
		"timedatectl", "nstat", "netstat", "ss", "conntrack", "nft", "iptables-save",
		"uptime", "hostname", "lspci"};
	size_t n, from = 0;

	if (strncmp(text, "sudo ", 5) == 0)
		text += 5;
	n = strcspn(text, " \n");
	for (size_t i = 0; i < n; i++)
		if (text[i] == '/')
			from = i + 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == n - from && strncmp(text + from, names[i], n - from) == 0)
			return true;
	return false;
}

/* "root@db:~# ip neigh", "[root@db ~]# ip neigh", "$ ip neigh": the command, or NULL. */
static const char *sections_prompt(const char *line)
{
	size_t n = strcspn(line, "#$\n");
	const char *command;

	if (n > 100 || (line[n] != '#' && line[n] != '$') || line[n + 1] != ' ')
		return NULL;
	if (n && !memchr(line, '@', n))
		return NULL;
	command = line + n + 2;
	if (strncmp(command, "sudo ", 5) == 0)
		command += 5;
	return sections_is_command(command) ? command : NULL;
}

bool sections_terminal_recognise(const struct hostfile_head *head)
{
	return sections_prompt(head->bytes) != NULL;
}

void sections_terminal_parse(struct reader *r, struct collection *c)
{
	struct section s = {.text = STRBUF_INIT};
	const char *command;
	char *line;
	size_t size;

	while (reader_line(r, &line, &size)) {
		command = sections_prompt(line);
		if (command)
			sections_begin(c, &s, r->line, command, strlen(command));
		else
			sections_add(&s, line, size);
	}
	sections_end(c, &s);
	strbuf_release(&s.text);
}
