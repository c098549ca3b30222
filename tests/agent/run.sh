#!/bin/sh
# Tests of bothends-agent against real kernels: run.sh [BUILD] [NAME...]; lines are ok, not ok or skip.
cd "$(dirname "$0")" || exit 2
export WIRESHARK_CONFIG_DIR=/nonexistent # not the preferences of who runs the tests
exec python3 run.py "$@"
