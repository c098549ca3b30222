#!/usr/bin/env python3
"""bothends serve: uploads that go well, and those that must not leave anything behind.

usage: serve_test.py BOTHENDS FIXTURES [TEST ...]
"""
import base64
import contextlib
import gzip
import http.client
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

BOTHENDS, FIXTURES = (os.path.abspath(p) for p in sys.argv[1:3])
ARP = f"{FIXTURES}/capture/stale-arp"


def read(name):
    with open(f"{ARP}/{name}", "rb") as f:
        return f.read()


WORKER, DB = read("worker.pcapng"), read("db.pcapng")


class Server:
    def __init__(self, store, *options, env=None, listen="127.0.0.1:0", address="127.0.0.1"):
        self.store = store
        self.process = subprocess.Popen(
            [BOTHENDS, "serve", "--store", store, "--listen", listen, *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        line = self.process.stdout.readline()
        self.address, self.url = address, line.strip()
        assert line.startswith(f"http://[{address}]:" if ":" in address else f"http://{address}:"), line + self.process.stderr.read()
        self.port = int(line.rsplit(":", 1)[1].strip("/\n"))

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20) == 0, "did not end well"
        self.process.stdout.close()
        self.process.stderr.close()

    def call(self, method, path, body=None, **headers):
        c = http.client.HTTPConnection(self.address, self.port, timeout=60)
        c.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        r = c.getresponse()
        data = r.read()
        c.close()
        if r.headers.get("Content-Type", "").startswith("application/json") and data:
            data = json.loads(data)
        return r.status, data, r.headers

    def left(self):
        return sorted(os.listdir(self.store))


@contextlib.contextmanager
def server(*options, **more):
    with tempfile.TemporaryDirectory() as t:
        s = Server(f"{t}/store", *options, **more)
        try:
            yield s
        finally:
            s.stop()


def form(files):
    """(body, content type) of [(field, file name, content)]."""
    body = b"".join(
        b'--XX\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n' % (f.encode(), n.encode(), c)
        for f, n, c in files)
    return body + b"--XX--\r\n", "multipart/form-data; boundary=XX"


def post(s, files, path="/", **headers):
    body, kind = form(files)
    return s.call("POST", path, body, Content_Type=kind, **headers)


def eventually(check, seconds=10):
    end = time.time() + seconds
    while time.time() < end:
        if check():
            return True
        time.sleep(0.05)
    return False


def test_form():
    with server() as s:
        status, r, h = post(s, [("worker", "a <script>.pcapng", WORKER), ("db", "../../b.pcapng", DB)])
        assert status == 201 and r["state"] == "done", (status, r)
        assert h["Location"] == r["url"], h["Location"]
        assert r["findings"][0]["kind"] == "synack-lost" and r["findings"][0]["count"] == 12 == r["findings"][0]["frames"]
        assert s.left() == [r["id"], r["id"] + ".json"]
        assert all(n.startswith("capture-") or "." in n for n in os.listdir(f"{s.store}/{r['id']}"))
        status, page, h = s.call("GET", r["report"])
        assert status == 200 and b"never reached" in page and "sandbox" in h["Content-Security-Policy"]
        status, db, _ = s.call("GET", r["database"])
        assert status == 200 and db[:15] == b"SQLite format 3"
        status, evidence, _ = s.call("GET", r["url"] + "/evidence/1")
        assert status == 200 and evidence[:4] == b"\x0a\x0d\x0d\x0a"
        status, rows, _ = s.call("POST", r["url"] + "/query", "SELECT sum(lost) AS lost FROM path")
        assert status == 200 and rows == [{"lost": 12}], rows
        for sql in ("DELETE FROM flow", "ATTACH '/etc/passwd' AS x", "SELECT load_extension('x')", "garbage"):
            status, e, _ = s.call("POST", r["url"] + "/query", sql)
            assert status == 400 and "error" in e, (sql, e)
        assert s.call("DELETE", r["url"])[0] == 204 and s.left() == []


def test_one_answer():
    """The page tells what the report tells, also where there is no finding."""
    with server() as s:
        for fields in ([("worker", "a", WORKER), ("db", "b", DB)], [("worker", "a", WORKER)]):
            status, r, _ = post(s, fields)
            assert status == 201 and r["state"] == "done", (status, r)
            database = f"{s.store}/{r['id']}/incident.db"
            done = subprocess.run([BOTHENDS, "report", "--format", "json", database], capture_output=True, check=True)
            told = json.loads(done.stdout)
            told_text = subprocess.run([BOTHENDS, "report", database], capture_output=True, check=True).stdout
            status, text, h = s.call("GET", r["url"], None, Accept="text/plain")
            assert status == 200 and h["Content-Type"].startswith("text/plain") and text.startswith(told_text[:60]), text
            for member in ("verdict", "checked", "not_judged", "notes", "counts"):
                assert r[member] == told[member], (member, r[member], told[member])
        assert r["findings"] == [] and r["verdict"].startswith("One capture alone cannot rule out loss: that of worker"), r
        assert any("add the other end's capture" in n for n in r["not_judged"]), r["notes"]


def test_two_at_once():
    with server() as s:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(post(s, [("worker", "a", WORKER), ("db", "b", DB)])))
                   for _ in range(2)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert [a[0] for a in answers] == [201, 201] and len({a[1]["id"] for a in answers}) == 2
        assert all(a[1]["findings"][0]["count"] == 12 for a in answers)


