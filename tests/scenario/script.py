"""Read a scenario script: lines to statements. The notation is described in README.md."""
import collections
import re
import shlex

Statement = collections.namedtuple("Statement", "line words options")
# A packet line. items: (count, length) of NxLENGTH; sequence: first number or None.
PacketLine = collections.namedtuple(
    "PacketLine", "line at flow side flags sequence count length sack attributes fates label")
Fate = collections.namedtuple("Fate", "name point select value")

UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0, "d": 86400.0, "y": 31536000.0}
EXPECTATIONS = ("path", "event", "no", "finding", "clock", "outcome", "flows", "hosts", "trust", "seen", "account",
                "zero-window", "file", "refused", "claim", "order", "coverage")
FATES = {"drop", "miss", "dup", "twice", "delay", "inject", "via", "ttl", "tos", "ip_id", "window", "ack", "flags",
         "twist", "flip", "sum", "outer-sum", "no-ts", "mac", "src", "lost", "break", "dropfrag"}
ATTRIBUTES = {"ttl", "tos", "id", "tsval", "tsecr", "every", "resend", "same", "n", "frag", "twist", "sum", "mss",
              "gso"}
PACKET = re.compile(r"^(\+?[\d.]+)\s+(?:(\S+):)?([cs])>\s*(.*)$")
MACRO = re.compile(r"^(\+?[\d.]+)\s+(?:(\S+):)?(open|close|icmp|arp)\b\s*(.*)$")
SEGMENT = re.compile(r"^(?:(\d+)(?::(\d+))?)?\((?:(\d+)x)?(\d+)\)$")


class Wrong(Exception):
    """The script itself is at fault; the text begins with file:line."""


def seconds(text):
    match = re.fullmatch(r"([+-]?[\d.]+)([a-z]*)", text)
    if not match or match[2] not in UNITS and match[2]:
        raise ValueError(f"not a time: '{text}'")
    return float(match[1]) * UNITS.get(match[2], 1.0)


def numbers(text):
    """1,4-6 -> {1, 4, 5, 6}; 3.2 -> {(3, 2)}: wire segment 2 of record 3."""
    found = set()
    for part in text.split(","):
        if "." in part:
            found.add(tuple(int(n) for n in part.split(".")))
        elif "-" in part:
            low, high = part.split("-")
            found.update(range(int(low), int(high) + 1))
        else:
            found.add(int(part))
    return found


