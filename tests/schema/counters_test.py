#!/usr/bin/env python3
"""When counters, logs and listings of hosts without a capture speak, and when not. usage: counters_test.py BOTHENDS DBTOOL"""
import sys
import unittest

import facts
from facts import SECOND, T0

BOTHENDS = DBTOOL = None
FILE = 1


class CounterTest(unittest.TestCase):
    def setUp(self):
        self.facts = facts.Facts(BOTHENDS, DBTOOL)
        self.insert = self.facts.insert
        self.insert("host", id=1, name="db")
        self.insert("host_file", id=FILE, host_id=1, path="if_packets", kind="collectd")

    def tearDown(self):
        self.facts.close()

    def samples(self, rows, interface="eth0", name="rx_packets", host=1):
        """(second, value) of a counter."""
        for line, (second, value) in enumerate(rows, 2):
            self.insert("nic_counter", at_ns=T0 + second * SECOND, name=name, value=value, host_id=host, interface=interface,
                        host_file_id=FILE, line=line)

    def moving(self, still=(), last=600, every=10, per=50, **which):
        """A counter that grows by so many each time, but for these spans."""
        value, rows = 1000, []
        for second in range(0, last, every):
            if not any(start < second <= end for start, end in still):
                value += per
            rows.append((second, value))
        self.samples(rows, **which)

    def flow_log(self, records, own="10.0.0.2", vantage=9, **interface):
        """(start, end, packets) accepted for the host at its own ENI."""
        self.insert("vantage", id=vantage, host_id=1, name="db eni-1", kind="flowlog", interface="eni-1", trust="sound", trust_reasons="[]")
        self.insert("log_file", id=1, path="flow.log", format="aws", records=len(records))
        values = dict(own_ip=own, records=len(records), accepted=len(records), first_ns=T0, last_ns=T0 + 600 * SECOND,
                      interval_ns=60 * SECOND, sources=1)
        values.update(interface)
        self.insert("flow_log_interface", vantage_id=vantage, **values)
        for line, (start, end, packets, *to) in enumerate(records, 2):
            self.insert("flow_log", log_file_id=1, line=line, vantage_id=vantage, src_ip="10.0.0.1", dst_ip=to[0] if to else own,
                        protocol="tcp", src_port=40000, dst_port=80, packets=packets, bytes=packets * 300,
                        start_ns=T0 + start * SECOND, end_ns=T0 + end * SECOND, action="ACCEPT", log_status="OK")

    def captured(self, ahead):
        """A capture of the host shows that its clock is ahead of the reference by so many seconds."""
        self.insert("vantage", id=8, host_id=1, name="db", kind="nic", interface="eth0", trust="sound", trust_reasons="[]",
                    first_ns=T0, last_ns=T0)
        self.insert("clock", vantage_id=8, reference_vantage_id=8, from_ns=T0, to_ns=T0, offset_ns=ahead * SECOND, offset_low_ns=ahead * SECOND,
                    offset_high_ns=ahead * SECOND, skew_ppm=0, method="both directions", samples=10)

    def found(self, kind):
        return [f for f in self.facts.judge() if f["kind"] == kind]

    def only(self, kind):
        found = self.found(kind)
        self.assertEqual(len(found), 1, self.facts.judge())
        self.assertGreater(found[0]["evidence"], 0)
        return found[0]


