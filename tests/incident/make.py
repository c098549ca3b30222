#!/usr/bin/env python3
"""Writes fixtures/incident: five incidents from what their people had at hand, none from an agent, and their controls.

usage: make.py FOLDER

A folder is one run of `bothends analyze`: truth.json has the inputs and options, the findings that must be there, and
those that must not. Names, addresses and times are invented; versions and log lines are those of public reports
(docs/causes.md). Counters and flow logs come from one simulation of a host: what the log accepted is what was sent.
"""
import datetime
import json
import os
import random
import shutil
import sys

T = 1790000040  # 2026-09-21T14:14:00Z, a whole minute
ENI, ACCOUNT = "eni-0aaa1111bbbb2222c", "111122223333"
DB, CLIENTS = "10.0.1.20", [f"10.0.1.{n}" for n in (31, 32, 33, 34, 35)]


class Incident:
    """One folder: files, and truth.json beside them."""

    def __init__(self, root, name, claim):
        self.folder = os.path.join(root, name)
        self.truth = {"claim": claim, "arguments": [], "expected": [], "none_of": []}

    def file(self, path, *lines):
        full = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as out:
            out.write("".join(line + "\n" for line in lines))

    def run(self, *arguments):
        self.truth["arguments"] = list(arguments)

    def expect(self, kind, **what):
        self.truth["expected"].append({"kind": kind, **what})

    def none_of(self, *what):
        self.truth["none_of"] = list(what)

    def write(self):
        self.file("truth.json", json.dumps(self.truth, indent=1))


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


# A host with one interface: peers send to it all the time, unless quiet; deaf spans are those in which its driver receives nothing.

class Machine:
    def __init__(self, seed, minutes, deaf=(), quiet=(), down=()):
        self.random = random.Random(seed)
        self.seconds = minutes * 60
        self.deaf, self.quiet, self.down = deaf, quiet, down
        self.sent = {}  # second to {client: packets towards the host}
        self.answers = {}
        for second in range(self.seconds):
            busy = {} if self.within(second, quiet) else {c: self.random.randint(4, 9) for c in CLIENTS}
            unheard = self.within(second, deaf) or self.within(second, down)
            self.sent[second] = {c: 1 for c in busy} if unheard else busy  # retransmissions thin out
            self.answers[second] = {} if unheard else dict(busy)

    @staticmethod
    def within(second, spans):
        return any(start <= second < end for start, end in spans)

    def counters(self, every=10):
        """(second, rx packets, tx packets, rx bytes, tx bytes) as a reader on the host sees them; none while it is down."""
        rx, tx = 48_211_907, 39_004_118
        rxb, txb = rx * 310, tx * 455
        rows = []
        for second in range(self.seconds):
            if self.within(second, self.down):
                rx = tx = rxb = txb = 0
                continue
            if not self.within(second, self.deaf):
                got = sum(self.sent[second].values()) + (0 if self.within(second, self.quiet) else 1)  # and ARP
                rx, rxb = rx + got, rxb + got * 324
            out = sum(self.answers[second].values()) + (2 if self.within(second, self.deaf) else 0)
            tx, txb = tx + out, txb + out * 466
            if second % every == every - 1:
                rows.append((second + 1, rx, tx, rxb, txb))
        return rows

    def flow_log(self):
        """Records of a minute each, as the cloud sees the interface: what was sent was accepted."""
        lines = ["version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"]
        for minute in range(0, self.seconds, 60):
            for n, client in enumerate(CLIENTS):
                port = 40000 + 100 * n
                for source, destination, sport, dport, packets, size in (
                        (client, DB, port, 5432, sum(self.sent[s].get(client, 0) for s in range(minute, minute + 60)), 310),
                        (DB, client, 5432, port, sum(self.answers[s].get(client, 0) for s in range(minute, minute + 60)), 452)):
                    if packets:
                        lines.append(f"2 {ACCOUNT} {ENI} {source} {destination} {sport} {dport} 6 {packets} {packets * size} "
                                     f"{T + minute + 1} {T + minute + 59} ACCEPT OK")
        return lines


