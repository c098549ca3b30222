#include "hostfile/ethtool.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define INTERFACE_SIZE 64
#define WORD_SIZE (3 * INTERFACE_SIZE + 1)

/* "sos_commands/networking/ethtool_-i_eth0", "ethtool-i.eth0", "db.ethtool -i eth0.txt" */
static void ethtool_interface(const char *path, char interface[INTERFACE_SIZE])
{
	const char *base = strrchr(path, '/'), *p;
	size_t n;

	(void)snprintf(interface, INTERFACE_SIZE, "unnamed");
	p = strstr(base ? base : path, "ethtool");
	if (!p)
		return;
	p += strlen("ethtool");
	p += strspn(p, "-_ .");
	if (!isalpha((unsigned char)*p) || !strchr("-_ .", p[1]))
		return;
	p++;
	p += strspn(p, "-_ .");
	n = strlen(p);
	if (n > 4 && strcmp(p + n - 4, ".txt") == 0)
		n -= 4;
	if (n && n < INTERFACE_SIZE)
		(void)snprintf(interface, INTERFACE_SIZE, "%.*s", (int)n, p);
}

/* "name: value" in place; NULL: the line is no such pair. */
static const char *ethtool_value(char *line, const char **ret_name)
{
	char *colon = strchr(line, ':');

	if (!colon)
		return NULL;
	*colon++ = '\0';
	*ret_name = line + strspn(line, " \t");
	return colon + strspn(colon, " \t");
}

bool ethtool_driver_recognise(const struct hostfile_head *head)
{
	return strncmp(head->bytes, "driver: ", 8) == 0 && strstr(head->bytes, "\nversion: ");
}

void ethtool_driver_parse(struct reader *r, struct collection *c)
{
	static const char *const names[][2] = {{"driver", "driver"}, {"version", "driver_version"},
		{"firmware-version", "firmware"}, {"bus-info", "bus"}};
	char interface[INTERFACE_SIZE], word[WORD_SIZE], *line;
	const char *name, *value;
	size_t size;

	ethtool_interface(c->file->name, interface);
	(void)collection_word(word, sizeof(word), interface);
	while (reader_line(r, &line, &size)) {
		value = ethtool_value(line, &name);
		for (size_t i = 0; value && i < sizeof(names) / sizeof(names[0]); i++)
			if (strcmp(name, names[i][0]) == 0 && *value && strcmp(value, "N/A") != 0)
				collection_state(c, r->line, value, "nic.%s.%s", word, names[i][1]);
		c->file->malformed += !value && *line;
	}
}

/* "Features for eth0:", "Ring parameters for eth0:" */
static bool ethtool_title(const char *line, const char *title, char word[WORD_SIZE])
{
	size_t n = strlen(title), size;
	char interface[INTERFACE_SIZE];

	if (strncmp(line, title, n) != 0)
		return false;
	size = strcspn(line + n, ":\n");
	if (!size || size >= sizeof(interface) || line[n + size] != ':')
		return false;
	(void)snprintf(interface, sizeof(interface), "%.*s", (int)size, line + n);
	(void)collection_word(word, WORD_SIZE, interface);
	return true;
}

bool ethtool_features_recognise(const struct hostfile_head *head)
{
	char word[WORD_SIZE];

	return ethtool_title(head->bytes, "Features for ", word) ||
	       ethtool_title(head->bytes, "Offload parameters for ", word);
}

void ethtool_features_parse(struct reader *r, struct collection *c)
{
	static const char *const names[][2] = {{"rx-checksumming", "rx-checksum"},
		{"tx-checksumming", "tx-checksum"}, {"scatter-gather", "sg"},
		{"tcp-segmentation-offload", "tso"}, {"udp-fragmentation-offload", "ufo"},
		{"generic-segmentation-offload", "gso"}, {"generic-receive-offload", "gro"},
		{"large-receive-offload", "lro"}, {"rx-vlan-offload", "rx-vlan"},
		{"tx-vlan-offload", "tx-vlan"}, {"ntuple-filters", "ntuple"},
		{"receive-hashing", "rxhash"}};
	char word[WORD_SIZE] = "unnamed", *line;
	const char *name, *value;
	size_t size;

	while (reader_line(r, &line, &size)) {
		if (ethtool_title(line, "Features for ", word) ||
			ethtool_title(line, "Offload parameters for ", word))
			continue;
		value = ethtool_value(line, &name);
		for (size_t i = 0; value && i < sizeof(names) / sizeof(names[0]); i++)
			if (strcmp(name, names[i][0]) == 0)
				collection_state(c, r->line,
					strncmp(value, "on", 2) == 0 ? "on" : "off",
					"nic.%s.offload.%s", word, names[i][1]);
		c->file->malformed += !value && *line;
	}
}

bool ethtool_rings_recognise(const struct hostfile_head *head)
{
	char word[WORD_SIZE];

	return ethtool_title(head->bytes, "Ring parameters for ", word);
}

/* RX and TX stand there twice: the maxima, then the sizes that are set. */
void ethtool_rings_parse(struct reader *r, struct collection *c)
{
	char word[WORD_SIZE] = "unnamed", *line;
	const char *name, *value;
	bool current = false;
	size_t size;

	while (reader_line(r, &line, &size)) {
		if (ethtool_title(line, "Ring parameters for ", word)) {
			current = false;
			continue;
		}
		current |= strncmp(line, "Current hardware", 16) == 0;
		value = ethtool_value(line, &name);
		if (value && isdigit((unsigned char)*value) &&
			(strcmp(name, "RX") == 0 || strcmp(name, "TX") == 0))
			collection_state(c, r->line, value, "nic.%s.ring.%s%s", word,
				*name == 'R' ? "rx" : "tx", current ? "" : "_max");
		c->file->malformed += !value && *line;
	}
}
