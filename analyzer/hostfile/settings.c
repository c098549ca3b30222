#include "hostfile/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

#define NAME_SIZE 64
#define WORD_SIZE (3 * NAME_SIZE + 1)

/* "net.ipv4.ip_forward = 1" */
static bool settings_is_sysctl(const char *line)
{
	size_t n = strcspn(line, " =\n");

	return n && line[n] == ' ' && line[n + 1] == '=' && memchr(line, '.', n) &&
	       isalpha((unsigned char)line[0]);
}

bool settings_sysctl_recognise(const struct hostfile_head *head)
{
	const char *second = strchr(head->bytes, '\n');

	return settings_is_sysctl(head->bytes) && second &&
	       (!second[1] || settings_is_sysctl(second + 1));
}

/* The five settings that arp.IF puts together, in the order of facts.md. */
static const char *const arp_names[][2] = {{"arp_ignore", "ignore"}, {"arp_announce", "announce"},
	{"arp_accept", "accept"}, {"arp_filter", "filter"}, {"proxy_arp", "proxy"}};
#define ARP_NAMES (sizeof(arp_names) / sizeof(arp_names[0]))

struct settings_arp {
	char interface[NAME_SIZE];
	char values[ARP_NAMES][8];
	uint64_t line;
};

static void settings_arp_end(struct collection *c, struct settings_arp *arp)
{
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char word[WORD_SIZE];

	for (size_t i = 0; i < ARP_NAMES; i++)
		if (arp->values[i][0])
			strbuf_printf(&text, "%s%s=%s", text.length ? " " : "", arp_names[i][1],
				arp->values[i]);
	if (text.length && strcmp(arp->interface, "all") != 0 &&
		strcmp(arp->interface, "default") != 0)
		collection_state(c, arp->line, text.text, "arp.%s",
			collection_word(word, sizeof(word), arp->interface));
	memset(arp, 0, sizeof(*arp));
}

/* "net.ipv4.conf.eth0.arp_ignore"; sysctl prints the dots of an interface's name as slashes. */
static void settings_arp_take(struct collection *c, struct settings_arp *arp, uint64_t line,
	const char *name, const char *value)
{
	const char *interface = name + strlen("net.ipv4.conf."), *leaf = strrchr(name, '.');
	char text[NAME_SIZE];

	if (strncmp(name, "net.ipv4.conf.", 14) != 0 || leaf < interface ||
		leaf - interface >= NAME_SIZE)
		return;
	(void)snprintf(text, sizeof(text), "%.*s", (int)(leaf - interface), interface);
	for (char *p = text; *p; p++)
		if (*p == '/')
			*p = '.';
	if (strcmp(text, arp->interface) != 0) {
		settings_arp_end(c, arp);
		memcpy(arp->interface, text, sizeof(text));
		arp->line = line;
	}
	for (size_t i = 0; i < ARP_NAMES; i++)
		if (strcmp(leaf + 1, arp_names[i][0]) == 0)
			(void)snprintf(arp->values[i], sizeof(arp->values[i]), "%.7s", value);
}

static void settings_take(struct collection *c, uint64_t line, const char *name, const char *value)
{
	static const char *const states[][2] = {{"kernel.hostname", "host.name"},
		{"kernel.osrelease", "host.kernel"}, {"kernel.random.boot_id", "host.boot_id"},
		{"net.netfilter.nf_conntrack_max", "conntrack.max"}};
	static const char *const parts[][2] = {{"net.ipv4.neigh.default.gc_thresh1", "gc1"},
		{"net.ipv4.neigh.default.gc_thresh2", "gc2"},
		{"net.ipv4.neigh.default.gc_thresh3", "gc3"}};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(name, states[i][0]) == 0)
			collection_state(c, line, value, "%s", states[i][1]);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(name, parts[i][0]) == 0)
			collection_keep(c, line, parts[i][1], value);
}

void settings_sysctl_parse(struct reader *r, struct collection *c)
{
	struct settings_arp arp = {0};
	char *line, *value;
	size_t size;

	while (reader_line(r, &line, &size)) {
		if (!settings_is_sysctl(line)) {
			/* "sysctl: reading key ...", "permission denied on key ..." */
			c->file->malformed += *line && !strstr(line, " key ");
			continue;
		}
		value = strchr(line, '=') + 1;
		line[strcspn(line, " =")] = '\0';
		value += strspn(value, " \t");
		settings_take(c, r->line, line, value);
		settings_arp_take(c, &arp, r->line, line, value);
	}
	settings_arp_end(c, &arp);
}

