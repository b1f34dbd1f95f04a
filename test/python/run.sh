#!/usr/bin/env bash
# Drives the server from outside: the unchanged Python client, deltas by another Arrow implementation, and the documented
# formats read without our code. Arguments go to pytest. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")"
fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

export SILTSTONE_NODE=$PWD/../../node_modules/.bin/node
[ -x "$SILTSTONE_NODE" ] || fail "there is no Node in node_modules: npm ci first"
# An environment belongs to one interpreter and one list of packages.
stamp=$(python3 -c 'import sys; print(sys.executable, sys.version)'; cat requirements.txt)
if [ "$(cat .venv/stamp 2>/dev/null)" != "$stamp" ]; then
  rm -rf .venv
  python3 -m venv .venv || fail "python3 -m venv failed"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt || fail "pip install failed"
  printf '%s\n' "$stamp" >.venv/stamp
fi

report=$(mktemp)
trap 'rm -f "$report"' EXIT
export ANONYMIZED_TELEMETRY=False PYTHONDONTWRITEBYTECODE=1
.venv/bin/python -m pytest -p no:cacheprovider --junitxml="$report" "$@"
code=$?
.venv/bin/python - "$report" "$code" <<'PY'
import sys
import xml.etree.ElementTree as ET

try:
    suites = list(ET.parse(sys.argv[1]).getroot().iter("testsuite"))
    count = lambda name: sum(int(suite.get(name)) for suite in suites)
    # A test that was skipped has shown nothing.
    failed = count("failures") + count("errors") + count("skipped")
    passed = max(0, count("tests") - failed)
except Exception as error:
    print(f"pytest left no report: {error}")
    passed, failed = 0, 1
if sys.argv[2] != "0" and failed == 0:
    failed = 1
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
PY
