#!/usr/bin/env python3
"""The documents say what the program does. usage: docs_test.py BOTHENDS DBTOOL SOURCE_ROOT

Every kind of finding and every reason of a segment event stands in docs/verdicts.md, every setting that it
names exists, and the JSON report of every golden case fits docs/report.schema.json.
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
         "null": type(None), "boolean": bool}


def misfits(value, schema, root, where="$"):
    """What of a value does not fit: the part of JSON Schema that our schema uses."""
    if "$ref" in schema:
        return misfits(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, where)
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(isinstance(value, TYPES[t]) and not (isinstance(value, bool) and t != "boolean")
                         for t in types):
        return [f"{where}: {value!r} is not {' or '.join(types)}"]
    out = []
    if "const" in schema and value != schema["const"]:
        out.append(f"{where}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        out.append(f"{where}: {value!r} is not in {schema['enum']}")
    if isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        out.append(f"{where}: {value!r} is out of range")
    if isinstance(value, dict):
        out += [f"{where}: no member {name}" for name in schema.get("required", []) if name not in value]
        known = schema.get("properties")
        for name, member in value.items():
            if known is not None and name not in known:
                out.append(f"{where}: member {name} is not documented")
            else:
                out += misfits(member, (known or {}).get(name, {}), root, f"{where}.{name}")
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            out.append(f"{where}: too few items")
        for n, item in enumerate(value):
            out += misfits(item, schema.get("items", {}), root, f"{where}[{n}]")
    return out


def self_test(schema):
    assert misfits({}, schema, schema) and misfits([], schema, schema)
    assert misfits(3, {"type": "string"}, {}) and misfits("x", {"enum": ["y"]}, {}) and not misfits(None, {"type": ["null"]}, {})
    assert misfits(True, {"type": "integer"}, {}) and misfits(2, {"type": "number", "maximum": 1}, {})


def check_reports(bothends, dbtool, root):
    schema = json.loads(read(root, "docs/report.schema.json"))
    self_test(schema)
    findings = 0
    with tempfile.TemporaryDirectory() as folder:
        for facts in sorted(glob.glob(os.path.join(root, "fixtures/golden/*.sql"))):
            db = os.path.join(folder, "golden.db")
            subprocess.run([dbtool, "make", db, facts], check=True)
            out = subprocess.run([bothends, "report", db, "-f", "json"], check=True, capture_output=True).stdout
            report = json.loads(out.decode("utf-8"))
            for line in misfits(report, schema, schema):
                yield f"{os.path.basename(facts)}: {line}"
            findings += sum(len(s["findings"]) for s in report["stories"])
    if findings < 10:
        yield f"only {findings} findings in all golden cases"


def check_verdicts(root):
    text = read(root, "docs/verdicts.md")
    headings = set(re.findall(r"[a-z0-9-]+", " ".join(re.findall(r"^#### (.*)$", text, re.M))))
    known = set()
    for path in sorted(glob.glob(os.path.join(root, "schema/rules/*.sql"))):
        rule = read(path)
        kinds = set(re.findall(r"SELECT\s+(?:\w+\.)?key,\s+'([a-z0-9-]+)',", rule))
        # Where one rule gives several kinds its first line names them.
        kinds |= set(re.findall(r"\((?:also )?([a-z0-9-]+)(?:, [^)]*)?\)", rule.split("\n")[0]))
        if not kinds:
            yield f"{os.path.basename(path)}: which kinds of findings it gives is not said"
        for kind in sorted(kinds - headings):
            yield f"docs/verdicts.md: no section for {kind} of {os.path.basename(path)}"
        known |= kinds
    for kind in sorted(headings - known):
        yield f"docs/verdicts.md: no rule gives {kind}"
    table = set(re.findall(r"^\| `([a-z-]+)` \|", text, re.M))
    used = set()
    for path in glob.glob(os.path.join(root, "analyzer/join/*.c")):
        source = read(path)
        used |= set(re.findall(r'(?:reason = |add_event\([^"]*|absent\([^"]*)[^;]*?"([a-z0-9]+(?:-[a-z0-9]+)*)"', source))
        used |= set(re.findall(r'return "([a-z]+(?:-[a-z]+)*)";', source))
    used -= {"payload", "window"}  # what a modified event's detail says
    for reason in sorted(used - table):
        yield f"docs/verdicts.md: reason {reason} is not in the table"
    settings = set(re.findall(r"^\t\('(\w+)'", read(root, "schema/settings.sql"), re.M))
    for name in sorted(set(re.findall(r"`(\w+_(?:max|min\w*|rate|segments|bytes|lost|ms))` \(", text)) - settings):
        yield f"docs/verdicts.md: no setting {name}"


def check_manuals(bothends, root):
    """Every long option that a command's help lists stands in its manual page."""
    pages = 0
    listed = subprocess.run([bothends, "--help"], check=True, capture_output=True, text=True).stdout
    for command in re.findall(r"^  ([a-z]+) +\S", listed, re.M):
        path = os.path.join(root, f"docs/bothends-{command}.1.scd")
        if not os.path.exists(path):
            continue
        pages += 1
        text = subprocess.run([bothends, command, "--help"], check=True, capture_output=True, text=True).stdout
        for option in sorted(set(re.findall(r"^\s.*?(--[a-z0-9-]+)", text, re.M)) - {"--help", "--usage", "--version", "--saved"}):
            if option not in read(path):
                yield f"{os.path.basename(path)}: nothing of {option}"
    if pages < 4:
        yield f"only {pages} of the commands have a manual page"


def main():
    bothends, dbtool, root = sys.argv[1:4]
    faults = [*check_reports(bothends, dbtool, root), *check_verdicts(root), *check_manuals(bothends, root)]
    for line in faults:
        print(line)
    sys.exit(1 if faults else 0)


main()