class Dark(CounterTest):
    def test_the_counter_stands_still_while_the_flow_log_accepts(self):
        self.moving(still=[(200, 300)])
        self.moving(name="tx_packets")
        self.flow_log([(205, 255, 40), (60, 118, 250)])
        f = self.only("host-dark")
        self.assertEqual((f["severity"], f["count"], f["detail"]["direction"], f["detail"]["alive"]), ("critical", 1, "rx", True))
        self.assertEqual([(w["from_ns"], w["to_ns"]) for w in f["detail"]["windows"]], [(T0 + 200 * SECOND, T0 + 300 * SECOND)])
        self.assertEqual(f["detail"]["logged"], 40)
        self.assertEqual(self.only("eni-not-host")["count"], 40)

    def test_counters_by_a_clock_that_is_ahead(self):
        self.captured(ahead=3600)
        value, rows = 1000, []
        for second in range(0, 600, 10):
            value += 0 if 200 < second <= 300 else 50
            rows.append((3600 + second, value))
        self.samples(rows)
        self.samples([(second, 2 * value + second) for second, value in rows], name="tx_packets")
        self.flow_log([(205, 255, 40), (60, 118, 250)])
        f = self.only("host-dark")
        self.assertEqual([(w["from_ns"], w["to_ns"]) for w in f["detail"]["windows"]], [(T0 + 200 * SECOND, T0 + 300 * SECOND)])

    def test_nothing_sent_either_is_both(self):
        self.moving(still=[(200, 300)])
        self.moving(name="tx_packets", still=[(200, 300)])
        self.flow_log([(205, 255, 40)])
        self.assertEqual(self.only("host-dark")["detail"]["direction"], "both")

    def test_a_pause_because_nobody_sent(self):
        self.moving(still=[(200, 300)])
        self.flow_log([(60, 118, 250), (310, 350, 300)])
        self.assertEqual(self.found("host-dark"), [])

    def test_records_that_reach_beyond_the_pause_prove_nothing(self):
        self.moving(still=[(200, 300)])
        self.flow_log([(190, 255, 40), (280, 310, 40), (201, 299, 40)])
        self.assertEqual(self.found("host-dark"), [])

    def test_what_the_host_sent_itself_proves_nothing(self):
        self.moving(still=[(200, 300)])
        self.flow_log([(205, 255, 40, "10.0.0.99")])
        self.assertEqual(self.found("host-dark"), [])

    def test_a_sampled_log_or_one_of_a_gateway_proves_nothing(self):
        self.moving(still=[(200, 300)])
        self.flow_log([(205, 255, 40)], transit=1)
        self.assertEqual(self.found("host-dark"), [])

    def test_another_interface_that_received(self):
        self.moving(still=[(200, 300)])
        self.moving(interface="eth1")
        self.flow_log([(205, 255, 40)])
        self.assertEqual(self.found("host-dark"), [])

    def test_an_interface_that_never_receives(self):
        self.moving(still=[(0, 600)])
        self.flow_log([(205, 255, 40)])
        self.assertEqual(self.found("host-dark"), [])

    def test_a_reboot_is_no_difference(self):
        self.samples([(0, 1000), (100, 1500), (200, 2000), (300, 40), (400, 40), (500, 900)])
        self.flow_log([(205, 295, 40)])
        self.assertEqual(self.found("host-dark"), [])
        self.assertEqual(self.found("eni-not-host"), [])

    def test_a_reboot_that_the_sent_ones_tell(self):
        # the value is the same by chance: the other counter of the host began again
        self.samples([(0, 1000), (100, 1500), (200, 1500), (300, 1700)])
        self.samples([(0, 1000), (100, 1500), (200, 700), (300, 1700)], name="tx_packets")
        self.flow_log([(105, 195, 40)])
        self.assertEqual(self.found("host-dark"), [])

    def test_a_capture_of_the_host_decides(self):
        self.moving(still=[(200, 300)])
        self.flow_log([(205, 255, 40)])
        self.insert("vantage", id=1, host_id=1, name="db", kind="nic", interface="eth0", trust="sound", trust_reasons="[]",
                    first_ns=T0, last_ns=T0 + 600 * SECOND)
        self.assertEqual([f for f in self.found("host-dark") if f["detail"].get("rule") == "host-dark-counters"], [])

    def test_rates_are_rounded(self):
        for second in range(0, 600, 60):
            still = 180 <= second < 300
            self.insert("counter_interval", host_id=1, interface="eth0", name="rx_packets", from_ns=T0 + second * SECOND,
                        to_ns=T0 + (second + 60) * SECOND, amount=0.3 if still else 900, host_file_id=FILE, line=2)
        self.flow_log([(205, 255, 40)])
        f = self.only("host-dark")
        self.assertEqual((f["detail"]["windows"][0]["from_ns"], f["detail"]["windows"][0]["to_ns"]), (T0 + 180 * SECOND, T0 + 300 * SECOND))

    def test_the_clouds_own_counter(self):
        self.moving(still=[(200, 300)])
        for second, packets in ((180, 90), (240, 70)):
            self.insert("counter_interval", host_id=1, name="cloud.NetworkPacketsIn", from_ns=T0 + second * SECOND,
                        to_ns=T0 + (second + 60) * SECOND, amount=packets, host_file_id=FILE, line=1)
        self.assertIn("the cloud counted 70 packets", self.only("host-dark")["summary"])

    def peer(self, at, packets=6, lasts=20):
        self.insert("host_address", host_id=1, ip="10.0.0.2", source="agent")
        self.insert("host", id=2, name="web")
        self.insert("vantage", id=2, host_id=2, name="web", kind="nic", interface="eth0", trust="sound", trust_reasons="[]",
                    first_ns=T0, last_ns=T0 + 600 * SECOND)
        self.insert("capture_file", id=1, host_id=2, vantage_id=2, path="web.pcap", format="pcap", compression="none", frames=99,
                    first_ns=T0, last_ns=T0 + 600 * SECOND, hash="0" * 32)
        self.facts.flow(2, 2, at=at, outcome="unanswered", seen=[2], lasts=lasts, near=dict(packets_c2s=packets, packets_s2c=0))

    def test_a_peer_that_was_captured(self):
        self.moving(still=[(200, 300)])
        self.peer(220)
        f = self.only("host-dark")
        self.assertEqual((f["detail"]["frames"], f["detail"]["peers"]), (6, 1))

    def test_a_peer_that_asked_at_another_time(self):
        self.moving(still=[(200, 300)])
        self.peer(320)
        self.assertEqual([f for f in self.found("host-dark") if f["detail"].get("rule") == "host-dark-counters"], [])


