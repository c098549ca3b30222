#!/usr/bin/env python3
"""When each rule fires, and when it must not. usage: rules_test.py BOTHENDS DBTOOL"""
import subprocess
import sys
import unittest

from facts import ACK, Facts, PSHACK, RST, SECOND, SYN, SYNACK, T0

BOTHENDS = DBTOOL = None


class RuleTest(unittest.TestCase):
    def setUp(self):
        self.facts = Facts(BOTHENDS, DBTOOL)
        self.a = self.facts.host("client", "10.0.0.1")
        self.b = self.facts.host("server", "10.0.0.2")

    def tearDown(self):
        self.facts.close()

    def kinds(self, *arguments):
        return [f["kind"] for f in self.facts.judge(*arguments)]

    def only(self, kind, *arguments):
        """The finding of that kind; there must be exactly one, with evidence."""
        found = [f for f in self.facts.judge(*arguments) if f["kind"] == kind]
        self.assertEqual(len(found), 1, self.facts.judge(*arguments))
        self.assertGreater(found[0]["evidence"], 0, "evidence")
        self.assertTrue(0 < found[0]["confidence"] <= 1)
        return found[0]

    def none_of(self, *kinds):
        for kind in self.kinds():
            self.assertNotIn(kind, kinds)

    def handshakes(self, flows, direction="s2c", outcome="unanswered", src=None, dst=None, kind="lost", **flow):
        """Flows whose SYNs or SYN-ACKs are all lost, four of each."""
        src, dst = (src or self.b, dst or self.a) if direction == "s2c" else (src or self.a, dst or self.b)
        for n in range(flows):
            f = self.facts.flow(self.a, self.b, at=10 * n, outcome=outcome, **flow)
            if direction == "s2c":
                self.facts.path_row(f, "c2s", self.a, self.b, 4, syn_sent=4)
            self.facts.path_row(f, direction, src, dst, 4, syn_sent=4, syn_lost=4, **{kind: 4})
            for k, wait in enumerate((0, 1, 3, 7)):
                self.facts.event(f, direction, kind, src, dst, at=10 * n + wait, length=0,
                                 flags=SYNACK if direction == "s2c" else SYN, seq=5000 * f)

    def healthy(self, flows=20, sent=50, **flow):
        for n in range(flows):
            f = self.facts.flow(self.a, self.b, at=n, **flow)
            self.facts.path_row(f, "c2s", self.a, self.b, sent, syn_sent=1, largest_delivered=1500)
            self.facts.path_row(f, "s2c", self.b, self.a, sent, syn_sent=1, largest_delivered=1500)

    def lossy(self, flows, sent, lost, direction="s2c", back=0, at=0, **flow):
        """Flows of which each loses so many of so many segments one way, and back the other way."""
        for n in range(flows):
            f = self.facts.flow(self.a, self.b, at=at + n, **flow)
            for way, src, dst in (("c2s", self.a, self.b), ("s2c", self.b, self.a)):
                gone = lost if way == direction else back
                self.facts.lose(f, way, src, dst, sent, gone, at=at + n, syn_sent=1)


class Clean(RuleTest):
    def test_healthy_traffic_gives_no_finding(self):
        self.healthy()
        self.assertEqual(self.kinds(), [])

    def test_an_empty_database_gives_no_finding(self):
        self.assertEqual(self.kinds(), [])


