/* Files of a host: lines, archives, times, and which facts they become. */
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
#include "hostfile/archive.h"
#include "hostfile/collection.h"
#include "hostfile/hostfile.h"
#include "hostfile/reader.h"
#include "hostfile/recognise.h"
#include "hostfile/stamp.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes in memory as a reader_pull, in pieces. */
struct bytes {
	const char *at;
	size_t left, piece;
};

static size_t pull_bytes(void *from, char *to, size_t size)
{
	struct bytes *b = from;
	size_t n = b->left < size ? b->left : size;

	if (b->piece && n > b->piece)
		n = b->piece;
	memcpy(to, b->at, n);
	b->at += n;
	b->left -= n;
	return n;
}

static const struct {
	const char *line;
	size_t length;
	enum stamp_kind kind;
	int64_t ns, within_ns;
} stamps[] = {
	{"[  451.000001] NETDEV", 15, STAMP_UPTIME, 451000001000, 0},
	{"[    1.500000][    T1] x", 23, STAMP_UPTIME, 1500000000, 0},
	{"[Sat Nov 28 10:00:00 2026] x", 27, STAMP_LOCAL, 1795860000 * NSEC_PER_SEC, 999999999},
	{"Nov 28 10:00:00 web x", 16, STAMP_YEARLESS, 36000 * NSEC_PER_SEC, 999999999},
	{"Nov  8 10:00:00.123456 web", 23, STAMP_YEARLESS, 36000123456000, 0},
	{"2026-11-28T10:00:00.5+02:00 x", 28, STAMP_ABSOLUTE, 1795852800500000000, 99999999},
	{"2026-11-28T10:00:00,123456+0000 x", 32, STAMP_ABSOLUTE, 1795860000123456000, 0},
	{"2026-11-28 10:00:00 x", 20, STAMP_LOCAL, 1795860000 * NSEC_PER_SEC, 999999999},
	{"Sat 2026-11-28 10:00:00 UTC web", 28, STAMP_ABSOLUTE, 1795860000 * NSEC_PER_SEC,
		999999999},
	{"Sat 2026-11-28 10:00:00 CET web", 28, STAMP_LOCAL, 1795860000 * NSEC_PER_SEC, 999999999},
	{"Sat Nov 28 10:00:00 UTC 2026", 28, STAMP_ABSOLUTE, 1795860000 * NSEC_PER_SEC, 999999999},
	{"Sat Nov 28 10:00:00 CET 2026", 28, STAMP_LOCAL, 1795860000 * NSEC_PER_SEC, 999999999},
	{"1795860000.123456 web x", 18, STAMP_ABSOLUTE, 1795860000123456000, 0},
	{"10:00:00.123456 IP a > b", 0, STAMP_NONE, 0, 0},
	{"2026-13-28T10:00:00Z", 0, STAMP_NONE, 0, 0},
	{"Nov 28 25:00:00 x", 0, STAMP_NONE, 0, 0},
	{"[link] x", 0, STAMP_NONE, 0, 0},
	{"", 0, STAMP_NONE, 0, 0},
};

static void test_stamps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stamps); i++) {
		struct stamp s;
		size_t n = stamp_take(stamps[i].line, &s);

		if (n != stamps[i].length || s.kind != stamps[i].kind || s.ns != stamps[i].ns ||
			s.within_ns != stamps[i].within_ns)
			fail_msg("%s: length %zu kind %d ns %lld within %lld", stamps[i].line, n,
				(int)s.kind, (long long)s.ns, (long long)s.within_ns);
	}
	for (int year = 1970; year < 2116; year++) {
		assert_int_equal(stamp_year_of(stamp_civil_ns(year, 1, 1)), year);
		assert_int_equal(stamp_year_of(stamp_civil_ns(year, 1, 1) - 1), year - 1);
		assert_int_equal(stamp_year_of(stamp_civil_ns(year, 3, 1) - 1), year);
	}
}

