"""What the analyzer says from the agent's files alone."""
import os, time
from lab import *

CONNECT = "import socket, sys\nfor _ in range(6):\n s = socket.socket(); s.settimeout(.4)\n try: s.connect(('10.77.0.2', int(sys.argv[1])))\n except OSError: pass\n s.close()"


def only(findings, kind):
    rows = [f for f in findings if f["kind"] == kind]
    check(len(rows) == 1, f"{len(rows)} of {kind} in {[(f['kind'], f['summary']) for f in findings]}")
    return rows[0]


def pair(lab, during, *words_b):
    agents = [lab.agent(lab.a, lab.folder("client"), "--name", "client", "--interval", "1s"),
              lab.agent(lab.b, lab.folder("server"), "--name", "server", "--interval", "1s", sources=("-i", "eth0", *words_b))]
    during()
    time.sleep(0.3)
    for a in agents:
        a.stop()
    return lab.analyze(*("client=" + f for f in agents[0].files()), *("server=" + f for f in agents[1].files()))


def test_firewall_drop():
    with Lab() as lab:
        run("nft", "-f", "-", ns=lab.b, input="""table inet t {
            chain i { type filter hook input priority 0;
                tcp dport 81 log prefix "drop81" group 5 drop
            }
            }\n""")
        found = only(pair(lab, lambda: run("python3", "-c", CONNECT, 81, ns=lab.a), "-g", "5"), "firewall-drop")
    return found["summary"]


def test_mac_mismatch():
    """The server has a stale entry with a MAC that is nobody's: its answers never reach the client."""
    with Lab() as lab:
        server = lab.background("python3", "-c", "import socket\ns = socket.create_server(('10.77.0.2', 82))\nwhile True: s.accept()", ns=lab.b)
        time.sleep(0.3)
        run("ip", "-n", lab.b, "neigh", "replace", "10.77.0.1", "lladdr", "02:00:00:00:77:48", "dev", "eth0", "nud", "permanent")
        found = only(pair(lab, lambda: run("python3", "-c", CONNECT, 82, ns=lab.a)), "mac-mismatch")
        check("02:00:00:00:77:48" in found["summary"] + found["detail"] and "02:00:00:00:77:01" in found["summary"] + found["detail"], str(found))
    return found["summary"]


def test_disk_gap():
    """Dropping on a full disk is the capture's loss and never the network's."""
    with Lab() as lab:
        out = lab.tmpfs("server", "6m")
        client = lab.agent(lab.a, lab.folder("client"), "--name", "client", "--facts", "no")
        server = lab.agent(lab.b, out, "--name", "server", "--flush", "100ms", "--facts", "no")
        lab.fill(out + "/ballast")
        time.sleep(0.3)
        lab.load_until_dropped(server)
        os.unlink(out + "/ballast")
        time.sleep(0.4)
        run(BUILD + "/tests/agent/load", "10.77.0.2", 500, 0.3, 50, 100, ns=lab.a)
        time.sleep(0.2)
        for a in (client, server):
            a.stop()
        own = server.total("eth0")[3]
        check(own > 0, server.text)
        findings = lab.analyze(*("client=" + f for f in client.files()), *("server=" + f for f in server.files()))
        check(not any("loss" in f["kind"] and f["kind"] != "capture-loss" or f["kind"] == "host-dark" for f in findings), f"{[(f['kind'], f['summary']) for f in findings]}")
        found = [f for f in findings if f["kind"] == "capture-loss"]
        check(found, f"no capture-loss in {[f['kind'] for f in findings]}")
    return f"{own} dropped by the agent: {found[0]['summary']}"