class Handshake(RuleTest):
    def test_synack_lost(self):
        self.handshakes(3)
        self.healthy(5, server_port=22)
        f = self.only("synack-lost")
        # Those to port 22 arrive, and are not in that count.
        self.assertEqual((f["count"], f["total"]), (12, 12))
        self.assertEqual((f["from_name"], f["to_name"]), ("server", "client"))
        self.assertEqual((f["src_ip"], f["dst_ip"]), ("10.0.0.2", "10.0.0.1"))
        self.assertEqual(f["severity"], "critical")
        self.assertIn("12 of 12 SYN-ACKs sent by 10.0.0.2:80 never reached 10.0.0.1", f["summary"])
        self.assertEqual((f["first_ns"], f["last_ns"]), (T0, T0 + 27 * SECOND))
        self.assertEqual(f["evidence"], 12)
        self.assertEqual(self.facts.evidence(f["id"])[0], ("server.pcapng", 11, "SYN-ACK 1 of 12, never arrived"))
        self.none_of("syn-lost", "asymmetric-loss", "symmetric-loss", "handshake-ack-lost")

    def test_syn_lost(self):
        self.handshakes(2, direction="c2s", seen=[self.a])
        f = self.only("syn-lost")
        self.assertEqual((f["count"], f["total"], f["from_name"]), (8, 8, "client"))
        self.assertIn("8 of 8 SYNs sent by 10.0.0.1 never reached 10.0.0.2:80", f["summary"])
        self.none_of("synack-lost", "asymmetric-loss")

    def test_misaddressed_synacks_are_lost_to_the_host(self):
        self.handshakes(3, kind="misaddressed")
        f = self.only("synack-lost")
        self.assertEqual(f["count"], 12)
        notes = [note for _, _, note in self.facts.evidence(f["id"])]
        self.assertIn("SYN-ACK 1 of 12, seen there under a foreign MAC", notes)

    def test_unjudged_and_missed_handshakes_are_not_lost(self):
        self.handshakes(3, kind="unjudged")
        self.facts.db.execute("UPDATE path SET syn_lost = 0")
        self.assertEqual(self.kinds(), [])
        self.facts.db.execute("UPDATE path SET capture_missed = unjudged, unjudged = 0")
        self.none_of("synack-lost", "asymmetric-loss")

    def test_an_unfit_capture_supports_no_verdict(self):
        self.handshakes(3)
        self.facts.db.execute("UPDATE vantage SET trust = 'unfit' WHERE id = ?", [self.a])
        self.assertEqual(self.kinds(), [])

    def test_care_lowers_confidence(self):
        self.handshakes(3)
        self.facts.db.execute("UPDATE vantage SET trust = 'with care' WHERE id = ?", [self.a])
        self.assertLessEqual(self.only("synack-lost")["confidence"], 0.8)

    def test_ambiguous_and_proxied_flows_are_left_alone(self):
        self.handshakes(3, pairing="ambiguous")
        self.handshakes(3, pairing="proxy")
        self.assertEqual(self.kinds(), [])

    def test_one_finding_for_a_pair_of_ends(self):
        self.handshakes(3)
        self.handshakes(3, server_port=443)
        f = self.only("synack-lost")
        self.assertEqual(f["count"], 24)
        self.assertIn("sent by 10.0.0.2 never", f["summary"])

    def test_two_servers_are_two_findings(self):
        self.handshakes(3)
        self.handshakes(3, server_ip="10.0.0.3")
        found = [f for f in self.facts.judge() if f["kind"] == "synack-lost"]
        self.assertEqual(sorted(f["src_ip"] for f in found), ["10.0.0.2", "10.0.0.3"])

    def test_many_clients_become_one_finding(self):
        for n in range(30):
            self.handshakes(1, client_ip=f"10.1.0.{n}")
        f = self.only("synack-lost")
        self.assertEqual((f["count"], f["src_ip"], f["dst_ip"]), (120, "10.0.0.2", None))
        self.assertIn("30 clients", f["summary"])

    def test_evidence_is_bounded(self):
        self.handshakes(30)
        self.assertEqual(self.only("synack-lost")["evidence"], 50)

    def test_addresses_are_those_of_the_sender_behind_nat(self):
        self.handshakes(3, far=dict(client_ip="192.0.2.7"))
        f = self.only("synack-lost")
        self.assertEqual(f["dst_ip"], "192.0.2.7")

    def test_times_are_on_the_reference_clock(self):
        self.facts.db.execute("UPDATE clock SET offset_ns = ?, from_ns = ? WHERE vantage_id = ?",
                              [5 * SECOND, T0, self.b])
        self.handshakes(3)
        self.assertEqual(self.only("synack-lost")["first_ns"], T0 - 5 * SECOND)

    def test_a_general_loss_rate_explains_lost_handshakes(self):
        self.lossy(40, 100, 2)
        for n in range(3):
            f = self.facts.flow(self.a, self.b, at=n)
            self.facts.path_row(f, "s2c", self.b, self.a, 101, lost=1, syn_sent=2, syn_lost=1)
            self.facts.event(f, "s2c", "lost", self.b, self.a, at=n, flags=SYNACK, length=0)
        f = self.only("synack-lost")
        self.assertEqual((f["cause"], f["severity"]), ("asymmetric-loss", "notice"))
        self.assertGreater(f["id"], 1, "the loss rate is the head of the story")
        loss = self.only("asymmetric-loss")
        self.assertEqual(loss["count"], 83, "the loss rate counts them too")

    def test_a_dead_pair_stands_out_of_a_loss_rate(self):
        self.lossy(40, 100, 2)
        self.handshakes(3, server_ip="10.0.0.3")
        f = self.only("synack-lost")
        self.assertEqual((f["cause"], f["severity"]), (None, "critical"))
        self.assertEqual(self.only("asymmetric-loss")["count"], 80, "not counted twice")


