/* Driver information: by ioctl on this host, from saved ethtool output with --root. */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/mem.h"
#include "collector.h"

#define STATS_MAX 8192
#define STATS_KEPT 200

/* Drivers have hundreds of counters; these names indicate problems. */
static bool ethtool_telling(const char *name)
{
	static const char *const parts[] = {"drop", "miss", "err", "fail", "discard", "no_buf",
		"no_dma", "timeout", "reset", "exceeded", "overrun", "fifo", "oob", "full", "crc",
		"stop", "busy"};
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (strcasestr(name, parts[i]))
			return true;
	}
	return false;
}

static bool ethtool_ask(const struct host *h, const char *interface, void *command)
{
	struct ifreq req = {0};

	strncpy(req.ifr_name, interface, sizeof(req.ifr_name) - 1);
	req.ifr_data = command;
	return h->ethtool_fd >= 0 && ioctl(h->ethtool_fd, SIOCETHTOOL, &req) == 0;
}

static void ethtool_put_text(struct host *h, const char *word, const char *leaf, const char *text)
{
	if (text[0] && strcmp(text, "N/A"))
		fact_put(h->facts, text, "nic.%s.%s", word, leaf);
}

static void ethtool_driver_info(struct host *h, const char *interface, const char *word)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};

	if (!ethtool_ask(h, interface, &info))
		return;
	info.driver[sizeof(info.driver) - 1] = info.version[sizeof(info.version) - 1] = '\0';
	info.fw_version[sizeof(info.fw_version) - 1] = info.bus_info[sizeof(info.bus_info) - 1] =
		'\0';
	ethtool_put_text(h, word, "driver", info.driver);
	ethtool_put_text(h, word, "driver_version", info.version);
	ethtool_put_text(h, word, "firmware", info.fw_version);
	ethtool_put_text(h, word, "bus", info.bus_info);
}

static void ethtool_rings(struct host *h, const char *interface, const char *word)
{
	struct ethtool_ringparam ring = {.cmd = ETHTOOL_GRINGPARAM};

	if (!ethtool_ask(h, interface, &ring) || !ring.rx_max_pending)
		return;
	fact_put_u64(h->facts, ring.rx_pending, "nic.%s.ring.rx", word);
	fact_put_u64(h->facts, ring.tx_pending, "nic.%s.ring.tx", word);
	fact_put_u64(h->facts, ring.rx_max_pending, "nic.%s.ring.rx_max", word);
	fact_put_u64(h->facts, ring.tx_max_pending, "nic.%s.ring.tx_max", word);
}

static void ethtool_offloads(struct host *h, const char *interface, const char *word)
{
	static const struct {
		uint32_t command, flag;
		const char *name;
	} features[] = {
		{ETHTOOL_GRXCSUM, 0, "rx-checksum"},
		{ETHTOOL_GTXCSUM, 0, "tx-checksum"},
		{ETHTOOL_GSG, 0, "sg"},
		{ETHTOOL_GTSO, 0, "tso"},
		{ETHTOOL_GGSO, 0, "gso"},
		{ETHTOOL_GGRO, 0, "gro"},
		{ETHTOOL_GUFO, 0, "ufo"},
		{ETHTOOL_GFLAGS, ETH_FLAG_LRO, "lro"},
		{ETHTOOL_GFLAGS, ETH_FLAG_RXVLAN, "rx-vlan"},
		{ETHTOOL_GFLAGS, ETH_FLAG_TXVLAN, "tx-vlan"},
		{ETHTOOL_GFLAGS, ETH_FLAG_NTUPLE, "ntuple"},
		{ETHTOOL_GFLAGS, ETH_FLAG_RXHASH, "rxhash"},
	};
	size_t i;

	for (i = 0; i < sizeof(features) / sizeof(*features); i++) {
		struct ethtool_value v = {.cmd = features[i].command};
		bool on;

		if (!ethtool_ask(h, interface, &v))
			continue;
		on = features[i].flag ? v.data & features[i].flag : v.data != 0;
		fact_put(h->facts, on ? "on" : "off", "nic.%s.offload.%s", word, features[i].name);
	}
}

static void ethtool_put_counter(
	struct host *h, const char *word, const char *name, uint64_t value, unsigned *kept)
{
	char key[128];

	if (!ethtool_telling(name) || *kept >= STATS_KEPT)
		return;
	++*kept;
	fact_put_u64(h->facts, value, "nic.%s.driver_counter.%s", word,
		comments_word(key, sizeof(key), name));
}

