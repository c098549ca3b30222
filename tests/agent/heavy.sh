#!/bin/sh
# The long versions: 60 s of load at 100,000 packets/s beside tcpdump and dumpcap, 100 kills, 20 s of 100,000 drops/s.
cd "$(dirname "$0")" || exit 2
exec env AGENT_HEAVY=1 python3 run.py "${1:-../../build}" accounting rate kill drops_rate drops_flood drops_default