def tus(s, files):
    _, incident, _ = s.call("POST", "/incidents")
    for host, content in files:
        meta = f"host {base64.b64encode(host.encode()).decode()},filename {base64.b64encode(b'x.pcapng').decode()}"
        status, _, h = s.call("POST", incident["url"] + "/files", Upload_Length=str(len(content)), Upload_Metadata=meta,
                              Tus_Resumable="1.0.0")
        assert status == 201 and h["Upload-Offset"] == "0"
        yield incident["url"], h["Location"], content


def metadata(**values):
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def test_stated():
    """What the client says of a host's addresses and of what its capture could record comes to the packets' judgement."""
    with server() as s:
        _, incident, _ = s.call("POST", "/incidents")
        url = incident["url"]

        def create(**said):
            return s.call("POST", url + "/files", Upload_Length=str(len(WORKER)), Upload_Metadata=metadata(filename="a", **said), Tus_Resumable="1.0.0")
        status, _, h = create(host="worker", addresses="10.0.1.90, 10.99.0.1 --rules=/etc", scope="tcp port")
        assert status == 201, status
        assert create(addresses="10.0.1.90")[0] == 400
        assert create(host="w", scope="tcp or " * 40)[0] == 400
        assert patch(s, h["Location"], 0, WORKER)[0] == 204
        status, r, _ = s.call("POST", url + "/analyze?wait=60")
        assert r["state"] == "failed" and "cannot use the filter 'tcp port'" in r["error"], r
        status, r, _ = s.call("GET", url, Accept="application/json")
        assert r["files"][0]["scope"] == "tcp port", r
        for said, words in (({"addresses": "10.99.0.1"}, "10.99.0.1"), ({"addresses": "10.0.1.90 10.99.0.1 --rules=/etc"}, "10.99.0.1"), ({"scope": "udp"}, "--scope")):
            _, incident, _ = s.call("POST", "/incidents")
            url = incident["url"]
            _, _, h = create(host="worker", **said)
            assert patch(s, h["Location"], 0, WORKER)[0] == 204
            status, r, _ = s.call("POST", url + "/analyze?wait=60")
            assert r["state"] == "done" and any(words in n for n in r["not_judged"] + r["notes"]), r


def patch(s, url, offset, data):
    return s.call("PATCH", url, data, Upload_Offset=str(offset), Content_Type="application/offset+octet-stream",
                  Tus_Resumable="1.0.0")


