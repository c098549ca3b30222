/* Counters in a host's files: which facts each format becomes, and that no prefix of it does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "base/strbuf.h"
#include "hostfile/collection.h"
#include "hostfile/counters.h"
#include "hostfile/reader.h"
#include "hostfile/recognise.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct bytes {
	const char *at;
	size_t left;
};

static size_t pull_bytes(void *from, char *to, size_t size)
{
	struct bytes *b = from;
	size_t n = b->left < size ? b->left : size;

	memcpy(to, b->at, n);
	b->at += n;
	b->left -= n;
	return n;
}

static void take_fact(void *context, const struct agent_fact *f)
{
	char text[NSEC_TEXT_SIZE];

	strbuf_printf(context, "%llu %s %s=%s\n", (unsigned long long)f->line,
		f->at_ns != AGENTFACTS_UNDATED ? nsec_format(f->at_ns, text)
		: f->written		       ? f->written
					       : "-",
		f->key, f->value);
}

/* The facts of a file of so many bytes, after its kind; "not recognised" where it is none. */
static void read_file(
	const char *name, const char *command, const char *text, size_t size, struct strbuf *got)
{
	static const struct collection_options nothing_said = {0};
	char *copy = mem_printf("%.*s", (int)size, text);
	struct hostfile_head head = {
		.name = name, .command = *command ? command : NULL, .bytes = copy, .size = size};
	const struct hostfile_kind *kind = recognise_kind(&head);
	struct bytes b = {copy, size};
	struct collection c;
	struct reader r;

	strbuf_printf(got, "%s", kind ? kind->name : "not recognised");
	if (kind) {
		collection_init(&c, &nothing_said);
		(void)collection_begin_file(&c, 1, name, name);
		if (*command) {
			c.file->command = mem_strdup(command);
			c.file->at = (struct stamp){
				.kind = STAMP_ABSOLUTE, .ns = 1790000000 * NSEC_PER_SEC};
		}
		reader_init(&r, pull_bytes, &b);
		kind->parse(&r, &c);
		reader_release(&r);
		strbuf_printf(got, " malformed=%llu%s%s\n", (unsigned long long)c.file->malformed,
			c.file->damaged ? " " : "", c.file->damaged ? c.file->damaged : "");
		collection_finish(&c, take_fact, got);
		collection_release(&c);
	}
	free(copy);
}

#define AT "2026-09-21T14:13:20.000000000Z "