class HandshakeAck(RuleTest):
    def lost_ack(self, server_bytes=0, packet_ack=None, seq=None, outcome="half_open", at=0, **event):
        f = self.facts.flow(self.a, self.b, at=at, outcome=outcome)
        self.facts.path_row(f, "c2s", self.a, self.b, 3, lost=1, syn_sent=1)
        self.facts.path_row(f, "s2c", self.b, self.a, 3, syn_sent=3, bytes_sent=server_bytes)
        self.facts.event(f, "c2s", "lost", self.a, self.b, at=at, flags=ACK, length=0,
                         seq=1000 * f + 1 if seq is None else seq, frame=7, **event)
        if packet_ack is not None:
            self.facts.insert("packet", capture_file_id=self.a, frame=7, at_ns=T0, flow_id=f, ack=packet_ack)
        return f

    def test_fires(self):
        self.lost_ack()
        f = self.only("handshake-ack-lost")
        self.assertEqual((f["count"], f["severity"], f["from_name"]), (1, "warning", "client"))

    def test_an_ack_of_later_data_is_no_handshake(self):
        self.lost_ack(packet_ack=5000 + 1449, server_bytes=1448)
        self.none_of("handshake-ack-lost")

    def test_the_acknowledgement_number_tells(self):
        self.lost_ack(packet_ack=5001, server_bytes=1448)
        self.only("handshake-ack-lost")

    def test_without_its_row_an_ack_of_a_talking_server_is_not_judged(self):
        self.lost_ack(server_bytes=1448)
        self.none_of("handshake-ack-lost")

    def test_data_is_no_handshake_ack(self):
        self.lost_ack(seq=5)
        self.none_of("handshake-ack-lost")


class Loss(RuleTest):
    def test_asymmetric(self):
        self.lossy(10, 100, 2)
        f = self.only("asymmetric-loss")
        self.assertEqual((f["count"], f["total"], f["from_name"], f["to_name"]), (20, 1000, "server", "client"))
        self.assertLess(f["detail"]["rate_low"], 0.02)
        self.assertGreater(f["detail"]["rate_high"], 0.02)
        self.assertGreater(f["confidence"], 0.9)
        self.assertEqual(f["severity"], "warning")
        self.none_of("symmetric-loss")

    def test_symmetric(self):
        self.lossy(10, 100, 5, back=4)
        f = self.only("symmetric-loss")
        self.assertEqual((f["count"], f["total"]), (90, 2000))
        self.none_of("asymmetric-loss")

    def test_both_ways_but_different(self):
        self.lossy(20, 100, 10, back=1)
        f = self.only("asymmetric-loss")
        self.assertEqual((f["count"], f["from_name"], f["detail"]["back_count"]), (200, "server", 20))
        self.none_of("symmetric-loss")

    def test_not_on_noise(self):
        self.lossy(1, 5000, 4)
        self.healthy()
        self.assertEqual(self.kinds(), [])

    def test_not_below_the_rate(self):
        self.lossy(1, 100000, 6)
        self.assertEqual(self.kinds(), [])

    def test_thresholds_are_settings(self):
        self.lossy(1, 5000, 4)
        self.assertEqual(self.kinds("--set", "loss_min_segments=3"), ["asymmetric-loss"])

    def test_too_few_the_other_way_says_so(self):
        self.facts.lose(self.facts.flow(self.a, self.b), "s2c", self.b, self.a, 300, 6)
        self.facts.path_row(1, "c2s", self.a, self.b, 20)
        f = self.only("asymmetric-loss")
        self.assertLess(f["confidence"], 0.8)
        self.assertIn("too few packets to be sure", f["summary"])

    def test_what_was_acknowledged_is_not_lost(self):
        for n in range(10):
            f = self.facts.flow(self.a, self.b, at=n)
            self.facts.path_row(f, "s2c", self.b, self.a, 100, capture_missed=5)
            self.facts.event(f, "s2c", "capture_missed", self.b, self.a, at=n, reason="ack-covers",
                             proof_file_id=self.b, proof_frame=99)
        self.none_of("asymmetric-loss", "symmetric-loss")
        self.only("capture-loss")

    def test_lost_handshakes_alone_are_no_loss_rate(self):
        self.handshakes(10)
        self.none_of("asymmetric-loss", "symmetric-loss")

    def test_unjudged_segments_are_not_in_the_rate(self):
        f = self.facts.flow(self.a, self.b)
        self.facts.lose(f, "s2c", self.b, self.a, 1000, 10, unjudged=500)
        self.facts.path_row(f, "c2s", self.a, self.b, 1000)
        found = self.only("asymmetric-loss")
        self.assertAlmostEqual(found["detail"]["rate"], 0.02)
        self.assertEqual((found["count"], found["total"]), (10, 1000))

    def test_loss_of_one_pair_is_that_pairs(self):
        self.lossy(5, 100, 10, client_ip="10.0.0.9")
        self.healthy(100)
        f = self.only("asymmetric-loss")
        self.assertEqual((f["count"], f["total"], f["dst_ip"]), (50, 500, "10.0.0.9"))

    def test_a_router_between_places_the_loss(self):
        r = self.facts.host("router")
        for n in range(10):
            f = self.facts.flow(self.a, self.b, at=n, seen=[self.a, r, self.b])
            self.facts.lose(f, "s2c", self.b, r, 100, 5, at=n)
            self.facts.path_row(f, "s2c", r, self.a, 95)
            self.facts.path_row(f, "c2s", self.a, r, 100)
            self.facts.path_row(f, "c2s", r, self.b, 100)
        f = self.only("asymmetric-loss")
        self.assertEqual((f["from_name"], f["to_name"]), ("server", "router"))

    def test_severity_follows_the_rate(self):
        self.lossy(10, 100, 10)
        self.assertEqual(self.only("asymmetric-loss")["severity"], "critical")


