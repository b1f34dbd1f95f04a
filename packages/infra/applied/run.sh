#!/usr/bin/env bash
# Creates what infra/ and infra/bootstrap declare on an emulated account that enforces IAM (MiniStack, installed into
# test/aws/.venv at a pinned version and started on 127.0.0.1), checks every row of the permission table against it, and
# runs the built functions there: producer, notification, queue, compactor, query.
# Run packages/infra/run.sh (or npm ci in infra/) first. SILTSTONE_PERMISSIONS_TABLE names a file to write the table to.
# Arguments are passed to vitest. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")" || exit 1
bin=$(cd ../../../node_modules/.bin && pwd)
export PATH="$bin:$PATH"
fail() {
  echo "error: $1"
  echo "0 passed, 1 failed"
  exit 1
}
[ -x "$bin/vitest" ] || fail 'run npm ci in the repository first'
[ -d ../node_modules/@pulumi ] || fail 'run npm ci in infra/ first'
if [ "${SILTSTONE_INFRA_INSTALL:-1}" != 0 ]; then
  for place in . ../../functions; do
    (cd "$place" && npm ci --no-fund --no-audit --loglevel=error --prefer-offline) || fail "npm ci failed in $place"
  done
  node ../../functions/build.ts || fail 'the functions cannot be built'
fi

. ../../../scripts/suite.sh
step types node "$bin/tsc" --noEmit -p tsconfig.json
step lint node "$bin/oxlint" -c .oxlintrc.json --disable-nested-config --type-aware --deny-warnings .
step server node install.ts

run_vitest "$bin/vitest" "$@"
finish
