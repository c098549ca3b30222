#include "hostfile/ipconf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "read/neigh.h"

#define NAME_SIZE 64
#define WORD_SIZE (3 * NAME_SIZE + 1)
#define WORDS_MAX 64

/* An interface whose lines are being read. */
struct ipconf_link {
	char word[WORD_SIZE];
	struct strbuf addresses;
	uint64_t line;
	bool has_addresses; /* the listing shows addresses: an interface without any has none */
};

/* The words of a line, in place. */
static size_t ipconf_words(char *line, char *words[WORDS_MAX])
{
	char *save = NULL;
	size_t n = 0;

	for (char *word = strtok_r(line, " \t", &save); word && n < WORDS_MAX;
		word = strtok_r(NULL, " \t", &save))
		words[n++] = word;
	return n;
}

static const char *ipconf_after(char *const words[], size_t n, const char *name)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (strcmp(words[i], name) == 0)
			return words[i + 1];
	return NULL;
}

/* "2: eth0@if5: <BROADCAST,UP> mtu ..." or "2: eth0    inet 10.0.1.20/24 ...": the name's length.
 */
static size_t ipconf_head(const char *line, const char **ret_name)
{
	size_t digits = strspn(line, "0123456789"), n;

	if (!digits || line[digits] != ':' || line[digits + 1] != ' ')
		return 0;
	*ret_name = line + digits + 2;
	n = strcspn(*ret_name, ":@ \n");
	return n && n < NAME_SIZE ? n : 0;
}

bool ipconf_links_recognise(const struct hostfile_head *head)
{
	const char *name, *end = head->bytes + strcspn(head->bytes, "\n"), *mark;
	size_t n = ipconf_head(head->bytes, &name);

	if (!n)
		return false;
	mark = strstr(name, " mtu ");
	if (mark && mark < end)
		return strstr(name, ": <") != NULL;
	mark = strstr(name, " inet");
	return mark && mark < end;
}

static void ipconf_link_end(struct collection *c, struct ipconf_link *link)
{
	if (link->word[0] && (link->addresses.length || link->has_addresses))
		collection_state(c, link->line, link->addresses.text ? link->addresses.text : "",
			"nic.%s.addresses", link->word);
	strbuf_reset(&link->addresses);
	link->word[0] = '\0';
}

static void ipconf_link_begin(
	struct collection *c, struct ipconf_link *link, uint64_t line, const char *name, size_t n)
{
	char text[NAME_SIZE], word[WORD_SIZE];

	(void)snprintf(text, sizeof(text), "%.*s", (int)n, name);
	(void)collection_word(word, sizeof(word), text);
	if (strcmp(word, link->word) == 0)
		return; /* ip -o: the next line of the same one */
	ipconf_link_end(c, link);
	memcpy(link->word, word, sizeof(word));
	link->line = line;
}

static void ipconf_put(struct collection *c, const struct ipconf_link *link, uint64_t line,
	const char *what, const char *value)
{
	if (value)
		collection_state(c, line, value, "nic.%s.%s", link->word, what);
}

/* "UP" to the kernel's "up" */
static void ipconf_put_state(
	struct collection *c, const struct ipconf_link *link, uint64_t line, const char *value)
{
	char text[32] = "";

	for (size_t i = 0; value && value[i] && i + 1 < sizeof(text); i++) {
		text[i] = (char)tolower((unsigned char)value[i]);
		text[i + 1] = '\0';
	}
	if (text[0])
		ipconf_put(c, link, line, "operstate", text);
}

static void ipconf_link_words(struct collection *c, struct ipconf_link *link, uint64_t line,
	char *const words[], size_t n)
{
	const char *address = ipconf_after(words, n, "inet"), *promiscuity;

	if (!address)
		address = ipconf_after(words, n, "inet6");
	if (address) {
		strbuf_printf(&link->addresses, "%s%s", link->addresses.length ? " " : "", address);
		link->has_addresses = true;
		return;
	}
	ipconf_put(c, link, line, "mtu", ipconf_after(words, n, "mtu"));
	ipconf_put(c, link, line, "master", ipconf_after(words, n, "master"));
	ipconf_put_state(c, link, line, ipconf_after(words, n, "state"));
	ipconf_put(c, link, line, "mac", ipconf_after(words, n, "link/ether"));
	ipconf_put(c, link, line, "permanent_mac", ipconf_after(words, n, "permaddr"));
	promiscuity = ipconf_after(words, n, "promiscuity");
	if (promiscuity)
		ipconf_put(c, link, line, "promiscuous", strcmp(promiscuity, "0") == 0 ? "0" : "1");
}

