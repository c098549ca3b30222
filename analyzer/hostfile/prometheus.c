#include "hostfile/prometheus.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "hostfile/counters.h"

#define NAME_SIZE 160

/* The kernel's counter that a metric shows. */
struct prometheus_counter {
	char interface[COUNTERS_INTERFACE_SIZE]; /* "": of the stack */
	char name[NAME_SIZE];
	bool summed; /* a metric for each CPU */
};

static bool prometheus_take(const char **p, const char *with)
{
	size_t n = strlen(with);

	if (strncmp(*p, with, n) != 0)
		return false;
	*p += n;
	return true;
}

/* node_network_receive_packets_total, without _total before version 0.16 */
static bool prometheus_of_interface(
	const char *metric, const char *device, struct prometheus_counter *ret)
{
	static const char *const kinds[][2] = {{"packets", "packets"}, {"bytes", "bytes"},
		{"errs", "errors"}, {"drop", "dropped"}, {"fifo", "fifo_errors"}};
	const char *p = metric;
	bool receive = prometheus_take(&p, "node_network_receive_");

	if (!receive && !prometheus_take(&p, "node_network_transmit_"))
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i][0]);

		if (strncmp(p, kinds[i][0], n) != 0 || (p[n] && strcmp(p + n, "_total") != 0))
			continue;
		(void)snprintf(ret->interface, sizeof(ret->interface), "%.60s", device);
		(void)snprintf(
			ret->name, sizeof(ret->name), "%s_%s", receive ? "rx" : "tx", kinds[i][1]);
		return *device != '\0';
	}
	return false;
}

/* node_netstat_Tcp_RetransSegs */
static bool prometheus_of_stack(const char *metric, struct prometheus_counter *ret)
{
	static const char *const fixed[][2] = {{"node_nf_conntrack_entries", "conntrack.count"},
		{"node_nf_conntrack_entries_limit", "conntrack.max"},
		{"node_softnet_dropped_total", "softnet.dropped"},
		{"node_softnet_processed_total", "softnet.processed"},
		{"node_softnet_times_squeezed_total", "softnet.squeezed"}};
	const char *p = metric, *name;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(metric, fixed[i][0]) == 0) {
			(void)snprintf(ret->name, sizeof(ret->name), "%s", fixed[i][1]);
			ret->summed = strncmp(fixed[i][1], "softnet", 7) == 0;
			return true;
		}
	if (prometheus_take(&p, "node_nf_conntrack_stat_")) {
		(void)snprintf(ret->name, sizeof(ret->name), "conntrack.%.100s", p);
		return true;
	}
	if (!prometheus_take(&p, "node_netstat_") || !(name = strchr(p, '_')) || !name[1])
		return false;
	(void)snprintf(ret->name, sizeof(ret->name), "%s.%.*s.%.100s",
		strncmp(p, "TcpExt_", 7) == 0 || strncmp(p, "IpExt_", 6) == 0 ? "netstat" : "snmp",
		(int)(name - p < 30 ? name - p : 30), p, name + 1);
	return true;
}

static bool prometheus_counter_of(
	const char *metric, const char *device, struct prometheus_counter *ret)
{
	*ret = (struct prometheus_counter){0};
	return prometheus_of_interface(metric, device, ret) || prometheus_of_stack(metric, ret);
}

bool prometheus_text_recognise(const struct hostfile_head *head)
{
	const char *p = head->bytes;

	if (strncmp(p, "# HELP ", 7) == 0)
		return strstr(p, "\n# TYPE ") != NULL;
	return strncmp(p, "# TYPE ", 7) == 0 ||
	       (strncmp(p, "node_", 5) == 0 &&
		       p[strspn(p, "abcdefghijklmnopqrstuvwxyz_")] != '\0' &&
		       strchr("{ ", p[strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
						"YZ0123456789_")]));
}

/* `name{device="eth0",...} value [milliseconds]`, cut into its parts. */
static bool prometheus_line(
	char *line, char **ret_metric, char ret_device[COUNTERS_INTERFACE_SIZE], char **ret_value)
{
	char *labels = strchr(line, '{'), *end, *device;

	ret_device[0] = '\0';
	*ret_metric = line;
	if (!labels) {
		*ret_value = strchr(line, ' ');
		if (!*ret_value)
			return false;
		*(*ret_value)++ = '\0';
	} else {
		end = strrchr(labels, '}');
		if (!end || end[1] != ' ')
			return false;
		*labels = *end = '\0';
		*ret_value = end + 2;
		device = strstr(labels + 1, "device=\"");
		if (device)
			(void)snprintf(ret_device, COUNTERS_INTERFACE_SIZE, "%.*s",
				(int)strcspn(device + 8, "\""), device + 8);
	}
	(*ret_value)[strcspn(*ret_value, " ")] = '\0';
	return true;
}

/* The time that an exposition was made at, by its own word; else that of the file's head. */
static struct stamp prometheus_time(const struct collection *c, const char *text)
{
	static const char mark[] = "\nnode_time_seconds ";
	const char *at = strstr(text, mark);
	double seconds = at ? strtod(at + sizeof(mark) - 1, NULL) : 0;

	if (!(seconds > 0 && seconds < 4102444800.0))
		return counters_time(c);
	return (struct stamp){
		.kind = STAMP_ABSOLUTE, .ns = (int64_t)(seconds * 1e3) * NSEC_PER_MSEC};
}

