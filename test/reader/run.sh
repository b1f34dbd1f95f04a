#!/usr/bin/env bash
# Reads collections in a real browser, Chromium, from static hosts that do and do not keep to HTTP. CHROMIUM may name it;
# where there is none, Debian's is installed. Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=../chromium.sh
. test/chromium.sh
exec node_modules/.bin/node test/reader/main.ts
