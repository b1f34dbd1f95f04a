#!/usr/bin/env bash
# Runs the checks of reading, as one bundle, in Node, Deno, Bun and workerd (the runtime of Cloudflare Workers), over HTTP from a static host.
# Installs the runtimes from npm, 360 MB, into a git-ignored folder; none of their install scripts is run. Ends with "N passed, N failed".
cd "$(dirname "$0")" || exit 1
npm install --ignore-scripts --workspaces=false --no-package-lock --no-audit --no-fund --silent || exit 1
cd ../.. || exit 1
exec node_modules/.bin/node test/runtimes/main.ts
