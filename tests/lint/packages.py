#!/usr/bin/env python3
"""The README's apt-get line names the packages of scripts/packages.sh that building and running need."""
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


def main():
    readme, listed = readme_packages(), listed_packages()
    for name in sorted(set(listed) - set(readme)):
        print(f"README.md: the apt-get line lacks {name}, which scripts/packages.sh has")
    for name in sorted(set(readme) - set(listed)):
        print(f"scripts/packages.sh: build_packages lacks {name}, which the README's apt-get line has")
    return 0 if listed and sorted(readme) == sorted(listed) else 1


sys.exit(main())
