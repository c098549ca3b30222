#!/usr/bin/env python3
"""Turns the files under schema/ into one C source.

usage: embed_sql.py SCHEMA_DIR OUT.c OUT.h

Out come: the DDL with the column comments as rows of schema_comment, one INSERT statement for
each table, the rules in the order of rules/ORDER, the saved queries with their first comment
line as description, the queries of the reports, the known defects, and what drop reasons mean.
"""
import os
import re
import sys


def c_string(text):
    lines = text.split("\n")
    escaped = (l.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") for l in lines)
    return "\n".join('\t"%s\\n"' % l for l in escaped)


def tables(ddl):
    """(table, comment, [(column, comment)]) for each CREATE TABLE."""
    found = []
    for m in re.finditer(r"CREATE TABLE (\w+) \( -- (.*?)\n(.*?)^\)", ddl, re.S | re.M):
        columns = []
        for line in m.group(3).splitlines():
            c = re.match(r"\t(\w+) [A-Z].*?-- (.*)$", line)
            if c and c.group(1) not in ("PRIMARY", "FOREIGN", "UNIQUE", "CHECK"):
                columns.append((c.group(1), c.group(2)))
            elif not re.match(r"\s*(PRIMARY|FOREIGN|UNIQUE|CHECK)", line):
                sys.exit(f"schema: table {m.group(1)}: no comment on: {line.strip()}")
        found.append((m.group(1), m.group(2), columns))
    return found


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def main():
    schema, out_c, out_h = sys.argv[1:]
    ddl = "".join(read(f"{schema}/{f}.sql") for f in ("001_facts", "flowlog", "002_derived"))
    found = tables(ddl)
    if len(found) != len(re.findall(r"^CREATE TABLE", ddl, re.M)):
        sys.exit("schema: a table has no comment")
    create = {m.group(1): re.sub(r" *--.*", "", m.group(0))
              for m in re.finditer(r"^CREATE TABLE (\w+) \(.*?^\).*?;", ddl, re.S | re.M)}
    comments = []
    for table, comment, columns in found:
        comments.append(f"({quote(table)}, NULL, {quote(comment)})")
        comments += [f"({quote(table)}, {quote(c)}, {quote(t)})" for c, t in columns]
    ddl += "INSERT INTO schema_comment VALUES\n" + ",\n".join(comments) + ";"

    rules = [r for r in read(f"{schema}/rules/ORDER").split("\n") if r and not r.startswith("#")]
    on_disk = {f[:-4] for f in os.listdir(f"{schema}/rules") if f.endswith(".sql")}
    if on_disk != set(rules):
        sys.exit(f"schema/rules/ORDER and the files differ: {sorted(on_disk ^ set(rules))}")
    prepare = sorted("prepare/" + f[:-4] for f in os.listdir(f"{schema}/prepare") if f.endswith(".sql"))
    queries = sorted(f[:-4] for f in os.listdir(f"{schema}/query") if f.endswith(".sql"))
    statements = sorted(f[:-4] for f in os.listdir(f"{schema}/statement") if f.endswith(".sql"))
    reports = sorted(f[:-4] for f in os.listdir(f"{schema}/report") if f.endswith(".sql"))

    with open(out_h, "w", encoding="utf-8") as h:
        h.write("/* Made from schema/ by scripts/embed_sql.py. */\n#pragma once\n\n#include <stddef.h>\n\n")
        h.write("enum schema_table {\n")
        h.writelines(f"\tTABLE_{t.upper()},\n" for t, _, _ in found)
        h.write("\tSCHEMA_TABLES\n};\n\n")
        h.write("struct schema_text {\n\tconst char *name, *description, *text;\n};\n\n")
        for name in ("ddl", "flow_indexes", "indexes", "views", "settings", "defects", "drop_reasons", "traits", "totals", "number", "link"):
            h.write(f"extern const char schema_{name}[];\n")
        h.writelines(f"extern const char schema_statement_{n}[];\n" for n in statements)
        h.write("extern const char *const schema_table_name[SCHEMA_TABLES];\n")
        h.write("extern const char *const schema_insert[SCHEMA_TABLES]; /* every column, in order */\n")
        h.write("extern const char *const schema_create[SCHEMA_TABLES]; /* the table alone */\n")
        h.write("extern const char *const schema_bulk_load[SCHEMA_TABLES]; /* from the scratch database */\n")
        h.write("extern const struct schema_text schema_prepare[]; /* in order; ends with NULL */\n")
        h.write("extern const struct schema_text schema_rules[]; /* in order; ends with NULL */\n")
        h.write("extern const struct schema_text schema_queries[]; /* by name; ends with NULL */\n\n")
        h.write("enum report_query {\n")
        h.writelines(f"\tQ_{n.upper()},\n" for n in reports)
        h.write("\tREPORT_QUERIES\n};\n\n")
        h.write("extern const struct schema_text schema_report[]; /* by enum report_query; ends with NULL */\n")

    with open(out_c, "w", encoding="utf-8") as c:
        c.write('/* Made from schema/ by scripts/embed_sql.py. */\n#include "schema_data.h"\n\n')
        for name, text in (
            ("ddl", ddl),
            ("flow_indexes", read(f"{schema}/flow_indexes.sql")),
            ("indexes", read(f"{schema}/flow_indexes.sql") + read(f"{schema}/003_indexes.sql")),
            ("views", read(f"{schema}/views.sql") + read(f"{schema}/flowlog_views.sql")),
            ("settings", read(f"{schema}/settings.sql")),
            ("defects", read(f"{schema}/defects.sql")),
            ("drop_reasons", read(f"{schema}/drop_reasons.sql")),
            ("traits", read(f"{schema}/traits.sql")),
            ("totals", read(f"{schema}/totals.sql")),
            ("number", read(f"{schema}/number.sql")),
            ("link", read(f"{schema}/link.sql")),
            *((f"statement_{n}", read(f"{schema}/statement/{n}.sql")) for n in statements),
        ):
            c.write(f"const char schema_{name}[] =\n{c_string(text)};\n\n")
        c.write("const char *const schema_table_name[SCHEMA_TABLES] = {\n")
        c.writelines(f'\t"{t}",\n' for t, _, _ in found)
        c.write("};\n\nconst char *const schema_insert[SCHEMA_TABLES] = {\n")
        for t, _, columns in found:
            marks = ",".join("?" * len(columns))
            c.write(f'\t"INSERT INTO {t} VALUES ({marks})",\n')
        c.write("};\n\nconst char *const schema_create[SCHEMA_TABLES] = {\n")
        c.writelines(f"{c_string(create[t])},\n" for t, _, _ in found)
        c.write("};\n\nconst char *const schema_bulk_load[SCHEMA_TABLES] = {\n")
        c.writelines(f'\t"INSERT INTO main.{t} SELECT * FROM bulk_{t}.{t}",\n' for t, _, _ in found)
        c.write("};\n\n")
        for array, folder, names in (
            ("prepare", ".", ["prepare"] + prepare),
            ("rules", "rules", rules),
            ("queries", "query", queries),
            ("report", "report", reports),
        ):
            c.write(f"const struct schema_text schema_{array}[] = {{\n")
            for n in names:
                text = read(f"{schema}/{folder}/{n}.sql")
                first = re.match(r"-- (.*)", text)
                if not first:
                    sys.exit(f"schema/{folder}/{n}.sql: the first line must be a comment that describes it")
                description = first.group(1).replace("\\", "\\\\").replace('"', '\\"')
                c.write(f'\t{{"{n}", "{description}",\n{c_string(text)}}},\n')
            c.write("\t{NULL, NULL, NULL}\n};\n\n")


main()
