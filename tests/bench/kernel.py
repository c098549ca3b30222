#!/usr/bin/env python3
"""Makes a pair of captures from real TCP stacks. usage: kernel.py PACKETS FOLDER

Two hosts and a router between them in network namespaces of its own; the router drops 1 % of the TCP
packets in each direction and counts them. Many conversations, bulk and short ones, until so many TCP
packets were sent. FOLDER gets a.pcap (the client's), b.pcap (the server's) and truth.json, whose counts are
nftables'. A capture that drops makes the run void (status 1). Needs root.
"""
import json
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lab'))

import lab  # noqa: E402
import routed  # noqa: E402

SNAPLEN = 96
LOSS_PER_MILLE = 10
THREADS = 10
# (bytes up, bytes down) of the requests of one conversation, in turn.
KINDS = ([(200, 280_000)], [(180, 1200)] * 4, [(60_000, 200)], [(300, 90_000)] * 2, [(500, 20_000)] * 3)


def sent(net):
    counters = net.router.counters()
    return sum(counters[way + '_sent'][0] for way in ('c2s', 's2c'))


def talk(net, packets):
    over = threading.Event()

    def conversations(first):
        for n in range(first, 1_000_000):
            if over.is_set():
                return
            net.talking.converse(KINDS[n % len(KINDS)])

    threads = [threading.Thread(target=conversations, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    while sent(net) < packets:
        time.sleep(0.2)
    over.set()
    for thread in threads:
        thread.join()


def direction(count, counters, way):
    return {'sent': count[way + '_sent'], 'lost': count[way + '_lost'],
            'lost_bytes': routed.payload_lost(counters, way)}


def make(place, packets, folder):
    rules = {way: (port, routed.chance(LOSS_PER_MILLE)) for way, port in (('c2s', 'c0'), ('s2c', 's0'))}
    net = routed.Routed(place, rules)
    began = time.monotonic()
    files = {'a': net.client, 'b': net.server}
    for name, host in files.items():
        # Written in blocks: what is measured later is the reading.
        place.capture(host, 'eth0', os.path.join(folder, name + '.pcap'), snaplen=SNAPLEN)
    talk(net, packets)
    count, counters = net.finish()
    sizes = [os.path.getsize(os.path.join(folder, name + '.pcap')) for name in files]
    return {'frames': [frames(os.path.join(folder, name + '.pcap')) for name in files], 'bytes': sizes,
            'connections': net.talking.flows, 'seconds': round(time.monotonic() - began, 3),
            'to_server': direction(count, counters, 'c2s'), 'to_client': direction(count, counters, 's2c')}


def frames(path):
    """Records of a pcap with a 16-byte header each."""
    count = 0
    with open(path, 'rb', buffering=1 << 20) as file:
        file.seek(24)
        while header := file.read(16):
            file.seek(int.from_bytes(header[8:12], 'little'), os.SEEK_CUR)
            count += 1
    return count


def main(args):
    why = lab.obstacle()
    if len(args) != 2 or why:
        print(why or __doc__, file=sys.stderr)
        return 2
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    folder = os.path.abspath(args[1])
    lab.contain()
    try:
        with lab.Lab() as place:
            truth = make(place, int(args[0]), folder)
    except lab.Void as void:
        print(f'void: {void}', file=sys.stderr)
        return 1
    with open(os.path.join(folder, 'truth.json'), 'w') as file:
        json.dump(truth, file, indent=1)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
