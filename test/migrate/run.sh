#!/usr/bin/env bash
# Migrates real Chroma directories and servers (test/python's environment) with `siltstone migrate`, and compares the
# result with the answers of Chroma's own client. Arguments are passed to pytest. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")"
fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

export SILTSTONE_NODE=$PWD/../../node_modules/.bin/node
[ -x "$SILTSTONE_NODE" ] || fail "there is no Node in node_modules: npm ci first"
# shellcheck source=../python/venv.sh
. ../python/venv.sh
venv ../python || fail "the Python environment could not be made"

report=$(mktemp)
trap 'rm -f "$report"' EXIT
export ANONYMIZED_TELEMETRY=False PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PWD/../python
../python/.venv/bin/python -m pytest -p no:cacheprovider -c pytest.ini --junitxml="$report" "$@"
count_junit ../python/.venv/bin/python "$report" $?
