#!/usr/bin/env bash
# Builds and packs what is published, installs the tarballs into a fresh project and uses them there, as a user does.
# Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
exec node_modules/.bin/node test/package/check.ts