void ipconf_links_parse(struct reader *r, struct collection *c)
{
	struct ipconf_link link = {.addresses = STRBUF_INIT};
	char *words[WORDS_MAX], *line;
	const char *name;
	size_t size, n;

	while (reader_line(r, &line, &size)) {
		n = ipconf_head(line, &name);
		if (n)
			ipconf_link_begin(c, &link, r->line, name, n);
		else if (*line && *line != ' ' && *line != '\t')
			c->file->malformed++;
		n = ipconf_words(line, words);
		if (n && link.word[0])
			ipconf_link_words(c, &link, r->line, words, n);
	}
	ipconf_link_end(c, &link);
	strbuf_release(&link.addresses);
}

static bool ipconf_is_prefix(const char *text)
{
	char ip[64];
	uint8_t bytes[16];
	size_t n = strcspn(text, "/ \n");

	if (!n || n >= sizeof(ip))
		return false;
	(void)snprintf(ip, sizeof(ip), "%.*s", (int)n, text);
	return inet_pton(AF_INET, ip, bytes) == 1 || inet_pton(AF_INET6, ip, bytes) == 1;
}

/* "default via 10.0.1.1 dev eth0", "blackhole 10.9.0.0/16", "10.0.1.0/24 dev eth0 proto kernel ..."
 */
static const char *ipconf_route_type(const char *line, const char **ret_rest)
{
	static const char *const types[] = {"unicast", "blackhole", "unreachable", "prohibit",
		"throw", "local", "broadcast", "multicast", "anycast", "nat"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t n = strlen(types[i]);

		if (strncmp(line, types[i], n) == 0 && line[n] == ' ') {
			*ret_rest = line + n + strspn(line + n, " ");
			return types[i];
		}
	}
	*ret_rest = line;
	return "unicast";
}

static bool ipconf_is_route(const char *line)
{
	const char *rest, *type = ipconf_route_type(line, &rest), *end = line + strcspn(line, "\n");
	const char *dev = strstr(rest, " dev "), *via = strstr(rest, " via ");

	if (strncmp(rest, "default", 7) != 0 && !ipconf_is_prefix(rest))
		return false;
	return (dev && dev < end) || (via && via < end) || strcmp(type, "unicast") != 0;
}

bool ipconf_routes_recognise(const struct hostfile_head *head)
{
	return ipconf_is_route(head->bytes) && !neigh_recognise(head->bytes, head->size);
}

static void ipconf_route(struct collection *c, uint64_t number, char *line)
{
	static const char *const names[] = {"via", "dev", "src", "metric", "scope", "table"};
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	const char *rest, *type = ipconf_route_type(line, &rest);
	char *words[WORDS_MAX];
	size_t n = ipconf_words((char *)rest, words);

	strbuf_printf(&text, "dst=%s", words[0]);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = ipconf_after(words, n, names[i]);
		char word[WORD_SIZE];

		if (value && strcmp(names[i], "dev") == 0)
			value = collection_word(word, sizeof(word), value);
		if (value)
			strbuf_printf(&text, " %s=%s", names[i],
				strcmp(names[i], "table") == 0 && strcmp(value, "main") == 0
					? "254"
					: value);
	}
	if (!ipconf_after(words, n, "table"))
		strbuf_adds(&text, " table=254");
	strbuf_printf(&text, " type=%s", type);
	collection_state(c, number, text.text, "route");
}

void ipconf_routes_parse(struct reader *r, struct collection *c)
{
	const char *rest, *type;
	char *line;
	size_t size;

	while (reader_line(r, &line, &size)) {
		if (!*line || *line == ' ' || *line == '\t')
			continue; /* nexthops of the route before */
		type = ipconf_route_type(line, &rest);
		if (!ipconf_is_route(line)) {
			c->file->malformed++;
			continue;
		}
		/* of a table that the agent leaves out too */
		if (strcmp(type, "local") != 0 && strcmp(type, "broadcast") != 0 &&
			strcmp(type, "multicast") != 0 && strcmp(type, "anycast") != 0)
			ipconf_route(c, r->line, line);
	}
}

bool ipconf_rules_recognise(const struct hostfile_head *head)
{
	return strncmp(head->bytes, "0:\tfrom all lookup local", 24) == 0;
}

/* "32765:\tfrom 10.0.1.0/24 lookup 5" */
void ipconf_rules_parse(struct reader *r, struct collection *c)
{
	char *line, *rest;
	size_t size;

	while (reader_line(r, &line, &size)) {
		rest = strchr(line, ':');
		if (!isdigit((unsigned char)*line) || !rest) {
			c->file->malformed += *line != 0;
			continue;
		}
		*rest++ = '\0';
		rest += strspn(rest, " \t");
		collection_state(c, r->line, rest, "rule.%s", line);
	}
}