def collectd(incident, host, machine):
    """What collectd's csv plugin writes, without StoreRates."""
    day = utc(T).strftime("%Y-%m-%d")
    for kind, first, second in (("packets", 1, 2), ("octets", 3, 4)):
        rows = [f"{T + row[0]}.{217 + row[0] % 7:03d},{row[first]},{row[second]}" for row in machine.counters()]
        incident.file(f"{host}/collectd/{host}/interface-eth0/if_{kind}-{day}", "epoch,rx,tx", *rows)


def ec2_guest(incident, host, driver, version, kernel="3.13.0-100-generic", hypervisor=("4", "2", ".amazon")):
    incident.file(f"{host}/ethtool-i.eth0", f"driver: {driver}", f"version: {version}", "firmware-version: N/A",
                  "bus-info: 0000:00:03.0", "supports-statistics: yes", "supports-test: yes", "supports-eeprom-access: no",
                  "supports-register-dump: yes", "supports-priv-flags: no")
    incident.file(f"{host}/uname-a.txt", f"Linux {host} {kernel} #147-Ubuntu SMP Tue Oct 18 18:49:07 UTC 2016 x86_64 x86_64 x86_64 GNU/Linux")
    for name, text in zip(("major", "minor", "extra"), hypervisor):
        incident.file(f"{host}/sys/hypervisor/version/{name}", text)
    incident.file(f"{host}/sys/hypervisor/type", "xen")


DEAF = ((360, 540), (840, 1010))


def ixgbevf(root):
    incident = Incident(root, "ixgbevf-deaf", "A database on EC2 is unreachable for minutes; its processes go on. Its people had "
                        "collectd's counters, VPC flow logs, ethtool -i and uname.")
    machine = Machine(1, 20, deaf=DEAF)
    collectd(incident, "db", machine)
    ec2_guest(incident, "db", "ixgbevf", "2.11.3-k")
    incident.file("flow.log", *machine.flow_log())
    incident.run("--host", f"db={ENI}", "db=db", "flow.log")
    incident.expect("host-dark", severity="critical", host="db", direction="rx", alive=True, spans=len(DEAF),
                    windows=[[T + start, T + end] for start, end in DEAF], summary="its own counter",
                    cause={"kind": "advisory", "remedy": "update ixgbevf to 2.14.2 or later", "host": "db"},
                    evidence="rx_packets stands still")
    incident.expect("eni-not-host", host="db")
    incident.write()

    incident = Incident(root, "ixgbevf-updated", "The same host with the new driver: it answers all the time.")
    machine = Machine(2, 20)
    collectd(incident, "db", machine)
    ec2_guest(incident, "db", "ixgbevf", "2.16.4", hypervisor=("4", "11", ".amazon"))
    incident.file("flow.log", *machine.flow_log())
    incident.run("--host", f"db={ENI}", "db=db", "flow.log")
    incident.none_of("critical", "warning")
    incident.write()

    incident = Incident(root, "counters-pause", "Counters stand still for three minutes because nobody sends: the flow log has no "
                        "records of that time either.")
    machine = Machine(3, 20, quiet=((360, 540),))
    collectd(incident, "db", machine)
    ec2_guest(incident, "db", "ixgbevf", "2.16.4", hypervisor=("4", "11", ".amazon"))
    incident.file("flow.log", *machine.flow_log())
    incident.run("--host", f"db={ENI}", "db=db", "flow.log")
    incident.none_of("critical", "warning")
    incident.write()

    incident = Incident(root, "host-rebooted", "The host restarts within a minute and its counters begin at 0: no difference of "
                        "that time means anything.")
    machine = Machine(4, 20, down=((365, 412),))
    collectd(incident, "db", machine)
    ec2_guest(incident, "db", "ixgbevf", "2.16.4", hypervisor=("4", "11", ".amazon"))
    incident.file("flow.log", *machine.flow_log())
    incident.run("--host", f"db={ENI}", "db=db", "flow.log")
    incident.none_of("critical", "warning")
    incident.write()


