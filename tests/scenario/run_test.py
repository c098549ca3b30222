#!/usr/bin/env python3
"""The runner must not pass what is not so: run_test.py BOTHENDS FIXTURES plays scripts with one expectation turned
into a lie each, and wants `not ok`, or a complaint about the script itself, for all of them."""
import os
import subprocess
import sys
import tempfile

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py")
# script, a line of it as it begins, what stands there instead ("" removes it)
LIES = [
    ("verdict/delivered", "path A > B c2s sent=34", "path A > B c2s sent=35"),
    ("verdict/delivered", "path B > A s2c sent=32", "path B > A s2c sent=32 lost=1"),
    ("verdict/delivered", "outcome web closed", "outcome web reset"),
    ("verdict/delivered", "clock A B", "clock A B width=1ms"),
    ("verdict/delivered", "clock A B", "flows 2"),
    ("verdict/syn-lost", "finding syn-lost", ""),
    ("verdict/syn-lost", "finding syn-lost", "finding synack-lost from=A"),
    ("verdict/syn-lost", "finding syn-lost", "finding syn-lost count=2"),
    ("verdict/syn-lost", "path A > B c2s flow=dead", "path A > B c2s flow=dead sent=3 unjudged=3"),
    ("verdict/lost-and-sent-again", "event A > B", "event A > B c2s lost sent=data.8"),
    ("verdict/lost-and-sent-again", "event A > B", "event A > B c2s lost reason=no-proof"),
    ("verdict/lost-and-sent-again", "event A > B", "no event A > B c2s lost"),
    ("verdict/lost-and-sent-again", "trust A sound", "trust A unfit"),
    ("nat/masquerade", "seen B", "seen B client_port=1"),
    ("nat/masquerade", "seen B", "sean B client_port=1"),
    ("path/second-leg", "path A > R", "path A > B c2s sent=110"),
    # evidence: frames, or a reason why not
    ("verdict/drop-counter", "finding capture-loss", "finding capture-loss host=B count=4"),
    ("verdict/syn-lost", "finding syn-lost", "finding syn-lost no-frames=lie"),
    # several interfaces, files, names
    ("copies/any-router", "path A > R", "path A > R c2s sent=168"),
    ("copies/any-router", "path R > B", "path R > B c2s sent=84 lost=1"),
    ("copies/any-router", "1.1 c>", "1.1 c> P. (40x1000) every=4ms drop@R.s#7"),
    ("copies/any-router", "1.1 c>", "1.1 c> P. (40x1000) every=4ms drop@Z#7"),
    ("copies/any-router", "point R", "point R any colour=red"),
    ("identity/file-and-its-copy", "hosts", "hosts 3"),
    ("identity/file-and-its-copy", "trust A", "trust A sound duplicates=1"),
    ("identity/file-and-its-copy", "trust A", "trust Z sound"),
    ("identity/file-and-its-copy", "point A", "point A copy=gzip window=..1s"),
    ("identity/file-and-its-copy", "point B", "point B only=s2c"),
    ("identity/file-and-its-copy", "hosts", "file A frames=1"),
    ("identity/file-and-its-copy", "hosts", 'refused "*"'),
    ("identity/one-host-as-two", "point web2", "point web2 window=15s.. beside=Z"),
    ("coverage/one-capture-only", "path A > B c2s none", "path A > B c2s sent=300"),
]


def lie(fixtures, name, begins, instead):
    with open(os.path.join(fixtures, name + ".scn"), encoding="utf-8") as file:
        lines = file.read().split("\n")
    at = [i for i, line in enumerate(lines) if line.startswith(begins)]
    if not at:
        sys.exit(f"{name}: no line begins with '{begins}'")
    lines[at[0]] = instead
    return "\n".join(lines)


def main():
    bothends, fixtures = sys.argv[1:3]
    believed = []
    for number, (name, begins, instead) in enumerate(LIES):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, f"lie{number}.scn")
            with open(path, "w", encoding="utf-8") as file:
                file.write(lie(fixtures, name, begins, instead))
            done = subprocess.run([sys.executable, RUN, "--jobs", "1", bothends, path], capture_output=True, text=True)
        if done.returncode != 1 or "not ok" not in done.stdout or f"{path}:" not in done.stdout:
            believed.append(f"{name}: '{instead or 'nothing'}' for '{begins}...' was believed:\n{done.stdout}{done.stderr}")
    print("\n".join(believed) or f"{len(LIES)} lies, none believed")
    sys.exit(bool(believed))


main()
