#!/usr/bin/env bash
# Data flows one way: a folder of analyzer/ includes only folders to its left, and base; capture/ includes
# base and itself. SQL lives under schema/ alone.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
order=(base read anonymise hostfile decode flow survey join store record flowlog judge report run serve)
failed=0

wrong() {
	echo "$1"
	failed=1
}

declare -A places
for i in "${!order[@]}"; do
	places[${order[i]}]=$i
done

includes=0
for folder in analyzer/*/; do
	name=$(basename "$folder")
	at=${places[$name]:--1}
	((at >= 0)) || wrong "$folder: has no place in the order: ${order[*]}"
	while IFS=: read -r file line text; do
		target=${text#*\"} target=${target%%/*}
		to=${places[$target]:--1}
		includes=$((includes + 1))
		((to >= 0 && to <= at)) || wrong "$file:$line: $name includes $target, which is not to its left"
	done < <(grep -rnE '^#include "[a-z_]+/' "$folder" --include='*.[ch]')
done
((includes > 100)) || wrong "only $includes includes found: has the tree moved?"

while IFS=: read -r file line text; do
	wrong "$file:$line: the agent includes base only: $text"
done < <(grep -rnE '^#include "[a-z_]+/' capture --include='*.[ch]' | grep -v '"base/')

# host.c runs the collectors of facts; they do not know it.
while IFS=: read -r file line text; do
	wrong "$file:$line: a collector includes collector.h, not host.h: $text"
done < <(grep -nE '^#include "host.h"' capture/facts_*.[ch] capture/rtnl*.[ch] capture/collector.h)

# A literal that begins like a statement (not one quoted for a shell). Allowed: flowlog/format/parquet.c, whose one query runs in DuckDB, on
# a file and not on a database of ours.
while IFS=: read -r file line text; do
	wrong "$file:$line: SQL outside schema/: $text"
done < <(grep -rnE '(^|[^\\])"(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CREATE|DROP|ALTER) ' analyzer capture \
	--include='*.[ch]' | grep -v '^analyzer/flowlog/format/parquet.c:')

exit $failed
