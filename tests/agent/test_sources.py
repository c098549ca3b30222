"""Sources: what can go wrong at start and later, netfilter logs, rights."""
import os, signal, socket, time
from lab import *


def refusal(*words_, user=None):
    prefix = ["setpriv", "--reuid", "65534", "--clear-groups"] if user else []
    p = run(*prefix, agent_path(), *words_, ok=False, timeout=10)
    lines = [l for l in p.stderr.splitlines() if not l.startswith("Try `")]
    check(p.returncode == 2, f"{words_}: status {p.returncode}: {p.stderr}")
    check(len(lines) == 1, f"{words_}: not one line: {p.stderr}")
    return lines[0]


def test_refusals():
    with Lab() as lab:
        out = lab.folder("out")
        cases = [
            ((), "nothing to capture"), (("-i", "lo"), "missing output folder"),
            (("-i", "nosuch0", "-w", out), "no interface 'nosuch0'"),
            (("-i", "lo", "-w", out, "-f", "tcp prot 80"), "invalid filter 'tcp prot 80'"),
            (("-i", "lo", "-w", lab.dir + "/missing"), "does not exist"),
            (("-i", "lo", "-w", out, "--snaplen", "12x"), "--snaplen '12x'"),
            (("-i", "lo", "-w", out, "--user", "nosuchuser"), "no user 'nosuchuser'"),
            (("-i", "lo", "-w", out, "--user", "root"), "is root"),
        ]
        wide = lab.folder("wide")
        os.chmod(wide, 0o777)
        cases.append((("-i", "lo", "-w", wide), "writable by everyone"))
        rooted = lab.folder("rooted")
        os.chown(rooted, 0, 0)
        cases.append((("-i", "lo", "-w", rooted), "cannot write to output folder"))
        bad = lab.dir + "/bad.conf"
        open(bad, "w").write("# comment\nsnaplen = 96\nnosuch = 1\n")
        cases.append((("--config", bad), "bad.conf:3"))
        for words_, expected in cases:
            line = refusal(*words_)
            check(expected in line, f"{words_}: '{line}' lacks '{expected}'")
        line = refusal("-i", "lo", "-w", out, user="nobody")
        check("no permission to capture on 'lo'" in line, line)
        agent = lab.agent(lab.a, out)
        check("another agent is writing" in refusal("-i", "lo", "-w", out), "two agents in one folder")
        agent.stop()
    return f"{len(cases) + 2} mistakes, one clear line and status 2 each"


def test_links():
    """Down and up: goes on. Renamed: goes on, and says so. Gone: goes on without it; back: ends with 75."""
    with Lab() as lab:
        agent = lab.agent(lab.a, lab.folder("out"), "--interval", "500ms", "--flush", "200ms")
        run("ping", "-qc2", "-i0.1", "10.77.0.2", ns=lab.a)
        run("ip", "-n", lab.a, "link", "set", "eth0", "down")
        time.sleep(0.3)
        run("ip", "-n", lab.a, "link", "set", "eth0", "name", "lan0")
        run("ip", "-n", lab.a, "link", "set", "lan0", "up")
        time.sleep(0.3)
        before = agent.status()["sources"][0]["written"]
        run("ping", "-qc3", "-i0.1", "10.77.0.2", ns=lab.a)
        time.sleep(0.4)
        after = agent.status()["sources"][0]
        check(after["state"] == "open" and after["written"] >= before + 6, f"nothing after down and up: {before} {after}")
        run("ip", "-n", lab.a, "link", "del", "lan0")
        time.sleep(1.0)
        check(agent.status()["sources"][0]["state"] == "gone", "not seen as gone")
        run("ip", "-n", lab.a, "link", "add", "eth0", "type", "veth", "peer", "name", "other")
        try:
            code = agent.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            raise AssertionError("interface came back, and the agent did not end")
        agent.text += agent.process.stderr.read()
        check(code == 75 and "is back" in agent.text, f"status {code}: {agent.text}")
        events = [v for p in agent.files() for _, k, v in sidecar(p) if k.startswith("nic.") and k.endswith(".event")]
        check({"down", "up", "renamed from=eth0", "gone"} <= set(events), f"events {events}")
        packets(agent.files()[0])
    return "down, up, renamed, gone, back: told, nothing lost but the time it was gone"


def test_nflog():
    """SYNs are logged and dropped: both vantage points in one file, with prefix, hook and kernel stamps."""
    with Lab() as lab:
        run("nft", "-f", "-", ns=lab.b, input="""table inet t {
            chain i { type filter hook input priority 0;
                tcp dport 81 log prefix "drop81" group 5 drop
            }
            }\n""")
        agent = lab.agent(lab.b, lab.folder("out"), sources=("-i", "eth0", "-g", "5"))
        for s in [lab.background("python3", "-c", "import socket;s=socket.socket();s.settimeout(.3);s.connect(('10.77.0.2',81))", ns=lab.a) for _ in range(5)]:
            s.wait(timeout=20)
        time.sleep(0.2)
        agent.stop()
        path = agent.files()[0]
        nic = tshark(path, "frame.interface_name==\"eth0\" && tcp.dstport==81", "tcp.srcport", "frame.time_epoch")
        log = tshark(path, "frame.interface_name==\"nflog:5\" && tcp.dstport==81", "tcp.srcport", "frame.time_epoch", "nflog.prefix")
        check(len(nic) >= 5 and len(nic) == len(log), f"{len(nic)} at the interface, {len(log)} in the log")
        check(sorted(n[0] for n in nic) == sorted(l[0] for l in log), "other packets")
        check(all(l[2] == "drop81" for l in log), f"prefixes {log}")
        at = {n[0]: float(n[1]) for n in nic}
        late = max(abs(float(l[1]) - at[l[0]]) for l in log)
        check(late < 0.001, f"stamps differ by {late} s: not the kernel's")
        facts = {k: v for _, k, v in sidecar(path)}
        check(facts["source.1.kind"] == "netfilter" and facts["source.1.read_stamps"] == "0", "facts of the source")
        received, written, kernel, own = agent.total("nflog:5")
        check((received, kernel, own) == (written, 0, 0) and written == len(log), f"{agent.text}")
    return f"{len(nic)} SYNs at the interface and in the log, stamps within {late * 1e6:.0f} us"