/* Lines at the limit, one beyond it, an empty one, a last one without its end, NULs. */
static void test_lines(void **state)
{
	static const size_t lengths[] = {0, READER_LINE_MAX - 1, READER_LINE_MAX,
		READER_LINE_MAX + 1, 3 * READER_LINE_MAX, 5};
	struct strbuf text = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		for (size_t k = 0; k < lengths[i]; k++)
			strbuf_addc(&text, (char)(k == 2 ? 0 : 'a' + (char)i));
		strbuf_adds(&text, i % 2 ? "\r\n" : "\n");
	}
	strbuf_adds(&text, "end");
	for (size_t piece = 1; piece < 200000; piece = piece * 7 + 1) {
		struct bytes b = {text.text, text.length, piece};
		struct reader r;
		char *line;
		size_t size;

		reader_init(&r, pull_bytes, &b);
		for (size_t i = 0; i < COUNT(lengths); i++) {
			size_t want = lengths[i] < READER_LINE_MAX ? lengths[i] : READER_LINE_MAX;

			assert_true(reader_line(&r, &line, &size));
			assert_int_equal(size, want);
			assert_int_equal(strlen(line), want);
			if (want > 2)
				assert_true(line[2] == ' ' && line[1] == 'a' + (char)i);
		}
		assert_int_equal(r.cut, 2);
		assert_true(reader_line(&r, &line, &size));
		assert_string_equal(line, "end");
		assert_false(reader_line(&r, &line, &size));
		assert_int_equal(r.line, COUNT(lengths) + 1);
		reader_release(&r);
	}
	strbuf_release(&text);
}

/* A member of a ustar archive: name, type, content. */
static void add_member(struct strbuf *out, const char *name, char type, const char *content)
{
	char block[ARCHIVE_BLOCK] = {0};
	size_t n = strlen(content), sum = 0;

	(void)snprintf(block, 100, "%s", name);
	(void)snprintf(block + 124, 12, "%011o", (unsigned)n);
	(void)snprintf(block + 136, 12, "%011o", 1795860000u);
	memset(block + 148, ' ', 8);
	block[156] = type;
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	(void)snprintf(block + 148, 8, "%06o", (unsigned)sum & 0777777);
	strbuf_add(out, block, sizeof(block));
	strbuf_add(out, content, n);
	memset(block, 0, sizeof(block));
	strbuf_add(out, block, (ARCHIVE_BLOCK - n % ARCHIVE_BLOCK) % ARCHIVE_BLOCK);
}

static void test_archive(void **state)
{
	struct strbuf text = STRBUF_INIT;
	struct archive a;
	struct bytes b;
	char content[64];
	size_t n;

	(void)state;
	add_member(&text, "sos/", '5', "");
	add_member(&text, "sos/a", '0', "first");
	add_member(&text, "sos/link", '2', "");
	add_member(&text, "../../etc/passwd", '0', "outside");
	add_member(&text, "sos/../x", '0', "outside");
	add_member(&text, "sos/dev", '3', "");
	add_member(&text, "././@LongLink", 'L', "sos/a..name/that/is/long");
	add_member(&text, "short", '0', "second");
	add_member(&text, "pax", 'x', "23 path=sos/of/the/pax\n");
	add_member(&text, "short", '0', "third");
	assert_true(archive_recognise(text.text, text.length));
	b = (struct bytes){text.text, text.length, 100};
	archive_init(&a, pull_bytes, &b);
	assert_true(archive_next(&a));
	assert_string_equal(a.name, "sos/a");
	assert_int_equal(a.modified_ns, 1795860000 * NSEC_PER_SEC);
	n = archive_pull(&a, content, sizeof(content));
	assert_int_equal(n, 5);
	assert_memory_equal(content, "first", 5);
	assert_int_equal(archive_pull(&a, content, sizeof(content)), 0);
	assert_true(archive_next(&a));
	assert_string_equal(a.name, "sos/a..name/that/is/long");
	assert_true(archive_next(&a));
	assert_string_equal(a.name, "sos/of/the/pax");
	assert_int_equal(archive_pull(&a, content, 2), 2);
	assert_memory_equal(content, "th", 2);
	assert_false(archive_next(&a));
	assert_null(a.failure);
	assert_int_equal(a.members, 3);
	assert_int_equal(a.links, 1);
	assert_int_equal(a.outside, 2);
	assert_int_equal(a.special, 1);
	/* Cut anywhere, it ends, and says so unless the cut is between two members. */
	for (size_t size = 0; size < text.length; size += 37) {
		b = (struct bytes){text.text, size, 0};
		archive_init(&a, pull_bytes, &b);
		while (archive_next(&a))
			;
		assert_true(a.members <= 3);
		if (size % ARCHIVE_BLOCK)
			assert_non_null(a.failure);
	}
	strbuf_release(&text);
}

