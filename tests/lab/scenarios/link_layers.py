"""The two captures differ in link layer or in snap length; loss is counted all the same.

A VLAN tag on the server's side (put into the file afterwards: the lab's kernel has no VLAN
devices), Linux cooked capture v2 of `any` there, and a snap length of 68 there against
whole packets at the client; each with 2 % loss from server to client.
"""
import os
import struct

import lab
import pcapfile
import routed

VARIANTS = {
    "vlan-one-side": {"vlan": 42},
    "sll2-one-side": {"cooked": True},
    "snaplen-68": {"short": True},
}


def tag(path, vlan):
    """802.1Q between the addresses and the type, as a trunk port's capture has it."""
    insert = struct.pack("!HH", 0x8100, vlan)
    frames = [pcapfile.Frame(f.time_ns, f.wire + 4, f.data[:12] + insert + f.data[12:])
              for f in pcapfile.read(path)]
    pcapfile.write(path, frames)


def frames_agree(out, count):
    """Both files hold as many frames as the router passed (there is ARP as well)."""
    for name, counters in (("client", ("c2s_sent", "s2c_received")),
                           ("server", ("c2s_received", "s2c_sent"))):
        frames = sum(1 for _ in pcapfile.read(os.path.join(out, name + ".pcap")))
        passed = sum(count[counter] for counter in counters)
        if not passed <= frames <= passed + 12:
            raise lab.Void(f"captures and counters differ: {name} {frames}, {passed}")


def run(place, out, vlan=0, cooked=False, short=False):
    net = routed.Routed(place, {"s2c": ("s0", routed.chance(20))})
    file = {name: os.path.join(out, name + ".pcap") for name in net.ends}
    place.capture(net.client, "eth0", file["client"], snaplen=65535 if short else 128)
    place.capture(net.server, "any" if cooked else "eth0", file["server"],
                  snaplen=68 if short else 128, link_type="LINUX_SLL2" if cooked else None)
    net.talking.mix(calm=net.calm)
    count, counters = net.finish()
    frames_agree(out, count)
    if vlan:
        tag(file["server"], vlan)
    paths = [routed.path("c2s", count, bytes_lost=0),
             routed.path("s2c", count, bytes_lost=routed.payload_lost(counters, "s2c"))]
    return {"": {
        "inputs": routed.inputs(out), "flows": net.talking.flows, "paths": paths,
        "findings": {"expected": [routed.loss_finding(count)],
                     "forbidden": routed.forbid(*routed.NEVER, "symmetric-loss", "syn-lost")},
        "counters": count}}
