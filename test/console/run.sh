#!/usr/bin/env bash
# Uses the web console in a real browser, Chromium. CHROMIUM may name it; where there is none, Debian's is installed.
# Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=../chromium.sh
. test/chromium.sh
exec node_modules/.bin/node test/console/main.ts