MSIX = ["[    0.000000] Linux version {kernel} (buildd@host) #{build}",
        "[    1.402113] xen_netfront: Initialising Xen virtual ethernet driver",
        "[    2.114250] ena 0000:00:03.0: Elastic Network Adapter (ENA) v2.1.0K",
        "[    2.131907] ena 0000:00:03.0: Failed to enable MSI-X, ret -28",
        "[    2.132840] ena 0000:00:03.0: Error initializing the IO queues",
        "[    2.140022] ena: probe of 0000:00:03.0 failed with error -28",
        "[   12.500391] systemd[1]: Timed out waiting for device /sys/subsystem/net/devices/ens3."]


def xen(root):
    incident = Incident(root, "xen42-msix", "After a kernel update an instance does not come up. Its people had its console log and "
                        "/sys/hypervisor/version of the fleet.")
    incident.file("web1/console.log", *[line.format(kernel="4.19.0-22-cloud-amd64", build="1 SMP Debian 4.19.260-1") for line in MSIX])
    for host, extra, driver in (("web2", ("4", "2", ".amazon"), "ena"), ("web3", ("4", "11", ".amazon"), "ena"),
                                ("web4", ("4", "2", ".amazon"), "ixgbevf")):
        ec2_guest(incident, host, driver, "2.1.0K" if driver == "ena" else "4.1.0-k", kernel="4.19.0-21-cloud-amd64", hypervisor=extra)
    incident.run("web1=web1", "web2=web2", "web3=web3", "web4=web4")
    incident.expect("advisory", host="web1", severity="critical", summary="MSI-X", evidence="Failed to enable MSI-X",
                    remedy="boot the kernel before")
    incident.expect("advisory", host="web2", summary="Xen 4.2", remedy="no reboot into the new kernel")
    incident.expect("advisory", host="web4", summary="Xen 4.2", remedy="no reboot into the new kernel")
    incident.none_of("advisory@web3")
    incident.truth["exposure"] = {"xen42-msix": "web2", "xen42-msix-vf": "web4"}
    incident.write()

    incident = Incident(root, "xen411-fleet", "The same fleet on Xen 4.11.")
    for host in ("web2", "web3", "web4"):
        ec2_guest(incident, host, "ena", "2.1.0K", kernel="4.19.0-22-cloud-amd64", hypervisor=("4", "11", ".amazon"))
    incident.run("web2=web2", "web3=web3", "web4=web4")
    incident.none_of("critical", "warning")
    incident.write()


def kern_log(host, stamps_and_lines):
    return [f"{utc(at).strftime('%b')} {utc(at).day:2d} {utc(at).strftime('%H:%M:%S')} {host} kernel: [{up:12.6f}] {text}"
            for at, up, text in stamps_and_lines]


def r8169_lines(at):
    lines = [(at - 600, 21.40, "r8169 0000:03:00.0: eth0: link up")]
    for n, when in enumerate((at, at + 240, at + 475)):
        up = 621.7 + when - at
        lines += [(when, up, "------------[ cut here ]------------"),
                  (when, up + .000010, "WARNING: at net/sched/sch_generic.c:255 dev_watchdog+0xf3/0x153()"),
                  (when, up + .000020, "NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out"),
                  (when + 1, up + 1.2, "r8169 0000:03:00.0: eth0: link up")]
    return lines


