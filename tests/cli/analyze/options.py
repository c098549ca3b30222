"""What the options of analyze take, refuse and do."""
import glob
import json
import os
import re
import shutil
import subprocess

from place import FIXTURES, ROOT, Skip, case, expect, same

START = "2026-11-21T04:39:36Z"  # inside the stale ARP captures
END = "2026-11-21T04:39:38Z"


def refused(p, *args, says):
    p.fails(*args, *p.pair(), says=says)


@case
def no_input(p):
    p.fails(says=["missing captures", "--help"])


@case
def unknown_option(p):
    refused(p, "--frobnicate", says=["'--frobnicate'"])


@case
def bad_filter(p):
    """What libpcap says, and where the language is described."""
    refused(p, "--filter", "tcp port", says=["'tcp port'", "pcap-filter(7)"])
    refused(p, "-f", "host 10.0.1.300", says=["10.0.1.300"])


@case
def bad_times(p):
    for option in ("--from", "--to"):
        for text in ("yesterday", "", "2026-13-01T00:00:00Z", "2026-11-21T04:39:34", "12345678901234567890"):
            refused(p, option, text, says=[option, f"'{text}'", "2026-"])
    refused(p, "--from", END, "--to", START, says=["--from", "--to"])
    refused(p, "--from", START, "--to", START, says=["--from", "--to"])


@case
def bad_memory(p):
    for text in ("", "x", "1M", "-1G", "99999999999G", "64MM"):
        refused(p, "--memory", text, says=["--memory", f"'{text}'", "64M"])


@case
def bad_threads(p):
    for text in ("", "0", "-1", "two", "1.5", "257", "99999999999999999999"):
        refused(p, "--threads", text, says=["--threads", f"'{text}'", "1 to 256"])


@case
def bad_setting(p):
    """An unknown threshold, one that is no number, and one without a value."""
    refused(p, "--set", "nothing=1", says=["nothing"])
    refused(p, "--set", "delay_max_s=soon", says=["delay_max_s"])
    refused(p, "--set", "delay_max_s", says=["delay_max_s"])


@case
def bad_choices(p):
    refused(p, "--packets", "some", says=["--packets", "none, events or all"])
    refused(p, "--fail-on", "trouble", says=["--fail-on", "critical, warning, notice"])
    refused(p, "--format", "pdf", says=["'pdf'"])
    refused(p, "--progress", "maybe", says=["--progress", "auto, always or never"])


@case
def bad_rules(p):
    """A folder of rules that is missing, and a rule that is no SQL: file and line are named."""
    refused(p, "--rules", "nowhere", says=["nowhere"])
    p.write("rules/mine.sql", b"-- mine\nSELEC 1;\n")
    refused(p, "--rules", "rules", says=["mine.sql"])


@case
def quiet(p):
    """-q prints nothing; the database is made."""
    run = p.passes("-q", *p.pair())
    expect(run.out == "", "expected no output:", run)
    p.sound()


@case
def fail_on(p):
    """1 when a finding is at least as severe, else 0; the database is made either way."""
    pair = p.pair()
    for severity in ("critical", "warning", "notice"):
        p.passes("-q", "--force", "--fail-on", severity, *pair, status=1)
    p.sound()
    clean = [p.fixture("no-loss", f"{name}.pcap.zst") for name in ("client", "server")]
    for severity in ("critical", "warning", "notice"):
        p.passes("-q", "--force", "--fail-on", severity, *clean)
    # Lesser findings do not fail a run that is to fail on greater ones.
    zero = [p.fixture("zero-window", f"{name}.pcap.zst", to=f"z-{name}.pcap.zst") for name in ("client", "server")]
    p.passes("-q", "--force", *zero)
    severities = {row[0] for row in p.query("SELECT severity FROM finding")}
    expect(severities and "critical" not in severities, "severities of the zero window:", severities)
    p.passes("-q", "--force", "--fail-on", "critical", *zero)
    p.passes("-q", "--force", "--fail-on", "notice", *zero, status=1)