class Pmtu(RuleTest):
    def hole(self, flows=4, smallest=1500, largest=1000, lost=3, **flow):
        for n in range(flows):
            f = self.facts.flow(self.a, self.b, at=n, outcome="established", **flow)
            self.facts.path_row(f, "c2s", self.a, self.b, 10, syn_sent=1)
            self.facts.path_row(f, "s2c", self.b, self.a, 10, lost=lost, syn_sent=1, smallest_lost=smallest,
                                largest_delivered=largest, bytes_lost=1448 * lost)
            for k in range(lost):
                self.facts.event(f, "s2c", "lost", self.b, self.a, at=n + k)

    def test_fires(self):
        self.hole()
        f = self.only("pmtu-blackhole")
        self.assertEqual((f["count"], f["total"], f["from_name"]), (12, 40, "server"))
        self.assertEqual((f["detail"]["smallest_lost"], f["detail"]["largest_delivered"]), (1500, 1000))
        self.assertIn("no ICMP", f["summary"])
        self.none_of("asymmetric-loss", "symmetric-loss", "synack-lost")

    def test_only_the_handshake_passes(self):
        self.hole(largest=60)
        self.assertGreaterEqual(self.only("pmtu-blackhole")["confidence"], 0.9)

    def test_icmp_settles_it(self):
        self.hole(flows=1)
        alone = self.only("pmtu-blackhole")
        self.assertLess(alone["confidence"], 0.8)
        self.assertEqual(alone["severity"], "warning")
        self.facts.insert("icmp_error", vantage_id=self.b, at_ns=T0, capture_file_id=self.b, frame=77, version=4,
                          type=3, code=4, mtu=1000, src_ip="10.0.0.254", dst_ip="10.0.0.2",
                          quoted_src_ip="10.0.0.2", quoted_dst_ip="10.0.0.1")
        f = self.only("pmtu-blackhole")
        self.assertEqual((f["confidence"], f["detail"]["icmp_mtu"]), (1, 1000))
        self.assertIn("10.0.0.254 answers", f["summary"])
        self.assertEqual(self.facts.evidence(f["id"])[0][1], 77)

    def test_random_loss_is_none(self):
        self.lossy(20, 100, 5)
        self.none_of("pmtu-blackhole")

    def test_a_large_packet_that_arrived_on_another_flow_refutes_it(self):
        self.hole()
        self.healthy(1)
        self.none_of("pmtu-blackhole")

    def test_small_packets_that_are_lost_are_another_matter(self):
        self.hole(smallest=300, largest=60)
        self.none_of("pmtu-blackhole")

    def test_nothing_arrived_at_all(self):
        self.hole(largest=None)
        self.none_of("pmtu-blackhole")

    def test_lost_handshakes_beside_it_speak_for_an_outage(self):
        self.hole(flows=1)
        self.handshakes(2)
        self.none_of("pmtu-blackhole")

    def test_one_lost_packet_is_chance(self):
        self.hole(flows=1, lost=2)
        self.none_of("pmtu-blackhole")


