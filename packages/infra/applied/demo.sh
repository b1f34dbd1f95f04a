#!/usr/bin/env bash
# `npm run demo:aws`: installs what is missing, builds the functions and runs demo.ts. `--once` ends after one round.
set -eu
cd "$(dirname "$0")"
root=$(cd ../../.. && pwd)
export PATH="$root/node_modules/.bin:$PATH"
[ -x "$root/node_modules/.bin/node" ] || { echo "error: run npm ci in $root first" >&2; exit 1; }
for place in "$root/infra" "$root/packages/functions" .; do
  [ -d "$place/node_modules" ] || (cd "$place" && npm ci --no-fund --no-audit --loglevel=error --prefer-offline)
done
node "$root/packages/functions/build.ts" >/dev/null
node install.ts
exec node demo.ts "$@"