static void take_fact(void *context, const struct agent_fact *f)
{
	struct strbuf *out = context;
	char text[NSEC_TEXT_SIZE];

	if (f->line)
		strbuf_printf(out, "%llu ", (unsigned long long)f->line);
	strbuf_printf(out, "%s %s=%s\n",
		f->at_ns != AGENTFACTS_UNDATED ? nsec_format(f->at_ns, text)
		: f->written		       ? f->written
					       : "-",
		f->key, f->value);
}

/* The facts of one file, a line each, after its kind. */
static void read_file(struct collection *c, const char *name, const char *text)
{
	struct hostfile_head head = {.name = name, .bytes = text, .size = strlen(text)};
	const struct hostfile_kind *kind = recognise_kind(&head);
	struct bytes b = {text, strlen(text), 0};
	struct reader r;

	assert_non_null(kind);
	(void)collection_begin_file(c, 1, name, name);
	c->file->kind = kind->name;
	reader_init(&r, pull_bytes, &b);
	kind->parse(&r, c);
	reader_release(&r);
}

static void expect_facts(
	const struct collection_options *o, const char *name, const char *text, const char *wanted)
{
	CLEANUP_STRBUF struct strbuf got = STRBUF_INIT;
	struct collection c;

	strbuf_adds(&got, "");
	collection_init(&c, o);
	read_file(&c, name, text);
	strbuf_printf(
		&got, "%s malformed=%llu\n", c.file->kind, (unsigned long long)c.file->malformed);
	hostfile_finish(&c, take_fact, &got);
	if (strcmp(got.text, wanted) != 0)
		fail_msg("%s:\n%s\nwanted:\n%s", name, got.text, wanted);
	collection_release(&c);
}

static const struct collection_options nothing_said = {0};
static const struct collection_options year_and_zone = {
	.year = 2027, .zone_known = true, .zone_ns = 3600 * NSEC_PER_SEC};

static const struct {
	const char *name, *text, *facts;
	const struct collection_options *options;
} logs[] = {
	{"RFC 3164, nothing known",
		"Nov 28 10:05:31 xen1 kernel: [  451.000001] NETDEV WATCHDOG: eth0 (r8169): "
		"transmit queue 0 timed out\n"
		"Nov 28 10:05:32 xen1 CRON[12]: (root) link up\n"
		"garbage\nNov 28 10:05:33 xen1 kernel: usb\n",
		"log malformed=1\n1 Nov 28 10:05:31 kernel.log=message=NETDEV WATCHDOG: eth0 "
		"(r8169): transmit queue 0 timed out\n",
		&nothing_said},
	{"RFC 3164 over a new year",
		"Dec 31 23:59:59 a kernel: eth0: link down\nJan  1 00:00:01 a kernel: eth0: link "
		"up\n",
		"log malformed=0\n1 2026-12-31T22:59:59.000000000Z kernel.log=message=eth0: link "
		"down\n2 2026-12-31T23:00:01.000000000Z kernel.log=message=eth0: link up\n",
		&year_and_zone},
	{"rsyslog's times",
		"2026-11-28T10:05:31.123456+02:00 a kernel: [1.5] eth0: link down\n"
		"2026-11-28T10:05:31.123456+02:00 a Keepalived_vrrp[77]: (VI_1) Entering BACKUP "
		"STATE\n",
		"log malformed=0\n1 2026-11-28T08:05:31.123456000Z kernel.log=message=eth0: link "
		"down\n2 2026-11-28T08:05:31.123456000Z service.log=service=keepalived "
		"message=(VI_1) Entering BACKUP STATE\n",
		&nothing_said},
	{"RFC 5424",
		"<4>1 2026-11-28T10:05:31.123Z a kernel - - - eth0: link down\n"
		"<30>1 2026-11-28T10:05:32Z a haproxy 12 - [x@1 y=\"z\"] Server b/s is DOWN\n",
		"log malformed=0\n1 2026-11-28T10:05:31.123000000Z kernel.log=level=4 "
		"message=eth0: link down\n2 2026-11-28T10:05:32.000000000Z service.log="
		"service=haproxy level=6 message=Server b/s is DOWN\n",
		&nothing_said},
	{"dmesg",
		"[    0.000000] Linux version 6.1\n<4>[   12.500000] eth0: link down\n"
		"[   13.500000] r8169 eth0: link up\n[   13.600000] systemd[1]: a link up: x\n",
		"log malformed=0\n2 [   12.500000] kernel.log=level=4 message=eth0: link down\n"
		"3 [   13.500000] kernel.log=message=r8169 eth0: link up\n"
		"4 [   13.600000] kernel.log=message=systemd[1]: a link up: x\n"
		"1 [    0.000000] host.kernel=6.1\n",
		&year_and_zone},
	{"dmesg -T", "[Sat Nov 28 10:05:31 2026] eth0: link down\n",
		"log malformed=0\n1 2026-11-28T09:05:31.000000000Z kernel.log=message=eth0: link "
		"down\n",
		&year_and_zone},
	{"dmesg -x --time-format iso",
		"kern  :warn  : 2026-11-28T10:05:31,123456+00:00 eth0: link down\n",
		"log malformed=0\n1 2026-11-28T10:05:31.123456000Z kernel.log=level=4 "
		"message=eth0: link down\n",
		&nothing_said},
	{"journalctl -o short-full",
		"-- Boot 5f3c --\nSat 2026-11-28 10:05:31 UTC a kernel: eth0: link down\n",
		"log malformed=0\n2 2026-11-28T10:05:31.000000000Z kernel.log=message=eth0: link "
		"down\n",
		&nothing_said},
	{"journalctl -o short-monotonic", "[   12.500000] a kernel: eth0: link down\n",
		"log malformed=0\n1 [   12.500000] kernel.log=message=eth0: link down\n",
		&nothing_said},
};

