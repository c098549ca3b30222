#include "hostfile/sysstat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "hostfile/counters.h"

#define COLUMNS_MAX 64
#define INTERVAL_MAX_S (7 * 86400)

/* A column ("rxpck/s", without "/s" in JSON), the kernel's counter, and the bytes of a unit. */
static const struct sysstat_column {
	const char *column, *name;
	double unit;
} sysstat_columns[] = {{"rxpck", "rx_packets", 1}, {"txpck", "tx_packets", 1},
	{"rxkB", "rx_bytes", 1024}, {"txkB", "tx_bytes", 1024}, {"rxbyt", "rx_bytes", 1},
	{"txbyt", "tx_bytes", 1}, {"rxerr", "rx_errors", 1}, {"txerr", "tx_errors", 1},
	{"rxdrop", "rx_dropped", 1}, {"txdrop", "tx_dropped", 1}, {"rxfifo", "rx_fifo_errors", 1},
	{"txfifo", "tx_fifo_errors", 1}, {"txcarr", "tx_carrier_errors", 1}};

static const struct sysstat_column *sysstat_column_of(const char *name)
{
	size_t n = strlen(name);

	if (n > 2 && strcmp(name + n - 2, "/s") == 0)
		n -= 2;
	for (size_t i = 0; i < sizeof(sysstat_columns) / sizeof(sysstat_columns[0]); i++)
		if (strlen(sysstat_columns[i].column) == n &&
			strncmp(sysstat_columns[i].column, name, n) == 0)
			return &sysstat_columns[i];
	return NULL;
}

/* "2026-11-29 08:52:10 UTC", the same of the host's zone, or seconds since the epoch. */
static bool sysstat_time(const char *text, bool utc, struct stamp *ret)
{
	char copy[40];
	size_t n = strlen(text);
	int64_t seconds;

	*ret = (struct stamp){.kind = STAMP_ABSOLUTE};
	if (n == strspn(text, "0123456789") && counters_number(text, &seconds) &&
		seconds < 4102444800) {
		ret->ns = seconds * NSEC_PER_SEC;
		return n > 0;
	}
	if (n > 4 && n < 32 && strcmp(text + n - 4, " UTC") == 0) {
		utc = true;
		n -= 4;
	}
	(void)snprintf(copy, sizeof(copy), "%.*sZ", (int)(n < 32 ? n : 32), text);
	(void)snprintf(ret->written, sizeof(ret->written), "%.*s", (int)(n < 32 ? n : 32), text);
	ret->kind = utc ? STAMP_ABSOLUTE : STAMP_LOCAL;
	return nsec_parse(copy, &ret->ns);
}

bool sysstat_recognise(const struct hostfile_head *head)
{
	return strncmp(head->bytes, "# hostname;interval;timestamp", 29) == 0;
}

/* The fields between semicolons, which may be empty; cut where they end. */
static size_t sysstat_fields(char *line, char *fields[COLUMNS_MAX])
{
	size_t n = 0;

	for (char *p = line; p && n < COLUMNS_MAX;) {
		fields[n++] = p;
		p = strchr(p, ';');
		if (p)
			*p++ = '\0';
	}
	return n;
}

static void sysstat_row(struct collection *c, uint64_t line, char *heads[COLUMNS_MAX],
	size_t head_count, char *fields[COLUMNS_MAX], size_t count)
{
	struct stamp at;
	int64_t interval;

	if (count < 4 || count != head_count || strcmp(heads[3], "IFACE") != 0 ||
		strlen(fields[3]) >= COUNTERS_INTERFACE_SIZE)
		return;
	/* -1: the line tells of a restart */
	if (!counters_number(fields[1], &interval) || !sysstat_time(fields[2], false, &at)) {
		c->file->malformed++;
		return;
	}
	if (interval <= 0 || interval > INTERVAL_MAX_S)
		return;
	for (size_t i = 4; i < count; i++) {
		const struct sysstat_column *column = sysstat_column_of(heads[i]);

		if (column)
			counters_counted(c, line, &at, interval * NSEC_PER_SEC, fields[3],
				column->name,
				strtod(fields[i], NULL) * (double)interval * column->unit);
	}
}

