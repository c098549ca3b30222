#!/bin/bash
# remedy_test.sh BOTHENDS FOLDER: the fix that the report prints for a stale neighbour removes it, a permanent entry too.
# FOLDER has the captures of a database that keeps a dead MAC. Needs root (a network namespace); skipped without.
set -eu

bothends=$1
captures=$2
[ "$(id -u)" = 0 ] || { echo "skipped: needs root"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$bothends" analyze --progress never -o "$work/a.db" db="$captures/db.pcapng" worker="$captures/worker.pcapng" \
	>"$work/report"
remedy=$(sed -n 's/^ *fix  *on db: \(ip neigh .*\)$/\1/p' "$work/report" | head -1)
[[ $remedy =~ ^ip\ neigh\ del\ ([0-9.]+)\ dev\ ([a-z0-9]+)$ ]] || {
	echo "not ok: no such remedy in the report:"
	cat "$work/report"
	exit 1
}
address=${BASH_REMATCH[1]}
interface=${BASH_REMATCH[2]}

# Left behind by the remedy: entries of that address.
entries_after() {
	unshare --net bash -eu -c "
		ip link add $interface type veth peer name far
		ip link set $interface up
		ip link set far up
		ip address add ${address%.*}.1/24 dev $interface
		ip neigh add $address lladdr 02:00:00:00:00:48 dev $interface nud $1
		ip neigh show to $address | grep -q . || exit 9
		$2
		ip neigh show to $address nud all | grep -v FAILED | grep -c . || true" 2>"$work/error" || {
		echo "skipped: no namespace with a pair of interfaces: $(cat "$work/error")" >&2
		return 77
	}
}

for state in permanent stale reachable; do
	left=$(entries_after $state "$remedy") || exit 77
	[ "$left" = 0 ] || { echo "not ok: '$remedy' leaves a $state entry"; exit 1; }
done
# Why it is not the shorter command: this leaves permanent entries.
left=$(entries_after permanent "ip neigh flush $address") || exit 77
[ "$left" = 1 ] || { echo "not ok: ip neigh flush removes permanent entries now; say so in docs/verdicts.md"; exit 1; }
echo "ok: $remedy"
