#!/usr/bin/env python3
"""meson install follows the prefix: what units and manual pages name is where the installation puts it.
usage: install_test.py SOURCE_ROOT
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

PREFIX = "/opt/bothends"


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def page_text(path):
    """A manual page without what roff needs."""
    return re.sub(r"\\&|\\f[A-Z]", "", read(path)).replace("\\-", "-")


def main():
    root = sys.argv[1]
    if not shutil.which("meson") or not shutil.which("scdoc"):
        print("meson or scdoc is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        build, destination = f"{folder}/build", f"{folder}/root"
        run("meson", "setup", build, root, f"--prefix={PREFIX}", "--libdir=lib64", "-Db_lto=false")
        installed = set(json.loads(run("meson", "introspect", "--installed", build)).values())
        pages = [path for path in installed if "/man/" in path]
        run("ninja", "-C", build, *(f"docs/{os.path.basename(page)}" for page in pages))
        run("meson", "install", "-C", build, "--no-rebuild", "--tags", "man,systemd,config", "--destdir", destination)
        for path in installed:
            assert path.startswith(PREFIX + "/"), f"{path} is outside the prefix"
        unit = read(f"{destination}{PREFIX}/lib/systemd/system/bothends-agent.service")
        program, option, config = re.search(r"^ExecStart=(\S+) (--config) (\S+)$", unit, re.M).groups()
        assert {program, config} <= installed and os.path.isfile(destination + config), (program, config, option)
        page, section = re.search(r"man:([a-z-]+)\((\d)\)", unit).groups()
        assert config in page_text(f"{destination}{PREFIX}/share/man/man{section}/{page}.{section}")
        library = re.search(r"\.load (\S+)", page_text(f"{destination}{PREFIX}/share/man/man1/bothends-query.1"))[1]
        assert library + ".so" in installed, library
        # A page that another one names is installed.
        for path in pages:
            for name, number in re.findall(r"(bothends[a-z-]*)\((\d)\)", page_text(destination + path)):
                assert f"{PREFIX}/share/man/man{number}/{name}.{number}" in installed, f"{path}: {name}({number})"
        here = [os.path.join(at, name) for at, _, names in os.walk(destination) for name in names]
        assert {path[len(destination):] for path in here} <= installed
    print(f"{len(installed)} files, all below {PREFIX}; {len(pages)} pages")


main()
