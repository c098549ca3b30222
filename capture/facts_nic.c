/* Network interfaces from sysfs; facts_ethtool.c asks the drivers. */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector.h"

struct nic {
	struct host *h;
	const char *name;
	char word[128]; /* as part of a key */
	uint64_t sum;
};

static void nic_put_attribute(struct nic *n, const char *file, const char *leaf)
{
	char line[ROOTFS_LINE_SIZE];

	if (rootfs_line(&n->h->root, line, "sys/class/net/%s/%s", n->name, file))
		fact_put(n->h->facts, line, "nic.%s.%s", n->word, leaf);
}

/* For kernel lines that begin with the driver's name. */
static void nic_note_driver(struct host *h, const char *driver)
{
	size_t i, last = sizeof(h->drivers) / sizeof(*h->drivers) - 1;

	for (i = 0; i < last && h->drivers[i][0]; i++) {
		if (!strcmp(h->drivers[i], driver))
			return;
	}
	if (i < last)
		snprintf(h->drivers[i], sizeof(h->drivers[i]), "%.31s", driver);
}

static void nic_put_driver(struct nic *n)
{
	char driver[ROOTFS_LINE_SIZE], text[ROOTFS_LINE_SIZE], device[ROOTFS_LINE_SIZE];

	if (rootfs_link(&n->h->root, text, "sys/class/net/%s/device", n->name))
		fact_put(n->h->facts, text, "nic.%s.bus", n->word);
	if (rootfs_link(&n->h->root, driver, "sys/class/net/%s/device/driver", n->name)) {
		fact_put(n->h->facts, driver, "nic.%s.driver", n->word);
		nic_note_driver(n->h, driver);
		if (rootfs_line(&n->h->root, text, "sys/module/%s/version", driver)) {
			fact_put(n->h->facts, text, "module.%s.version", driver);
			fact_put(n->h->facts, text, "nic.%s.driver_version", n->word);
		}
	}
	if (rootfs_line(&n->h->root, text, "sys/class/net/%s/device/vendor", n->name) &&
		rootfs_line(&n->h->root, device, "sys/class/net/%s/device/device", n->name) &&
		!strncmp(text, "0x", 2) && !strncmp(device, "0x", 2)) {
		char pci[64];

		snprintf(pci, sizeof(pci), "%.8s:%.8s", text + 2, device + 2);
		fact_put(n->h->facts, pci, "nic.%s.pci", n->word);
	}
}

static void nic_count_queue(void *arg, const char *name)
{
	unsigned *queues = arg;

	queues[strncmp(name, "tx-", 3) ? 0 : 1]++;
}

static void nic_add_tx_timeout(void *arg, const char *name)
{
	struct nic *n = arg;
	uint64_t v;

	if (rootfs_u64(&n->h->root, &v, "sys/class/net/%s/queues/%s/tx_timeout", n->name, name))
		n->sum += v;
}

static void nic_put_queues(struct nic *n)
{
	unsigned queues[2] = {0, 0};
	char path[160], text[64];

	snprintf(path, sizeof(path), "sys/class/net/%s/queues", n->name);
	if (!rootfs_each(&n->h->root, path, 512, nic_count_queue, queues))
		return;
	snprintf(text, sizeof(text), "rx=%u tx=%u", queues[0], queues[1]);
	fact_put(n->h->facts, text, "nic.%s.queues", n->word);
	n->sum = 0;
	(void)rootfs_each(&n->h->root, path, 512, nic_add_tx_timeout, n);
	fact_put_u64(n->h->facts, n->sum, "nic.%s.tx_timeout", n->word);
}

static void nic_put_counter(void *arg, const char *name)
{
	struct nic *n = arg;
	uint64_t v;

	if (rootfs_u64(&n->h->root, &v, "sys/class/net/%s/statistics/%s", n->name, name))
		fact_put_u64(n->h->facts, v, "nic.%s.counter.%s", n->word, name);
}

static void nic_put_counters(struct nic *n)
{
	char path[160];

	snprintf(path, sizeof(path), "sys/class/net/%s/statistics", n->name);
	(void)rootfs_each(&n->h->root, path, 64, nic_put_counter, n);
}

static void nic_put_arp_settings(struct nic *n)
{
	static const char *const names[][2] = {{"arp_ignore", "ignore"},
		{"arp_announce", "announce"}, {"arp_accept", "accept"}, {"arp_filter", "filter"},
		{"proxy_arp", "proxy"}};
	char text[160] = "";
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (rootfs_u64(
			    &n->h->root, &v, "proc/sys/net/ipv4/conf/%s/%s", n->name, names[i][0]))
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s=%llu",
				text[0] ? " " : "", names[i][1], (unsigned long long)v);
	}
	if (text[0])
		fact_put(n->h->facts, text, "arp.%s", n->word);
}

static void nic_put_nic(void *arg, const char *name)
{
	static const char *const files[][2] = {{"ifindex", "index"}, {"address", "mac"},
		{"mtu", "mtu"}, {"type", "type"}, {"operstate", "operstate"},
		{"carrier", "carrier"}, {"carrier_changes", "carrier_changes"},
		{"duplex", "duplex"}};
	struct nic n = {.h = arg, .name = name};
	char master[ROOTFS_LINE_SIZE];
	uint64_t v;
	size_t i;

	/* bonding_masters and the like are files, not interfaces. */
	if (!rootfs_exists(&n.h->root, "sys/class/net/%s/address", name))
		return;
	comments_word(n.word, sizeof(n.word), name);
	for (i = 0; i < sizeof(files) / sizeof(*files); i++)
		nic_put_attribute(&n, files[i][0], files[i][1]);
	if (rootfs_u64(&n.h->root, &v, "sys/class/net/%s/speed", name) && v < 10000000)
		fact_put_u64(n.h->facts, v, "nic.%s.speed_mbps", n.word);
	if (rootfs_u64(&n.h->root, &v, "sys/class/net/%s/flags", name))
		fact_put_u64(n.h->facts, !!(v & IFF_PROMISC), "nic.%s.promiscuous", n.word);
	if (rootfs_link(&n.h->root, master, "sys/class/net/%s/master", name))
		fact_put(n.h->facts, master, "nic.%s.master", n.word);
	nic_put_driver(&n);
	facts_ethtool(n.h, name, n.word);
	nic_put_queues(&n);
	nic_put_counters(&n);
	nic_put_arp_settings(&n);
}

void facts_nic_all(struct host *h)
{
	size_t n = rootfs_each(&h->root, "sys/class/net", HOST_NICS, nic_put_nic, h);

	if (n > HOST_NICS)
		fact_put_u64(h->facts, n - HOST_NICS, "nic.omitted");
}
