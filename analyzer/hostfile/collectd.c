#include "hostfile/collectd.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "hostfile/counters.h"

#define NAME_SIZE 128
#define EPOCH_MAX_S 4102444800.0 /* the year 2100 */

/* What a file counts: names of one or two columns. */
struct collectd_series {
	char interface[COUNTERS_INTERFACE_SIZE]; /* "": of the stack */
	char names[2][NAME_SIZE];
};

bool collectd_recognise(const struct hostfile_head *head)
{
	return strncmp(head->bytes, "epoch,", 6) == 0 &&
	       strspn(head->bytes + 6, "abcdefghijklmnopqrstuvwxyz_,0123456789") ==
		       strcspn(head->bytes + 6, "\r\n");
}

/* Part i of the path counted from its end (0: the last). */
static bool collectd_part(const char *path, int from_end, char ret_part[NAME_SIZE])
{
	const char *end = path + strlen(path), *begin;

	for (;; from_end--) {
		begin = end;
		while (begin > path && begin[-1] != '/')
			begin--;
		if (from_end == 0)
			break;
		if (begin == path)
			return false;
		end = begin - 1;
	}
	if (end == begin || (size_t)(end - begin) >= NAME_SIZE)
		return false;
	memcpy(ret_part, begin, (size_t)(end - begin));
	ret_part[end - begin] = '\0';
	return true;
}

/* "-2026-11-29" at the end, where the file has one. */
static void collectd_cut_date(char *type)
{
	size_t n = strlen(type);

	if (n > 11 && type[n - 11] == '-' && strspn(type + n - 10, "0123456789-") == 10)
		type[n - 11] = '\0';
}

static bool collectd_of_interface(const char *plugin, const char *type, struct collectd_series *s)
{
	static const char *const types[][2] = {{"if_packets", "packets"}, {"if_octets", "bytes"},
		{"if_errors", "errors"}, {"if_dropped", "dropped"}};
	const char *interface;

	if (strncmp(plugin, "interface", 9) != 0)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t n = strlen(types[i][0]);

		if (strncmp(type, types[i][0], n) != 0 || (type[n] && type[n] != '-'))
			continue;
		interface = plugin[9] == '-' ? plugin + 10 : type[n] ? type + n + 1 : "";
		(void)snprintf(s->interface, sizeof(s->interface), "%.60s", interface);
		(void)snprintf(s->names[0], NAME_SIZE, "rx_%s", types[i][1]);
		(void)snprintf(s->names[1], NAME_SIZE, "tx_%s", types[i][1]);
		return *interface != '\0';
	}
	return false;
}

/* protocols-Tcp/protocol_counter-RetransSegs */
static bool collectd_of_protocol(const char *plugin, const char *type, struct collectd_series *s)
{
	const char *group = plugin + 10;

	if (strncmp(plugin, "protocols-", 10) != 0 || strncmp(type, "protocol_counter-", 17) != 0)
		return false;
	(void)snprintf(s->names[0], NAME_SIZE, "%s.%.40s.%.60s",
		strcmp(group, "TcpExt") == 0 || strcmp(group, "IpExt") == 0 ? "netstat" : "snmp",
		group, type + 17);
	return true;
}

static bool collectd_series_of(const char *path, struct collectd_series *ret)
{
	char plugin[NAME_SIZE], type[NAME_SIZE];

	*ret = (struct collectd_series){0};
	if (!collectd_part(path, 0, type) || !collectd_part(path, 1, plugin))
		return false;
	collectd_cut_date(type);
	return collectd_of_interface(plugin, type, ret) || collectd_of_protocol(plugin, type, ret);
}

/* One value of a line. *before is the line's before, 0 for the first. */
static void collectd_value(struct collection *c, const struct collectd_series *s, size_t column,
	bool rates, double before, double at, const char *text, uint64_t line)
{
	const struct stamp stamp = {
		.kind = STAMP_ABSOLUTE, .ns = (int64_t)(at * 1e3) * NSEC_PER_MSEC};
	const char *interface = *s->interface ? s->interface : NULL;
	int64_t count;
	char *end;
	double rate;

	if (column >= 2 || !*s->names[column])
		return;
	if (!rates) {
		if (counters_number(text, &count))
			counters_sample(c, line, &stamp, interface, s->names[column], count);
		return;
	}
	rate = strtod(text, &end);
	if (end != text && isfinite(rate) && before > 0 && at > before)
		counters_counted(c, line, &stamp, (int64_t)((at - before) * 1e9), interface,
			s->names[column], rate * (at - before));
}

static void collectd_line(struct collection *c, const struct collectd_series *s, bool rates,
	double *before, char *line, uint64_t number)
{
	char *save = NULL, *word = strtok_r(line, ",", &save), *end;
	double at = word ? strtod(word, &end) : 0;

	if (!word || end == word || *end || !(at > 0 && at < EPOCH_MAX_S)) {
		c->file->malformed++;
		return;
	}
	for (size_t column = 0; (word = strtok_r(NULL, ",", &save)); column++)
		collectd_value(c, s, column, rates, *before, at, word, number);
	*before = at;
}

/* Whether a value has a fraction or is missing: the time in front has one of its own. */
static bool collectd_has_rates(const char *text)
{
	for (const char *line = text; *line; line += *line == '\n') {
		size_t n = strcspn(line, "\n"), time = strcspn(line, ",\n");

		for (size_t i = time; i < n; i++)
			if (line[i] == '.' || line[i] == 'n')
				return true;
		line += n;
	}
	return false;
}

void collectd_parse(struct reader *r, struct collection *c)
{
	struct collectd_series s;
	char *text CLEANUP_FREE = NULL, *save = NULL;
	bool rates;
	size_t size;
	uint64_t number = 1;
	double before = 0;
	char *line;

	if (!reader_line(r, &line, &size) || !collectd_series_of(c->file->name, &s))
		return;
	text = reader_whole(r, &size);
	if (!text)
		return;
	rates = collectd_has_rates(text);
	for (line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save))
		collectd_line(c, &s, rates, &before, line, ++number);
}
