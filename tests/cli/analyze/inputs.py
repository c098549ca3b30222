"""What stands for captures on a command line, fit or not."""
import gzip
import os
import shutil
import struct
import subprocess

from place import Skip, case, expect

HEADER = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)  # a pcap of Ethernet, without frames


def damage(p, name):
    return p.one("SELECT damaged FROM capture_file WHERE path = ?", name)


@case
def truncated_file(p):
    """A pcap that ends inside a frame is read up to there; the rest is said, the status stays 0."""
    import pcapfile
    frames = list(pcapfile.read(p.path(p.fixture("stale-arp", "db.pcapng"))))
    pcapfile.write(p.path("db.pcap"), frames)
    p.write("db.pcap", p.read("db.pcap")[:-7])
    run = p.passes("db.pcap", p.pair()[0])
    expect(damage(p, "db.pcap"), "capture_file.damaged is not set")
    expect(p.one("SELECT frames FROM capture_file WHERE path = 'db.pcap'") == len(frames) - 1, "frames before the cut")
    expect("damaged: db.pcap" in run.out, "the report does not say so:", run)
    p.sound()


@case
def file_cut_inside_a_block(p):
    """The same for pcapng, at every byte of its last block."""
    worker, db = p.pair()
    whole = p.read(db)
    last = len(whole) - struct.unpack("<I", whole[-4:])[0]
    for end in range(last + 1, len(whole)):
        p.write(db, whole[:end])
        p.passes("-q", "--force", db, worker)
        expect(damage(p, db), f"cut at {end}: capture_file.damaged is not set")
        p.sound()


@case
def capture_without_frames(p):
    """Beside another file of its host it is no vantage point of its own: a ring's newest file, not begun yet."""
    worker, db = p.pair()
    p.write("later.pcap", HEADER)
    p.passes("-q", f"db={db}", "db=later.pcap", f"worker={worker}")
    expect(p.one("SELECT count(*) FROM vantage WHERE host_id = (SELECT id FROM host WHERE name = 'db')") == 1,
           "one vantage point")
    p.sound()


@case
def zero_length_file(p):
    """Nothing in it: refused."""
    p.write("empty.pcap", b"")
    p.fails("empty.pcap", says=["'empty.pcap' is empty", "copy it again"])
    p.fails("empty.pcap", *p.pair(), says=["'empty.pcap' is empty"])


@case
def zero_length_inside_gzip(p):
    """An empty file stays empty when compressed."""
    p.write("empty.pcap.gz", gzip.compress(b""))
    p.fails("empty.pcap.gz", says=["'empty.pcap.gz' is empty"])


@case
def text_file(p):
    """Text is no capture, by whatever name."""
    p.write("notes.pcap", b"tcpdump: listening on eth0\n" * 20)
    p.fails("notes.pcap", says=["'notes.pcap' is not a capture", "text", "tcpdump -w"])
    p.fails(*p.pair(), "notes.pcap", says=["'notes.pcap' is not a capture"])


@case
def binary_of_no_known_kind(p):
    """Other bytes are no capture either."""
    p.write("x.pcap", bytes(range(256)) * 40)
    p.fails("x.pcap", says=["'x.pcap' is not a capture"])


@case
def database_as_input(p):
    """A database given as an input is named as what it is."""
    p.passes("-q", *p.pair())
    p.fails("incident.db", "-o", "other.db", says=["'incident.db' is not a capture", "database"])


@case
def missing_file(p):
    """A file that is not there."""
    p.fails("nowhere.pcap", says=["'nowhere.pcap'", "no such file", "open"])
    p.fails("db=nowhere.pcap", p.pair()[0], says=["'nowhere.pcap'", "no such file"])
    p.fails("nowhere/db.pcap", says=["'nowhere/db.pcap'", "no such file"])


@case
def folder_without_permission(p):
    """A folder that may not be read: said so, with the remedy."""
    nobody = p.as_nobody()
    os.mkdir(p.path("closed"))
    p.fixture("stale-arp", "db.pcapng", to="closed/db.pcapng")
    os.chmod(p.path("closed"), 0o000)
    os.mkdir(p.path("open"), 0o777)
    os.chmod(p.path("open"), 0o777)
    p.fails("-o", "open/x.db", "closed", prefix=nobody, says=["'closed'", "Permission denied", "chmod"])
    p.fails("-o", "open/x.db", "closed/db.pcapng", prefix=nobody, says=["'closed/db.pcapng'", "permission denied", "readable"])


