#!/usr/bin/env python3
"""What building needs stands alike in scripts/packages.sh, the README, debian/control, and the container's recipe; the
version in meson.build, the Debian changelog and the RPM spec."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def readme_packages():
    with open(f"{ROOT}/README.md", encoding="utf-8") as file:
        line = re.search(r"apt-get install ((?:[^\n]*\\\n)*[^\n]*)", file.read())
    return line.group(1).replace("\\\n", " ").split() if line else []


def listed_packages():
    script = f". {ROOT}/scripts/packages.sh && echo $build_packages"
    return subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True).stdout.split()


def read(name):
    with open(f"{ROOT}/{name}", encoding="utf-8") as file:
        return file.read()


def lacking(name, text, packages):
    """Lines about packages that a file does not name."""
    words = set(re.findall(r"[a-z0-9][a-z0-9.+-]+", text))
    return [f"{name}: {package} is missing, which scripts/packages.sh has" for package in sorted(set(packages) - words)]


def packaging(listed):
    """What is wrong in files for packagers."""
    implied = {"gcc", "ninja-build"}  # build-essential and meson bring them
    depends = re.search(r"^Build-Depends:\n((?: .*\n)+)", read("debian/control"), re.M)[1]
    recipe = read("packaging/Containerfile").split("FROM")[1]
    version = re.search(r"version: '([^']+)'", read("meson.build"))[1]
    wrong = lacking("debian/control", depends, set(listed) - implied)
    wrong += lacking("packaging/Containerfile", recipe, set(listed) - {"scdoc"})
    for name, pattern in (("debian/changelog", r"\((\S+)\)"), ("packaging/bothends.spec", r"^Version: +(\S+)")):
        found = re.search(pattern, read(name), re.M)[1]
        if found != version:
            wrong.append(f"{name}: version {found}, meson.build has {version}")
    return wrong


def main():
    readme, listed = readme_packages(), listed_packages()
    wrong = packaging(listed)
    print("\n".join(wrong), end="\n" if wrong else "")
    for name in sorted(set(listed) - set(readme)):
        print(f"README.md: the apt-get line lacks {name}, which scripts/packages.sh has")
    for name in sorted(set(readme) - set(listed)):
        print(f"scripts/packages.sh: build_packages lacks {name}, which the README's apt-get line has")
    return 0 if listed and not wrong and sorted(readme) == sorted(listed) else 1


sys.exit(main())
