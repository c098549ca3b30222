#!/usr/bin/env python3
"""What the compiler and the linker can do against a hostile input is in every program.

    hardening_test.py COMPILE_COMMANDS PROGRAM...
"""

import json
import platform
import shutil
import subprocess
import sys

FLAGS = ['-fstack-protector-strong', '-fstack-clash-protection', '-D_FORTIFY_SOURCE=3']
# The mark of the whole program is missing where the C library's own objects lack theirs (Debian 12).
if platform.machine() == 'x86_64':
    FLAGS.append('-fcf-protection=full')


def readelf(what, program):
    return subprocess.run(['readelf', '-W', what, program], capture_output=True, text=True, check=True).stdout


def lacks(program):
    dynamic, headers, symbols = (readelf(what, program) for what in ('-d', '-l', '--dyn-syms'))
    stack = next(line for line in headers.splitlines() if 'GNU_STACK' in line)
    has = {'full RELRO': 'GNU_RELRO' in headers and 'NOW' in dynamic,
           'PIE, or a shared object': 'DYN' in readelf('-h', program),
           'no executable stack': 'E' not in stack.split()[-2],
           'no run path': 'RPATH' not in dynamic,
           'stack protector': '__stack_chk_fail' in symbols,
           'checked functions': '_chk@' in symbols.replace('__stack_chk_fail@', '')}
    return [name for name, yes in has.items() if not yes]


def main():
    if not shutil.which('readelf'):
        print('skipped: readelf is not installed')
        return 77
    commands, programs = sys.argv[1], sys.argv[2:]
    good = True
    with open(commands) as f:
        ours = [c for c in json.load(f) if '/analyzer/' in c['file'] or '/capture/' in c['file']]
    for flag in FLAGS:
        without = [c['file'] for c in ours if flag not in c.get('command', '').split()]
        good &= bool(ours) and not without
        if without:
            print(f'{flag}: not for {", ".join(without[:5])}')
    for program in programs:
        missing = lacks(program)
        print(f'{program}: {"lacks " + ", ".join(missing) if missing else "ok"}')
        good &= not missing
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