class Ended(RuleTest):
    def end(self, flows, outcome, near=None, far=None, **flow):
        for n in range(flows):
            f = self.facts.flow(self.a, self.b, at=n, outcome=outcome, near=near, far=far, **flow)
        return f

    def test_refused(self):
        self.end(3, "refused", near=dict(rst_s2c=1), far=dict(rst_s2c=1))
        self.facts.insert("packet", capture_file_id=self.b, frame=5, at_ns=T0, flow_id=1, direction="s2c",
                          tcp_flags=RST | ACK)
        f = self.only("refused")
        self.assertEqual((f["count"], f["total"], f["confidence"], f["from_name"]), (3, 3, 1, "server"))
        self.assertEqual(self.facts.evidence(f["id"])[0][:2], ("server.pcapng", 5))
        self.none_of("reset")

    def test_refused_of_many(self):
        self.end(1, "refused", far=dict(rst_s2c=1))
        self.healthy(9)
        f = self.only("refused")
        self.assertEqual((f["count"], f["total"], f["severity"]), (1, 10, "notice"))

    def test_refused_by_somebody_else(self):
        self.end(3, "refused", near=dict(rst_s2c=1), far=dict(rst_s2c=0))
        self.none_of("refused")

    def test_refused_seen_from_the_client_alone(self):
        self.end(3, "refused", near=dict(rst_s2c=1), seen=[self.a])
        f = self.only("refused")
        self.assertLess(f["confidence"], 0.9)
        self.assertIn("one capture alone", f["summary"])

    def test_a_port_scan_is_one_finding(self):
        for port in range(100):
            self.end(1, "refused", far=dict(rst_s2c=1), server_port=1000 + port)
        self.assertEqual(self.only("refused")["count"], 100)

    def test_reset_by_the_server(self):
        self.end(4, "reset", near=dict(rst_s2c=1), far=dict(rst_s2c=1))
        f = self.only("reset")
        self.assertEqual((f["count"], f["from_name"], f["detail"]["sent_by"]), (4, "server", "server"))

    def test_reset_by_the_client(self):
        self.end(4, "reset", near=dict(rst_c2s=1), far=dict(rst_c2s=1))
        self.assertEqual(self.only("reset")["from_name"], "client")

    def test_a_reset_after_fin_is_an_end(self):
        self.end(4, "reset", near=dict(rst_c2s=1, fin_s2c=1), far=dict(rst_c2s=1))
        self.none_of("reset")

    def test_a_probe_is_no_failure(self):
        self.end(4, "reset", near=dict(rst_c2s=1, bytes_c2s=0, bytes_s2c=0))
        self.none_of("reset")

    def test_a_forged_reset_is_not_the_peers(self):
        f = self.end(1, "reset", near=dict(rst_s2c=1), far=dict(rst_s2c=0))
        self.facts.event(f, "s2c", "injected", self.b, self.a, flags=RST, length=0)
        self.facts.path_row(f, "s2c", self.b, self.a, 10, injected=1)
        self.none_of("reset")


class Changed(RuleTest):
    def inject(self, flags=RST, flows=2, **path):
        for n in range(flows):
            f = self.facts.flow(self.a, self.b, at=n, outcome="reset", near=dict(rst_s2c=1))
            self.facts.path_row(f, "s2c", self.b, self.a, 10, injected=1, **path)
            self.facts.event(f, "s2c", "injected", self.b, self.a, at=n, flags=flags, length=0, frame=23 + n)

    def test_injected(self):
        self.inject()
        f = self.only("injected-segment")
        self.assertEqual((f["count"], f["severity"], f["from_name"], f["to_name"]), (2, "critical", "server", "client"))
        self.assertEqual(f["detail"]["broken"], 2)
        self.assertEqual(self.facts.evidence(f["id"])[0],
                         ("client.pcapng", 23, "RST 1 of 2, never sent by the peer"))

    def test_what_the_sending_capture_missed_is_not_injected(self):
        f = self.facts.flow(self.a, self.b)
        self.facts.path_row(f, "s2c", self.b, self.a, 100, sender_missed=3)
        for n in range(3):
            self.facts.event(f, "s2c", "sender_missed", self.b, self.a)
        self.none_of("injected-segment")
        self.assertEqual(self.only("capture-loss")["from_name"], "server")

    def test_doubt_about_the_sending_capture_lowers_confidence(self):
        self.inject(sender_missed=1)
        self.assertLess(self.only("injected-segment")["confidence"], 0.7)

    def test_an_unfit_sender_supports_none(self):
        self.inject()
        self.facts.db.execute("UPDATE vantage SET trust = 'unfit' WHERE id = ?", [self.b])
        self.none_of("injected-segment")

    def modify(self, *details):
        f = self.facts.flow(self.a, self.b)
        self.facts.path_row(f, "c2s", self.a, self.b, 100, modified=len(details))
        for detail in details:
            self.facts.event(f, "c2s", "modified", self.a, self.b, detail=detail)

    def test_modified(self):
        self.modify("mss 1460 -> 1380", "mss 1460 -> 1380")
        f = self.only("modified-in-path")
        self.assertEqual((f["count"], f["total"], f["severity"]), (2, 100, "notice"))
        self.assertIn("MSS 1460 -> 1380", f["summary"])

    def test_events_cut_at_their_limit_still_count(self):
        self.modify("window", "window")
        self.facts.db.execute("UPDATE path SET modified = 100")
        self.assertEqual(self.only("modified-in-path")["count"], 100)

    def test_each_kind_of_change_is_one_finding(self):
        self.modify("mss 1460 -> 1380", "payload differs at byte 3", "payload differs at byte 9")
        found = self.facts.judge()
        self.assertEqual(sorted((f["detail"]["what"], f["count"], f["severity"]) for f in found),
                         [("mss", 1, "notice"), ("payload", 2, "warning")])

    def test_translation_is_no_change(self):
        self.modify("address 10.0.0.1 -> 192.0.2.1", "port 1 -> 2", "nat")
        self.none_of("modified-in-path")