@case
def file_without_permission(p):
    """A file that may not be read."""
    nobody = p.as_nobody()
    p.fixture("stale-arp", "db.pcapng")
    os.chmod(p.path("db.pcapng"), 0o000)
    p.fails("db.pcapng", prefix=nobody, says=["'db.pcapng'", "permission denied", "readable"])


@case
def same_file_twice(p):
    """One path twice, the same file by another path, by a link, by a hard link."""
    worker, db = p.pair()
    p.fails(db, db, says=["'db.pcapng' is given twice"])
    p.fails(f"a={db}", f"b={db}", says=["given twice"])
    p.fails(db, "./" + db, worker, says=["'./db.pcapng' is given twice", "'db.pcapng'"])
    os.symlink(db, p.path("link.pcapng"))
    p.fails(db, "link.pcapng", says=["'link.pcapng' is given twice"])
    os.link(p.path(db), p.path("hard.pcapng"))
    p.fails(db, "hard.pcapng", says=["'hard.pcapng' is given twice"])


@case
def copy_of_a_file(p):
    """The same bytes under two names: joined with itself a capture would seem to have lost nothing."""
    _, db = p.pair()
    shutil.copy(p.path(db), p.path("copy.pcapng"))
    p.fails(db, "copy.pcapng", says=["'db.pcapng' and 'copy.pcapng' are identical", "other end"])


@case
def copy_through_a_pipe(p):
    """Also when one of them comes on standard input."""
    _, db = p.pair()
    p.fails("a=-", f"b={db}", input=p.read(db), stdin=None, says=["are identical"])


@case
def captures_that_share_no_traffic(p):
    """Both are read and accounted for; nothing is lost between them; the report says why."""
    a = p.fixture("no-loss", "client.pcap.zst", to="a.pcap.zst")
    b = p.fixture("stale-arp", "db.pcapng")
    run = p.passes(a, b)
    expect("no packet was seen at two places" in run.out, "the report does not say so:", run)
    expect(p.one("SELECT count(*) FROM path WHERE lost > 0") == 0, "something was called lost")
    expect(p.one("SELECT count(*) FROM flow f WHERE (SELECT count(*) FROM flow_vantage v WHERE v.flow_id = f.id) > 1")
           == 0, "flows were paired")
    p.sound()


@case
def header_without_frames(p):
    """A capture with a header and no packets is a capture, pcap and pcapng, alone and beside another."""
    p.write("none.pcap", HEADER)
    p.passes("none.pcap")
    expect(p.one("SELECT frames FROM capture_file") == 0, "frames")
    p.passes("--force", "a=none.pcap", p.pair()[1])
    expect("synack-lost" not in p.findings(), "an empty capture is no witness of loss")
    p.sound()
    # A section header and an interface.
    p.write("none.pcapng", struct.pack("<IIIHHqI", 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, -1, 28)
            + struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20))
    p.passes("--force", "none.pcapng")
    expect(p.query("SELECT format, frames FROM capture_file") == [("pcapng", 0)], "format and frames")


@case
def two_equal_captures_without_frames(p):
    """Two empty captures may well be equal, byte for byte."""
    p.write("a.pcap", HEADER)
    p.write("b.pcap", HEADER)
    p.passes("a.pcap", "b.pcap")
    expect(p.one("SELECT count(*) FROM capture_file") == 2, "files")


@case
def standard_input_from_a_file(p):
    """`-` takes what is redirected."""
    worker, db = p.pair()
    with open(p.path(db), "rb") as file:
        p.passes("-q", "db=-", worker, stdin=file)
    expect(p.findings()[:1] == ["synack-lost"], "findings:", p.findings())
    p.sound()


@case
def standard_input_from_a_pipe(p):
    """`-` takes what comes through a pipe, compressed or not, with the same content."""
    worker, db = p.pair()
    p.passes("-q", f"db={db}", worker, "-o", "file.db")
    p.passes("-q", "db=-", worker, "-o", "pipe.db", input=p.read(db), stdin=None)
    p.passes("-q", "db=-", worker, "-o", "gzip.db", input=gzip.compress(p.read(db)), stdin=None)
    tables = "SELECT group_concat(kind || summary || coalesce(detail, '')) FROM finding"
    expect(p.one(tables, db="file.db") == p.one(tables, db="pipe.db") == p.one(tables, db="gzip.db"), "findings differ")
    rows = "SELECT * FROM path ORDER BY 1, 2, 3, 4"
    expect(p.query(rows, db="file.db") == p.query(rows, db="pipe.db") == p.query(rows, db="gzip.db"), "paths differ")


