#!/usr/bin/env python3
"""One answer in every format: verdict, stories and notes of text, Markdown and HTML against JSON.

usage: formats_test.py BOTHENDS DBTOOL FIXTURES

Every recorded capture, every database of fixtures/golden, and runs in which there is nothing to judge are written in
all formats. From each the verdict, the stories (severity, and role and kind of their findings, in order), the notes and
the counts are read back and compared. The upload page shows what the brief JSON says.
"""
import html
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile

BOTHENDS, DBTOOL, FIXTURES = (os.path.abspath(p) for p in sys.argv[1:4])
STORIES = 100  # stories that begin with a later finding are left out (REPORT_FINDINGS)
ALSO = 8  # further effects that are named (REPORT_ALSO)
ENV = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1")


def run(*args):
    done = subprocess.run(args, capture_output=True, env=ENV)
    if done.returncode > 1:
        sys.exit(f"{' '.join(args)}: {done.stderr.decode()}")
    return done.stdout.decode()


def capture_inputs(folder):
    names = sorted(n for n in os.listdir(folder) if re.search(r"\.(pcap|pcapng|pcap\.zst|facts\.jsonl)$", n))
    return [f"{n.split('.')[0]}={folder}/{n}" for n in names]


def from_json(text):
    """The model that the other formats must agree with, cut where they cut it."""
    report = json.loads(text)
    stories = []
    for story in report["stories"]:
        if story["id"] > STORIES:
            break
        also = [f for f in story["findings"] if f["role"] == "also"]
        stories.append({
            "severity": story["severity"],
            "summary": story["findings"][0]["summary"],
            "kinds": [(f["role"], f["kind"]) for f in story["findings"]
                      if f["role"] != "also" or also.index(f) < ALSO],
            "more": max(0, len(also) - ALSO),
            "remedies": [r.replace("`", "") for r in story["remedies"]],
        })
    return {"verdict": report["verdict"], "checked": report["checked"], "stories": stories, "notes": report["notes"]}


def nothing_found(line):
    verdict, _, checked = line.partition(" Checked: ")
    return verdict, checked.removesuffix(".") or None


def from_text(text):
    """Unwrapped text: a line for each finding and each note."""
    model = {"verdict": None, "checked": None, "stories": [], "notes": []}
    lines = text.split("\n")
    if not re.match(r"CRITICAL|WARNING|NOTICE", lines[0]):
        model["verdict"], model["checked"] = nothing_found(lines[0])
    for line in lines:
        head = re.match(r"(CRITICAL|WARNING|NOTICE) +(\S+) +(.*)", line)
        part = re.match(r"  (because|also|fix) +(\S.*)", line)
        more = re.match(r" +and (\d+) more like these", line)
        if line.startswith("  - "):
            model["notes"].append(line[4:])
        elif head:
            model["stories"].append({"severity": head[1].lower(), "summary": head[3], "kinds": [("head", head[2])],
                                     "more": 0, "remedies": []})
        elif part and part[1] == "fix":
            model["stories"][-1]["remedies"].append(part[2].replace("`", ""))
        elif part:
            model["stories"][-1]["kinds"].append((part[1], part[2].split(" ")[0]))
        elif more:
            model["stories"][-1]["more"] = int(more[1])
    return model


def plain(markdown):
    return html.unescape(re.sub(r"\\(.)", r"\1", markdown))


def unmarked(markdown):
    """A remedy without what marks its commands."""
    return "".join(part if n % 2 else plain(part) for n, part in enumerate(re.split(r"(?<!\\)`", markdown)))


def from_markdown(text):
    model = {"verdict": None, "checked": None, "stories": [], "notes": []}
    notes = False
    for line in text.split("\n"):
        head = re.match(r"## (critical|warning|notice): (.*)", line)
        part = re.match(r"- \*\*(because|also) (.*?)\*\*: ", line)
        fix = re.match(r"- \*\*fix\*\*: (.*)$", line)
        more = re.match(r"- and (\d+) more like these", line)
        said = re.search(r"\*\*(.*)\*\*(.*)$", line)
        if line.startswith("## "):
            notes = line in ("## Not judged", "## Not judged either", "## Notes")
        if notes and line.startswith("- "):
            model["notes"].append(plain(line[2:]))
        elif head:
            model["stories"].append({"severity": head[1], "summary": None, "kinds": [("head", plain(head[2]))],
                                     "more": 0, "remedies": []})
        elif part:
            model["stories"][-1]["kinds"].append((part[1], plain(part[2])))
        elif fix:
            model["stories"][-1]["remedies"].append(unmarked(fix[1]))
        elif more:
            model["stories"][-1]["more"] = int(more[1])
        elif said and not model["stories"] and line.startswith("**"):
            model["verdict"], model["checked"] = nothing_found(plain(said[1] + said[2]))
        elif said and model["stories"] and model["stories"][-1]["summary"] is None:
            model["stories"][-1]["summary"] = plain(said[1])
    return model


