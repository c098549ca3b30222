#!/usr/bin/env python3
"""Writes a shell's completion of a program from what its option tables print as --help.
usage: completions.py bash|zsh|fish PROGRAM
"""
import collections
import os
import re
import subprocess
import sys

Option = collections.namedtuple("Option", "short long arg doc")

# What the argument of an option is, by its name in the help. Others are typed.
FILES = {"FILE", "DB", "INPUT"}
FOLDERS = {"DIR", "FOLDER"}
# Words that a command prints.
PRINTED = {"--saved": "bothends query --list", "--show": "bothends query --list", "--interface": "find /sys/class/net -mindepth 1 -printf '%f\\n'"}


def help_of(program, *command):
    env = {**os.environ, "ARGP_HELP_FMT": "rmargin=4000", "LC_ALL": "C"}
    done = subprocess.run([program, *command, "--help"], capture_output=True, text=True, env=env)
    if done.returncode:
        sys.exit(f"{program} {' '.join(command)} --help: exit status {done.returncode}: {done.stderr}")
    return done.stdout


def options_in(text):
    found, lines = [], text.splitlines()
    for at, line in enumerate(lines):
        match = re.match(r" {2}(?:-(\S), | {4})--([a-z0-9-]+)(?:=(\S+))?(?: +(.*))?$", line)
        if match:
            doc = match[4] or (lines[at + 1].strip() if at + 1 < len(lines) else "")
            found.append(Option(match[1], match[2], match[3], doc))
    return found


def commands_in(text):
    listed = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.M)
    if listed:
        return dict(re.split(r"  +", line.strip(), maxsplit=1) for line in listed[1].splitlines())
    return {name: None for name in re.search(r"Other commands: \S+ (\S+) --help", text)[1].split("|")}


def tables(program):
    """Its commands with a summary each, and their options; those of the program itself under ""."""
    text = help_of(program)
    commands, options = commands_in(text), {"": options_in(text)}
    for name in commands:
        of_command = help_of(program, name)
        options[name] = options_in(of_command)
        commands[name] = commands[name] or re.split(r"\.\s|\.$", of_command.splitlines()[1])[0]
    return commands, options


def choices(option):
    return option.arg.split("|") if option.arg and re.fullmatch(r"[a-z0-9]+(\|[a-z0-9]+)+", option.arg) else []


def flags(option):
    return ([f"-{option.short}"] if option.short else []) + [f"--{option.long}"]


def bash_value(option):
    flag = f"--{option.long}"
    if choices(option):
        return f'_{{fn}}_words "{" ".join(choices(option))}"'
    if flag in PRINTED:
        return f"_{{fn}}_words \"$({PRINTED[flag]} 2>/dev/null | cut -d' ' -f1)\""
    if option.arg in FOLDERS:
        return "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")"
    return "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")" if option.arg in FILES else ":"


def bash(name, commands, options):
    fn = name.replace("-", "_")
    lines = [f"# Completion of {name} for bash.", "",
             f"_{fn}_words() {{", "\tmapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\")", "}", "",
             "# The value of an option.", f"_{fn}_value() {{", '\tcase "$1 $2" in']
    for command, table in options.items():
        for option in table:
            if option.arg:
                pattern = " | ".join(f'"{command} {flag}"' for flag in flags(option))
                lines.append(f"\t{pattern}) {bash_value(option).replace('{fn}', fn)} ;;")
    lines += ["\t*) return 1 ;;", "\tesac", "}", "", f"_{fn}_options() {{", '\tcase "$1" in']
    for command, table in options.items():
        words = " ".join(flag for option in table for flag in flags(option) if flag != "-?")
        lines.append(f'\t"{command}") _{fn}_words "{words}" ;;')
    lines += ["\tesac", "}", "",
              f"_{fn}() {{",
              '\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command="" word',
              "\tCOMPREPLY=()",
              '\tfor word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
              f'\t\tcase "$word" in {" | ".join(commands)}) command=$word && break ;; esac',
              "\tdone",
              "\t# --option=value comes as three words.",
              '\tif [[ $cur == "=" ]]; then',
              '\t\tcur=""',
              '\telif [[ $prev == "=" ]]; then',
              "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}",
              "\tfi",
              f'\t_{fn}_value "$command" "$prev" && return',
              '\tif [[ $cur == -* ]]; then',
              f'\t\t_{fn}_options "$command"',
              '\telif [[ -z $command ]]; then',
              f'\t\t_{fn}_words "{" ".join(commands)}"',
              "\telse",
              "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")",
              "\tfi",
              "}", "", f"complete -o filenames -F _{fn} {name}"]
    return lines


