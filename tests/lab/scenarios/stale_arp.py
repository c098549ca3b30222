"""A database keeps the MAC of a terminated worker whose address was given to a new one.

db 10.0.1.20 has 10.0.1.90 at 00:00:01:fc:b3:48; the machine that owns 10.0.1.90 today
answers from 00:00:01:fc:b3:70. Its SYNs arrive, every SYN-ACK goes to a MAC that no
port has, and nothing below TCP ever complains. worker2 10.0.1.91 is healthy throughout.

Two things keep a Linux neighbour entry wrong long enough to be an incident, and both
are modelled. The kernel checks a stale entry some seconds after its first use; here
delay_first_probe_time is raised, as a cloud fabric does in effect when it answers the
unicast probe on behalf of the dead address. And an ARP request from the owner would
correct the entry at once; here the worker has db's address already (a permanent entry),
as it has where the fabric and not the peer answers ARP. The bridge does not flood
unknown addresses, except in the variant stale-arp-flooded, where the worker's tap is
promiscuous and sees the SYN-ACKs under the foreign MAC. tcp_synack_retries is 1, so that
db has given up on every attempt before the captures end.

db.neigh.txt and db.neigh.json are db's neighbour table as `ip neigh` and `ip -j neigh`
print it, one second in, before the worker's first attempt.
"""
import os
import socket
import threading
import time

VARIANTS = {
    "stale-arp": {},
    "stale-arp-flooded": {"flood": True},
}

STALE = "00:00:01:fc:b3:48"
DB = ("10.0.1.20", "00:00:01:fc:b3:14")
WORKER = ("10.0.1.90", "00:00:01:fc:b3:70")
WORKER2 = ("10.0.1.91", "00:00:01:fc:b3:91")
PORT = 27017
MONITORED = 9100
ATTEMPTS = 4
TIMEOUT = 2.0


def counters(port):
    """What really passed the switch port of db (in) and of the worker (out)."""
    synack = "tcp flags & (syn|ack) == (syn|ack)"
    return f"""
table netdev truth {{
    counter synack_sent {{ }}
    counter synack_sent_wrong_mac {{ }}
    counter synack_reached_worker {{ }}
    counter syn_sent {{ }}
    counter syn_reached_db {{ }}
    counter to_worker_sent {{ }}
    chain db {{
        type filter hook ingress device "{port['db']}" priority 0;
        ip daddr {WORKER[0]} ip protocol tcp counter name to_worker_sent
        ip daddr {WORKER[0]} {synack} counter name synack_sent
        ip daddr {WORKER[0]} {synack} ether daddr {STALE} counter name synack_sent_wrong_mac
    }}
    chain db_out {{
        type filter hook egress device "{port['db']}" priority 0;
        ip saddr {WORKER[0]} tcp flags & (syn|ack) == syn counter name syn_reached_db
    }}
    chain worker_in {{
        type filter hook ingress device "{port['worker']}" priority 0;
        ip saddr {WORKER[0]} tcp flags & (syn|ack) == syn counter name syn_sent
    }}
    chain worker_out {{
        type filter hook egress device "{port['worker']}" priority 0;
        ip daddr {WORKER[0]} {synack} counter name synack_reached_worker
    }}
}}
"""


def serve(host, stop):
    listener = host.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((DB[0], PORT))
    listener.listen(64)
    listener.settimeout(0.2)

    def answer(connection):
        with connection:
            while request := connection.recv(4096):
                connection.sendall(b"reply " * 40 + request)

    while not stop.is_set():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        threading.Thread(target=answer, args=(connection,), daemon=True).start()
    listener.close()


def healthy(host, stop):
    """worker2: a connection every half second, four requests each, closed in order."""
    while not stop.is_set():
        connection = host.socket(socket.AF_INET, socket.SOCK_STREAM)
        with connection:
            connection.connect((DB[0], PORT))
            for number in range(4):
                connection.sendall(b"request %d" % number)
                connection.recv(4096)
                time.sleep(0.05)
        time.sleep(0.3)


def scrape(monitor, target, stop):
    """worker2 polls worker about another port: worker is alive and its capture running."""
    listener = target.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind((WORKER[0], MONITORED))
    listener.listen(1)
    poll = monitor.socket(socket.AF_INET, socket.SOCK_STREAM)
    poll.connect((WORKER[0], MONITORED))
    answer, _ = listener.accept()
    with listener, poll, answer:
        while not stop.wait(0.25):
            poll.sendall(b"alive?")
            answer.recv(64)
            answer.sendall(b"alive")
            poll.recv(64)
        poll.shutdown(socket.SHUT_WR)
        answer.recv(64)


def attempt(host):
    connection = host.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(TIMEOUT)
    with connection:
        try:
            connection.connect((DB[0], PORT))
        except TimeoutError:
            return
    raise RuntimeError("the worker connected; db's neighbour entry did not stay wrong")


