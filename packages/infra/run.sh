#!/usr/bin/env bash
# Types, lint and tests of the Pulumi components and programs, without the Pulumi command line and without an account.
# Run `npm ci` in the repository first: compiler, linter, test runner and Node come from there.
# Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
bin=$root/node_modules/.bin
export PATH="$bin:$PATH"
if [ ! -x "$bin/vitest" ]; then
  echo "error: run npm ci in $root first"
  echo "0 passed, 1 failed"
  exit 1
fi

. scripts/suite.sh

# Separate npm projects, so that users of the vector store do not download a cloud's types. infra/ also installs
# packages/infra. SILTSTONE_INFRA_INSTALL=0 uses the installed packages as they are.
install() {
  (cd infra && npm ci --no-fund --no-audit --loglevel=error --prefer-offline)
}
if [ "${SILTSTONE_INFRA_INSTALL:-1}" != 0 ]; then step 'npm ci' install; fi

step types node "$bin/tsc" --noEmit -p packages/infra/tsconfig.json
step lint node "$bin/oxlint" -c packages/infra/.oxlintrc.json --disable-nested-config --type-aware --deny-warnings \
  packages/infra infra

run_vitest "$bin/vitest" --root packages/infra
finish