static void test_logs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(logs); i++)
		expect_facts(logs[i].options, logs[i].name, logs[i].text, logs[i].facts);
}

/* Output of commands and copies of files: name, content, kind and facts. */
static const struct {
	const char *name, *text, *facts;
} files[] = {
	{"sos/ethtool_-i_eth0", "driver: ixgbevf\nversion: 2.11.3-k\nfirmware-version: N/A\n",
		"ethtool-driver malformed=0\n1 - nic.eth0.driver=ixgbevf\n2 - "
		"nic.eth0.driver_version=2.11.3-k\n"},
	{"x", "driver: ena\nversion: 2\n",
		"ethtool-driver malformed=0\n1 - nic.unnamed.driver=ena\n2 - "
		"nic.unnamed.driver_version=2\n"},
	{"", "Features for eth0.5:\nrx-checksumming: on [fixed]\ntcp-segmentation-offload: off\n",
		"ethtool-features malformed=0\n2 - nic.eth0%2e5.offload.rx-checksum=on\n3 - "
		"nic.eth0%2e5.offload.tso=off\n"},
	{"",
		"Ring parameters for eth0:\nPre-set maximums:\nRX:\t\t4096\nRX "
		"Mini:\tn/a\nTX:\t4096\nCurrent hardware settings:\nRX:\t512\nTX:\tn/a\n",
		"ethtool-rings malformed=0\n3 - nic.eth0.ring.rx_max=4096\n5 - "
		"nic.eth0.ring.tx_max=4096\n7 - nic.eth0.ring.rx=512\n"},
	{"",
		"2: eth0: <BROADCAST,UP> mtu 9001 qdisc mq state UP group default qlen 1000\n"
		"    link/ether 00:00:01:fc:b3:20 brd ff:ff:ff:ff:ff:ff promiscuity 0\n"
		"    inet 10.0.1.20/24 brd 10.0.1.255 scope global eth0\n    inet6 fe80::1/64 "
		"scope "
		"link\n",
		"ip-link malformed=0\n1 - nic.eth0.mtu=9001\n1 - nic.eth0.operstate=up\n2 - "
		"nic.eth0.mac=00:00:01:fc:b3:20\n2 - nic.eth0.promiscuous=0\n1 - "
		"nic.eth0.addresses=10.0.1.20/24 fe80::1/64\n"},
	{"",
		"1: lo    inet 127.0.0.1/8 scope host lo\n2: eth0    inet 10.0.1.20/24 scope "
		"global\n2: eth0    inet6 fe80::1/64 scope link\n",
		"ip-link malformed=0\n1 - nic.lo.addresses=127.0.0.1/8\n2 - "
		"nic.eth0.addresses=10.0.1.20/24 fe80::1/64\n"},
	{"",
		"default via 10.0.1.1 dev eth0.5 metric 100\n10.0.1.0/24 dev eth0.5 proto kernel "
		"scope link src 10.0.1.20\nblackhole 10.9.0.0/16 table 7\n",
		"ip-route malformed=0\n1 - route=dst=default via=10.0.1.1 dev=eth0%2e5 metric=100 "
		"table=254 type=unicast\n2 - route=dst=10.0.1.0/24 dev=eth0%2e5 src=10.0.1.20 "
		"scope=link table=254 type=unicast\n3 - route=dst=10.9.0.0/16 table=7 "
		"type=blackhole\n"},
	{"", "0:\tfrom all lookup local\n32765:\tfrom 10.0.1.0/24 lookup 5\n",
		"ip-rule malformed=0\n1 - rule.0=from all lookup local\n2 - rule.32765=from "
		"10.0.1.0/24 lookup 5\n"},
	{"", "10.0.1.90 dev eth0 lladdr 00:00:01:fc:b3:48 used 3/412/409 STALE\n",
		"ip-neigh malformed=0\n1 - neighbor=ip=10.0.1.90 dev=eth0 mac=00:00:01:fc:b3:48 "
		"state=STALE confirmed_ms=412000 used_ms=3000 updated_ms=409000\n"},
	{"",
		"? (10.0.1.90) at 00:00:01:fc:b3:48 [ether] on eth0\n? (10.0.1.91) at "
		"<incomplete> on eth0\n",
		"arp malformed=0\n1 - neighbor=ip=10.0.1.90 dev=eth0 mac=00:00:01:fc:b3:48 "
		"state=NONE\n2 - neighbor=ip=10.0.1.91 dev=eth0 state=INCOMPLETE\n"},
	{"",
		"IP address       HW type     Flags       HW address            Mask     Device\n"
		"10.0.1.90        0x1         0x2         00:00:01:fc:b3:48     *        eth0\n",
		"arp malformed=0\n2 - neighbor=ip=10.0.1.90 dev=eth0 mac=00:00:01:fc:b3:48 "
		"state=NONE\n"},
	{"", "Linux db1 3.13.0-100-generic #147-Ubuntu SMP 2016 x86_64 GNU/Linux\n",
		"uname malformed=0\n1 - host.name=db1\n1 - host.kernel=3.13.0-100-generic\n1 - "
		"host.kernel_build=#147-Ubuntu SMP 2016 x86_64 GNU/Linux\n"},
	{"", "NAME=\"Ubuntu\"\nID=ubuntu\nPRETTY_NAME=\"Ubuntu 14.04.5 LTS\"\n",
		"os-release malformed=0\n3 - host.os=Ubuntu 14.04.5 LTS\n"},
	{"",
		"# dmidecode 3.3\nHandle 0x0000\nBIOS Information\n\tVendor: Xen\n\tVersion: "
		"4.2.amazon\nSystem Information\n\tManufacturer: Xen\n\tProduct Name: HVM domU\n",
		"dmidecode malformed=0\n4 - dmi.bios_vendor=Xen\n5 - dmi.bios_version=4.2.amazon\n"
		"7 - dmi.sys_vendor=Xen\n8 - dmi.product_name=HVM domU\n7 - "
		"hypervisor.type=xen\n7 - hypervisor.version=4.2.amazon\n"},
	{"", "Module                  Size  Used by\nvhost_net 32768 0\n",
		"modules malformed=0\n2 - vhost_net.loaded=1\n"},
	{"", "vhost 49152 1 vhost_net, Live 0x0000000000000000\n",
		"modules malformed=0\n- vhost_net.loaded=0\n"},
	{"", "filename:       /lib/modules/4.9/ixgbevf.ko\nversion:        2.11.3-k\n",
		"modinfo malformed=0\n2 - module.ixgbevf.version=2.11.3-k\n"},
	{"", "# default\nVHOST_NET_ENABLED=1\nVHOST_NET_ENABLED=\"0\"\n",
		"qemu-kvm malformed=0\n3 - vhost_net.enabled_in_config=0\n"},
	{"",
		"  PID COMMAND\n    2 [kthreadd]\n   77 /usr/bin/qemu-system-x86_64 -name a "
		"-netdev tap,fd=3,id=n0 -netdev tap,fd=4,vhost=on -netdev user,id=u\n",
		"ps malformed=0\n3 - qemu.processes=1\n3 - vhost_net.threads=0\n3 - "
		"qemu.taps_with_vhost=1\n3 - qemu.taps_without_vhost=1\n"},
	{"", "USER PID TTY COMMAND\nme 77 pts/1 qemu-system-x86_64 -netdev tap\n",
		"ps malformed=0\n2 - qemu.processes=1\n2 - qemu.taps_with_vhost=0\n2 - "
		"qemu.taps_without_vhost=1\n"},
	{"", "USER PID TTY COMMAND\nme 77 pts/1 vi qemu-system-x86_64\n", "ps malformed=0\n"},
	{"",
		"net.ipv4.conf.eth0/5.arp_ignore = 1\nnet.ipv4.conf.eth0/5.proxy_arp = 0\n"
		"net.ipv4.neigh.default.gc_thresh1 = 128\nnet.ipv4.neigh.default.gc_thresh2 = "
		"512\nnet.ipv4.neigh.default.gc_thresh3 = 1024\n",
		"sysctl malformed=0\n1 - arp.eth0%2e5=ignore=1 proxy=0\n5 - "
		"neighbor.threshold=gc1=128 gc2=512 gc3=1024\n"},
	{"",
		"vrrp_instance VI_1 {\n  state MASTER # first\n  interface eth0\n  "
		"virtual_router_id 51\n  priority 150\n  authentication {\n    auth_pass x\n  }\n"
		"  virtual_ipaddress {\n    10.0.1.100/24 dev eth0\n    10.0.1.101\n  }\n"
		"  unicast_peer { 10.0.1.3 }\n}\nvrrp_instance VI_2 {\n  virtual_router_id 52\n}\n",
		"keepalived.conf malformed=0\n1 - vrrp.VI_1=vrid=51 priority=150 interval_s=1 "
		"state=MASTER dev=eth0 addresses=10.0.1.100/24,10.0.1.101 peers=10.0.1.3\n15 - "
		"vrrp.VI_2=vrid=52 priority=100 interval_s=1\n"},
	{"host/proc/sys/kernel/osrelease", "4.9.0-4-amd64\n",
		"copy malformed=0\n1 - host.kernel=4.9.0-4-amd64\n"},
	{"/sys/class/net/eth0.5/address", "00:00:01:fc:b3:20\n",
		"copy malformed=0\n1 - nic.eth0%2e5.mac=00:00:01:fc:b3:20\n"},
	{"sys/class/net/eth0/speed", "-1\n", "copy malformed=0\n"},
	{"",
		"/sys/hypervisor/version/extra:.amazon\n/sys/hypervisor/version/major:4\n"
		"/sys/hypervisor/version/minor:2\n/sys/hypervisor/type:xen\nnot one\n",
		"copies malformed=1\n4 - hypervisor.type=xen\n2 - hypervisor.version=4.2.amazon\n"},
	{"",
		"{\"__REALTIME_TIMESTAMP\":\"1795860000123456\",\"PRIORITY\":\"4\","
		"\"SYSLOG_IDENTIFIER\":\"kernel\",\"MESSAGE\":\"eth0: link down\"}\n"
		"{\"__REALTIME_TIMESTAMP\":\"1795860001000000\",\"_TRANSPORT\":\"kernel\","
		"\"MESSAGE\":[101,116,104,32,108,105,110,107,32,117,112,7]}\n{broken\n",
		"journal-json malformed=1\n1 2026-11-28T10:00:00.123456000Z "
		"kernel.log=level=4 message=eth0: link down\n2 2026-11-28T10:00:01.000000000Z "
		"kernel.log=message=eth link up\x07\n"},
	{"",
		"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795860000123456\nPRIORITY=4\n"
		"SYSLOG_IDENTIFIER=kernel\nMESSAGE=eth0: link down\n\n__CURSOR=s=2\n"
		"__REALTIME_TIMESTAMP=1795860001000000\nSYSLOG_IDENTIFIER=Keepalived_vrrp\n"
		"MESSAGE\n12345678(VI_1) Entering FAULT STATE\n\n",
		"journal-export malformed=0\n1 2026-11-28T10:00:00.123456000Z "
		"kernel.log=level=4 message=eth0: link down\n7 2026-11-28T10:00:01.000000000Z "
		"service.log=service=keepalived message=(VI_1) Entering FAULT STATE\n"},
	{"",
		"{\n \"dmesg\": [\n {\"pri\": 4, \"time\": 12.5, \"msg\": \"eth0: link down\"},\n"
		" {\"fac\": \"kern\", \"pri\": \"warn\", \"time\": 13.5, \"msg\": \"eth0: link "
		"up\"}\n]}\n",
		"dmesg-json malformed=0\n1 [12.500000] kernel.log=level=4 message=eth0: link down\n"
		"2 [13.500000] kernel.log=level=4 message=eth0: link up\n"},
	{"console.txt",
		"SeaBIOS\r\n[    0.000000] Linux version 4.9.0-4-amd64 (build)\r\n[    0.000000] "
		"DMI: "
		"Xen HVM domU, BIOS 4.2.amazon 08/24/2006\r\n\x1b[0;32m[    1.500000] ena: Elastic "
		"Network Adapter (ENA) v1.0.2\r\n[    1.600000] ena 0000:00:03.0: Failed to enable "
		"MSI-X, vectors 9 rc -28\r\nlogin:",
		"console malformed=0\n5 [    1.600000] kernel.log=message=ena 0000:00:03.0: Failed "
		"to "
		"enable MSI-X, vectors 9 rc -28\n2 [    0.000000] host.kernel=4.9.0-4-amd64\n"
		"3 [    0.000000] dmi.bios_version=4.2.amazon\n3 [    0.000000] "
		"dmi.sys_vendor=Xen\n"
		"3 [    0.000000] dmi.product_name=HVM domU\n3 [    0.000000] hypervisor.type=xen\n"
		"3 [    0.000000] hypervisor.version=4.2.amazon\n4 [    1.500000] "
		"nic.ena.driver=ena\n4 [    1.500000] nic.ena.driver_version=1.0.2\n"},
	{"",
		"{\"InstanceId\":\"i-1\",\"Output\":\"[    0.000000] x\\r\\n[    1.5] eth0: link "
		"down\"}",
		"console-json malformed=0\n2 [    1.5] kernel.log=message=eth0: link down\n"},
	{"", "{\"InstanceId\":\"i-1\",\"Output\":\"WyAgICAxLjVdIGV0aDA6IGxpbmsgZG93bgo=\"}",
		"console-json malformed=0\n1 [    1.5] kernel.log=message=eth0: link down\n"},
	{"",
		"{\"Reservations\":[{\"Instances\":[{\"InstanceId\":\"i-1\",\"InstanceType\":"
		"\"m4.xlarge\",\"EnaSupport\":true,\"NetworkInterfaces\":[{\"NetworkInterfaceId\":"
		"\"eni-1\",\"MacAddress\":\"00:00:01:fc:b3:20\",\"PrivateIpAddresses\":[{"
		"\"PrivateIpAddress\":\"10.0.1.20\"}]}]}]}]}",
		"instances malformed=0\n1 - cloud.instance_id=i-1\n1 - "
		"cloud.instance_type=m4.xlarge\n1 - cloud.ena_support=1\n1 - "
		"nic.eni-1.mac=00:00:01:fc:b3:20\n1 - nic.eni-1.addresses=10.0.1.20\n"},
	{"", "[{\"InstanceId\":\"i-1\",\"InstanceType\":\"a\"},{\"InstanceId\":\"i-2\"}]",
		"instances malformed=2\n"},
};

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		expect_facts(&nothing_said, files[i].name, files[i].text, files[i].facts);
}