def test_resume():
    with server() as s:
        for url, file, content in tus(s, [("worker", WORKER), ("db", DB)]):
            # A PATCH that breaks off in the middle: what came stays, and HEAD tells how much.
            with socket.create_connection(("127.0.0.1", s.port)) as c:
                c.sendall((f"PATCH {file} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpload-Offset: 0\r\nTus-Resumable: 1.0.0\r\n"
                           f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(content)}\r\n\r\n").encode())
                c.sendall(content[:5000])
                time.sleep(0.2)
            assert eventually(lambda: s.call("HEAD", file)[2]["Upload-Offset"] == "5000")
            assert s.call("POST", url + "/analyze")[0] == 409
            assert patch(s, file, 4000, content[4000:])[0] == 409
            status, _, h = patch(s, file, 5000, content[5000:])
            assert status == 204 and h["Upload-Offset"] == str(len(content))
        assert s.call("HEAD", file, Tus_Resumable="0.2.2")[0] == 412
        status, r, _ = s.call("POST", url + "/analyze?wait=60")
        assert status == 200 and r["findings"][0]["count"] == 12, r
        assert patch(s, file, len(DB), b"x")[0] == 409


def test_more_than_said():
    with server() as s:
        for _, file, content in tus(s, [("db", DB)]):
            assert patch(s, file, 0, content + b"more")[0] == 413
            assert s.call("HEAD", file)[2]["Upload-Offset"] == str(len(DB))


def test_cut_off_form():
    with server() as s:
        body, kind = form([("worker", "a", WORKER), ("db", "b", DB)])
        with socket.create_connection(("127.0.0.1", s.port)) as c:
            c.sendall(f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            c.sendall(body[: len(WORKER) + 1000])
            assert eventually(lambda: s.left()), "nothing arrived"
        assert eventually(lambda: s.left() == []), "a broken upload was left behind"


def test_slow_client():
    with server("--idle", "1") as s:
        with socket.create_connection(("127.0.0.1", s.port)) as c:
            c.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=XX\r\nContent-Length: 999999\r\n\r\n--XX\r\n")
            c.settimeout(10)
            began = time.time()
            while c.recv(1000):  # an answer may come; then the server hangs up
                pass
            assert time.time() - began < 8, "a client that sends nothing is not cut off"
        assert eventually(lambda: s.left() == [])
        assert s.call("GET", "/incidents")[0] == 200


def test_limits():
    with server("--max-upload", "40000", "--max-files", "3") as s:
        status, r, _ = post(s, [("db", "b", DB), ("worker", "a", WORKER)])
        assert status == 413 and "--max-upload" in r["error"], r
        status, r, _ = post(s, [(f"h{i}", "x", b"") for i in range(1000)])
        assert status == 413 and "--max-files" in r["error"], r
        assert eventually(lambda: s.left() == [])
        _, incident, _ = s.call("POST", "/incidents")
        status, r, _ = s.call("POST", incident["url"] + "/files", Upload_Length="40001", Tus_Resumable="1.0.0")
        assert status == 413, r
        assert s.call("POST", incident["url"] + "/files", Tus_Resumable="1.0.0")[0] == 411


def test_path_tricks():
    with server() as s:
        for path in ("/../etc/passwd", "/incidents/../../etc/passwd", "/incidents/%2e%2e/report",
                     "/incidents/aaaaaaaaaaaaaaaaaaaaaaaaaa/report", "/assets/../meta.json", "/incidents/" + "a" * 5000):
            assert s.call("GET", path)[0] in (404, 414), path
        for field in ("../x", ".hidden", "a/b", "", "a" * 65, "a b"):
            status, r, _ = post(s, [(field, "x", WORKER)])
            assert status == 400, (field, status, r)
        assert eventually(lambda: s.left() == [])
        for url, file, _ in tus(s, [("w", WORKER)]):
            for evil in ("/files/capture-1/../../meta.json", "/files/capture-01", "/files/capture-1%00", "/evidence/../meta.json", "/evidence/-1"):
                assert s.call("GET", url + evil)[0] == 404, evil


def test_other_pages():
    with server() as s:
        assert s.call("GET", "/incidents", Host="evil.example")[0] == 403
        assert s.call("GET", "/incidents", Host="127.evil.example")[0] == 403
        assert post(s, [("w", "x", WORKER)], Origin="http://evil.example")[0] == 403
        assert s.call("GET", "/incidents", Origin=f"http://127.0.0.1:{s.port}", Host=f"127.0.0.1:{s.port}")[0] == 200
        assert s.left() == []


def test_token():
    token = "correct-horse-battery"
    with server(env={"BOTHENDS_TOKEN": token}) as s:
        for wrong in (None, "Bearer x", f"Bearer {token}x", token):
            h = {"Authorization": wrong} if wrong else {}
            assert s.call("GET", "/incidents", **h)[0] == 401
            assert post(s, [("w", "x", WORKER)], **h)[0] == 401
        assert s.left() == []
        assert s.call("GET", "/")[0] == 200
        status, _, h = s.call("POST", "/login", Authorization=f"Bearer {token}")
        assert status == 204 and "HttpOnly" in h["Set-Cookie"] and "SameSite=Strict" in h["Set-Cookie"]
        assert s.call("GET", "/incidents", Cookie=h["Set-Cookie"].split(";")[0])[0] == 200
    r = subprocess.run([BOTHENDS, "serve", "--store", "/nonexistent", "--listen", "0.0.0.0:0"], capture_output=True, text=True)
    assert r.returncode == 2 and "--token-file" in r.stderr


def test_trickle():
    """A byte now and then: in the headers, in a form, in a resumable upload. Each is cut off, and the server goes on."""
    def drip(s, head, body):
        with socket.create_connection(("127.0.0.1", s.port)) as c:
            c.sendall(head)
            began = time.time()
            for byte in body:
                try:
                    c.sendall(bytes([byte]))
                    if c in select.select([c], [], [], 0.4)[0] and not c.recv(1000):
                        break
                except OSError:
                    break
            return time.time() - began

    with server("--idle", "2") as s:
        endless = b"x" * 60
        post_form = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=XX\r\nContent-Length: 999999\r\n\r\n"
        assert drip(s, b"GET / HTTP/1.1\r\nX-Slow: ", endless) < 8, "headers may trickle"
        assert drip(s, post_form, b'--XX\r\nContent-Disposition: form-data; name="w"; filename="w"\r\n\r\n' + endless) < 8, "a form may trickle"
        assert eventually(lambda: s.left() == []), "a form that trickled left something"
        for url, file, content in tus(s, [("w", WORKER)]):
            head = (f"PATCH {file} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpload-Offset: 0\r\nTus-Resumable: 1.0.0\r\n"
                    f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(content)}\r\n\r\n").encode()
            assert drip(s, head, content[:60]) < 8, "a resumable upload may trickle"
            at = int(s.call("HEAD", file)[2]["Upload-Offset"])
            assert 0 < at < 60, at
            assert patch(s, file, at, content[at:])[0] == 204, "it cannot be resumed"
            assert s.call("DELETE", url)[0] == 204
        # Slow, but no trickle: allowed.
        with socket.create_connection(("127.0.0.1", s.port)) as c:
            body, kind = form([("worker", "a", WORKER)])
            c.sendall((f"POST /?wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n").encode())
            for at in range(0, len(body), 2000):
                c.sendall(body[at:at + 2000])
                time.sleep(0.5)
            assert b" 20" in c.recv(100), "a slow client is refused"


def test_addresses():
    """Where it can listen: IPv6 in brackets, and names."""
    with server(listen="localhost:0") as s:
        assert s.call("GET", "/incidents", Host=f"localhost:{s.port}")[0] == 200
    if os.path.exists("/proc/net/if_inet6") and "0000000000000001" in open("/proc/net/if_inet6").read():
        with server(listen="[::1]:0", address="::1") as s:
            assert s.url == f"http://[::1]:{s.port}/"
            assert s.call("GET", "/incidents")[0] == 200
            assert s.call("GET", "/incidents", Host="[::1]:80", Origin="http://evil.example")[0] == 403
            assert s.call("GET", "/incidents", Host="[::2]")[0] == 403
            status, r, _ = post(s, [("worker", "a", WORKER), ("db", "b", DB)])
            assert status == 201 and r["findings"][0]["count"] == 12, r
    for wrong, words in (("::1:8480", "is not an address"), ("[::1]", "is not an address"), ("127.0.0.1", "is not an address"), ("127.0.0.1:x", "is not an address"),
                         ("127.0.0.1:70000", "is not an address"), (":8480", "is not an address"), ("[]:80", "is not an address"),
                         ("no.such.name.invalid:80", "has no address"), ("[::]:0", "--token-file"), ("0.0.0.0:0", "--token-file")):
        r = subprocess.run([BOTHENDS, "serve", "--store", "/nonexistent", "--listen", wrong], capture_output=True, text=True, timeout=30)
        assert r.returncode == 2 and words in r.stderr and r.stderr.count("\n") == 1, (wrong, r.stderr)


def push_command(agent, url, token_file, host, path):
    return [agent, "push", "--quiet", "--tries", "1", "--token-file", token_file, "--host", host, path, url]


def test_agent_push():
    """bothends-agent push, the real one, to the real server: two hosts, one incident."""
    agent = shutil.which("bothends-agent") or os.path.join(os.path.dirname(os.path.dirname(BOTHENDS)), "capture", "bothends-agent")
    if not os.path.exists(agent):
        return "no bothends-agent beside this build"
    token = "correct-horse-battery"
    with server(env={"BOTHENDS_TOKEN": token}) as s, tempfile.TemporaryDirectory() as t:
        key = f"{t}/token"
        with open(key, "w", encoding="ascii") as f:
            f.write(token + "\n")
        os.chmod(key, 0o600)
        bearer = {"Authorization": f"Bearer {token}"}
        _, incident, _ = s.call("POST", "/incidents", **bearer)
        for host, name in (("worker", "worker.pcapng"), ("db", "db.pcapng")):
            r = subprocess.run(push_command(agent, f"{s.url.rstrip('/')}{incident['url']}", key, host, f"{ARP}/{name}"), capture_output=True, text=True, timeout=60)
            assert r.returncode == 0, r.stderr
        status, r, _ = s.call("POST", incident["url"] + "/analyze?wait=60", **bearer)
        assert status == 200 and r["findings"][0]["count"] == 12, (status, r)
        with open(key, "w", encoding="ascii") as f:
            f.write("not the token at all\n")
        r = subprocess.run(push_command(agent, s.url, key, "worker", f"{ARP}/worker.pcapng"), capture_output=True, text=True, timeout=60)
        assert r.returncode != 0 and "token" in r.stderr, (r.returncode, r.stderr)


def bomb_parts():
    """Records that are all alike, 180 MB of them, and a header for a first part."""
    head = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
    record = (1790000000).to_bytes(4, "little") + bytes(4) + (60000).to_bytes(4, "little") * 2 + bytes(60000)
    return head, record * 3000


def test_bombs():
    """What packs a thousand times smaller: 18 GB are stopped at the limit, 180 MB are read."""
    packers = [("gz", lambda b: gzip.compress(b, 6))]
    if shutil.which("zstd"):
        packers.append(("zst", lambda b: subprocess.run(["zstd", "-q"], input=b, capture_output=True, check=True).stdout))
    head, records = bomb_parts()
    for name, pack in packers:
        first, more = pack(head + records), pack(records)
        with server("--analysis-time", "1", "--analysis-memory", "64M") as s:
            status, r, _ = post(s, [("w", name, first + more * 99)])
            assert status == 201 and r["state"] == "failed" and "more than this server allows" in r["error"], (name, r)
            assert s.call("GET", r["url"] + "/report")[0] == 404
            assert not [n for n in os.listdir(f"{s.store}/{r['id']}") if n != "capture-1"], "the analysis left something"
            assert s.call("DELETE", r["url"])[0] == 204 and s.left() == []
        with server("--analysis-time", "60", "--analysis-memory", "64M") as s:
            status, r, _ = post(s, [("w", name, first)])
            assert status == 201 and r["state"] == "done", (name, r)
            _, rows, _ = s.call("POST", r["url"] + "/query", "SELECT frames, damaged FROM capture_file")
            assert rows == [{"frames": 3000, "damaged": None}], (name, rows)


def working_in(folder):
    """Processes whose working directory is there: analyses."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/cwd").startswith(folder):
                found.append(int(pid))
    return found


def test_asked():
    """Each query has its own error, a query whose client hangs up ends, and nothing of either stays."""
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000) SELECT max(i) FROM n"
    head, records = bomb_parts()
    with server() as s:
        _, r, _ = post(s, [("w", "x", head + records)])
        assert r["state"] == "done", r
        answers = {}

        def ask(name):
            answers[name] = s.call("POST", r["url"] + "/query", f"SELECT {name}")[1]["error"]
        threads = [threading.Thread(target=ask, args=(f"missing_{i}",)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(answers) == 4 and all(name in text for name, text in answers.items()), answers
        with socket.create_connection((s.address, s.port)) as c:
            c.sendall(f"POST {r['url']}/query HTTP/1.1\r\nHost: {s.address}:{s.port}\r\nContent-Length: {len(slow)}\r\n\r\n{slow}".encode())
            assert eventually(lambda: working_in(s.store)), "the query does not run"
        assert eventually(lambda: not working_in(s.store)), "the query outlives its client"
        _, rows, _ = s.call("POST", r["url"] + "/query", "SELECT file FROM pragma_database_list")
        assert "prohibited" in rows["error"], rows


def test_killed_server():
    """kill -9 in the middle of an analysis: that ends too, and the next server says so and tidies up."""
    head, records = bomb_parts()
    with tempfile.TemporaryDirectory() as t:
        s = Server(f"{t}/store")
        _, r, _ = post(s, [("w", "gz", gzip.compress(head + records, 6) + gzip.compress(records, 6) * 99)], path="/?wait=0")
        assert r["state"] == "analyzing", r
        assert eventually(lambda: working_in(f"{t}/store")), "no analysis runs"
        s.process.kill()
        s.process.wait(10)
        s.process.stdout.close()
        s.process.stderr.close()
        assert eventually(lambda: not working_in(f"{t}/store")), "the analysis outlives its server"
        s = Server(f"{t}/store")
        try:
            _, r, _ = s.call("GET", r["url"])
            assert r["state"] == "failed" and "was stopped" in r["error"], r
            assert sorted(os.listdir(f"{t}/store/{r['id']}")) == ["capture-1"], os.listdir(f"{t}/store/{r['id']}")
        finally:
            s.stop()


def test_full_disk():
    if os.geteuid() != 0:
        return "needs root for a small tmpfs"
    with tempfile.TemporaryDirectory() as t:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", t], capture_output=True).returncode:
            return "no tmpfs can be mounted here"
        try:
            s = Server(f"{t}/store")
            try:
                status, r, _ = post(s, [("w", "x", os.urandom(3 << 20))])
                assert status == 507 and "disk is full" in r["error"], (status, r)
                assert eventually(lambda: s.left() == [])
                status, r, _ = post(s, [("worker", "a", WORKER)])
                assert status == 201 and r["state"] in ("done", "failed"), r
            finally:
                s.stop()
        finally:
            subprocess.run(["umount", t], check=True)


def test_memory_stays_flat():
    """60 MB more in an upload may not show in the server's memory."""
    with server() as s:
        def resident():
            with open(f"/proc/{s.process.pid}/status") as f:
                return int(next(l for l in f if l.startswith("VmHWM")).split()[1])
        post(s, [("w", "x", b"\0" * 1000000)])
        before = resident()
        post(s, [("w", "x", b"\0" * 61000000)])
        assert resident() - before < 8000, f"{before} kB before, {resident()} kB after"


def main():
    failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (sys.argv[3:] and name[5:] not in sys.argv[3:]):
            continue
        try:
            why = test()
            print(f"skip {name[5:]}: {why}" if why else f"ok {name[5:]}", flush=True)
        except Exception as e:  # each test is told, whatever became of it
            failed += 1
            print(f"not ok {name[5:]}: {type(e).__name__}: {e} (line {e.__traceback__.tb_next.tb_lineno if e.__traceback__.tb_next else '?'})", flush=True)
    sys.exit(1 if failed else 0)


main()