class Page(html.parser.HTMLParser):
    """Walks report.html; self.path holds (tag, class, id) of what is open."""

    VOID = {"meta", "rect", "line", "path", "circle", "polygon", "br", "input"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.path, self.label = [], ""
        self.model = {"verdict": "", "checked": None, "stories": [], "notes": []}
        self.chips, self.lead = [], ""

    def inside(self, tag, words=None):
        return any(t == tag and (words is None or words in f"{c} #{i}") for t, c, i in self.path)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        entry = (tag, attrs.get("class") or "", attrs.get("id") or "")
        story = self.model["stories"][-1] if self.model["stories"] else None
        if tag == "article":
            self.model["stories"].append({"severity": entry[1].split()[1], "summary": "", "kinds": [], "more": 0,
                                          "remedies": []})
        elif tag == "code" and entry[1] == "kind" and self.inside("article"):
            role = "also" if self.inside("details", "part") else "because" if self.inside("dd", "cause") else "head"
            story["kinds"].append((role, ""))
        elif tag == "dd" and entry[1] == "remedy":
            story["remedies"].append("")
        elif tag == "li" and (self.inside("section", "#open") or self.inside("section", "#notes")):
            self.model["notes"].append("")
        elif tag == "li" and self.inside("ul", "chips"):
            self.chips.append("")
        if tag not in self.VOID:
            self.path.append(entry)

    def handle_endtag(self, tag):
        open_tags = [t for t, _, _ in self.path]
        if tag in open_tags:
            del self.path[len(open_tags) - 1 - open_tags[::-1].index(tag):]

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        data = data.replace("\u00a0", " ").replace("\u2009", "")
        story = self.model["stories"][-1] if self.model["stories"] else None
        if self.inside("h1"):
            self.model["verdict"] += data
        elif self.inside("p", "lead"):
            self.lead += data
        elif self.inside("ul", "chips") and self.inside("li"):
            self.chips[-1] += data
        elif (self.inside("section", "#open") or self.inside("section", "#notes")) and self.inside("li"):
            self.model["notes"][-1] += data
        elif self.inside("article") and self.inside("code", "kind"):
            story["kinds"][-1] = (story["kinds"][-1][0], story["kinds"][-1][1] + data)
        elif self.inside("article") and self.inside("h3"):
            story["summary"] += data
        elif self.inside("dd", "remedy") and not self.inside("button"):
            story["remedies"][-1] += data
        elif self.inside("article") and self.inside("p", "note"):
            more = re.match(r"and (\d+) more like these", data)
            story["more"] = int(more[1]) if more else story["more"]


def from_html(text):
    page = Page()
    page.feed(text)
    if page.lead.startswith("Checked: "):
        page.model["checked"] = page.lead.removeprefix("Checked: ")
    return page.model, page.chips


def differences(name, form, got, want):
    """What a reader of one format is told otherwise. Text puts the ends before the sentence of a story."""
    if form in ("text", "md") and want["stories"]:
        got = dict(got, verdict=want["verdict"])
    for story, other in zip(got["stories"], want["stories"]):
        if form == "text" and story["summary"].endswith(other["summary"]):
            story["summary"] = other["summary"]
        if form in ("text", "md"):
            story["remedies"] = [" ".join(r.split()) for r in story["remedies"]]
            other["remedies"] = [" ".join(r.split()) for r in other["remedies"]]
    return [f"{name}: {form}: {key}: {got[key]!r}, JSON says {want[key]!r}" for key in want if got[key] != want[key]]


def notes_stand_first(name, text):
    """What was not judged stands under the verdict: before any other story, and before the inputs."""
    lines = [line for line in text.split("\n") if re.match(r"CRITICAL|WARNING|NOTICE|Inputs$|Not judged$", line)]
    place = lines.index("Not judged") if "Not judged" in lines else 0
    return [] if place < 2 and "Inputs" not in lines[:place] else [f"{name}: text: not judged at {place} of {lines}"]


def compare(name, database):
    text = {form: run(BOTHENDS, "report", "--format", form, database)
            for form in ("text", "md", "html", "json", "brief")}
    page, chips = from_html(text["html"])
    wrong = differences(name, "html", page, from_json(text["json"]))
    wrong += differences(name, "text", from_text(text["text"]), from_json(text["json"]))
    wrong += differences(name, "md", from_markdown(text["md"]), from_json(text["json"]))
    wrong += differences(name, "brief", from_json(text["brief"]), from_json(text["json"]))
    wrong += notes_stand_first(name, text["text"])
    counts = json.loads(text["json"])["counts"]
    if json.loads(text["brief"])["counts"] != counts:
        wrong.append(f"{name}: brief: other counts than JSON")
    for chip, word in zip(chips, ("critical", "warning", "notice")):
        if chip.split(" ")[0] != str(counts[word]):
            wrong.append(f"{name}: html: chip {chip!r}, JSON counts {counts[word]} {word}")
    return wrong, page


# The verdicts of runs in which there is no finding: each says in numbers what was judged, or why nothing was.
SILENT = {
    "no-loss": "No loss: all 1592 packets arrived (558 client -> server, 1034 back).",
    "bonded": "No loss: all 194 packets arrived (97 between app and db, 97 between db and job).",
    "unrelated": "The captures share no packet: app holds 10.4.0.7 and 10.4.0.6 on 2026-11-21 from 08:38:26 to 08:38:29"
                 " UTC; client holds 10.1.0.10 and 10.2.0.20 on 2026-11-21 from 04:54:49 to 04:54:50 UTC.",
    "alone": "One capture alone cannot rule out loss: that of client holds 22 TCP connections, all of them answered.",
    "filtered": "Nothing to judge: --filter 'port 99' left out all 3188 frames.",
    "later": "Nothing to judge: --from 2027-01-01T00:00:00Z left out all 3188 frames; the captures are of 2026-11-21"
             " from 04:54:49 to 04:54:50 UTC.",
}
# And what their notes say.
OPEN = {"no-loss": [], "bonded": [], "filtered": [], "later": [],
        "unrelated": ["by their own clocks the captures were not made at the same time"],
        "alone": ["add the other end's capture (10.2.0.20)"]}


def silent_runs():
    clean = f"{FIXTURES}/capture/no-loss"
    client, server = f"client={clean}/client.pcap.zst", f"server={clean}/server.pcap.zst"
    return {
        "unrelated": [client, f"app={FIXTURES}/capture/bonded/app.pcap"],
        "alone": [client],
        "filtered": ["--filter", "port 99", client, server],
        "later": ["--from", "2027-01-01T00:00:00Z", client, server],
    }


def silence(pages):
    """What is wrong with the verdicts of runs without a finding."""
    wrong = []
    for name, verdict in SILENT.items():
        page = pages[name]
        if page["verdict"] != verdict or page["stories"]:
            wrong.append(f"{name}: {page['verdict']!r}, not {verdict!r}")
        if len(page["notes"]) != len(OPEN[name]) or not all(w in n for w, n in zip(OPEN[name], page["notes"])):
            wrong.append(f"{name}: notes {page['notes']!r}, not {OPEN[name]!r}")
    return wrong


def main():
    wrong, pages = [], {}
    with tempfile.TemporaryDirectory() as folder:
        databases = {}
        inputs = {n: capture_inputs(f"{FIXTURES}/capture/{n}") for n in sorted(os.listdir(f"{FIXTURES}/capture"))}
        inputs.update(silent_runs())
        for name, files in inputs.items():
            databases[name] = f"{folder}/{name}.db"
            run(BOTHENDS, "analyze", "-q", "-o", databases[name], *files)
        for name in ("clean", "loss", "many", "one-sided", "stale-arp"):
            databases[f"golden {name}"] = f"{folder}/golden-{name}.db"
            run(DBTOOL, "make", databases[f"golden {name}"], f"{FIXTURES}/golden/{name}.sql")
        for name, database in databases.items():
            found, pages[name] = compare(name, database)
            wrong += found
    wrong += silence(pages)
    stories = sum(len(p["stories"]) for p in pages.values())
    notes = sum(len(p["notes"]) for p in pages.values())
    print(f"{len(pages)} databases, {stories} stories, {notes} notes")
    if len(pages["capture-damage-loss"]["stories"]) != 3:  # HTML once grouped them by rules of its own
        wrong.append("capture-damage-loss: not 3 stories")
    for line in wrong:
        print(line)
    return 1 if wrong or stories < 50 or notes < 10 else 0


sys.exit(main())
