#!/usr/bin/env bash
# The main job on a real pair of captures: installs what is missing, builds, prints the verdict, and leaves
# incident.db (and report.html) here. See README.md.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
. scripts/packages.sh
. scripts/install.sh

# shellcheck disable=SC2086 # lists of words
install_packages $build_packages
echo "Building into $PWD/build"
build build || stop "the build failed (see above)"

bothends=build/analyzer/bothends
fixture=fixtures/capture/stale-arp
printf '\n$ bothends analyze worker=%s db=%s\n\n' $fixture/worker.pcapng $fixture/db.pcapng
$bothends analyze --force -o incident.db worker=$fixture/worker.pcapng db=$fixture/db.pcapng

echo
echo "database  $PWD/incident.db"
if $bothends report --help | grep -qw html; then
	$bothends report incident.db --format html -o report.html
	echo "report    $PWD/report.html"
fi
echo "program   $PWD/$bothends"
