#include "hostfile/procnet.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hostfile/counters.h"

#define FIELDS_MAX 256
#define NAME_SIZE 96

/* The words of a line, cut where they end. */
static size_t procnet_fields(char *line, char *fields[FIELDS_MAX])
{
	char *save = NULL;
	size_t n = 0;

	for (char *word = strtok_r(line, " \t", &save); word && n < FIELDS_MAX;
		word = strtok_r(NULL, " \t", &save))
		fields[n++] = word;
	return n;
}

static bool procnet_hex(const char *text, uint64_t *ret_value)
{
	char *end;

	*ret_value = strtoull(text, &end, 16);
	return end != text && !*end;
}

static bool procnet_begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

bool procnet_dev_recognise(const struct hostfile_head *head)
{
	return procnet_begins(head->bytes, "Inter-|   Receive") && strstr(head->bytes, " face |");
}

void procnet_dev_parse(struct reader *r, struct collection *c)
{
	static const char *const names[] = {"rx_bytes", "rx_packets", "rx_errors", "rx_dropped",
		"rx_fifo_errors", "rx_frame_errors", NULL, "multicast", "tx_bytes", "tx_packets",
		"tx_errors", "tx_dropped", "tx_fifo_errors", "collisions", "tx_carrier_errors"};
	const struct stamp at = counters_time(c);
	char *line, *fields[FIELDS_MAX];
	size_t size;

	while (reader_line(r, &line, &size)) {
		char *colon = strrchr(line, ':'), *interface = line + strspn(line, " ");
		int64_t value;

		if (strchr(line, '|') || !*interface)
			continue;
		if (!colon || procnet_fields(colon + 1, fields) < 16) {
			c->file->malformed++;
			continue;
		}
		*colon = '\0';
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (names[i] && counters_number(fields[i], &value))
				counters_sample(c, r->line, &at, interface, names[i], value);
	}
}

bool procnet_groups_recognise(const struct hostfile_head *head)
{
	return procnet_begins(head->bytes, "Ip: Forwarding ") ||
	       procnet_begins(head->bytes, "TcpExt: SyncookiesSent ");
}

/* What stands among the counters and counts nothing. */
static bool procnet_is_gauge(const char *name)
{
	static const char *const gauges[] = {"Forwarding", "DefaultTTL", "RtoAlgorithm", "RtoMin",
		"RtoMax", "MaxConn", "CurrEstab", "TCPMemoryPressures"};

	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		if (strcmp(name, gauges[i]) == 0)
			return true;
	return false;
}

static const char *procnet_family(const char *group)
{
	return strcmp(group, "TcpExt") == 0 || strcmp(group, "IpExt") == 0 ||
			       strcmp(group, "MPTcpExt") == 0
		       ? "netstat"
		       : "snmp";
}

static void procnet_group_value(struct collection *c, uint64_t line, const struct stamp *at,
	const char *group, const char *name, const char *text)
{
	char key[3 * NAME_SIZE];
	int64_t value;

	if (procnet_is_gauge(name) || strlen(name) >= NAME_SIZE || !counters_number(text, &value))
		return;
	(void)snprintf(key, sizeof(key), "%s.%s.%s", procnet_family(group), group, name);
	counters_sample(c, line, at, NULL, key, value);
}

void procnet_groups_parse(struct reader *r, struct collection *c)
{
	const struct stamp at = counters_time(c);
	char *names CLEANUP_FREE = NULL, *line, *heads[FIELDS_MAX], *fields[FIELDS_MAX];
	size_t size, head_count = 0, n;

	while (reader_line(r, &line, &size)) {
		char *colon = strchr(line, ':');

		if (!colon || colon - line >= NAME_SIZE) {
			c->file->malformed++;
			continue;
		}
		*colon = '\0';
		if (head_count && strcmp(heads[0], line) == 0) {
			n = procnet_fields(colon + 1, fields);
			for (size_t i = 0; i < n && i + 1 < head_count; i++)
				procnet_group_value(c, r->line, &at, line, heads[i + 1], fields[i]);
			head_count = 0;
			continue;
		}
		free(names);
		*colon = ' ';
		names = mem_strdup(line);
		head_count = procnet_fields(names, heads);
	}
}

