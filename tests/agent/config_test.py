#!/usr/bin/env python3
"""bothends-agent --check-config names the line of a mistake, and accepts what the agent accepts.
usage: config_test.py AGENT SHIPPED_CONFIG
"""
import os
import subprocess
import sys
import tempfile

GOOD = "interface = auto\noutput = /tmp\n"

# What a file holds after two good lines; what is said of it, after its path.
WRONG = (
    ("snaplen = 12\n", ":3: --snaplen '12' is not a number from 64"),
    ("# a comment\n\nring-size = much\n", ":5: --ring-size 'much' is not a size"),
    ("file-age = soon\n", ":3: --file-age 'soon' is not a time"),
    ("payload = maybe\n", ":3: --payload 'maybe': must be yes or no"),
    ("payload-hash = maybe\n", ":3: --payload-hash 'maybe': must be yes or no"),
    ("payload-key = /nowhere/key\n", ":3: --payload-key: cannot open '/nowhere/key': "),
    ("payload-key = /etc/passwd\n", ":3: --payload-key: others may read the key in '/etc/passwd': chmod 600"),
    ("snaplan = 128\n", ":3: unrecognized option '--snaplan=128'"),
    ("no value\n", ":3: 'no value' is not NAME = VALUE"),
    ("config = /etc/other\n", ":3: 'config' is not allowed"),
    ("check-config = /etc/other\n", ":3: 'check-config' is not allowed"),
    ("filter = host and\n", ": filter 'host and': "),
)


def check(agent, path):
    done = subprocess.run([agent, "--check-config", path], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    return done.returncode, done.stdout, done.stderr


def main():
    agent, shipped = sys.argv[1:3]
    assert check(agent, shipped) == (0, f"{shipped}: no mistakes\n", ""), check(agent, shipped)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/agent.conf"
        for text, says in (("", None), ("filter = host 10.0.0.1 and tcp\nsnaplen = 96\n", None), *WRONG):
            with open(path, "w", encoding="utf-8") as file:
                file.write(GOOD + text)
            status, out, err = check(agent, path)
            if says is None:
                assert (status, out, err) == (0, f"{path}: no mistakes\n", ""), (text, status, out, err)
            else:
                assert status == 2 and os.path.basename(path) + says in err and not out, (text, status, out, err)
        for text, says in (("output = /tmp\n", "nothing to capture"), ("interface = lo\n", "no output")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            status, _, err = check(agent, path)
            assert status == 2 and f"{path}: {says}" in err, (text, status, err)
        status, _, err = check(agent, f"{folder}/none")
        assert status == 2 and "cannot open" in err, err
    print(f"{len(WRONG) + 3} mistakes named")


main()