static const struct {
	const char *claim, *name, *command, *text, *facts;
} files[] = {
	{"/proc/net/dev", "dev", "cat /proc/net/dev",
		"Inter-|   Receive                   |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes packets "
		"errs "
		"drop fifo colls carrier compressed\n"
		"  eth0:  2972  31 1 2 3 4 0 5 1960 20 6 7 8 9 10 0\n  bad: 1 2\n",
		"proc-net-dev malformed=1\n3 " AT "nic.eth0.counter.rx_bytes=2972\n3 " AT
		"nic.eth0.counter.rx_packets=31\n3 " AT "nic.eth0.counter.rx_errors=1\n3 " AT
		"nic.eth0.counter.rx_dropped=2\n3 " AT "nic.eth0.counter.rx_fifo_errors=3\n3 " AT
		"nic.eth0.counter.rx_frame_errors=4\n3 " AT "nic.eth0.counter.multicast=5\n3 " AT
		"nic.eth0.counter.tx_bytes=1960\n3 " AT "nic.eth0.counter.tx_packets=20\n3 " AT
		"nic.eth0.counter.tx_errors=6\n3 " AT "nic.eth0.counter.tx_dropped=7\n3 " AT
		"nic.eth0.counter.tx_fifo_errors=8\n3 " AT "nic.eth0.counter.collisions=9\n3 " AT
		"nic.eth0.counter.tx_carrier_errors=10\n"},
	{"/proc/net/snmp", "snmp", "cat /proc/net/snmp",
		"Ip: Forwarding DefaultTTL InReceives\nIp: 1 64 77\nTcp: RtoMin MaxConn "
		"RetransSegs\n"
		"Tcp: 200 -1 12\n",
		"proc-net-snmp malformed=0\n2 " AT "snmp.Ip.InReceives=77\n4 " AT
		"snmp.Tcp.RetransSegs=12\n"},
	{"/proc/net/netstat", "netstat", "cat /proc/net/netstat",
		"TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 0 3\n",
		"proc-net-snmp malformed=0\n2 " AT "netstat.TcpExt.SyncookiesSent=0\n2 " AT
		"netstat.TcpExt.ListenOverflows=3\n"},
	{"/proc/net/softnet_stat, summed over CPUs", "softnet", "cat /proc/net/softnet_stat",
		"0000000f 00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000000 "
		"00000000 00000004\n"
		"00000010 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
		"00000000 00000000\n",
		"softnet-stat malformed=0\n1 " AT "softnet.processed=31\n1 " AT
		"softnet.dropped=2\n1 " AT "softnet.squeezed=2\n1 " AT "softnet.flow_limit=4\n"},
	{"/proc/net/stat/nf_conntrack", "nf_conntrack", "cat /proc/net/stat/nf_conntrack",
		"entries  clashres found new invalid ignore delete delete_list insert "
		"insert_failed "
		"drop\n00000005  00000000 00000001 00000000 0000000a 0 0 0 0 00000002 00000001\n"
		"00000005  00000000 00000001 00000000 00000001 0 0 0 0 00000000 00000001\n",
		"proc-net-stat malformed=0\n1 " AT "conntrack.clashres=0\n1 " AT
		"conntrack.found=2\n1 " AT "conntrack.new=0\n1 " AT "conntrack.invalid=11\n1 " AT
		"conntrack.ignore=0\n1 " AT "conntrack.delete=0\n1 " AT
		"conntrack.delete_list=0\n1 " AT "conntrack.insert=0\n1 " AT
		"conntrack.insert_failed=2\n1 " AT "conntrack.drop=2\n"},
	{"conntrack -S", "conntrack-S", "conntrack -S",
		"cpu=0   \tfound=1 invalid=2 insert_failed=3 drop=0\n"
		"cpu=1   \tfound=0 invalid=40 insert_failed=0 drop=9\n",
		"conntrack-stats malformed=0\n1 " AT "conntrack.found=1\n1 " AT
		"conntrack.invalid=42\n1 " AT "conntrack.insert_failed=3\n1 " AT
		"conntrack.drop=9\n"},
	{"nstat -asz", "nstat", "nstat -asz",
		"#kernel\nIpInReceives 121157 0.0\nTcpExtListenDrops 4 0.0\nIp6InReceives 9 0.0\n"
		"IcmpMsgInType3 1 0.0\nnonsense\n",
		"nstat malformed=1\n2 " AT "snmp.Ip.InReceives=121157\n3 " AT
		"netstat.TcpExt.ListenDrops=4\n4 " AT "snmp6.Ip6InReceives=9\n5 " AT
		"snmp.IcmpMsg.InType3=1\n"},
	{"nstat without -a counts since its last run: nothing is taken", "nstat", "nstat",
		"#kernel\nIpInReceives 121157 0.0\n", "not recognised"},
	{"sysfs", "stat", "grep -H . /sys/class/net/*/statistics/*",
		"/sys/class/net/eth0.7/statistics/rx_packets:31\n/sys/x:1\n",
		"sysfs-statistics malformed=1\n1 " AT "nic.eth0%2e7.counter.rx_packets=31\n"},
	{"ip -s -s link", "ip-link", "ip -s -s link",
		"2: eth0@if5: <BROADCAST,UP> mtu 1500 state UP\n    link/ether fa:a5:23:37:00:2e\n"
		"    RX:  bytes packets errors dropped  missed   mcast           \n"
		"          2972      31      1       2       3       4 \n"
		"    RX errors:  length    crc   frame    fifo overrun\n"
		"                     5      6       7       8       9 \n"
		"    TX:  bytes packets errors dropped carrier collsns           \n"
		"          1960      20      0       0       1       2 \n",
		"ip-link-stats malformed=0\n4 " AT "nic.eth0.counter.rx_bytes=2972\n4 " AT
		"nic.eth0.counter.rx_packets=31\n4 " AT "nic.eth0.counter.rx_errors=1\n4 " AT
		"nic.eth0.counter.rx_dropped=2\n4 " AT "nic.eth0.counter.rx_missed_errors=3\n4 " AT
		"nic.eth0.counter.multicast=4\n6 " AT "nic.eth0.counter.rx_length_errors=5\n6 " AT
		"nic.eth0.counter.rx_crc_errors=6\n6 " AT
		"nic.eth0.counter.rx_frame_errors=7\n6 " AT
		"nic.eth0.counter.rx_fifo_errors=8\n6 " AT
		"nic.eth0.counter.rx_over_errors=9\n8 " AT "nic.eth0.counter.tx_bytes=1960\n8 " AT
		"nic.eth0.counter.tx_packets=20\n8 " AT "nic.eth0.counter.tx_errors=0\n8 " AT
		"nic.eth0.counter.tx_dropped=0\n8 " AT "nic.eth0.counter.tx_carrier_errors=1\n8 " AT
		"nic.eth0.counter.collisions=2\n"},
	{"ip -j -s link, without a time", "x", "",
		"[{\"ifname\":\"eth0\",\"stats64\":{\"rx\":{\"packets\":31,\"over_errors\":1},"
		"\"tx\":"
		"{\"packets\":20}}}]",
		"ip-link-stats malformed=0\n1 - nic.eth0.counter.rx_packets=31\n1 - "
		"nic.eth0.counter.rx_over_errors=1\n1 - nic.eth0.counter.tx_packets=20\n"},
	{"ethtool -S: the interface from the command", "x", "ethtool -S ens3",
		"NIC statistics:\n     rx_no_dma: 7\n     queue 0 drops: 1\n     bad\n",
		"ethtool-stats malformed=1\n2 " AT "nic.ens3.driver_counter.rx_no_dma=7\n3 " AT
		"nic.ens3.driver_counter.queue%200%20drops=1\n"},
	{"ethtool -S: the interface from the name, as sosreport writes it",
		"sos/networking/ethtool_-S_eth1", "", "NIC statistics:\n     rx_drops: 7\n",
		"ethtool-stats malformed=0\n2 - nic.eth1.driver_counter.rx_drops=7\n"},
	{"ethtool -S of nobody knows which interface", "stats.txt", "",
		"NIC statistics:\n     rx_drops: 7\n", "ethtool-stats malformed=1\n"},
	{"nft list ruleset", "nft", "nft list ruleset",
		"table inet filter {\n\tcounter web {\n\t\tpackets 0 bytes 0\n\t}\n\n\tchain input "
		"{\n"
		"\t\ttype filter hook input priority filter; policy accept;\n"
		"\t\ttcp dport 443 counter packets 7 bytes 420 drop # handle 4\n"
		"\t\ttcp dport 443 counter packets 1 bytes 60 drop\n\t\tct state new "
		"accept\n\t}\n}\n",
		"nft-ruleset malformed=0\n8 " AT
		"firewall.inet%20filter.input.tcp%20dport%20443%20drop.packets=7\n8 " AT
		"firewall.inet%20filter.input.tcp%20dport%20443%20drop.bytes=420\n9 " AT
		"firewall.inet%20filter.input.tcp%20dport%20443%20drop%20%232.packets=1\n9 " AT
		"firewall.inet%20filter.input.tcp%20dport%20443%20drop%20%232.bytes=60\n"},
	{"iptables-save -c", "iptables", "iptables-save -c",
		"# Generated\n*filter\n:INPUT DROP [3:180]\n:mine - [0:0]\n"
		"[4:336] -A INPUT -p tcp -j DROP\n-A INPUT -j ACCEPT\nCOMMIT\n",
		"iptables-save malformed=0\n3 " AT
		"firewall.iptables%20filter.INPUT.policy%20DROP.packets=3\n3 " AT
		"firewall.iptables%20filter.INPUT.policy%20DROP.bytes=180\n5 " AT
		"firewall.iptables%20filter.INPUT.-p%20tcp%20-j%20DROP.packets=4\n5 " AT
		"firewall.iptables%20filter.INPUT.-p%20tcp%20-j%20DROP.bytes=336\n"},
	{"collectd, what the counters stood at", "csv/db/interface-eth0/if_packets-2026-09-21", "",
		"epoch,rx,tx\n1790000000.250,31,20\n1790000010.250,33,20\nbad\n",
		"collectd malformed=1\n2 2026-09-21T14:13:20.250000000Z "
		"nic.eth0.counter.rx_packets=31\n2 2026-09-21T14:13:20.250000000Z "
		"nic.eth0.counter.tx_packets=20\n3 2026-09-21T14:13:30.250000000Z "
		"nic.eth0.counter.rx_packets=33\n3 2026-09-21T14:13:30.250000000Z "
		"nic.eth0.counter.tx_packets=20\n"},
	{"collectd, rates", "csv/db/interface-eth0/if_octets-2026-09-21", "",
		"epoch,rx,tx\n1790000000.000,nan,nan\n1790000010.000,1.500000,0.000000\n",
		"collectd malformed=0\n3 2026-09-21T14:13:30.000000000Z "
		"nic.eth0.counted.rx_bytes=length_ns=10000000000 amount=15.000000\n3 "
		"2026-09-21T14:13:30.000000000Z nic.eth0.counted.tx_bytes=length_ns=10000000000 "
		"amount=0.000000\n"},
	{"collectd, a counter of the stack",
		"db/protocols-TcpExt/protocol_counter-ListenDrops-2026-09-21", "",
		"epoch,value\n1790000000.000,4\n",
		"collectd malformed=0\n2 " AT "netstat.TcpExt.ListenDrops=4\n"},
	{"collectd, another plugin", "db/load/load-2026-09-21", "",
		"epoch,shortterm,midterm,longterm\n1790000000.000,0.1,0.1,0.1\n",
		"collectd malformed=0\n"},
	{"sadf -d, with a restart", "sa.csv", "",
		"# hostname;interval;timestamp;IFACE;rxpck/s;txpck/s;rxkB/s\n"
		"db;600;2026-09-21 14:13:20 UTC;eth0;2.50;1.00;1.00\n"
		"db;-1;2026-09-21 14:15:00 UTC;LINUX-RESTART\t(2 CPU)\n"
		"db;600;1790000000;eth0;0.00;0.00;0.00\n",
		"sysstat malformed=0\n2 " AT
		"nic.eth0.counted.rx_packets=length_ns=600000000000 amount=1500.000000\n2 " AT
		"nic.eth0.counted.tx_packets=length_ns=600000000000 amount=600.000000\n2 " AT
		"nic.eth0.counted.rx_bytes=length_ns=600000000000 amount=614400.000000\n4 " AT
		"nic.eth0.counted.rx_packets=length_ns=600000000000 amount=0.000000\n4 " AT
		"nic.eth0.counted.tx_packets=length_ns=600000000000 amount=0.000000\n4 " AT
		"nic.eth0.counted.rx_bytes=length_ns=600000000000 amount=0.000000\n"},
	{"sadf -j, times of the host's zone", "sa.json", "",
		"{\"sysstat\": {\"hosts\": [{\"statistics\": [{\"timestamp\": {\"date\": "
		"\"2026-09-21\", \"time\": \"14:13:20\", \"utc\": 0, \"interval\": 10}, "
		"\"network\": "
		"{\"net-dev\": [{\"iface\": \"eth0\", \"rxpck\": 1.5}]}}]}]}}",
		"sysstat malformed=0\n1 2026-09-21 14:13:20 "
		"nic.eth0.counted.rx_packets=length_ns=10000000000 amount=15.000000\n"},
	{"a text exposition has its own time", "node.prom", "",
		"# HELP node_network_receive_packets_total x\n# TYPE x counter\n"
		"node_network_receive_packets_total{device=\"eth0\"} 1.2e+06\n"
		"node_softnet_dropped_total{cpu=\"0\"} 1\nnode_softnet_dropped_total{cpu=\"1\"} 2\n"
		"node_netstat_Tcp_RetransSegs 12\nnode_load1 0.5\nnode_time_seconds 1.79e+09\n",
		"prometheus malformed=0\n3 " AT "nic.eth0.counter.rx_packets=1200000\n6 " AT
		"snmp.Tcp.RetransSegs=12\n4 " AT "softnet.dropped=3\n"},
	{"query_range", "p.json", "",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{"
		"\"metric\":"
		"{\"__name__\":\"node_network_receive_packets_total\",\"device\":\"eth0\","
		"\"instance\":\"db:9100\"},\"values\":[[1790000000,\"31\"],[1790000010.5,\"40\"],"
		"[1790000020,\"NaN\"]]},{\"metric\":{},\"values\":[[1790000000,\"1.5\"]]}]}}",
		"prometheus malformed=2\n1 " AT "nic.eth0.counter.rx_packets=31\n1 "
		"2026-09-21T14:13:30.500000000Z nic.eth0.counter.rx_packets=40\n"},
	{"query_range of several instances: whose is not said", "p.json", "",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{"
		"\"metric\":"
		"{\"__name__\":\"node_netstat_Tcp_RetransSegs\",\"instance\":\"a:9100\"},\"value\":"
		"[1790000000,\"31\"]},{\"metric\":{\"__name__\":\"node_netstat_Tcp_RetransSegs\","
		"\"instance\":\"b:9100\"},\"value\":[1790000000,\"31\"]}]}}",
		"prometheus malformed=0 series of several instances: ask for one, "
		"{instance=\"HOST:9100\"}\n"},
	{"get-metric-statistics, in any order", "c.json", "",
		"{\"Label\":\"NetworkPacketsIn\",\"Datapoints\":[{\"Timestamp\":"
		"\"2026-09-21T14:14:00Z\",\"Sum\":7.0,\"Unit\":\"Count\"},{\"Timestamp\":"
		"\"2026-09-21T14:13:00+00:00\",\"Average\":2.5,\"SampleCount\":4}]}",
		"cloudwatch malformed=0\n1 2026-09-21T14:14:00.000000000Z "
		"counted.cloud%2eNetworkPacketsIn=length_ns=60000000000 amount=10.000000\n1 "
		"2026-09-21T14:15:00.000000000Z "
		"counted.cloud%2eNetworkPacketsIn=length_ns=60000000000 amount=7.000000\n"},
	{"get-metric-data", "c.json", "",
		"{\"MetricDataResults\":[{\"Id\":\"m1\",\"Label\":\"StatusCheckFailed\","
		"\"Timestamps\":[\"2026-09-21T14:18:20Z\",\"2026-09-21T14:13:20Z\"],\"Values\":[1."
		"0,"
		"0.0],\"StatusCode\":\"Complete\"}]}",
		"cloudwatch malformed=0\n1 2026-09-21T14:18:20.000000000Z "
		"counted.cloud%2eStatusCheckFailed=length_ns=300000000000 amount=0.000000\n1 "
		"2026-09-21T14:23:20.000000000Z "
		"counted.cloud%2eStatusCheckFailed=length_ns=300000000000 amount=1.000000\n"},
	{"one point has no period", "c.json", "",
		"{\"Label\":\"NetworkPacketsIn\",\"Datapoints\":[{\"Timestamp\":"
		"\"2026-09-21T14:14:00Z\",\"Sum\":7.0}]}",
		"cloudwatch malformed=0\n"},
};

static void test_facts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		CLEANUP_STRBUF struct strbuf got = STRBUF_INIT;

		read_file(files[i].name, files[i].command, files[i].text, strlen(files[i].text),
			&got);
		if (strcmp(got.text, files[i].facts) != 0)
			fail_msg("%s:\n%s\nwanted:\n%s", files[i].claim, got.text, files[i].facts);
	}
}

static void test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		for (size_t n = 0; n < strlen(files[i].text); n++) {
			CLEANUP_STRBUF struct strbuf got = STRBUF_INIT;

			read_file(files[i].name, files[i].command, files[i].text, n, &got);
		}
}

static void test_numbers(void **state)
{
	int64_t value = 7;

	(void)state;
	assert_true(counters_number("1.2e+06", &value));
	assert_int_equal(value, 1200000);
	assert_false(counters_number("nan", &value));
	assert_false(counters_number("-1.5", &value));
	assert_false(counters_number("1e30", &value));
	assert_false(counters_number("", &value));
	assert_false(counters_number("12x", &value));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