bool procnet_snmp6_recognise(const struct hostfile_head *head)
{
	return procnet_begins(head->bytes, "Ip6InReceives") && !strstr(head->bytes, "#kernel");
}

void procnet_snmp6_parse(struct reader *r, struct collection *c)
{
	const struct stamp at = counters_time(c);
	char *line, *fields[FIELDS_MAX], key[NAME_SIZE];
	size_t size;

	while (reader_line(r, &line, &size)) {
		int64_t value;

		if (procnet_fields(line, fields) != 2 || !counters_number(fields[1], &value)) {
			c->file->malformed++;
			continue;
		}
		(void)snprintf(key, sizeof(key), "snmp6.%.80s", fields[0]);
		counters_sample(c, r->line, &at, NULL, key, value);
	}
}

/* Nine words or more of eight hexadecimal digits, and nothing else. */
static bool procnet_is_softnet(const char *line, size_t n)
{
	size_t words = 0, digits = 0;

	for (size_t i = 0; i <= n; i++) {
		if (i == n || line[i] == ' ') {
			if (digits != 8)
				return i == n && digits == 0 && words >= 9;
			words++;
			digits = 0;
		} else if (isxdigit((unsigned char)line[i]) && !isupper((unsigned char)line[i])) {
			digits++;
		} else {
			return false;
		}
	}
	return words >= 9;
}

bool procnet_softnet_recognise(const struct hostfile_head *head)
{
	return procnet_is_softnet(head->bytes, strcspn(head->bytes, "\r\n"));
}

void procnet_softnet_parse(struct reader *r, struct collection *c)
{
	static const struct {
		size_t column;
		const char *key;
	} kept[] = {{0, "softnet.processed"}, {1, "softnet.dropped"}, {2, "softnet.squeezed"},
		{10, "softnet.flow_limit"}};
	const struct stamp at = counters_time(c);
	uint64_t sums[sizeof(kept) / sizeof(kept[0])] = {0}, value;
	char *line, *fields[FIELDS_MAX];
	size_t size, n;

	while (reader_line(r, &line, &size)) {
		n = procnet_fields(line, fields);
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			if (kept[i].column < n && procnet_hex(fields[kept[i].column], &value))
				sums[i] += value & UINT32_MAX;
	}
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		counters_sample(c, 1, &at, NULL, kept[i].key, (int64_t)(sums[i] & INT64_MAX));
}

bool procnet_stat_recognise(const struct hostfile_head *head)
{
	return procnet_begins(head->bytes, "entries") &&
	       (strstr(head->bytes, "insert_failed") || strstr(head->bytes, "hash_grows"));
}

/* The first column is the same number on every line; all others are summed over the CPUs. */
void procnet_stat_parse(struct reader *r, struct collection *c)
{
	const struct stamp at = counters_time(c);
	char *names CLEANUP_FREE = NULL, *line, *heads[FIELDS_MAX], *fields[FIELDS_MAX];
	uint64_t sums[FIELDS_MAX] = {0}, value;
	size_t size, head_count = 0, n;
	bool conntrack;

	if (!reader_line(r, &line, &size))
		return;
	names = mem_strdup(line);
	conntrack = strstr(names, "insert_failed") != NULL;
	head_count = procnet_fields(names, heads);
	while (reader_line(r, &line, &size)) {
		n = procnet_fields(line, fields);
		for (size_t i = 1; i < n && i < head_count; i++)
			if (procnet_hex(fields[i], &value))
				sums[i] += value;
	}
	/* the tables of IPv6 neighbours have the same columns, and no key of their own */
	if (!conntrack && strstr(c->file->name, "ndisc"))
		return;
	for (size_t i = 1; i < head_count; i++) {
		char key[NAME_SIZE];

		heads[i][strcspn(heads[i], ",")] = '\0';
		(void)snprintf(key, sizeof(key), "%s.%.60s",
			conntrack ? "conntrack" : "neighbor.table", heads[i]);
		counters_sample(c, 1, &at, NULL, key, (int64_t)(sums[i] & INT64_MAX));
	}
}

