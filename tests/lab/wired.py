"""Client and server joined by a user-space forwarder instead of a router.

    client eth0 10.3.0.10 -- w0 wire w1 -- eth0 10.3.0.20 server
"""
import os

from forwarder import Forwarder
from traffic import Client, Server

CLIENT, SERVER = "10.3.0.10", "10.3.0.20"


class Wired:
    def __init__(self, place, policy):
        self.place = place
        self.wire = place.host("wire")
        self.ends = {}
        for name, port, address in (("client", "w0", CLIENT), ("server", "w1", SERVER)):
            host = self.ends[name] = place.host(name)
            place.wire(host, "eth0", self.wire, port)
            host.address("eth0", address + "/24")
            host.offload("eth0", "off", "tx", "tso", "gso", "gro")
        self.client, self.server = self.ends["client"], self.ends["server"]
        self.forwarder = Forwarder(self.wire, "w0", "w1", policy)
        self.listening = Server(self.server, SERVER)
        self.talking = Client(self.client, SERVER)

    def capture(self, out, snaplen=128):
        for name, host in self.ends.items():
            self.place.capture(host, "eth0", os.path.join(out, name + ".pcap"), snaplen=snaplen)

    def finish(self):
        self.listening.stop()
        self.place.quiet(self.client, self.server)
        self.place.stop_captures()
        self.forwarder.stop()
