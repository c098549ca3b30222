#!/bin/sh
# The report and the upload page in a real browser. usage: run.sh BOTHENDS FIXTURES
# Prints ok NAME, not ok NAME: why, or skip NAME: why. The packages of npm are fetched when missing.
set -u
bothends=$(realpath "$1") fixtures=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
skip() {
	echo "skip browser: $1"
	exit 77
}
[ -x /usr/bin/chromium ] || skip "chromium is not installed"
command -v node >/dev/null || skip "node is not installed"
command -v sqlite3 >/dev/null || skip "sqlite3 is not installed"
cd "$here" || exit 1
if [ ! -d node_modules/playwright-core ] || [ ! -d node_modules/axe-core ]; then
	command -v npm >/dev/null || skip "npm is not installed"
	npm ci --ignore-scripts --no-audit --no-fund >/dev/null 2>&1 || skip "npm could not fetch playwright-core and axe-core"
fi
exec node browser.mjs "$bothends" "$fixtures"
