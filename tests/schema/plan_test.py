#!/usr/bin/env python3
"""Rules stay linear: no statement reads a large table from end to end inside a loop.

usage: plan_test.py DBTOOL SCHEMA_DIR. Reads EXPLAIN QUERY PLAN of every statement of totals.sql,
prepare.sql, the rules, number.sql and link.sql. In a plan the tables of a join stand side by side in the order of their loops: a
SCAN behind another table, or in a correlated subquery, runs once for each row of what is before it. A
subquery named "once" gives one row or none: it must end with LIMIT 1 or have no table.
"""
import os
import re
import subprocess
import sys
import tempfile

# Proportional to packets, flows, events or findings. Everything else is a handful of rows.
LARGE = {"flow", "flow_vantage", "path", "segment_event", "event", "packet", "flow_log", "activity", "arp",
         "mac_use", "peer_activity", "finding", "evidence", "cite", "lossy", "lossy_pair", "handshake_pair",
         "handshake_key", "handshake_flow", "handshake_proof", "loss_sum", "loss_rest", "loss_part", "loss_apart",
         "ended", "ended_pair", "reset_packet", "proof", "new_finding", "new_evidence", "numbered",
         "finding_end", "finding_key", "numbering", "root",
         "flow_outage", "flow_activity", "pt_ref", "pt_step", "pt_second", "pt_flow",
         "flow_log_pair", "flow_log_window", "flow_log_delivery", "flow_log_loss", "flow_log_source",
         "flow_log_request", "flow_log_request_minute", "failed", "asked", "judged", "part", "part_minute", "part_span", "proven_row",
         "cause_minute", "never", "eni_loss", "eni_missing", "eni_shown"}


def statement_at(text, line):
    """The statement that begins on a line: to the next semicolon outside of quotes and comments."""
    rest = "\n".join(text.split("\n")[line - 1:])
    rest = re.sub(r"--[^\n]*", "", rest)
    return re.match(r"(?:[^;']|'[^']*')*", rest).group(0)


def aliases(statement):
    """Name in the plan -> table."""
    found = {name: name for name in LARGE}
    for table, alias in re.findall(r"(?:FROM|JOIN|,)\s+(\w+)(?:\s+INDEXED BY \w+)?(?:\s+AS)?\s+(\w+)", statement):
        if table in LARGE and alias.upper() not in ("ON", "WHERE", "GROUP", "ORDER", "SET", "CROSS", "JOIN",
                                                    "LEFT", "INDEXED", "USING"):
            found[alias] = table
    if re.search(r"\bevent\b", statement):
        found.setdefault("s", "segment_event")  # inside the view
    return found


def faults(plan, statement):
    """Lines of a plan that read a large table inside a loop."""
    names = aliases(statement)
    children = {}
    for node, parent, text in plan:
        children.setdefault(parent, []).append((node, text))
    found = []

    # A list of constants written out in the statement is no loop to speak of.
    constant = {f"SCAN {text.split()[1]}" for node, _, text in plan if text.startswith("MATERIALIZE ")
                and [t for _, t in children.get(node, [])][:1] and "CONSTANT ROW" in children[node][0][1]}

    def walk(parent, looped):
        inside = looped
        for node, text in children.get(parent, []):
            if inside and (m := re.match(r"SCAN (\w+)", text)) and m.group(1) in names:
                found.append(f"{text} ({names[m.group(1)]})")
            walk(node, looped or "CORRELATED" in text)
            if re.match(r"(SCAN|SEARCH) (?!once$)", text) and "CONSTANT ROW" not in text and text not in constant:
                inside = True

    walk(0, False)
    return found


def source_of(schema, rule):
    path = rule if rule in ("totals", "prepare", "number", "link") or rule.startswith(("prepare/", "statement/")) else f"rules/{rule}"
    with open(os.path.join(schema, f"{path}.sql"), encoding="utf-8") as f:
        return f.read()


def self_test():
    plan = [(2, 0, "SCAN p"), (3, 0, "SCAN f"), (4, 0, "CORRELATED SCALAR SUBQUERY 1"), (5, 4, "SCAN k")]
    assert faults(plan, "SELECT 1 FROM path p JOIN flow f JOIN packet k") == ["SCAN f (flow)", "SCAN k (packet)"]
    assert not faults([(1, 0, "SCAN p"), (2, 0, "SEARCH f USING INTEGER PRIMARY KEY (rowid=?)")], "FROM path p, flow f")
    assert statement_at("a;\nSELECT ';' -- x;\nFROM b;", 2) == "SELECT ';' \nFROM b"


def main():
    dbtool, schema = sys.argv[1:3]
    self_test()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "empty.db")
        subprocess.run([dbtool, "facts", path, "/dev/null"], check=True)
        out = subprocess.run([dbtool, "plan", path], check=True, capture_output=True, text=True).stdout
    plans = {}
    for row in out.splitlines():
        rule, line, node, parent, text = row.split("\t", 4)
        plans.setdefault((rule, int(line)), []).append((int(node), int(parent), text))
    failed = 0
    sources = {}
    for (rule, line), plan in plans.items():
        sources[rule] = sources.get(rule) or source_of(schema, rule)
        for fault in faults(plan, statement_at(sources[rule], line)):
            print(f"{rule}:{line}: inside a loop: {fault}")
            failed += 1
    print(f"{len(plans)} statements of {len(sources)} files, {failed} faults")
    sys.exit(1 if failed or len(plans) < 50 else 0)


main()
