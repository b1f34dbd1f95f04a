#!/usr/bin/env bash
# Uploads with Uppy in a real browser, Chromium, to the S3 face. CHROMIUM may name it; where there is none, Debian's is
# installed. Ends with "N passed, N failed".
cd "$(dirname "$0")/../../.." || exit 1
# shellcheck source=../../chromium.sh
. test/chromium.sh
exec node_modules/.bin/node test/objects/uppy/main.ts
