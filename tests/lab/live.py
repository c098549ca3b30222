#!/usr/bin/env python3
"""Run a scenario on real stacks.

    live.py NAME OUT       run it; OUT gets the captures, truth.json and a README.md
    live.py --record NAME  the same, into fixtures/capture/NAME
    live.py --list         names of all scenarios
    live.py --obstacle     why this machine allows no lab (status 3), or nothing

A run is void, and repeated, when a capture dropped packets or chance gave it nothing to show.
"""
import importlib
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.normpath(os.path.join(HERE, "..", "..", "fixtures", "capture"))
sys.path.insert(0, HERE)

import lab  # noqa: E402
import pcapfile  # noqa: E402

ATTEMPTS = 4


def variants():
    """{variant name: (module, options)} of all scenario files, in order of name."""
    found = {}
    for file in sorted(os.listdir(os.path.join(HERE, "scenarios"))):
        if file.endswith(".py"):
            module = importlib.import_module("scenarios." + file[:-3])
            for name, options in module.VARIANTS.items():
                found[name] = (module, options)
    return found


def record(name, out):
    module, options = variants()[name]
    for attempt in range(ATTEMPTS):
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        try:
            with lab.Lab() as place:
                truths = module.run(place, out, **options)
            break
        except lab.Void as why:
            print(f"{name}: run {attempt + 1} of {ATTEMPTS} is void: {why}", file=sys.stderr)
    else:
        return 1
    write_truths(out, name, module, truths)
    write_readme(out, name, module)
    return 0


def write_truths(out, name, module, truths):
    """One truth file for each set of inputs: truth.json, truth.VIEW.json."""
    frames = {}
    for view, truth in truths.items():
        for entry in truth["inputs"]:
            file = entry["file"]
            if pcapfile.is_capture(os.path.join(out, file)):
                if file not in frames:
                    frames[file] = sum(1 for _ in pcapfile.read(os.path.join(out, file)))
                entry["frames"] = frames[file]
        whole = {"scenario": name, "claim": module.__doc__.strip().splitlines()[0], **truth}
        with open(os.path.join(out, f"truth.{view}.json" if view else "truth.json"), "w") as file:
            json.dump(whole, file, indent=1)
            file.write("\n")


def write_readme(out, name, module):
    """How the files beside it came to be, in the scenario's own words."""
    files = sorted(file for file in os.listdir(out) if file != "README.md")
    with open(os.path.join(out, "README.md"), "w") as file:
        file.write(f"# {name}\n\n{module.__doc__.strip()}\n\n"
                   f"Recorded by `tests/lab/live.py --record {name}`"
                   f" (tests/lab/scenarios/{module.__name__.split('.')[-1]}.py) from Linux stacks\n"
                   "in network namespaces; the counts in truth.json are those of nftables counters\n"
                   "on the way and of the scenario itself, not of any analysis. How to read\n"
                   "truth.json: tests/lab/README.md.\n\nFiles: "
                   + ", ".join(f"`{file}`" for file in files) + ".\n")
    for file in os.listdir(out):
        os.chmod(os.path.join(out, file), 0o644)


def main(args):
    if args == ["--list"]:
        print("\n".join(variants()))
        return 0
    if args == ["--obstacle"]:
        why = lab.obstacle()
        print(why or "")
        return 3 if why else 0
    if len(args) == 2 and args[0] == "--record":
        args = [args[1], os.path.join(FIXTURES, args[1])]
    if len(args) != 2 or args[0] not in variants():
        print(__doc__, file=sys.stderr)
        return 2
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    lab.contain()
    return record(args[0], os.path.abspath(args[1]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
