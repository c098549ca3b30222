#!/bin/bash
# Runs the rows of TESTLIST against the golden files beside it.
# usage: run.sh BOTHENDS DBTOOL [--update NAME]; --update rewrites one golden file (review the diff).
set -u
bothends=$(realpath "$1") dbtool=$(realpath "$2") update=${4:-}
here=$(cd "$(dirname "$0")" && pwd)
facts=$here/../../fixtures/golden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TZ=UTC LC_ALL=C NO_COLOR=1
cd "$work" || exit 1
failed=0 ran=0
while IFS=$'\t' read -r name sql arguments status; do
	case $name in ''|'#'*) continue ;; esac
	[ -n "$update" ] && [ "$update" != "$name" ] && continue
	ran=$((ran + 1))
	if [ ! -e "$sql.db" ]; then
		"$dbtool" make "$sql.db" "$facts/$sql" || { failed=$((failed + 1)); continue; }
	fi
	ln -sf "$sql.db" incident.db
	got=0
	eval "\"$bothends\" ${arguments//DB/incident.db}" > out 2> err < /dev/null || got=$?
	cat err >> out
	if [ "$update" = "$name" ]; then
		cp out "$here/golden/$name.out"
	fi
	if [ "$got" != "$status" ]; then
		echo "FAIL $name: exit status $got, expected $status"
		failed=$((failed + 1))
	elif ! diff -u "$here/golden/$name.out" out; then
		echo "FAIL $name: output differs from golden/$name.out"
		failed=$((failed + 1))
	fi
done < "$here/TESTLIST"
echo "$ran cases, $failed failed"
[ "$ran" -gt 0 ] && [ "$failed" = 0 ]
