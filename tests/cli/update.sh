#!/bin/bash
# Rewrites the golden file of one case, or of all with --all. Review the diff.
# usage: update.sh BOTHENDS DBTOOL NAME|--all
here=$(cd "$(dirname "$0")" && pwd)
names=$3
[ "$3" = --all ] && names=$(grep -v '^#' "$here/TESTLIST" | cut -f1)
mkdir -p "$here/golden"
for name in $names; do
	"$here/run.sh" "$1" "$2" --update "$name" > /dev/null
done
git -C "$here" status --short golden