def r8169(root):
    incident = Incident(root, "r8169-watchdog", "A Xen host drops off the network minutes after its boot, again and again. Its people "
                        "had kern.log.")
    at = T + 120
    incident.file("xen1/kern.log", *kern_log("xen1", r8169_lines(at)))
    incident.run("--log-year", "2026", "--log-zone", "UTC", "xen1=xen1")
    incident.expect("advisory", host="xen1", severity="warning", summary="NETDEV WATCHDOG: eth0 (r8169)", first=at, last=at + 475,
                    remedy="a newer kernel or driver; until then try pcie_aspm=off", evidence="NETDEV WATCHDOG", count=3)
    incident.write()

    incident = Incident(root, "r8169-quiet", "The same host with another driver: its link comes up once.")
    incident.file("xen1/kern.log", *kern_log("xen1", r8169_lines(at)[:1]))
    incident.run("--log-year", "2026", "--log-zone", "UTC", "xen1=xen1")
    incident.none_of("critical", "warning")
    incident.write()

    incident = Incident(root, "log-of-another-year", "A kern.log of last year beside this year's counters and flow log: what it says is "
                        "true of then, and explains nothing of now.")
    machine = Machine(5, 20)
    collectd(incident, "db", machine)
    ec2_guest(incident, "db", "ixgbevf", "2.16.4", hypervisor=("4", "11", ".amazon"))
    incident.file("flow.log", *machine.flow_log())
    incident.file("db/kern.log", *kern_log("db", r8169_lines(at)))
    incident.run("--host", f"db={ENI}", "--log-year", "2025", "--log-zone", "UTC", "db=db", "flow.log")
    incident.none_of("critical", "warning")
    incident.write()


def keepalived_log(host, transitions):
    return [f"{utc(at).strftime('%b')} {utc(at).day:2d} {utc(at).strftime('%H:%M:%S')} {host} Keepalived_vrrp[1893]: "
            f"VRRP_Instance(VI_1) {text}" for at, text in transitions]


def flapping(start, period, times):
    """Log lines of master and backup that swap the address."""
    master, backup = [(start - 300, "Entering MASTER STATE")], [(start - 303, "Entering BACKUP STATE")]
    for n in range(times):
        at = start + n * period
        backup += [(at, "Transition to MASTER STATE"), (at + 1, "Entering MASTER STATE"),
                   (at + 5, "Received higher prio advert"), (at + 5, "Entering BACKUP STATE")]
        master += [(at + 4, "Received lower prio advert, forcing new election")]
    return master, backup


def hypervisor(incident, host, *, enabled, vhost):
    incident.file(f"{host}/etc/default/qemu-kvm", "# To disable qemu-kvm's page merging feature, set KSM_ENABLED=0",
                  "KSM_ENABLED=1", "SLEEP_MILLISECS=200", "# To load the vhost_net module, set VHOST_NET_ENABLED=1",
                  f"VHOST_NET_ENABLED={enabled}")
    vhost_args = ",vhost=on,vhostfd=27" if vhost else ""
    guests = [(2871, "lb1", "fa:16:3e:2a:11:01"), (3010, "lb2", "fa:16:3e:2a:11:02")]
    rows = [f"root      {pid}  {42 + n}.1  4.2 5311240 2774100 ?     Sl   Sep20 812:11 qemu-system-x86_64 -enable-kvm -name {name} -m 2048 "
            f"-netdev tap,fd=24,id=hostnet0{vhost_args} -device virtio-net-pci,netdev=hostnet0,id=net0,mac={mac},bus=pci.0"
            for n, (pid, name, mac) in enumerate(guests)]
    threads = [f"root      {pid + 7}   2.0  0.0      0     0 ?        S    Sep20  11:21 [vhost-{pid}]" for pid, _, _ in guests] if vhost else []
    incident.file(f"{host}/ps-aux.txt", "USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND",
                  "root         1  0.0  0.0  33644  2940 ?        Ss   Sep20   0:02 /sbin/init",
                  "root         2  0.0  0.0      0     0 ?        S    Sep20   0:00 [kthreadd]", *rows, *threads)
    incident.file(f"{host}/lsmod.txt", "Module                  Size  Used by", "vhost_net              18104  0",
                  "vhost                  29009  1 vhost_net", "macvtap                18255  1 vhost_net", "kvm_intel             143060  6",
                  "kvm                   451511  1 kvm_intel")


