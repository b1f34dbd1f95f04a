#!/usr/bin/env bash
# Builds the documentation site and uses it in a real browser, Chromium. CHROMIUM may name it; where there is none, Debian's
# is installed. Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=../chromium.sh
. test/chromium.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! npm run -s docs:site -- --out "$folder/site"; then
  echo "0 passed, 1 failed"
  exit 1
fi
node_modules/.bin/node test/docs-site/main.ts "$folder/site"
