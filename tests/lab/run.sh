#!/usr/bin/env bash
# Run lab scenarios on real stacks and hold bothends against the kernel's counters.
#
#     run.sh [NAME ...]          all scenarios unless named
#     BOTHENDS=build/bothends    the program under test (default: bothends in PATH)
#     LAB_KEEP=DIR               keep captures and truth there
#     LAB_JOBS=6                 scenarios at once; most of their time is waiting
#
# One line a scenario: ok NAME, not ok NAME: why, skip NAME: why. Status 1 if one failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
export BOTHENDS=${BOTHENDS:-bothends}
export PYTHONDONTWRITEBYTECODE=1
jobs_at_once=${LAB_JOBS:-6}
limit_s=60

mapfile -t names < <(if (($#)); then printf '%s\n' "$@"; else "$here/live.py" --list; fi)

skip_all() {
	printf "skip %s: $1\n" "${names[@]}"
	exit 0
}

why=$("$here/live.py" --obstacle) || skip_all "${why//%/%%}"
command -v "$BOTHENDS" >/dev/null || { echo "not ok lab: no program at '$BOTHENDS'"; exit 1; }

work=${LAB_KEEP:-$(mktemp -d)}
mkdir -p "$work"
[[ ${LAB_KEEP:-} ]] || trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

attempt() {
	local name=$1 out=$work/$1 log=$work/$1.log
	if ! timeout "$limit_s" "$here/live.py" "$name" "$out" >"$log" 2>&1; then
		echo "not ok $name: the scenario itself failed: $(tail -n 1 "$log")"
	elif ! "$here/check.py" "$out" >"$log" 2>&1; then
		echo "not ok $name: $(head -n 1 "$log")"
		sed 's/^/    /' "$log" | tail -n +2
	else
		echo "ok $name"
		return 0
	fi
	return 1
}

# Real stacks on a busy machine: what fails once is run again and shown; twice is a failure.
one() {
	local name=$1 first
	first=$(attempt "$name") && echo "$first" && return
	mv "$work/$name" "$work/$name.first" 2>/dev/null
	sed 's/^/# first run: /' <<<"$first"
	attempt "$name" || touch "$work/failed"
}

# The longest first: what begins last should not be what the others wait for.
slowest="dark-gone vrrp-both vrrp-planned vrrp-alone deaf-behind-gateway dhcp-renewal vrrp-stall vrrp-lost dark-receive dark-silence dark-stopped
	dark-transmit
	dark-queue dark-queue-tx dark-size partial-mtu partial-random partial-service path-member reboot"
order=()
for name in $slowest "${names[@]}"; do
	[[ " ${names[*]} " == *" $name "* && " ${order[*]} " != *" $name "* ]] && order+=("$name")
done

started=0
rm -f "$work/failed"
for name in "${order[@]}"; do
	while (($(jobs -rp | wc -l) >= jobs_at_once)); do
		wait -n
	done
	LAB_PROCESSOR=$started one "$name" >"$work/$name.line" &
	((started += 1))
done
wait
for name in "${names[@]}"; do
	cat "$work/$name.line"
done
[[ ! -e $work/failed ]]