class Disorder(RuleTest):
    def disturb(self, kind, n, sent=1000):
        f = self.facts.flow(self.a, self.b)
        self.facts.path_row(f, "s2c", self.b, self.a, sent, **{kind: n})
        for k in range(n):
            self.facts.event(f, "s2c", kind, self.b, self.a, at=k)

    def test_reordering(self):
        self.disturb("reordered", 21)
        f = self.only("reordering")
        self.assertEqual((f["count"], f["total"], f["from_name"], f["src_ip"]), (21, 1000, "server", "10.0.0.2"))

    def test_a_little_reordering_is_normal(self):
        self.disturb("reordered", 4)
        self.none_of("reordering")

    def test_reordering_below_the_rate(self):
        self.disturb("reordered", 20, 100000)
        self.none_of("reordering")

    def test_duplication(self):
        self.disturb("duplicated", 16)
        f = self.only("duplication")
        self.assertEqual((f["count"], f["total"]), (16, 1000))

    def test_two_extra_copies_are_no_finding(self):
        self.disturb("duplicated", 2)
        self.none_of("duplication")

    def test_copies_that_a_capture_made_are_not_the_networks(self):
        self.healthy()
        self.facts.db.execute("UPDATE vantage SET duplicates = 500")
        self.none_of("duplication")


class ZeroWindow(RuleTest):
    def stall(self, seconds, probes, vantage=None, flow=None, direction="c2s"):
        flow = flow or self.facts.flow(self.a, self.b)
        self.facts.insert("zero_window", flow_id=flow, vantage_id=vantage or self.a, direction=direction,
                          from_ns=T0, to_ns=T0 + int(seconds * SECOND), probes=probes,
                          capture_file_id=vantage or self.a, frame=31)
        return flow

    def test_fires(self):
        self.stall(2.5, 3)
        f = self.only("zero-window")
        self.assertEqual((f["count"], f["total"], f["src_ip"], f["host_id"]), (1, None, "10.0.0.1", self.a))
        self.assertEqual(f["detail"]["windows"][0]["from_ns"], T0)

    def test_both_sides_saw_it_once(self):
        flow = self.stall(2.5, 3, self.b)
        self.stall(2.5, 3, self.a, flow)
        f = self.only("zero-window")
        self.assertEqual((f["count"], f["from_name"]), (1, "client"))

    def test_a_moment_is_none(self):
        self.stall(0.05, 0)
        self.none_of("zero-window")

    def test_a_probed_moment_is_one(self):
        self.stall(0.05, 1)
        self.only("zero-window")

    def test_a_long_stall_is_a_warning(self):
        self.stall(12, 6, self.b, direction="s2c")
        f = self.only("zero-window")
        self.assertEqual((f["severity"], f["src_ip"]), ("warning", "10.0.0.2"))


