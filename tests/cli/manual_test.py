#!/usr/bin/env python3
"""--help, the manual pages, the completions and the version agree.
usage: manual_test.py BOTHENDS AGENT SOURCE_ROOT VERSION
"""
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile

# Every program and command has these; the page of the program names them once.
EVERYWHERE = {"help", "usage", "version"}


def load(path):
    spec = importlib.util.spec_from_file_location("completions", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{command}: exit status {done.returncode}: {done.stderr}"
    return done.stdout


def bash_offers(script, program, line):
    """The words that bash offers for the last word of the line."""
    words = [program, *line]
    return run("bash", "-c", '. "$1"; fn=$2; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); $fn; printf "%s\\n" "${COMPREPLY[@]}"',
               "-", script, "_" + program.replace("-", "_"), *words).split()


def check_pages(root, name, commands, options):
    """Each command stands in the page of its program, each option in that of its command."""
    page = f"{root}/docs/{name}.8.scd" if name == "bothends-agent" else f"{root}/docs/{name}.1.scd"
    with open(page, encoding="utf-8") as file:
        of_program = file.read()
    for command, table in options.items():
        text = of_program
        assert not command or re.search(rf"^\*{command}\b", text, re.M), f"{page}: {command} is missing"
        if command and name == "bothends":
            with open(f"{root}/docs/bothends-{command}.1.scd", encoding="utf-8") as file:
                text = file.read()
        for option in table:
            if option.long not in EVERYWHERE:
                assert re.search(rf"--{option.long}\b", text), f"{command or name}: --{option.long} is in no manual page"
    listed = set(re.findall(r"^\*([a-z]+)\*$", of_program.split("# OPTIONS")[0], re.M)) if name == "bothends" else set(commands)
    assert listed == set(commands), f"{page}: {listed ^ set(commands)}"


def check_bash(script, name, commands, options):
    assert set(bash_offers(script, name, [""])) == set(commands)
    for command, table in options.items():
        line = [command] if command else []
        offered = set(bash_offers(script, name, [*line, "-"]))
        assert offered == {f"--{o.long}" for o in table} | {f"-{o.short}" for o in table if o.short and o.short != "?"}, (command, offered)
    assert bash_offers(script, name, ["--nonsense", ""]) == list(commands)


def check_values(script):
    assert bash_offers(script, "bothends", ["report", "x.db", "--format", "h"]) == ["html"]
    assert bash_offers(script, "bothends", ["report", "x.db", "--format", "=", ""]) == ["text", "html", "md", "json", "brief"]
    assert bash_offers(script, "bothends", ["report", "x.db", "--format", "="]) == ["text", "html", "md", "json", "brief"]
    assert bash_offers(script, "bothends", ["analyze", "--color", "a"]) == ["auto", "always"]
    assert bash_offers(script, "bothends", ["analyze", "--threads", ""]) == []


def fish_offers(script, line):
    done = run("fish", "--no-config", "-c", f"source {script}; complete -C '{line}'")
    return {row.split("\t")[0] for row in done.splitlines()}


def check_fish(script, name, options):
    for command, table in options.items():
        offered = fish_offers(script, " ".join(filter(None, [name, command, "--"])))
        assert {f"--{o.long}" for o in table} <= {o.rstrip("=") for o in offered}, (command, offered)


def check_zsh(script, name, options):
    run("zsh", "-n", script)
    with open(script, encoding="utf-8") as file:
        text = file.read()
    for command, table in options.items():
        part = text.split(f"\n{command})\n")[1].split(";;")[0] if command else text
        for option in table:
            assert re.search(rf"'\*--{option.long}[=\[]", part), (name, command, option)


def check_colours(bothends, root, folder):
    """--color and --width of analyze and report; NO_COLOR loses against always."""
    capture, db = f"{root}/fixtures/capture/stale-arp/db.pcapng", f"{folder}/x.db"
    env = {**os.environ, "NO_COLOR": "1"}
    printed = run(bothends, "analyze", "--color", "always", "--width", "60", "-o", db, capture, env=env)
    assert "\x1b[" in printed
    assert "\x1b[" not in run(bothends, "report", db)
    assert printed == run(bothends, "report", "--color=always", "--width=60", db)
    assert "\x1b[" not in run(bothends, "analyze", "--force", "--color", "never", "-o", db, capture)


def check_version(program, version, commands):
    for command in ("", *commands):
        line = run(program, *filter(None, [command]), "--version").strip()
        assert line == f"{os.path.basename(program)} {version}", line


def main():
    bothends, agent, root, version = sys.argv[1:5]
    completions = load(f"{root}/scripts/completions.py")
    tried = ["bash"] + [shell for shell in ("fish", "zsh") if shutil.which(shell)]
    with tempfile.TemporaryDirectory() as folder:
        for program in (bothends, agent):
            name = os.path.basename(program)
            commands, options = completions.tables(program)
            check_pages(root, name, commands, options)
            check_version(program, version, commands)
            for shell in ("bash", "fish", "zsh"):
                path = f"{folder}/{name}.{shell}"
                with open(path, "w", encoding="utf-8") as file:
                    file.write(run(sys.executable, f"{root}/scripts/completions.py", shell, program))
            check_bash(f"{folder}/{name}.bash", name, commands, options)
            if "fish" in tried:
                check_fish(f"{folder}/{name}.fish", name, options)
            if "zsh" in tried:
                check_zsh(f"{folder}/{name}.zsh", name, options)
        check_values(f"{folder}/bothends.bash")
        check_colours(bothends, root, folder)
    print("completion tried by", ", ".join(tried))


main()