/* Metrics of each CPU become one number. */
struct prometheus_sums {
	struct {
		char name[NAME_SIZE];
		int64_t sum;
		uint64_t line;
	} all[8];
	size_t count;
};

static void prometheus_add(
	struct prometheus_sums *s, const char *name, int64_t value, uint64_t line)
{
	size_t i = 0;

	while (i < s->count && strcmp(s->all[i].name, name) != 0)
		i++;
	if (i == sizeof(s->all) / sizeof(s->all[0]) || value < 0 || value > INT64_MAX / 65536)
		return;
	if (i == s->count) {
		(void)snprintf(s->all[i].name, NAME_SIZE, "%s", name);
		s->all[i].line = line;
		s->count++;
	}
	if (s->all[i].sum < INT64_MAX - value)
		s->all[i].sum += value;
}

static void prometheus_text_line(struct collection *c, const struct stamp *at,
	struct prometheus_sums *sums, char *line, uint64_t number)
{
	char device[COUNTERS_INTERFACE_SIZE], *metric, *value;
	struct prometheus_counter counter;
	int64_t count;

	if (!prometheus_line(line, &metric, device, &value)) {
		c->file->malformed++;
		return;
	}
	if (!prometheus_counter_of(metric, device, &counter) || !counters_number(value, &count))
		return;
	if (counter.summed)
		prometheus_add(sums, counter.name, count, number);
	else
		counters_sample(c, number, at, *counter.interface ? counter.interface : NULL,
			counter.name, count);
}

void prometheus_text_parse(struct reader *r, struct collection *c)
{
	struct prometheus_sums sums = {.count = 0};
	size_t size;
	char *text CLEANUP_FREE = reader_whole(r, &size);
	struct stamp at;
	uint64_t number = 0;

	if (!text) {
		c->file->damaged = mem_strdup("more than 32 MiB");
		return;
	}
	at = prometheus_time(c, text);
	for (char *line = text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		if (*line && *line != '#')
			prometheus_text_line(c, &at, &sums, line, number);
	}
	for (size_t i = 0; i < sums.count; i++)
		counters_sample(c, sums.all[i].line, &at, NULL, sums.all[i].name, sums.all[i].sum);
}

bool prometheus_json_recognise(const struct hostfile_head *head)
{
	return head->bytes[0] == '{' && strstr(head->bytes, "\"resultType\"") &&
	       strstr(head->bytes, "\"status\"");
}

/* [1795942334.7, "84"] */
static void prometheus_json_pair(struct collection *c, uint64_t record,
	const struct prometheus_counter *counter, json_t *pair)
{
	double seconds = json_number_value(json_array_get(pair, 0));
	const char *text = json_string_value(json_array_get(pair, 1));
	const struct stamp at = {
		.kind = STAMP_ABSOLUTE, .ns = (int64_t)(seconds * 1e3) * NSEC_PER_MSEC};
	int64_t value;

	if (!text || !(seconds > 0 && seconds < 4102444800.0) || !counters_number(text, &value)) {
		c->file->malformed++;
		return;
	}
	counters_sample(c, record, &at, *counter->interface ? counter->interface : NULL,
		counter->name, value);
}

static void prometheus_json_series(struct collection *c, uint64_t record, json_t *series)
{
	json_t *metric = json_object_get(series, "metric"),
	       *values = json_object_get(series, "values"), *pair;
	const char *name = json_string_value(json_object_get(metric, "__name__")),
		   *device = json_string_value(json_object_get(metric, "device"));
	struct prometheus_counter counter;
	size_t i;

	/* rate(...) has no name any more, and a metric of a CPU is no sum */
	if (!name || !prometheus_counter_of(name, device ? device : "", &counter) ||
		counter.summed) {
		c->file->malformed++;
		return;
	}
	if (!values)
		prometheus_json_pair(c, record, &counter, json_object_get(series, "value"));
	json_array_foreach(values, i, pair) prometheus_json_pair(c, record, &counter, pair);
}

/* Series of several instances in one file are of several hosts: which is this one is not said. */
static bool prometheus_one_instance(json_t *result)
{
	const char *first = NULL;
	json_t *series;
	size_t i;

	json_array_foreach(result, i, series)
	{
		const char *instance = json_string_value(
			json_object_get(json_object_get(series, "metric"), "instance"));

		if (instance && first && strcmp(instance, first) != 0)
			return false;
		first = first ? first : instance;
	}
	return true;
}

void prometheus_json_parse(struct reader *r, struct collection *c)
{
	size_t size, i;
	char *text CLEANUP_FREE = reader_whole(r, &size);
	json_t *all = text ? json_loadb(text, size, 0, NULL) : NULL, *series;
	json_t *result = json_object_get(json_object_get(all, "data"), "result");

	if (!json_is_array(result))
		c->file->damaged =
			mem_strdup(text ? "no answer of Prometheus, or cut" : "more than 32 MiB");
	else if (!prometheus_one_instance(result))
		c->file->damaged = mem_strdup(
			"series of several instances: ask for one, {instance=\"HOST:9100\"}");
	else
		json_array_foreach(result, i, series) prometheus_json_series(c, i + 1, series);
	json_decref(all);
}
