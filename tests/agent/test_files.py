"""The ring: limits, marks, signals, crashes, full disks, sending files on."""
import base64, http.server, os, random, re, signal, threading, time
from lab import *


def test_ring():
    with Lab() as lab:
        agent = lab.agent(lab.a, lab.folder("out"), "--file-age", "1s", "--flush", "200ms", "--ring-count", "3")
        run("ping", "-qc40", "-i0.1", "10.77.0.2", ns=lab.a)
        agent.stop()
        files = agent.files()
        numbers = [int(os.path.basename(f).split("-")[-2]) for f in files]
        check(len(files) == 3 and numbers == list(range(numbers[0], numbers[0] + 3)) and numbers[0] > 1, f"{files}")
        check(len(glob.glob(agent.folder + "/*.facts.jsonl")) == 3, "sidecars of removed files stay")
        facts = [{k: v for _, k, v in sidecar(f)} for f in files]
        check(all(f["capture.continues"] == "1" and "capture.end_ns" in f for f in facts), "files are not closed or not linked")
        check([f["capture.previous"] for f in facts[1:]] == [os.path.basename(f) for f in files[:-1]], "previous")
        big = lab.agent(lab.a, lab.folder("big"), "--file-size", "64K", "--ring-size", "1M", "--flush", "100ms", "--payload", "yes", "--snaplen", "2000")
        run(BUILD + "/tests/agent/load", "10.77.0.2", 2000, 2, 20, 1000, ns=lab.a)
        removed = big.status()["ring_removed"]
        big.stop()
        size = sum(os.path.getsize(f) for f in glob.glob(big.folder + "/*"))
        check(removed > 0 and size < 1.6e6, f"{size} bytes in the ring, {removed} removed")
    return f"3 files of {numbers[-1]} by count; {size} bytes with a limit of 1M"


def test_mark():
    with Lab() as lab:
        agent = lab.agent(lab.a, lab.folder("out"), "--pre-trigger", "3s", "--flush", "200ms")
        run("ping", "-qc45", "-i0.1", "10.77.0.2", ns=lab.a)
        reply = run(agent_path(), "mark", "users report time-outs", "-w", agent.folder).stdout
        agent.send(signal.SIGUSR1)
        time.sleep(0.3)
        kept = [f for f in agent.files() if f.endswith(".kept.pcapng")]
        check(2 <= len(kept) <= 6, f"kept {kept}: {reply}")
        time.sleep(4)
        agent.stop()
        check(all(os.path.exists(f) for f in kept), "kept files were removed")
        marks = [v for f in agent.files() for _, k, v in sidecar(f) if k == "mark"]
        check(marks == ["users report time-outs", "SIGUSR1"], f"marks {marks}")
        span = [packets(f) for f in kept]
        check(sum(span) > 30, f"{span} packets kept")
        check(run(agent_path(), "ls", "-w", agent.folder).stdout.count("  kept") == len(kept), "ls")
        check(run(agent_path(), "status", "-w", agent.folder, ok=False).returncode == 1, "status of a stopped agent")
    return f"{reply.strip()}; still there after the ring went on"


def test_signals():
    with Lab() as lab:
        conf = lab.dir + "/agent.conf"
        out = lab.folder("out")
        open(conf, "w").write(f"# test\ninterface = eth0\noutput = {out}\nmin-free = 0\nsnaplen = 96\n")
        agent = lab.agent(lab.a, out, "--config", conf, sources=())
        load = lab.background(BUILD + "/tests/agent/load", "10.77.0.2", 5000, 3, 20, 200, ns=lab.a)
        time.sleep(0.5)
        agent.send(signal.SIGHUP)
        time.sleep(0.5)
        check(agent.stop() == 0 and agent.took < 1.0, f"took {agent.took:.2f} s to stop")
        check(len(agent.files()) == 2, f"SIGHUP made {len(agent.files())} files")
        received, written, kernel, own = agent.total("eth0")
        check(sum(map(packets, agent.files())) == written and received == written + kernel + own, agent.text)
        check({k: v for _, k, v in sidecar(agent.files()[0])}["source.0.snaplen"] == "96", "option from the file")
        load.kill()
    return f"SIGHUP turns over, SIGTERM closes within {agent.took:.2f} s under load"