@case
def standard_input_without_name(p):
    """Without NAME= its host is called stdin."""
    p.passes("-q", "-", input=p.read(p.fixture("stale-arp", "db.pcapng")), stdin=None)
    expect(p.query("SELECT name FROM host") == [("stdin",)], "host name")


@case
def standard_input_empty_or_closed(p):
    """Nothing on it, or none at all."""
    p.fails("-", says=["standard input is empty"])
    p.fails("-", says=["standard input"], stdin=None, preexec_fn=lambda: os.close(0))


@case
def standard_input_twice(p):
    """It can be read once."""
    p.fails("a=-", "b=-", input=p.read(p.fixture("stale-arp", "db.pcapng")), stdin=None, says=["given twice"])


@case
def listing_on_standard_input(p):
    """Only captures are taken from a pipe; a listing would be lost in silence."""
    p.fails("db=-", p.pair()[1], input=b"10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE\n", stdin=None,
            says=["only captures can be read from a pipe"])


@case
def folder_with_junk(p):
    """A folder is walked; what is unfit in it is skipped and counted, copies too; the rest is analysed."""
    for name in ("db.pcapng", "worker.pcapng"):
        os.makedirs(p.path("all", "deep", "er"), exist_ok=True)
        p.fixture("stale-arp", name, to=f"all/deep/{name}")
    shutil.copy(p.path("all", "deep", "db.pcapng"), p.path("all", "deep", "er", "copy of db.pcapng"))
    p.write("all/empty.pcap", b"")
    p.write("all/README", b"what happened\n")
    p.write("all/core", os.urandom(10000))
    p.write("all/.hidden.pcap", HEADER)
    os.symlink("nowhere", p.path("all", "dangling"))
    os.symlink(".", p.path("all", "loop"))
    os.symlink("deep/db.pcapng", p.path("all", "again.pcapng"))
    os.mkfifo(p.path("all", "pipe"))
    p.passes("-q", "all")
    expect(p.one("SELECT count(*) FROM capture_file") == 2, "captures:", p.query("SELECT path FROM capture_file"))
    expect(p.one("SELECT value FROM analysis WHERE key = 'skipped_files'") == "5", "skipped:",
           p.query("SELECT * FROM analysis"))
    expect(p.findings()[:1] == ["synack-lost"], "findings:", p.findings())
    p.sound()


@case
def folder_without_anything_fit(p):
    """An empty folder, and one in which nothing is a capture."""
    os.mkdir(p.path("void"))
    p.fails("void", says=["no files in folder 'void'"])
    p.write("void/notes.txt", b"nothing here\n")
    p.fails("void", says=["no capture, flow log or other known input"])


@case
def compressed_inputs(p):
    """gzip and zstd, by content and not by name: the same findings and paths as plain."""
    if not shutil.which("zstd"):
        raise Skip("no zstd")
    worker, db = p.pair()
    p.passes("-q", f"db={db}", f"worker={worker}", "-o", "plain.db")
    p.write("d", gzip.compress(p.read(db)))
    with open(p.path("w"), "wb") as out:
        subprocess.run(["zstd", "-qc", p.path(worker)], stdout=out, check=True)
    p.passes("-q", "db=d", "worker=w", "-o", "compressed.db")
    for sql in ("SELECT * FROM path", "SELECT kind, count, total, detail FROM finding ORDER BY id",
                "SELECT host_id, frames, first_ns, last_ns FROM capture_file"):
        expect(p.query(sql, db="plain.db") == p.query(sql, db="compressed.db"), sql)
    expect(p.query("SELECT * FROM frame_account", db="plain.db") ==
           p.query("SELECT * FROM frame_account", db="compressed.db"), "accounts")


