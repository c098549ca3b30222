#!/usr/bin/env python3
"""Turns style sheets and scripts into one C source.

usage: embed_assets.py OUT.c OUT.h NAME=FILE[,FILE...] ...

Each NAME becomes asset_NAME, the files one after another, and asset_NAME_csp, the expression
('sha256-...') that allows exactly this text in a content security policy.
"""
import base64
import hashlib
import re
import sys


def load(files):
    text = ""
    for path in files.split(","):
        with open(path, encoding="utf-8") as f:
            part = f.read()
        # A map would be fetched by developer tools: reports fetch nothing.
        part = re.sub(r"\n//# sourceMappingURL=.*\n?", "\n", part)
        part = re.sub(r"\n/\*# sourceMappingURL=.*?\*/\n?", "\n", part)
        text += part if part.endswith("\n") else part + "\n"
    if not files.endswith(".html") and re.search(r"</(script|style)|<!--", text, re.I):
        sys.exit(f"embed_assets: {files}: text that would end the element it is put in")
    return text


def main():
    out_c, out_h, *assets = sys.argv[1:]
    with open(out_c, "w", encoding="utf-8") as c, open(out_h, "w", encoding="utf-8") as h:
        h.write("/* Made from the style sheets and scripts by scripts/embed_assets.py. */\n#pragma once\n\n")
        c.write(f'/* Made by scripts/embed_assets.py. */\n#include "{out_h.rsplit("/", 1)[-1]}"\n\n')
        for asset in assets:
            name, files = asset.split("=", 1)
            data = load(files).encode()
            digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
            h.write(f"extern const char asset_{name}[];\nextern const char asset_{name}_csp[];\n")
            c.write(f"const char asset_{name}[] = {{\n")
            for i in range(0, len(data), 24):
                c.write("".join(f"{b if b < 128 else b - 256}," for b in data[i : i + 24]) + "\n")
            c.write(f"0}};\nconst char asset_{name}_csp[] = \"'sha256-{digest}'\";\n\n")


main()