def test_mark_fails():
    """A mark that can keep nothing is a warning; without a file to write to the agent ends and says so."""
    with Lab() as lab:
        agent = lab.agent(lab.a, lab.folder("out"), "--flush", "100ms", "--facts", "no")
        agent.send(signal.SIGHUP)
        time.sleep(0.3)
        os.unlink(agent.files()[0])
        for number, ask in ((1, lambda: agent.send(signal.SIGUSR1)), (2, lambda: run(agent_path(), "mark", "x", "-w", agent.folder, ok=False))):
            ask()
            time.sleep(0.3)
            check(agent.process.poll() is None, f"ended at mark {number} with status {agent.process.poll()}")
        os.chmod(agent.folder, 0o500)
        agent.send(signal.SIGHUP)
        text = agent.process.communicate(timeout=20)[1]
        check(agent.process.returncode == 2, f"status {agent.process.returncode}: {text}")
        check(re.search(r"^bothends-agent: cannot create '[^']+': Permission denied$", text, re.M), text)
        warned = re.findall(r"warning: mark '(\S+)' keeps no older files: cannot rename", text)
        check(warned == ["SIGUSR1", "x"], text)
    return "two warnings; status 2 and the reason without a writable folder"


def test_kill():
    """Killed at random moments under load: every file opens, and no more than a flush interval is missing."""
    times, flush = (100, 0.2) if HEAVY else (8, 0.2)
    with Lab() as lab:
        out = lab.folder("out")
        load = lab.background(BUILD + "/tests/agent/load", "10.77.0.2", 20000, times * 2 + 20, 100, 200, ns=lab.a)
        worst, torn = 0, 0
        for n in range(times):
            agent = lab.agent(lab.a, out, "--flush", f"{int(flush * 1000)}ms", "--file-age", "1s", "--facts", "no")
            time.sleep(random.uniform(0.3, 1.2))
            agent.process.kill()
            killed = time.time()
            agent.process.wait()
            files = agent.files()
            end = lab.agent(lab.a, out, "--duration", "10ms", "--facts", "no")
            end.process.wait(timeout=5)
            torn += any(k == "capture.repaired" for _, k, v in sidecar(end.files()[-1]))
            ends = [run("capinfos", "-eSMTrm", f).stdout.strip().split(",")[-1] for f in files[-2:]]
            worst = max(worst, killed - max(float(e) for e in ends if e != "n/a"))
        load.kill()
        # A tear of our own making: kernels finish most writes that a kill interrupts.
        last = sorted(glob.glob(out + "/*.pcapng"))[-1]
        os.truncate(last, os.path.getsize(last) - 7)
        with open(last.replace(".pcapng", ".facts.jsonl"), "a") as f:
            f.write('{"at_ns":12')
        end = lab.agent(lab.a, out, "--duration", "10ms", "--facts", "no")
        end.process.wait(timeout=5)
        check(any(k == "capture.repaired" and int(v) > 0 for _, k, v in sidecar(end.files()[-1])), "the tear was not told")
        files = sorted(glob.glob(out + "/*.pcapng"))
        for f in files:
            packets(f)
            list(blocks(f))
            sidecar(f)
        # flush interval, the kernel's block time-out of 100 ms, and a scheduler's delay
        check(worst < flush + 0.1 + 0.2, f"{worst:.2f} s before the kill are missing")
    return f"{times} kills, {len(files)} files open, at most {worst * 1000:.0f} ms missing, {torn} torn tails cut"


