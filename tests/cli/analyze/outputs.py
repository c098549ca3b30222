"""The database: where it goes, what may be in its place, what a run that fails or dies leaves."""
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import time

from place import case, expect
from generated import conversation

# What the program takes for a database of its own: SQLite's first bytes, and "both" as application id.
OLD = b"SQLite format 3\0".ljust(68, b"\0") + b"both" + b"an older database\n"
NOTES = b"what the user wrote\n"


@case
def output_in_a_folder_that_is_missing(p):
    p.fails("-o", "nowhere/x.db", *p.pair(), says=["'nowhere/x.db'", "No such file or directory", "make its folder"])


@case
def output_is_a_folder(p):
    os.mkdir(p.path("results"))
    p.fails("-o", "results", *p.pair(), says=["'results'", "it is a folder"])
    p.fails("-o", "results", "--force", *p.pair(), says=["'results'", "it is a folder"])


@case
def output_below_a_file(p):
    p.write("file", OLD)
    p.fails("-o", "file/x.db", *p.pair(), says=["'file/x.db'", "Not a directory"])


@case
def output_where_one_may_not_write(p):
    nobody = p.as_nobody()
    os.mkdir(p.path("closed"), 0o555)
    p.fails("-o", "closed/x.db", *p.pair(), prefix=nobody,
            says=["'closed/x.db'", "Permission denied", "may write to"])


@case
def output_is_a_device(p):
    """Even with --force: the rename would put a file in its place."""
    for force in ([], ["--force"]):
        p.fails("-o", "/dev/null", *force, *p.pair(), says=["'/dev/null'", "not a regular file"])


@case
def output_without_name(p):
    p.fails("-o", "", *p.pair(), says=["--output is empty"])


@case
def output_is_an_input(p):
    """Even with --force: the evidence would be gone."""
    worker, db = p.pair()
    os.symlink(db, p.path("link"))
    for name in (db, "./" + db, "link"):
        p.fails("--force", "-o", name, worker, db, says=["one of the inputs", "another --output"])


@case
def existing_database(p):
    """Refused without --force, replaced with it, the same content either way."""
    worker, db = p.pair()
    p.passes("-q", worker, db)
    expect(stat.S_IMODE(os.stat(p.path("incident.db")).st_mode) == 0o644, "not readable for everybody")
    first = p.dump()
    p.fails(worker, db, says=["'incident.db' exists", "--force"])
    p.passes("-q", "--force", worker, db)
    expect(p.dump() == first, "content differs")
    expect(p.names() == ["db.pcapng", "incident.db", "worker.pcapng"], "files:", p.names())


@case
def only_a_database_is_replaced_by_a_database(p):
    """Not a capture, a report, another program's database or a text, whatever --force says; an empty file is nobody's."""
    worker, db = p.pair()
    other = sqlite3.connect(p.path("other.db"))
    other.execute("CREATE TABLE mine (x)")
    other.commit()
    other.close()
    p.write("notes.txt", NOTES)
    kept = p.fixture("no-loss", "client.pcap.zst")
    for name in ("other.db", "notes.txt", kept):
        for force in ([], ["--force"]):
            p.fails(*force, "-o", name, worker, db, says=[f"'{name}'", "not a database of bothends", "another --output"])
    p.write("empty.db", b"")
    p.passes("-q", "--force", "-o", "empty.db", worker, db)
    p.fails("-o", "-", worker, db, says=["standard output", "--output FILE"])


@case
def only_a_report_is_replaced_by_a_report(p):
    """Of any format; a database, a capture or a text of the user's stays."""
    worker, db = p.pair()
    p.passes("-q", worker, db)
    p.write("notes.txt", NOTES)
    for form in ("text", "html", "md", "json", "brief"):
        for name in ("incident.db", "notes.txt", worker):
            p.fails("-f", form, "-o", name, "incident.db", command="report",
                    says=[f"'{name}' exists", "not a report of bothends", "another --output"])
        p.passes("-f", form, "-o", "report", "incident.db", command="report")  # in place of the format before
    p.write("empty", b"")
    p.passes("-o", "empty", "incident.db", command="report")
    os.symlink("report", p.path("link"))
    p.passes("-o", "link", "incident.db", command="report")
    expect(os.path.islink(p.path("link")) and p.read("report") == p.read("empty"), "a link was replaced")
    p.passes("-o", "/dev/null", "incident.db", command="report")
    expect(stat.S_ISCHR(os.stat("/dev/null").st_mode), "/dev/null is no device any more")
    expect(p.passes("-f", "md", "-o", "-", "incident.db", command="report").out.startswith("# bothends"), "no report")
    expect("-" not in p.names(), "a file called - was made")