class Script:
    def __init__(self, path):
        self.path = path
        self.pending = None
        self.claim = []
        self.world, self.packets, self.expected = [], [], []
        self.given = []
        self.time = 0.0
        self.flow = None
        self.body = False
        with open(path, encoding="utf-8") as file:
            lines = [(n, text.rstrip("\n")) for n, text in enumerate(file, 1)]
        self._read(lines, {})
        if not self.claim:
            raise Wrong(f"{path}:1: the claim is missing")

    def wrong(self, line, text):
        return Wrong(f"{self.path}:{line}: {text}")

    def _read(self, lines, variables):
        at = 0
        while at < len(lines):
            line, text = lines[at]
            at += 1
            if text.startswith("for "):
                depth, end = 1, at
                while depth and end < len(lines):
                    depth += lines[end][1].startswith("for ") - (lines[end][1].strip() == "end")
                    end += 1
                if depth:
                    raise self.wrong(line, "'for' without 'end'")
                _, name, low, high = self._fill(line, text, variables).split()
                for value in range(int(low), int(high) + 1):
                    self._read(lines[at:end - 1], {**variables, name: value})
                at = end
                continue
            try:
                self._statement(line, self._fill(line, text, variables).strip())
            except (ValueError, KeyError, TypeError) as error:
                raise self.wrong(line, f"{error} in '{text}'") from error

    def _fill(self, line, text, variables):
        if "{" not in text:
            return text

        def value(match):
            # Arithmetic of the loop's variable in our own test data, nothing else.
            result = eval(match[1], {"__builtins__": {}}, dict(variables))
            return repr(round(result, 9)) if isinstance(result, float) else str(result)
        return re.sub(r"\{([^}]*)\}", value, text)

    def _statement(self, line, text):
        if text.startswith("#"):
            if not self.body:
                self.claim.append(text[1:].strip())
            return
        if not text:
            return
        self.body = True
        if text.startswith("pending:"):
            self.pending = text[8:].strip()
            return
        if text.startswith("given "):
            self.given += shlex.split(text)[1:]
            return
        match = PACKET.match(text)
        if match:
            self.packets.append(self._packet(line, *match.groups()))
            return
        match = MACRO.match(text)
        if match:
            words, options = self._split(match[4])
            flow = None if match[3] == "arp" else self._flow(line, match[2])
            self.packets.append(Statement(line, [match[3], self._at(match[1]), flow] + words, options))
            return
        words, options = self._split(text)
        statement = Statement(line, words, options)
        if words[0] in EXPECTATIONS:
            self.expected.append(statement)
        elif words[0] in ("point", "leg", "flow", "at", "acks"):
            self.world.append(statement)
            if words[0] == "flow":
                self.flow = words[1]
        else:
            raise self.wrong(line, f"unknown statement '{words[0]}'")

    @staticmethod
    def _split(text):
        words, options = [], {}
        for word in shlex.split(text):
            key, equals, value = word.partition("=")
            if equals and re.fullmatch(r"[\w.@#,-]+", key):
                options.setdefault(key, []).append(value)
            else:
                words.append(word)
        return words, options

    def _at(self, text):
        self.time = self.time + float(text[1:]) if text[0] == "+" else float(text)
        return self.time

    def _flow(self, line, name):
        if not (name or self.flow):
            raise self.wrong(line, "no flow yet")
        return name or self.flow

    def _packet(self, line, at, flow, side, rest):
        sack = None
        match = re.search(r"<([^>]*)>", rest)
        if match:
            sack = [tuple(int(n) for n in block.split(":")) for block in match[1].split() if ":" in block]
            rest = rest[:match.start()] + rest[match.end():]
        flags, sequence, count, length = None, None, 1, 0
        attributes, fates, label = {}, [], None
        words = shlex.split(rest)
        while words:
            word = words.pop(0)
            segment = SEGMENT.match(word)
            if segment:
                sequence = int(segment[1]) if segment[1] else None
                count, length = int(segment[3] or 1), int(segment[4])
                if segment[2] and int(segment[2]) - sequence != count * length:
                    raise self.wrong(line, f"'{word}' contradicts itself")
            elif flags is None and re.fullmatch(r"[FSRP.UEW]+", word):
                flags = word
            elif word in ("win", "ack"):
                attributes[word] = int(words.pop(0))
            elif word == "as":
                label = words.pop(0)
            elif re.match(r"[\w-]+[@#]", word) or word in ("drop", "miss"):
                fates.append(self._fate(word))
            else:
                key, _, value = word.partition("=")
                if key not in ATTRIBUTES:
                    raise ValueError(f"unknown '{word}'")
                attributes[key] = value
        return PacketLine(line, self._at(at), self._flow(line, flow), side, flags, sequence, count, length,
                          sack, attributes, fates, label)

    def fates(self, statement):
        """The fates of an 'acks' statement, whose values are words of their own."""
        found = [self._fate(word) for word in statement.words[2:]]
        return found + [self._fate(f"{key}={value}") for key, values in statement.options.items()
                        for value in values]

    @staticmethod
    def _fate(word):
        match = re.fullmatch(r"([\w-]+)(?:@(\w+(?:\.\w+)?))?(?:#([\d.,-]+))?(?:=(.*))?", word)
        if not match or match[1] not in FATES:
            raise ValueError(f"not a fate: '{word}'")
        return Fate(match[1], match[2], numbers(match[3]) if match[3] else None, match[4])
