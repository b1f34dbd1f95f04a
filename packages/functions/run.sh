#!/usr/bin/env bash
# Types, lint, bundles and tests of the Lambda functions: the bundles run against MiniStack as Lambda runs them.
# Run `npm ci` in the repository first. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
bin=$PWD/node_modules/.bin
export PATH="$bin:$PATH"
if [ ! -x "$bin/vitest" ]; then
  echo "error: run npm ci in $PWD first"
  echo "0 passed, 1 failed"
  exit 1
fi

. scripts/suite.sh

# A separate npm project. SILTSTONE_FUNCTIONS_INSTALL=0 uses the installed packages as they are.
install() {
  (cd packages/functions && npm ci --no-fund --no-audit --loglevel=error --prefer-offline)
}
if [ "${SILTSTONE_FUNCTIONS_INSTALL:-1}" != 0 ]; then step 'npm ci' install; fi

step types node "$bin/tsc" --noEmit -p packages/functions/tsconfig.json
step lint node "$bin/oxlint" -c packages/functions/.oxlintrc.json --disable-nested-config --type-aware --deny-warnings \
  packages/functions
step bundles node packages/functions/build.ts

run_vitest "$bin/vitest" --root packages/functions
finish