class Captures(RuleTest):
    def test_capture_loss_counts_a_middle_vantage_once(self):
        r = self.facts.host("router")
        f = self.facts.flow(self.a, self.b, seen=[self.a, r, self.b])
        self.facts.path_row(f, "c2s", self.a, r, 100, capture_missed=7)
        self.facts.path_row(f, "c2s", r, self.b, 93, sender_missed=7)
        for n in range(7):
            self.facts.event(f, "c2s", "capture_missed", self.a, r)
        found = self.only("capture-loss")
        self.assertEqual((found["count"], found["total"], found["from_name"]), (7, 1007, "router"))

    def test_drops_that_the_file_counts(self):
        self.facts.db.execute("UPDATE capture_file SET dropped_kernel = 300 WHERE id = ?", [self.b])
        f = self.only("capture-loss")
        self.assertEqual((f["count"], f["total"], f["severity"]), (300, 1300, "warning"))

    def test_what_passed_while_it_did_not_run_is_no_loss(self):
        f = self.facts.flow(self.a, self.b)
        self.facts.path_row(f, "c2s", self.a, self.b, 100, capture_missed=9)
        for n in range(9):
            self.facts.event(f, "c2s", "capture_missed", self.a, self.b, at=n - 100 if n < 6 else n)
        self.facts.path_row(f, "s2c", self.b, self.a, 100, sender_missed=5)
        for n in range(5):
            self.facts.event(f, "s2c", "sender_missed", self.b, self.a, at=4000 + n)
        self.assertEqual(self.only("capture-loss")["count"], 3)
        self.facts.db.execute("DELETE FROM segment_event WHERE id > 6 AND kind = 'capture_missed'")
        self.facts.db.execute("UPDATE path SET capture_missed = 6 WHERE capture_missed = 9")
        self.none_of("capture-loss")

    def test_unknown_drops_are_not_none_and_not_some(self):
        self.facts.db.execute("UPDATE capture_file SET dropped_kernel = NULL")
        self.assertEqual(self.kinds(), [])

    def step(self, vantage, at, before, after, width=100000):
        self.facts.db.execute("DELETE FROM clock WHERE vantage_id = ?", [vantage])
        for start, end, offset in ((-60, at, before), (at, 3600, after)):
            self.facts.insert("clock", vantage_id=vantage, reference_vantage_id=1, from_ns=T0 + start * SECOND,
                              to_ns=T0 + end * SECOND, offset_ns=offset, offset_low_ns=offset - width,
                              offset_high_ns=offset + width, skew_ppm=0, method="both directions", samples=50)

    def test_clock_step(self):
        self.step(self.b, 100, 0, 2 * SECOND)
        f = self.only("clock-step")
        self.assertEqual((f["count"], f["host_id"], f["detail"]["step_ns"]), (1, None, 2 * SECOND))
        self.assertEqual((f["from_name"], f["to_name"]), ("server", "client"))
        self.assertEqual(f["detail"]["windows"][0]["from_ns"], T0 + 98 * SECOND)
        self.assertIn(" or that of ", f["summary"])

    def test_pieces_that_meet_are_no_step(self):
        self.step(self.b, 100, 0, 50000)
        self.none_of("clock-step")

    def test_drift_is_no_step(self):
        self.step(self.b, 100, 0, 16 * 1000000)
        self.facts.db.execute("UPDATE clock SET skew_ppm = 100 WHERE vantage_id = ?", [self.b])
        self.none_of("clock-step")

    def test_a_step_that_all_see_is_the_references(self):
        c = self.facts.host("third")
        self.step(self.b, 100, 0, 2 * SECOND)
        self.step(c, 100, 0, 2 * SECOND)
        f = self.only("clock-step")
        self.assertEqual((f["host_id"], f["detail"]["step_ns"]), (self.a, -2 * SECOND))

    def test_one_of_three_is_its_own(self):
        self.facts.host("third")
        self.step(self.b, 100, 0, -2 * SECOND)
        f = self.only("clock-step")
        self.assertEqual(f["host_id"], self.b)
        self.assertIn("jumped back by 2 s;", f["summary"])
        self.assertEqual(f["to_name"], None)