void sysstat_parse(struct reader *r, struct collection *c)
{
	char *names CLEANUP_FREE = NULL, *line, *heads[COLUMNS_MAX], *fields[COLUMNS_MAX];
	size_t size, head_count = 0;

	while (reader_line(r, &line, &size)) {
		if (*line == '#') {
			free(names);
			names = mem_strdup(line + 1 + strspn(line + 1, " "));
			head_count = sysstat_fields(names, heads);
		} else {
			sysstat_row(c, r->line, heads, head_count, fields,
				sysstat_fields(line, fields));
		}
	}
}

bool sysstat_json_recognise(const struct hostfile_head *head)
{
	const char *p = head->bytes + strspn(head->bytes, " \t\r\n");

	return *p == '{' && strncmp(p + 1 + strspn(p + 1, " \t\r\n"), "\"sysstat\"", 9) == 0;
}

static bool sysstat_json_time(json_t *timestamp, struct stamp *ret_at, int64_t *ret_interval)
{
	const char *date = json_string_value(json_object_get(timestamp, "date")),
		   *time = json_string_value(json_object_get(timestamp, "time"));
	json_t *utc = json_object_get(timestamp, "utc");
	char text[40];

	*ret_interval = json_integer_value(json_object_get(timestamp, "interval"));
	if (!date || !time || *ret_interval <= 0 || *ret_interval > INTERVAL_MAX_S)
		return false;
	(void)snprintf(text, sizeof(text), "%.12s %.12s", date, time);
	return sysstat_time(text, json_integer_value(utc) == 1 || json_is_true(utc), ret_at);
}

static void sysstat_json_interfaces(struct collection *c, uint64_t record, json_t *interfaces,
	const struct stamp *at, int64_t interval)
{
	json_t *row, *value;
	const char *name;
	size_t i;

	json_array_foreach(interfaces, i, row)
	{
		const char *interface = json_string_value(json_object_get(row, "iface"));

		if (!interface || strlen(interface) >= COUNTERS_INTERFACE_SIZE)
			continue;
		json_object_foreach(row, name, value)
		{
			const struct sysstat_column *column = sysstat_column_of(name);

			if (column && json_is_number(value))
				counters_counted(c, record, at, interval * NSEC_PER_SEC, interface,
					column->name,
					json_number_value(value) * (double)interval * column->unit);
		}
	}
}

static void sysstat_json_statistics(struct collection *c, json_t *statistics)
{
	json_t *one;
	size_t i;

	json_array_foreach(statistics, i, one)
	{
		json_t *network = json_object_get(one, "network");
		struct stamp at;
		int64_t interval;

		if (!network)
			continue;
		if (!sysstat_json_time(json_object_get(one, "timestamp"), &at, &interval)) {
			c->file->malformed++;
			continue;
		}
		sysstat_json_interfaces(
			c, i + 1, json_object_get(network, "net-dev"), &at, interval);
		sysstat_json_interfaces(
			c, i + 1, json_object_get(network, "net-edev"), &at, interval);
	}
}

void sysstat_json_parse(struct reader *r, struct collection *c)
{
	size_t size, i;
	char *text CLEANUP_FREE = reader_whole(r, &size);
	json_t *all = text ? json_loadb(text, size, 0, NULL) : NULL, *host;
	json_t *hosts = json_object_get(json_object_get(all, "sysstat"), "hosts");

	if (!json_is_array(hosts))
		c->file->damaged =
			mem_strdup(text ? "no JSON of sadf, or cut" : "more than 32 MiB");
	json_array_foreach(hosts, i, host)
		sysstat_json_statistics(c, json_object_get(host, "statistics"));
	json_decref(all);
}

/* The magic number of sar's files since version 8, in either order of bytes. */
bool sysstat_binary_recognise(const struct hostfile_head *head)
{
	return head->size >= 4 &&
	       (memcmp(head->bytes, "\x96\xd5", 2) == 0 ||
		       memcmp(head->bytes, "\xd5\x96", 2) == 0) &&
	       ((head->bytes[2] & 0xf8) == 0x70 || (head->bytes[3] & 0xf8) == 0x70);
}

void sysstat_binary_parse(struct reader *r, struct collection *c)
{
	reader_skip(r);
	c->file->damaged = mem_strdup("sar's own form, which changes with its version: `sadf -j "
				      "FILE -- -n ALL > FILE.json` converts it");
}
