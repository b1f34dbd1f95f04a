#!/usr/bin/env bash
# The Hub API of `siltstone serve --registry` with unchanged clients by others: huggingface_hub and its command `hf`. Arguments go
# to pytest. Ends with "N passed, N failed".
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
venv . || fail "the Python environment could not be made"

report=$(mktemp)
trap 'rm -f "$report"' EXIT
export PYTHONDONTWRITEBYTECODE=1
.venv/bin/python -m pytest -p no:cacheprovider -c pytest.ini --junitxml="$report" "$@"
count_junit .venv/bin/python "$report" $?