def run(lab, out, flood=False):
    fabric = lab.host("fabric")
    fabric.run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
    fabric.run("ip", "link", "set", "br0", "up")
    machines = {}
    for name, (ip, mac) in (("db", DB), ("worker", WORKER), ("worker2", WORKER2)):
        host = machines[name] = lab.host(name)
        lab.wire(host, "eth0", fabric, name, mac_a=mac)
        host.address("eth0", ip + "/24")
        fabric.run("ip", "link", "set", name, "master", "br0")
        # A switch that has aged the dead MAC out floods; a cloud fabric never does.
        fabric.run("bridge", "link", "set", "dev", name, "flood", "on" if flood else "off")
    fabric.nft(counters({name: name for name in machines}))
    db, worker, worker2 = machines["db"], machines["worker"], machines["worker2"]

    db.sysctl("net.ipv4.tcp_synack_retries", 1)
    db.sysctl("net.ipv4.neigh.eth0.delay_first_probe_time", 3600)
    db.run("ip", "neigh", "replace", WORKER[0], "lladdr", STALE, "dev", "eth0", "nud", "stale")
    worker.run("ip", "neigh", "replace", DB[0], "lladdr", DB[1], "dev", "eth0", "nud", "permanent")

    captured = ("db", "worker") if flood else ("db", "worker", "worker2")
    for name in captured:
        # Promiscuous where flooding is modelled: only then would a real NIC hand the frame up.
        lab.capture(machines[name], "eth0", os.path.join(out, name + ".pcapng"), snaplen=128,
                    promiscuous=flood, pcapng=True)
    stop = threading.Event()
    threads = [threading.Thread(target=serve, args=(db, stop), daemon=True),
               threading.Thread(target=healthy, args=(worker2, stop), daemon=True),
               threading.Thread(target=scrape, args=(worker2, worker, stop), daemon=True)]
    background = len(threads)
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    for name, form in (("db.neigh.txt", ["ip", "neigh"]), ("db.neigh.json", ["ip", "-j", "neigh"])):
        with open(os.path.join(out, name), "w") as file:
            file.write(db.run(*form))
    for _ in range(ATTEMPTS):
        thread = threading.Thread(target=attempt, args=(worker,), daemon=True)
        thread.start()
        threads.append(thread)
        time.sleep(0.7)
    for thread in threads[background:]:
        thread.join()
    db_half_open = lambda: any("SYN-RECV" in line for line in db.open_connections())
    while db_half_open():
        time.sleep(0.1)
    time.sleep(0.6)
    stop.set()
    for thread in threads[:background]:
        thread.join()
    lab.stop_captures()
    return truth(fabric.counters(), captured, flood)


def truth(count, captured, flood):
    packets = {name: value[0] for name, value in count.items()}
    sent, reached = packets["synack_sent"], packets["synack_reached_worker"]
    assert sent == packets["synack_sent_wrong_mac"] == packets["to_worker_sent"] > 0, packets
    assert reached == (sent if flood else 0), packets
    syns = packets["syn_sent"]
    assert syns == packets["syn_reached_db"] > 0, packets
    clean = {"lost": 0, "capture_missed": 0, "misaddressed": 0, "unjudged": 0,
             "duplicated": 0, "injected": 0, "sender_missed": 0, "reordered": 0}
    fate = "misaddressed" if flood else "lost"
    incident = {"protocol": "tcp", "clients": [WORKER[0]], "server_port": PORT}
    paths = [
        {"from": "db", "to": "worker", "direction": "s2c", **incident,
         "counts": {**clean, "sent": sent, "received": reached, "delivered": 0, fate: sent}},
        {"from": "worker", "to": "db", "direction": "c2s", **incident,
         "counts": {**clean, "sent": syns, "received": syns, "delivered": syns}},
    ]
    if not flood:
        for source, target, direction in (("worker2", "db", "c2s"), ("db", "worker2", "s2c")):
            paths.append({"from": source, "to": target, "direction": direction,
                          "clients": [WORKER2[0]], "server_port": PORT, "counts": clean})
    mismatch = {"kind": "mac-mismatch", "from": "db", "count": sent, "total": sent,
                "detail": {"ip": WORKER[0], "mac_used": STALE, "mac_real": WORKER[1]}}
    everywhere = [{"kind": kind} for kind in (
        "syn-lost", "handshake-ack-lost", "asymmetric-loss", "symmetric-loss", "capture-loss",
        "injected-segment", "host-dark", "arp-conflict", "refused", "clock-step")]
    everywhere.append({"ip": WORKER2[0]})
    both = {
        "paths": paths,
        "findings": {
            "expected": [
                {"kind": "synack-lost", "from": "db", "to": "worker", "count": sent,
                 "total": sent, "severity": "critical", "cause": "mac-mismatch"},
                {**mismatch, "to": "worker"}],
            "forbidden": everywhere},
        "counters": packets,
    }
    inputs = [{"name": name, "file": name + ".pcapng"} for name in captured]
    snapshots = [{"name": "db", "file": "db.neigh.txt"}, {"name": "db", "file": "db.neigh.json"}]
    if flood:
        # Whether a SYN-ACK that a tap saw but no TCP got is also called lost is left open.
        both["findings"]["expected"] = [{**mismatch, "to": "worker"}]
        return {"": {"inputs": inputs, **both}}
    unproven = everywhere + [{"kind": "synack-lost"}]
    return {
        "": {"inputs": inputs, **both},
        "two": {"inputs": inputs[:2], **both, "paths": paths[:2]},
        "neighbours": {"inputs": inputs + snapshots, **both},
        "db-only": {"inputs": inputs[:1], "everywhere": {"lost": 0},
                    "findings": {"expected": [mismatch], "forbidden": unproven}},
        "worker-only": {"inputs": inputs[1:2], "everywhere": {"lost": 0},
                        "findings": {"expected": [],
                                     "forbidden": unproven + [{"kind": "mac-mismatch"}]}},
    }