def vrrp(root):
    incident = Incident(root, "vrrp-vhost-off", "Two load balancers, guests of one hypervisor, swap their address. Their people had "
                        "keepalived's logs, and ps, lsmod and /etc/default/qemu-kvm of the hypervisor.")
    master, backup = flapping(T + 60, 97, 6)
    incident.file("lb1/syslog", *keepalived_log("lb1", master))
    incident.file("lb2/syslog", *keepalived_log("lb2", backup))
    for n, host in enumerate(("lb1", "lb2"), 1):
        incident.file(f"{host}/ip-link.txt", "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT ",
                      "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00",
                      "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc pfifo_fast state UP mode DEFAULT qlen 1000",
                      f"    link/ether fa:16:3e:2a:11:0{n} brd ff:ff:ff:ff:ff:ff")
    hypervisor(incident, "compute1", enabled=0, vhost=False)
    incident.run("--log-year", "2026", "--log-zone", "UTC", "lb1=lb1", "lb2=lb2", "compute1=compute1")
    incident.expect("vrrp-flap", host="lb2", severity="warning", summary="VI_1", first=T + 61, count=6,
                    cause={"kind": "advisory", "host": "compute1", "remedy": "VHOST_NET_ENABLED=1"}, evidence="Entering MASTER STATE")
    incident.write()

    incident = Incident(root, "vrrp-takeover", "The same balancers with vhost_net in use: one planned takeover and the way back.")
    incident.file("lb1/syslog", *keepalived_log("lb1", [(T - 300, "Entering MASTER STATE"), (T + 60, "sent 0 priority"),
                                                        (T + 660, "Entering BACKUP STATE"), (T + 664, "Transition to MASTER STATE"),
                                                        (T + 665, "Entering MASTER STATE")]))
    incident.file("lb2/syslog", *keepalived_log("lb2", [(T - 303, "Entering BACKUP STATE"), (T + 61, "Transition to MASTER STATE"),
                                                        (T + 62, "Entering MASTER STATE"), (T + 664, "Received higher prio advert"),
                                                        (T + 664, "Entering BACKUP STATE")]))
    hypervisor(incident, "compute1", enabled=1, vhost=True)
    incident.run("--log-year", "2026", "--log-zone", "UTC", "lb1=lb1", "lb2=lb2", "compute1=compute1")
    incident.none_of("critical", "warning")
    incident.write()


def stale_neighbor(root):
    for name, claim, mac in (
            ("stale-neighbor", "A relaunched worker gets no answers from the database. Its people had `ip neigh` of the database and "
             "`ip -o addr` and `ip link` of the worker.", "00:00:01:fc:b3:48"),
            ("right-neighbor", "The same two hosts with the right entry.", "00:00:01:fc:b3:70")):
        incident = Incident(root, name, claim)
        incident.file("db/ip-neigh.txt", f"10.0.1.90 dev eth0 lladdr {mac} STALE", "10.0.1.31 dev eth0 lladdr 00:00:01:fc:b3:31 REACHABLE",
                      "10.0.1.1 dev eth0 lladdr 00:00:01:fc:00:01 REACHABLE")
        incident.file("worker/ip-addr.txt", "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever",
                      "2: eth0    inet 10.0.1.90/24 brd 10.0.1.255 scope global eth0\\       valid_lft forever preferred_lft forever")
        incident.file("worker/ip-link.txt", "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT ",
                      "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00 promiscuity 0 ",
                      "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 qdisc mq state UP mode DEFAULT qlen 1000",
                      "    link/ether 00:00:01:fc:b3:70 brd ff:ff:ff:ff:ff:ff promiscuity 0 ")
        incident.run("db=db", "worker=worker")
        if name == "stale-neighbor":
            incident.expect("mac-mismatch", host="db", summary="00:00:01:fc:b3:48", remedy="ip neigh", evidence="lladdr")
        else:
            incident.none_of("critical", "warning")
        incident.write()


def main():
    root = sys.argv[1]
    if os.path.isdir(root):
        for name in os.listdir(root):
            if os.path.isdir(os.path.join(root, name)):
                shutil.rmtree(os.path.join(root, name))
    for make in (ixgbevf, xen, r8169, vrrp, stale_neighbor):
        make(root)


main()