class Linking(RuleTest):
    def rule(self, *findings):
        """Judges with a rule of the user's that adds findings as facts of their own."""
        folder = self.facts.folder.name + "/rules"
        subprocess.run(["mkdir", "-p", folder], check=True)
        with open(folder + "/extra.sql", "w", encoding="utf-8") as f:
            for values in findings:
                columns = {"severity": "notice", "confidence": 0.9, "summary": "made up", **values}
                f.write("INSERT INTO finding (%s) VALUES (%s);\n" % (
                    ", ".join(columns), ", ".join(repr(v) for v in columns.values())))
        return self.facts.judge("--rules", folder)

    def mac_mismatch(self, **values):
        return {"kind": "mac-mismatch", "host_id": self.b, "from_vantage_id": self.b, "dst_ip": "10.0.0.1",
                "first_ns": T0, "last_ns": T0 + 30 * SECOND, "remedy": "ip neigh flush 10.0.0.1", **values}

    def test_the_cause_takes_the_weight_and_stands_second(self):
        self.handshakes(3)
        found = self.rule(self.mac_mismatch())
        self.assertEqual([(f["id"], f["kind"], f["severity"], f["cause_id"]) for f in found],
                         [(1, "synack-lost", "critical", 2), (2, "mac-mismatch", "critical", None)])

    def test_another_address_is_no_cause(self):
        self.handshakes(3)
        found = self.rule(self.mac_mismatch(dst_ip="10.0.0.77"))
        self.assertEqual([f["cause_id"] for f in found], [None, None])

    def test_another_time_is_no_cause(self):
        self.handshakes(3)
        found = self.rule(self.mac_mismatch(first_ns=T0 + 500 * SECOND, last_ns=T0 + 600 * SECOND))
        self.assertEqual([f["cause_id"] for f in found], [None, None])

    def test_one_cause_many_symptoms_are_one_story(self):
        self.handshakes(3)
        self.handshakes(2, server_ip="10.0.0.3")
        dark = {"kind": "host-dark", "host_id": self.a, "first_ns": T0, "last_ns": T0 + 30 * SECOND}
        found = self.rule(dark)
        self.assertEqual([f["kind"] for f in found], ["host-dark", "synack-lost", "synack-lost"])
        self.assertEqual([f["cause_id"] for f in found], [None, 1, 1])
        self.assertEqual({f["severity"] for f in found}, {"critical"})

    def test_a_cause_of_the_common_cause_stands_behind_it(self):
        self.handshakes(3)
        self.handshakes(2, server_ip="10.0.0.3")
        self.facts.insert("defect", id="made-up", title="x", severity="notice", explains="host-dark", remedy="x", source="x")
        found = self.rule(
            {"kind": "host-dark", "host_id": self.a, "first_ns": T0, "last_ns": T0 + 30 * SECOND},
            {"kind": "advisory", "host_id": self.a, "detail": '{"defect": "made-up"}'})
        self.assertEqual([(f["kind"], f["cause_id"]) for f in found],
                         [("host-dark", 2), ("advisory", None), ("synack-lost", 1), ("synack-lost", 1)])

    def test_numbers_do_not_depend_on_the_order_of_insertion(self):
        self.handshakes(3)
        one = self.mac_mismatch()
        two = {"kind": "arp-conflict", "src_ip": "10.0.0.99", "first_ns": T0, "last_ns": T0}
        first = [(f["id"], f["kind"], f["cause_id"]) for f in self.rule(one, two)]
        second = [(f["id"], f["kind"], f["cause_id"]) for f in self.rule(two, one)]
        self.assertEqual(first, second)

    def test_findings_that_explain_each_other_have_no_cause(self):
        ring = "UPDATE finding SET cause_id = (SELECT id FROM finding f WHERE f.id != finding.id AND f.kind LIKE 'x%')"
        folder = self.facts.folder.name + "/rules"
        subprocess.run(["mkdir", "-p", folder], check=True)
        with open(folder + "/ring.sql", "w", encoding="utf-8") as f:
            for kind in ("xa", "xb"):
                f.write("INSERT INTO finding (kind, severity, confidence, summary)"
                        f" VALUES ('{kind}', 'notice', 1, 'made up');\n")
            f.write(ring + ";\n")
        self.assertEqual([(f["kind"], f["cause_id"]) for f in self.facts.judge("--rules", folder)],
                         [("xa", None), ("xb", None)])

    def test_judging_twice_gives_the_same(self):
        self.handshakes(3)
        self.lossy(10, 100, 5)
        first = self.facts.judge()
        self.assertEqual(first, self.facts.judge())

    def broken_rule(self, text):
        folder = self.facts.folder.name + "/rules"
        subprocess.run(["mkdir", "-p", folder], check=True)
        with open(folder + "/mine.sql", "w", encoding="utf-8") as f:
            f.write(text)
        self.facts.db.commit()
        done = subprocess.run([BOTHENDS, "judge", self.facts.path, "--rules", folder], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    def test_a_mistake_in_a_rule_names_file_and_line(self):
        self.handshakes(3)
        before = self.facts.judge()
        self.assertIn("mine.sql:3: no such column: nonsense", self.broken_rule(
            "-- a rule\n\nSELECT nonsense FROM flow;\n"))
        self.assertEqual(self.facts.db.execute("SELECT count(*) FROM finding").fetchone()[0], len(before),
                         "the old findings stay")

    def test_a_rule_cannot_touch_the_facts(self):
        for text in ("DELETE FROM flow;", "UPDATE setting SET value = 0;", "DROP TABLE flow;",
                     "CREATE TABLE mine (x);", "ATTACH 'x.db' AS x;", "PRAGMA user_version = 9;", "COMMIT;",
                     "INSERT INTO host VALUES (9, 'x');"):
            self.assertIn("not authorized", self.broken_rule(text), text)

    def test_a_folder_without_rules_is_a_mistake(self):
        self.facts.db.commit()
        done = subprocess.run([BOTHENDS, "judge", self.facts.path, "--rules", "/nowhere"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("'/nowhere'", done.stderr)

    def test_settings_are_checked(self):
        self.facts.db.commit()
        for text in ("nothing=1", "pairs_max", "pairs_max=x", "=1"):
            done = subprocess.run([BOTHENDS, "judge", self.facts.path, "--set", text], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, text)
            self.assertNotIn("locked", done.stderr)


if __name__ == "__main__":
    BOTHENDS, DBTOOL = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