bool procnet_sysfs_recognise(const struct hostfile_head *head)
{
	const char *line = head->bytes, *statistics = strstr(line, "/statistics/");

	return procnet_begins(line, "/sys/class/net/") && statistics &&
	       (size_t)(statistics - line) < strcspn(line, "\n");
}

void procnet_sysfs_parse(struct reader *r, struct collection *c)
{
	const struct stamp at = counters_time(c);
	const size_t before = strlen("/sys/class/net/"), between = strlen("/statistics/");
	char *line;
	size_t size;

	while (reader_line(r, &line, &size)) {
		char *interface = line + before, *slash, *name, *colon;
		int64_t value;

		if (!procnet_begins(line, "/sys/class/net/") ||
			!(slash = strstr(interface, "/statistics/")) ||
			!(colon = strrchr(slash, ':')) || !counters_number(colon + 1, &value)) {
			c->file->malformed++;
			continue;
		}
		*slash = *colon = '\0';
		name = slash + between;
		if (slash - interface < COUNTERS_INTERFACE_SIZE && strlen(name) < NAME_SIZE)
			counters_sample(c, r->line, &at, interface, name, value);
	}
}

bool procnet_nstat_recognise(const struct hostfile_head *head)
{
	const char *options = head->command ? strstr(head->command, " -") : NULL;

	return procnet_begins(head->bytes, "#kernel") && options &&
	       procnet_begins(head->command, "nstat") && strchr(options, 'a');
}

/* IpInReceives, TcpExtSyncookiesSent: the group is the longest that fits. */
static const char *procnet_nstat_group(const char *name)
{
	static const char *const groups[] = {
		"TcpExt", "MPTcpExt", "IpExt", "IcmpMsg", "UdpLite", "Icmp", "Tcp", "Udp", "Ip"};
	size_t n;

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		n = strlen(groups[i]);
		if (strncmp(name, groups[i], n) == 0 && name[n] != '6' && name[n])
			return groups[i];
	}
	return NULL;
}

void procnet_nstat_parse(struct reader *r, struct collection *c)
{
	const struct stamp at = counters_time(c);
	char *line, *fields[FIELDS_MAX], key[NAME_SIZE];
	size_t size;

	while (reader_line(r, &line, &size)) {
		const char *group;
		int64_t value;

		if (*line == '#')
			continue;
		if (procnet_fields(line, fields) != 3 || !counters_number(fields[1], &value)) {
			c->file->malformed++;
			continue;
		}
		group = procnet_nstat_group(fields[0]);
		if (group) {
			procnet_group_value(
				c, r->line, &at, group, fields[0] + strlen(group), fields[1]);
			continue;
		}
		(void)snprintf(key, sizeof(key), "snmp6.%.80s", fields[0]);
		counters_sample(c, r->line, &at, NULL, key, value);
	}
}

bool procnet_conntrack_recognise(const struct hostfile_head *head)
{
	return procnet_begins(head->bytes, "cpu=0 ") && strstr(head->bytes, "insert_failed=");
}

/* "cpu=0   	found=0 invalid=0 ...": summed over the CPUs. */
void procnet_conntrack_parse(struct reader *r, struct collection *c)
{
	const struct stamp at = counters_time(c);
	char *line, *fields[FIELDS_MAX], names[32][NAME_SIZE];
	int64_t sums[32] = {0}, value;
	size_t size, count = 0, n, k;

	while (reader_line(r, &line, &size)) {
		n = procnet_fields(line, fields);
		for (size_t i = 1; i < n; i++) {
			char *equals = strchr(fields[i], '=');

			if (!equals || !counters_number(equals + 1, &value))
				continue;
			*equals = '\0';
			for (k = 0; k < count && strcmp(names[k], fields[i]) != 0; k++)
				;
			if (k == 32 || strlen(fields[i]) >= NAME_SIZE)
				continue;
			if (k == count)
				(void)snprintf(names[count++], NAME_SIZE, "%.95s", fields[i]);
			if (value > 0 && sums[k] < INT64_MAX - value)
				sums[k] += value;
		}
	}
	for (k = 0; k < count; k++) {
		char *key CLEANUP_FREE = mem_printf("conntrack.%s", names[k]);

		counters_sample(c, 1, &at, NULL, key, sums[k]);
	}
}
