# Source this file from a suite of pytest, in the suite's folder. It sets SILTSTONE_NODE, and ends the suite where there is none.

# `fail TEXT` ends the suite as failed.
fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

export SILTSTONE_NODE=$PWD/../../node_modules/.bin/node
[ -x "$SILTSTONE_NODE" ] || fail "there is no Node in node_modules: npm ci first"

. "${BASH_SOURCE[0]%/*}/venv.sh"

# `run_pytest PYTHON [ARGUMENTS]` runs the tests of this folder, prints "N passed, N failed" and fails unless all have passed.
run_pytest() {
  local python=$1
  shift
  local report
  report=$(mktemp)
  PYTHONDONTWRITEBYTECODE=1 "$python" -m pytest -p no:cacheprovider -c pytest.ini --junitxml="$report" "$@"
  count_junit "$python" "$report" $?
  local code=$?
  rm -f "$report"
  return "$code"
}