def test_disk_full():
    """A small disk fills up, is emptied, and goes on: counted, undamaged, and exact."""
    with Lab() as lab:
        out = lab.tmpfs("out", "6m")
        ballast = out + "/ballast"
        agent = lab.agent(lab.a, out, "--flush", "100ms", "--facts", "no")
        load = BUILD + "/tests/agent/load"
        run(load, "10.77.0.2", 2000, 0.5, 50, 100, ns=lab.a)
        time.sleep(0.3)
        good = open(agent.files()[0], "rb").read()
        lab.fill(ballast)
        lab.load_until_dropped(agent)
        time.sleep(0.3)
        check(agent.status()["suspended"], "not suspended on a full disk")
        check(open(agent.files()[0], "rb").read().startswith(good), "what was written was damaged")
        os.unlink(ballast)
        time.sleep(0.4)
        run(load, "10.77.0.2", 1000, 0.3, 50, 100, ns=lab.a)
        time.sleep(0.2)
        check(not agent.status()["suspended"], "did not resume")
        agent.stop()
        received, written, kernel, own = agent.total("eth0")
        count = sum(map(packets, agent.files()))
        check(own > 0 and received == written + kernel + own and count == written, f"{count} in files; {agent.text}")
        facts = [f for p in agent.files() for f in sidecar(p)]
        gaps = [words(v) for _, k, v in facts if k == "disk.suspended"]
        drops = sum(int(words(v).get("own", 0)) for _, k, v in facts if k == "source.0.drop")
        check(gaps and sum(int(g["records"]) for g in gaps) == own == drops, f"{gaps}, {drops} noted, {own} dropped")
        noted = sum(int.from_bytes(v, "little") for p in agent.files() for kind, b in blocks(p) if kind == 6
                    for c, v in options(b, 20 + (int.from_bytes(b[12:16], "little") + 3) // 4 * 4) if c == 4)
        check(noted == own + kernel, f"{noted} in packets' drop counts")
    return f"{written} written, {own} counted as dropped in {len(gaps)} gap, in facts and in drop counts"


class Tus(http.server.BaseHTTPRequestHandler):
    """The upload side of docs/serve.md, which breaks off the first PATCH of each file."""
    protocol_version = "HTTP/1.1"
    files, broken = {}, set()

    def log_message(self, *_):
        pass

    def answer(self, status, **headers):
        self.send_response(status)
        for k, v in {"Content-Length": "0", **headers}.items():
            self.send_header(k.replace("_", "-"), str(v))
        self.end_headers()

    def do_POST(self):
        if self.path == "/incidents":
            return self.answer(201, Location="/incidents/k7")
        name = dict(w.split() for w in self.headers["Upload-Metadata"].split(","))["filename"]
        url = f"/incidents/k7/files/{len(self.files)}"
        self.files[url] = [base64.b64decode(name).decode(), int(self.headers["Upload-Length"]), b""]
        self.answer(201, Location=url)

    def do_HEAD(self):
        self.answer(200, Upload_Offset=len(self.files[self.path][2]), Upload_Length=self.files[self.path][1])

    def do_PATCH(self):
        f, n = self.files[self.path], int(self.headers["Content-Length"])
        assert int(self.headers["Upload-Offset"]) == len(f[2])
        if self.path not in self.broken and n > 1000:
            self.broken.add(self.path)
            f[2] += self.rfile.read(n // 2)
            self.close_connection = True
            return self.connection.close()
        f[2] += self.rfile.read(n)
        self.answer(204, Upload_Offset=len(f[2]))


def test_push():
    import tempfile
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tus)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as d:
        data = {d + "/db-0000000001-x.pcapng": os.urandom(300000), d + "/db-0000000001-x.facts.jsonl": os.urandom(5000)}
        for path, content in data.items():
            open(path, "wb").write(content)
        p = run(agent_path(), "push", "--host", "db", d + "/db-0000000001-x.pcapng", f"http://127.0.0.1:{server.server_port}/", timeout=30)
        got = {n: c for n, size, c in Tus.files.values()}
        check(got == {os.path.basename(k): v for k, v in data.items()}, f"other bytes arrived: {got.keys()}")
        check(len(Tus.broken) == 2 and p.stdout.strip().endswith("/incidents/k7"), p.stdout)
        p = run(agent_path(), "push", "--tries", "0", d + "/db-0000000001-x.pcapng", "http://127.0.0.1:1/", ok=False)
        check(p.returncode == 2 and "cannot create an incident" in p.stderr, p.stderr)
    server.shutdown()
    return "capture and sidecar arrive whole though each was broken off half way"


def test_valgrind():
    need("valgrind")
    with Lab() as lab:
        agent = lab.agent(lab.a, lab.folder("out"), "--confine", "no", "--user", "nobody", "--interval", "500ms", "--file-age", "1s",
                          wrap=("valgrind", "-q", f"--suppressions={os.path.dirname(os.path.abspath(__file__))}/valgrind.supp",
                                "--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=9"),
                          sources=("-i", "eth0", "-g", "5"))
        run("nft", "-f", "-", ns=lab.a, input=run(agent_path(), "nft", "--print").stdout)
        run("ping", "-qc12", "-i0.1", "10.77.0.2", ns=lab.a)
        run(agent_path(), "mark", "x", "-w", agent.folder)
        run("ip", "-n", lab.a, "neigh", "replace", "10.77.0.91", "lladdr", "02:00:00:00:77:91", "dev", "eth0")
        time.sleep(0.5)
        code = agent.stop()
        check(code == 0, f"status {code}: {agent.text}")
        check(agent.total("nflog:5")[1] > 0, agent.text)
    return "no error and no leak over rotation, a mark, both kinds of sources"