/* What one file says of the times of another. */
static void test_times(void **state)
{
	static const char stat[] = "cpu  1 2 3\nbtime 1795860000\n";
	static const char kern[] = "Nov 28 11:00:12 a kernel: [   12.500000] eth0: link down\n"
				   "Nov 28 11:30:00 a kernel: eth0: link up\n";
	static const char dmesg[] = "[   12.500000] eth0: link down\n";
	static const char console[] = "[    0.000000] x\n[   99.000000] eth0: link down\n"
				      "[    0.000000] x\n[   12.500000] eth0: link up\n";
	CLEANUP_STRBUF struct strbuf got = STRBUF_INIT;
	struct collection c;
	uint32_t last_id = 0;

	(void)state;
	collection_init(&c, &nothing_said);
	c.last_id = &last_id;
	read_file(&c, "proc/stat", stat);
	read_file(&c, "kern.log", kern);
	read_file(&c, "dmesg", dmesg);
	read_file(&c, "console", console);
	read_file(&c, "date", "Sat Nov 28 12:00:00 UTC 2026\n");
	read_file(&c, "messages",
		"Nov 28 11:30:00 a kernel: eth0: link up\nNov 28 11:59:00 a kernel: x\n");
	c.file->modified_ns = 1795867200 * NSEC_PER_SEC;
	read_file(&c, "uname", "Linux a 6.1 #1\n");
	hostfile_finish(&c, take_fact, &got);
	assert_string_equal(got.text,
		"1 2026-11-28T10:00:12.500000000Z kernel.log=message=eth0: link down\n"
		"2 Nov 28 11:30:00 kernel.log=message=eth0: link up\n"
		"1 2026-11-28T10:00:12.500000000Z kernel.log=message=eth0: link down\n"
		"2 [   99.000000] kernel.log=message=eth0: link down\n"
		"4 2026-11-28T10:00:12.500000000Z kernel.log=message=eth0: link up\n"
		"1 2026-11-28T11:30:00.000000000Z kernel.log=message=eth0: link up\n"
		"1 2026-11-28T12:00:00.000000000Z host.name=a\n"
		"1 2026-11-28T12:00:00.000000000Z host.kernel=6.1\n"
		"1 2026-11-28T12:00:00.000000000Z host.kernel_build=#1\n");
	collection_release(&c);
}