def zsh_text(text):
    return re.sub(r"([\[\]:\\])", r"\\\1", text).replace("'", "'\\''")


def zsh_value(option):
    flag = f"--{option.long}"
    if choices(option):
        return f"({' '.join(choices(option))})"
    if flag in PRINTED:
        return f"($({PRINTED[flag]} 2>/dev/null | cut -d\" \" -f1))"
    return "_files -/" if option.arg in FOLDERS else "_files" if option.arg in FILES else " "


def zsh_specs(table):
    for option in table:
        value = f":{zsh_text(option.arg)}:{zsh_value(option)}" if option.arg else ""
        doc = zsh_text(option.doc)
        yield f"'*--{option.long}{'=' if option.arg else ''}[{doc}]{value}'"
        if option.short and option.short != "?":
            yield f"'*-{option.short}{'+' if option.arg else ''}[{doc}]{value}'"


def zsh(name, commands, options):
    lines = [f"#compdef {name}", f"# Completion of {name} for zsh.", "", "local -a commands=("]
    lines += [f"\t'{command}:{zsh_text(summary)}'" for command, summary in commands.items()]
    lines += [")", "local at=${words[(I)(" + "|".join(commands) + ")]}", "if ((at == 0 || at >= CURRENT)); then",
              "\t_arguments -s -S \\"]
    lines += [f"\t\t{spec} \\" for spec in zsh_specs(options[""])]
    lines += ["\t\t'1: :{_describe command commands}' '*::: :'", "\treturn", "fi",
              "local command=$words[at]", "shift $((at - 1)) words", "((CURRENT -= at - 1))", 'case "$command" in']
    for command in commands:
        lines += [f"{command})", "\t_arguments -s -S \\"]
        lines += [f"\t\t{spec} \\" for spec in zsh_specs(options[command])]
        lines += ["\t\t'*:file:_files'", "\t;;"]
    return lines + ["esac"]


def fish_value(option):
    flag = f"--{option.long}"
    if choices(option):
        return f" -x -a '{' '.join(choices(option))}'"
    if flag in PRINTED:
        return f" -x -a \"({PRINTED[flag]} 2>/dev/null | cut -d' ' -f1)\""
    if option.arg in FOLDERS:
        return " -x -a '(__fish_complete_directories)'"
    return " -r -F" if option.arg in FILES else " -x" if option.arg else ""


def fish_text(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish(name, commands, options):
    seen = f"__fish_seen_subcommand_from {' '.join(commands)}"
    lines = [f"# Completion of {name} for fish.", f"complete -c {name} -n 'not {seen}' -f"]
    lines += [f"complete -c {name} -n 'not {seen}' -a {command} -d {fish_text(summary)}" for command, summary in commands.items()]
    for command, table in options.items():
        when = f"__fish_seen_subcommand_from {command}" if command else f"not {seen}"
        for option in table:
            short = f" -s {option.short}" if option.short and option.short != "?" else ""
            lines.append(f"complete -c {name} -n '{when}' -l {option.long}{short}{fish_value(option)} -d {fish_text(option.doc)}")
    return lines


def main():
    shell, program = sys.argv[1:]
    writer = {"bash": bash, "zsh": zsh, "fish": fish}[shell]
    print("\n".join(writer(os.path.basename(program), *tables(program))))


if __name__ == "__main__":
    main()