class Missing(CounterTest):
    def test_less_than_the_log_accepted(self):
        self.moving(per=10)
        self.moving(per=3000, name="rx_bytes")
        self.flow_log([(60 * n + 5, 60 * n + 55, 300) for n in range(9)])
        f = self.only("eni-not-host")
        self.assertEqual((f["count"], f["total"]), (9 * 300 - 590, 2700))

    def test_merged_frames_are_fewer_but_not_smaller(self):
        self.moving(per=10)
        self.moving(per=30000, name="rx_bytes")
        self.flow_log([(60 * n + 5, 60 * n + 55, 300) for n in range(9)])
        self.assertEqual(self.found("eni-not-host"), [])

    def test_as_much_as_the_log_accepted(self):
        self.moving(per=60)
        self.flow_log([(60 * n + 5, 60 * n + 55, 300) for n in range(9)])
        self.assertEqual(self.found("eni-not-host"), [])


class Neighbor(CounterTest):
    def hosts(self, entry="00:00:01:fc:b3:48", own="00:00:01:fc:b3:70", state="STALE", ip="10.0.1.90"):
        self.insert("host", id=2, name="worker")
        self.insert("host_address", host_id=2, ip="10.0.1.90", mac=own, interface="eth0", source="agent")
        self.insert("neighbor", host_id=1, ip=ip, mac=entry, state=state, interface="eth0")

    def test_another_mac_than_its_owner_has(self):
        self.hosts()
        f = self.only("mac-mismatch")
        self.assertEqual((f["dst_ip"], f["detail"]["mac_real"]), ("10.0.1.90", "00:00:01:fc:b3:70"))
        self.assertIn("ip neigh del 10.0.1.90 dev eth0", f["remedy"])

    def test_the_right_one(self):
        self.hosts(entry="00:00:01:fc:b3:70")
        self.assertEqual(self.found("mac-mismatch"), [])

    def test_an_entry_that_is_not_valid(self):
        self.hosts(state="FAILED")
        self.assertEqual(self.found("mac-mismatch"), [])

    def test_a_virtual_mac(self):
        self.hosts(entry="00:00:5e:00:01:33")
        self.assertEqual(self.found("mac-mismatch"), [])

    def test_a_router_that_answers_for_several(self):
        self.hosts()
        self.insert("neighbor", host_id=1, ip="10.0.1.91", mac="00:00:01:fc:b3:48", state="REACHABLE", interface="eth0")
        self.assertEqual(self.found("mac-mismatch"), [])

    def test_another_interface_of_the_owner(self):
        self.hosts()
        self.insert("host_address", host_id=2, ip="10.0.2.90", mac="00:00:01:fc:b3:48", interface="eth1", source="agent")
        self.assertEqual(self.found("mac-mismatch"), [])

    def test_an_address_that_two_hosts_hold(self):
        self.hosts()
        self.insert("host_address", host_id=1, ip="10.0.1.90", mac="00:00:01:fc:b3:20", interface="eth0", source="agent")
        self.assertEqual(self.found("mac-mismatch"), [])


