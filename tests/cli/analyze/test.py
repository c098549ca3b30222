#!/usr/bin/env python3
"""Holds `bothends analyze` to its contract on a command line.

usage: test.py --list            the names of all cases
       test.py PROGRAM CASE...   runs them; exit status 1 if one fails, 77 if it was skipped

One claim a case: hostfiles.py, inputs.py, outputs.py, options.py, stated.py. Each runs in a scratch folder of its own.
"""
import os
import sys

from place import CASES, Failure, Place, Skip
import hostfiles  # noqa: F401 - registers its cases
import inputs  # noqa: F401
import options  # noqa: F401
import outputs  # noqa: F401
import stated  # noqa: F401


def run(program, name):
    place = Place(program)
    try:
        CASES[name](place)
        return 0
    except Failure as failure:
        print(f"{name}: {failure}")
        return 1
    except Skip as why:
        print(why)
        return 77
    finally:
        place.remove()


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CASES))
        return 0
    program = os.path.abspath(sys.argv[1])
    return max(run(program, name) for name in sys.argv[2:] or CASES)


if __name__ == "__main__":
    sys.exit(main())
