#!/bin/bash
# tshark.py over the captures in fixtures/, and over their packets behind other headers.
#
# Usage: fixtures.sh DECODE_DUMP FIXTURES
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$here/wrap.py" "$2/capture/links/ether.pcap" "$work"
"$here/tshark.py" "$1" "$2/capture" "$work"
