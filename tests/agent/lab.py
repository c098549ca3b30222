"""What the agent's tests share: a lab of two network namespaces, the agent as a process, its files."""
import functools, glob, json, os, re, shutil, signal, subprocess, sys, tempfile, time

HEAVY = bool(os.environ.get("AGENT_HEAVY"))
BUILD = os.path.abspath("../../build")
ROOTS = os.path.abspath("../../fixtures/roots")


class Skip(Exception):
    pass


def check(condition, why):
    if not condition:
        raise AssertionError(why)


def run(*words, ns=None, ok=True, timeout=60, **more):
    words = [str(w) for w in words]
    if ns:
        words = ["ip", "netns", "exec", ns] + words
    p = subprocess.run(words, capture_output=True, text=True, timeout=timeout, **more)
    if ok and p.returncode:
        raise AssertionError(f"{' '.join(words)}: status {p.returncode}: {p.stderr.strip()}")
    return p


def need(*tools):
    for t in tools:
        if not shutil.which(t):
            raise Skip(f"no {t} here")


def agent_path():
    return os.path.join(BUILD, "capture/bothends-agent")


@functools.cache
def obstacle():
    """Why no namespaces can be made here (no root, a container, a chroot whose / is no mount), or None."""
    if os.geteuid():
        return "needs root"
    name = f"agP{os.getpid()}"
    try:
        run("ip", "netns", "add", name)
        run("ip", "netns", "exec", name, "true")
        return None
    except AssertionError as why:
        return f"no network namespaces: {why}"
    finally:
        run("ip", "netns", "del", name, ok=False)