@case
def only_evidence_is_replaced_by_evidence(p):
    worker, db = p.pair()
    p.passes("-q", worker, db)
    p.write("notes.txt", NOTES)
    for name in ("incident.db", "notes.txt", worker):
        p.fails("-o", name, "incident.db", "1", command="extract", says=[f"'{name}' exists"])
        p.fails("--force", "-o", name, "incident.db", "1", command="extract",
                says=[f"'{name}' exists", "not a file that bothends extract wrote", "another --output"])
    expect(p.run("-o", "x.pcapng", "incident.db", "1", command="extract").status == 0, "extract")
    p.fails("-o", "x.pcapng", "incident.db", "1", command="extract", says=["'x.pcapng' exists", "--force"])
    expect(p.run("--force", "-o", "x.pcapng", "incident.db", "1", command="extract").status == 0, "its own file stays")


@case
def extract_keeps_what_the_kernel_said(p):
    """Dropped packets stay that in an extract: analyzed again they are no place, and the finding is the same."""
    files = [f"{n}={p.fixture('kernel-drops', n + '.pcapng', to=n + '.pcapng')}" for n in ("client", "server")]
    p.passes("-q", *files)
    wanted = "SELECT id, kind, count, json_extract(detail, '$.way') FROM finding WHERE json_extract(detail, '$.reason') = 'TCP_CSUM'"
    (number, *told), = p.query(wanted)
    expect(told == ["host-drop", 4, "in"], told)
    expect(p.run("-o", "x.pcapng", "incident.db", str(number), command="extract").status == 0, "extract")
    p.passes("-q", "-o", "again.db", "server=x.pcapng")
    expect([row[1:] for row in p.query(wanted, db="again.db")] == [tuple(told)], p.query(wanted, db="again.db"))
    expect(p.query("SELECT count(*) FROM vantage WHERE kind = 'kernel'", db="again.db") == [(1,)], "the kernel became a place")


@case
def failed_run_leaves_the_old_file(p):
    """With --force an input that is unfit leaves the old file as it was."""
    p.write("incident.db", OLD)
    p.write("text", b"no capture\n")
    p.fails("--force", "text", says=["'text' is not a capture"])
    p.fails("--force", "--rules", "nowhere", *p.pair(), says=["nowhere"])
    expect(p.read("incident.db") == OLD, "the old file was touched")


def default_signals():
    """What a parent ignores (nohup) its children ignore."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def fed_halfway(p, *args):
    """An analysis that waits for more on standard input, with its unfinished file made."""
    p.write("incident.db", OLD)
    process = subprocess.Popen([p.program, "analyze", "--force", *args, "-"], cwd=p.folder, stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=default_signals)
    content = conversation(200)
    process.stdin.write(content[:len(content) - 11])
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while len(p.names()) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    expect(len(p.names()) == 2, "no unfinished file appeared:", p.names())
    return process


def ends(process, signal_number):
    process.send_signal(signal_number)
    process.wait(60)
    process.stdin.close()
    expect(process.returncode == -signal_number, "ended with", process.returncode)


@case
def killed_while_reading(p):
    """SIGKILL while frames come in: the old file is as it was."""
    ends(fed_halfway(p), signal.SIGKILL)
    expect(p.read("incident.db") == OLD, "the old file was touched")


@case
def interrupted_while_reading(p):
    """SIGINT, SIGTERM and SIGHUP remove the unfinished file as well."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        ends(fed_halfway(p), number)
        expect(p.names() == ["incident.db"], f"after signal {number}:", p.names())
        expect(p.read("incident.db") == OLD, "the old file was touched")


@case
def killed_at_any_time(p):
    """SIGKILL at moments all over a long run: the old file whole, or the new one whole."""
    p.write("long.pcap", conversation(150_000))
    began = time.monotonic()
    p.passes("-q", "--packets", "all", "long.pcap", "-o", "whole.db")
    took = time.monotonic() - began
    rows = p.one("SELECT count(*) FROM packet", db="whole.db")
    unfinished = 0
    for step in range(12):
        p.write("incident.db", OLD)
        process = subprocess.Popen([p.program, "analyze", "--force", "-q", "--packets", "all", "long.pcap"],
                                   cwd=p.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(took * (step + 0.5) / 12)
        process.kill()
        process.wait(60)
        if p.read("incident.db")[:len(OLD)] == OLD:
            expect(p.read("incident.db") == OLD, f"step {step}: the old file was touched")
            unfinished += 1
        else:
            p.sound()
            expect(p.one("SELECT count(*) FROM packet") == rows, f"step {step}: a part of the new file")
        for name in p.names():
            if name.startswith("incident.db."):
                os.unlink(p.path(name))
    expect(unfinished >= 3, "killed in the middle only", unfinished, "times of 12")


@case
def full_disk(p):
    """No room for the database: one line, the old file as it was, nothing left beside it."""
    def cramped():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    p.write("incident.db", OLD)
    p.fails("--force", *p.pair(), says=["incident.db"], preexec_fn=cramped)


@case
def output_of_the_report_is_closed(p):
    """Whoever reads the report may stop early; the database is whole by then."""
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run([p.program, "analyze", *p.pair()], cwd=p.folder, stdout=writer, stderr=subprocess.DEVNULL,
                             timeout=60, check=False)
    os.close(writer)
    expect(process.returncode in (2, -signal.SIGPIPE), "ended with", process.returncode)
    p.sound()