def test_nflog_overflow():
    """The reader is stopped while more is logged than its buffer holds: each lost record is counted."""
    with Lab() as lab:
        run("nft", "-f", "-", ns=lab.b, input="""table inet t {
            counter c { }
            chain i { type filter hook input priority 0;
                udp dport 10000-20000 counter name c log group 6
            }
            }\n""")
        agent = lab.agent(lab.b, lab.folder("out"), "--buffer", "256K", sources=("-g", "6"))
        agent.send(signal.SIGSTOP)
        run(BUILD + "/tests/agent/load", "10.77.0.2", 20000, 0.5, 50, 100, ns=lab.a)
        agent.send(signal.SIGCONT)
        time.sleep(0.3)
        run(BUILD + "/tests/agent/load", "10.77.0.2", 100, 0.3, 50, 100, ns=lab.a)  # so that a sequence number follows
        time.sleep(0.3)
        agent.stop()
        counted = int(re.search(r"packets (\d+)", run("nft", "list", "counter", "inet", "t", "c", ns=lab.b).stdout)[1])
        received, written, kernel, own = agent.total("nflog:6")
        check(kernel > 0, "nothing was lost: the test is void")
        check(received == counted == written + kernel + own, f"{counted} logged, {agent.text}")
        check(packets(agent.files()[0]) == written, "file")
        reasons = {words(v)["reason"] for _, k, v in sidecar(agent.files()[0]) if k == "source.0.drop"}
        check({"sequence-gap", "no-buffer-space"} <= reasons, f"reasons {reasons}")
    return f"{counted} logged = {written} written + {kernel} lost, by sequence numbers"


def test_nft():
    with Lab() as lab:
        rules = run(agent_path(), "nft", "--print", "--group", "7").stdout
        run("nft", "-f", "-", ns=lab.b, input=rules)
        run("nft", "-f", "-", ns=lab.b, input=rules)  # twice is the same
        check(run("nft", "list", "ruleset", ns=lab.b).stdout.count("group 7") == 10, "rules")
        run("nft", "-f", "-", ns=lab.b, input=run(agent_path(), "nft", "--remove").stdout)
        check(not run("nft", "list", "ruleset", ns=lab.b).stdout.strip(), "rules stay")
    return "the printed rules load, load again, and go"


def test_confined():
    with Lab() as lab:
        out = lab.folder("out")
        p = run(BUILD + "/tests/agent/try_confined", out, ok=False)
        check(p.returncode == 0, p.stdout.strip())
        check("landlock 1" in p.stdout or run("uname", "-r").stdout < "5.13", p.stdout)
        agent = lab.agent(lab.a, out)
        status = open(f"/proc/{agent.status()['pid']}/status").read()
        for line in ("Uid:\t65534\t65534\t65534\t65534", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
                     "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "Groups:\t \n"):
            check(line in status, f"'{line}' is not in its status")
        agent.stop()
        check(all(os.stat(f).st_mode & 0o777 == 0o600 for f in glob.glob(out + "/*")), "file modes")
    return p.stdout.strip()


def test_ambient():
    """As a user with two capabilities, as the unit gives them."""
    need("setpriv")
    with Lab() as lab:
        wrap = ("setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps", "+net_raw,+net_admin", "--ambient-caps", "+net_raw,+net_admin")
        agent = lab.agent(lab.a, lab.folder("out"), wrap=wrap, sources=("-i", "eth0", "-g", "9"))
        run("ping", "-qc2", "-i0.1", "10.77.0.2", ns=lab.a)
        time.sleep(0.2)
        check("CapEff:\t0000000000000000" in open(f"/proc/{agent.status()['pid']}/status").read(), "capabilities stay")
        agent.stop()
        check(agent.total("eth0")[1] >= 4, agent.text)
    return "CAP_NET_RAW and CAP_NET_ADMIN suffice, and are gone after"


def test_notify():
    with Lab() as lab:
        path = lab.dir + "/notify"
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind(path)
        os.chmod(path, 0o777)
        s.settimeout(5)
        agent = lab.agent(lab.a, lab.folder("out"), "--flush", "100ms",
                          env=dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="400000"))
        check(s.recv(100) == b"READY=1", "first message")
        check([s.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3, "signs of life")
        agent.stop()
        last = b""
        while last != b"STOPPING=1":
            last = s.recv(100)
    return "READY, WATCHDOG, STOPPING"
