"""A scratch folder to run `bothends analyze` in, and what a run may leave behind there."""
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
FIXTURES = os.path.join(ROOT, "fixtures", "capture")
sys.path.append(os.path.join(ROOT, "tests", "lab"))
LIMIT_S = 120  # no run takes as long, not even with sanitizers

CASES = {}


def case(function):
    """Registers a test under its name; its docstring is the claim."""
    CASES[function.__name__.replace("_", "-")] = function
    return function


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def expect(truth, *said):
    if not truth:
        raise Failure(" ".join(str(word) for word in said))


class Run:
    """What a finished process left: status, lines of stdout and stderr."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode()
        self.err = done.stderr.decode()

    def __str__(self):
        return f"status {self.status}, stdout {self.out[:2000]!r}, stderr {self.err[:2000]!r}"


class Place:
    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="bothends-cli-")
        self.program = program

    def remove(self):
        subprocess.run(["chmod", "-R", "u+rwx", self.folder], check=False)
        shutil.rmtree(self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def fixture(self, *names, to=None):
        """A copy of a recorded file in the scratch folder; returns its name there."""
        name = to or names[-1]
        shutil.copy(os.path.join(FIXTURES, *names), self.path(name))
        return name

    def pair(self):
        """The stale ARP entry: both ends, worker.pcapng and db.pcapng."""
        return [self.fixture("stale-arp", name) for name in ("worker.pcapng", "db.pcapng")]

    def write(self, name, content):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content)
        return name

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def run(self, *args, command="analyze", prefix=(), **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        environment = dict(os.environ, TZ="UTC", LC_ALL="C", NO_COLOR="1")
        return Run(subprocess.run([*prefix, self.program, command, *args], cwd=self.folder, env=environment,
                                  capture_output=True, timeout=LIMIT_S, check=False, **more))

    def passes(self, *args, status=0, **more):
        run = self.run(*args, **more)
        expect(run.status == status and not run.err, f"expected status {status} and a silent stderr:", run)
        return run

    def fails(self, *args, says, **more):
        """Status 2, one line on stderr with all of says in it, nothing on stdout, no file touched."""
        before = self.snapshot()
        run = self.run(*args, **more)
        expect(run.status == 2, "expected status 2:", run)
        expect(run.out == "", "expected nothing on stdout:", run)
        expect(run.err.endswith("\n") and run.err.count("\n") == 1, "expected one line on stderr:", run)
        expect(run.err.startswith("bothends"), "expected the program's name first:", run)
        for words in says:
            expect(words in run.err, f"expected {words!r} in the line:", run)
        after = self.snapshot()
        expect(before == after, "files were touched:", sorted(before.items() ^ after.items()))
        return run

    def snapshot(self):
        """Every file below the scratch folder with its kind and content."""
        found = {}
        for folder, folders, names in os.walk(self.folder):
            for name in folders + names:
                path = os.path.join(folder, name)
                content = ""
                if os.path.isfile(path) and os.access(path, os.R_OK):
                    with open(path, "rb") as file:
                        content = hashlib.sha256(file.read()).hexdigest()
                found[os.path.relpath(path, self.folder)] = content
        return found

    def names(self):
        return sorted(os.listdir(self.folder))

    def query(self, sql, *values, db="incident.db"):
        connection = sqlite3.connect(f"file:{self.path(db)}?mode=ro", uri=True)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def one(self, sql, *values, db="incident.db"):
        return self.query(sql, *values, db=db)[0][0]

    def sound(self, db="incident.db"):
        """The database is whole: frames in are frames accounted for, and paths conserve."""
        expect(self.one("PRAGMA integrity_check", db=db) == "ok", "integrity of", db)
        lost = self.query("SELECT path, frames, accounted FROM (SELECT f.path, f.frames, (SELECT sum(frames)"
                          " FROM frame_account a WHERE a.capture_file_id = f.id) AS accounted"
                          " FROM capture_file f) WHERE frames <> coalesce(accounted, 0)", db=db)
        expect(not lost, "frames not accounted for:", lost)
        open_paths = self.query("SELECT * FROM path WHERE sent <> delivered + misaddressed + lost"
                                " + capture_missed + unjudged", db=db)
        expect(not open_paths, "paths that do not conserve:", open_paths)

    def dump(self, db="incident.db"):
        """Every row of every table, as text, in the order in which they are stored."""
        connection = sqlite3.connect(f"file:{self.path(db)}?mode=ro", uri=True)
        tables = [row[0] for row in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        lines = [f"{table}: {row}" for table in tables for row in connection.execute(f'SELECT * FROM "{table}"')]
        connection.close()
        return lines

    def findings(self, db="incident.db"):
        return [row[0] for row in self.query("SELECT kind FROM finding ORDER BY id", db=db)]

    def as_nobody(self):
        """Arguments that run a program without privilege; the folder is opened to it."""
        if os.geteuid() != 0:
            return ()
        if not shutil.which("setpriv"):
            raise Skip("root, and no setpriv to become somebody else")
        # The program may stand where nobody may go.
        copy = self.path(".program")
        if self.program != copy:
            shutil.copy(self.program, copy)
            self.program = copy
        os.chmod(self.folder, 0o755)
        os.chmod(copy, 0o755)
        return ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


def same(a, b, what):
    """Two dumps are equal; names the first row that is not."""
    for x, y in zip(a, b):
        expect(x == y, f"{what}: differs:\n  {x}\n  {y}")
    expect(len(a) == len(b), f"{what}: {len(a)} rows and {len(b)}")