@case
def formats(p):
    """The verdict as text, JSON that parses, and Markdown."""
    pair = p.pair()
    expect("CRITICAL" in p.passes("--force", "--format", "text", *pair).out, "text")
    expect("synack-lost" in json.dumps(json.loads(p.passes("--force", "--format", "json", *pair).out)), "json")
    expect(p.passes("--force", "--format", "md", *pair).out.lstrip().startswith("#"), "markdown")


@case
def progress(p):
    """Not on a pipe unless asked for; at the end nothing stays on the line, however long the work took."""
    p.passes("-q", "--progress", "never", *p.pair())
    p.passes("-q", "--force", "--progress", "auto", *p.pair())
    run = p.run("-q", "--force", "--progress", "always", *p.pair())
    drawn, _, left = run.err.rpartition("\x1b[K")
    expect(run.status == 0 and not left, "left on stderr:", run)
    expect("\n" not in drawn, "progress on lines of their own:", run)


def frames_by_capinfos(paths):
    if not shutil.which("capinfos"):
        raise Skip("no capinfos")
    said = subprocess.run(["capinfos", "-TcMr", *paths], check=True, capture_output=True, text=True).stdout
    return {line.split("\t")[0]: int(line.split("\t")[1]) for line in said.splitlines()}


@case
def frames_in_are_frames_accounted_for(p):
    """On every recorded file, as many as capinfos counts."""
    for folder in sorted(glob.glob(os.path.join(FIXTURES, "*/"))):
        paths = sorted(path for path in glob.glob(folder + "*")
                       if re.search(r"\.(pcap|pcapng)(\.zst)?$", path))
        plain = []
        for path in paths:
            if path.endswith(".zst"):
                subprocess.run(["zstd", "-dqf", path, "-o", p.path(os.path.basename(path)[:-4])], check=True)
                plain.append(os.path.basename(path)[:-4])
            else:
                plain.append(p.fixture(folder, os.path.basename(path)))
        truth = frames_by_capinfos([p.path(name) for name in plain])
        p.passes("-q", "--force", *plain)
        p.sound()
        for name in plain:
            frames = p.one("SELECT frames FROM capture_file WHERE path = ?", name)
            expect(frames == truth[p.path(name)], f"{folder}{name}: {frames} frames, capinfos says", truth)


@case
def packets_all_and_none(p):
    """A row for every frame, for none, or by default for those around events."""
    pair = p.pair()
    p.passes("-q", "--packets", "none", *pair, "-o", "none.db")
    p.passes("-q", "--packets", "all", *pair, "-o", "all.db")
    p.passes("-q", *pair, "-o", "events.db")
    count = {name: p.one("SELECT count(*) FROM packet", db=f"{name}.db") for name in ("none", "events", "all")}
    in_flows = p.one("SELECT sum(packets_c2s + packets_s2c) FROM flow_vantage", db="all.db")
    expect(count["none"] == 0, "none:", count)
    expect(0 < count["events"] < count["all"], "events:", count)
    expect(count["all"] == in_flows, "all frames of flows:", count, in_flows)
    expect(p.one("SELECT count(*) FROM segment_event e WHERE sent_frame IS NOT NULL AND NOT EXISTS (SELECT 1 FROM"
                 " packet p WHERE p.capture_file_id = e.sent_file_id AND p.frame = e.sent_frame)", db="events.db") == 0,
           "an event's frame has no row")
    for name in ("none", "all", "events"):
        p.sound(f"{name}.db")
    rows = "SELECT * FROM path ORDER BY 1, 2, 3, 4"
    expect(p.query(rows, db="none.db") == p.query(rows, db="all.db"), "paths depend on which packets get rows")