@case
def compressed_and_cut(p):
    """What comes before the cut in a compressed file is used."""
    _, db = p.pair()
    whole = gzip.compress(p.read(db))
    p.write("db.pcapng.gz", whole[:len(whole) // 2])
    p.passes("-q", "db.pcapng.gz")
    expect(damage(p, "db.pcapng.gz"), "capture_file.damaged is not set")
    expect(p.one("SELECT frames FROM capture_file") > 10, "frames before the cut")
    p.sound()


@case
def one_capture_alone(p):
    """An honest, smaller answer: nothing is called lost on the way, and what would settle it is said."""
    run = p.passes(p.fixture("stale-arp", "db.pcapng"))
    expect("synack-lost" not in p.findings(), "one side cannot know that")
    expect("add the other end's capture" in run.out, "what would settle it is not said:", run)
    p.sound()


@case
def three_captures(p):
    """Loss between router and server is placed on that leg."""
    names = [p.fixture("loss-router-server", f"{name}.pcap.zst") for name in ("client", "router", "server")]
    p.passes("-q", *names)
    lost = dict(p.query("SELECT (SELECT name FROM vantage WHERE id = from_vantage_id) || '-' ||"
                        " (SELECT name FROM vantage WHERE id = to_vantage_id), sum(lost) FROM path GROUP BY 1"))
    expect(sum(n for leg, n in lost.items() if "client" in leg) == 0, "loss beside the client:", lost)
    expect(sum(lost.values()) == 65, "loss at the server:", lost)
    p.sound()


@case
def facts_beside_a_capture(p):
    """In a folder, facts beside a capture are its host's; those of a host without capture name it themselves."""
    worker, db = p.pair()
    fact = '{"at_ns":1790000000000000000,"key":"%s","value":"%s"}\n'
    p.write("folder/worker.pcapng", p.read(worker))
    p.write("folder/worker.facts.jsonl", (fact % ("host.kernel", "3.13.0") + '{"at_ns":17,"key":\n').encode())
    p.write("folder/x17.facts.jsonl", (fact % ("host.name", "mail") + fact % ("host.kernel", "3.13.0")).encode())
    p.write("folder/plain.facts.jsonl", (fact % ("host.kernel", "3.13.0")).encode())
    run = p.passes("folder", db)
    names = [row[0] for row in p.query("SELECT name FROM host ORDER BY name")]
    expect(names == ["db", "mail", "plain", "worker"], f"hosts: {names}")
    expect(p.one("SELECT count(*) FROM host_fact WHERE key = 'host.kernel'") == 3, "a fact is stored once")
    expect("worker: 1 line or fact of its agent or neighbor listing not understood" in run.out, "the broken line is not told:", run)


def beside_one_peer(padded):
    """CLIENT's own capture of one connection; later it asks for its peer's MAC five times, in vain."""
    from generated import CLIENT, MAC, SERVER, START_NS, conversation
    def arp(op, src, dst, ethernet_dst, size):
        body = struct.pack("!HHBBH", 1, 0x800, 6, 4, op) + MAC[src] + src + bytes(6 if op == 1 else 0)
        body += (dst if op == 1 else MAC[dst] + dst)
        return (ethernet_dst + MAC[src] + b"\x08\x06" + body).ljust(size, b"\0")
    others = b"\xff" * 6
    frames = [(0, arp(1, CLIENT, SERVER, others, 42)), (1e-4, arp(2, SERVER, CLIENT, MAC[CLIENT], padded))]
    frames += [(10 + n, arp(1, CLIENT, SERVER, others, 42)) for n in range(5)]
    data = conversation(41)
    for at, frame in frames + [(17, arp(1, SERVER, CLIENT, others, padded))]:
        when = START_NS + 10**9 + int(at * 1e9)
        data += struct.pack("<IIII", *divmod(when, 10**9), len(frame), len(frame)) + frame
    return data


@case
def own_mac_beside_one_peer(p):
    """A host's own ARP is recorded before it is padded: so its capture is known, and its requests are judged."""
    p.write("client.pcap", beside_one_peer(60))
    p.passes("client.pcap")
    expect(p.one("SELECT mac FROM vantage") == "02:00:00:00:00:01", "its MAC")
    expect("arp-unanswered" in p.findings(), p.findings())
    expect(p.one("SELECT sum(tx_frames) FROM activity") == 27, "what it sent counts as sent")


@case
def own_mac_unknown_beside_one_peer(p):
    """Where nobody pads (virtual links) both may be its own: unknown, and nothing is said of the requests."""
    p.write("client.pcap", beside_one_peer(42))
    p.passes("client.pcap")
    expect(p.one("SELECT mac FROM vantage") is None, "no MAC")
    expect("arp-unanswered" not in p.findings(), p.findings())
    expect(p.one("SELECT sum(tx_frames) FROM activity") == 0, "nothing counts as sent")
