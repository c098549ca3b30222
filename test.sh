#!/usr/bin/env bash
# Every test: installs what they need, builds a release and one with sanitizers, runs all suites of both,
# the lab and the agent's tests. The last line is `N passed, N failed[, N skipped]`; every skip has
# its reason above. Exit status 1 if one failed.
set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" || exit 2
. scripts/packages.sh
. scripts/install.sh

# Without optimization across files, whose links take longer than all compiling; demo.sh builds the program as it is installed.
release=build-test sanitized=build-sanitize
results=$(mktemp)
trap 'rm -f "$results"' EXIT
export PYTHONDONTWRITEBYTECODE=1
export ASAN_OPTIONS=halt_on_error=1:abort_on_error=1:detect_leaks=1
export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1

# Shows what a suite prints and keeps it for the count.
record() {
	tee -a "$results"
}

heading() {
	printf '== %s (%d s)\n' "$1" $SECONDS
}

# meson_suite FOLDER LABEL [ARGUMENT-OF-meson-test...]
meson_suite() {
	local folder=$1 label=$2
	shift 2
	heading "$label"
	rm -f "$folder/meson-logs/testlog.json"
	meson test -C "$folder" --no-rebuild "$@" >/dev/null 2>&1
	scripts/meson_results.py "$folder" "$label" | record || echo "not ok $label: meson test did not run" | record
}

# script_suite LABEL LIMIT-IN-SECONDS SCRIPT [ARGUMENT...], which prints `ok NAME`, `not ok NAME: why` or `skip NAME: why` lines.
script_suite() {
	local label=$1 limit=$2 script=$3 status output
	shift 3
	heading "$label"
	output=$(mktemp)
	timeout --kill-after=10 "$limit" "$script" "$@" 2>&1 | tee "$output" | sed -E "s/^(ok|not ok|skip) /\1 $label: /" | record
	status=${PIPESTATUS[0]}
	# A script that fails, or says nothing, must not pass for one that had nothing to fail.
	if ((status)) && ! grep -q '^not ok ' "$output"; then
		echo "not ok $label: $script ended with status $status" | record
	elif ! grep -Eq '^(ok|not ok|skip) ' "$output"; then
		echo "not ok $label: $script reported no test" | record
	fi
	rm -f "$output"
}

count() {
	grep -c "^$1 " "$results"
}

# shellcheck disable=SC2086 # lists of words
install_packages $build_packages $test_packages
# The library that reads Parquet, from its registry package; where it cannot be had its tests are skipped.
command -v npm >/dev/null || install_packages npm
[[ -e tests/flowlog/duckdb/node_modules/.package-lock.json ]] ||
	(cd tests/flowlog/duckdb && timeout 300 npm ci --no-audit --no-fund --ignore-scripts >/dev/null 2>&1) || true

heading "build"
built=1
build $release -Dwerror=true -Db_lto=false || { built=0; echo "not ok build: release" | record; }
build $sanitized -Dwerror=true -Dbuildtype=debugoptimized -Db_lto=false -Db_sanitize=address,undefined ||
	{ built=0; echo "not ok build: sanitizers" | record; }

if ((built)); then
	export BOTHENDS=$PWD/$release/analyzer/bothends
	# The agent's own script, below, counts each of its tests and says why one was skipped.
	# The limits of the tests end what hangs; a machine with other work may be slow.
	meson_suite $release release --no-suite agent --timeout-multiplier 4
	# What a sanitizer has nothing to say about (tests of the test runners, chance), or what compares with other programs
	# and takes long, runs once.
	meson_suite $sanitized sanitizers --no-suite lint --no-suite lab --no-suite read --no-suite decode --no-suite agent \
		--no-suite once --timeout-multiplier 8
	script_suite lab 800 tests/lab/run.sh
	script_suite worlds 400 tests/worlds/run.py "$BOTHENDS" --specs tests/worlds/fixed.jsonl
	script_suite agent 600 tests/agent/run.sh "$PWD/$release"
fi

passed=$(count ok) failed=$(count 'not ok') skipped=$(count skip)
printf '%d s\n' $SECONDS
if ((skipped)); then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
((failed == 0 && passed > 0))