@case
def filter_as_tcpdump(p):
    """The same frames pass as with tcpdump -r, for expressions of several kinds."""
    if not shutil.which("tcpdump"):
        raise Skip("no tcpdump")
    db = p.fixture("stale-arp", "db.pcapng")
    total = frames_by_capinfos([p.path(db)])[p.path(db)]
    for expression in ("tcp port 27017", "arp", "host 10.0.1.90", "tcp[tcpflags] & tcp-syn != 0",
                       "ether dst 00:00:01:fc:b3:48", "not ip", "greater 100", "udp"):
        kept = subprocess.run(["tcpdump", "-nr", p.path(db), "-w", "-", expression], check=True, capture_output=True,
                              stdin=subprocess.DEVNULL).stdout
        p.write("kept.pcap", kept)
        expected = frames_by_capinfos([p.path("kept.pcap")])[p.path("kept.pcap")]
        p.passes("-q", "--force", "--filter", expression, db)
        filtered = p.one("SELECT coalesce(sum(frames), 0) FROM frame_account WHERE disposition = 'filtered'")
        expect(total - filtered == expected, f"{expression}: {total - filtered} pass, tcpdump says {expected}")
        p.sound()


@case
def from_and_to(p):
    """Frames at or after --from and before --to; the others are counted."""
    import pcapfile
    db = p.fixture("stale-arp", "db.pcapng")
    second = 10**9
    low = min(frame.time_ns for frame in pcapfile.read(p.path(db))) // second * second + second
    high = low + 2 * second
    def text(ns):
        return subprocess.run(["date", "-u", "-d", f"@{ns // second}", "+%Y-%m-%dT%H:%M:%SZ"], check=True,
                              capture_output=True, text=True).stdout.strip()
    inside = sum(low <= frame.time_ns < high for frame in pcapfile.read(p.path(db)))
    total = sum(1 for _ in pcapfile.read(p.path(db)))
    p.passes("-q", "--from", text(low), "--to", text(high), db)
    outside = p.one("SELECT sum(frames) FROM frame_account WHERE disposition = 'outside_time'")
    expect(0 < inside < total and total - outside == inside, "inside:", total - outside, "expected:", inside)
    p.sound()
    p.passes("-q", "--force", "--from", text(high + 3600 * second), db)
    expect(p.query("SELECT disposition, frames FROM frame_account") == [("outside_time", total)], "all are outside")
    # Without an edge on that side nothing is left out there.
    p.passes("-q", "--force", "--to", text(high), db)
    expected = sum(frame.time_ns >= high for frame in pcapfile.read(p.path(db)))
    expect(p.one("SELECT sum(frames) FROM frame_account WHERE disposition = 'outside_time'") == expected, "--to alone")


def pieces(p, name, count):
    """A capture cut into files of equal length, as a ring of tcpdump -C leaves it; oldest first."""
    import pcapfile
    frames = list(pcapfile.read(p.path(name)))
    size = len(frames) // count + 1
    made = []
    for i in range(count):
        # Names that sort against time.
        made.append(f"ring{count - i}.pcap")
        pcapfile.write(p.path(made[-1]), frames[i * size:(i + 1) * size])
    return made


def verdict(p, db):
    return [p.query(sql, db=db) for sql in (
        "SELECT kind, severity, confidence, src_ip, dst_ip, first_ns, last_ns, count, total, summary FROM finding"
        " ORDER BY id", "SELECT * FROM path", "SELECT * FROM flow", "SELECT * FROM clock",
        "SELECT name, kind, trust FROM vantage")]


@case
def rotated_files_in_any_order(p):
    """Files of one NAME are one host's in the order of time: the verdict of the whole capture."""
    db, client = "server.pcap", "client.pcap"
    for name in (db, client):
        subprocess.run(["zstd", "-dq", os.path.join(FIXTURES, "loss-2pct-s2c", name + ".zst"), "-o", p.path(name)],
                       check=True)
    p.passes("-q", f"server={db}", f"client={client}", "-o", "whole.db")
    ring = pieces(p, db, 5)
    orders = [ring, ring[::-1], [ring[i] for i in (2, 0, 4, 1, 3)]]
    dumps = []
    for i, order in enumerate(orders):
        p.passes("-q", *[f"server={name}" for name in order], f"client={client}", "-o", f"ring-{i}.db")
        p.sound(f"ring-{i}.db")
        dumps.append(p.dump(f"ring-{i}.db"))
    same(dumps[0], dumps[1], "oldest first, newest first")
    same(dumps[0], dumps[2], "oldest first, mixed")
    for a, b in zip(verdict(p, "whole.db"), verdict(p, "ring-0.db")):
        expect(a == b, "differs from the whole capture:\n", a[:5], "\n", b[:5])