/* Of several listings of processes the last whole one holds, and none is added to another. */
static void test_listings(void **state)
{
	CLEANUP_STRBUF struct strbuf got = STRBUF_INIT;
	struct collection c;
	uint32_t last_id = 0;

	(void)state;
	collection_init(&c, &nothing_said);
	c.last_id = &last_id;
	read_file(&c, "a", "PID CMD\n2 [kthreadd]\n7 kvm -netdev tap,vhost=on\n8 [vhost-7]\n");
	read_file(&c, "b", "PID COMMAND\n2 kthreadd\n7 kvm\n8 vhost-7\n9 kvm\n");
	read_file(&c, "c", "USER PID COMMAND\nme 1 sh\n");
	hostfile_finish(&c, take_fact, &got);
	assert_string_equal(got.text,
		"5 - qemu.processes=2\n5 - vhost_net.threads=1\n"
		"5 - qemu.taps_with_vhost=1\n5 - qemu.taps_without_vhost=0\n");
	collection_release(&c);
}

/* Files of several commands: each is a file of its own, its lines counted in the whole. */
static void test_sections(void **state)
{
	static const char support[] = "intro\n#==[ Command ]====#\n# /sbin/ip neigh\n"
				      "10.0.1.90 dev eth0 FAILED\n\n#==[ Log File ]====#\n"
				      "# /var/log/messages - Last 5 Lines\n"
				      "2026-11-28T10:00:00Z a kernel: eth0: link down\n"
				      "#==[ Command ]====#\n# /bin/unknown\nwords\n";
	static const char terminal[] =
		"root@db:~# cat /proc/sys/kernel/osrelease\n4.9\n"
		"[root@db ~]# sudo ethtool -i eth1\ndriver: ena\nversion: 1\n"
		"root@db:~# exit\n";
	CLEANUP_STRBUF struct strbuf got = STRBUF_INIT;
	struct collection c;
	uint32_t last_id = 0;

	(void)state;
	collection_init(&c, &nothing_said);
	c.last_id = &last_id;
	read_file(&c, "network.txt", support);
	read_file(&c, "term.txt", terminal);
	hostfile_finish(&c, take_fact, &got);
	assert_string_equal(got.text,
		"4 - neighbor=ip=10.0.1.90 dev=eth0 state=FAILED\n"
		"8 2026-11-28T10:00:00.000000000Z kernel.log=message=eth0: link down\n"
		"2 - host.kernel=4.9\n4 - nic.eth1.driver=ena\n5 - nic.eth1.driver_version=1\n");
	assert_int_equal(c.file_count, 6);
	collection_release(&c);
}

/* Nothing else is taken for one. */
static void test_not_recognised(void **state)
{
	static const char *const texts[] = {"", "nothing that is known\n",
		"10:00:00.123456 IP 10.0.0.1.80 > 10.0.0.2.1024: Flags [S]\n",
		"2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 "
		"4249 "
		"1418530010 1418530070 ACCEPT OK\n",
		"2026-09-21T14:13:24.000Z 2 123456789010 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1 2 "
		"ACCEPT OK\n",
		"{\"a\": 1}\n", "# a remark\n", "$ rm x\n", "/sys/block:\ntotal 0\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct hostfile_head head = {
			.name = "", .bytes = texts[i], .size = strlen(texts[i])};

		if (recognise_kind(&head))
			fail_msg("%s: taken for %s", texts[i], recognise_kind(&head)->name);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_archive),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_not_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
