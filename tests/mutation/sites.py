"""One-line changes to C source by mechanical rules: where each can be made, and the line that it makes."""
import collections
import os
import re

Change = collections.namedtuple("Change", "path number rule old new")  # number: of the line, from 1

FLIPPED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
COMPARISON = re.compile(r" (<=|>=|==|!=|<|>) ")
LOGIC = re.compile(r" (&&|\|\|) ")
NUMBER = re.compile(r"(?<![\w.])(\d+)(?![\w.])")
TRUTH = re.compile(r"\b(true|false)\b")
CONDITION = re.compile(r"^(\s*(?:\} else )?(?:if|while) \()(.*)(\)(?: \{)?)$")
STATEMENT = re.compile(r"^\t+[\w*(][^;]*;$")
KEPT = re.compile(r"^\t+(return|break|continue|goto|assert|struct|union|enum|const|static|case|default|(u?int\d*_t|size_t|bool|int|"
                  r"unsigned|char|double|float|void)\b(?!\)))")
FREED = re.compile(r"\bfree\(|_free\(|_close\(|munmap\(|madvise\(")  # leaks are the sanitizers' to find
COMPARES = re.compile(r"\? -1 : 1|return -1;|return 1;")
COMMENT_OR_TEXT = re.compile(r"/\*.*?\*/|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")


def code_of(lines):
    """The lines with comments and literals blanked, of equal length, and nothing where only the preprocessor reads."""
    inside = False
    for line in lines:
        code = COMMENT_OR_TEXT.sub(lambda m: "\0" * len(m.group()), line)
        if inside:
            end = code.find("*/")
            code, inside = ("\0" * len(code), True) if end < 0 else ("\0" * (end + 2) + code[end + 2:], False)
        begin = code.find("/*")
        if begin >= 0:
            code, inside = code[:begin] + "\0" * (len(code) - begin), True
        yield "" if code.startswith("#") and not code.startswith("#define") or "assert(" in code else code


def other_number(text):
    return str(int(text) + 1 if int(text) < 4 else int(text) * 2)


def balanced(text):
    depth = 0
    for each in text:
        depth += (each == "(") - (each == ")")
        if depth < 0:
            return False
    return depth == 0


def changed_lines(line, code, header):
    """(rule, new line) of every change that can be made to one line."""
    def put(match, group, text):
        return line[:match.start(group)] + text + line[match.end(group):]

    for m in COMPARISON.finditer(code):
        yield "comparison flipped", put(m, 1, FLIPPED[m.group(1)])
    for m in LOGIC.finditer(code):
        yield "and, or exchanged", put(m, 1, "||" if m.group(1) == "&&" else "&&")
    for m in NUMBER.finditer(code):
        if code[m.start() - 1:m.start()] == "[" and header:  # room for more than is ever there changes nothing
            continue
        if COMPARES.search(code):  # by the sign alone
            continue
        yield "constant changed", put(m, 1, other_number(m.group(1)))
    for m in TRUTH.finditer(code):
        yield "constant changed", put(m, 1, "false" if m.group(1) == "true" else "true")
    m = CONDITION.match(code)
    if m and balanced(m.group(2)):
        yield "condition negated", f"{line[:m.end(1)]}!({line[m.start(2):m.end(2)]}){line[m.start(3):]}"
    if STATEMENT.match(code) and not KEPT.match(code) and not FREED.search(code) and balanced(code):
        yield "statement dropped", re.match(r"\s*", line).group() + ";"


def changes(root, folders):
    """Every change to the C files below some folders of a tree, by line: [[Change, ...], ...]."""
    found = []
    for folder in folders:
        for name in sorted(os.listdir(os.path.join(root, folder))):
            if not name.endswith((".c", ".h")):
                continue
            path = os.path.join(folder, name)
            with open(os.path.join(root, path), encoding="utf-8") as file:
                lines = file.read().split("\n")
            for number, (line, code) in enumerate(zip(lines, code_of(lines)), 1):
                if name.endswith(".h") and not code.startswith(("#define", "\t")):
                    continue
                here = [Change(path, number, rule, line, new) for rule, new in changed_lines(line, code, name.endswith(".h"))]
                if here:
                    found.append(here)
    return found