@case
def any_argument_order(p):
    """The same content, row for row, whatever the order of the arguments."""
    for scenario, names in (("loss-router-server", ("client", "router", "server")),
                            ("loss-5pct-both", ("client", "server")), ("nat-masquerade", ("client", "server"))):
        paths = [p.fixture(scenario, f"{name}.pcap.zst", to=f"{scenario}-{name}.pcap.zst") for name in names]
        p.passes("-q", "--force", "--packets", "all", *paths, "-o", "a.db")
        p.passes("-q", "--force", "--packets", "all", *paths[::-1], "-o", "b.db")
        p.passes("-q", "--force", "--packets", "all", *paths[1:], paths[0], "-o", "c.db")
        same(p.dump("a.db"), p.dump("b.db"), f"{scenario}, reversed")
        same(p.dump("a.db"), p.dump("c.db"), f"{scenario}, rotated")


@case
def any_number_of_threads(p):
    """The same content, row for row, on one thread, two and four, and twice in a row."""
    for scenario in ("loss-5pct-both", "capture-damage-loss", "loss-2pct-s2c-offloads", "clock-drift-step"):
        paths = [p.fixture(scenario, f"{name}.pcap.zst", to=f"{scenario}-{name}.pcap.zst")
                 for name in ("client", "server")]
        for i, threads in enumerate(("1", "2", "4", "4")):
            p.passes("-q", "--force", "--packets", "all", "--threads", threads, *paths, "-o", f"{i}.db")
        for i in (1, 2, 3):
            same(p.dump("0.db"), p.dump(f"{i}.db"), f"{scenario}, run {i}")


@case
def little_memory(p):
    """The same content under --memory."""
    paths = [p.fixture("loss-5pct-both", f"{name}.pcap.zst") for name in ("client", "server")]
    p.passes("-q", *paths, "-o", "a.db")
    p.passes("-q", "--memory", "64M", *paths, "-o", "b.db")
    same(p.dump("a.db"), p.dump("b.db"), "64 MB")


@case
def sha256(p):
    """Recorded when asked for, and right; unknown else."""
    db = p.fixture("stale-arp", "db.pcapng")
    p.passes("-q", db)
    expect(p.one("SELECT sha256 FROM capture_file") is None, "not asked for")
    p.passes("-q", "--force", "--sha256", db)
    truth = subprocess.run(["sha256sum", p.path(db)], check=True, capture_output=True, text=True).stdout.split()[0]
    expect(p.one("SELECT sha256 FROM capture_file") == truth, "sha256")


@case
def names_of_hosts(p):
    """NAME=, the file's stem without it; a file whose name holds = is a file."""
    worker, db = p.pair()
    p.passes("-q", f"left={worker}", db)
    expect(p.query("SELECT name FROM host ORDER BY 1") == [("db",), ("left",)], "names")
    os.rename(p.path(worker), p.path("a=b.pcapng"))
    p.passes("-q", "--force", "a=b.pcapng")
    expect(p.query("SELECT name FROM host") == [("a=b",)], "a file named a=b.pcapng")


@case
def the_readme_shows_what_is_printed(p):
    """The output in README.md is the program's, line for line."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        block = re.search(r"^    \$ bothends analyze (.*)\n((?:    .*\n|\n)+)", file.read(), re.M)
    shown = [line[4:].rstrip() for line in block.group(2).rstrip().split("\n")]
    p.pair()
    printed = p.passes(*block.group(1).split()).out.split("\n")
    same(shown, printed[:len(shown)], "README.md")
