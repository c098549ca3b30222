#include "hostfile/iplink.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "hostfile/counters.h"

#define COLUMNS_MAX 12
#define NAME_SIZE 48

/* What ip calls a column, and the kernel; the direction goes in front but for those with a NULL. */
static const struct iplink_name {
	const char *column, *rx, *tx;
} iplink_names[] = {{"bytes", "rx_bytes", "tx_bytes"}, {"packets", "rx_packets", "tx_packets"},
	{"errors", "rx_errors", "tx_errors"}, {"dropped", "rx_dropped", "tx_dropped"},
	{"missed", "rx_missed_errors", NULL}, {"overrun", "rx_over_errors", NULL},
	{"mcast", "multicast", NULL}, {"length", "rx_length_errors", NULL},
	{"crc", "rx_crc_errors", NULL}, {"frame", "rx_frame_errors", NULL},
	{"fifo", "rx_fifo_errors", "tx_fifo_errors"}, {"carrier", NULL, "tx_carrier_errors"},
	{"collsns", NULL, "collisions"}, {"aborted", NULL, "tx_aborted_errors"},
	{"window", NULL, "tx_window_errors"}, {"heartbt", NULL, "tx_heartbeat_errors"},
	{"heartbeat", NULL, "tx_heartbeat_errors"},
	/* of the JSON form */
	{"over_errors", "rx_over_errors", NULL}, {"multicast", "multicast", NULL},
	{"carrier_errors", NULL, "tx_carrier_errors"}, {"collisions", NULL, "collisions"},
	{"missed_errors", "rx_missed_errors", NULL}};

static const char *iplink_kernel_name(const char *column, bool receive)
{
	for (size_t i = 0; i < sizeof(iplink_names) / sizeof(iplink_names[0]); i++)
		if (strcmp(iplink_names[i].column, column) == 0)
			return receive ? iplink_names[i].rx : iplink_names[i].tx;
	return NULL;
}

/* "2: eth0@if5: <BROADCAST": the name, without what it is stacked on. */
static bool iplink_head(const char *line, char interface[COUNTERS_INTERFACE_SIZE])
{
	size_t digits = strspn(line, "0123456789"), n;

	if (!digits || strncmp(line + digits, ": ", 2) != 0)
		return false;
	line += digits + 2;
	n = strcspn(line, ":@ ");
	if (!n || n >= COUNTERS_INTERFACE_SIZE || !strstr(line, ": <"))
		return false;
	(void)snprintf(interface, COUNTERS_INTERFACE_SIZE, "%.*s", (int)n, line);
	return true;
}

bool iplink_recognise(const struct hostfile_head *head)
{
	char interface[COUNTERS_INTERFACE_SIZE];

	return iplink_head(head->bytes, interface) && strstr(head->bytes, "\n    RX: ") &&
	       strstr(head->bytes, "\n    TX: ");
}

/* The columns of "RX: bytes packets ..." and of "RX errors: length crc ...". */
static size_t iplink_columns(char *line, bool *ret_receive, char names[COLUMNS_MAX][NAME_SIZE])
{
	char *save = NULL, *colon = strchr(line, ':');
	size_t n = 0;

	if (!colon)
		return 0;
	*ret_receive = line[0] == 'R';
	for (char *word = strtok_r(colon + 1, " ", &save); word && n < COLUMNS_MAX;
		word = strtok_r(NULL, " ", &save))
		(void)snprintf(names[n++], NAME_SIZE, "%s", word);
	return n;
}

static void iplink_values(struct collection *c, uint64_t line, const char *interface, bool receive,
	char names[COLUMNS_MAX][NAME_SIZE], size_t count, char *text)
{
	const struct stamp at = counters_time(c);
	char *save = NULL, *word = strtok_r(text, " ", &save);

	for (size_t i = 0; i < count && word; i++, word = strtok_r(NULL, " ", &save)) {
		const char *name = iplink_kernel_name(names[i], receive);
		int64_t value;

		if (name && counters_number(word, &value))
			counters_sample(c, line, &at, interface, name, value);
	}
}

void iplink_parse(struct reader *r, struct collection *c)
{
	char interface[COUNTERS_INTERFACE_SIZE] = "", names[COLUMNS_MAX][NAME_SIZE], *line;
	size_t size, columns = 0;
	bool receive = false;

	while (reader_line(r, &line, &size)) {
		char *p = line + strspn(line, " ");

		if (iplink_head(line, interface)) {
			columns = 0;
		} else if (strncmp(p, "RX", 2) == 0 || strncmp(p, "TX", 2) == 0) {
			columns = iplink_columns(p, &receive, names);
		} else if (columns && *interface) {
			iplink_values(c, r->line, interface, receive, names, columns, p);
			columns = 0;
		}
	}
}

bool iplink_json_recognise(const struct hostfile_head *head)
{
	return head->bytes[0] == '[' && strstr(head->bytes, "\"ifname\"") &&
	       (strstr(head->bytes, "\"stats64\"") || strstr(head->bytes, "\"stats\""));
}

static void iplink_json_direction(
	struct collection *c, const char *interface, json_t *counters, bool receive)
{
	const struct stamp at = counters_time(c);
	const char *column;
	json_t *value;

	json_object_foreach(counters, column, value)
	{
		const char *name = iplink_kernel_name(column, receive);

		if (name && json_is_integer(value))
			counters_sample(c, 1, &at, interface, name, json_integer_value(value));
	}
}

void iplink_json_parse(struct reader *r, struct collection *c)
{
	size_t size, i;
	char *text CLEANUP_FREE = reader_whole(r, &size);
	json_t *all = text ? json_loadb(text, size, 0, NULL) : NULL, *link;

	if (!json_is_array(all))
		c->file->malformed++;
	json_array_foreach(all, i, link)
	{
		const char *interface = json_string_value(json_object_get(link, "ifname"));
		json_t *stats = json_object_get(link, "stats64");

		stats = stats ? stats : json_object_get(link, "stats");
		if (!interface || !stats || strlen(interface) >= COUNTERS_INTERFACE_SIZE)
			continue;
		iplink_json_direction(c, interface, json_object_get(stats, "rx"), true);
		iplink_json_direction(c, interface, json_object_get(stats, "tx"), false);
	}
	json_decref(all);
}

bool iplink_ethtool_recognise(const struct hostfile_head *head)
{
	return strncmp(head->bytes, "NIC statistics:", 15) == 0;
}

void iplink_ethtool_parse(struct reader *r, struct collection *c)
{
	const struct stamp at = counters_time(c);
	char interface[COUNTERS_INTERFACE_SIZE], *line;
	size_t size;
	bool named = counters_interface(c->file, "ethtool-S.", interface) ||
		     counters_interface(c->file, "ethtool_-S_", interface);

	while (reader_line(r, &line, &size)) {
		char *name = line + strspn(line, " \t"), *colon = strrchr(name, ':');
		int64_t value;

		if (!*name || strcmp(name, "NIC statistics:") == 0)
			continue;
		if (!named || !colon || !counters_number(colon + 1, &value) || strlen(name) > 120) {
			c->file->malformed++;
			continue;
		}
		*colon = '\0';
		counters_driver_sample(c, r->line, &at, interface, name, value);
	}
}