/* Neighbours are one set: the members, in any order. */
struct ipconf_set {
	struct collection *c;
	uint64_t line;
};

static void ipconf_take_neighbor(void *context, const struct neigh_entry *e)
{
	struct ipconf_set *set = context;
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	static const char *const names[] = {"confirmed_ms", "used_ms", "updated_ms"};
	const int64_t ages[] = {e->confirmed_s, e->used_s, e->updated_s};
	char word[WORD_SIZE];

	strbuf_printf(&text, "ip=%s", e->ip);
	if (e->interface[0])
		strbuf_printf(&text, " dev=%s", collection_word(word, sizeof(word), e->interface));
	if (e->mac[0])
		strbuf_printf(&text, " mac=%s", e->mac);
	strbuf_printf(&text, " state=%s", e->state);
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++)
		if (ages[i] >= 0)
			strbuf_printf(&text, " %s=%lld", names[i], (long long)ages[i] * 1000);
	collection_state(set->c, set->line, text.text, "neighbor");
}

bool ipconf_neighbors_recognise(const struct hostfile_head *head)
{
	return neigh_recognise(head->bytes, head->size);
}

void ipconf_neighbors_parse(struct reader *r, struct collection *c)
{
	struct ipconf_set set = {.c = c};
	struct neigh_count count = {0};
	char *line;
	size_t size;

	while (reader_line(r, &line, &size)) {
		set.line = r->line;
		if (*line)
			neigh_parse(line, size, ipconf_take_neighbor, &set, &count);
	}
	c->file->malformed += count.malformed;
}

/* "? (10.0.1.90) at 00:00:01:fc:b3:48 [ether] on eth0", "... at <incomplete> on eth0" */
static bool ipconf_arp_entry(const char *line, struct neigh_entry *e)
{
	char ip[46], mac[60], interface[16];
	const char *open = strstr(line, " (");

	*e = (struct neigh_entry){.confirmed_s = -1, .used_s = -1, .updated_s = -1};
	if (!open || sscanf(open, " (%45[^)]) at %59s", ip, mac) != 2 || !ipconf_is_prefix(ip))
		return false;
	(void)snprintf(e->ip, sizeof(e->ip), "%s", ip);
	if (strlen(mac) == 17 && mac[2] == ':')
		(void)snprintf(e->mac, sizeof(e->mac), "%s", mac);
	(void)snprintf(e->state, sizeof(e->state), "%s",
		strstr(line, "PERM") ? "PERMANENT"
		: e->mac[0]	     ? "NONE"
				     : "INCOMPLETE");
	open = strstr(line, " on ");
	if (open && sscanf(open, " on %15s", interface) == 1)
		(void)snprintf(e->interface, sizeof(e->interface), "%s", interface);
	return true;
}

/* /proc/net/arp: "10.0.1.90  0x1  0x2  00:00:01:fc:b3:48  *  eth0" */
static bool ipconf_proc_arp_entry(const char *line, struct neigh_entry *e)
{
	char ip[46], mac[18], interface[16];
	unsigned type, flags;

	*e = (struct neigh_entry){.confirmed_s = -1, .used_s = -1, .updated_s = -1};
	if (sscanf(line, "%45s 0x%x 0x%x %17s %*s %15s", ip, &type, &flags, mac, interface) != 5 ||
		!ipconf_is_prefix(ip))
		return false;
	(void)snprintf(e->ip, sizeof(e->ip), "%s", ip);
	(void)snprintf(e->interface, sizeof(e->interface), "%s", interface);
	/* ATF_COM: complete, ATF_PERM */
	if (flags & 2)
		(void)snprintf(e->mac, sizeof(e->mac), "%s", mac);
	(void)snprintf(e->state, sizeof(e->state), "%s",
		flags & 4   ? "PERMANENT"
		: flags & 2 ? "NONE"
			    : "INCOMPLETE");
	return true;
}

bool ipconf_arp_recognise(const struct hostfile_head *head)
{
	struct neigh_entry e;

	return strncmp(head->bytes, "IP address       HW type", 24) == 0 ||
	       (strstr(head->bytes, ") at ") && ipconf_arp_entry(head->bytes, &e));
}

void ipconf_arp_parse(struct reader *r, struct collection *c)
{
	struct ipconf_set set = {.c = c};
	struct neigh_entry e;
	char *line;
	size_t size;

	while (reader_line(r, &line, &size)) {
		set.line = r->line;
		if (ipconf_arp_entry(line, &e) || ipconf_proc_arp_entry(line, &e))
			ipconf_take_neighbor(&set, &e);
		else if (strncmp(line, "IP address", 10) != 0 && *line)
			c->file->malformed++;
	}
}