bool settings_keepalived_recognise(const struct hostfile_head *head)
{
	return strstr(head->bytes, "vrrp_instance ") && strchr(head->bytes, '{');
}

/* A vrrp_instance, while its block is read. */
struct settings_vrrp {
	char name[NAME_SIZE];
	char vrid[16], priority[16], interval[16], state[16], interface[NAME_SIZE];
	struct strbuf addresses, peers;
	uint64_t line;
};

static void settings_vrrp_end(struct collection *c, struct settings_vrrp *v)
{
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char word[WORD_SIZE];

	if (v->vrid[0]) {
		strbuf_printf(&text, "vrid=%s", v->vrid);
		/* keepalived's defaults: keepalived.conf(5) */
		strbuf_printf(&text, " priority=%s interval_s=%s",
			v->priority[0] ? v->priority : "100", v->interval[0] ? v->interval : "1");
		if (v->state[0])
			strbuf_printf(&text, " state=%s", v->state);
		if (v->interface[0])
			strbuf_printf(&text, " dev=%s",
				collection_word(word, sizeof(word), v->interface));
		if (v->addresses.length)
			strbuf_printf(&text, " addresses=%s", v->addresses.text);
		if (v->peers.length)
			strbuf_printf(&text, " peers=%s", v->peers.text);
		collection_state(c, v->line, text.text, "vrrp.%s",
			collection_word(word, sizeof(word), v->name));
	}
	strbuf_release(&v->addresses);
	strbuf_release(&v->peers);
	*v = (struct settings_vrrp){0};
}

static void settings_vrrp_value(struct settings_vrrp *v, const char *name, const char *value)
{
	static const struct {
		const char *name;
		size_t at, size;
	} fields[] = {
		{"virtual_router_id", offsetof(struct settings_vrrp, vrid), 16},
		{"priority", offsetof(struct settings_vrrp, priority), 16},
		{"advert_int", offsetof(struct settings_vrrp, interval), 16},
		{"state", offsetof(struct settings_vrrp, state), 16},
		{"interface", offsetof(struct settings_vrrp, interface), NAME_SIZE},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(name, fields[i].name) == 0)
			(void)snprintf((char *)v + fields[i].at, fields[i].size, "%.*s",
				(int)fields[i].size - 1, value);
}

/* A line within an instance: block is the name of the block in it, "" for none. */
static void settings_vrrp_line(struct settings_vrrp *v, const char *block, char *const *words)
{
	struct strbuf *list = strncmp(block, "virtual_ipaddress", 17) == 0 ? &v->addresses
			      : strcmp(block, "unicast_peer") == 0	   ? &v->peers
									   : NULL;

	if (!block[0] && words[1])
		settings_vrrp_value(v, words[0], words[1]);
	else if (list && isxdigit((unsigned char)words[0][0]) && list->length < 1024)
		strbuf_printf(list, "%s%s", list->length ? "," : "", words[0]);
}

void settings_keepalived_parse(struct reader *r, struct collection *c)
{
	struct settings_vrrp v = {0};
	char block[NAME_SIZE] = "", *line, *save;
	unsigned depth = 0;
	size_t size;

	while (reader_line(r, &line, &size)) {
		char *words[3] = {NULL, NULL, NULL};
		bool opens = false, closes = false;

		line[strcspn(line, "#!")] = '\0';
		opens = strchr(line, '{') != NULL;
		closes = strchr(line, '}') != NULL;
		save = NULL;
		for (size_t i = 0; i < 3; i++)
			words[i] = strtok_r(i ? NULL : line, " \t{}\"", &save);
		if (words[0] && strcmp(words[0], "vrrp_instance") == 0 && words[1] && depth == 0) {
			settings_vrrp_end(c, &v);
			(void)snprintf(v.name, sizeof(v.name), "%.63s", words[1]);
			v.line = r->line;
		} else if (words[0] && depth == 1 && opens && v.name[0]) {
			(void)snprintf(block, sizeof(block), "%.63s", words[0]);
			/* "virtual_ipaddress { 10.0.1.100 }" on one line */
			if (words[1])
				settings_vrrp_line(&v, block, words + 1);
		} else if (words[0] && depth >= 1 && v.name[0]) {
			settings_vrrp_line(&v, depth == 1 ? "" : block, words);
		}
		depth += opens;
		if (closes && depth && --depth == 0)
			settings_vrrp_end(c, &v);
		else if (closes && depth == 1)
			block[0] = '\0';
	}
	settings_vrrp_end(c, &v);
}