class Lab:
    """Namespaces A and B with one veth pair, 10.77.0.1 and 10.77.0.2, and a scratch folder."""

    def __init__(self):
        need("ip", "nft", "tshark", "capinfos")
        if obstacle():
            raise Skip(obstacle())
        self.a, self.b = f"agA{os.getpid()}", f"agB{os.getpid()}"
        self.agents, self.processes, self.mounts = [], [], []
        self.dir = tempfile.mkdtemp(prefix="agent-")
        os.chmod(self.dir, 0o755)

    def __enter__(self):
        try:
            self.wire()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wire(self):
        for ns in (self.a, self.b):
            run("ip", "netns", "add", ns)
            run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1", ns=ns)
        run("ip", "link", "add", "eth0", "netns", self.a, "type", "veth", "peer", "name", "eth0", "netns", self.b)
        for ns, n in ((self.a, 1), (self.b, 2)):
            run("ip", "-n", ns, "link", "set", "eth0", "address", f"02:00:00:00:77:0{n}")
            run("ip", "-n", ns, "addr", "add", f"10.77.0.{n}/24", "dev", "eth0")
            run("ip", "-n", ns, "link", "set", "eth0", "up")
            run("ip", "-n", ns, "link", "set", "lo", "up")
        run("ping", "-qc1", "10.77.0.2", ns=self.a)

    def __exit__(self, *_):
        for p in self.processes + [a.process for a in self.agents]:
            if p.poll() is None:
                p.kill()
                p.wait()
        for m in self.mounts:
            subprocess.run(["umount", "-l", m])
        for ns in (self.a, self.b):
            subprocess.run(["ip", "netns", "del", ns], capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def folder(self, name):
        path = os.path.join(self.dir, name)
        os.mkdir(path, 0o700)
        shutil.chown(path, "nobody")
        return path

    def tmpfs(self, name, size):
        path = self.folder(name)
        run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700,uid=65534", "none", path)
        self.mounts.append(path)
        return path

    def agent(self, ns, folder, *words, **more):
        a = Agent(ns, folder, words, **more)
        self.agents.append(a)
        return a

    def analyze(self, *inputs):
        """Findings by kind, from the analyzer of the same build."""
        bothends = os.path.join(BUILD, "analyzer/bothends")
        if not os.path.exists(bothends):
            raise Skip("no analyzer in this build")
        db = os.path.join(self.dir, "incident.db")
        run(bothends, "analyze", "-q", "--force", "-o", db, *inputs)
        rows = json.loads(run(bothends, "query", db, "SELECT * FROM finding ORDER BY id", "--format", "json").stdout)
        return rows["rows"] if isinstance(rows, dict) and "rows" in rows else rows

    def fill(self, ballast):
        """Writes until the disk is full."""
        with open(ballast, "wb") as f:
            try:
                while True:
                    f.write(bytes(65536))
                    f.flush()
            except OSError:
                pass

    def load_until_dropped(self, agent):
        """Load until the agent's own buffer is full too; a slow machine takes longer."""
        for _ in range(20):
            run(BUILD + "/tests/agent/load", "10.77.0.2", 30000, 1, 50, 100, ns=self.a)
            time.sleep(0.2)
            if agent.status()["sources"][0]["dropped_own"] > 1000:
                return
        raise AssertionError("nothing was dropped on a full disk: the test is void")

    def background(self, *words, ns=None):
        prefix = ["ip", "netns", "exec", ns] if ns else []
        p = subprocess.Popen(prefix + [str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.processes.append(p)
        return p

    def counters(self, ns, name="eth0"):
        s = json.loads(run("ip", "-n", ns, "-j", "-s", "link", "show", name).stdout)[0]["stats64"]
        return s["rx"]["packets"] + s["tx"]["packets"]


class Agent:
    def __init__(self, ns, folder, words, wrap=(), sources=("-i", "eth0"), min_free="0", env=None):
        self.folder = folder
        command = ["ip", "netns", "exec", ns, *wrap, agent_path(), *sources, "-w", folder, "--min-free", min_free, *words]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
        self.text = ""
        for line in self.process.stderr:
            self.text += line
            if "writing to" in line:
                return
        raise AssertionError(f"agent did not start: {self.text.strip()}")

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=15):
        begin = time.time()
        self.send(number)
        self.text += self.process.communicate(timeout=20)[1]
        self.took = time.time() - begin
        check(self.process.returncode == 0 and "runtime error" not in self.text, f"status {self.process.returncode}: {self.text}")
        return self.process.returncode

    def status(self):
        return json.loads(run(agent_path(), "status", "--json", "-w", self.folder).stdout)

    def files(self):
        return sorted(glob.glob(self.folder + "/*.pcapng"))

    def total(self, name):
        """(received, written, kernel, own) as the agent said at its end."""
        m = re.search(rf"{re.escape(name)}: (\d+) packets received, (\d+) written, (\d+) dropped by kernel, (\d+)", self.text)
        check(m, f"no totals of {name} in: {self.text.strip()}")
        return tuple(int(x) for x in m.groups())


def packets(path):
    out = run("capinfos", "-McT", path, ok=False)
    check(out.returncode == 0 and "cut short" not in out.stderr, f"{path}: {out.stderr.strip()}")
    return int(out.stdout.splitlines()[1].split("\t")[1])


def tshark(path, filter, *fields):
    words = ["tshark", "-r", path, "-Y", filter, "-T", "fields"]
    for f in fields:
        words += ["-e", f]
    return [l.split("\t") for l in run(*words).stdout.splitlines()]


def sidecar(path):
    """Facts of the sidecar: (at_ns, key, value); a torn last line is skipped."""
    facts = []
    with open(path.replace(".pcapng", ".facts.jsonl"), "rb") as f:
        for line in f:
            if line.endswith(b"\n"):
                o = json.loads(line)
                check(set(o) == {"at_ns", "key", "value"} and isinstance(o["value"], str), f"odd line {line!r}")
                facts.append((o["at_ns"], o["key"], o["value"]))
    return facts


def words(value):
    return dict(w.split("=", 1) for w in value.split(" ") if "=" in w)


def blocks(path):
    """(type, body) of each block of a pcapng."""
    data, at = open(path, "rb").read(), 0
    while at < len(data):
        kind, length = (int.from_bytes(data[at + i:at + i + 4], "little") for i in (0, 4))
        check(length >= 12 and length % 4 == 0 and at + length <= len(data), f"{path}: torn at {at}")
        yield kind, data[at + 8:at + length - 4]
        at += length


def options(body, at):
    while at + 4 <= len(body):
        code, n = (int.from_bytes(body[at + i:at + i + 2], "little") for i in (0, 2))
        if not code:
            return
        yield code, body[at + 4:at + 4 + n]
        at += 4 + (n + 3) // 4 * 4


def section_comments(path):
    return [v.decode() for kind, body in blocks(path) if kind == 0x0A0D0D0A for c, v in options(body, 16) if c == 1]


def comment_facts(comments):
    facts = {}
    for c in comments:
        head, *lines = c.rstrip("\n").split("\n")
        check(head.startswith("bothends-facts 1 at_ns="), f"first line {head!r}")
        for line in lines:
            if line.startswith("@"):
                line = line.split(" ", 1)[1]
            m = re.fullmatch(r"([A-Za-z0-9._:@%-]+)=(.*)", line)
            if not m:
                continue  # mergecap's own lines
            key, value = m.groups()
            facts.setdefault(key, []).append(value)
    return facts
