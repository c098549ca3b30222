/* Network stack counters that indicate loss. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector.h"

static bool stack_has_name(const char *list, const char *name)
{
	size_t n = strlen(name);
	const char *at;

	for (at = strstr(list, name); at; at = strstr(at + 1, name)) {
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	}
	return false;
}

static bool stack_wanted(const char *group, const char *name)
{
	static const char *const lists[][2] = {
		{"Ip", "InHdrErrors InAddrErrors InDiscards InDelivers OutDiscards OutNoRoutes "
		       "ReasmFails FragFails"},
		{"Icmp", "InDestUnreachs OutDestUnreachs InCsumErrors"},
		{"Tcp", "AttemptFails EstabResets RetransSegs InErrs OutRsts InCsumErrors InSegs "
			"OutSegs"},
		{"Udp", "NoPorts InErrors RcvbufErrors SndbufErrors InCsumErrors"},
		{"IpExt", "InNoRoutes InTruncatedPkts InCsumErrors"},
	};
	static const char *const parts[] = {"Drop", "Overflow", "Fail", "Timeout", "Retrans",
		"Abort", "Prune", "Rejected", "Filter", "Loss", "Probes", "Challenge", "Lost"};
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		if (!strcmp(group, lists[i][0]))
			return stack_has_name(lists[i][1], name);
	}
	for (i = 0; !strcmp(group, "TcpExt") && i < sizeof(parts) / sizeof(*parts); i++) {
		if (strstr(name, parts[i]))
			return true;
	}
	return false;
}

/* /proc/net/snmp and netstat: "Tcp: names" and then "Tcp: values". */
static void stack_paired_lines(struct host *h, const char *path, const char *prefix)
{
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char *save = NULL, *names, *values, *name_save, *value_save, *group, *name, *value;

	if (!rootfs_read(&h->root, path, 65536, &text))
		return;
	while ((names = strtok_r(save ? NULL : text.text, "\n", &save)) &&
		(values = strtok_r(NULL, "\n", &save))) {
		name_save = value_save = NULL;
		group = strtok_r(names, ": ", &name_save);
		if (!group || !strtok_r(values, ": ", &value_save))
			return;
		while ((name = strtok_r(NULL, " ", &name_save)) &&
			(value = strtok_r(NULL, " ", &value_save))) {
			if (stack_wanted(group, name))
				fact_put(h->facts, value, "%s.%s.%s", prefix, group, name);
		}
	}
}

static void stack_snmp6(struct host *h)
{
	static const char names[] =
		"Ip6InHdrErrors Ip6InNoRoutes Ip6InAddrErrors Ip6InDiscards Ip6OutDiscards "
		"Ip6OutNoRoutes Ip6ReasmFails Ip6FragFails Icmp6InCsumErrors Udp6InErrors "
		"Udp6RcvbufErrors";
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char *line, *save = NULL, name[64], value[32];

	if (!rootfs_read(&h->root, "proc/net/snmp6", 65536, &text))
		return;
	for (line = strtok_r(text.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%63s %31s", name, value) == 2 && stack_has_name(names, name))
			fact_put(h->facts, value, "snmp6.%s", name);
	}
}

static void stack_softnet(struct host *h)
{
	static const struct {
		const char *name;
		unsigned column;
	} columns[] = {{"processed", 0}, {"dropped", 1}, {"squeezed", 2}, {"flow_limit", 10}};
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	uint64_t sum[16] = {0};
	char *line, *save = NULL, *at, *end;
	unsigned i;

	if (!rootfs_read(&h->root, "proc/net/softnet_stat", 1 << 20, &text) || !text.length)
		return;
	for (line = strtok_r(text.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		for (i = 0, at = line; i < 16; i++, at = end) {
			uint64_t v = strtoull(at, &end, 16);

			if (end == at)
				break;
			sum[i] += v;
		}
	}
	for (i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		fact_put_u64(h->facts, sum[columns[i].column], "softnet.%s", columns[i].name);
}

/* Files of /proc/net/stat: a line of names, then a line of hexadecimal values for each CPU. */
static void stack_per_cpu(
	struct host *h, const char *path, const char *wanted_names, const char *prefix)
{
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char *names, *name, *save = NULL, *line, *column_save = NULL, *at, *end,
			    *header[64] = {NULL};
	uint64_t sum[64] = {0};
	unsigned i, n = 0;

	if (!rootfs_read(&h->root, path, 1 << 20, &text))
		return;
	names = strtok_r(text.text, "\n", &save);
	for (name = names ? strtok_r(names, " ", &column_save) : NULL; name && n < 64;
		name = strtok_r(NULL, " ", &column_save))
		header[n++] = name;
	while (n && (line = strtok_r(NULL, "\n", &save))) {
		for (i = 0, at = line; i < n; i++, at = end) {
			uint64_t v = strtoull(at, &end, 16);

			if (end == at)
				break;
			/* The number of entries is one for all CPUs, repeated on each line. */
			sum[i] = strcmp(header[i], "entries") ? sum[i] + v : v;
		}
	}
	for (i = 0; i < n; i++) {
		if (stack_has_name(wanted_names, header[i]))
			fact_put_u64(h->facts, sum[i], "%s.%s", prefix, header[i]);
	}
}

static void stack_conntrack(struct host *h)
{
	uint64_t count, max;

	if (rootfs_u64(&h->root, &count, "proc/sys/net/netfilter/nf_conntrack_count"))
		fact_put_u64(h->facts, count, "conntrack.count");
	if (rootfs_u64(&h->root, &max, "proc/sys/net/netfilter/nf_conntrack_max"))
		fact_put_u64(h->facts, max, "conntrack.max");
	stack_per_cpu(h, "proc/net/stat/nf_conntrack", "drop insert_failed early_drop invalid",
		"conntrack");
}

static void stack_thresholds(struct host *h)
{
	uint64_t v[3];
	char text[96];
	unsigned i;

	for (i = 0; i < 3; i++) {
		if (!rootfs_u64(
			    &h->root, &v[i], "proc/sys/net/ipv4/neigh/default/gc_thresh%u", i + 1))
			return;
	}
	snprintf(text, sizeof(text), "gc1=%llu gc2=%llu gc3=%llu", (unsigned long long)v[0],
		(unsigned long long)v[1], (unsigned long long)v[2]);
	fact_put(h->facts, text, "neighbor.threshold");
}

void facts_stack(struct host *h)
{
	stack_softnet(h);
	stack_paired_lines(h, "proc/net/snmp", "snmp");
	stack_paired_lines(h, "proc/net/netstat", "netstat");
	stack_snmp6(h);
	stack_conntrack(h);
	stack_thresholds(h);
	stack_per_cpu(h, "proc/net/stat/arp_cache",
		"entries table_fulls unresolved_discards res_failed", "neighbor.table");
}
