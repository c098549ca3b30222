#!/usr/bin/env python3
"""Names, instances, subnets and zones from what the clouds' command lines list (--names). usage: names_test.py BOTHENDS"""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from day import Day
from incidents import all_incidents

BOTHENDS = None
GCP = [{"name": "db-1", "zone": "https://www.googleapis.com/compute/v1/projects/example/zones/europe-west1-b", "networkInterfaces": [
    {"name": "nic0", "networkIP": "10.10.0.2", "subnetwork": "https://www.googleapis.com/compute/v1/projects/example/regions/europe-west1/subnetworks/data"}]}]
AZURE = [{"name": "web-nic", "macAddress": "00-0D-3A-92-6A-7C", "tags": {"Name": "web"}, "zones": ["2"],
          "virtualMachine": {"id": "/subscriptions/0/resourceGroups/r/providers/Microsoft.Compute/virtualMachines/web-vm"},
          "ipConfigurations": [{"privateIPAddress": "10.20.0.4", "subnet": {"id": "/subscriptions/0/virtualNetworks/v/subnets/front"}}]},
         {"name": "spare-nic", "macAddress": "", "tags": None, "virtualMachine": None, "ipConfigurations": [{"privateIpAddress": "10.20.0.5"}]}]


class Names(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.db = os.path.join(self.folder, "out.db")

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def analyze(self, *arguments):
        return subprocess.run([BOTHENDS, "analyze", "--since", "last", "-q", "-o", self.db, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)

    def rows(self, sql):
        connection = sqlite3.connect(self.db)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def interfaces(self, day):
        """describe-network-interfaces of a day: applications by their zone; both named app where named at all."""
        def one(host, tags, subnet, zone, instance=True):
            return {"NetworkInterfaceId": host.eni, "SubnetId": subnet, "AvailabilityZone": zone, "Description": "", "TagSet": tags,
                    "Attachment": {"InstanceId": "i-" + host.eni[-8:]} if instance else {},
                    "PrivateIpAddresses": [{"PrivateIpAddress": host.ip, "Primary": True}], "Ipv6Addresses": []}
        apps = [one(h, [{"Key": "Name", "Value": f"app-{i}"}], f"subnet-app-{'ab'[i % 2]}", f"eu-west-1{'ab'[i % 2]}") for i, h in enumerate(day.apps)]
        twins = [one(h, [{"Key": "Name", "Value": "dns"}], "subnet-dns", "eu-west-1a") for h in day.resolvers]
        gateway = dict(one(day.nats[0], [], "subnet-public", "eu-west-1a", False), Description="Interface for NAT Gateway nat-0123")
        return {"NetworkInterfaces": apps + twins + [gateway, one(day.reports, [{"Key": "Name", "Value": "reports"}], "subnet-reports", "eu-west-1c")]}

    def test_sentences_and_groups(self):
        day = Day(3, 40000, minutes=150, incidents=[all_incidents(1.0)["one-zone"]])
        log = self.file("day.log", "\n".join(day.lines()) + "\n")
        done = self.analyze("--names", self.file("enis.json", self.interfaces(day)), log)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = [s for s, in self.rows("SELECT summary FROM finding WHERE severity = 'critical'")]
        self.assertEqual(len(found), 1, found)
        self.assertIn("requests of 4 clients of subnet subnet-app-b in eu-west-1b to tcp 10.1.1.10:8443 (reports) left their interfaces "
                      "and did not come in at reports eni-", found[0])
        hosts = {h for h, in self.rows("SELECT name FROM host")}
        self.assertLessEqual({"app-0", "app-7", "reports", "Interface for NAT Gateway nat-0123"}, hosts)
        self.assertEqual(sorted(h for h in hosts if h.startswith("dns")), sorted(f"dns i-{h.eni[-8:]}" for h in day.resolvers))

    def test_other_clouds(self):
        log = self.file("day.log", "\n".join(Day(1, 2000, minutes=110).lines()) + "\n")
        done = self.analyze("--names", self.file("gcp.json", GCP), "--names", self.file("azure.json", AZURE), log)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.rows("SELECT ip, interface, label, name, instance, subnet, zone FROM flow_log_name ORDER BY ip"), [
            ("10.10.0.2", "db-1", "db-1", "db-1", "db-1", "data", "europe-west1-b"),
            ("10.20.0.4", "00:0d:3a:92:6a:7c", "web", "web", "web-vm", "front", "2"),
            ("10.20.0.5", None, "spare-nic", "spare-nic", None, None, None)])

    def test_refused(self):
        log = self.file("day.log", "\n".join(Day(1, 2000, minutes=110).lines()) + "\n")
        for content in ("not JSON", "[]", '{"NetworkInterfaces": 7}', '{"Reservations": []}', "[1, null, {}]", ""):
            done = self.analyze("--names", self.file("bad.json", content), log)
            self.assertEqual(done.returncode, 2, content)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn("bad.json", done.stderr)
            self.assertFalse(os.path.exists(self.db))


if __name__ == "__main__":
    BOTHENDS = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
