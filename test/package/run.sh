#!/usr/bin/env bash
# Builds and packs the published packages, installs the tarballs into a new project and uses them there as a user does.
# Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
exec node_modules/.bin/node test/package/check.ts