static void ethtool_counters(struct host *h, const char *interface, const char *word)
{
	struct ethtool_sset_info *set CLEANUP_FREE = mem_zalloc(sizeof(*set) + sizeof(uint32_t));
	struct ethtool_gstrings *names CLEANUP_FREE = NULL;
	struct ethtool_stats *values CLEANUP_FREE = NULL;
	char name[ETH_GSTRING_LEN + 1] = "";
	uint32_t i, n;
	unsigned kept = 0;

	set->cmd = ETHTOOL_GSSET_INFO;
	set->sset_mask = UINT64_C(1) << ETH_SS_STATS;
	if (!ethtool_ask(h, interface, set) || !set->sset_mask)
		return;
	n = set->data[0];
	if (!n || n > STATS_MAX)
		return;
	/* Room for one more: the driver may have added a counter in between. */
	names = mem_array(n + 64, ETH_GSTRING_LEN);
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_STATS;
	names->len = n;
	values = mem_array(n + 64, sizeof(uint64_t));
	values->cmd = ETHTOOL_GSTATS;
	values->n_stats = n;
	if (!ethtool_ask(h, interface, names) || !ethtool_ask(h, interface, values))
		return;
	for (i = 0; i < n; i++) {
		memcpy(name, names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
		ethtool_put_counter(h, word, name, values->data[i], &kept);
	}
}

static void ethtool_permanent_mac(struct host *h, const char *interface, const char *word)
{
	struct ethtool_perm_addr *a CLEANUP_FREE = mem_zalloc(sizeof(*a) + 32);
	static const uint8_t none[6];
	const uint8_t *m = a->data;
	char text[32];

	a->cmd = ETHTOOL_GPERMADDR;
	a->size = 32;
	if (!ethtool_ask(h, interface, a) || a->size != 6 || !memcmp(m, none, 6))
		return;
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		m[5]);
	fact_put(h->facts, text, "nic.%s.permanent_mac", word);
}

/* A saved line "name: value" of ethtool output, under the same names as by ioctl. */
static void ethtool_saved_line(struct host *h, const char *word, char kind, const char *name,
	const char *value, unsigned *kept)
{
	static const char *const info[][2] = {{"driver", "driver"}, {"version", "driver_version"},
		{"firmware-version", "firmware"}, {"bus-info", "bus"}};
	static const char *const feature[][2] = {{"rx-checksumming", "rx-checksum"},
		{"tx-checksumming", "tx-checksum"}, {"scatter-gather", "sg"},
		{"tcp-segmentation-offload", "tso"}, {"generic-segmentation-offload", "gso"},
		{"generic-receive-offload", "gro"}, {"large-receive-offload", "lro"},
		{"udp-fragmentation-offload", "ufo"}, {"rx-vlan-offload", "rx-vlan"},
		{"tx-vlan-offload", "tx-vlan"}, {"ntuple-filters", "ntuple"},
		{"receive-hashing", "rxhash"}};
	size_t i;

	if (kind == 'S')
		ethtool_put_counter(h, word, name, strtoull(value, NULL, 10), kept);
	for (i = 0; kind == 'i' && i < sizeof(info) / sizeof(*info); i++) {
		if (!strcmp(name, info[i][0]))
			ethtool_put_text(h, word, info[i][1], value);
	}
	for (i = 0; kind == 'k' && i < sizeof(feature) / sizeof(*feature); i++) {
		if (!strcmp(name, feature[i][0]))
			fact_put(h->facts, strncmp(value, "on", 2) ? "off" : "on",
				"nic.%s.offload.%s", word, feature[i][1]);
	}
}

/* ethtool -g prints RX and TX twice: the maxima, then the current sizes. */
static void ethtool_saved_ring(
	struct host *h, const char *word, const char *name, const char *value, bool current)
{
	const char *leaf = !strcmp(name, "RX") ? "rx" : !strcmp(name, "TX") ? "tx" : NULL;

	if (leaf)
		fact_put(h->facts, value, "nic.%s.ring.%s%s", word, leaf, current ? "" : "_max");
}

static void ethtool_saved(struct host *h, const char *interface, const char *word, char kind)
{
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char path[160], *line, *save = NULL, *value;
	unsigned kept = 0;
	bool current = false;

	snprintf(path, sizeof(path), "bothends/ethtool-%c.%s", kind, interface);
	if (!rootfs_read(&h->root, path, 1 << 20, &text))
		return;
	for (line = strtok_r(text.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		current |= strstr(line, "Current hardware") != NULL;
		line += strspn(line, " \t");
		value = strstr(line, ":");
		if (!value)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		if (kind == 'g' && *value)
			ethtool_saved_ring(h, word, line, value, current);
		else
			ethtool_saved_line(h, word, kind, line, value, &kept);
	}
}

void facts_ethtool(struct host *h, const char *interface, const char *word)
{
	if (h->copied) {
		ethtool_saved(h, interface, word, 'i');
		ethtool_saved(h, interface, word, 'k');
		ethtool_saved(h, interface, word, 'g');
		ethtool_saved(h, interface, word, 'S');
		return;
	}
	ethtool_driver_info(h, interface, word);
	ethtool_permanent_mac(h, interface, word);
	ethtool_rings(h, interface, word);
	ethtool_offloads(h, interface, word);
	ethtool_counters(h, interface, word);
}
