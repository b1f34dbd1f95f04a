#!/usr/bin/env bash
# Tests the server from outside: the unchanged Python client, deltas by another Arrow implementation, and the documented
# formats read without Siltstone's code. Arguments are passed to pytest. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")"
fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

export SILTSTONE_NODE=$PWD/../../node_modules/.bin/node
[ -x "$SILTSTONE_NODE" ] || fail "there is no Node in node_modules: npm ci first"
. ./venv.sh
venv . || fail "the Python environment could not be made"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall ../../packages/embedder-python ||
  fail "the wheel of packages/embedder-python could not be built"

report=$(mktemp)
trap 'rm -f "$report"' EXIT
export ANONYMIZED_TELEMETRY=False PYTHONDONTWRITEBYTECODE=1
.venv/bin/python -m pytest -p no:cacheprovider --junitxml="$report" "$@"
count_junit .venv/bin/python "$report" $?
