#!/usr/bin/env python3
"""Every relative link in the pages leads somewhere, and every page of docs/ stands in the README's table."""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def broken_links(page):
    with open(page, encoding="utf-8") as file:
        text = re.sub(r"```.*?```", "", file.read(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:|#", target):
            continue
        if not os.path.exists(os.path.join(os.path.dirname(page), target.split("#")[0])):
            yield f"{os.path.relpath(page, ROOT)}: no such file: {target}"


def main():
    pages = glob.glob(f"{ROOT}/*.md") + [page for top in ("docs", "fixtures", "tests")
                                         for page in glob.glob(f"{ROOT}/{top}/**/*.md", recursive=True)
                                         if "/node_modules/" not in page]
    wrong = [line for page in sorted(pages) for line in broken_links(page)]
    with open(f"{ROOT}/README.md", encoding="utf-8") as file:
        readme = file.read()
    for page in sorted(glob.glob(f"{ROOT}/docs/*.md")):
        if f"(docs/{os.path.basename(page)})" not in readme:
            wrong.append(f"README.md: docs/{os.path.basename(page)} is missing from the table of contents")
    print("\n".join(wrong))
    return 1 if wrong or len(pages) < 5 else 0


sys.exit(main())