class Log(CounterTest):
    def lines(self, *lines, table="kernel_log", **columns):
        for line, (second, message) in enumerate(lines, 1):
            self.insert(table, host_id=1, at_ns=None if second is None else T0 + second * SECOND, message=message, host_file_id=FILE,
                        line=line, **columns)

    def test_a_link_that_was_lost(self):
        self.lines((0, "e1000e: eth0 NIC Link is Up 1000 Mbps"), (300, "e1000e: eth0 NIC Link is Down"),
                   (330, "e1000e: eth0 NIC Link is Up 1000 Mbps"))
        f = self.only("host-dark")
        self.assertEqual((f["severity"], f["first_ns"], f["last_ns"]), ("warning", T0 + 300 * SECOND, T0 + 330 * SECOND))

    def test_times_of_a_log_are_on_the_reference_clock(self):
        self.captured(ahead=3600)
        self.lines((3600, "e1000e: eth0 NIC Link is Up 1000 Mbps"), (3900, "e1000e: eth0 NIC Link is Down"),
                   (3930, "e1000e: eth0 NIC Link is Up 1000 Mbps"))
        f = self.only("host-dark")
        self.assertEqual((f["first_ns"], f["last_ns"]), (T0 + 300 * SECOND, T0 + 330 * SECOND))

    def test_a_link_that_negotiates_at_boot(self):
        self.lines((0, "r8169 0000:03:00.0: eth0: link up"), (5, "r8169 0000:03:00.0: eth0: link down"),
                   (9, "r8169 0000:03:00.0: eth0: link up"))
        self.assertEqual(self.found("host-dark"), [])

    def test_another_interface_with_a_link(self):
        self.lines((0, "eth0 NIC Link is Up"), (1, "eth1 NIC Link is Up"), (300, "eth0 NIC Link is Down"), (330, "eth0 NIC Link is Up"))
        self.assertEqual(self.found("host-dark"), [])

    def test_a_guests_interface(self):
        self.lines((0, "vnet3: link up"), (300, "vnet3: link down"), (330, "vnet3: link up"))
        self.assertEqual(self.found("host-dark"), [])

    def test_lines_without_a_time(self):
        self.lines((None, "eth0 NIC Link is Up"), (None, "eth0 NIC Link is Down"), (None, "eth0 NIC Link is Up"))
        self.assertEqual(self.found("host-dark"), [])

    def test_a_watchdog_of_another_year_is_a_notice(self):
        self.moving()
        self.lines((-365 * 86400, "NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out"))
        self.assertEqual(self.only("advisory")["severity"], "notice")

    def test_a_watchdog_of_that_time_is_a_warning(self):
        self.moving()
        self.lines((-3600, "NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out"))
        self.assertEqual(self.only("advisory")["severity"], "warning")

    def keepalived(self, *seconds):
        lines = [(-100, "(VI_1) Entering BACKUP STATE")]
        for second in seconds:
            lines += [(second, "(VI_1) Entering MASTER STATE"), (second + 5, "(VI_1) Entering BACKUP STATE")]
        self.lines(*lines, table="service_log", service="keepalived")

    def test_a_router_that_takes_over_and_gives_way(self):
        self.keepalived(0, 100, 200)
        f = self.only("vrrp-flap")
        self.assertEqual((f["severity"], f["count"], f["first_ns"]), ("warning", 3, T0))

    def test_two_takeovers(self):
        self.keepalived(0, 100)
        self.assertEqual(self.found("vrrp-flap"), [])

    def test_takeovers_of_different_days(self):
        self.keepalived(0, 86400, 172800)
        self.assertEqual(self.found("vrrp-flap"), [])


class Firewall(unittest.TestCase):
    RULE = "firewall.packets inet filter input: tcp dport 80 drop"

    def setUp(self):
        self.facts = facts.Facts(BOTHENDS, DBTOOL)
        self.a = self.facts.host("client", "10.0.0.1")
        self.b = self.facts.host("server", "10.0.0.2")
        self.facts.insert("host_file", id=FILE, host_id=self.b, path="nft", kind="nft-ruleset")
        for n in range(3):
            self.facts.flow(self.a, self.b, at=10 * n, outcome="unanswered",
                            far=dict(syn_c2s=4, packets_c2s=4, packets_s2c=0, syn_s2c=0),
                            near=dict(syn_c2s=4, packets_c2s=4, packets_s2c=0, syn_s2c=0))

    def tearDown(self):
        self.facts.close()

    def rule(self, before, after, name=RULE):
        for at, value in ((-10, before), (100, after)):
            self.facts.insert("nic_counter", vantage_id=self.b, host_id=self.b, at_ns=T0 + at * SECOND, name=name, value=value,
                              host_file_id=FILE, line=5)

    def found(self):
        return [f for f in self.facts.judge() if f["kind"] in ("firewall-drop", "host-drop")]

    def test_a_rule_that_dropped_as_much(self):
        self.rule(100, 112)
        found = self.found()
        self.assertEqual([f["kind"] for f in found], ["firewall-drop"], found)
        self.assertIn("tcp dport 80 drop", found[0]["remedy"])

    def test_a_rule_of_another_port(self):
        self.rule(100, 500, name="firewall.packets inet filter input: tcp dport 8080 drop")
        self.assertEqual([f["kind"] for f in self.found()], ["host-drop"])

    def test_a_rule_that_dropped_less(self):
        self.rule(100, 105)
        self.assertEqual([f["kind"] for f in self.found()], ["host-drop"])

    def test_a_rule_that_accepts(self):
        self.rule(100, 112, name="firewall.packets inet filter input: tcp dport 80 accept")
        self.assertEqual([f["kind"] for f in self.found()], ["host-drop"])


if __name__ == "__main__":
    BOTHENDS, DBTOOL = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
