"""Load: every packet is accounted for; nothing is dropped at a rate that matters."""
import os, time
from lab import *

SINK = """
import socket, threading
s = socket.create_server(("10.77.0.2", 9000), backlog=512)
def eat(c):
    while c.recv(65536):
        c.send(b"ok")
while True:
    c, _ = s.accept()
    threading.Thread(target=eat, args=(c,), daemon=True).start()
"""
SOURCE = """
import socket, sys, threading, time
end = time.time() + float(sys.argv[1])
def flow():
    while time.time() < end:
        with socket.create_connection(("10.77.0.2", 9000)) as c:
            for _ in range(20):
                c.sendall(b"x" * 3000); c.recv(100)
ts = [threading.Thread(target=flow) for _ in range(40)]
[t.start() for t in ts]; [t.join() for t in ts]
"""


def test_accounting():
    """Many-flow TCP with the agent on both ends: written + dropped = what the interface counted."""
    seconds = 60 if HEAVY else 4
    with Lab() as lab:
        before = {ns: lab.counters(ns) for ns in (lab.a, lab.b)}
        agents = {ns: lab.agent(ns, lab.folder(f"out{ns}"), "--buffer", "16M") for ns in (lab.a, lab.b)}
        lab.background("python3", "-c", SINK, ns=lab.b)
        time.sleep(0.5)
        run("python3", "-c", SOURCE, seconds, ns=lab.a, timeout=seconds + 60)
        said = []
        for ns, agent in agents.items():
            run("ip", "-n", ns, "link", "set", "eth0", "down") if ns == lab.a else None
            time.sleep(0.3)
            counted = lab.counters(ns) - before[ns]
            agent.stop()
            received, written, kernel, own = agent.total("eth0")
            check(written + kernel + own == received == counted, f"interface counted {counted}; {agent.text}")
            check(sum(map(packets, agent.files())) == written, "files")
            said.append(f"{counted} = {written} + {kernel} + {own}")
    return f"{seconds} s: " + ", ".join(said)


def cpu_s(pid):
    """Time on a CPU in nanosecond steps; the ticks of /proc/PID/stat miss short turns."""
    return int(open(f"/proc/{pid}/schedstat").read().split()[0]) / 1e9


def other_tool(lab, name, words_, rate, seconds):
    """The same load with another program: (cpu share, dropped as it says)."""
    p = subprocess.Popen(["ip", "netns", "exec", lab.b] + words_, stderr=subprocess.PIPE, text=True)
    lab.processes.append(p)
    time.sleep(1)
    before = cpu_s(p.pid)
    run("nice", "-n", "-15", BUILD + "/tests/agent/load", "10.77.0.2", rate, seconds, 1000, 200, ns=lab.a, timeout=seconds + 30)
    time.sleep(0.3)
    used = cpu_s(p.pid) - before
    p.send_signal(signal.SIGINT)
    text = p.communicate(timeout=20)[1]
    m = re.search(r"(\d+) packets dropped by kernel|dropped on interface '?eth0'?:? \d+/(\d+)", text)
    return f"{name} {100 * used / seconds:.1f} % cpu, dropped {next((g for g in m.groups() if g), '?') if m else '?'}"


def test_rate():
    rate, seconds = (100000, 60) if HEAVY else (100000, 3)
    with Lab() as lab:
        run("nft", "-f", "-", ns=lab.b, input="table inet t { chain i { type filter hook prerouting priority -400; udp dport 10000-20000 drop\n }\n }\n")
        before = lab.counters(lab.b)
        agent = lab.agent(lab.b, lab.folder("out"), "--ring-size", "8G")
        pid = agent.status()["pid"]
        begin, used = time.time(), cpu_s(pid)
        sent = int(run("nice", "-n", "-15", BUILD + "/tests/agent/load", "10.77.0.2", rate, seconds, 1000, 200, ns=lab.a, timeout=seconds + 30).stdout)
        time.sleep(0.3)
        used = cpu_s(pid) - used
        memory = agent.status()["memory_kib"]
        counted = lab.counters(lab.b) - before
        agent.stop()
        received, written, kernel, own = agent.total("eth0")
        check(received == counted == written + kernel + own, f"interface counted {counted}; {agent.text}")
        check(kernel + own == 0, f"dropped at {sent / seconds:.0f} packets/s: {agent.text}")
        text = f"{sent / seconds:.0f} packets/s for {seconds} s, none dropped, {100 * used / seconds:.1f} % of a CPU, {memory // 1024} MiB"
        if HEAVY:
            text += "; on the same load: " + other_tool(lab, "tcpdump", ["tcpdump", "-i", "eth0", "-s", "128", "-B", "65536", "-w", lab.dir + "/t.pcap"], rate, seconds)
            text += "; " + other_tool(lab, "dumpcap", ["dumpcap", "-q", "-i", "eth0", "-s", "128", "-B", "64", "-w", lab.dir + "/d.pcapng"], rate, seconds)
    return text
